"""Binance spot: orders, native OCO lists, balances.

Sources (read 2026-11-22): developers.binance.com/docs/binance-spot-api-docs (rest-api, filters, enums).
Amounts are strings of eight decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_frame import COMMON, FORCES, SIDES, Words, eight, worded
from exchanges.sandbox.dialects.binance_lists import LIMITS, BinanceLists, eighths
from exchanges.sandbox.dialects.binance_markets import SPOT_MARKETS, SPOT_TYPES, spot_symbol
from exchanges.sandbox.dialects.binance_wallet import BinanceWallet
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    Fill,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side

SPOT: Words = {
    **COMMON,
    Reason.PRICE_TICK: (400, -1013, "Filter failure: PRICE_FILTER"),
    Reason.TRIGGER_TICK: (400, -1013, "Filter failure: PRICE_FILTER"),
    Reason.QUANTITY_STEP: (400, -1013, "Filter failure: LOT_SIZE"),
    Reason.MIN_QUANTITY: (400, -1013, "Filter failure: LOT_SIZE"),
    Reason.MAX_QUANTITY: (400, -1013, "Filter failure: MARKET_LOT_SIZE"),
    Reason.MIN_NOTIONAL: (400, -1013, "Filter failure: NOTIONAL"),
    Reason.TOO_MANY_ORDERS: (400, -1013, "Filter failure: MAX_NUM_ORDERS"),
    Reason.STOP_REFUSED: (400, -1013, "Filter failure: MAX_NUM_ALGO_ORDERS"),
    Reason.DUPLICATE: (400, -2010, "Duplicate order sent."),
    Reason.INSUFFICIENT: (400, -2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TRIGGER: (400, -2010, "Stop price would trigger immediately."),
    Reason.POST_ONLY: (400, -2010, "Order would immediately match and take."),
    Reason.PRICE_RELATION: (400, -2010, "The relationship of the prices for the orders is not correct."),
}
_AMEND_WORDS: Words = {
    Reason.NOT_MODIFIED: (400, -2038, "The requested action would change no state; rejecting."),
    Reason.MAX_QUANTITY: (400, -2038, "Order amend (quantity increase) is not supported."),
    Reason.DUPLICATE: (400, -2038, "Duplicate order sent."),
}
_RATES = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}


class BinanceSpot(BinanceLists, BinanceWallet):
    name = "Binance"
    product = Product.SPOT
    words = SPOT
    markets = SPOT_MARKETS
    rules = Rules(
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        wallet="spot",
        linked=OrderStatus.EXPIRED,
        refuses_unfillable=False,
        max_open_orders=200,
        max_waiting_orders=5,
    )
    limits = (
        Limit("used-weight-1m", "weight", 6000, 60, Owner.ADDRESS, ban_after=20, ban_seconds=120),
        Limit("order-count-10s", "orders", 100, 10),
        Limit("order-count-1d", "orders", 200_000, 86_400),
    )
    weight_of_all = {"/api/v3/openOrders": 80, "/api/v3/ticker/bookTicker": 4, "/api/v3/ticker/price": 4}

    # -- market data -------------------------------------------------------------------------------------

    @route("GET /api/v3/ping", public=True)
    def ping(self, call: Call) -> Any:
        return {}

    @route("GET /api/v3/time", public=True)
    def time(self, call: Call) -> Any:
        return {"serverTime": call.now_ms}

    @route("GET /api/v3/exchangeInfo", public=True, costs={"weight": 20})
    def exchange_info(self, call: Call) -> Any:
        return {
            "timezone": "UTC",
            "serverTime": call.now_ms,
            "rateLimits": [
                _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, 6000),
                _rate_limit("ORDERS", "SECOND", 10, 100),
                _rate_limit("ORDERS", "DAY", 1, 200_000),
            ],
            "exchangeFilters": [],
            "symbols": [spot_symbol(market) for market in self.symbol_or_all(call)],
        }

    @route("GET /api/v3/ticker/bookTicker", public=True, costs={"weight": 2})
    def book_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, self.tickers(call))

    @route("GET /api/v3/ticker/price", public=True, costs={"weight": 2})
    def price_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, self.prices(call))

    @route("GET /api/v3/ticker/24hr", public=True, costs={"weight": 2})
    def day_ticker(self, call: Call) -> Any:
        pairs = zip(self.tickers(call), self.days(call), strict=True)
        return self.one_or_all(call, [{**ticker, **day} for ticker, day in pairs])

    @route("GET /api/v3/depth", public=True, costs={"weight": 5})
    def depth(self, call: Call) -> Any:
        return self.depth_of(call)

    @route("GET /api/v3/avgPrice", public=True, costs={"weight": 2})
    def average_price(self, call: Call) -> Any:
        price = text(self.desk.bid(self.symbol(call)), 8)
        return {"mins": 5, "price": price, "closeTime": call.now_ms}

    # -- account -----------------------------------------------------------------------------------------

    @route("GET /api/v3/account", costs={"weight": 20})
    def account_info(self, call: Call) -> Any:
        account, wallet = call.account, self.rules.wallet
        rows = []
        for asset, total in account.wallets[wallet].items():
            locked = account.locked(wallet, asset)
            if total or not call.flag("omitZeroBalances"):
                rows.append({"asset": asset, "free": eight(total - locked), "locked": eight(locked)})
        return {
            "makerCommission": 10,
            "takerCommission": 10,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "canTrade": "trade" in account.permissions,
            "canWithdraw": "withdraw" in account.permissions,
            "canDeposit": True,
            "commissionRates": _RATES,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": call.now_ms,
            "accountType": "SPOT",
            "balances": rows,
            "permissions": ["SPOT"],
            "uid": int(account.fingerprint[:8], 16),
        }

    @route("GET /api/v3/myTrades", costs={"weight": 20})
    def my_trades(self, call: Call) -> Any:
        market, order_id = self.symbol(call), call.text("orderId", "")
        rows = [
            {
                "symbol": fill.symbol,
                "id": fill.id,
                "orderId": int(fill.order_id),
                "orderListId": -1,
                "price": eight(fill.price),
                "qty": eight(fill.quantity),
                "quoteQty": eight(fill.quantity * fill.price),
                "commission": eight(fill.fee),
                "commissionAsset": fill.fee_asset,
                "time": fill.time_ms,
                "isBuyer": fill.side is Side.BUY,
                "isMaker": fill.maker,
                "isBestMatch": True,
            }
            for fill in self.desk.book(call.account).fills[-1000:]
            if fill.symbol == market.symbol and order_id in ("", fill.order_id)
        ]
        return self.windowed(call, rows, first="fromId", key="id")

    # -- orders ------------------------------------------------------------------------------------------

    @route("POST /api/v3/order", trading=True, costs={"weight": 1, "orders": 1})
    def place(self, call: Call) -> Any:
        ticket = self._ticket(call)
        order = self.desk.place(call.account, ticket)
        full = "FULL" if ticket.type in (OrderType.MARKET, OrderType.LIMIT) else "ACK"
        return self._placed(order, call.text("newOrderRespType", full))

    @route("POST /api/v3/order/test", trading=True)
    def test(self, call: Call) -> Any:
        self.desk.check(call.account, self._ticket(call))
        return {}

    def _ticket(self, call: Call) -> Ticket:
        market, kind = self.symbol(call), call.one_of("type", SPOT_TYPES)
        quote = call.decimal_or_none("quoteOrderQty") if kind is OrderType.MARKET else None
        word = call.text("type")
        return Ticket(
            symbol=market.symbol,
            side=call.one_of("side", SIDES),
            type=kind,
            quantity=None if quote is not None else eighths(call, "quantity"),
            quote_quantity=quote,
            price=eighths(call, "price") if kind in LIMITS else None,
            trigger_price=eighths(call, "stopPrice") if kind.conditional else None,
            time_in_force=call.one_of("timeInForce", FORCES)
            if kind in LIMITS and word != "LIMIT_MAKER"
            else FORCES["GTC"],
            post_only=word == "LIMIT_MAKER",
            client_id=self.client_id(call, "newClientOrderId"),
            extra={"type": word},
        )

    @route("GET /api/v3/order", costs={"weight": 4})
    def query(self, call: Call) -> Any:
        order = self.named_order(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._row(order)

    @route("GET /api/v3/openOrders", costs={"weight": 6})
    def open_orders(self, call: Call) -> Any:
        markets = self.symbol_or_all(call)
        return [
            self._row(each) for each in self.desk.book(call.account).open.values() if each.market in markets
        ]

    @route("GET /api/v3/allOrders", costs={"weight": 20})
    def all_orders(self, call: Call) -> Any:
        market = self.symbol(call)
        orders = self.desk.book(call.account).orders.values()
        rows = [self._row(each) for each in orders if each.market is market]
        return self.windowed(call, rows, first="orderId", key="orderId")

    @route("DELETE /api/v3/order", trading=True)
    def cancel(self, call: Call) -> Any:
        order = self.desk.cancel(call.account, self.named_order(call))
        return (
            self._list(call, order.ticket.link, "ALL_DONE")
            if order.ticket.link
            else self._cancelled(call, order)
        )

    @route("DELETE /api/v3/openOrders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        ended = self.desk.cancel_all(call.account, self.symbol(call).symbol)
        if not ended:
            raise Rejected(Reason.NOT_OPEN)
        return [self._cancelled(call, order) for order in ended]

    @route("POST /api/v3/order/cancelReplace", trading=True, costs={"weight": 1, "orders": 1})
    def cancel_replace(self, call: Call) -> Any:
        """Fields as in binance-sdk 77.2.0, Binance's client for Rust (docs.rs, read 2026-11-23); -2021 when one half
        failed and -2022 when both did, as ccxt 4.5.90 explains them."""
        stops = call.one_of("cancelReplaceMode", {"STOP_ON_FAILURE": True, "ALLOW_FAILURE": False})
        names = {"orderId": "cancelOrderId", "origClientOrderId": "cancelOrigClientOrderId"}
        names |= {"newClientOrderId": "cancelNewClientOrderId"}
        old = {name: call.text(given, "") for name, given in names.items()}
        cancelled = self.alone(call.asking(symbol=call.text("symbol"), **old), self.cancel)
        failed = "code" in cancelled
        placed = None if failed and stops else self.alone(call, self.place)
        told = {
            "cancelResult": "FAILURE" if failed else "SUCCESS",
            "newOrderResult": "NOT_ATTEMPTED"
            if placed is None
            else "FAILURE"
            if "code" in placed
            else "SUCCESS",
            "cancelResponse": cancelled,
            "newOrderResponse": placed,
        }
        done = [told["cancelResult"], told["newOrderResult"]].count("SUCCESS")
        if done == 2:
            return told
        code, words, status = (-2021, "partially failed", 409) if done else (-2022, "failed", 400)
        raise Answered(Reply({"code": code, "msg": f"Order cancel-replace {words}.", "data": told}, status))

    @route("PUT /api/v3/order/amend/keepPriority", trading=True, costs={"weight": 4})
    def keep_priority(self, call: Call) -> Any:
        """A smaller quantity, and another client id: the one sent, which may be that it had, else a new one.
        github.com/binance/binance-spot-api-docs, rest-api_CN.md (Order Amend Keep Priority) and errors.md (messages for
        -2038), read 2026-11-23. What a quantity that is filled already does is not said; here it is refused."""
        order, quantity = self.named_order(call), eighths(call, "newQty")
        client_id = self.client_id(call, "newClientOrderId")
        if order is not None and order.open:
            self._check_amendment(call, order, quantity, client_id)
        order = self.desk.amend(call.account, order, quantity=quantity)
        replaced, link = order.client_id, order.ticket.link
        self.desk.book(call.account).rename(order, client_id)
        told = {
            "transactTime": call.now_ms,
            "executionId": self.desk.number(),
            "amendedOrder": {**self._amended(order), "origClientOrderId": replaced},
        }
        return told | ({"listStatus": self._list_status(call, link)} if link else {})

    def _check_amendment(self, call: Call, order: Order, quantity: Decimal, client_id: str) -> None:
        if quantity >= order.quantity:
            reason = Reason.MAX_QUANTITY if quantity > order.quantity else Reason.NOT_MODIFIED
            raise worded(reason, _AMEND_WORDS)
        known = self.desk.order(call.account, client_id=client_id)
        if known is not None and known.open and known is not order:
            raise worded(Reason.DUPLICATE, _AMEND_WORDS)

    def _list_status(self, call: Call, link: str) -> dict[str, Any]:
        told = self._list(call, link, "")
        names = ("orderListId", "contingencyType", "listOrderStatus", "listClientOrderId", "symbol", "orders")
        return {name: told[name] for name in names}

    @route("GET /api/v3/rateLimit/order", costs={"weight": 40})
    def order_counts(self, call: Call) -> Any:
        every = (_rate_limit("ORDERS", "SECOND", 10, 100), _rate_limit("ORDERS", "DAY", 1, 200_000))
        return [{**each, "count": 0} for each in every]

    # -- shapes ------------------------------------------------------------------------------------------

    def _row(self, order: Order) -> dict[str, Any]:
        ticket = order.ticket
        return {
            "symbol": order.market.symbol,
            "orderId": int(order.id),
            "orderListId": int(ticket.link or -1),
            "clientOrderId": order.client_id,
            "price": eight(order.price),
            "origQty": eight(order.quantity),
            "executedQty": eight(order.filled),
            "origQuoteOrderQty": eight(ticket.quote_quantity),
            "cummulativeQuoteQty": eight(order.quote_filled),
            "status": self.status_of(order),
            "timeInForce": ticket.time_in_force.upper(),
            "type": ticket.extra["type"],
            "side": ticket.side.upper(),
            "stopPrice": eight(order.trigger_price),
            "icebergQty": "0.00000000",
            "time": order.created_ms,
            "updateTime": order.updated_ms,
            "isWorking": not order.waiting,
            "workingTime": -1 if order.waiting else order.triggered_ms or order.created_ms,
            "selfTradePreventionMode": "EXPIRE_MAKER",
        }

    def _placed(self, order: Order, shape: str) -> dict[str, Any]:
        row = self._row(order)
        row["transactTime"] = order.updated_ms
        untold = ["time", "updateTime", "isWorking", "icebergQty"]
        for name in untold if order.trigger_price is not None else [*untold, "stopPrice"]:
            del row[name]
        if shape == "ACK":
            kept = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
            return {name: row[name] for name in kept}
        if shape == "FULL":
            row["fills"] = [_fill(fill) for fill in order.fills]
        return row

    def _amended(self, order: Order) -> dict[str, Any]:
        """Without the client id it had; some fields have names of their own."""
        row = self._row(order)
        kept = ["symbol", "orderId", "orderListId", "clientOrderId", "price", "executedQty", "status"]
        kept += ["timeInForce", "type", "side", "workingTime", "selfTradePreventionMode"]
        told = {name: row[name] for name in kept}
        told |= {"qty": row["origQty"], "preventedQty": eight(None)}
        told |= {"quoteOrderQty": row["origQuoteOrderQty"]}
        return told | {"cumulativeQuoteQty": row["cummulativeQuoteQty"]}

    def _cancelled(self, call: Call, order: Order) -> dict[str, Any]:
        """The cancel has a client id of its own: /docs/binance-spot-api-docs/testnet/rest-api/trading-endpoints, Cancel
        order, read 2026-11-23."""
        names = {
            "origClientOrderId": order.client_id,
            "clientOrderId": self.client_id(call, "newClientOrderId"),
        }
        return self._placed(order, "RESULT") | names


def _fill(fill: Fill) -> dict[str, Any]:
    return {
        "price": eight(fill.price),
        "qty": eight(fill.quantity),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }


def _rate_limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
