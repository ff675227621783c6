"""OKX v5: spot (`OKX`), USDT/USDC perpetuals (`OKX_F`) and those margined in coins (`OKX_C`) of one trading account.

Facts from https://www.okx.com/docs-v5/en/ (pages read 2026-11-22 in stored copies of 2026-06-15). Quirks:

* Placing only acknowledges. Refusals come with HTTP 200: `code` 1 on top, the cause in `data[].sCode`.
* Perpetuals count contracts of `ctVal` * `ctMult` coins; base units are all that callers see. Those margined in coins
  count contracts of so many dollars (100 for BTC, 10 for the others), and callers do too.
* Both kinds of perpetuals are of one `instType`, whose lists tell them apart by the name alone.
* The margin mode stands on every order (`tdMode`): an order that closes must name the mode of its position.
* Stops and take-profits are algo orders (`conditional`; a pair is one `oco`) with ids of their own; a triggered
  one goes on as a plain order that names its `algoId`. They freeze no balance, and crossed ones are refused.
* A batch takes 20 plain orders and no algo orders: a stop and its targets go out one by one, or as one pair.
* Client ids are letters and digits, 32 at most. Ours have 16, so that the two legs of a pair fit into the one id
  the pair has. Cancelled orders without a fill are forgotten after two hours.
* The demo account lives on the live host and is told apart by a header; its keys open nothing else (50101).
  Keys of my.okx.com (EEA) and of the USA belong to eea.okx.com and us.okx.com (50119 elsewhere).
* Fills are told for three months, with the client id; those of the order that an algo order became name that alone.
* Trailing, iceberg and TWAP orders made by hand are not listed among the open orders until they trigger.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.contracts import CountsContracts, in_coins
from exchanges.errors import ModeMismatch, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Priority, Scope
from exchanges.margin import OrdersInMode, check_leverage
from exchanges.paging import pages_after, whole_list
from exchanges.pairs import check_pair, half_id, ids_of_pair, pair_id
from exchanges.read import (
    decimal,
    decimal_or_blank,
    decimal_or_none,
    field,
    in_ms,
    items,
    moment_ms,
    nonzero,
    text,
    word,
    words,
)
from exchanges.signature import base64_hmac
from exchanges.spot import check_spot
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
    Call,
    Features,
    acknowledged,
    by_client_id,
    held_mode,
    json_body,
    plain_params,
    urgency,
)

PAGE = 100
FILLS_MEMORY = timedelta(days=90)
AT_MARKET = "-1"

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
DIRECTIONS = {"long": Direction.LONG, "short": Direction.SHORT, "net": None, "": None}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
TYPES = words(
    {
        OrderType.MARKET: "market optimal_limit_ioc",
        OrderType.LIMIT: "limit post_only fok ioc mmp mmp_and_post_only elp rpi",
    }
)
TIMES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
STATES = {
    "live": OrderStatus.OPEN,
    "partially_filled": OrderStatus.OPEN,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "mmp_canceled": OrderStatus.CANCELLED,
}
#: None: it has triggered, the order it became tells the rest
ALGO_STATES = {
    "live": OrderStatus.OPEN,
    "pause": OrderStatus.OPEN,
    "canceled": OrderStatus.CANCELLED,
    "order_failed": OrderStatus.REJECTED,
    "partially_failed": OrderStatus.REJECTED,
    "effective": None,
    "partially_effective": None,
}
#: the fields of a leg of an algo order: what triggers it, and at what price it then stands
LEGS = {"sl": ("slTriggerPx", "slOrdPx"), "tp": ("tpTriggerPx", "tpOrdPx"), "trigger": ("triggerPx", "ordPx")}
#: kinds of algo orders that are stops and targets
ALGOS = {"conditional": ("sl", "tp"), "oco": ("sl", "tp"), "trigger": ("trigger",)}

#: `code` of an answer whose rows have codes of their own: all were done, none, or some
ALL_DONE, NONE_DONE, SOME_DONE = "0", "1", "2"
#: 51000 stands for many complaints; where the words name one of these parameters, it becomes part of the code
SPOKEN = {"posside": "51000:posSide", "tdmode": "51000:tdMode"}
#: https://www.okx.com/docs-v5/en/#error-code; 50004 and 51149 say themselves that the outcome is not known
ERRORS = words(
    {
        errors.AuthRefused: "50030 50035 50100 50101 50103 50104 50105 50106 50107 50110 50111 50113 50114 50119 "
        "50120 51155",
        errors.ClockRefused: "50102 50112",
        errors.Throttled: "50011 50040 50061",
        errors.Maintenance: "50001",
        OutcomeUnknown: "50004 50013 50026 51149",
        errors.UnknownSymbol: "51001 51014 51015",
        errors.OrderNotFound: "51063 51400 51401 51402 51410 51603",
        errors.InsufficientFunds: "51008 51119 51127 51131 51502 59103 59108 59200",
        errors.NothingToReduce: "51023 51112 51169 51170",
        errors.WouldTrigger: "51277 51278 51279 51280",
        errors.ModeMismatch: "51000:posSide",
        errors.DuplicateOrder: "51016 51065 51068",
        errors.InvalidOrder: "51000 51000:tdMode 51004 51005 51006 51007 51010 51020 51102 51103 51116 51120 51121 "
        "51122 51135 51136 51137 51138 51150 51174 51201 51202 51203 51204 51205 51250 51252 51261 51275 59000 59001 59102",
    }
)
HINTS = {
    "50101": "demo keys open the demo environment only, and live keys the live one",
    "50119": "a key works on the regional site where it was made only: okx.com, my.okx.com or us.okx.com",
    "51010": "the account mode does not allow this: change it in OKX's trading settings",
    "51155": "the rules of your country or your verification at OKX do not let you trade this",
    "59000": "close your positions and cancel your orders first",
    "59001": "close your positions and cancel your orders first",
}


class _OKX(CountsContracts):
    exchange = "okx"
    region = "singapore"
    key_family = "okx"
    key_fields = ("key", "secret", "passphrase")
    guide = Guide(
        key_steps=(
            "On okx.com open the profile menu, API, Create API key, and invent a passphrase: it is the third thing that flipr asks for.",
            "Tick Read and Trade. Leave Withdraw off.",
            "Link the addresses of your flipr: a key that may trade and has none ends after 14 days without use.",
            "For OKX_F and OKX_C set the account mode to one with futures, in the trading settings.",
            "Keys of my.okx.com (EEA) and of OKX in the USA work on those sites only: an administrator gives their address to flipr with EXCHANGE_BASE_URLS.",
        ),
        testnet="Demo trading: switch to it on the site, and make a key there. It opens nothing else.",
        quirks=(
            "Stop and target are one order at OKX, which ends the target when the stop fills and the other way round.",
            "An order names its margin mode, and OKX knows no setting for it: what you do not say goes with the open position, else it is cross. flipr remembers what it saw for ten minutes.",
            "Perpetuals of OKX_C (BTC-USD-SWAP ...) are margined in their coin, which has to lie in the trading account: one contract is 100 USD for BTC and 10 USD for the others.",
            "Trailing, iceberg and TWAP orders made by hand are not seen until they trigger.",
        ),
    )
    #: the demo is told apart by a header: see `sign`
    base_urls = dict.fromkeys((Environment.LIVE, Environment.TESTNET), "https://www.okx.com")
    errors, hints = ERRORS, HINTS
    prices_per_minute = 150
    #: per user and instrument or user; counted here per key, which is never more than allowed
    buckets = {
        "time": Bucket(10, 2.0),
        "instruments": Bucket(20, 2.0),
        "ticker": Bucket(20, 2.0),
        "orders": Bucket(60, 2.0, Scope.KEY),
        "batch_orders": Bucket(300, 2.0, Scope.KEY),
        "cancels": Bucket(60, 2.0, Scope.KEY),
        "algo_orders": Bucket(20, 2.0, Scope.KEY),
        "algo_cancels": Bucket(20, 2.0, Scope.KEY),
        "order_reads": Bucket(60, 2.0, Scope.KEY),
        "pending": Bucket(60, 2.0, Scope.KEY),
        "fills": Bucket(10, 2.0, Scope.KEY),
        "algo_reads": Bucket(20, 2.0, Scope.KEY),
        "algo_pending": Bucket(20, 2.0, Scope.KEY),
        "balance": Bucket(10, 2.0, Scope.KEY),
        "positions": Bucket(10, 2.0, Scope.KEY),
        "config": Bucket(5, 2.0, Scope.KEY),
        "leverage": Bucket(20, 2.0, Scope.KEY),
    }
    kind: ClassVar[str]

    # -- pure ------------------------------------------------------------------------------------------

    @classmethod
    def client_id(cls, token: str) -> str:
        return half_id(token)

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.okx.com/docs-v5/en/#overview-rest-authentication"""
        get = call.method == "GET"
        query = urlencode(plain_params(call.params)) if get else ""
        body = "" if get else json_body(call.params)
        headers = {} if get else {"Content-Type": "application/json"}
        if self.environment is Environment.TESTNET:
            headers["x-simulated-trading"] = "1"
        if call.signed and keys:
            moment = datetime.fromtimestamp(now_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
            stamp = f"{moment}.{now_ms % 1000:03}Z"
            target = f"{call.path}?{query}" if query else call.path
            headers |= {
                "OK-ACCESS-KEY": keys.key,
                "OK-ACCESS-SIGN": base64_hmac(keys.secret, f"{stamp}{call.method}{target}{body}"),
                "OK-ACCESS-TIMESTAMP": stamp,
                "OK-ACCESS-PASSPHRASE": keys.passphrase,
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        code, words, data = answer.data.get("code"), answer.data.get("msg"), answer.data.get("data")
        if code is None:
            return "", "the answer has no code"
        rows = data if isinstance(data, list) else []
        if len(rows) > 1 and str(code) in (ALL_DONE, NONE_DONE, SOME_DONE):
            return None  # of several orders each has its own
        if str(code) == SOME_DONE:
            return "", "some orders were taken, and the answer does not tell which"
        causes = [row for row in rows if isinstance(row, Mapping) and row.get("sCode") not in (None, "0", "")]
        if causes:
            code, words = causes[0]["sCode"], causes[0].get("sMsg")
        elif str(code) == ALL_DONE:
            return None
        code, words = str(code), str(words or "")
        named = [name for said, name in SPOKEN.items() if code == "51000" and said in words.lower()]
        return (named or [code])[0], words

    def place_call(self, order: OrderRequest) -> Call:
        limit = order.type in LIMITS
        if order.post_only and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only plain limit orders can be post-only")
        if order.type.conditional:
            if limit and order.time_in_force is not TimeInForce.GTC:
                raise Unsupported(f"{self.name}: a triggered limit order rests until it is cancelled")
            return self._algo_call("conditional", order, order.client_id, self._trigger_params(order))
        kind = TIMES[order.time_in_force] if limit else "market"
        params = self._params(order, "post_only" if order.post_only else kind)
        params |= {"px": order.price} if limit else {}
        costs = {"orders": 1}
        return self._write("order", params | {"clOrdId": order.client_id}, costs, urgency(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-multiple-orders: its limit is its own and
        counts orders."""
        orders, costs = [plain_params(call.params) for call in calls], {"batch_orders": len(calls)}
        return self._write("batch-orders", {"": orders}, costs, Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Each row as the answer to its order alone: a row without a code leaves it unknown."""
        rows = by_client_id(items(data, "data"), orders, "clOrdId")
        return [{"code": row.get("sCode"), "data": [row]} for row in rows]

    def _params(self, order: OrderRequest, kind: str) -> dict[str, Any]:
        """What plain and conditional orders share."""
        size = order.quote_quantity if order.quantity is None else order.quantity
        return {
            "instId": order.instrument.symbol,
            "side": str(order.side),
            "ordType": kind,
            "sz": None if size is None else size / order.instrument.of_contract,
            **self._product_params(order),
        }

    @abstractmethod
    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """What depends on the product, the trade mode above all. Raises Unsupported."""

    def _algo_call(self, kind: str, order: OrderRequest, name: str, triggers: Mapping[str, Any]) -> Call:
        params = {**self._params(order, kind), **triggers, "algoClOrdId": name}
        return self._write("order-algo", params, {"algo_orders": 1}, urgency(order))

    def _trigger_params(self, order: OrderRequest) -> dict[str, Any]:
        leg = "sl" if order.type in STOPS else "tp"
        trigger, price = LEGS[leg]
        return {
            trigger: order.price if order.trigger_price is None else order.trigger_price,
            price: order.price if order.type in LIMITS else AT_MARKET,
            f"{trigger}Type": str(order.trigger_by),
        }

    def protect_call(self, legs: Legs) -> Call:
        """One `oco` order. A target that is a plain limit order becomes one that triggers at its own price."""
        stop, target = legs.stop, legs.target
        check_pair(self.name, legs)
        triggers = {**self._trigger_params(target), **self._trigger_params(stop)}
        return self._algo_call("oco", stop, pair_id(self.name, legs), triggers)

    # -- readers ---------------------------------------------------------------------------------------

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return self._taken(data, order, conditional=order.type.conditional)

    def _taken(self, data: Any, order: OrderRequest, *, conditional: bool, leg: str = "") -> Report:
        if not (exchange_id := text(data, "data", 0, "algoId" if conditional else "ordId")):
            raise OutcomeUnknown(f"{self.name} took the order and named no id")
        # one that waits for its trigger has no fill to tell
        return acknowledged(order, exchange_id + leg, acknowledged_only=not conditional)

    def read_order(self, item: Any) -> Report:
        """https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-details"""
        report, size = self._read_common(item, "ordId", "clOrdId"), self._size(text(item, "instId"))
        kind, filled = word(TYPES, item, "ordType"), decimal(item, "accFillSz") * size
        return replace(
            report,
            type=kind,
            status=word(STATES, item, "state"),
            filled=filled,
            average_price=nonzero(item, "avgPx") if filled else None,
            price=nonzero(item, "px") if kind in LIMITS else None,
            fee=_fee(item),
            reason=item.get("cancelSourceReason") or "",
        )

    def _read_common(self, item: Any, id_name: str, client_name: str) -> Report:
        side, holds = word(SIDES, item, "side"), word(DIRECTIONS, item, "posSide")
        amount, symbol = decimal_or_blank(item, "sz"), text(item, "instId")
        in_quote = self.product is Product.SPOT and text(item, "tgtCcy") == "quote_ccy"
        return Report(
            exchange_id=text(item, id_name),
            client_id=text(item, client_name),
            symbol=symbol,
            side=side,
            type=OrderType.MARKET,
            status=OrderStatus.OPEN,
            quantity=None if in_quote or amount is None else amount * self._size(symbol),
            reduce_only=item.get("reduceOnly") == "true" or (holds is not None and side is holds.exit_side),
            position_side=holds,
        )

    def read_algo(self, item: Any) -> dict[str, Report]:
        """The legs of an algo order by "sl", "tp" or "trigger": two for a pair, none for kinds we do not know."""
        kind = text(item, "ordType")
        named = [leg for leg in ALGOS.get(kind, ()) if nonzero(item, LEGS[leg][0])]
        if kind in ALGOS and len(named) < (2 if kind == "oco" else 1):
            raise OutcomeUnknown(f"{self.name} lists a conditional order without a trigger price")
        kept = named if kind == "oco" else named[:1]  # of a one-way order with both, only the stop counts
        return {leg: self._read_leg(item, leg, paired=kind == "oco") for leg in kept}

    def _read_leg(self, item: Any, leg: str, *, paired: bool) -> Report:
        report, state = self._read_common(item, "algoId", "algoClOrdId"), word(ALGO_STATES, item, "state")
        if paired:
            name = ids_of_pair(report.client_id)[leg]
            report = replace(report, exchange_id=f"{report.exchange_id}:{leg}", client_id=name)
            if state in (None, OrderStatus.REJECTED) and _fired(item, state) not in ("", leg):
                state = OrderStatus.CANCELLED
        trigger, price = LEGS[leg]
        limit = text(item, price) not in (AT_MARKET, "")
        stop = leg == "sl" or (leg == "trigger" and _waits_as_stop(item, report.side))
        failed = item.get("failCode") if state is OrderStatus.REJECTED else ""
        return replace(
            report,
            type=OrderType.waiting(stop=stop, limit=limit),
            status=state or OrderStatus.OPEN,
            price=nonzero(item, price) if limit else None,
            trigger_price=decimal(item, trigger),
            reason=f"it could not be placed when it triggered ({failed})" if failed else "",
        )

    @abstractmethod
    def read_instrument(self, entry: Any) -> Instrument: ...

    def _known(self, instrument: Instrument | None) -> dict[str, str]:
        """The parameters that ask for one instrument or all, and its size is remembered."""
        if instrument is None:
            return {"instType": self.kind}
        self._know(instrument)
        return {"instType": self.kind, "instId": instrument.symbol}

    def _ours(self, symbol: str) -> bool:
        return True

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._read("public/time", {}, "time"), 0, "ts"))

    def instruments(self) -> list[Instrument]:
        rows = items(self._read("public/instruments", {"instType": self.kind}, "instruments"))
        found = [
            self.read_instrument(row) for row in rows if self._ours(text(row, "instId")) and _complete(row)
        ]
        self._know(*found)
        return found

    def quote(self, instrument: Instrument) -> Quote:
        data = self._read("market/ticker", {"instId": instrument.symbol}, "ticker")
        return Quote(*(decimal(data, 0, name) for name in ("bidPx", "askPx", "last")))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        algo_id, _, leg = ref.exchange_id.partition(":")
        which = {"instId": instrument.symbol}
        if not (ref.conditional or leg):
            self._cancel_order(keys, which | ref.named("ordId", "clOrdId"))
            return
        named = {"algoId": algo_id} if algo_id else {"algoClOrdId": ref.client_id}
        try:
            text(self._post(keys, "cancel-algos", {"": [which | named]}, "algo_cancels"), 0, "algoId")
        except OrderNotFound:  # it may have triggered: then the order it became is meant
            item = self._algo(keys, named)
            if text(item, "state") != "effective" or leg not in ("", item.get("actualSide")):
                raise
            self._cancel_order(keys, which | {"ordId": _child(item)})

    def _cancel_order(self, keys: Credentials, params: Mapping[str, Any]) -> None:
        text(self._post(keys, "cancel-order", params, "cancels"), 0, "ordId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._known(instrument)
        algo_id, _, leg = ref.exchange_id.partition(":")
        if not (ref.conditional or leg):
            return self._order(keys, instrument.symbol, ref.named("ordId", "clOrdId"))
        item = self._algo(keys, {"algoId": algo_id} if algo_id else {"algoClOrdId": ref.client_id})
        legs = self.read_algo(item)
        return self._followed(keys, item, field(legs, leg or next(iter(legs), "")))

    def _order(self, keys: Credentials, symbol: str, named: Mapping[str, str]) -> Report:
        return self.read_order(self._one("trade/order", {"instId": symbol, **named}, "order_reads", keys))

    def _algo(self, keys: Credentials, named: Mapping[str, str]) -> Any:
        return self._one("trade/order-algo", named, "algo_reads", keys)

    def _one(self, path: str, named: Mapping[str, str], bucket: str, keys: Credentials) -> Any:
        for item in items(self._read(path, named, bucket, keys)):
            return item
        raise self._gone()

    def _followed(self, keys: Credentials, item: Any, report: Report) -> Report:
        """A triggered order has become another one, which tells what was filled."""
        if word(ALGO_STATES, item, "state") is not None or report.status is not OrderStatus.OPEN:
            return report
        became = self._order(keys, report.symbol, {"ordId": _child(item)})
        return report.done_as(became)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        scope, found = self._known(instrument), list[Report]()
        for item in self._pages("trade/orders-pending", scope, "pending", keys, "ordId"):
            found += self._open(keys, item)
        for kinds in ("conditional,oco", "trigger"):
            asked = {"ordType": kinds, **scope}
            for item in self._pages("trade/orders-algo-pending", asked, "algo_pending", keys, "algoId"):
                if word(ALGO_STATES, item, "state") is OrderStatus.OPEN:
                    found += self.read_algo(item).values()
        return found

    def fills(self, keys: Credentials, instrument: Instrument, since: datetime) -> list[Fill]:
        """Newest first: https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-transaction-details-last-3-months
        (as ccxt 4.5.90 quotes it, read 2026-11-23)."""
        asked = {**self._known(instrument), "begin": in_ms(since), "limit": PAGE}
        rows = whole_list(
            lambda place: items(self._read("trade/fills-history", {**asked, **place}, "fills", keys)),
            PAGE,
            lambda last: {"after": text(last, "billId")},
        )
        return [self.read_fill(row) for row in rows]

    def read_fill(self, item: Any) -> Fill:
        """`clOrdId` is "" where the order had none."""
        symbol = text(item, "instId")
        return Fill(
            exchange_id=text(item, "ordId"),
            client_id=text(item, "clOrdId"),
            symbol=symbol,
            side=word(SIDES, item, "side"),
            quantity=decimal(item, "fillSz") * self._size(symbol),
            price=decimal(item, "fillPx"),
            at=moment_ms(item, "ts"),
        )

    def _open(self, keys: Credentials, item: Any) -> list[Report]:
        """A plain order; one that came of a trigger keeps the name its trigger had."""
        if not (algo_id := item.get("algoId")):
            return [self.read_order(item)]
        try:
            algo = self._algo(keys, {"algoId": algo_id})
        except OrderNotFound:
            return [self.read_order(item)]
        legs = [self._followed(keys, algo, leg) for leg in self.read_algo(algo).values()]
        return [leg for leg in legs if leg.status is OrderStatus.OPEN] if legs else [self.read_order(item)]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-balance"""
        details = items(self._read("account/balance", {}, "balance", keys), 0, "details")
        found = [self.read_balance(item) for item in details]
        return {balance.asset: balance for balance in found}

    def read_balance(self, item: Any) -> Balance:
        """`availEq` is "" where the account has no margin: then the balance says what is free."""
        equity = None if self.product is Product.SPOT else decimal_or_blank(item, "availEq")
        free = decimal(item, "availBal") if equity is None else equity
        return Balance(text(item, "ccy"), decimal(item, "eq"), max(free, Decimal(0)))

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-account-configuration"""
        config = self._config(keys)
        rights, spot_only = text(config, "perm").split(","), text(config, "acctLv") == "1"
        return KeyInfo(
            can_trade="trade" in rights,
            can_withdraw="withdraw" in rights,
            ip_locked=bool(text(config, "ip")),
            note="the account is in spot mode: choose futures mode at OKX to trade perpetuals"
            if spot_only and self.product is not Product.SPOT
            else "",
        )

    def _config(self, keys: Credentials) -> Any:
        return field(self._read("account/config", {}, "config", keys), 0)

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """The pair is one order at OKX: its legs are told apart by what stands after its id."""
        data = self.call(self.protect_call(legs), keys)
        stop = self._taken(data, legs.stop, conditional=True, leg=":sl")
        return stop, self._taken(data, legs.target, conditional=True, leg=":tp")

    # -- one request -----------------------------------------------------------------------------------

    def _write(
        self, path: str, params: Mapping[str, Any], costs: Mapping[str, int], priority: Priority
    ) -> Call:
        return Call("POST", f"/api/v5/trade/{path}", params, costs=costs, priority=priority)

    def _post(self, keys: Credentials, path: str, params: Mapping[str, Any], bucket: str) -> Any:
        return items(self.call(self._write(path, params, {bucket: 1}, Priority.PROTECT), keys), "data")

    def _read(
        self, path: str, params: Mapping[str, Any], bucket: str, keys: Credentials | None = None
    ) -> Any:
        return field(self.ask(f"/api/v5/{path}", params, {bucket: 1}, keys), "data")

    def _pages(
        self, path: str, scope: Mapping[str, str], bucket: str, keys: Credentials, id_name: str
    ) -> Iterator[Any]:
        """Every entry of a list that goes backwards in time."""
        rows = pages_after(
            lambda place: items(self._read(path, {**scope, "limit": PAGE, **place}, bucket, keys)),
            PAGE,
            lambda last: {"after": text(last, id_name)},
        )
        return (row for row in rows if self._ours(text(row, "instId")))


class OKXSpot(_OKX):
    name = "OKX"
    product = Product.SPOT
    kind = "SPOT"
    features = Features(
        linked_legs=True,
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=7200,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
        batch=20,
    )

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """Accounts in a margin mode want "cross" on their spot stops where others want "cash". "cash" is tried first:
        an account that takes it would take "cross" for a loan."""
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except errors.InvalidOrder as refused:
            if refused.code != "51000:tdMode" or not order.type.conditional:
                raise
            return super().place(keys, replace(order, margin_mode=MarginMode.CROSS))

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        try:
            return super().protect(keys, legs)
        except errors.InvalidOrder as refused:
            if refused.code != "51000:tdMode":
                raise
            return super().protect(keys, replace(legs, stop=replace(legs.stop, margin_mode=MarginMode.CROSS)))

    def _size(self, symbol: str) -> Decimal:
        return Decimal(1)

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        mode = {"tdMode": str(order.margin_mode or "cash")}
        if order.type is OrderType.LIMIT or (order.type.conditional and order.side is Side.SELL):
            return mode
        return mode | {"tgtCcy": "quote_ccy" if order.quantity is None else "base_ccy"}

    def read_instrument(self, entry: Any) -> Instrument:
        """`maxMktSz` counts dollars here."""
        return Instrument(
            symbol=text(entry, "instId"),
            base=text(entry, "baseCcy"),
            quote=text(entry, "quoteCcy"),
            settle=text(entry, "quoteCcy"),
            product=self.product,
            tick=decimal(entry, "tickSz"),
            step=decimal(entry, "lotSz"),
            min_quantity=decimal(entry, "minSz"),
            max_quantity=nonzero(entry, "maxLmtSz"),
            active=text(entry, "state") == "live",
        )


class OKXSwap(OrdersInMode, _OKX):
    name = "OKX_F"
    product = Product.LINEAR
    kind = "SWAP"
    quotes: ClassVar[tuple[str, ...]] = ("USDT", "USDC")
    features = Features(
        linked_legs=True,
        hedge_mode=True,
        leverage=True,
        mode_per_order=True,
        client_id_memory_seconds=7200,
        fills_memory_seconds=FILLS_MEMORY // timedelta(seconds=1),
        batch=20,
    )

    def _ours(self, symbol: str) -> bool:
        """Not those of the other kind."""
        return symbol.split("-")[1:] in ([each, "SWAP"] for each in self.quotes)

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """`reduceOnly` exists in one-way mode only; with a position side, the side of the order says it."""
        if order.quantity is None:
            raise Unsupported(f"{self.name} takes amounts of quote currency on spot only")
        mode = {"tdMode": str(order.margin_mode or MarginMode.CROSS)}
        if order.position_side:
            return mode | {"posSide": str(order.position_side)}
        return mode | ({"reduceOnly": True} if order.reduce_only else {})

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        self.protect_call(legs)
        return super().protect(keys, replace(legs, stop=self._in_its_mode(keys, legs.stop)))

    def read_instrument(self, entry: Any) -> Instrument:
        base, _, quote = text(entry, "uly").partition("-")
        return in_coins(
            Instrument(
                symbol=text(entry, "instId"),
                base=base,
                quote=quote,
                settle=text(entry, "settleCcy"),
                product=self.product,
                tick=decimal(entry, "tickSz"),
                step=decimal(entry, "lotSz"),
                min_quantity=decimal(entry, "minSz"),
                max_quantity=nonzero(entry, "maxLmtSz"),
                max_market_quantity=nonzero(entry, "maxMktSz"),
                contract_size=decimal(entry, "ctVal") * decimal(entry, "ctMult"),
                max_leverage=nonzero(entry, "lever"),
                active=text(entry, "state") == "live",
            )
        )

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        rows = items(self._read("account/positions", self._known(instrument), "positions", keys))
        held = [row for row in rows if self._ours(text(row, "instId")) and decimal(row, "pos")]
        return self._saw(keys, [self.read_position(row) for row in held])

    def read_position(self, item: Any) -> Position:
        """https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-positions"""
        contracts, symbol = decimal(item, "pos"), text(item, "instId")
        net = Direction.LONG if contracts > 0 else Direction.SHORT
        return Position(
            symbol=symbol,
            direction=word(DIRECTIONS, item, "posSide") or net,
            quantity=abs(contracts) * self._size(symbol),
            entry_price=decimal(item, "avgPx"),
            mark_price=nonzero(item, "markPx"),
            leverage=nonzero(item, "lever"),
            margin_mode=word(MARGIN_MODES, item, "mgnMode"),
            unrealised=decimal_or_none(item, "upl"),
            liquidation_price=nonzero(item, "liqPx"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(POSITION_MODES, self._config(keys), "posMode")

    def margin_mode(
        self, keys: Credentials, instrument: Instrument, direction: Direction | None = None
    ) -> MarginMode:
        """OKX has no setting: `tdMode` belongs to the order
        (https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-order)."""
        return held_mode(self.positions(keys, instrument), direction) or MarginMode.CROSS

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The leverage belongs to a margin mode, and the mode to the order: it alone needs no call. Isolated
        positions in hedge mode have a leverage per side."""
        if leverage is None:
            return
        params = {"instId": instrument.symbol, "lever": leverage, "mgnMode": str(mode or MarginMode.CROSS)}
        try:
            self._set_leverage(keys, params)
        except ModeMismatch:
            for side in Direction:
                self._set_leverage(keys, params | {"posSide": str(side)})

    def _set_leverage(self, keys: Credentials, params: Mapping[str, Any]) -> None:
        path = "/api/v5/account/set-leverage"
        call = Call("POST", path, params, costs={"leverage": 1}, priority=Priority.ENTRY)
        check_leverage(self.name, decimal(self.call(call, keys), "data", 0, "lever"), params["lever"])


class OKXInverse(OKXSwap):
    name = "OKX_C"
    product = Product.INVERSE
    quotes = ("USD",)

    def _size(self, symbol: str) -> Decimal:
        """Callers count contracts too."""
        return Decimal(1)


def _waits_as_stop(item: Any, side: Side) -> bool:
    """A trigger order has no direction: the price at its creation tells; unknown is a stop."""
    trigger, last = decimal(item, "triggerPx"), nonzero(item, "last")
    return last is None or (trigger > last) == (side is Side.BUY)


def _fired(item: Any, state: OrderStatus | None) -> str:
    """The leg of a pair that triggered: "" only where none could be placed."""
    side = text(item, "actualSide")
    if side not in (("sl", "tp") if state is None else ("sl", "tp", "")):
        raise OutcomeUnknown("a pair has triggered, and which leg is not told")
    return side


def _child(item: Any) -> str:
    """The order that a triggered one became. `ordId` is announced to go."""
    found = item.get("ordIdList") or [item.get("ordId")]
    if not isinstance(found, list) or not found[0]:
        raise OutcomeUnknown("an order has triggered, and what it became is not told yet")
    return str(found[0])


def _fee(item: Any) -> Fee | None:
    """Negative when paid."""
    paid = decimal_or_none(item, "fee")
    return Fee(-paid, text(item, "feeCcy")) if paid else None


def _complete(row: Any) -> bool:
    """Instruments announced before their listing have empty fields."""
    return all(row.get(name) for name in ("tickSz", "lotSz", "minSz"))
