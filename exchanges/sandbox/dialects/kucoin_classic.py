"""KuCoin spot beside its fast orders: markets, prices, and the orders of the classic addresses (`/api/v1/orders`), which are
the same orders told in other words: as kucoin-universal-sdk 1.3.2, KuCoin's own client, has them (its calls that end in
`_old`). The older versions of markets and currencies rest on no source that was found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_frame import (
    LARGEST_BATCH,
    SIDES,
    TIMES,
    TYPES,
    KuCoinFrame,
    kind_of,
    ok,
    page,
)
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, Ticket, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Side

D = Decimal
#: of an order, of things that are not simulated
PLAIN: dict[str, Any] = {
    "hidden": False,
    "iceberg": False,
    "visibleSize": "0",
    "channel": "API",
    "remark": None,
    "tags": None,
}


class KuCoinClassic(KuCoinFrame):
    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v2/symbols", "GET /api/v1/symbols", public=True, costs={"public": 4})
    def symbols(self, call: Call) -> Any:
        return ok([symbol_row(market) for market in self.markets])

    @route("GET /api/v3/currencies", "GET /api/v1/currencies", public=True, costs={"public": 3})
    def currencies(self, call: Call) -> Any:
        names = sorted({name for market in self.markets for name in (market.base, market.quote)})
        rows = [{"currency": name, "name": name, "precision": 8, "chains": []} for name in names]
        return ok(rows)

    @route("GET /api/v1/market/orderbook/level1", public=True, costs={"public": 2})
    def level1(self, call: Call) -> Any:
        if (market := self.desk.markets.get(call.text("symbol"))) is None:
            return ok(None)
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        sizes = {"size": "1", "bestBidSize": "1000", "bestAskSize": "1000"}
        prices = {"price": bid, "bestBid": bid, "bestAsk": ask}
        return ok({"time": call.now_ms, "sequence": str(call.now_ms), **prices, **sizes})

    @route("GET /api/v2/symbols/{symbol}", public=True, costs={"public": 4})
    def symbol_of(self, call: Call) -> Any:
        return ok(symbol_row(self.desk.market(call.text("symbol"))))

    @route("GET /api/v1/market/allTickers", public=True, costs={"public": 15})
    def all_tickers(self, call: Call) -> Any:
        return ok({"time": call.now_ms, "ticker": [self._day(market) for market in self.markets]})

    @route("GET /api/v1/market/stats", public=True, costs={"public": 15})
    def stats(self, call: Call) -> Any:
        return ok({"time": call.now_ms, **self._day(self.desk.market(call.text("symbol")))})

    def _day(self, market: Market) -> dict[str, Any]:
        """Of the last 24 hours, in which nobody traded."""
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        prices = {"buy": bid, "sell": ask, **dict.fromkeys(("last", "high", "low", "averagePrice"), bid)}
        still = dict.fromkeys(("changeRate", "changePrice", "vol", "volValue"), "0")
        fees = {"takerFeeRate": text(self.rules.taker_fee), "makerFeeRate": text(self.rules.maker_fee)}
        sizes = {
            "bestBidSize": "1000",
            "bestAskSize": "1000",
            "takerCoefficient": "1",
            "makerCoefficient": "1",
        }
        return {"symbol": market.symbol, "symbolName": market.symbol, **prices, **still, **fees, **sizes}

    @route(
        "GET /api/v1/market/orderbook/level2_20",
        "GET /api/v1/market/orderbook/level2_100",
        "GET /api/v3/market/orderbook/level2",
        public=True,
        costs={"public": 3},
    )
    def level2(self, call: Call) -> Any:
        levels = self.levels(call, self.desk.market(call.text("symbol")))
        told = {name: [[text(price), str(size)] for price, size in each] for name, each in levels.items()}
        return ok({"time": call.now_ms, "sequence": str(call.now_ms), **told})

    # -- classic orders --------------------------------------------------------------------------------

    @route("POST /api/v1/orders", trading=True)
    def place_classic(self, call: Call) -> Any:
        return ok({"orderId": self.desk.place(call.account, self._ticket(call, None)).id})

    @route("POST /api/v1/orders/multi", trading=True)
    def place_classic_batch(self, call: Call) -> Any:
        """Limit orders of the symbol that stands beside the list."""
        orders, symbol = call.params.get("orderList"), call.text("symbol")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        asked = [{"type": "limit", **each, "symbol": symbol} for each in orders]
        told = self.each(call, asked, "/api/v1/orders", self.place_classic)
        rows = [
            {**order, "id": answer.get("data", {}).get("orderId"), "failMsg": answer.get("msg")}
            | {"status": "success" if "data" in answer else "fail"}
            for order, answer in zip(asked, told, strict=True)
        ]
        return ok({"data": rows})

    @route("POST /api/v1/orders/test", "POST /api/v1/hf/orders/test", trading=True)
    def test(self, call: Call) -> Any:
        ticket = self._ticket(call, None)
        self.desk.check(call.account, ticket)
        return ok({"orderId": self.rules.order_id(self.desk.number()), "clientOid": ticket.client_id})

    @route("GET /api/v1/orders/{orderId}", "GET /api/v1/order/client-order/{clientOid}")
    def classic(self, call: Call) -> Any:
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(classic_row(found))

    @route("GET /api/v1/orders")
    def classics(self, call: Call) -> Any:
        active, symbol = call.text("status", "done") == "active", call.text("symbol", "")
        found = [
            classic_row(order)
            for order in reversed(self.desk.book(call.account).orders.values())
            if order.open is active
            and symbol in ("", order.market.symbol)
            and (order.live_id or not is_record(order))
        ]
        return ok(page(call, found))

    @route("GET /api/v1/limit/orders")
    def recent(self, call: Call) -> Any:
        known = reversed(self.desk.book(call.account).orders.values())
        return ok([classic_row(order) for order in known if order.live_id or not is_record(order)][:1000])

    @route("DELETE /api/v1/orders/{orderId}", trading=True)
    def cancel_classic(self, call: Call) -> Any:
        order = self.desk.cancel(call.account, self._plain(call))
        return ok({"cancelledOrderIds": [order.live_id or order.id]})

    @route("DELETE /api/v1/order/client-order/{clientOid}", trading=True)
    def cancel_classic_by_client_id(self, call: Call) -> Any:
        order = self.desk.cancel(call.account, self._plain(call))
        return ok({"cancelledOrderId": order.live_id or order.id, "clientOid": order.client_id})

    @route("DELETE /api/v1/orders", trading=True)
    def cancel_classics(self, call: Call) -> Any:
        ended = self.cancelled(call, waiting=False)
        return ok({"cancelledOrderIds": [order.live_id or order.id for order in ended]})

    @route("GET /api/v1/fills", "GET /api/v1/hf/fills", "GET /api/v1/limit/fills")
    def fills(self, call: Call) -> Any:
        rows = [fill_row(*each) for each in self.traded(call)]
        if call.path.endswith("limit/fills"):
            return ok(rows[:1000])
        if "/hf/" in call.path:
            call.text("symbol")
            return ok({"items": rows[: call.integer("limit", 20)], "lastId": rows[0]["id"] if rows else 0})
        return ok(page(call, rows))

    # -- both ------------------------------------------------------------------------------------------

    def _ticket(self, call: Call, rises: bool | None) -> Ticket:
        side, limit = call.one_of("side", SIDES), call.one_of("type", TYPES)
        size, funds = call.decimal_or_none("size"), call.decimal_or_none("funds")
        if (size is None) == (funds is None) or (limit and size is None):
            raise Rejected(Reason.BAD_PARAMETER, "size")
        return Ticket(
            call.text("symbol"),
            side,
            kind_of(limit=limit, stop=None if rises is None else rises == (side is Side.BUY)),
            quantity=size,
            quote_quantity=funds,
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("stopPrice"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=call.flag("postOnly"),
            client_id=call.text("clientOid"),
            extra={"timeInForce": call.text("timeInForce", "GTC")},
        )

    def _plain(self, call: Call) -> Order | None:
        """By the id among plain orders: that of a triggered stop order is its second one."""
        order_id = call.text("orderId", "")
        found = self.desk.order(call.account, order_id=order_id, client_id=call.text("clientOid", ""))
        if found is None or (found.ticket.type.conditional and not found.live_id):
            return None
        return found if order_id in ("", found.live_id or found.id) else None


def symbol_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "name": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "baseMinSize": text(market.min_quantity),
        "quoteMinSize": text(market.min_notional),
        "baseMaxSize": text(market.max_quantity),
        "quoteMaxSize": "99999999",
        "baseIncrement": text(market.step),
        "quoteIncrement": "0.000001",
        "priceIncrement": text(market.tick),
        "minFunds": text(market.min_notional),
        "isMarginEnabled": False,
        "enableTrading": True,
    }


def is_record(order: Order) -> bool:
    """Whether it has a record among the stop orders."""
    return order.ticket.type.conditional


def standing(order: Order) -> dict[str, str]:
    """How a plain order stands after the match."""
    left = order.remaining if order.ticket.quote_quantity is None else ZERO
    return {
        "originSize": text(order.quantity if order.ticket.quote_quantity is None else ZERO),
        "dealSize": text(order.filled),
        "remainSize": text(left if order.open else ZERO),
        "canceledSize": text(ZERO if order.open else left),
        "status": "open" if order.open else "done",
    }


def order_row(order: Order) -> dict[str, Any]:
    """Fields as kucoin-universal-sdk 1.3.2, KuCoin's own client, has them (GetOrderByOrderIdResp)."""
    told, funds = standing(order), order.ticket.quote_quantity
    left = text(ZERO if funds is None else funds - order.quote_filled)
    return {
        "id": order.live_id or order.id,
        "clientOid": order.client_id,
        "symbol": order.market.symbol,
        "opType": "DEAL",
        "type": "market" if order.price is None else "limit",
        "side": order.side.value,
        "price": text(order.price),
        "size": told["originSize"],
        "funds": text(funds),
        "dealSize": told["dealSize"],
        "dealFunds": text(order.quote_filled),
        "remainSize": told["remainSize"],
        "remainFunds": left if order.open else "0",
        "cancelledSize": told["canceledSize"],
        "cancelledFunds": "0" if order.open else left,
        "tax": "0",
        "fee": text(sum(order.fees().values(), ZERO)),
        "feeCurrency": order.market.quote,
        "timeInForce": order.ticket.extra["timeInForce"],
        "postOnly": order.ticket.post_only,
        "stp": None,
        **PLAIN,
        "cancelAfter": 0,
        "cancelExist": not order.open and order.status is not OrderStatus.FILLED,
        "tradeType": "TRADE",
        "inOrderBook": order.open,
        "active": order.open,
        "createdAt": order.created_ms,
        "lastUpdatedAt": order.updated_ms,
    }


def classic_row(order: Order) -> dict[str, Any]:
    """A market order of money tells its funds, any other its size."""
    untold = ["active", "inOrderBook", "remainSize", "cancelledSize", "lastUpdatedAt"]
    untold += ["remainFunds", "cancelledFunds"]
    row = {name: value for name, value in order_row(order).items() if name not in untold}
    none = {"stp": "", "stop": "", "stopTriggered": False, "stopPrice": "0"}
    return {**row, **none, "isActive": order.open}


def fill_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "id": fill.id,
        "symbol": fill.symbol,
        "tradeId": str(fill.id),
        "orderId": fill.order_id,
        "counterOrderId": "",
        "side": fill.side.value,
        "liquidity": "maker" if fill.maker else "taker",
        "forceTaker": False,
        "price": text(fill.price),
        "size": text(fill.quantity),
        "funds": text(fill.quantity * fill.price),
        "fee": text(fill.fee),
        "feeRate": text(fill.fee / (fill.quantity * fill.price), 6),
        "feeCurrency": fill.fee_asset,
        "tax": "0",
        "taxRate": "0",
        "stop": "",
        "tradeType": "TRADE",
        "type": "market" if order.price is None else "limit",
        "createdAt": fill.time_ms,
    }
