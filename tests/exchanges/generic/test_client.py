"""What ccxt's clients share between calls and users, and what they do not."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest

from exchanges import errors
from exchanges.errors import ExchangeError, OutcomeUnknown, Refused, Unsupported
from exchanges.generic import client as wired
from exchanges.generic.client import Notes, Shelf, plain
from exchanges.generic.verdict import before_sending, class_of
from exchanges.types import Credentials

ONE, OTHER = Credentials("key-1", "secret-1"), Credentials("key-1", "secret-2")


def test_fractions_reach_ccxt_as_the_text_that_came() -> None:
    told = {"price": Decimal("0.00000010"), "rows": [Decimal("1E-7"), 7, True, None, "x"]}
    assert plain(told) == {"price": "0.00000010", "rows": ["0.0000001", 7, True, None, "x"]}


def test_notes_about_an_account_are_its_own_and_are_dropped_after_a_while() -> None:
    now = [0.0]
    notes, fresh = Notes(seconds=600, clock=lambda: now[0]), {"accountId": None}
    notes.of(ONE, fresh)["accountId"] = 17
    assert notes.of(ONE, fresh)["accountId"] == 17
    assert notes.of(OTHER, fresh)["accountId"] is None
    assert fresh["accountId"] is None
    now[0] = 601
    assert notes.of(ONE, fresh)["accountId"] is None


class Holder:
    id = "woo"

    def __init__(self) -> None:
        self.markets: Any = None

    def set_markets_from_exchange(self, other: Holder) -> None:
        self.markets = other.markets


def test_markets_are_loaded_once_until_they_are_old() -> None:
    now, loads = [0.0], []
    shelf = Shelf(clock=lambda: now[0])

    def load() -> Holder:
        loads.append(now[0])
        holder = Holder()
        holder.markets = len(loads)
        return holder

    def filled(address: str, *, fresh: bool) -> Any:
        holder = Holder()
        shelf.fill(holder, address, load, fresh=fresh)
        return holder.markets

    assert filled("a", fresh=False) == 1
    assert filled("a", fresh=True) == 1
    now[0] = wired.FRESH_SECONDS + 1
    assert filled("a", fresh=False) == 1
    assert filled("a", fresh=True) == 2
    assert filled("b", fresh=False) == 3, "another address is another exchange"


def test_an_exchange_that_loads_slowly_keeps_no_other_waiting() -> None:
    shelf, reached, others = Shelf(), threading.Event(), []

    def other() -> None:
        shelf.fill(Holder(), "other", Holder, fresh=False)
        reached.set()

    def slow() -> Holder:
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        others.append(reached.wait(timeout=5))
        return Holder()

    shelf.fill(Holder(), "slow", slow, fresh=False)
    assert others == [True]


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("InsufficientFunds", 200, errors.InsufficientFunds),
        ("OrderImmediatelyFillable", 200, errors.PostOnlyRefused),
        ("AccountSuspended", 400, errors.AuthRefused),
        ("InvalidNonce", 400, errors.ClockRefused),
        ("DDoSProtection", 403, errors.Throttled),
        ("OnMaintenance", 503, errors.Maintenance),
        ("ExchangeNotAvailable", 404, Refused),
        ("ExchangeNotAvailable", 200, OutcomeUnknown),
        ("ExchangeNotAvailable", 503, OutcomeUnknown),
        ("RequestTimeout", 408, OutcomeUnknown),
        ("NullResponse", 200, OutcomeUnknown),
        ("OperationFailed", 200, OutcomeUnknown),
        ("OperationRejected", 200, Refused),
        ("ExchangeError", 400, Refused),
        ("ExchangeError", 409, OutcomeUnknown),
        ("ExchangeError", 500, OutcomeUnknown),
        ("NotSupported", 200, Refused),
    ],
)
def test_an_answered_error_is_no_more_certain_than_what_ccxt_knows(
    name: str, status: int, kind: type[ExchangeError]
) -> None:
    assert class_of(getattr(wired.module(), name)("words"), status) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("BadSymbol", errors.UnknownSymbol),
        ("ArgumentsRequired", errors.InvalidOrder),
        ("NotSupported", Unsupported),
        ("ExchangeError", Unsupported),
        ("RequestTimeout", Unsupported),
    ],
)
def test_what_ccxt_refuses_by_itself_has_not_left(name: str, kind: type[ExchangeError]) -> None:
    assert type(before_sending(getattr(wired.module(), name)("words"), "words")) is kind
