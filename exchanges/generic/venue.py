"""A venue over ccxt. ccxt signs and reads; limits, connections, witness and the judgement of failures are ours.

What differs from a native venue: nothing is known in advance but the capability table, so one call of ours may be
several requests; positions are in one-way mode only; triggers go by the price the exchange takes by default.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, NoReturn, TypeVar

from exchanges.errors import (
    ClockRefused,
    ExchangeError,
    OrderNotFound,
    OutcomeUnknown,
    Throttled,
    Unsupported,
)
from exchanges.generic import client as wired
from exchanges.generic import reading, verdict
from exchanges.generic.entry import Entry, Offer
from exchanges.generic.flight import Flight
from exchanges.generic.ids import FORMS
from exchanges.limits import Charge, Priority, Scope
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    Balance,
    Credentials,
    Environment,
    Instrument,
    KeyInfo,
    MarginMode,
    OrderRef,
    OrderRequest,
    Position,
    Product,
    Quote,
    Report,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Call, Venue, plain_number, refuse_crossed, unless_unchanged

T = TypeVar("T")
Act = Callable[[Any], T]
Listed = Callable[[Any, str, dict[str, Any]], list[Any]]
#: a request costs at least one unit of the bucket, ccxt's lightest one ten
UNITS = 10
#: what a reader of ours or of ccxt's raises when an answer is not what it should be
UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class GenericVenue(Venue):
    native = False
    throttles = {"key": Scope.KEY, "address": Scope.ADDRESS}
    entry: ClassVar[Entry]
    offer: ClassVar[Offer]

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        if self.environment is Environment.SANDBOX:
            raise Unsupported(f"{self.name} is opened through ccxt and has no sandbox")
        self._here = threading.local()
        self._lock = threading.Lock()
        self._base: Any = None
        self._notes = wired.Notes()

    @classmethod
    def client_id(cls, token: str) -> str:
        form = FORMS.get(cls.entry.id)
        return form(token) if form else super().client_id(token)

    # -- one call --------------------------------------------------------------------------------------

    def _ask(
        self,
        keys: Credentials | None,
        act: Act[T],
        *,
        priority: Priority = Priority.QUERY,
        patience: float | None = None,
        reading: bool = True,
    ) -> T:
        """Run one of ccxt's methods. A timestamp refusal proves that nothing was done: measured once, tried again."""
        try:
            return self._fly(Flight(keys, priority, patience, reading=reading), act)
        except ClockRefused as refused:
            self._sync_clock_or(refused)
            return self._fly(Flight(keys, priority, patience, reading=reading), act)

    def _fly(self, flight: Flight, act: Act[T]) -> T:
        client = flight.client = self._client(flight)
        try:
            return act(client)
        except ExchangeError as error:
            if not flight.done:
                raise
            raise OutcomeUnknown(  # a second request of the same order failed: the first one may be the order
                f"{self.name}: {error.message}", code=error.code, exchange_message=error.exchange_message
            ) from error
        except (wired.base_error(), *UNREADABLE) as error:
            self._misread(flight, error)

    def _misread(self, flight: Flight, error: Exception) -> NoReturn:
        """ccxt stopped without an answer that says so."""
        if flight.reading and isinstance(error, wired.module().OrderNotFound):
            raise OrderNotFound(
                f"{self.name} lists no such order"
            )  # it answered, and ccxt looked through the answer
        if flight.sent:
            raise OutcomeUnknown(
                f"{self.name}: the answer could not be read ({type(error).__name__})"
            ) from None
        raise verdict.before_sending(error, f"{self.name}: {flight.without_keys(str(error))}") from None

    def _client(self, flight: Flight) -> Any:
        def send(origin: str, request: Request, weight: float) -> Answer:
            return self._send(flight, origin, request, weight)

        with self._lock:
            if self._base is None:
                self._base = self._load(flight, fresh=False)
            base = self._base
        return wired.clone(
            base,
            flight.keys,
            uid=self.entry.uid,
            send=send,
            now_ms=self.clock.now_ms,
            options=self._notes.of(flight.keys, base.options) if flight.keys else None,
        )

    def _load(self, flight: Flight, *, fresh: bool) -> Any:
        """A client with its markets, read without a user."""
        product = "swap" if self.product is Product.LINEAR else "spot"
        base = wired.opened(self.entry.id, product, testnet=self.environment is Environment.TESTNET)

        def load() -> Any:
            quiet = Flight(None, flight.priority, flight.patience, reading=True)

            def send(origin: str, request: Request, weight: float) -> Answer:
                return self._send(quiet, origin, request, weight)

            reader = quiet.client = wired.clone(base, None, uid=False, send=send, now_ms=self.clock.now_ms)
            try:
                reader.load_markets(True)
            except (wired.base_error(), *UNREADABLE) as error:
                self._misread(quiet, error)
            return reader

        wired.shelf.fill(base, self.transport.base_url, load, fresh=fresh)
        return base

    def _send(self, flight: Flight, origin: str, request: Request, weight: float) -> Answer:
        cost = max(1, round(weight * UNITS))
        call = Call(
            request.method,
            request.path,
            {"request": request},
            signed=flight.keys is not None,
            costs=dict.fromkeys(("requests", "requests of a key") if flight.keys else ("requests",), cost),
            priority=flight.priority,
            read_only=flight.reading,
            host=self._host_of(origin, request),
            patience_seconds=flight.patience,
        )
        flight.request = request
        self._here.flight = flight
        answer: Answer = self._once(call, flight.keys)
        return answer

    def _host_of(self, origin: str, request: Request) -> str:
        urls = {"": self.base_urls, **self.hosts}
        for host, by_environment in urls.items():
            if by_environment.get(self.environment) == origin:
                return host
        raise wired.lost(request)

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """ccxt signed it already. From here on it counts as sent, unless the transport says that it never left."""
        request: Request = call.params["request"]
        flight: Flight = self._here.flight
        flight.sent = flight.sent or flight.reading or call.method != "GET"
        return request

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        return None

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        flight: Flight = self._here.flight
        if answer.data is None or flight.request is None:
            raise OutcomeUnknown(f"{self.name} answered nothing", code=str(answer.status))
        seen = replace(answer, data=wired.plain(answer.data))
        try:
            error = flight.client.judged(flight.request, seen)
        except UNREADABLE as broken:
            raise OutcomeUnknown(f"{self.name}: the answer could not be read") from broken
        if error is None and answer.status < 400:
            flight.answered()
            return seen
        raise self._refused(flight, error, seen, charges)

    def _refused(
        self, flight: Flight, error: Exception | None, answer: Answer, charges: tuple[Charge, ...]
    ) -> ExchangeError:
        kind = verdict.class_of(error or Exception(), answer.status)
        retry_after = self._told_seconds(answer)
        if issubclass(kind, Throttled):
            self._stay_off(charges, retry_after, _whose(answer, charges), answer.status)
        words = flight.without_keys(str(error or "").removeprefix(self.entry.id))
        return kind(
            self.explain(kind, "", words, answer.status),
            code=type(error).__name__ if error else str(answer.status),
            exchange_message=words,
            retry_after=retry_after,
        )

    # -- orders ----------------------------------------------------------------------------------------

    def place_call(self, order: OrderRequest) -> Call:
        """Only the checks: ccxt makes the requests."""
        self._refuse_unsupported(order)
        return Call("POST", "", costs={"requests": UNITS}, priority=self._priority(order))

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return reading.placed(data, order)

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        self._refuse_unsupported(order)
        if order.type.conditional and not self.offer.directed:
            self._refuse_crossed(order)
        beside = self._beside(order)
        patience = patience_seconds if self._priority(order) is Priority.ENTRY else None

        def act(client: Any) -> Report:
            return self.read_placed(self._create(client, order, beside), order)

        return self._ask(keys, act, priority=self._priority(order), patience=patience, reading=False)

    def _create(self, client: Any, order: OrderRequest, beside: str | None) -> Any:
        symbol, params = reading.symbol_of(order.instrument), self._params(order)
        if order.quote_quantity is not None:
            return client.create_market_buy_order_with_cost(
                symbol, plain_number(order.quote_quantity), params
            )
        assert order.quantity is not None
        amount = plain_number(order.quantity / order.instrument.contract_size)
        kind = "limit" if order.type in LIMITS else "market"
        price = plain_number(order.price) if kind == "limit" and order.price is not None else beside
        return client.create_order(symbol, kind, str(order.side), amount, price, params)

    def _params(self, order: OrderRequest) -> dict[str, Any]:
        """Words that ccxt has for every exchange (https://docs.ccxt.com/#/README?id=placing-orders, read 2026-11-22)."""
        params: dict[str, Any] = {self.entry.id_param: order.client_id}
        if order.post_only:
            params["postOnly"] = True
        if order.time_in_force is not TimeInForce.GTC:
            params["timeInForce"] = str(order.time_in_force).upper()
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.margin_mode is not None:
            params["marginMode"] = str(order.margin_mode)
        if order.type.conditional and order.trigger_price is not None:
            params |= self._trigger(order, plain_number(order.trigger_price))
        return params

    def _trigger(self, order: OrderRequest, price: str) -> dict[str, Any]:
        """Never by ccxt's `stopLossPrice`: what that makes is not among the waiting orders that can be listed."""
        if not self.offer.directed:
            return {"triggerPrice": price}
        return {"triggerPrice": price, "triggerDirection": "ascending" if order.rises else "descending"}

    def _priority(self, order: OrderRequest) -> Priority:
        return Priority.PROTECT if order.type.conditional or order.reduce_only else Priority.ENTRY

    def _beside(self, order: OrderRequest) -> str | None:
        """Some exchanges take a spot market buy as an amount of money: ccxt makes it of the quantity and a price."""
        if not (order.buys_base and self.offer.needs_price):
            return None
        return plain_number(self.quote(order.instrument).ask)

    def _refuse_crossed(self, order: OrderRequest) -> None:
        """A trigger without a direction waits for the side on which it lies: a stop already crossed would rest there
        as a take-profit."""
        refuse_crossed(order, self.quote(order.instrument).last)

    def _refuse_unsupported(self, order: OrderRequest) -> None:
        offer = self.offer
        lacking = {
            "stop and take-profit orders": order.type.conditional and not offer.conditional,
            "a trigger by another price than the usual": order.type.conditional
            and order.trigger_by is not TriggerBy.LAST,
            "post-only orders": order.post_only and not offer.post_only,
            "immediate-or-cancel orders": order.time_in_force is TimeInForce.IOC and not offer.ioc,
            "fill-or-kill orders": order.time_in_force is TimeInForce.FOK and not offer.fok,
            "reduce-only orders": order.reduce_only and not offer.reduce_only,
            "orders by amount of quote currency": order.quantity is None and not offer.by_quote,
            "hedge mode": order.position_side is not None,
        }
        for what, asked in lacking.items():
            if asked:
                raise Unsupported(f"{self.name}, opened through ccxt, has no {what}")

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        if not ref.exchange_id:
            ref = replace(ref, exchange_id=self.fetch(keys, instrument, ref).exchange_id)
        symbol, params = reading.symbol_of(instrument), _waiting(ref)
        self._ask(
            keys,
            lambda client: client.cancel_order(ref.exchange_id, symbol, params),
            priority=Priority.PROTECT,
            reading=False,
        )

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        if not ref.exchange_id:
            return self._find(keys, instrument, ref)
        try:
            return self._fetched(keys, instrument, ref, _waiting(ref))
        except OrderNotFound:
            if not ref.conditional:
                raise
            return self._fetched(keys, instrument, ref, {})  # triggered, it may have become a plain order

    def _fetched(
        self, keys: Credentials, instrument: Instrument, ref: OrderRef, params: dict[str, Any]
    ) -> Report:
        symbol = reading.symbol_of(instrument)
        found = self._ask(
            keys,
            lambda client: reading.order(
                client.fetch_order(ref.exchange_id, symbol, params), client, instrument
            ),
        )
        return replace(found, client_id=found.client_id or ref.client_id)

    def _find(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """By our id, among the open orders and then among those that ended. Where no order there has an id of a
        client, the exchange does not repeat it, and that ours is missing proves nothing."""
        symbol, params, told = reading.symbol_of(instrument), _waiting(ref), False
        for listed in (reading.standing, reading.ended):
            rows = self._rows(keys, listed, symbol, params)
            for row in rows:
                if reading.has_id(row, ref.client_id):
                    return self._named(keys, row, instrument, ref)
            told = told or not rows or any(row.get("clientOrderId") for row in rows)
        if not told:
            raise OutcomeUnknown(f"{self.name} does not repeat our ids: look there by hand")
        raise OrderNotFound(f"{self.name} knows no order {ref.client_id} that is open or ended lately")

    def _rows(self, keys: Credentials, listed: Listed, symbol: str, params: dict[str, Any]) -> list[Any]:
        return self._ask(keys, lambda client: listed(client, symbol, params))

    def _named(self, keys: Credentials, row: Any, instrument: Instrument, ref: OrderRef) -> Report:
        found = self._ask(keys, lambda client: reading.order(row, client, instrument))
        return replace(found, client_id=ref.client_id)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        if instrument is None and self.offer.by_symbol:
            raise Unsupported(f"{self.name} lists the open orders of one market at a time")
        symbol = reading.symbol_of(instrument) if instrument else None
        kinds: tuple[dict[str, Any], ...] = ({}, {"trigger": True}) if self.offer.conditional else ({},)

        def act(client: Any) -> list[Report]:
            raw = [each for kind in kinds for each in reading.standing(client, symbol, kind)]
            mine = (each for each in raw if reading.of_product(client, each, self.product))
            return [reading.order(each, client, instrument) for each in mine]

        found = self._ask(keys, act)
        return list({report.exchange_id: report for report in found}.values())

    # -- the account -----------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        return self._ask(keys, lambda client: reading.balances(client.fetch_balance()))

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        if self.product is not Product.LINEAR:
            return []
        symbols = [reading.symbol_of(instrument)] if instrument else None
        return self._ask(keys, lambda client: reading.positions(client.fetch_positions(symbols), client))

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        symbol = reading.symbol_of(instrument)
        if (leverage is not None and not self.offer.leverage) or (
            mode is not None and not self.offer.margin_mode
        ):
            raise Unsupported(f"{self.name}, opened through ccxt, cannot set leverage or margin mode")
        extra = {} if leverage is None else {"leverage": _whole(leverage)}
        if mode is not None:
            self._set(keys, lambda client: client.set_margin_mode(str(mode), symbol, extra))
        if leverage is not None:
            self._set(keys, lambda client: client.set_leverage(_whole(leverage), symbol))

    def _set(self, keys: Credentials, act: Act[Any]) -> None:
        unless_unchanged(lambda: self._ask(keys, act, priority=Priority.ENTRY, reading=False))

    def key_info(self, keys: Credentials) -> KeyInfo:
        self.balances(keys)
        return KeyInfo(note=f"{self.name} is opened through ccxt, which does not tell what a key may do")

    # -- the market ------------------------------------------------------------------------------------

    def instruments(self) -> list[Instrument]:
        flight = Flight(None, Priority.QUERY, None, reading=True)
        base = self._load(flight, fresh=True)
        with self._lock:
            self._base = base
        return reading.instruments(base, self.product)

    def quote(self, instrument: Instrument) -> Quote:
        symbol = reading.symbol_of(instrument)
        return self._ask(None, lambda client: reading.quote(client, symbol))

    def sync_clock(self) -> int:
        """The markets come first: their loading is no way to the exchange's clock."""
        self._ask(None, lambda client: client.id)
        return super().sync_clock()

    def server_time_ms(self) -> int:
        """Where the exchange has no call for the time, the date of any answer tells it to the second."""
        return self._ask(None, self._told_time)

    def _told_time(self, client: Any) -> int:
        if client.has.get("fetchTime"):
            return int(client.fetch_time())
        dates: list[str] = []
        send = client.send

        def listen(origin: str, request: Request, weight: float) -> Answer:
            answer: Answer = send(origin, request, weight)
            dates.append(answer.headers.get("date", ""))
            return answer

        client.send = listen
        client.fetch_ticker(next(iter(client.markets)))
        return int(parsedate_to_datetime(dates[-1]).timestamp() * 1000)


def _waiting(ref: OrderRef) -> dict[str, Any]:
    return {"trigger": True} if ref.conditional else {}


def _whole(leverage: Decimal) -> int | str:
    return int(leverage) if leverage == int(leverage) else plain_number(leverage)


def _whose(answer: Answer, charges: tuple[Charge, ...]) -> str:
    """ccxt does not tell whom a refusal for rate is about. Gateways shut out addresses with these statuses; what comes
    as an ordinary answer to a signed request is about its key, and keeps nobody else waiting. HTTP 429 may be either."""
    signed = any(charge.limit.scope is Scope.KEY for charge in charges)
    if not signed or answer.status in {403, 418}:
        return "address"
    return "" if answer.status == 429 else "key"
