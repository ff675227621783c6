"""BloFin: USDT and USDC perpetuals (`BloFin_F`).

Facts from https://docs.blofin.com/ and https://github.com/blofin/blofin-api-docs (read 2026-11-22). Quirks:

* Placing only acknowledges. A refusal comes with HTTP 200: `code` on top, or 0 there and the cause in `data`.
* Orders count contracts of `contractValue` coins; base units are all that callers see.
* A batch takes 20 plain orders of one instrument and margin mode, and counts as one request (so ccxt counts it). A stop and
  its targets go out one by one, or as one pair. Its rows have our ids, and a code where the order was refused (samples of
  taken ones have none).
* The signature is the Base64 form of the *hexadecimal digits* of the digest. A nonce may not be used twice within a
  minute.
* A key made for a third-party application wants that application's `brokerId` in every order, one made for
  transactions refuses it (152011 to 152013). None is ever sent.
* The margin mode stands on every order: an order that closes must name the mode of its position, and one that opens is
  given that of the position or of the account.
* Stops and targets are TP/SL orders with ids of their own; one may be a pair, of which the first to trigger ends the
  other. They trigger by the last price. A triggered one goes on as a plain order that is found by
  `algoClientOrderId`, else by its `algoId`, and whose `orderCategory` tells which leg it was. Crossed ones are refused.
* Trigger orders (`order-algo`) made by hand are listed and cancelled, never placed: they wait on whichever side of
  the price they happen to lie, so that a stop that comes late would become a target.
* Client ids are letters, digits and underscores, 32 at most. Ours have 16, so that the two legs of a pair fit into
  the one id the pair has.
* No address tells the time; the mark price comes with the moment of its answer.
* What an order query answers for an unknown order is not documented: no data counts as "not found".

Spot is left out. That its calls exist (`spot/trade/order`, `order-detail`, `orders-pending`, `order-algo` and more) is told by
ccxt 4.5.90, which sends none of them, and two programs of others show what an order at market may look like. What the
answers to a query, a list and a stop look like, and whether an order can be asked for by our id, is told nowhere that could
be read (the documentation as stored, its repository, clients of others; 2026-11-22): nothing is guessed of it. Others looked in
2026 too: in May for a chapter on it in the documentation and for a call of it in BloFin's own Python kit, in vain, and in
August at the lists of the demo, where they never had an order (copies read 2026-11-23). Of spot orders the documentation
tells the fills alone (`spot/trade/fills-history`, in its chapter on tax): they have the exchange's number and none of ours, so
that an order whose answer was lost cannot be known among them.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from exchanges import errors
from exchanges.contracts import CountsContracts, in_coins
from exchanges.errors import OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.margin import OrdersInMode, check_leverage
from exchanges.paging import pages_after
from exchanges.pairs import check_pair, half_id, ids_of_pair, pair_id
from exchanges.read import (
    decimal,
    decimal_or_none,
    decimal_or_null,
    field,
    items,
    positive,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    STOPS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import (
    NO_OBJECT,
    NO_ORDER,
    Call,
    Features,
    acknowledged,
    by_client_id,
    held_mode,
    json_body,
    named_rows,
    plain_params,
    urgency,
)

SETTLEMENTS = ("USDT", "USDC")
PAGE = 100
LARGEST_BATCH = 20
#: `code` of an answer whose rows have codes of their own: all were done, none, or some
ALL_DONE, NONE_DONE, SOME_DONE = "0", "1", "2"
AT_MARKET = "-1"
#: stands before the id of a trigger order, whose ids are numbered apart from those of TP/SL orders
TRIGGER = "algo"
#: any instrument will do
CLOCK_INSTRUMENT = "BTC-USDT"

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
DIRECTIONS = {"long": Direction.LONG, "short": Direction.SHORT, "net": None}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
TYPES = {
    "market": OrderType.MARKET,
    **dict.fromkeys(("limit", "post_only", "fok", "ioc"), OrderType.LIMIT),
}
TIMES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
STATES = {
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.OPEN,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "partially_canceled": OrderStatus.CANCELLED,
}
#: of TP/SL and trigger orders. None: it has triggered, the order it became tells the rest
WAITING_STATES = {
    "live": OrderStatus.OPEN,
    "canceled": OrderStatus.CANCELLED,
    "order_failed": OrderStatus.REJECTED,
    "effective": None,
}
LEGS = ("sl", "tp")
RIGHTS = {"0": True, "1": False}
#: key types; the second belongs to an application that adds its broker id
KEY_NOTES = {
    "1": "",
    "2": "the key was made for a third-party application, and BloFin refuses its orders without that application's "
    "broker id: make one of the type API transaction",
}

#: cancelling what is gone is answered with codes that mean other things elsewhere (500, 1000): the words tell
GONE, CANCEL_FAILED = "102068", "cancel failed as the order"
#: https://docs.blofin.com/index.html#errors
ERRORS = words(
    {
        errors.AuthRefused: "401 152011 152012 152013 152401 152402 152404 152406 152408 152409",
        # 152407: the nonce was used in this minute; the second signature has another
        errors.ClockRefused: "152405 152407 152410",
        errors.Throttled: "429",
        OutcomeUnknown: f"{SOME_DONE} 500 103013",
        errors.UnknownSymbol: "152014",
        OrderNotFound: "102067 102068",
        errors.InsufficientFunds: "103003 150004",
        errors.NothingToReduce: "102005 102022",
        errors.WouldTrigger: "102037 102038 102039 102040 102048 102050 102053 102054 102055",
        errors.ModeMismatch: "102089",
        errors.DuplicateOrder: "102002 150003",
        errors.InvalidOrder: "542 102014 102015 102047 102049 102051 102052 102064 102065 110006 110019 152001 152002 "
        "152003 152004 152005 152009",
    }
)
#: a leverage that open orders or positions hold in place
UNDER_ORDERS = ("110006", "110019")
_BROKER = "make a key of the type API transaction, not one that connects to a third-party application"
HINTS = {
    **dict.fromkeys(("152011", "152012", "152013"), _BROKER),
    "403": "its firewall refuses an address for five minutes after too many requests, and some countries always",
    "110006": "cancel the open orders of this margin mode first",
}


class BloFinFutures(OrdersInMode, CountsContracts):
    name = "BloFin_F"
    exchange = "blofin"
    product = Product.LINEAR
    region = "singapore"
    key_family = "blofin"
    key_fields = ("key", "secret", "passphrase")
    guide = Guide(
        key_steps=(
            "On blofin.com open the profile menu, API, Create API key, and choose API transaction as its purpose: keys that connect to a third-party application are refused here.",
            "Invent a passphrase: it is the third thing that flipr asks for.",
            "Tick Read and Trade. Leave Transfer and Withdraw off: BloFin does not tell flipr whether they are on.",
            "Bind the addresses of your flipr (20 at most): a key without any ends after 90 days.",
            "Move the money to trade with to the futures account.",
        ),
        testnet="Demo trading on the site, with demo keys made there. Live keys do not open it.",
        quirks=(
            "Spot is not traded: no documentation that flipr's authors could read says how a spot order of BloFin is queried, so that one whose answer was lost might be forgotten.",
            "Stop and target are one order at BloFin, which ends the target when the stop fills and the other way round.",
            "Stops and targets trigger by the last price; mark and index prices are refused.",
            "An order names its margin mode: what you do not say goes with the open position, else with the margin mode of your account. flipr remembers what it saw for ten minutes.",
            "All accounts of an address share 1,500 requests in five minutes: with many of them an order is looked at less often than elsewhere.",
        ),
    )
    base_urls = {
        Environment.LIVE: "https://openapi.blofin.com",
        Environment.TESTNET: "https://demo-trading-openapi.blofin.com",
    }
    features = Features(
        linked_legs=True, hedge_mode=True, leverage=True, mode_per_order=True, batch=LARGEST_BATCH
    )
    errors, hints = ERRORS, HINTS
    throttles = {"403": Scope.ADDRESS}
    longest_ban_seconds = 300.0
    cool_downs = {"403": 300.0}
    #: 500 a minute and 1,500 in five minutes by address, 30 in ten seconds of one user on everything under trade/
    buckets = {
        "requests": Bucket(500, 60.0),
        "requests_long": Bucket(1500, 300.0),
        "trading": Bucket(30, 10.0, Scope.KEY),
    }
    look_seconds = 5.0  # three of the four requests of a look are among the user's 30 in ten seconds
    looks_per_minute = 36  # half of the address' 300 a minute, at four a look
    prices_per_minute = 80

    # -- pure ------------------------------------------------------------------------------------------

    @classmethod
    def client_id(cls, token: str) -> str:
        return half_id(token)

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """Workers do not know of each other's nonces, so that one made of the time would repeat itself."""
        return self.sign_once(call, keys, now_ms, nonce=uuid.uuid4().hex)

    def sign_once(self, call: Call, keys: Credentials | None, now_ms: int, *, nonce: str) -> Request:
        """https://docs.blofin.com/index.html#signature"""
        get = call.method == "GET"
        query = urlencode(plain_params(call.params)) if get else ""
        body = "" if get else json_body(call.params)
        headers = {} if get else {"Content-Type": "application/json"}
        if call.signed and keys:
            target = f"{call.path}?{query}" if query else call.path
            written = f"{target}{call.method}{now_ms}{nonce}{body}"
            digits = hex_hmac(keys.secret, written)
            headers |= {
                "ACCESS-KEY": keys.key,
                "ACCESS-SIGN": base64.b64encode(digits.encode()).decode(),
                "ACCESS-TIMESTAMP": str(now_ms),
                "ACCESS-NONCE": nonce,
                "ACCESS-PASSPHRASE": keys.passphrase,
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """Of the row that failed, else of the whole."""
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        if (code := answer.data.get("code")) is None:
            return "", "the answer has no code"
        words, data = answer.data.get("msg"), answer.data.get("data")
        rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, Mapping)]
        causes = [row for row in rows if str(row.get("code") or "0") != "0"]
        if causes:
            code, words = causes[0]["code"], causes[0].get("msg")
        elif str(code) == ALL_DONE:
            return None
        words = str(words or "")
        return GONE if words.lower().startswith(CANCEL_FAILED) else str(code), words

    def checked_batch(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """Where there are rows each tells for itself, however few there are."""
        if answer.status < 400 and _tells_of_each(answer.data):
            return answer.data
        return super().checked_batch(answer, charges)

    def place_call(self, order: OrderRequest) -> Call:
        if order.post_only and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only plain limit orders can be post-only")
        if order.type.conditional:
            return self._waiting_call(order, order.client_id, self._leg(order))
        limit = order.type is OrderType.LIMIT
        kind = TIMES[order.time_in_force] if limit else "market"
        params = self._params(order) | {"orderType": "post_only" if order.post_only else kind}
        params |= {"price": order.price} if limit else {}
        return self._write("trade/order", params | {"clientOrderId": order.client_id}, urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://docs.blofin.com/index.html#place-multiple-orders"""
        orders = [plain_params(call.params) for call in calls]
        return self._write("trade/batch-orders", {"": orders}, Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Each row as the answer to its order alone. What has an order and a refusal, or neither, is not known."""
        rows = named_rows(items(data, "data"), "clientOrderId")
        done = text(data, "code") != NONE_DONE
        return [
            {"code": ALL_DONE, "data": [row]} if _is_clear(row, done=done) else {}
            for row in by_client_id(rows, orders, "clientOrderId")
        ]

    def _params(self, order: OrderRequest) -> dict[str, Any]:
        """What plain and conditional orders share. In hedge mode the two sides say whether an order closes."""
        reduces = order.reduce_only and not order.position_side
        return {
            "instId": order.instrument.symbol,
            "marginMode": str(order.margin_mode or MarginMode.CROSS),
            "positionSide": str(order.position_side or "net"),
            "side": str(order.side),
            "size": self._contracts(order),
            **({"reduceOnly": "true"} if reduces else {}),
        }

    def _waiting_call(self, order: OrderRequest, name: str, legs: Mapping[str, Any]) -> Call:
        params = {**self._params(order), **legs, "clientOrderId": name}
        return self._write("trade/order-tpsl", params, urgency(order))

    def _leg(self, order: OrderRequest) -> dict[str, Any]:
        """A plain limit order as one that triggers at its own price."""
        limit, leg = order.type in LIMITS, "sl" if order.type in STOPS else "tp"
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: stops and targets trigger by the last price only")
        if limit and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a triggered limit order rests until it is cancelled")
        return {
            f"{leg}TriggerPrice": order.price if order.trigger_price is None else order.trigger_price,
            f"{leg}OrderPrice": order.price if limit else AT_MARKET,
        }

    def protect_call(self, legs: Legs) -> Call:
        """One TP/SL order. A target that is a plain limit order becomes one that triggers at its own price."""
        check_pair(self.name, legs)
        both = self._leg(legs.target) | self._leg(legs.stop)
        return self._waiting_call(legs.stop, pair_id(self.name, legs), both)

    # -- readers ---------------------------------------------------------------------------------------

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, _new_id(data, "tpslId" if order.type.conditional else "orderId"))

    def read_order(self, item: Any) -> Report:
        """https://docs.blofin.com/index.html#get-order-detail; what a leg became keeps the name of that leg."""
        report, kind, leg = self._read_common(item, "orderId"), word(TYPES, item, "orderType"), _leg_of(item)
        filled = decimal(item, "filledSize") * self._size(report.symbol)
        if leg and item.get("algoId"):
            names = ids_of_pair(text_or_none(item, "algoClientOrderId") or "")
            exchange_id = text(item, "algoId") + (f":{leg}" if names["tp"] else "")
            name = names[leg] or names["sl"]
            report = replace(report, exchange_id=exchange_id, client_id=name)
            kind = OrderType.waiting(stop=leg == "sl", limit=kind is OrderType.LIMIT)
        return replace(
            report,
            type=kind,
            status=word(STATES, item, "state"),
            filled=filled,
            average_price=positive(item, "averagePrice") if filled else None,
            price=positive(item, "price") if kind in LIMITS else None,
            fee=_fee(item),
            reason=text_or_none(item, "cancelSourceReason") or "",
        )

    def _read_common(self, item: Any, id_name: str) -> Report:
        side, holds, symbol = word(SIDES, item, "side"), word(DIRECTIONS, item, "positionSide"), _symbol(item)
        contracts = decimal(item, "size")
        return Report(
            exchange_id=text(item, id_name),
            client_id=text_or_none(item, "clientOrderId") or "",
            symbol=symbol,
            side=side,
            type=OrderType.MARKET,
            status=OrderStatus.OPEN,
            # -1 stands for the whole position
            quantity=contracts * self._size(symbol) if contracts > 0 else None,
            reduce_only=str(item.get("reduceOnly")).lower() == "true"
            or (holds is not None and side is holds.exit_side),
            position_side=holds,
        )

    def read_waiting(self, item: Any) -> dict[str, Report]:
        """The one or two legs of a TP/SL order, by "sl" and "tp"."""
        report, state = self._read_common(item, "tpslId"), word(WAITING_STATES, item, "state")
        legs = [leg for leg in LEGS if (decimal_or_null(item, f"{leg}TriggerPrice") or 0) > 0]
        if not legs:
            raise OutcomeUnknown(f"{self.name} lists a stop without a trigger price")
        failed = "it could not be placed when it triggered" if state is OrderStatus.REJECTED else ""
        report = replace(report, status=state or OrderStatus.OPEN, reason=failed)
        return {leg: self._read_leg(item, report, leg, paired=len(legs) == 2) for leg in legs}

    def _read_leg(self, item: Any, report: Report, leg: str, *, paired: bool) -> Report:
        if paired:
            name = ids_of_pair(report.client_id)[leg]
            report = replace(report, exchange_id=f"{report.exchange_id}:{leg}", client_id=name)
        price, trigger = positive(item, f"{leg}OrderPrice"), decimal(item, f"{leg}TriggerPrice")
        kind = OrderType.waiting(stop=leg == "sl", limit=price is not None)
        return replace(report, type=kind, trigger_price=trigger, price=price)

    def read_trigger(self, item: Any, last: Decimal) -> Report:
        """https://docs.blofin.com/index.html#get-active-algo-orders; on which side of the price it lies tells what
        it is, for it has no direction."""
        report, state = self._read_common(item, "algoId"), word(WAITING_STATES, item, "state")
        if state is None:
            raise OutcomeUnknown("a trigger order has triggered, and what it became is not told")
        trigger, price = decimal(item, "triggerPrice"), positive(item, "orderPrice")
        stop = (trigger > last) == (report.side is Side.BUY)
        return replace(
            report,
            exchange_id=f"{TRIGGER}:{report.exchange_id}",
            type=OrderType.waiting(stop=stop, limit=price is not None),
            status=state,
            trigger_price=trigger,
            price=price,
        )

    def read_instrument(self, entry: Any) -> Instrument:
        """https://docs.blofin.com/index.html#get-instruments; sizes there are contracts."""
        return in_coins(
            Instrument(
                symbol=_symbol(entry),
                base=text(entry, "baseCurrency"),
                quote=text(entry, "quoteCurrency"),
                settle=text(entry, "settleCurrency"),
                product=self.product,
                tick=decimal(entry, "tickSize"),
                step=decimal(entry, "lotSize"),
                min_quantity=decimal(entry, "minSize"),
                max_quantity=positive(entry, "maxLimitSize"),
                max_market_quantity=positive(entry, "maxMarketSize"),
                contract_size=decimal(entry, "contractValue"),
                max_leverage=positive(entry, "maxLeverage"),
                active=text(entry, "state") == "live",
            )
        )

    def read_position(self, item: Any) -> Position:
        """https://docs.blofin.com/index.html#get-positions"""
        contracts, symbol = decimal(item, "positions"), _symbol(item)
        net = Direction.LONG if contracts > 0 else Direction.SHORT
        return Position(
            symbol=symbol,
            direction=word(DIRECTIONS, item, "positionSide") or net,
            quantity=abs(contracts) * self._size(symbol),
            entry_price=decimal(item, "averagePrice"),
            mark_price=positive(item, "markPrice"),
            leverage=positive(item, "leverage"),
            margin_mode=word(MARGIN_MODES, item, "marginMode"),
            unrealised=decimal_or_none(item, "unrealizedPnl"),
            liquidation_price=positive(item, "liquidationPrice"),
        )

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._read("market/mark-price", {"instId": CLOCK_INSTRUMENT}), 0, "ts"))

    def instruments(self) -> list[Instrument]:
        found = [
            self.read_instrument(row) for row in items(self._read("market/instruments", {})) if _ours(row)
        ]
        self._know(*found)
        return found

    def quote(self, instrument: Instrument) -> Quote:
        ticker = self._ticker(instrument.symbol)
        return Quote(*(decimal(ticker, name) for name in ("bidPrice", "askPrice", "last")))

    def _ticker(self, symbol: str) -> Any:
        return field(self._read("market/tickers", {"instId": symbol}), 0)

    def _share(self, *orders: OrderRequest) -> bool:
        """One margin mode: what closes goes by that of its position, what opens may name another."""
        return super()._share(*orders) and len({(order.margin_mode, order.closes) for order in orders}) == 1

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        self.protect_call(legs)
        call = self.protect_call(replace(legs, stop=self._in_its_mode(keys, legs.stop)))
        exchange_id = _new_id(self.call(call, keys), "tpslId")
        return acknowledged(legs.stop, f"{exchange_id}:sl"), acknowledged(
            legs.target, f"{exchange_id}:tp", acknowledged_only=False
        )

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        which, (kind, plain, leg) = {"instId": instrument.symbol}, _parts(ref)
        if kind == TRIGGER:
            self._end(keys, "cancel-algo", which | {"algoId": plain.exchange_id}, "algoId")
        elif kind == "order":
            self._end(keys, "cancel-order", which | plain.named("orderId", "clientOrderId"), "orderId")
        else:
            named = plain.named("tpslId", "clientOrderId")
            try:
                self._end(keys, "cancel-tpsl", {"": [which | named]}, "tpslId")
            except OrderNotFound:  # it may have triggered: then the order it became is meant
                became = self._became(keys, self._detail(keys, "order-tpsl-detail", which | named))
                if became is None or leg not in ("", _leg_of(became)):
                    raise
                self._end(keys, "cancel-order", which | {"orderId": text(became, "orderId")}, "orderId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._know(instrument)
        which, (kind, plain, leg) = {"instId": instrument.symbol}, _parts(ref)
        if kind == "order":
            named = plain.named("orderId", "clientOrderId")
            return self.read_order(self._detail(keys, "order-detail", which | named))
        if kind == TRIGGER:
            return self._fetch_trigger(keys, which | {"orderType": "trigger", "algoId": plain.exchange_id})
        item = self._detail(keys, "order-tpsl-detail", which | plain.named("tpslId", "clientOrderId"))
        legs = self.read_waiting(item)
        report = field(legs, leg) if leg else next(iter(legs.values()))
        return self._followed(keys, item, report, leg if len(legs) == 2 else "")

    def _fetch_trigger(self, keys: Credentials, which: Mapping[str, Any]) -> Report:
        for path in ("trade/orders-algo-pending", "trade/orders-algo-history"):
            for item in items(self._read(path, which, keys)):
                return self.read_trigger(item, decimal(self._ticker(_symbol(item)), "last"))
        raise self._gone()

    def _followed(self, keys: Credentials, item: Any, report: Report, leg: str) -> Report:
        """A triggered order has become another one, which tells what was filled; `leg`: of a pair."""
        if (became := self._became(keys, item)) is None:
            return report
        if leg and not _leg_of(became):
            raise OutcomeUnknown("a pair has triggered, and which leg is not told")
        if leg and _leg_of(became) != leg:
            return replace(report, status=OrderStatus.CANCELLED)
        told = self.read_order(became)
        return report.done_as(told)

    def _became(self, keys: Credentials, item: Any) -> Any:
        """The order that a TP/SL order became; None while it has not triggered, and when it never will."""
        if word(WAITING_STATES, item, "state") is not None:
            return None
        symbol, number = _symbol(item), text(item, "tpslId")
        if name := item.get("clientOrderId"):
            with suppress(OrderNotFound):
                return self._detail(keys, "order-detail", {"instId": symbol, "algoClientOrderId": name})
        for path in ("trade/orders-pending", "trade/orders-history"):
            for row in items(self._read(path, {"instId": symbol, "limit": PAGE}, keys)):
                if field(row, "algoId") == number:
                    return row
        raise OutcomeUnknown("an order has triggered, and what it became is not told yet")

    def _detail(self, keys: Credentials, path: str, named: Mapping[str, Any]) -> Any:
        found = self._read(f"trade/{path}", named, keys)
        if not found:
            raise self._gone()
        row = field(found, 0) if isinstance(found, list) else found
        _symbol(row)
        return row

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        scope = {"instId": instrument.symbol} if instrument else {}
        self._know(instrument)
        found = [self.read_order(item) for item in self._pages(keys, "orders-pending", scope, "orderId")]
        for item in self._pages(keys, "orders-tpsl-pending", scope, "tpslId"):
            found += self.read_waiting(item).values() if _waits(item) else []
        lasts: dict[str, Decimal] = {}
        for item in self._pages(keys, "orders-algo-pending", scope | {"orderType": "trigger"}, "algoId"):
            if (symbol := _symbol(item)) not in lasts:
                lasts[symbol] = decimal(self._ticker(symbol), "last")
            found += [self.read_trigger(item, lasts[symbol])] if _waits(item) else []
        return found

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """https://docs.blofin.com/index.html#get-futures-account-balance"""
        details = items(self._read("account/balance", {}, keys), "details")
        found = [
            Balance(
                text(each, "currency"), decimal(each, "equity"), max(decimal(each, "available"), Decimal(0))
            )
            for each in details
        ]
        return {balance.asset: balance for balance in found}

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        self._know(instrument)
        rows = items(
            self._read("account/positions", {"instId": instrument.symbol} if instrument else {}, keys)
        )
        held = [row for row in rows if _listed(row) and decimal(row, "positions")]
        return self._saw(keys, [self.read_position(row) for row in held])

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(POSITION_MODES, self._read("account/position-mode", {}, keys), "positionMode")

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode:
        """The setting is the whole account's (https://docs.blofin.com/index.html#get-margin-mode)."""
        if (mode := held_mode(self.positions(keys, instrument), direction)) is not None:
            return mode
        return word(MARGIN_MODES, self._read("account/margin-mode", {}, keys), "marginMode")

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The leverage belongs to a margin mode, and the mode to the order: it alone needs no call. Isolated
        positions in hedge mode have a leverage per side."""
        if leverage is None:
            return
        mode, sides = mode or MarginMode.CROSS, list[dict[str, str]]([{}])
        if mode is MarginMode.ISOLATED and self.position_mode(keys, instrument) is PositionMode.HEDGE:
            sides = [{"positionSide": str(side)} for side in Direction]
        for side in sides:
            params = {"instId": instrument.symbol, "leverage": leverage, "marginMode": str(mode), **side}
            self._set_leverage(keys, params)

    def _set_leverage(self, keys: Credentials, params: Mapping[str, Any]) -> None:
        """Under open orders it is refused, and whether it is so already has to be asked."""
        try:
            told = self.call(self._write("account/set-leverage", params, Priority.ENTRY), keys)
            check_leverage(self.name, decimal(told, "data", "leverage"), params["leverage"])
        except errors.InvalidOrder as refused:
            if refused.code not in UNDER_ORDERS:
                raise
            asked = {name: params[name] for name in ("instId", "marginMode")}
            rows = items(self._read("account/batch-leverage-info", asked, keys))
            side = params.get("positionSide")
            told = [decimal(row, "leverage") for row in rows if side in (None, text(row, "positionSide"))]
            if set(told) != {params["leverage"]}:
                raise

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://docs.blofin.com/index.html#get-api-key-info; it does not tell of transfers and withdrawals."""
        info = self._read("user/query-apikey", {}, keys)
        ends = positive(info, "expireTime")
        return KeyInfo(
            can_trade=word(RIGHTS, info, "readOnly"),
            ip_locked=bool(field(info, "ips")),
            expires=datetime.fromtimestamp(int(ends) // 1000, UTC) if ends else None,
            note=word(KEY_NOTES, info, "type"),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _write(self, path: str, params: Mapping[str, Any], priority: Priority) -> Call:
        return Call("POST", f"/api/v1/{path}", params, costs=_costs("trade/"), priority=priority)

    def _end(self, keys: Credentials, path: str, params: Mapping[str, Any], id_name: str) -> None:
        """Cancel an order; the answer names it."""
        _new_id(self.call(self._write(f"trade/{path}", params, Priority.PROTECT), keys), id_name)

    def _read(self, path: str, params: Mapping[str, Any], keys: Credentials | None = None) -> Any:
        return field(self.ask(f"/api/v1/{path}", params, _costs(path), keys), "data")

    def _pages(self, keys: Credentials, path: str, scope: Mapping[str, str], id_name: str) -> Iterator[Any]:
        """Every entry of a list that goes backwards in time."""
        rows = pages_after(
            lambda place: items(self._read(f"trade/{path}", {**scope, "limit": PAGE, **place}, keys)),
            PAGE,
            lambda last: {"after": text(last, id_name)},
        )
        return (row for row in rows if _listed(row))


def _costs(path: str) -> dict[str, int]:
    return {"requests": 1, "requests_long": 1} | ({"trading": 1} if path.startswith("trade/") else {})


def _tells_of_each(data: Any) -> bool:
    code = data.get("code") if isinstance(data, Mapping) else None
    return str(code) in (ALL_DONE, NONE_DONE, SOME_DONE) and bool(data.get("data"))


def _is_clear(row: Any, *, done: bool) -> bool:
    """`done`: orders of the batch were taken, some of them at least. A taken one may come without a code."""
    refused = str(row.get("code") or ALL_DONE) != ALL_DONE
    numbered = str(row.get("orderId") or "") not in NO_ORDER
    return refused is not numbered and (refused or done)


def _new_id(data: Any, name: str) -> str:
    """Of the order that was taken: plain ones answer a list of one, the others an object."""
    found = field(data, "data")
    if not (exchange_id := text(field(found, 0) if isinstance(found, list) else found, name)):
        raise OutcomeUnknown("the order was taken, and no id is named")
    return exchange_id


def _symbol(item: Any) -> str:
    return text(item, "instId")


def _listed(item: Any) -> bool:
    """Not the contracts margined in coins, which the same lists may tell of."""
    return _symbol(item).partition("-")[2] in SETTLEMENTS


def _ours(entry: Any) -> bool:
    return text(entry, "contractType") == "linear" and _listed(entry)


def _waits(item: Any) -> bool:
    return word(WAITING_STATES, item, "state") is OrderStatus.OPEN


def _leg_of(item: Any) -> str:
    """Which leg of a TP/SL order a plain order came of, "" for none."""
    return next((leg for leg in LEGS if text(item, "orderCategory") == leg), "")


def _parts(ref: OrderRef) -> tuple[str, OrderRef, str]:
    """(order, waiting or TRIGGER; the order without its leg; the leg of a pair)."""
    number, _, leg = ref.exchange_id.partition(":")
    if number == TRIGGER:
        return TRIGGER, replace(ref, exchange_id=leg), ""
    return "waiting" if leg or ref.conditional else "order", replace(ref, exchange_id=number), leg


def _fee(item: Any) -> Fee | None:
    """Positive when paid, in the currency the contract is settled in."""
    paid = decimal_or_none(item, "fee")
    asset = text_or_none(item, "feeCurrency") or _symbol(item).partition("-")[2]
    return Fee(paid, asset) if paid else None
