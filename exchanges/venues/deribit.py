"""Deribit: spot (`Deribit`), the linear USDC perpetuals (`Deribit_F`, `BTC_USDC-PERPETUAL`) and those margined in coins
(`Deribit_C`, `BTC-PERPETUAL`).

Facts from docs.deribit.com, API v2.1.1 (read 2026-11-22), unless a line names another source. What is odd here:

* every call is a GET with its parameters in the query; only a linked pair, which has a list in it, is a JSON-RPC POST;
* each request is signed by itself (`deri-hmac-sha256`), no token is kept; the words of a stale timestamp are not
  documented, so that any refusal of a signature that speaks of the timestamp is taken for one;
* a `label` is not unique: it finds an order again, and the exchange would take the same one twice;
* orders go out one by one: `private/mass_quote`, which takes several, is for market makers whom Deribit has approved, and
  wants cancel-on-disconnect (docs.deribit.com/api-reference/trading/private-mass_quote, read 2026-11-23);
* a trigger order that fires becomes another order, with another id and the same label: orders are asked for, and
  cancelled, by label, whichever of the two stands;
* whether a label finds a trigger order that still waits is not documented: the open orders are looked through too;
* ended orders are remembered for 30 minutes, trades for a day; what is older is told as history only, which never ends
  (docs.deribit.com/articles/accessing-historical-trades-orders, read 2026-11-23);
* amounts of linear contracts are in the base coin, those of inverse ("reversed") ones in dollars, and callers see
  contracts of `contract_size` dollars; margin is cross for the whole account, and its leverage is no
  setting of an instrument; positions are one-way;
* which currency the orders of a spot pair are filed under is not documented: both of the pair are asked;
* trigger orders are documented for futures only ("Only for future trigger orders"): spot has none here;
* what a key may do is told by `public/auth`; its addresses only by a list that shows the secrets of other keys.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import AuthRefused, ExchangeError, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Kind, Priority, Scope
from exchanges.paging import Place, whole_list
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    flag,
    in_ms,
    items,
    moment_ms,
    nonzero,
    nonzero_where,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    STOPS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
    Fill,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Call, Features, Venue, exact_json, plain_word, urgency

API = "/api/v2"
AUTH = f"{API}/public/auth"
USDC = "USDC"
ONE = Decimal(1)
#: the most trades in one answer
PAGE = 1000
#: for so long trades are told at once; then as history, of which so much is asked for
RECENT, FILLS_MEMORY = timedelta(days=1), timedelta(days=90)
#: BTC-PERPETUAL, beside BTC_USDC-PERPETUAL and BTC-25DEC26
INVERSE = re.compile(r"[A-Z]+-PERPETUAL")
#: what `currency` may name where orders are looked for by label
CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR")

SIDES = {side.value: side for side in Side}
DIRECTIONS = {"buy": Direction.LONG, "sell": Direction.SHORT}
TYPE_WORDS = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop_market",
    OrderType.STOP_LIMIT: "stop_limit",
    OrderType.TAKE_PROFIT: "take_market",
    OrderType.TAKE_PROFIT_LIMIT: "take_limit",
}
#: the others come from orders made by hand
TYPES = {name: kind for kind, name in TYPE_WORDS.items()} | {
    "market_limit": OrderType.MARKET,
    "trailing_stop": OrderType.STOP,
}
TIMES = {TimeInForce.IOC: "immediate_or_cancel", TimeInForce.FOK: "fill_or_kill"}
TRIGGERS = {TriggerBy.LAST: "last_price", TriggerBy.MARK: "mark_price", TriggerBy.INDEX: "index_price"}
STATES = {
    "open": OrderStatus.OPEN,
    "untriggered": OrderStatus.OPEN,
    "filled": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
    # a trigger order that has become another one, which tells the rest
    "triggered": OrderStatus.OPEN,
}
#: states of an order that has not met the market
WAITED = ("untriggered", "triggered")
RIGHTS = ("account:", "trade:", "wallet:")

#: codes that stand for many complaints; where the reason tells which, it becomes part of the code
SPOKEN = (
    ("13004", "timestamp", "13004:timestamp"),
    ("13009", "timestamp", "13009:timestamp"),
    ("10000", "timestamp", "10000:timestamp"),
    ("11030", "reduce_only", "11030:reduce_only"),
    ("-32602", "instrument_name", "-32602:instrument_name"),
)
ERRORS = words(
    {
        errors.AuthRefused: "9999 10000 11042 13000 13001 13002 13003 13004 13005 13007 13009 13012 13021",
        errors.ClockRefused: "13004:timestamp 13009:timestamp 10000:timestamp",
        errors.Throttled: "10028 10040 10047 10066",
        errors.Maintenance: "11051 13025",
        errors.MarketPaused: "10012 10019 10041",
        # "general failure", "other error", "request failed", "unhandled error on server"
        OutcomeUnknown: "10001 11031 11094 13008",
        errors.UnknownSymbol: "10020 13020 -32602:instrument_name",
        errors.OrderNotFound: "10004 10010 10029 11008 11044",
        errors.InsufficientFunds: "10009 10039",
        errors.NothingToReduce: "11030:reduce_only",
        errors.WouldTrigger: "10034 10035 11036",
        errors.PostOnlyRefused: "11054",
        errors.InvalidOrder: "10002 10003 10005 10006 10007 10008 10011 10013 10014 10016 10018 10021 10022 "
        "10023 10025 10026 10027 10031 10032 10043 10044 11029 11030 11035 11043 11047 11049 11050 13010 13016 "
        "-32602 -32601 -32700 -32000",
    }
)


class _Deribit(Venue):
    exchange = "deribit"
    region = "eu"
    key_family = "deribit"
    key_titles = {"key": "Client ID", "secret": "Client secret"}
    guide = Guide(
        key_steps=(
            "On deribit.com open the account menu, API, and press Add new key; choose a key generated by Deribit.",
            "Set the scopes: trade to read_write, account to read.",
            "Set wallet to none or read: wallet read_write can withdraw, and flipr never needs it.",
            "Enter the addresses of your flipr in the IP whitelist of the key.",
            "Enter the client ID as key and the client secret as secret.",
        ),
        testnet="Deribit has a test net with accounts and keys of its own at test.deribit.com.",
        quirks=(
            "Perpetuals of Deribit_F settle in USDC: BTCUSDT means BTC_USDC-PERPETUAL there.",
            "Deribit_C trades BTC-PERPETUAL and ETH-PERPETUAL, which are margined in their coin. Deribit shows their sizes in dollars; a bare number is contracts here as on every exchange, of 10 USD for BTC and 1 USD for ETH. Write 100$ for dollars.",
            "Leverage cannot be set: Deribit margins the whole account, in cross margin.",
            "Stop and target of a perpetual are one linked pair: what fills of one is taken off the other.",
            "On spot there are no stops and targets: a message that asks for one is refused before anything is sent.",
            "Deribit tells flipr what a key may do, but not whether it is bound to addresses: check that on its site.",
        ),
    )
    base_urls = {
        Environment.LIVE: "https://www.deribit.com",
        Environment.TESTNET: "https://test.deribit.com",
    }
    errors = ERRORS
    #: where it is not our share of the credits that is used up, but the engine that is busy
    cool_downs = {"10040": 1.0, "10047": 1.0, "10066": 1.0}
    #: docs.deribit.com/articles/rate-limits: 500 of 50,000 credits a call, 10,000 a second come back; orders 5 a
    #: second, 20 at once. What an address may ask without a key is not told: as much is taken here
    buckets = {
        "requests": Bucket(100, 5.0, Scope.KEY, kind=Kind.LEAKY),
        "matching": Bucket(20, 4.0, Scope.KEY, kind=Kind.LEAKY),
        "public": Bucket(100, 5.0, kind=Kind.LEAKY),
        "instruments": Bucket(5, 5.0),
    }
    #: of `public/get_instruments` and `private/get_open_orders`
    kind: ClassVar[str]
    #: the currency whose instruments are asked for
    listed_under: ClassVar[str]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """What is signed: time, nonce, method, path with query, and the body, each on a line of its own."""
        if call.signed and keys is None:
            raise AuthRefused(f"{self.name}: this call needs a key")
        post, params = call.method == "POST", dict(call.params)
        nonce = str(self.nonce(now_ms)) if call.signed else ""
        if keys and call.signed and call.path == AUTH:
            return Request(call.method, call.path, urlencode(params | _proof(keys, now_ms, nonce)))
        query = "" if post else urlencode({name: plain_word(value) for name, value in params.items()})
        method = call.path.removeprefix(f"{API}/")
        body = exact_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}) if post else ""
        request = Request(call.method, call.path, query, body.encode())
        headers = {"Content-Type": "application/json"} if post else {}
        if keys and call.signed:
            signed = f"{now_ms}\n{nonce}\n{call.method}\n{request.target}\n{body}\n"
            headers["Authorization"] = (
                f"deri-hmac-sha256 id={keys.key},ts={now_ms},sig={hex_hmac(keys.secret, signed)},nonce={nonce}"
            )
        return replace(request, headers=headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        data = answer.data
        if not isinstance(data, Mapping):
            return None if data is None else ("", "the answer is no object")
        if not isinstance(fault := data.get("error"), Mapping):
            return None if "result" in data and not fault else ("", "the answer has no result")
        code, more = str(fault.get("code", "")), fault.get("data")
        told = [fault.get("message"), *(more.values() if isinstance(more, Mapping) else (more,))]
        words = ": ".join(str(each) for each in told if each)
        return next((full for of, said, full in SPOKEN if of == code and said in words.lower()), code), words

    def place_call(self, order: OrderRequest) -> Call:
        self._check(order)
        return self._order_call(
            f"private/{order.side}",
            {"instrument_name": order.instrument.symbol, **_terms(order)},
            urgency(order),
        )

    def _check(self, order: OrderRequest) -> None:
        if order.quantity is None:
            raise Unsupported(f"{self.name} takes no amounts of money")
        if order.position_side:
            raise Unsupported(f"{self.name} has no hedge mode")
        if order.margin_mode is MarginMode.ISOLATED:
            raise Unsupported(f"{self.name} has no isolated margin")
        forced = order.post_only or order.time_in_force is not TimeInForce.GTC
        if forced and order.type not in LIMITS:
            raise Unsupported(f"{self.name}: only limit orders can be post-only, ioc or fok")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """The order as it stands and its trades, which alone tell the fee."""
        report = self.read_order(field(data, "result", "order"), _worth(order.instrument))
        immediate = order.type is OrderType.MARKET or order.time_in_force is not TimeInForce.GTC
        return replace(
            report,
            client_id=report.client_id or order.client_id,
            fee=_fee(items(data, "result", "trades")),
            acknowledged_only=report.status is OrderStatus.OPEN and immediate,
        )

    def read_order(self, item: Any, size: Decimal = ONE) -> Report:
        """`size`: the amount that a quantity of one is."""
        order_id, kind = text(item, "order_id"), word(TYPES, item, "order_type")
        status = word(STATES, item, "order_state")
        filled = Decimal(0) if _waited(item, kind) else decimal(item, "filled_amount")
        fixed = (
            kind.conditional and text(item, "order_type") != "trailing_stop"
        )  # that one tells its distance
        return Report(
            exchange_id=order_id,
            client_id=text(item, "label") if item.get("label") else "",
            symbol=text(item, "instrument_name"),
            side=word(SIDES, item, "direction"),
            type=kind,
            status=status,
            quantity=decimal(item, "amount") / size,
            filled=filled / size,
            average_price=nonzero(item, "average_price") if filled else None,
            price=decimal(item, "price") if kind in LIMITS else None,
            trigger_price=nonzero_where(fixed, item, "trigger_price") if kind.conditional else None,
            reduce_only=item.get("reduce_only") is True,
            reason=str(item.get("cancel_reason") or "") if status is OrderStatus.CANCELLED else "",
        )

    def read_one(self, rows: list[Any], size: Decimal = ONE) -> Report:
        """The one order that a label stands for: where it fired, what it became, in the words it was placed with."""
        reports = [(self.read_order(row, size), row["order_state"] == "triggered") for row in rows]
        standing = [report for report, fired in reports if not fired]
        if len(standing) != 1:
            raise OutcomeUnknown(
                f"{self.name} names {len(standing)} orders where one was asked for", code="LABEL"
            )
        placed = next((report for report, fired in reports if fired), None)
        if placed is None:
            return standing[0]
        return replace(standing[0], type=placed.type, trigger_price=placed.trigger_price, price=placed.price)

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("get_time", {}), "result"))

    def instruments(self) -> list[Instrument]:
        asked = {"currency": self.listed_under, "kind": self.kind}
        rows = items(self._public("get_instruments", asked, "instruments"), "result")
        return [self.read_instrument(row) for row in rows if self._ours(row)]

    def _ours(self, row: Any) -> bool:
        return text(row, "kind") == self.kind

    def read_instrument(self, row: Any) -> Instrument:
        """A tick that grows with the price is told in steps: the coarsest is right at every price."""
        size = decimal(row, "contract_size")
        steps = row.get("tick_size_steps") or []
        quote = common_asset(text(row, "counter_currency"))
        return Instrument(
            symbol=text(row, "instrument_name"),
            base=common_asset(text(row, "base_currency")),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=max([decimal(row, "tick_size"), *(decimal(step, "tick_size") for step in items(steps))]),
            step=size * (decimal_or_none(row, "lot_size") or 1),
            min_quantity=decimal(row, "min_trade_amount"),
            contract_size=size,
            max_leverage=decimal_or_none(row, "max_leverage"),
            active=field(row, "is_active") is True and row.get("state", "open") == "open",
        )

    def quote(self, instrument: Instrument) -> Quote:
        """`last_price` is null where nothing was traded yet: then the mark price stands for it."""
        told = field(self._public("ticker", {"instrument_name": instrument.symbol}), "result")
        bid, ask = decimal(told, "best_bid_price"), decimal(told, "best_ask_price")
        mark, last = decimal_or_none(told, "mark_price"), decimal_or_none(told, "last_price")
        last = decimal(told, "mark_price") if last is None else last
        return Quote(bid, ask, last, None if self.product is Product.SPOT else mark)

    # -- orders ----------------------------------------------------------------------------------------

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """By label, which a trigger order shares with the order it became; the answer counts what was cancelled."""
        if not ref.client_id:
            asked = {"order_id": ref.exchange_id}
            told = self.call(self._order_call("private/cancel", asked, Priority.PROTECT), keys)
            word(STATES, field(told, "result"), "order_state")
            return
        currencies = self._filed_under(instrument)
        asked = {"label": ref.client_id, **({"currency": currencies[0]} if len(currencies) == 1 else {})}
        told = self.call(self._order_call("private/cancel_by_label", asked, Priority.PROTECT), keys)
        if not decimal(told, "result"):
            raise OrderNotFound(f"{self.name} has no open order of this name")

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        asked = {"instrument_name": instrument.symbol}
        call = self._order_call("private/cancel_all_by_instrument", asked, Priority.PROTECT)
        decimal(self.call(call, keys), "result")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        rows = self._named(keys, instrument, ref.client_id) if ref.client_id else []
        if not rows and ref.exchange_id:
            rows = self._numbered(keys, instrument, ref.exchange_id)
        if not rows:
            raise OrderNotFound(f"{self.name} does not know this order")
        return self.read_one(rows, _worth(instrument))

    def _numbered(self, keys: Credentials, instrument: Instrument, order_id: str) -> list[Any]:
        """The order with this id and, where it fired, what its label tells beside it."""
        row = field(self._read("get_order_state", {"order_id": order_id}, keys), "result")
        if field(row, "order_state") != "triggered" or not row.get("label"):
            return [row]
        others = self._labelled(keys, instrument, text(row, "label"))
        return [row, *(each for each in others if text(each, "order_id") != order_id)]

    def _named(self, keys: Credentials, instrument: Instrument, label: str) -> list[Any]:
        """All that has the label: no order is called unknown before the open ones were looked through."""
        if (rows := self._labelled(keys, instrument, label)) or not self.features.conditional:
            return rows
        return [row for row in self._open_rows(keys, instrument) if row.get("label") == label]

    def _labelled(self, keys: Credentials, instrument: Instrument, label: str) -> list[Any]:
        for currency in self._filed_under(instrument):
            asked = {"currency": currency, "label": label}
            if rows := items(self._read("get_order_state_by_label", asked, keys), "result"):
                return rows
        return []

    @abstractmethod
    def _filed_under(self, instrument: Instrument) -> tuple[str, ...]:
        """The currencies among whose orders those of the instrument are."""

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        rows = self._open_rows(keys, instrument)
        sizes = self._sizes(rows, instrument)
        return [self.read_order(row, sizes[row["instrument_name"]]) for row in rows]

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """What is older than a day is told as history, and history comes late: both are asked for.
        https://docs.deribit.com/api-reference/trading/private-get_user_trades_by_instrument_and_time (read 2026-11-23)."""
        now_ms = self.clock.now_ms()
        old = now_ms - in_ms(since) >= RECENT // timedelta(milliseconds=1)
        asked = {"start_timestamp": in_ms(since), "end_timestamp": now_ms}
        found = dict[tuple[str, str], Fill]()
        for history in (True, False) if old else (False,):
            for row in self._trades(keys, instrument, asked | {"historical": history}):
                found[text(row, "trade_id"), text(row, "order_id")] = self.read_fill(row, _worth(instrument))
        return list(found.values())

    def _trades(self, keys: Credentials, instrument: Instrument, asked: Mapping[str, Any]) -> Iterator[Any]:
        """Oldest first; a page begins with the last moment of the one before, some of whose trades come twice."""
        asked = {"instrument_name": instrument.symbol, **asked, "count": PAGE, "sorting": "asc"}

        def page(place: Place) -> list[Any]:
            told = self._read("get_user_trades_by_instrument_and_time", {**asked, **place}, keys)
            rows = items(told, "result", "trades")
            if flag(told, "result", "has_more") and len(rows) < PAGE:
                raise OutcomeUnknown(f"{self.name} tells {len(rows)} trades at a time, not {PAGE}")
            return rows

        return whole_list(page, PAGE, lambda last: {"start_timestamp": text(last, "timestamp")})

    def read_fill(self, item: Any, size: Decimal = ONE) -> Fill:
        """`label` is there for orders that have one."""
        return Fill(
            exchange_id=text(item, "order_id"),
            client_id=text_or_none(item, "label") or "",
            symbol=text(item, "instrument_name"),
            side=word(SIDES, item, "direction"),
            quantity=decimal(item, "amount") / size,
            price=decimal(item, "price"),
            at=moment_ms(item, "timestamp"),
        )

    def _sizes(self, rows: list[Any], instrument: Instrument | None) -> Mapping[str, Decimal]:
        """By symbol, the amount that a quantity of one is."""
        return {row["instrument_name"]: ONE for row in rows}

    def _open_rows(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        if instrument is None:
            told = self._read("get_open_orders", {"kind": self.kind}, keys)
        else:
            told = self._read("get_open_orders_by_instrument", {"instrument_name": instrument.symbol}, keys)
        return [row for row in items(told, "result") if self._our_symbol(text(row, "instrument_name"))]

    def _our_symbol(self, symbol: str) -> bool:
        return True

    # -- account ---------------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        rows = items(self._read("get_account_summaries", {}, keys), "result", "summaries")
        found = [self.read_balance(row) for row in rows]
        return {balance.asset: balance for balance in found}

    def read_balance(self, row: Any) -> Balance:
        free = max(decimal(row, "available_funds"), Decimal(0))
        return Balance(common_asset(text(row, "currency")), decimal(row, "equity"), free)

    def key_info(self, keys: Credentials) -> KeyInfo:
        """Scopes as `public/auth` grants them to who names none: docs.deribit.com/articles/access-scope."""
        told = self.ask(AUTH, {}, {"public": 1}, keys)
        scopes = text(told, "result", "scope").split()
        if not any(scope.startswith(RIGHTS) for scope in scopes):
            return KeyInfo(note="Deribit did not tell what this key may do: check its scopes on its site")
        return KeyInfo(
            can_trade="trade:read_write" in scopes,
            can_withdraw="wallet:read_write" in scopes,
            note="Deribit does not tell whether the key is bound to addresses: check it on its site",
        )

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, name: str, params: Mapping[str, Any], bucket: str = "public") -> Any:
        return self.ask(f"{API}/public/{name}", params, {bucket: 1})

    def _read(self, name: str, params: Mapping[str, Any], keys: Credentials) -> Any:
        return self.ask(f"{API}/private/{name}", params, {"requests": 1}, keys)

    def _order_call(
        self, name: str, params: Mapping[str, Any], priority: Priority, method: str = "GET"
    ) -> Call:
        return Call(method, f"{API}/{name}", params, costs={"matching": 1}, priority=priority)


class DeribitSpot(_Deribit):
    name = "Deribit"
    product = Product.SPOT
    kind = "spot"
    listed_under = "any"
    features = Features(
        conditional=False,
        rests_both_legs=False,
        fill_in_answer=True,
        reduce_only=False,
        client_id_memory_seconds=1800,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
    )

    def _check(self, order: OrderRequest) -> None:
        super()._check(order)
        if order.type.conditional:
            raise Unsupported(f"{self.name} has no stop or take-profit orders")
        if order.reduce_only:
            raise Unsupported(f"{self.name}: spot orders cannot be reduce-only")

    def _filed_under(self, instrument: Instrument) -> tuple[str, ...]:
        base = (instrument.base,) if instrument.base in CURRENCIES else ()
        return (instrument.quote, *base)

    def read_balance(self, row: Any) -> Balance:
        """What is held, less what orders reserve; other collateral lends nothing here."""
        total = decimal(row, "balance")
        free = min(total - decimal(row, "spot_reserve"), decimal(row, "available_funds"))
        return Balance(common_asset(text(row, "currency")), total, max(free, Decimal(0)))


class _DeribitFutures(_Deribit):
    kind = "future"
    #: "execution of one order in a pair automatically cancels the other" is documented; that a cancel does, is not
    features = Features(
        linked_legs=True,
        linked_cancel=False,
        fill_in_answer=True,
        client_id_memory_seconds=1800,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
        fills_triggered=True,
    )

    def _filed_under(self, instrument: Instrument) -> tuple[str, ...]:
        return (instrument.settle,)

    def _ours(self, row: Any) -> bool:
        """Perpetual, and settled in the currency that is this product's."""
        perpetual = super()._ours(row) and text(row, "settlement_period") == "perpetual"
        return perpetual and self._settles(row)

    @abstractmethod
    def _settles(self, row: Any) -> bool: ...

    @abstractmethod
    def _our_symbol(self, symbol: str) -> bool: ...

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Cross margin is what there is; a leverage is no setting of an instrument."""
        if leverage is not None or mode is MarginMode.ISOLATED:
            raise Unsupported(f"{self.name}: leverage and margin mode cannot be set, margin is cross")

    def linked(self, report: Report) -> bool:
        """Legs keep their labels; what stands is looked up by them."""
        return False

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """The answer is about the stop alone. Whatever hinders the look at the target leaves the pair unknown: it
        may stand, and must not be placed again."""
        placed = self.call(self.protect_call(legs), keys)
        stop = self.read_placed(placed, legs.stop)
        try:
            return stop, self._standing(keys, legs.target)
        except ExchangeError as error:
            raise OutcomeUnknown(
                f"{self.name} took the stop and its target is not seen yet: {error.message}"
            ) from error

    def _standing(self, keys: Credentials, order: OrderRequest) -> Report:
        """One that was placed a moment ago is looked for among the open ones first: while it waits for its trigger its
        label may not find it. One that has fired meanwhile is another order there."""
        rows, worth = self._open_rows(keys, order.instrument), _worth(order.instrument)
        found = [self.read_order(row, worth) for row in rows if row.get("label") == order.client_id]
        if len(found) == 1 and found[0].type is order.type:
            return found[0]
        return self.fetch(keys, order.instrument, OrderRef(order.client_id))

    def protect_call(self, legs: Legs) -> Call:
        """The stop first, with the target hung on it. `incremental`: a partial fill of one leg takes as much off the
        other, where the default would take it away whole and leave the rest of the position unprotected."""
        stop, target = legs.stop, legs.target
        self._check(stop)
        self._check(target)
        if (
            stop.type not in STOPS
            or target.type in (*STOPS, OrderType.MARKET)
            or stop.side is not target.side
        ):
            raise Unsupported(f"{self.name}: linked legs are a stop and a target of one side")
        pair = {
            "instrument_name": stop.instrument.symbol,
            **_terms(stop),
            "linked_order_type": "one_cancels_other",
            "trigger_fill_condition": "incremental",
            "otoco_config": [{"direction": target.side.value, **_terms(target)}],
        }
        return self._order_call(f"private/{stop.side}", pair, Priority.PROTECT, "POST")

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        asked = self._positions_under(instrument) | {"kind": self.kind}
        rows = items(self._read("get_positions", asked, keys), "result")
        held = [
            row for row in rows if decimal(row, "size") and self._our_symbol(text(row, "instrument_name"))
        ]
        if instrument is not None:
            held = [row for row in held if row["instrument_name"] == instrument.symbol]
        sizes = self._sizes(held, instrument)
        return [self.read_position(row, sizes[row["instrument_name"]]) for row in held]

    @abstractmethod
    def _positions_under(self, instrument: Instrument | None) -> dict[str, str]:
        """The currency whose positions are asked for; none for all of them."""

    def read_position(self, row: Any, size: Decimal = ONE) -> Position:
        return Position(
            symbol=text(row, "instrument_name"),
            direction=word(DIRECTIONS, row, "direction"),
            quantity=abs(decimal(row, "size")) / size,
            entry_price=decimal(row, "average_price"),
            mark_price=decimal_or_none(row, "mark_price"),
            leverage=decimal_or_none(row, "leverage"),
            margin_mode=MarginMode.CROSS,
            unrealised=decimal_or_none(row, "floating_profit_loss"),
            liquidation_price=nonzero(row, "estimated_liquidation_price"),
        )


class DeribitFutures(_DeribitFutures):
    name = "Deribit_F"
    product = Product.LINEAR
    listed_under = USDC

    def _settles(self, row: Any) -> bool:
        """Linear: it settles in the currency it is quoted in."""
        return text(row, "settlement_currency") == text(row, "counter_currency") == USDC

    def _our_symbol(self, symbol: str) -> bool:
        return symbol.endswith(f"_{USDC}-PERPETUAL")

    def _positions_under(self, instrument: Instrument | None) -> dict[str, str]:
        return {"currency": USDC}


class DeribitInverse(_DeribitFutures):
    """Positions of all currencies are those of a call that names none, as ccxt 4.5.90 asks."""

    name = "Deribit_C"
    product = Product.INVERSE
    listed_under = "any"

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        self._contracts: dict[str, Decimal] = {}

    def instruments(self) -> list[Instrument]:
        found = super().instruments()
        self._contracts |= {each.symbol: each.contract_size for each in found}
        return found

    def _settles(self, row: Any) -> bool:
        settle = text(row, "settlement_currency")
        return settle == text(row, "base_currency") and text(row, "instrument_type") == "reversed"

    def _our_symbol(self, symbol: str) -> bool:
        return INVERSE.fullmatch(symbol) is not None

    def read_instrument(self, row: Any) -> Instrument:
        found, size = super().read_instrument(row), decimal(row, "contract_size")
        least = found.min_quantity / size
        return replace(found, settle=found.base, step=found.step / size, min_quantity=least)

    def _sizes(self, rows: list[Any], instrument: Instrument | None) -> Mapping[str, Decimal]:
        """A symbol never seen has the instruments read once more."""
        known = {instrument.symbol: instrument.contract_size} if instrument else self._contracts
        if {row["instrument_name"] for row in rows} - known.keys():
            self.instruments()
            known = self._contracts
        return {row["instrument_name"]: field(known, row["instrument_name"]) for row in rows}

    def _positions_under(self, instrument: Instrument | None) -> dict[str, str]:
        return {"currency": instrument.settle} if instrument else {}


def _worth(instrument: Instrument) -> Decimal:
    """The amount that a quantity of one is: dollars of a contract, or the coins themselves."""
    return instrument.contract_size if instrument.inverse else ONE


def _terms(order: OrderRequest) -> dict[str, Any]:
    """What one order says of itself, alone or as a leg of a pair."""
    terms: dict[str, Any] = {
        "amount": (order.quantity or 0) * _worth(order.instrument),
        "type": TYPE_WORDS[order.type],
        "price": order.price if order.type in LIMITS else None,
        "trigger_price": order.trigger_price if order.type.conditional else None,
        "trigger": TRIGGERS[order.trigger_by] if order.type.conditional else None,
        "time_in_force": TIMES.get(order.time_in_force),
        "reduce_only": order.reduce_only or None,
        "post_only": order.post_only or None,
        "reject_post_only": order.post_only or None,
        "label": order.client_id,
    }
    return {name: value for name, value in terms.items() if value is not None}


def _waited(item: Any, kind: OrderType) -> bool:
    """A trigger order tells no fill of its own, neither while it waits nor when it was cancelled before it fired."""
    return item["order_state"] in WAITED or (kind.conditional and item.get("triggered") is False)


def _fee(trades: list[Any]) -> Fee | None:
    """A rebate is a fee below zero. Fees in several currencies are told as none: no amount would be right."""
    assets = {common_asset(text(trade, "fee_currency")) for trade in trades}
    if len(assets) != 1:
        return None
    return Fee(sum((decimal(trade, "fee") for trade in trades), Decimal(0)), assets.pop())


def _proof(keys: Credentials, now_ms: int, nonce: str) -> dict[str, str]:
    """`client_signature`: who asks, without the secret."""
    return {
        "grant_type": "client_signature",
        "client_id": keys.key,
        "timestamp": str(now_ms),
        "nonce": nonce,
        "signature": hex_hmac(keys.secret, f"{now_ms}\n{nonce}\n"),
    }
