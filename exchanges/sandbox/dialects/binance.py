"""Binance spot: orders, native OCO lists, balances.

Sources (read 2026-11-22): developers.binance.com/docs/binance-spot-api-docs (rest-api, filters, enums).
Amounts are strings of eight decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_common import COMMON, FORCES, SIDES, Binance, Words, eight
from exchanges.sandbox.dialects.binance_markets import SPOT_MARKETS, SPOT_TYPES, spot_symbol
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    Fill,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    decimals_of,
)
from exchanges.sandbox.wire import Call
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
_TARGETS = ("LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
_LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)


class BinanceSpot(Binance):
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
        rows = [
            {
                **ticker,
                "lastPrice": ticker["bidPrice"],
                "openPrice": ticker["bidPrice"],
                "highPrice": ticker["bidPrice"],
                "lowPrice": ticker["bidPrice"],
                "priceChange": "0.00000000",
                "priceChangePercent": "0.000",
                "weightedAvgPrice": ticker["bidPrice"],
                "prevClosePrice": ticker["bidPrice"],
                "lastQty": "0.00100000",
                "volume": "0.00000000",
                "quoteVolume": "0.00000000",
                "openTime": call.now_ms - 86_400_000,
                "closeTime": call.now_ms,
                "firstId": -1,
                "lastId": -1,
                "count": 0,
            }
            for ticker in self.tickers(call)
        ]
        return self.one_or_all(call, rows)

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
            "updateTime": call.now_ms,
            "accountType": "SPOT",
            "balances": rows,
            "permissions": ["SPOT"],
            "uid": int(account.fingerprint[:8], 16),
        }

    @route("GET /sapi/v1/account/apiRestrictions", costs={"sapi": 1})
    def api_restrictions(self, call: Call) -> Any:
        """developers.binance.com/docs/wallet/account/api-key-permission"""
        granted = call.account.permissions
        return {
            "ipRestrict": "ip" in granted,
            "createTime": call.account.created_ms,
            "enableReading": True,
            "enableWithdrawals": "withdraw" in granted,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": "trade" in granted,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": "trade" in granted,
            "enablePortfolioMarginTrading": False,
        }

    @route("GET /api/v3/myTrades", costs={"weight": 20})
    def my_trades(self, call: Call) -> Any:
        market, order_id = self.symbol(call), call.text("orderId", "")
        return [
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
            quantity=None if quote is not None else _eighths(call, "quantity"),
            quote_quantity=quote,
            price=_eighths(call, "price") if kind in _LIMITS else None,
            trigger_price=_eighths(call, "stopPrice") if kind.conditional else None,
            time_in_force=call.one_of("timeInForce", FORCES)
            if kind in _LIMITS and word != "LIMIT_MAKER"
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
        rows = [each for each in self.desk.book(call.account).orders.values() if each.market is market]
        return [self._row(each) for each in rows[-call.integer("limit", 500) :]]

    @route("DELETE /api/v3/order", trading=True)
    def cancel(self, call: Call) -> Any:
        order = self.desk.cancel(call.account, self.named_order(call))
        return (
            self._list(call, order.ticket.link, "ALL_DONE") if order.ticket.link else self._cancelled(order)
        )

    @route("DELETE /api/v3/openOrders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        ended = self.desk.cancel_all(call.account, self.symbol(call).symbol)
        if not ended:
            raise Rejected(Reason.NOT_OPEN)
        return [self._cancelled(order) for order in ended]

    # -- order lists -------------------------------------------------------------------------------------

    @route("POST /api/v3/orderList/oco", trading=True, costs={"weight": 1, "orders": 2})
    def place_oco(self, call: Call) -> Any:
        """developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints (New Order list - OCO)"""
        self._check_oco(call)
        link = str(self.desk.number())
        list_id = self.client_id(call, "listClientOrderId")
        tickets = [self._leg(call, place, link, list_id) for place in ("above", "below")]
        self.desk.place_linked(call.account, tickets)
        return self._list(call, link, "EXEC_STARTED")

    def _check_oco(self, call: Call) -> None:
        """A target on the profitable side of the market, a stop on the other."""
        sells = call.one_of("side", SIDES) is Side.SELL
        for place, target in (("above", sells), ("below", not sells)):
            if call.text(f"{place}Type") not in (_TARGETS if target else _STOPS):
                raise Rejected(Reason.BAD_PARAMETER, f"{place}Type")
        last = self.desk.bid(self.symbol(call))
        if not _reference(call, "below") < last < _reference(call, "above"):
            raise Rejected(Reason.PRICE_RELATION)

    def _leg(self, call: Call, place: str, link: str, list_id: str) -> Ticket:
        word, kind = call.text(f"{place}Type"), call.one_of(f"{place}Type", SPOT_TYPES)
        return Ticket(
            symbol=self.symbol(call).symbol,
            side=call.one_of("side", SIDES),
            type=kind,
            quantity=_eighths(call, "quantity"),
            price=_eighths(call, f"{place}Price") if kind in _LIMITS else None,
            trigger_price=_eighths(call, f"{place}StopPrice") if kind.conditional else None,
            time_in_force=call.one_of(f"{place}TimeInForce", FORCES, "GTC"),
            post_only=word == "LIMIT_MAKER",
            client_id=self.client_id(call, f"{place}ClientOrderId"),
            link=link,
            extra={"type": word, "list": list_id},
        )

    @route("GET /api/v3/orderList", costs={"weight": 4})
    def query_list(self, call: Call) -> Any:
        link = self._named_list(call)
        if not link:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._list(call, link, "")

    @route("GET /api/v3/openOrderList", costs={"weight": 6})
    def open_lists(self, call: Call) -> Any:
        links = dict.fromkeys(
            each.ticket.link for each in self.desk.book(call.account).open.values() if each.ticket.link
        )
        return [self._list(call, link, "") for link in links]

    @route("DELETE /api/v3/orderList", trading=True)
    def cancel_list(self, call: Call) -> Any:
        link = self._named_list(call)
        legs = [
            each for each in self.desk.book(call.account).open.values() if link and each.ticket.link == link
        ]
        if not legs:
            raise Rejected(Reason.NOT_OPEN)
        self.desk.cancel(call.account, legs[0])
        return self._list(call, link, "ALL_DONE")

    def _named_list(self, call: Call) -> str:
        link = call.text("orderListId", "")
        name = call.text("listClientOrderId", call.text("origClientOrderId", ""))
        for order in reversed(self.desk.book(call.account).orders.values()):
            given = order.ticket
            if given.link and (given.link == link if link else given.extra.get("list") == name):
                return given.link
        return ""

    def _list(self, call: Call, link: str, status: str) -> dict[str, Any]:
        legs = [each for each in self.desk.book(call.account).orders.values() if each.ticket.link == link]
        going = any(leg.open for leg in legs)
        done = not going and status != "EXEC_STARTED"
        return {
            "orderListId": int(link),
            "contingencyType": "OCO",
            "listStatusType": "ALL_DONE" if done else "EXEC_STARTED",
            "listOrderStatus": "ALL_DONE" if done else "EXECUTING",
            "listClientOrderId": legs[0].ticket.extra["list"],
            "transactionTime": call.now_ms,
            "symbol": legs[0].market.symbol,
            "orders": [
                {"symbol": leg.market.symbol, "orderId": int(leg.id), "clientOrderId": leg.client_id}
                for leg in legs
            ],
            "orderReports": [self._placed(leg, "RESULT") for leg in legs],
        }

    # -- shapes ------------------------------------------------------------------------------------------

    def _row(self, order: Order) -> dict[str, Any]:
        ticket = order.ticket
        row = {
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
            "icebergQty": "0.00000000",
            "time": order.created_ms,
            "updateTime": order.updated_ms,
            "isWorking": not order.waiting,
            "workingTime": -1 if order.waiting else order.triggered_ms or order.created_ms,
            "selfTradePreventionMode": "EXPIRE_MAKER",
        }
        if order.trigger_price is not None:
            row["stopPrice"] = eight(order.trigger_price)
        return row

    def _placed(self, order: Order, shape: str) -> dict[str, Any]:
        row = self._row(order)
        row["transactTime"] = order.updated_ms
        for name in ("time", "updateTime", "isWorking", "icebergQty"):
            del row[name]
        if shape == "ACK":
            kept = ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")
            return {name: row[name] for name in kept}
        if shape == "FULL":
            row["fills"] = [_fill(fill) for fill in order.fills]
        return row

    def _cancelled(self, order: Order) -> dict[str, Any]:
        return {**self._placed(order, "RESULT"), "origClientOrderId": order.client_id}


def _reference(call: Call, place: str) -> Decimal:
    """The price of a leg that has to lie on its side of the market: its trigger, else its limit."""
    return call.decimal_or_none(f"{place}StopPrice") or call.decimal(f"{place}Price")


def _eighths(call: Call, name: str) -> Decimal:
    """More than eight decimals are refused before any filter looks at them."""
    number = call.decimal(name)
    if decimals_of(number) > 8:
        raise Rejected(Reason.PRECISION, name)
    return number


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
