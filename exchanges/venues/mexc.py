"""MEXC: spot (`MEXC`) and USDT/USDC perpetuals (`MEXC_F`), one host and one key, two APIs.

Facts from https://www.mexc.com/api-docs/ (spot-v3 and futures) as stored copies, MEXC's error tables, the models of
JKorf/Mexc.Net and what ccxt 4.5.90 sends tell them (read 2026-11-22). Quirks:

* Spot signs its query and answers errors with HTTP 4xx; contracts sign key, time and body, and say `success: false`.
* Placing only acknowledges, everywhere. There is no test net.
* Spot has no stop orders of any kind; the time in force is part of the order type; some pairs take no market orders.
* Contracts were closed to ordinary API keys from 2022-07-25 to 2026-03-31 and still are on single markets
  (`apiAllowed`), which are listed as inactive; 1002 and 511 say the same of an order and a key.
* Contracts are counted (BTC_USDT: 0.0001 BTC); callers see base units only.
* An order carries margin mode and leverage. Those nobody named are the account's own for that market: they are
  asked for once a minute at most.
* A stop or target alone is a plan order: no client id, 7 days of life at most, and no query by its number. Its list is
  looked through instead, and an answer that was lost is found there by what was ordered and when.
* Stop and target of a position together are one TP/SL record, which ends as a whole: when one triggers, when it is
  cancelled, and with its position. Its legs are told apart as `<record>:sl` and `<record>:tp`.
* Cancelling a plan order or a TP/SL record is answered with a bare success: the list is asked how it ended.
* A batch of spot orders takes 20 of one symbol; a refused one has a `code` in its row. Two a second, says one line of its
  page, another that it shares its limit with cancelling: it counts for both here. A row without our id is not believed.
* A batch of contract orders is for market makers only: orders go out one by one.
* Older than 10 seconds, a contract request is refused (513); spot has its recvWindow.
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
from exchanges.errors import ExchangeError, InvalidOrder, NotSent, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Costs, Priority, Scope
from exchanges.looks import LooksAgain
from exchanges.memory import Memory, Slot, slot
from exchanges.paging import pages_by_number
from exchanges.pairs import check_pair
from exchanges.read import (
    decimal,
    decimal_or_none,
    decimal_or_null,
    field,
    items,
    nonzero,
    nonzero_where,
    step_of,
    text,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.spot import check_spot, down
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
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
    Venue,
    acknowledged,
    by_client_id,
    exact_json,
    named_rows,
    plain_params,
    unsent,
    urgency,
)

RECV_WINDOW_MS = 5000
#: a spot answer with one of these codes is no error
FINE = ("", "0", "200")
#: a contract request may be stamped this far from the exchange's clock, so an order may seem this much older
CLOCK_APART_MS = 10_000
SETTLEMENTS = ("USDT", "USDC")
#: the body of a call whose body is a list stands under this name of its params
LIST = ""

SPOT_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SPOT_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "IMMEDIATE_OR_CANCEL": OrderType.LIMIT,
    "FILL_OR_KILL": OrderType.LIMIT,
}
SPOT_TIMES = {
    TimeInForce.GTC: "LIMIT",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
    TimeInForce.FOK: "FILL_OR_KILL",
}
SPOT_STATUSES = {
    "NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "PARTIALLY_CANCELED": OrderStatus.CANCELLED,
}
#: (side, whether it closes) and back: 1 open long, 2 close short, 3 open short, 4 close long
SIDE_NUMBERS = {(Side.BUY, False): 1, (Side.BUY, True): 2, (Side.SELL, False): 3, (Side.SELL, True): 4}
SIDES = {str(number): meaning for meaning, number in SIDE_NUMBERS.items()}
POST_ONLY, MARKET = 2, 5
TIMES = {TimeInForce.GTC: 1, TimeInForce.IOC: 3, TimeInForce.FOK: 4}
#: 6 is a market order at the price of the moment it came
IS_MARKET = {"1": False, "2": False, "3": False, "4": False, "5": True, "6": True}
OPEN_TYPES = {"1": MarginMode.ISOLATED, "2": MarginMode.CROSS}
OPEN_TYPE_NUMBERS = {MarginMode.ISOLATED: 1, MarginMode.CROSS: 2}
POSITION_TYPES = {"1": Direction.LONG, "2": Direction.SHORT}
POSITION_MODES = {"1": PositionMode.HEDGE, "2": PositionMode.ONE_WAY}
TRENDS = {TriggerBy.LAST: 1, TriggerBy.MARK: 2, TriggerBy.INDEX: 3}
RISING = {"1": True, "2": False}
STATES = {
    "1": OrderStatus.OPEN,
    "2": OrderStatus.OPEN,
    "3": OrderStatus.FILLED,
    "4": OrderStatus.CANCELLED,
    "5": OrderStatus.REJECTED,
}
#: of plan orders and TP/SL records: 3 (executed) sends the reader on to the order that was placed
PLAN_STATES = {
    "1": OrderStatus.OPEN,
    "2": OrderStatus.CANCELLED,
    "3": OrderStatus.FILLED,
    "4": OrderStatus.EXPIRED,
    "5": OrderStatus.REJECTED,
}
WAITING, EXECUTED = "1", "3"
STOP_LEG, TARGET_LEG = ":sl", ":tp"
#: which leg triggered
TRIGGERED = {"1": TARGET_LEG, "2": STOP_LEG}
SEVEN_DAYS = 2
PAGE, PAGES = 100, 5
#: what was asked of the settings of a market is believed this long
SETTINGS_MS = 60_000
#: the settings named by an order are not those of its market (any more)
OTHER_SETTINGS = frozenset({"2002", "2021", "2027"})

Codes = Mapping[type[ExchangeError], str]
#: https://www.mexc.com/api-docs/spot-v3/public-api-definitions and what ccxt 4.5.90 lists
KEY_ERRORS: Codes = {
    errors.AuthRefused: "401 402 602 10072 700001 700002 700006 700007",
    errors.ClockRefused: "700003 10073",
}
SPOT_ERRORS: Codes = {
    errors.AuthRefused: "400 10001 60005 140002",
    errors.Throttled: "429 510",
    OutcomeUnknown: "500 503 504 20002 730000",
    errors.UnknownSymbol: "10007 30014 30021 -1121 730001",
    OrderNotFound: "-2011 -2013 22222 30026",
    errors.InsufficientFunds: "10101 30004 30005",
    # 30020 and 70011 refuse the key one symbol only
    errors.MarketPaused: "30000 30016 30020 70011",
    InvalidOrder: "30001 30002 30003 30010 30018 30019 30025 30027 30028 30029 30032 30041 30087 88013 -1128 "
    "700004 700005 700008 700013 10095 10096 10097 10098 10102 33333 44444",
}
#: https://www.mexc.com/api-docs/futures/error-code; 603 says that the same request came before: it may stand
FUTURES_ERRORS: Codes = {
    errors.AuthRefused: "403 406 506 511 701 702 703 704 1000",
    errors.ClockRefused: "513",
    errors.Throttled: "429 510 2037",
    OutcomeUnknown: "500 501 503 504 603 9999",
    errors.Maintenance: "604 801",
    errors.UnknownSymbol: "1001",
    errors.MarketPaused: "1002 6001 6002 6005",
    errors.InsufficientFunds: "2005 2018",
    errors.NothingToReduce: "2008 2009 5004",
    OrderNotFound: "2040 2041 5002",
    errors.WouldTrigger: "3004 5003",
    errors.ModeMismatch: "2022",
    InvalidOrder: "600 601 1003 1004 2001 2002 2003 2004 2006 2007 2011 2013 2014 2015 2016 2019 2021 2023 "
    "2024 2025 2026 2027 2028 2029 2030 2031 2032 2033 2034 2035 2036 2038 3001 3002 3003 5001",
}
HINTS = dict.fromkeys(("511", "1002"), "this market, or this key, is closed to API orders")


class _MEXC(Venue):
    exchange = "mexc"
    region = "tokyo"
    key_family = "mexc"
    base_urls = {Environment.LIVE: "https://api.mexc.com"}
    guide = Guide(
        key_steps=(
            "On mexc.com open the profile menu, then API Management.",
            "Tick View Account Details and View Order Details, and Order Placing for spot, futures or both.",
            "Leave Withdraw and Transfer unticked.",
            "Enter the addresses of this service under Link IP Address: a key without addresses ends after 90 days.",
            "Copy the access key and the secret key. The secret is shown once.",
        ),
        quirks=(
            "Spot has no stop orders: an entry with sl or tp is refused there before anything is sent.",
            "Futures orders by API need a verified identity, and single markets are closed to them.",
            "A stop and a target of equal size are one linked order of the position.",
            "Any other stops and targets are trigger orders: MEXC ends them after 7 days, and flipr places them again.",
            "A trigger order to enter has no id of ours: if its answer is lost it may have to be looked for by hand.",
            "Margin mode and leverage that the message does not name are those set at MEXC for that market.",
        ),
    )
    #: permission that lets a key trade this product
    right: ClassVar[str]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.mexc.com/api-docs/spot-v3/general-info and .../futures/integration-guide"""
        signed = keys if call.signed else None
        if call.path.startswith("/api/v3/"):
            return self._sign_spot(call, signed, now_ms)
        return self._sign_contract(call, signed, now_ms)

    def _sign_spot(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        headers = {"Content-Type": "application/json"}
        if keys is None:
            return Request(call.method, call.path, urlencode(plain_params(call.params)), headers=headers)
        stamped = {"timestamp": now_ms, "recvWindow": RECV_WINDOW_MS}
        query = urlencode(
            {**plain_params(call.params), **{k: v for k, v in stamped.items() if k not in call.params}}
        )
        query += f"&signature={hex_hmac(keys.secret, query)}"
        return Request(call.method, call.path, query, headers=headers | {"X-MEXC-APIKEY": keys.key})

    def _sign_contract(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """Parameters of a query are signed in the order of their names, a body as it stands."""
        writes = call.method == "POST"
        query = "" if writes else urlencode(sorted(plain_params(call.params).items()))
        body = exact_json(call.params.get(LIST, call.params)) if writes else ""
        headers = {"Content-Type": "application/json"}
        if keys is not None:
            signed = f"{keys.key}{now_ms}{body or query}"
            headers |= {
                "ApiKey": keys.key,
                "Request-Time": str(now_ms),
                "Signature": hex_hmac(keys.secret, signed),
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    @abstractmethod
    def read_order(self, item: Any) -> Report:
        """One plain order, as it is queried and listed."""

    # -- key -------------------------------------------------------------------------------------------

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://www.mexc.com/api-docs/spot-v3/spot-account-trade/query-api-key-info. A key that is bound to no
        address ends after 90 days; the rest of them is told in days."""
        data = self.ask("/api/v3/apiKeyInfo", {"accessKey": keys.key}, {"address": 1}, keys)
        may = {right.strip() for right in text(data, "permissions").split(",")}
        valid, locked = text(data, "status") == "VALID", bool(data.get("ipWhiteList"))
        days = decimal_or_none(data, "remainingValidity")
        now = datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)
        return KeyInfo(
            can_trade=valid and self.right in may,
            can_withdraw=any("WITHDRAW" in right and not right.endswith("READ") for right in may),
            ip_locked=locked,
            expires=now + timedelta(days=int(days)) if days is not None and not locked else None,
            note="" if valid else f"MEXC calls this key {text(data, 'status').lower()}",
        )


class MEXCSpot(_MEXC):
    name = "MEXC"
    product = Product.SPOT
    features = Features(conditional=False, market_by_quote=True, reduce_only=False, batch=20)
    errors = words(KEY_ERRORS, SPOT_ERRORS)
    #: weights over ten seconds, by address or by user; and orders as announced for 2025-03-25
    buckets = {
        "address": Bucket(500, 10.0),
        "reads": Bucket(500, 10.0, Scope.KEY),
        "orders": Bucket(5, 1.0, Scope.KEY),
        "batches": Bucket(2, 1.0, Scope.KEY, reserve_percent=0),
        "cancels": Bucket(50, 1.0, Scope.KEY),
    }
    throttles = {"403": Scope.ADDRESS}
    looks_per_minute = 150  # of 3,000 a minute and address, a look at orders and balances costs 13
    right = "SPOT_DEAL_WRITE"

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """Good answers have no code, or 200."""
        if not isinstance(answer.data, Mapping):
            return None
        code = str(answer.data.get("code", ""))
        return None if code in FINE else (code, str(answer.data.get("msg") or ""))

    def place_call(self, order: OrderRequest) -> Call:
        kind = self._kind(order)
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            "side": order.side.upper(),
            "type": kind,
        }
        if order.quote_quantity is None:
            params["quantity"] = order.quantity
        else:
            params["quoteOrderQty"] = down(order.quote_quantity, order.instrument.extra["quote_step"])
        if order.price is not None:
            params["price"] = order.price
        params["newClientOrderId"] = order.client_id
        return Call(
            "POST", "/api/v3/order", params, costs={"orders": 1, "address": 0}, priority=Priority.ENTRY
        )

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.mexc.com/api-docs/spot-v3/spot-account-trade/batch-orders"""
        orders = exact_json([plain_params(call.params) for call in calls])
        costs = {"batches": 1, "cancels": 1, "address": 0}
        return Call("POST", "/api/v3/batchOrders", {"batchOrders": orders}, costs=costs)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Rows as single answers have them. One with an order and a code, or with neither, is not known."""
        rows = by_client_id(named_rows(items(data), "newClientOrderId"), orders, "newClientOrderId")
        return [row if _has_order(row) is not _has_error(row) else {} for row in rows]

    def _kind(self, order: OrderRequest) -> str:
        if order.type.conditional:
            raise Unsupported(f"{self.name} has no stop orders")
        check_spot(self.name, order)
        resting = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.GTC
        if order.post_only and not resting:
            raise Unsupported(f"{self.name}: only limit orders that rest can be post-only")
        if order.type is OrderType.LIMIT:
            return "LIMIT_MAKER" if order.post_only else SPOT_TIMES[order.time_in_force]
        if order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: market orders have no time in force")
        if not order.instrument.extra["market_orders"]:
            raise Unsupported(f"{self.name} takes no market orders for {order.instrument.symbol} by API")
        return "MARKET"

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, text(data, "orderId"))

    def read_order(self, item: Any) -> Report:
        """https://www.mexc.com/api-docs/spot-v3/spot-account-trade/query-order"""
        filled, kind = decimal(item, "executedQty"), word(SPOT_TYPES, item, "type")
        side = word(SPOT_SIDES, item, "side")
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=item.get("clientOrderId") or "",
            symbol=text(item, "symbol"),
            side=side,
            type=kind,
            status=word(SPOT_STATUSES, item, "status"),
            quantity=nonzero_where((kind, side) != (OrderType.MARKET, Side.BUY), item, "origQty"),
            filled=filled,
            average_price=decimal(item, "cummulativeQuoteQty") / filled if filled else None,
            price=nonzero(item, "price") if kind is OrderType.LIMIT else None,
        )

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("time", {}, 1), "serverTime"))

    def instruments(self) -> list[Instrument]:
        listed = items(self._public("exchangeInfo", {}, 10), "symbols")
        return [self.read_instrument(entry) for entry in listed]

    def read_instrument(self, entry: Any) -> Instrument:
        """Precisions are numbers of decimals; `baseSizePrecision` is the smallest quantity, and
        `quoteAmountPrecision` the smallest value."""
        quote = common_asset(text(entry, "quoteAsset"))
        price_step, step = (step_of(entry, name) for name in ("quoteAssetPrecision", "baseAssetPrecision"))
        trading = field(entry, "isSpotTradingAllowed")
        return Instrument(
            symbol=text(entry, "symbol"),
            base=common_asset(text(entry, "baseAsset")),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=price_step,
            step=step,
            min_quantity=decimal(entry, "baseSizePrecision"),
            min_notional=decimal(entry, "quoteAmountPrecision"),
            active=text(entry, "status") == "1" and trading is True,
            extra={"quote_step": price_step, "market_orders": "MARKET" in items(entry, "orderTypes")},
        )

    def quote(self, instrument: Instrument) -> Quote:
        data = self._public("ticker/24hr", {"symbol": instrument.symbol}, 1)
        return Quote(*(decimal(data, name) for name in ("bidPrice", "askPrice", "lastPrice")))

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        report = self.read_order(self._read("order", _named(instrument, ref), 2, keys))
        return replace(report, client_id=report.client_id or ref.client_id)

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        self._delete("order", _named(instrument, ref), keys)

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        self._delete("openOrders", {"symbol": instrument.symbol}, keys)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        params = {"symbol": instrument.symbol} if instrument else {}
        return [self.read_order(item) for item in items(self._read("openOrders", params, 3, keys))]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        found = {}
        for item in items(self._read("account", {}, 10, keys), "balances"):
            asset, free = common_asset(text(item, "asset")), decimal(item, "free")
            found[asset] = Balance(asset, free + decimal(item, "locked"), free)
        return found

    def _public(self, path: str, params: Mapping[str, Any], weight: int) -> Any:
        return self.ask(f"/api/v3/{path}", params, {"address": weight})

    def _read(self, path: str, params: Mapping[str, Any], weight: int, keys: Credentials) -> Any:
        return self.ask(f"/api/v3/{path}", params, {"reads": weight, "address": weight}, keys)

    def _delete(self, path: str, params: Mapping[str, Any], keys: Credentials) -> None:
        costs: Costs = {"cancels": 1, "address": 0}
        data = self.call(
            Call("DELETE", f"/api/v3/{path}", params, costs=costs, priority=Priority.PROTECT), keys
        )
        for row in [data] if path == "order" else items(data):
            text(row, "orderId")


class MEXCFutures(CountsContracts, LooksAgain, _MEXC):
    name = "MEXC_F"
    product = Product.LINEAR
    features = Features(conditional_ids=False, linked_legs=True, hedge_mode=True, leverage=True)
    errors, hints = words(KEY_ERRORS, FUTURES_ERRORS), HINTS
    #: requests in two seconds, each address of the API counting for itself; placing as of the reopening in 2026
    buckets = {
        "address": Bucket(20, 2.0),
        "create": Bucket(4, 2.0, Scope.KEY),
        "plan": Bucket(4, 2.0, Scope.KEY),
        "pair": Bucket(5, 2.0, Scope.KEY),
        "cancels": Bucket(20, 2.0, Scope.KEY),
        "reads": Bucket(20, 2.0, Scope.KEY),
    }
    throttles = {"403": Scope.ADDRESS, "510": Scope.KEY}
    looks_per_minute = 480  # below 20 in two seconds, should private requests be counted by address too
    right = "CONTRACT_DEAL_WRITE"

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: numbers of positions as the orders that opened them told, for the first pair of each
        self._opened: Memory[tuple[str, str, Direction], str] = Memory()
        #: margin mode and leverage of both directions of a market, and when they were read
        self._settings: Memory[Slot, tuple[int, dict[Direction, tuple[MarginMode, Decimal]]]] = Memory()

    # -- pure ------------------------------------------------------------------------------------------

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """`success` decides; the one spot answer met here (of the key) has no such word."""
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        if answer.data.get("success") is True:
            return None
        code = str(answer.data.get("code", ""))
        words = str(answer.data.get("message") or answer.data.get("msg") or "")
        if "accessKey" in answer.data and not code:
            return None
        return ("", "the answer tells no success") if code in ("", "0", "200") else (code, words)

    def place_call(self, order: OrderRequest) -> Call:
        """https://www.mexc.com/api-docs/futures/account-and-trading-endpoints: place order, place plan order."""
        if order.type.conditional:
            return self._plan_call(order)
        params = self._common(order) | {"type": _order_type(order), "externalOid": order.client_id}
        return self._write("order/create", params, "create", urgency(order))

    def _plan_call(self, order: OrderRequest) -> Call:
        params = self._common(order) | {
            "orderType": _order_type(order),
            "triggerPrice": order.trigger_price,
            "triggerType": 1 if order.rises else 2,
            "executeCycle": SEVEN_DAYS,
            "trend": TRENDS[order.trigger_by],
        }
        return self._write("planorder/place/v2", params, "plan", urgency(order))

    def _common(self, order: OrderRequest) -> dict[str, Any]:
        """`reduceOnly` exists in one-way mode only; in hedge mode the side says it."""
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            "vol": self._whole_contracts(order),
            "side": SIDE_NUMBERS[order.side, order.closes],
            "openType": OPEN_TYPE_NUMBERS[order.margin_mode or MarginMode.CROSS],
            "positionMode": 1 if order.position_side else 2,
        }
        if order.type in LIMITS:
            params["price"] = order.price
        if order.leverage is not None and not order.closes:
            params["leverage"] = order.leverage
        if order.reduce_only and not order.position_side:
            params["reduceOnly"] = True
        return params

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """A plan order's number stands alone, and knows no client id."""
        told = field(data, "data")
        if order.type.conditional:
            return acknowledged(order, text(data, "data"), client_id="")
        return acknowledged(order, text(told, "orderId") if isinstance(told, Mapping) else text(data, "data"))

    def read_order(self, item: Any) -> Report:
        """https://www.mexc.com/api-docs/futures/account-and-trading-endpoints/get-order-information-by-order-id"""
        size, filled = self._size(text(item, "symbol")), decimal(item, "dealVol")
        (side, closes), market = word(SIDES, item, "side"), word(IS_MARKET, item, "orderType")
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=item.get("externalOid") or "",
            symbol=text(item, "symbol"),
            side=side,
            type=OrderType.MARKET if market else OrderType.LIMIT,
            status=word(STATES, item, "state"),
            quantity=decimal(item, "vol") * size,
            filled=filled * size,
            average_price=nonzero(item, "dealAvgPrice") if filled else None,
            price=None if market else nonzero(item, "price"),
            reduce_only=closes,
            position_side=_position_side(item, side, closes=closes),
            fee=_fee(item) if filled else None,
            reason=_error_of(item),
        )

    def read_plan(self, item: Any) -> Report:
        """https://www.mexc.com/api-docs/futures/account-and-trading-endpoints/get-plan-order-list. What became of an
        executed one is its order's to tell."""
        size, market = self._size(text(item, "symbol")), word(IS_MARKET, item, "orderType")
        side, closes = word(SIDES, item, "side")
        gain = word(RISING, item, "triggerType") is (side is Side.SELL)
        return Report(
            exchange_id=text(item, "id"),
            client_id="",
            symbol=text(item, "symbol"),
            side=side,
            type=OrderType.waiting(stop=not gain, limit=not market),
            status=word(PLAN_STATES, item, "state"),
            quantity=decimal(item, "vol") * size,
            price=None if market else nonzero(item, "price"),
            trigger_price=decimal(item, "triggerPrice"),
            reduce_only=closes,
            position_side=_position_side(item, side, closes=closes),
            reason=_error_of(item),
        )

    def read_pair(self, item: Any) -> list[Report]:
        """The legs of a TP/SL record. Whichever did not trigger was cancelled by the other, or with the position."""
        status, direction = word(PLAN_STATES, item, "state"), word(POSITION_TYPES, item, "positionType")
        fired = TRIGGERED.get(text(item, "triggerSide")) if status.final else None
        size, hedged = self._size(text(item, "symbol")), str(item.get("positionMode")) == "1"
        legs = []
        for mark, kind, price in (
            (STOP_LEG, "stopLoss", "stopLossPrice"),
            (TARGET_LEG, "takeProfit", "takeProfitPrice"),
        ):
            if not (trigger := decimal_or_null(item, price)):
                continue
            limit = str(item.get(f"{kind}Type")) == "1"
            legs.append(
                Report(
                    exchange_id=text(item, "id") + mark,
                    client_id="",
                    symbol=text(item, "symbol"),
                    side=direction.exit_side,
                    type=OrderType.waiting(stop=mark == STOP_LEG, limit=limit),
                    status=status if not status.final or fired == mark else OrderStatus.CANCELLED,
                    quantity=decimal(item, "vol") * size,
                    price=nonzero(item, f"{kind}OrderPrice") if limit else None,
                    trigger_price=trigger,
                    reduce_only=True,
                    position_side=direction if hedged else None,
                    reason=_error_of(item) if fired == mark else "",
                )
            )
        return legs

    def linked(self, report: Report) -> bool:
        """A plan order has no id of ours either, and ends alone."""
        return super().linked(report) and report.exchange_id.endswith((STOP_LEG, TARGET_LEG))

    # -- placing ---------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """Under the settings of the market where the order names none. Settings that were remembered and turn out
        to be others are read again, once: the refusal proves that nothing was placed."""
        self.place_call(order)  # what cannot be said is refused before anything is asked
        ready = self._under_settings(keys, order)
        try:
            return self._place(keys, ready, patience_seconds)
        except InvalidOrder as refused:
            if refused.code not in OTHER_SETTINGS or ready is order:
                raise
            self._settings.pop(slot(keys, order.instrument), None)
            again = self._under_settings(keys, order)
            if again == ready:
                raise
            return self._place(keys, again, patience_seconds)

    def _place(self, keys: Credentials, order: OrderRequest, patience_seconds: float | None) -> Report:
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except OutcomeUnknown as lost:
            if not order.type.conditional:
                raise
            return self._lost_plan(keys, order, since_ms, lost)

    def _lost_plan(
        self, keys: Credentials, order: OrderRequest, since_ms: int, lost: OutcomeUnknown
    ) -> Report:
        """The order as listed. Not listed: what only closes may be sent again, what opens stays unknown."""
        read = False
        for listed in self._listings(lambda: self._plans(keys, order.instrument)):
            read = True
            for item in listed:
                plan = self.read_plan(item)
                if decimal(item, "createTime") >= since_ms and _same_plan(plan, order):
                    return self._followed(keys, order.instrument, plan, item.get("orderId"))
        if read and order.reduce_only:
            raise NotSent(f"{self.name} lists no such order", code=lost.code) from lost
        raise lost

    def _under_settings(self, keys: Credentials, order: OrderRequest) -> OrderRequest:
        """Settings that cannot be read leave the order unsent."""
        if order.margin_mode is not None and (order.leverage is not None or order.reduce_only):
            return order
        direction = order.position_side or _direction(order)
        with unsent("the margin mode is not known"):
            mode, leverage = self._market_settings(keys, order.instrument)[direction]
        if order.margin_mode not in (None, mode):
            return order  # asked for by name: the leverage of the other mode is not this one's
        return replace(order, margin_mode=mode, leverage=order.leverage or leverage)

    def _market_settings(
        self, keys: Credentials, instrument: Instrument
    ) -> Mapping[Direction, tuple[MarginMode, Decimal]]:
        """Margin mode and leverage of both directions
        (https://www.mexc.com/api-docs/futures/account-and-trading-endpoints/get-position-leverage-multipliers)."""
        market, now_ms = slot(keys, instrument), self.clock.now_ms()
        if (known := self._settings.get(market)) and now_ms - known[0] < SETTINGS_MS:
            return known[1]
        rows = items(self._read("position/leverage", {"symbol": instrument.symbol}, keys))
        found = {
            word(POSITION_TYPES, row, "positionType"): (
                word(OPEN_TYPES, row, "openType"),
                decimal(row, "leverage"),
            )
            for row in rows
        }
        if set(found) != set(Direction):
            raise OutcomeUnknown(f"{self.name} tells no leverage for {instrument.symbol}")
        self._settings[market] = now_ms, found
        return found

    # -- linked legs -----------------------------------------------------------------------------------

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """One TP/SL record of the position (https://www.mexc.com/api-docs/futures/account-and-trading-endpoints:
        place TP/SL order by position). It is looked up by its terms, also after an answer that was lost."""
        stop, instrument = legs.stop, legs.stop.instrument
        check_pair(self.name, legs, stops=(OrderType.STOP,), targets=(OrderType.TAKE_PROFIT,))
        trouble = OutcomeUnknown(f"{self.name} took stop and target but lists neither")
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        position = self._opened.pop((*slot(keys, instrument), stop.closed_direction), "")
        try:
            position = self._hang(keys, legs, position)
        except OutcomeUnknown as lost:
            trouble, position = lost, ""
        for standing in self._listings(lambda: self._pairs(keys, instrument)):
            for item in standing:
                if decimal(item, "createTime") >= since_ms and position in ("", text(item, "positionId")):
                    found = self.read_pair(item)
                    if len(found) == 2 and _same_terms(found[0], stop) and _same_terms(found[1], legs.target):
                        return found[0], found[1]
        raise trouble

    def _hang(self, keys: Credentials, legs: Legs, position: str) -> str:
        """Place the record at a position, the one that stands when the one told has gone; its number."""
        if position:
            try:
                self.call(self.protect_call(legs, position), keys)
            except errors.NothingToReduce:
                pass
            else:
                return position
        position = self._position_of(keys, legs.stop)
        self.call(self.protect_call(legs, position), keys)
        return position

    def protect_call(self, legs: Legs, position_id: str) -> Call:
        params = {
            "positionId": int(position_id),
            "vol": self._whole_contracts(legs.stop),
            "stopLossPrice": legs.stop.trigger_price,
            "takeProfitPrice": legs.target.trigger_price,
            "lossTrend": TRENDS[legs.stop.trigger_by],
            "profitTrend": TRENDS[legs.target.trigger_by],
            "profitLossVolType": "SAME",
            "volType": 1,
            "stopLossType": 0,
            "takeProfitType": 0,
            "stopLossReverse": 2,
            "takeProfitReverse": 2,
        }
        return self._write("stoporder/place", params, "pair", Priority.PROTECT)

    def _position_of(self, keys: Credentials, leg: OrderRequest) -> str:
        """The number of the position a leg closes: the record hangs on it. Unreadable leaves the pair unsent."""
        direction = leg.closed_direction
        with unsent("the position is not known"):
            for row in self._position_rows(keys, leg.instrument):
                if word(POSITION_TYPES, row, "positionType") is direction:
                    return _position_number(row)
        raise errors.NothingToReduce(f"{self.name} has no {direction} position of {leg.instrument.symbol}")

    # -- orders ----------------------------------------------------------------------------------------

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._know(instrument)
        if not ref.conditional:
            return self._plain(keys, instrument, ref)
        if ref.exchange_id.endswith((STOP_LEG, TARGET_LEG)):
            return self._leg(keys, instrument, ref.exchange_id)
        if not ref.exchange_id:
            return self._unnumbered(keys, instrument)
        item = self._plan(keys, instrument, ref.exchange_id)
        return self._followed(keys, instrument, self.read_plan(item), item.get("orderId"))

    def _plan(self, keys: Credentials, instrument: Instrument, plan_id: str) -> Any:
        for item in self._plans(keys, instrument):
            if text(item, "id") == plan_id:
                return item
        raise self._gone()

    def _plain(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        named = f"external/{instrument.symbol}/{ref.client_id}"
        data = self._read(f"order/get/{ref.exchange_id}" if ref.exchange_id else f"order/{named}", {}, keys)
        if data is None:
            raise self._gone()
        report = self.read_order(data)
        if report.filled and not report.reduce_only and str(data.get("positionId") or "0") != "0":
            opened = report.position_side or (Direction.LONG if report.side is Side.BUY else Direction.SHORT)
            self._opened[(*slot(keys, instrument), opened)] = _position_number(data)
        return replace(report, client_id=report.client_id or ref.client_id)

    def _unnumbered(self, keys: Credentials, instrument: Instrument) -> Report:
        """A plan order whose answer was lost: it cannot be told from others, only that there is none."""
        if any(text(item, "state") in (WAITING, EXECUTED) for item in self._plans(keys, instrument)):
            raise OutcomeUnknown(f"{self.name} knows trigger orders by its own numbers only: look there")
        raise self._gone()

    def _leg(self, keys: Credentials, instrument: Instrument, leg_id: str) -> Report:
        """Of a record that stands, or of one that ended."""
        for item in self._pair_records(keys, instrument):
            for report in self.read_pair(item):
                if report.exchange_id == leg_id:
                    return self._followed(keys, instrument, report, item.get("placeOrderId"))
        raise self._gone()

    def _followed(self, keys: Credentials, instrument: Instrument, report: Report, order_id: Any) -> Report:
        """What the order did that an executed trigger placed."""
        if report.status is not OrderStatus.FILLED:
            return report
        if not order_id or str(order_id) == "0":
            raise OutcomeUnknown(f"{self.name} does not name the order that {report.exchange_id} placed")
        placed = self._plain(keys, instrument, OrderRef(exchange_id=str(order_id)))
        return report.done_as(placed)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        self._know(instrument)
        path = "order/list/open_orders" + (f"/{instrument.symbol}" if instrument else "")
        plain = [self.read_order(item) for item in self._pages(path, {}, keys)]
        waiting = {"states": WAITING} | _of(instrument)
        plans = [self.read_plan(item) for item in self._pages("planorder/list/orders", waiting, keys)]
        return plain + plans + [leg for item in self._pairs(keys, instrument) for leg in self.read_pair(item)]

    def _plans(self, keys: Credentials, instrument: Instrument) -> Iterator[Any]:
        """Plan orders of a market, open and ended, newest first."""
        self._know(instrument)
        return self._pages("planorder/list/orders", _of(instrument), keys, PAGES)

    def _pairs(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        """TP/SL records that stand."""
        self._know(instrument)
        return items(self._read("stoporder/open_orders", _of(instrument), keys))

    def _pair_records(self, keys: Credentials, instrument: Instrument) -> Iterator[Any]:
        yield from self._pairs(keys, instrument)
        yield from self._pages("stoporder/list/orders", {"is_finished": 1} | _of(instrument), keys, PAGES)

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        if not ref.exchange_id:
            ref = self.fetch(keys, instrument, ref).ref
        if not ref.conditional:
            self._cancel_plain(keys, ref.exchange_id)
        elif ref.exchange_id.endswith((STOP_LEG, TARGET_LEG)):
            self._cancel_pair(keys, instrument, ref)
        else:
            self._cancel_plan(keys, instrument, ref.exchange_id)

    def _cancel_pair(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        which = {"stopPlanOrderId": int(ref.exchange_id.partition(":")[0])}
        self.call(self._write("stoporder/cancel", {LIST: [which]}, "cancels", Priority.PROTECT), keys)
        if self.fetch(keys, instrument, ref).status not in (OrderStatus.CANCELLED, OrderStatus.OPEN):
            raise self._gone()

    def _cancel_plan(self, keys: Credentials, instrument: Instrument, plan_id: str) -> None:
        """One that was executed before is cancelled as the order it became."""
        which = {"symbol": instrument.symbol, "orderId": plan_id}
        self.call(self._write("planorder/cancel", {LIST: [which]}, "cancels", Priority.PROTECT), keys)
        item = self._plan(keys, instrument, plan_id)
        status = self.read_plan(item).status
        if status is OrderStatus.FILLED:
            self._cancel_plain(keys, text(item, "orderId"))
        elif status not in (OrderStatus.CANCELLED, OrderStatus.OPEN):
            raise self._gone()

    def _cancel_plain(self, keys: Credentials, order_id: str) -> None:
        call = self._write("order/cancel", {LIST: [int(order_id)]}, "cancels", Priority.PROTECT)
        data = self.call(call, keys)
        code = text(data, "data", 0, "errorCode")
        if code != "0":
            raise self.refusal(code, str(field(data, "data", 0).get("errorMsg") or ""))

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        for kind in ("order", "planorder", "stoporder"):
            self.call(self._write(f"{kind}/cancel_all", _of(instrument), "cancels", Priority.PROTECT), keys)

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("ping", {}, 1)))

    def instruments(self) -> list[Instrument]:
        """Perpetuals that settle in dollars; the others are margined in coins."""
        listed = items(self._public("detail", {}, 2))
        found = [self.read_instrument(item) for item in listed if text(item, "settleCoin") in SETTLEMENTS]
        self._know(*found)
        return found

    def read_instrument(self, item: Any) -> Instrument:
        """https://www.mexc.com/api-docs/futures/market-endpoints/get-contract-info"""
        most = decimal(item, "maxVol")
        return in_coins(
            Instrument(
                symbol=text(item, "symbol"),
                base=common_asset(text(item, "baseCoin")),
                quote=text(item, "quoteCoin"),
                settle=text(item, "settleCoin"),
                product=self.product,
                tick=decimal(item, "priceUnit"),
                step=decimal(item, "volUnit"),
                min_quantity=decimal(item, "minVol"),
                max_quantity=most,
                max_market_quantity=most,
                contract_size=decimal(item, "contractSize"),
                max_leverage=decimal(item, "maxLeverage"),
                active=text(item, "state") == "0" and item.get("apiAllowed") is not False,
            )
        )

    def quote(self, instrument: Instrument) -> Quote:
        data = self._public("ticker", {"symbol": instrument.symbol}, 1)
        return Quote(*(decimal(data, name) for name in ("bid1", "ask1", "lastPrice", "fairPrice")))

    # -- account ---------------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        found = {}
        for item in items(self._read("account/assets", {}, keys)):
            asset = common_asset(text(item, "currency"))
            found[asset] = Balance(asset, decimal(item, "equity"), decimal(item, "availableBalance"))
        return found

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        self._know(instrument)
        rows = self._position_rows(keys, instrument)
        return [self.read_position(each) for each in rows if decimal(each, "holdVol")]

    def _position_rows(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        rows = items(self._read("position/open_positions", _of(instrument), keys))
        return [row for row in rows if text(row, "symbol").rpartition("_")[2] in SETTLEMENTS]

    def read_position(self, item: Any) -> Position:
        """https://www.mexc.com/api-docs/futures/account-and-trading-endpoints/get-open-positions"""
        return Position(
            symbol=text(item, "symbol"),
            direction=word(POSITION_TYPES, item, "positionType"),
            quantity=decimal(item, "holdVol") * self._size(text(item, "symbol")),
            entry_price=decimal(item, "holdAvgPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=word(OPEN_TYPES, item, "openType"),
            liquidation_price=nonzero(item, "liquidatePrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(POSITION_MODES, {"data": self._read("position/position_mode", {}, keys)}, "data")

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Both directions; an open position is named by its number, and its margin mode cannot change."""
        known = slot(keys, instrument)
        self._settings.pop(known, None)
        current = self._market_settings(keys, instrument)
        changed = {
            direction: (mode or was[0], leverage or was[1])
            for direction, was in current.items()
            if (mode or was[0], leverage or was[1]) != was
        }
        if not changed:
            return
        self._settings.pop(known, None)
        held = {
            word(POSITION_TYPES, row, "positionType"): row for row in self._position_rows(keys, instrument)
        }
        for direction, (new_mode, new_leverage) in changed.items():
            row = held.get(direction)
            if row is not None and new_mode is current[direction][0]:
                which: dict[str, Any] = {"positionId": int(text(row, "positionId"))}
            else:
                which = {
                    "symbol": instrument.symbol,
                    "openType": OPEN_TYPE_NUMBERS[new_mode],
                    "positionType": 1 if direction is Direction.LONG else 2,
                }
            params = which | {"leverage": new_leverage}
            self.call(self._write("position/change_leverage", params, "cancels", Priority.ENTRY), keys)

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, path: str, params: Mapping[str, Any], weight: int) -> Any:
        return field(self.ask(f"/api/v1/contract/{path}", params, {"address": weight}), "data")

    def _read(self, path: str, params: Mapping[str, Any], keys: Credentials) -> Any:
        return field(self.ask(f"/api/v1/private/{path}", params, {"reads": 1, "address": 0}, keys), "data")

    def _pages(
        self, path: str, params: Mapping[str, Any], keys: Credentials, most: int | None = None
    ) -> Iterator[Any]:
        def page(number: int) -> list[Any]:
            asked = {**params, "page_num": number + 1, "page_size": PAGE}
            return items(self._read(path, asked, keys))

        return pages_by_number(page, PAGE, most)

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        costs: Costs = {bucket: 1, "address": 0}
        return Call("POST", f"/api/v1/private/{path}", params, costs=costs, priority=priority)


def _named(instrument: Instrument, ref: OrderRef) -> dict[str, str]:
    return {"symbol": instrument.symbol, **ref.named("orderId", "origClientOrderId")}


def _of(instrument: Instrument | None) -> dict[str, Any]:
    return {"symbol": instrument.symbol} if instrument else {}


def _has_order(row: Any) -> bool:
    return str(row.get("orderId") or "") not in NO_ORDER


def _has_error(row: Any) -> bool:
    return str(row.get("code", "")) not in FINE


def _order_type(order: OrderRequest) -> int:
    limit, waits = order.type in LIMITS, order.time_in_force is TimeInForce.GTC
    if order.post_only and not (limit and waits):
        raise Unsupported("MEXC_F: only limit orders that rest can be post-only")
    if not limit and not waits:
        raise Unsupported("MEXC_F: market orders have no time in force")
    if not limit:
        return MARKET
    return POST_ONLY if order.post_only else TIMES[order.time_in_force]


def _direction(order: OrderRequest) -> Direction:
    """The position an order opens or closes in one-way mode."""
    return Direction.LONG if (order.side is Side.BUY) != order.reduce_only else Direction.SHORT


def _same_terms(report: Report, order: OrderRequest) -> bool:
    return (report.trigger_price, report.quantity) == (order.trigger_price, order.quantity)


def _same_plan(report: Report, order: OrderRequest) -> bool:
    """One that ended without being executed is an older one."""
    alike = (report.side, report.type, report.price, report.position_side) == (
        order.side,
        order.type,
        order.price,
        order.position_side,
    )
    return alike and _same_terms(report, order) and report.status in (OrderStatus.OPEN, OrderStatus.FILLED)


def _position_number(item: Any) -> str:
    return str(int(decimal(item, "positionId")))


def _position_side(item: Any, side: Side, *, closes: bool) -> Direction | None:
    """In hedge mode only; 0 is what records of before the modes have."""
    if str(item.get("positionMode")) != "1":
        return None
    return Direction.LONG if (side is Side.BUY) != closes else Direction.SHORT


def _fee(item: Any) -> Fee | None:
    paid = [decimal_or_none(item, name) for name in ("takerFee", "makerFee")]
    told = [each for each in paid if each is not None]
    return Fee(sum(told, Decimal(0)), common_asset(text(item, "feeCurrency"))) if told else None


def _error_of(item: Any) -> str:
    code = str(item.get("errorCode") or "0")
    return "" if code == "0" else f"MEXC gives the reason {code}"
