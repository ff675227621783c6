"""How one venue of one exchange speaks. To add an exchange to the sandbox, add a file to `dialects/`.

The file defines a concrete subclass of `Dialect` for each venue; nothing registers it. The sandbox serves
it under `/<name in lower case>`, with that prefix stripped before the dialect sees the path. A dialect is

1.  **data**: `name`, `family` (= `Venue.key_family`: venues of one family share accounts and keys),
    `markets`, `rules` (what the engine does differently here: fees, holds, client ids, ids ...), `limits`,
    `default_costs`; `Rules.wallet` names the wallet of the product, and two venues that name the same one
    share its money (a unified account);
2.  **authenticate(call)**: check key, signature, timestamp or nonce like the original, answer the Account,
    else raise `Rejected(Reason.BAD_KEY | BAD_SIGNATURE | BAD_TIMESTAMP | BAD_NONCE ...)`;
3.  **refuse(reason, detail, call)**: the exchange's own error for every `Reason`; usually one table;
4.  **routes**: methods marked with `@route("POST /v5/order/create", trading=True)`. `{name}` in the path
    is one part of it, found in `call.params`. `public=True`: no key needed. `trading=True`: places, changes
    or cancels orders (faults hit these by default). `costs` are what `limits` count.

A handler reads `call` (`call.text("symbol")`, `call.decimal("qty")` ... complain by themselves), makes a
`Ticket`, calls the desk and returns what is to be encoded as JSON, or a `Reply` when status or headers
differ. Whatever the engine refuses is raised as `Rejected` and goes through `refuse`; so does what a handler
refuses itself. Where the same reason has other words on one route, raise `Answered(Reply(...))`. A Decimal is written as a JSON number, so write `text(number)` where the exchange uses strings.

    class Example(Dialect):
        name, family, product = "Example_F", "example", Product.LINEAR
        markets, rules = MARKETS, Rules(wallet="unified")

        @route("POST /orders", trading=True, costs={"orders": 1})
        def place(self, call: Call) -> Any:
            order = self.desk.place(call.account, Ticket(call.text("symbol"), ...))
            return {"id": order.id}

What a dialect finds on itself: `self.desk` (engine of its product), `self.desks` (engines of the whole
family by product, for exchanges where one address serves spot and futures), `self.account(key)`.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit
from exchanges.sandbox.model import Market, Reason, Rejected, Rules
from exchanges.sandbox.wire import Answered, Call, Reply, encode
from exchanges.types import Product

Handler = TypeVar("Handler", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    handler: str
    public: bool = False
    trading: bool = False
    costs: Mapping[str, int] | None = None


def route(
    *places: str, public: bool = False, trading: bool = False, costs: Mapping[str, int] | None = None
) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of "METHOD /path" (several may share it)."""

    def mark(handler: Handler) -> Handler:
        made = tuple(
            Route(method, path, handler.__name__, public, trading, costs)
            for method, _, path in (place.partition(" ") for place in places)
        )
        handler.routes = made  # type: ignore[attr-defined]
        return handler

    return mark


class Dialect(ABC):
    #: the venue as written in messages: `Binance_F`
    name: ClassVar[str]
    #: whose keys open it: `Venue.key_family`
    family: ClassVar[str]
    product: ClassVar[Product]
    markets: ClassVar[tuple[Market, ...]]
    rules: ClassVar[Rules]
    limits: ClassVar[tuple[Limit, ...]] = ()
    #: whose limits they are, where venues share them; else the venue's own
    metered_as: ClassVar[str] = ""
    #: of a route that names none
    default_costs: ClassVar[Mapping[str, int]] = {}
    #: parameters that never reach the log of calls
    unlogged: ClassVar[tuple[str, ...]] = ("signature",)

    _exact: ClassVar[dict[tuple[str, str], Route]]
    _patterns: ClassVar[list[Route]]

    def __init__(self, desks: Mapping[Product, Desk], accounts: Mapping[str, Account]) -> None:
        self.desks = desks
        self.desk = desks[self.product]
        self._accounts = accounts

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        found = list(_routes(cls))
        cls._exact = {(each.method, each.path): each for each in found if "{" not in each.path}
        cls._patterns = [each for each in found if "{" in each.path]

    # -- what each exchange defines --------------------------------------------------------------------

    @abstractmethod
    def authenticate(self, call: Call) -> Account:
        """Whose call it is. Raises Rejected like the original refuses."""

    @abstractmethod
    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        """The exchange's own error answer, for every Reason."""

    def unwrapped(self, call: Call) -> Call:
        """The call that another carries (JSON-RPC over one address), with that one as its `envelope`; else the same."""
        return call

    def nonce_of(self, call: Call) -> str:
        """Where every request wants a number greater than the last, that number."""
        return ""

    def key_of(self, call: Call) -> str:
        """The key a call claims to use, "" for none: only for the log of calls, checked by nobody."""
        return ""

    def venue_of(self, path: str) -> str:
        """Which venue answers: clients of an exchange with one host for all its products have one address for them."""
        return self.name

    def credentials(self) -> tuple[str, str, str]:
        """(key, secret, passphrase) of a new account in the form this exchange gives them."""
        return secrets.token_hex(32), secrets.token_hex(32), ""

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """What a call costs, by `Limit.counts`; override where parameters change the price."""
        return self.default_costs if route.costs is None else route.costs

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """The answer to a call over the limit."""
        reply = self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)
        reply.headers.setdefault("retry-after", str(exceeded.retry_after_seconds))
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        """Headers that tell how much of each limit (by its name) is used."""
        return {}

    # -- what it may use -------------------------------------------------------------------------------

    def account(self, key: str) -> Account | None:
        """Of this family."""
        return self._accounts.get(key)

    def each(self, call: Call, orders: Any, path: str, handler: Callable[[Call], Any]) -> list[Any]:
        """A batch: every order through the handler of single ones (at `path`), its refusals included. The data of
        each answer."""
        if not isinstance(orders, list) or not all(isinstance(each, Mapping) for each in orders):
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        alone = [replace(call, path=path, query="", body=encode(each)) for each in orders]
        return [self.alone(each, handler) for each in alone]

    def alone(self, call: Call, handler: Callable[[Call], Any]) -> Any:
        """What a handler would answer, be it a refusal."""
        try:
            told = handler(call)
        except Answered as answered:
            told = answered.reply
        except Rejected as refused:
            told = self.refuse(refused.reason, refused.detail, call)
        return told.data if isinstance(told, Reply) else told

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        if (exact := cls._exact.get((method, path))) is not None:
            return exact, {}
        for each in cls._patterns:
            if each.method == method and (parts := _match(each.path, path)) is not None:
                return each, parts
        return None


def _routes(cls: type[Dialect]) -> Iterator[Route]:
    seen: set[str] = set()
    for kind in cls.__mro__:
        for name, item in vars(kind).items():
            if name not in seen:
                seen.add(name)
                yield from getattr(item, "routes", ())


def _match(pattern: str, path: str) -> dict[str, str] | None:
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    parts: dict[str, str] = {}
    for want, have in zip(wanted, given, strict=True):
        if want.startswith("{"):
            parts[want[1:-1]] = have
        elif want != have:
            return None
    return parts
