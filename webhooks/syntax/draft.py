"""One step while its words are still coming in: mutable until the next step begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from execution.amounts import Size, Span
from execution.commands import Close, Entry, EntryKind, Go, Protect, Setting, Step
from execution.terms import BreakEven, Dca, Options, Protection, StopLoss, TakeProfit, Trail

_NO_PROTECTION = Protection()
_NO_OPTIONS = Options()


class Draft:
    """A step under construction. `make` is its class, `fields` what its own words said."""

    __slots__ = ("break_even", "dca", "fields", "make", "options", "spans", "stop", "targets", "trail")

    def __init__(self, make: Callable[..., Step], **fields: Any) -> None:
        self.make = make
        self.fields = fields
        self.stop: StopLoss | None = None
        self.targets: list[TakeProfit] = []
        self.trail: Trail | None = None
        self.break_even: BreakEven | None = None
        self.dca: Dca | None = None
        self.options: dict[str, Any] = {}
        self.spans: dict[str, Span] = {}

    @property
    def is_order(self) -> bool:
        """Order options may follow."""
        return self.make is not Protect and self.make is not Setting

    @property
    def takes_protection(self) -> bool:
        return self.make is not Close and self.make is not Setting

    @property
    def takes_settings(self) -> bool:
        return self.make is not Close and self.make is not Protect

    @property
    def is_flat(self) -> bool:
        """`go flat`: protection words are accepted and mean nothing, or one template could not serve both
        entries and exits."""
        return self.make is Go and self.fields["direction"] is None

    @property
    def is_protected(self) -> bool:
        return bool(self.stop or self.targets or self.trail or self.break_even or self.dca)

    def forget_protection(self) -> None:
        self.stop = self.trail = self.break_even = self.dca = None
        self.targets.clear()

    @property
    def size(self) -> Size | None:
        found: Size | None = self.fields.get("size")
        return found

    @property
    def at_market(self) -> bool:
        """The order takes what the market offers at once: it never rests in the book."""
        if self.make is Entry:
            kind = self.fields["kind"]
            return kind is EntryKind.MARKET or (kind is EntryKind.STOP and self.fields["limit"] is None)
        if self.make is Close:
            return self.fields["price"] is None
        return "price" not in self.fields and "orders" not in self.fields

    @property
    def ends_position(self) -> bool:
        """A close of everything: nothing is left that protection could act on."""
        if self.make is not Close or self.fields["direction"] is not None or not self.at_market:
            return False
        return str(self.size) in ("100%", "100% pos")

    def build(self) -> Step:
        fields = self.fields
        if self.make is not Close and self.make is not Setting:
            fields["protection"] = self._protection()
        if self.make is not Protect:
            fields["options"] = Options(**self.options, spans=self.spans) if self.options else _NO_OPTIONS
        return self.make(**fields)

    def _protection(self) -> Protection:
        if not self.is_protected:
            return _NO_PROTECTION
        return Protection(self.stop, tuple(self.targets), self.trail, self.break_even, self.dca)
