"""Binance: spot, USD-M futures (`Binance_F`) and COIN-M perpetuals (`Binance_C`).

Facts: developers.binance.com (spot REST, USD-M and COIN-M futures REST), read 2026-11-22 and 23. What is odd here:

* a futures order with a trigger lives in another service (`/fapi/v1/algoOrder`, since 9 December 2025; `/order` refuses
  it with -4120). FINISHED there means filled *or* cancelled: the order it became (`actualOrderId`) tells which;
* client ids are unique among open orders only: an id can be asked for before it is used again, never after;
* cash spot locks the balance once, so stop and target rest as one native OCO list;
* COIN-M was moved onto the system of USD-M (notice on the front page of its documentation, published 2026-06-10, in force
  since 2026-06-30, read 2026-11-23): conditional orders are at `/dapi/v1/algoOrder`, weight and orders of both are
  counted together, and the position mode is one setting for both. It counts contracts (of 100 USD for BTC, of 10 for
  the others), is asked for positions by pair, and tells the coins of a fill in eight decimals, so that `avgPrice` is
  the finer price;
* futures have no request with bid, ask and last price together: `Quote.last` is the middle of the book there;
* a batch of futures orders (five at most) takes no conditional ones;
* `/sapi` (what a key may do) exists on the live spot host only;
* TESTNET is Binance's demo mode: one demo key opens spot and futures, as one live key does.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote as percent_encode
from urllib.parse import urlencode

from exchanges import errors, read
from exchanges.errors import AuthRefused, OrderNotFound, OutcomeUnknown, Refused, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Costs, Kind, Priority, Scope
from exchanges.margin import check_leverage, whole_leverage
from exchanges.signature import hex_hmac
from exchanges.transport import Answer, Request
from exchanges.types import (
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
from exchanges.venue import Call, Features, Venue, plain_word, unless_unchanged, urgency

RECV_WINDOW_MS = 5000
#: a cancel ends a risk, a setting comes before an entry
ASKING = {"GET": Priority.QUERY, "POST": Priority.ENTRY, "DELETE": Priority.PROTECT}

STATUS = {
    "NEW": OrderStatus.OPEN,
    "PENDING_NEW": OrderStatus.OPEN,
    "PARTIALLY_FILLED": OrderStatus.OPEN,
    "PENDING_CANCEL": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}
ALGO_STATUS = {word: STATUS[word] for word in ("NEW", "CANCELED", "REJECTED", "EXPIRED")} | {
    "TRIGGERING": OrderStatus.OPEN,
    "TRIGGERED": OrderStatus.OPEN,
}
SIDE = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDE = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
TIME_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
WORKING_TYPE = {TriggerBy.LAST: "CONTRACT_PRICE", TriggerBy.MARK: "MARK_PRICE"}
MARGIN_TYPE = {MarginMode.CROSS: "CROSSED", MarginMode.ISOLATED: "ISOLATED"}
MARGIN_READ = {word: mode for mode, word in MARGIN_TYPE.items()} | {str(mode): mode for mode in MarginMode}

SPOT_TYPE = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_LOSS",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
}
FUTURES_TYPE = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP: "STOP_MARKET",
    OrderType.STOP_LIMIT: "STOP",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
}

#: one code, several meanings: the text tells (code, how the message begins or what it holds, our suffix)
TEXTS = (
    ("-2010", "insufficient balance", "balance"),
    ("-2010", "Duplicate order", "duplicate"),
    ("-2010", "immediately match and take", "post_only"),
    ("-2010", "trigger immediately", "would_trigger"),
    ("-2011", "Unknown order", "unknown"),
)
ERRORS = read.words(
    {
        errors.OutcomeUnknown: "-1000 -1001 -1006 -1007",
        errors.AuthRefused: "-1002 -1022 -2014 -2015",
        errors.ClockRefused: "-1021",
        errors.Throttled: "-1003 -1008 -1015",
        errors.Maintenance: "-1016",
        errors.UnknownSymbol: "-1121",
        errors.InsufficientFunds: "-2010:balance -2018 -2019",
        errors.DuplicateOrder: "-2010:duplicate -4116",
        errors.OrderNotFound: "-2011:unknown -2013",
        errors.WouldTrigger: "-2010:would_trigger -2021",
        errors.PostOnlyRefused: "-2010:post_only -5022",
        errors.NothingToReduce: "-2022 -4118",
        errors.ModeMismatch: "-4061",
        errors.NotModified: "-4046 -4059",
        # filters, parameters, bounds, leverage, wrong endpoint, minimum value, fill-or-kill not filled
        errors.InvalidOrder: "-1013 -1102 -1106 -1111 -1116 -1130 -2010 -2027 -2028 -4003 -4004 -4005 -4014 -4015 -4028 "
        "-4067 -4068 -4111 -4120 -4130 -4131 -4164 -4400 -5021",
    }
)
HINTS = {"-4400": "Binance lets this account only reduce its positions for now"}
#: the margin type could not be changed: "open orders", "a position", and -4067 which also comes without either
MARGIN_TYPE_KEPT = ("-4047", "-4048", "-4067")


class BinanceVenue(Venue):
    """What spot and futures have in common: signing, errors, the shape of an order, fees."""

    exchange = "binance"
    region = "tokyo"
    key_family = "binance"
    guide = Guide(
        key_steps=(
            "Open the futures account first if you want Binance_F or Binance_C: a key made before it cannot trade futures.",
            "On binance.com open Account, API Management, Create API, and choose the system-generated kind (HMAC).",
            "Choose Edit restrictions. Leave Enable Reading on, tick Enable Spot & Margin Trading for Binance and Enable Futures for Binance_F and Binance_C.",
            "Leave Enable Withdrawals off.",
            "Restrict access to trusted IPs and enter the addresses of your flipr: without them the right to trade ends after a while.",
        ),
        testnet="Binance's demo mode, with keys made at demo.binance.com. One demo key opens spot and futures of both kinds.",
        quirks=(
            "On spot an order locks the balance, so stop and target are placed as one OCO list; with several targets the stop rests and flipr watches the targets.",
            "Futures stops and targets are conditional orders of a service of their own and do not cancel each other: flipr does.",
            "Perpetuals of Binance_C (BTCUSD_PERP ...) are margined in their coin, which has to lie in the COIN-M wallet: one contract is 100 USD for BTC and 10 USD for the others. Dated ones are not traded.",
            "The demo does not tell what a key may do.",
        ),
    )
    errors, hints = ERRORS, HINTS
    #: "from 2 minutes to 3 days", told by Retry-After
    #: (https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits, read 2026-11-23)
    longest_ban_seconds = 259_200.0
    cool_downs = {"-1008": 0.5}  # overload of the whole exchange, not our share of it
    #: weight is counted by address, orders by account; -1008 speaks of neither
    throttles = {
        **dict.fromkeys(("-1003", "403", "418", "429"), Scope.ADDRESS),
        "-1015": Scope.KEY,
    }

    types: ClassVar[Mapping[OrderType, str]]
    root: ClassVar[str]
    #: header -> bucket
    used: ClassVar[Mapping[str, str]]
    order_costs: ClassVar[Costs]
    weight: ClassVar[str]
    time_path: ClassVar[str]
    trades_path: ClassVar[str]
    trades_weight: ClassVar[int]
    may_trade: ClassVar[str]
    restrictions_host: ClassVar[str] = ""

    # -- pure --------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        params, headers = dict(call.params), {}
        if call.signed:
            if keys is None:
                raise AuthRefused(f"{self.name}: this call needs a key")
            params |= {"recvWindow": RECV_WINDOW_MS, "timestamp": now_ms}
            headers["X-MBX-APIKEY"] = keys.key
        text = encode(params)
        if call.signed and keys:
            text += f"&signature={hex_hmac(keys.secret, text)}"
        if call.method in ("GET", "DELETE"):
            return Request(call.method, call.path, query=text, headers=headers)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return Request(call.method, call.path, body=text.encode(), headers=headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        data = answer.data
        if not isinstance(data, Mapping) or "code" not in data:
            return None
        code, words = str(data["code"]), str(data.get("msg", ""))
        if answer.status < 400 and not code.startswith("-"):
            return None  # settings and cancels say {"code": 200, "msg": "success"}
        for listed, piece, suffix in TEXTS:
            if code == listed and piece in words:
                return f"{code}:{suffix}", words
        return code, words

    def usage(self, answer: Answer) -> Mapping[str, int]:
        found = ((bucket, answer.headers.get(header, "")) for header, bucket in self.used.items())
        return {bucket: int(count) for bucket, count in found if count.isdigit()}

    def _order_params(self, order: OrderRequest) -> dict[str, Any]:
        """What every order says, whichever endpoint takes it."""
        if order.type is OrderType.MARKET and (order.post_only or order.time_in_force is TimeInForce.FOK):
            raise Unsupported(f"{self.name}: a market order can be neither post-only nor fill-or-kill")
        if order.post_only and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: a post-only order cannot be {order.time_in_force.upper()}")
        return {
            "symbol": order.instrument.symbol,
            "side": order.side.upper(),
            "type": self.types[order.type],
            "quantity": order.quantity,
            "price": order.price,
        }

    def _placing(self, path: str, params: Mapping[str, Any], order: OrderRequest) -> Call:
        return Call(
            "POST",
            self.root + path,
            {name: value for name, value in params.items() if value is not None},
            costs=self.order_costs,
            priority=urgency(order),
        )

    # -- calls -------------------------------------------------------------------------------------------

    def _ask(
        self, method: str, path: str, params: Mapping[str, Any], weight: int, keys: Credentials | None = None
    ) -> Any:
        """Anything but placing; signed when there are keys."""
        call = Call(
            method,
            self.root + path,
            params,
            signed=keys is not None,
            costs={self.weight: weight},
            priority=ASKING[method],
            read_only=method == "GET",
        )
        return self.call(call, keys)

    def server_time_ms(self) -> int:
        return int(read.decimal(self._ask("GET", self.time_path, {}, 1), "serverTime"))

    def _with_fee(self, keys: Credentials, instrument: Instrument, order_id: str, report: Report) -> Report:
        """The fee of what is filled so far, from the order's trades; None while they do not add up to it."""
        if not report.filled:
            return report
        params = {"symbol": instrument.symbol, "orderId": order_id}
        trades = read.items(self._ask("GET", self.trades_path, params, self.trades_weight, keys))
        if sum((read.decimal(trade, "qty") for trade in trades), Decimal(0)) != report.filled:
            return report
        return replace(report, fee=paid(trades, instrument))

    def key_info(self, keys: Credentials) -> KeyInfo:
        if self.environment is Environment.TESTNET:
            self.balances(keys)
            return KeyInfo(note="Binance's test net does not tell what a key may do")
        path, host = "/sapi/v1/account/apiRestrictions", self.restrictions_host
        data = self.ask(path, {}, {"sapi": 1}, keys, host=host)
        expires = read.decimal_or_none(data, "tradingAuthorityExpirationTime")
        return KeyInfo(
            can_trade=read.flag(data, self.may_trade),
            can_withdraw=read.flag(data, "enableWithdrawals"),
            ip_locked=read.flag(data, "ipRestrict"),
            expires=datetime.fromtimestamp(int(expires) // 1000, UTC) if expires else None,
        )


class BinanceSpot(BinanceVenue):
    name = "Binance"
    looks_per_minute = 200
    cheaper_one_by_one = 10  # 6 points a symbol, 80 for all
    product = Product.SPOT
    base_urls = {
        Environment.LIVE: "https://api.binance.com",
        Environment.TESTNET: "https://demo-api.binance.com",
    }
    features = Features(
        linked_legs=True,
        rests_both_legs=False,
        fill_in_answer=True,
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=90 * 86_400,
    )
    #: one name per real bucket: the limits of spot and futures are counted apart, those of both futures together. 200,000 orders a day are not metered here
    buckets = {
        "spot_weight": Bucket(6000, 60, kind=Kind.FIXED),
        "spot_orders": Bucket(100, 10, Scope.KEY, kind=Kind.FIXED),
        "sapi": Bucket(12_000, 60, kind=Kind.FIXED),
    }
    used = {"x-mbx-used-weight-1m": "spot_weight", "x-mbx-order-count-10s": "spot_orders"}
    types = SPOT_TYPE
    root = "/api/v3"
    weight = "spot_weight"
    order_costs = {"spot_weight": 1, "spot_orders": 1}
    time_path, trades_path, trades_weight = "/time", "/myTrades", 5
    may_trade = "enableSpotAndMarginTrading"

    def place_call(self, order: OrderRequest) -> Call:
        if order.reduce_only or order.position_side:
            raise Unsupported(f"{self.name} is spot: it has no positions to reduce")
        if order.quote_quantity is not None and order.type is not OrderType.MARKET:
            raise Unsupported(f"{self.name} takes an amount of quote currency for market orders only")
        return self._placing("/order", self._spot_params(order), order)

    def _spot_params(self, order: OrderRequest) -> dict[str, Any]:
        params = self._order_params(order) | {"quoteOrderQty": order.quote_quantity}
        if order.post_only:
            if order.type is not OrderType.LIMIT:
                raise Unsupported(f"{self.name}: only limit orders can be post-only")
            params["type"] = "LIMIT_MAKER"
        elif order.price is not None:
            params["timeInForce"] = TIME_IN_FORCE[order.time_in_force]
        params |= {"stopPrice": self._trigger(order), "newClientOrderId": order.client_id}
        return params | {"newOrderRespType": "FULL"}

    def _trigger(self, order: OrderRequest) -> Decimal | None:
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: triggers watch the last price only")
        return order.trigger_price

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return self._report(data, order.instrument)

    def _report(self, data: Any, instrument: Instrument | None = None) -> Report:
        filled, kind = read.decimal(data, "executedQty"), read.word(SPOT_READ, data, "type")
        fills = data.get("fills") or []
        return Report(
            exchange_id=read.text(data, "orderId"),
            client_id=read.text(data, "clientOrderId"),
            **named_and_priced(data),
            type=kind,
            status=read.word(STATUS, data, "status"),
            quantity=read.decimal(data, "origQty"),
            filled=filled,
            average_price=average(read.decimal(data, "cummulativeQuoteQty"), filled),
            trigger_price=read.nonzero_where(kind.conditional, data, "stopPrice"),
            fee=paid(fills, instrument) if fills and instrument else None,
        )

    def instruments(self) -> list[Instrument]:
        answer = self._ask("GET", "/exchangeInfo", {"permissions": "SPOT"}, 20)
        return [read_instrument(each, Product.SPOT) for each in read.items(answer, "symbols")]

    def quote(self, instrument: Instrument) -> Quote:
        params = {"symbol": instrument.symbol}
        data = self._ask("GET", "/ticker/24hr", params, 2)
        bid, ask, last = (read.decimal(data, name) for name in ("bidPrice", "askPrice", "lastPrice"))
        return Quote(bid, ask, last)

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """One of a list takes the list along, and is answered with it (trading-endpoints, Cancel order)."""
        answer = self._ask("DELETE", "/order", named(instrument, ref), 1, keys)
        alone = read.text_or_none(answer, "orderListId") in (None, "-1")
        read.text(answer, "orderId" if alone else "orderListId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        data = self._ask("GET", "/order", named(instrument, ref), 4, keys)
        report = self._report(data)
        return self._with_fee(keys, instrument, report.exchange_id, report)

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        params, weight = ({"symbol": instrument.symbol}, 6) if instrument else ({}, 80)
        answer = self._ask("GET", "/openOrders", params, weight, keys)
        return [self._report(each) for each in read.items(answer)]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        answer = self._ask("GET", "/account", {"omitZeroBalances": True}, 20, keys)
        found = {}
        for each in read.items(answer, "balances"):
            asset, free = read.text(each, "asset"), read.decimal(each, "free")
            found[asset] = Balance(asset, free + read.decimal(each, "locked"), free)
        return found

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """A native OCO list. A target that is a limit order rests as LIMIT_MAKER (the list takes no LIMIT)."""
        stop, target = legs.stop, legs.target
        if (stop.side, stop.quantity) != (target.side, target.quantity):
            raise Unsupported(f"{self.name}: linked orders have one side and one quantity")
        sells = stop.side is Side.SELL
        params = {
            "symbol": stop.instrument.symbol,
            "side": stop.side.upper(),
            "quantity": stop.quantity,
            **self._leg(target, "above" if sells else "below"),
            **self._leg(stop, "below" if sells else "above"),
            "newOrderRespType": "FULL",
        }
        call = replace(
            self._placing("/orderList/oco", params, stop), costs={"spot_weight": 1, "spot_orders": 2}
        )
        placed = map(self._report, read.items(self.call(call, keys), "orderReports"))
        reports = {report.client_id: report for report in placed}
        return read.field(reports, stop.client_id), read.field(reports, target.client_id)

    def _leg(self, order: OrderRequest, place: str) -> dict[str, Any]:
        resting = order.type is OrderType.LIMIT
        params = {
            f"{place}Type": "LIMIT_MAKER" if resting else self.types[order.type],
            f"{place}ClientOrderId": order.client_id,
            f"{place}Price": order.price,
            f"{place}StopPrice": self._trigger(order),
        }
        if order.price is not None and not resting:
            params[f"{place}TimeInForce"] = TIME_IN_FORCE[order.time_in_force]
        return params


class _Futures(BinanceVenue):
    """What both kinds of futures have in common: all but the words of their accounts."""

    hosts = {"binance": {Environment.LIVE: "https://api.binance.com"}}
    restrictions_host = "binance"
    #: both kinds take their points, 2,400 a minute and address, from one account: 7 to 90 a look, 2 a price
    looks_per_minute = 80
    prices_per_minute = 200
    cheaper_one_by_one = 20  # 2 points a symbol, 80 for all
    features = Features(
        fill_in_answer=True, hedge_mode=True, leverage=True, client_id_memory_seconds=3 * 86_400, batch=5
    )
    types = FUTURES_TYPE
    time_path, trades_path = "/v1/time", "/v1/userTrades"
    may_trade = "enableFutures"
    buckets = {
        "futures_weight": Bucket(2400, 60, kind=Kind.FIXED),
        "futures_orders": Bucket(300, 10, Scope.KEY, kind=Kind.FIXED),
        "futures_orders_minute": Bucket(1200, 60, Scope.KEY, kind=Kind.FIXED),
        "sapi": Bucket(12_000, 60, kind=Kind.FIXED),
    }
    used = {
        "x-mbx-used-weight-1m": "futures_weight",
        "x-mbx-order-count-10s": "futures_orders",
        "x-mbx-order-count-1m": "futures_orders_minute",
    }
    weight = "futures_weight"
    #: placing costs orders, no weight; a banned address must not place either
    order_costs = {"futures_weight": 0, "futures_orders": 1, "futures_orders_minute": 1}
    #: of a batch, however many it has (trade/rest-api/Place-Multiple-Orders)
    batch_costs: ClassVar[Costs] = {"futures_weight": 5, "futures_orders": 5, "futures_orders_minute": 1}
    account_path: ClassVar[str]

    @abstractmethod
    def _average(self, data: Any, filled: Decimal) -> Decimal | None: ...

    @abstractmethod
    def _margin_mode(self, keys: Credentials, instrument: Instrument) -> MarginMode:
        """As the account has it set."""

    # -- orders ------------------------------------------------------------------------------------------

    def place_call(self, order: OrderRequest) -> Call:
        if order.quote_quantity is not None:
            raise Unsupported(f"{self.name} takes no amounts of quote currency")
        params = self._order_params(order)
        if order.position_side:
            params["positionSide"] = order.position_side.upper()
        elif order.reduce_only:
            params["reduceOnly"] = True  # refused in hedge mode, where the position side says it
        if order.type.conditional:
            return self._placing("/v1/algoOrder", params | self._algo_params(order), order)
        if order.type is OrderType.LIMIT:
            params["timeInForce"] = "GTX" if order.post_only else TIME_IN_FORCE[order.time_in_force]
        params |= {"newClientOrderId": order.client_id, "newOrderRespType": "RESULT"}
        return self._placing("/v1/order", params, order)

    def _algo_params(self, order: OrderRequest) -> dict[str, Any]:
        if order.trigger_by not in WORKING_TYPE:
            raise Unsupported(f"{self.name}: triggers watch the last or the mark price")
        if order.post_only and order.price is None:
            raise Unsupported(f"{self.name}: an order at market cannot be post-only")
        force = "GTX" if order.post_only else TIME_IN_FORCE[order.time_in_force]
        return {
            "algoType": "CONDITIONAL",
            "timeInForce": force if order.price is not None else None,
            "triggerPrice": order.trigger_price,
            "workingType": WORKING_TYPE[order.trigger_by],
            "clientAlgoId": order.client_id,
            "newOrderRespType": "RESULT",
        }

    def batch_call(self, calls: Sequence[Call]) -> Call:
        orders = [{name: plain_word(value) for name, value in call.params.items()} for call in calls]
        text = json.dumps(orders, separators=(",", ":"))
        return Call("POST", f"{self.root}/v1/batchOrders", {"batchOrders": text}, costs=self.batch_costs)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """In the order of the orders: each the order, or a code and its words."""
        return read.items(data)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return self._algo_report(data) if order.type.conditional else self._report(data)

    def _report(self, data: Any) -> Report:
        filled = read.decimal(data, "executedQty")
        return Report(
            exchange_id=read.text(data, "orderId"),
            client_id=read.text(data, "clientOrderId"),
            **named_and_priced(data),
            **reducing(data),
            type=read.word(FUTURES_READ, data, "type"),
            status=read.word(STATUS, data, "status"),
            quantity=read.decimal(data, "origQty"),
            filled=filled,
            average_price=self._average(data, filled),
        )

    def _algo_report(self, data: Any) -> Report:
        """A conditional order that has not become a real one."""
        return Report(
            exchange_id=read.text(data, "algoId"),
            client_id=read.text(data, "clientAlgoId"),
            **named_and_priced(data),
            **reducing(data),
            type=read.word(FUTURES_READ, data, "orderType"),
            status=read.word(ALGO_STATUS, data, "algoStatus"),
            quantity=read.decimal(data, "quantity"),
            trigger_price=read.decimal(data, "triggerPrice"),
        )

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A conditional order that triggered is cancelled as the order it became."""
        if not ref.conditional:
            return self._cancel_plain(keys, instrument, ref)
        try:
            read.text(self._ask("DELETE", "/v1/algoOrder", named_algo(ref), 1, keys), "algoId")
        except OrderNotFound:
            became = became_order(self._ask("GET", "/v1/algoOrder", named_algo(ref), 1, keys))
            if not became:
                raise
            self._cancel_plain(keys, instrument, OrderRef(exchange_id=became))
        return None

    def _cancel_plain(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        read.text(self._ask("DELETE", "/v1/order", named(instrument, ref), 1, keys), "orderId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        if not ref.conditional:
            report = self._order(keys, instrument, ref)
            return self._with_fee(keys, instrument, report.exchange_id, report)
        data = self._ask("GET", "/v1/algoOrder", named_algo(ref), 1, keys)
        if not (became := became_order(data)):
            return self._algo_report(data)
        real = self._order(keys, instrument, OrderRef(exchange_id=became))
        return self._with_fee(keys, instrument, became, self._followed(data, real))

    def _order(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        return self._report(self._ask("GET", "/v1/order", named(instrument, ref), 1, keys))

    def _followed(self, algo: Any, real: Report) -> Report:
        """The conditional order under its own name with the fate of the order it became."""
        return replace(
            real,
            exchange_id=read.text(algo, "algoId"),
            client_id=read.text(algo, "clientAlgoId"),
            type=read.word(FUTURES_READ, algo, "orderType"),
            trigger_price=read.decimal(algo, "triggerPrice"),
        )

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """Both services, one request each; a conditional order that triggered is told once, as itself."""
        params, weight = ({"symbol": instrument.symbol}, 1) if instrument else ({}, 40)
        plain = read.items(self._ask("GET", "/v1/openOrders", params, weight, keys))
        algos = read.items(self._ask("GET", "/v1/openAlgoOrders", params, weight, keys))
        real = {report.exchange_id: report for report in map(self._report, plain)}
        found = []
        for algo in algos:
            order = real.pop(became_order(algo), None)
            found.append(self._followed(algo, order) if order else self._algo_report(algo))
        return [*real.values(), *found]

    # -- market and account ------------------------------------------------------------------------------

    def instruments(self) -> list[Instrument]:
        answer = self._ask("GET", "/v1/exchangeInfo", {}, 1)
        return [
            read_instrument(each, self.product)
            for each in read.items(answer, "symbols")
            if read.text(each, "contractType") in ("PERPETUAL", "TRADIFI_PERPETUAL")
        ]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        answer = self._ask("GET", self.account_path, {}, 5, keys)
        found = {}
        for each in read.items(answer, "assets"):
            asset, total = read.text(each, "asset"), read.decimal(each, "marginBalance")
            found[asset] = Balance(asset, total, read.decimal(each, "availableBalance"))
        return found

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        whole = None if leverage is None else whole_leverage(self.name, leverage)
        if mode is not None:
            self._set_margin_mode(keys, instrument, mode)
        if whole is not None:
            params = {"symbol": instrument.symbol, "leverage": whole}
            unless_unchanged(
                lambda: check_leverage(
                    self.name,
                    read.decimal(self._ask("POST", "/v1/leverage", params, 1, keys), "leverage"),
                    Decimal(whole),
                )
            )

    def _set_margin_mode(self, keys: Credentials, instrument: Instrument, wanted: MarginMode) -> None:
        params = {"symbol": instrument.symbol, "marginType": MARGIN_TYPE[wanted]}
        try:
            unless_unchanged(
                lambda: read.word({"200": True}, self._ask("POST", "/v1/marginType", params, 1, keys), "code")
            )
        except Refused as error:
            if error.code not in MARGIN_TYPE_KEPT or self._margin_mode(keys, instrument) is not wanted:
                raise


class BinanceFutures(_Futures):
    name = "Binance_F"
    product = Product.LINEAR
    base_urls = {
        Environment.LIVE: "https://fapi.binance.com",
        Environment.TESTNET: "https://demo-fapi.binance.com",
    }
    root = "/fapi"
    trades_weight = 5
    account_path = "/v3/account"

    def _average(self, data: Any, filled: Decimal) -> Decimal | None:
        return average(read.decimal(data, "cumQuote"), filled)

    def quote(self, instrument: Instrument) -> Quote:
        params = {"symbol": instrument.symbol}
        data = self._ask("GET", "/v1/ticker/bookTicker", params, 2)
        return best_prices(data)

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        params = {"symbol": instrument.symbol} if instrument else {}
        answer = self._ask("GET", "/v3/positionRisk", params, 5, keys)
        return [found for each in read.items(answer) if (found := position(each))]

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        """`positionSide/dual` says the same for 30 points."""
        answer = self._ask("GET", "/v1/accountConfig", {}, 5, keys)
        return PositionMode.HEDGE if read.flag(answer, "dualSidePosition") else PositionMode.ONE_WAY

    def _margin_mode(self, keys: Credentials, instrument: Instrument) -> MarginMode:
        answer = self._ask("GET", "/v1/symbolConfig", {"symbol": instrument.symbol}, 5, keys)
        return read.word(MARGIN_READ, answer, 0, "marginType")


class BinanceInverse(_Futures):
    """Perpetuals margined in their coin; dated contracts are not traded."""

    name = "Binance_C"
    product = Product.INVERSE
    base_urls = {
        Environment.LIVE: "https://dapi.binance.com",
        Environment.TESTNET: "https://demo-dapi.binance.com",
    }
    root = "/dapi"
    trades_weight = 20
    account_path = "/v1/account"

    def _average(self, data: Any, filled: Decimal) -> Decimal | None:
        """0 while nothing is filled."""
        return (read.decimal(data, "avgPrice") or None) if filled else None

    def quote(self, instrument: Instrument) -> Quote:
        params = {"symbol": instrument.symbol}
        return best_prices(read.field(self._ask("GET", "/v1/ticker/bookTicker", params, 2), 0))

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        """A pair has dated contracts too."""
        return [
            held(each, read.decimal(each, "leverage"), read.word(MARGIN_READ, each, "marginType"))
            for each in self._risks(keys, instrument)
            if read.decimal(each, "positionAmt")
            and (instrument is None or read.text(each, "symbol") == instrument.symbol)
        ]

    def _risks(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        """coin-margined-futures/trade/rest-api/Position-Information: of every contract, held or not."""
        params = {"pair": f"{instrument.base}{instrument.quote}"} if instrument else {}
        return read.items(self._ask("GET", "/v1/positionRisk", params, 1, keys))

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        """Only in hedge mode is a contract told by its sides, with or without the row of both (trade/rest-api/
        Position-Information and portfolio-margin/account/Query-CM-Position-Information, read 2026-11-23): one point,
        where `positionSide/dual` takes 30."""
        sides = {read.word(POSITION_SIDE, each, "positionSide") for each in self._risks(keys, instrument)}
        if not sides:
            raise OutcomeUnknown(f"the answer has no row of {instrument.symbol}")
        return PositionMode.ONE_WAY if sides == {None} else PositionMode.HEDGE

    def _margin_mode(self, keys: Credentials, instrument: Instrument) -> MarginMode:
        rows = {read.text(each, "symbol"): each for each in self._risks(keys, instrument)}
        return read.word(MARGIN_READ, rows, instrument.symbol, "marginType")


SPOT_READ = {word: kind for kind, word in SPOT_TYPE.items()} | {"LIMIT_MAKER": OrderType.LIMIT}
FUTURES_READ = {word: kind for kind, word in FUTURES_TYPE.items()}


def encode(params: Mapping[str, Any]) -> str:
    return urlencode({name: plain_word(value) for name, value in params.items()}, quote_via=percent_encode)


def named(instrument: Instrument, ref: OrderRef) -> dict[str, str]:
    return {"symbol": instrument.symbol, **ref.named("orderId", "origClientOrderId")}


def named_algo(ref: OrderRef) -> dict[str, str]:
    return ref.named("algoId", "clientAlgoId")


def became_order(algo: Any) -> str:
    """The id of the order a conditional order became, "" before it triggered. FINISHED without one is an
    unknown word to `ALGO_STATUS`: it does not say how the order ended."""
    return str(algo.get("actualOrderId") or "") if isinstance(algo, Mapping) else ""


def named_and_priced(data: Any) -> dict[str, Any]:
    """The fields of a report that every answer about an order spells alike; no price is 0."""
    return {
        "symbol": read.text(data, "symbol"),
        "side": read.word(SIDE, data, "side"),
        "price": read.decimal(data, "price") or None,
    }


def reducing(data: Any) -> dict[str, Any]:
    side = read.word(POSITION_SIDE, data, "positionSide")
    return {"reduce_only": read.flag(data, "reduceOnly"), "position_side": side}


def average(quote_amount: Decimal, filled: Decimal) -> Decimal | None:
    return quote_amount / filled if filled > 0 and quote_amount > 0 else None


def paid(trades: list[Any], instrument: Instrument) -> Fee | None:
    """The sum of commissions. When two assets paid (BNB ran out on the way) the base asset's share is told:
    it is missing from what can be sold again."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for trade in trades:
        sums[read.text(trade, "commissionAsset")] += read.decimal(trade, "commission")
    if not sums:
        return None
    asset = instrument.base if instrument.base in sums else next(iter(sums))
    return Fee(sums[asset], asset)


def position(data: Any) -> Position | None:
    """V3 tells neither leverage nor margin type: notional over its initial margin is the leverage, and
    only an isolated position has a margin of its own."""
    if not read.decimal(data, "positionAmt"):
        return None
    margin = read.decimal(data, "positionInitialMargin")
    notional = abs(read.decimal(data, "notional"))
    leverage = (notional / margin).quantize(Decimal(1)) if margin else None
    isolated = read.decimal(data, "isolatedMargin")
    return held(data, leverage, MarginMode.ISOLATED if isolated else MarginMode.CROSS)


def held(data: Any, leverage: Decimal | None, mode: MarginMode) -> Position:
    amount = read.decimal(data, "positionAmt")
    return Position(
        symbol=read.text(data, "symbol"),
        direction=read.word(POSITION_SIDE, data, "positionSide")
        or (Direction.LONG if amount > 0 else Direction.SHORT),
        quantity=abs(amount),
        entry_price=read.decimal(data, "entryPrice"),
        mark_price=read.decimal(data, "markPrice"),
        leverage=leverage,
        margin_mode=mode,
        unrealised=read.decimal(data, "unRealizedProfit"),
        liquidation_price=read.decimal(data, "liquidationPrice") or None,
    )


def best_prices(data: Any) -> Quote:
    bid, ask = read.decimal(data, "bidPrice"), read.decimal(data, "askPrice")
    return Quote(bid, ask, (bid + ask) / 2)


def read_instrument(data: Any, product: Product) -> Instrument:
    """Limits come from the filters; the precision fields are not steps."""
    filters = {read.text(each, "filterType"): each for each in read.items(data, "filters")}
    lot, market = read.field(filters, "LOT_SIZE"), filters.get("MARKET_LOT_SIZE", {})
    least = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    least_name = "minNotional" if product is Product.SPOT else "notional"
    inverse = product is Product.INVERSE
    return Instrument(
        symbol=read.text(data, "symbol"),
        base=read.text(data, "baseAsset"),
        quote=read.text(data, "quoteAsset"),
        settle=read.text(data, "quoteAsset" if product is Product.SPOT else "marginAsset"),
        product=product,
        tick=read.decimal(filters, "PRICE_FILTER", "tickSize"),
        step=read.decimal(lot, "stepSize"),
        min_quantity=read.decimal(lot, "minQty"),
        min_notional=read.decimal_or_none(least, least_name) or Decimal(0),
        max_quantity=read.nonzero(lot, "maxQty"),
        max_market_quantity=read.nonzero(market, "maxQty"),
        contract_size=read.decimal(data, "contractSize") if inverse else Decimal(1),
        active=read.text(data, "contractStatus" if inverse else "status") == "TRADING",
    )
