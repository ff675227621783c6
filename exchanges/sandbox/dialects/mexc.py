"""MEXC spot as its clients see it: signed queries, errors with HTTP 400, the time in force inside the order type, and
no stop orders. Documented at https://www.mexc.com/api-docs/spot-v3/. Keys, signatures and refusals are in
`mexc_frame`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_frame import MEXCFrame
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected, Rules, Ticket, decimals_of, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
#: limit or not, time in force, post-only
TYPES = {
    "LIMIT": (OrderType.LIMIT, TimeInForce.GTC, False),
    "MARKET": (OrderType.MARKET, TimeInForce.GTC, False),
    "LIMIT_MAKER": (OrderType.LIMIT, TimeInForce.GTC, True),
    "IMMEDIATE_OR_CANCEL": (OrderType.LIMIT, TimeInForce.IOC, False),
    "FILL_OR_KILL": (OrderType.LIMIT, TimeInForce.FOK, False),
}
ENDED = {OrderStatus.FILLED: "FILLED", OrderStatus.CANCELLED: "CANCELED"}
LARGEST_BATCH = 20
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.01", "0.000001"),
    ("ETH", "0.01", "0.00001"),
    ("SOL", "0.01", "0.001"),
    ("XRP", "0.0001", "0.01"),
    ("DOGE", "0.00001", "0.1"),
    ("LTC", "0.01", "0.001"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(f"{base}{coin}", base, coin, Product.SPOT, D(tick), D(step), D(step), min_notional=D(1))


class MEXCSpot(MEXCFrame):
    name, product = "MEXC", Product.SPOT
    markets = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))
    limits = (
        Limit("address", "address", 500, 10, Owner.ADDRESS),
        Limit("reads", "reads", 500, 10),
        Limit("orders", "orders", 5, 1),
        Limit("batches", "batches", 2, 1),
        Limit("cancels", "cancels", 50, 1),
    )
    rules = Rules(
        maker_fee=D(0),
        taker_fee=D("0.0005"),
        buy_fee_in_base=False,
        wallet="spot",
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"C02__{443_776_347_000_000_000 + number}",
    )

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v3/time", public=True, costs={"address": 1})
    def time(self, call: Call) -> Any:
        return {"serverTime": call.now_ms}

    @route("GET /api/v3/ping", public=True, costs={"address": 1})
    def ping(self, call: Call) -> Any:
        return {}

    @route("GET /api/v3/defaultSymbols", public=True, costs={"address": 1})
    def default_symbols(self, call: Call) -> Any:
        return {"code": 200, "data": [market.symbol for market in self.markets], "msg": None}

    @route("GET /api/v3/depth", public=True, costs={"address": 1})
    def depth(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return {
            "lastUpdateId": call.now_ms,
            "bids": [[bid, "1000"]],
            "asks": [[ask, "1000"]],
            "timestamp": call.now_ms,
        }

    @route("GET /api/v3/ticker/price", public=True, costs={"address": 1})
    def price(self, call: Call) -> Any:
        rows = [{"symbol": each.symbol, "price": text(self.desk.bid(each))} for each in self._asked(call)]
        return rows[0] if call.text("symbol", "") else rows

    @route("GET /api/v3/avgPrice", public=True, costs={"address": 1})
    def average_price(self, call: Call) -> Any:
        return {"mins": 5, "price": text(self.desk.bid(self.desk.market(call.text("symbol"))))}

    def _asked(self, call: Call) -> list[Market]:
        """One, several with commas between them, or all."""
        names = call.text("symbol", call.text("symbols", ""))
        return [self.desk.market(each) for each in names.split(",")] if names else list(self.markets)

    @route("GET /api/v3/exchangeInfo", public=True, costs={"address": 10})
    def exchange_info(self, call: Call) -> Any:
        return {
            "timezone": "CST",
            "serverTime": call.now_ms,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [_symbol_row(market) for market in self._asked(call)],
        }

    @route("GET /api/v3/ticker/24hr", "GET /api/v3/ticker/bookTicker", public=True, costs={"address": 1})
    def ticker(self, call: Call) -> Any:
        rows = [self._ticker_row(call, each) for each in self._asked(call)]
        return rows[0] if call.text("symbol", "") else rows

    def _ticker_row(self, call: Call, market: Market) -> dict[str, Any]:
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        prices = {"bidPrice": bid, "bidQty": "1000", "askPrice": ask, "askQty": "1000"}
        day = {"lastPrice": bid, "volume": "1", "quoteVolume": bid, "closeTime": call.now_ms}
        day |= dict.fromkeys(("prevClosePrice", "openPrice", "lowPrice", "highPrice"), bid)
        day |= {"priceChange": "0", "priceChangePercent": "0", "openTime": call.now_ms, "count": None}
        return {"symbol": market.symbol, **prices, **(day if call.path.endswith("24hr") else {})}

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v3/order", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._ticket(call))
        return _named(order) | {"orderListId": -1, "transactTime": call.now_ms}

    @route("POST /api/v3/batchOrders", trading=True, costs={"batches": 1, "cancels": 1})
    def place_batch(self, call: Call) -> Any:
        try:
            orders = json.loads(call.text("batchOrders"), parse_float=D)
        except ValueError:
            raise Rejected(Reason.BAD_PARAMETER, "batchOrders") from None
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "batchOrders")
        if not all(isinstance(each, dict) and each.get("symbol") == orders[0]["symbol"] for each in orders):
            raise Rejected(Reason.BAD_PARAMETER, "symbol")
        told = self.each(call, orders, "/api/v3/order", self.place)
        return [_batch_row(*each) for each in zip(orders, told, strict=True)]

    @route("POST /api/v3/order/test", costs={"orders": 1})
    def test_order(self, call: Call) -> Any:
        self.desk.check(call.account, self._ticket(call))
        return {}

    def _ticket(self, call: Call) -> Ticket:
        kind, time_in_force, post_only = call.one_of("type", TYPES)
        quantity, funds = call.decimal_or_none("quantity"), call.decimal_or_none("quoteOrderQty")
        if (quantity is None) == (funds is None) or (kind is OrderType.LIMIT and quantity is None):
            raise Rejected(Reason.BAD_PARAMETER, "quantity")
        return Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            kind,
            quantity=quantity,
            quote_quantity=funds,
            price=call.decimal("price") if kind is OrderType.LIMIT else None,
            time_in_force=time_in_force,
            post_only=post_only,
            client_id=call.text("newClientOrderId", ""),
            extra={"type": call.text("type")},
        )

    @route("GET /api/v3/order", costs={"reads": 2, "address": 2})
    def order(self, call: Call) -> Any:
        if (found := self._found(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _order_row(found)

    @route("DELETE /api/v3/order", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return _order_row(self.desk.cancel(call.account, self._found(call)))

    def _found(self, call: Call) -> Order | None:
        market = self.desk.market(call.text("symbol"))
        order_id, client_id = call.text("orderId", ""), call.text("origClientOrderId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "'origClientOrderId' or 'orderId'")
        found = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        return found if found is not None and found.market is market else None

    @route("GET /api/v3/openOrders", costs={"reads": 3, "address": 3})
    def open_orders(self, call: Call) -> Any:
        return [_order_row(order) for order in self._listed(call) if order.open]

    @route("DELETE /api/v3/openOrders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        """Of up to five symbols."""
        symbols = [self.desk.market(each).symbol for each in call.text("symbol").split(",")]
        return [_order_row(order) for each in symbols for order in self.desk.cancel_all(call.account, each)]

    @route("GET /api/v3/allOrders", costs={"reads": 10, "address": 10})
    def all_orders(self, call: Call) -> Any:
        call.text("symbol")
        return [_order_row(order) for order in self._listed(call)]

    def _listed(self, call: Call) -> list[Order]:
        """Newest first."""
        symbol, known = call.text("symbol", ""), self.desk.book(call.account).orders.values()
        return [order for order in reversed(known) if symbol in ("", order.market.symbol)]

    @route("GET /api/v3/myTrades", costs={"reads": 10, "address": 10})
    def trades(self, call: Call) -> Any:
        symbol, order_id = call.text("symbol"), call.text("orderId", "")
        fills = [fill for fill in self.desk.book(call.account).fills if fill.symbol == symbol]
        return [_trade_row(fill) for fill in reversed(fills) if order_id in ("", fill.order_id)]

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v3/account", costs={"reads": 10, "address": 10})
    def account_info(self, call: Call) -> Any:
        """The rights told here are the account's, not the key's."""
        rows = []
        for coin, total in call.account.wallets[self.rules.wallet].items():
            free = call.account.free(self.rules.wallet, coin)
            rows.append({"asset": coin, "free": text(free), "locked": text(total - free)})
        rights = {"canTrade": True, "canWithdraw": True, "canDeposit": True, "updateTime": None}
        return {**rights, "accountType": "SPOT", "balances": rows, "permissions": ["SPOT"]}

    @route("GET /api/v3/selfSymbols", costs={"reads": 1, "address": 1})
    def own_symbols(self, call: Call) -> Any:
        return {"code": 200, "data": [market.symbol for market in self.markets], "msg": None}

    @route("GET /api/v3/tradeFee", costs={"reads": 20, "address": 20})
    def fees(self, call: Call) -> Any:
        self.desk.market(call.text("symbol"))
        told = {"makerCommission": self.rules.maker_fee, "takerCommission": self.rules.taker_fee}
        return {"data": told, "code": 0, "msg": "success", "timestamp": call.now_ms}

    @route("GET /api/v3/capital/config/getall", costs={"reads": 10, "address": 10})
    def currencies(self, call: Call) -> Any:
        names = sorted({name for market in self.markets for name in (market.base, market.quote)})
        return [{"coin": name, "name": name, "networkList": []} for name in names]


def _symbol_row(market: Market) -> dict[str, Any]:
    decimals = decimals_of(market.tick)
    return {
        "symbol": market.symbol,
        "status": "1",
        "baseAsset": market.base,
        "baseAssetPrecision": decimals_of(market.step),
        "quoteAsset": market.quote,
        "quotePrecision": decimals,
        "quoteAssetPrecision": decimals,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": text(market.min_notional),
        "baseSizePrecision": text(market.min_quantity),
        "maxQuoteAmount": "2000000",
        "permissions": ["SPOT"],
        "filters": [],
        "makerCommission": "0",
        "takerCommission": "0.0005",
    }


def _batch_row(order: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.mexc.com/api-docs/spot-v3/spot-account-trade/batch-orders"""
    named = {"newClientOrderId": order.get("newClientOrderId")}
    if "orderId" not in told:
        return named | {"msg": told["msg"], "code": told["code"]}
    return {"symbol": told["symbol"], "orderId": told["orderId"], **named, "orderListId": -1}


def _named(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.market.symbol,
        "orderId": order.id,
        "price": text(order.price),
        "origQty": text(order.quantity if order.ticket.quote_quantity is None else None),
        "type": order.ticket.extra["type"],
        "side": order.side.upper(),
    }


def _order_row(order: Order) -> dict[str, Any]:
    if order.open:
        status = "PARTIALLY_FILLED" if order.filled else "NEW"
    elif order.status is OrderStatus.CANCELLED and order.filled:
        status = "PARTIALLY_CANCELED"
    else:
        status = ENDED[order.status]
    return _named(order) | {
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": status,
        "timeInForce": order.ticket.time_in_force.value.upper(),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "origQuoteOrderQty": text(order.ticket.quote_quantity),
    }


def _trade_row(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": str(fill.id),
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }
