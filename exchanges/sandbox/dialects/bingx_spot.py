"""Orders, trades, fees and balances of BingX spot.

Not documented, so chosen here: in the answer to a batch, an order that was refused is a row that is FAILED.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bingx_answers import fees_of, spot_fill, spot_row
from exchanges.sandbox.dialects.bingx_frame import BingXFrame, costs, ok, said
from exchanges.sandbox.dialects.bingx_orders import (
    PLAIN,
    SIDES,
    UNDIRECTED,
    batch_of,
    cancel_named,
    cancel_open,
    cancel_replaced,
    named_order,
    open_orders,
    prices_of,
    recorded_orders,
)
from exchanges.sandbox.model import Reason, Rejected, Ticket, floor_to, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderType

SPOT_TYPES = (
    PLAIN | UNDIRECTED | {"TAKE_STOP_MARKET": OrderType.STOP, "TAKE_STOP_LIMIT": OrderType.STOP_LIMIT}
)


class BingXSpotOrders(BingXFrame):
    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /openApi/spot/v1/trade/order", trading=True, costs=costs("place", "orders"))
    def place_spot(self, call: Call) -> Any:
        """A quantity goes before an amount of quote currency."""
        quantity, spend = call.decimal_or_none("quantity"), call.decimal_or_none("quoteOrderQty")
        if quantity is None and spend is None:
            raise Rejected(Reason.MISSING_PARAMETER, "quoteOrderQty")
        market, kind = self.spot.market(call.text("symbol")), call.one_of("type", SPOT_TYPES)
        ticket = Ticket(
            market.symbol,
            call.one_of("side", SIDES),
            kind,
            quantity=None if quantity is None else floor_to(quantity, market.step),
            quote_quantity=spend if quantity is None else None,
            client_id=call.text("newClientOrderId", "").lower(),
            **prices_of(call, self.spot, market, kind),
        )
        return ok(spot_row(self.spot.place(call.account, ticket)))

    @route("POST /openApi/spot/v1/trade/batchOrders", trading=True, costs=costs("batch", "orders"))
    def place_spot_batch(self, call: Call) -> Any:
        """Side by side unless `sync` is said, and then of one symbol, side and type."""
        orders = batch_of(call, "data")
        kinds = {tuple(each.get(name) for name in ("symbol", "side", "type")) for each in orders}
        if len(kinds) > 1 and not call.flag("sync"):
            raise Rejected(Reason.BAD_PARAMETER, "data")
        told = self.each(call, orders, "/openApi/spot/v1/trade/order", self.place_spot)
        return ok({"orders": [_batch_row(*each) for each in zip(orders, told, strict=True)]})

    @route("POST /openApi/spot/v1/trade/cancel", trading=True, costs=costs("cancel", "orders"))
    def cancel_spot(self, call: Call) -> Any:
        return ok(spot_row(self.spot.cancel(call.account, named_order(call, self.spot))))

    @route("POST /openApi/spot/v1/trade/cancelOpenOrders", trading=True, costs=costs("cancel", "queries"))
    def cancel_all_spot(self, call: Call) -> Any:
        return ok({"orders": [spot_row(each) for each in cancel_open(call, self.spot)]})

    @route("GET /openApi/spot/v1/trade/query", costs=costs("fetch", "queries"))
    def query_spot(self, call: Call) -> Any:
        if (order := named_order(call, self.spot)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(spot_row(order))

    @route("GET /openApi/spot/v1/trade/openOrders", costs=costs("open", "orders"))
    def open_spot(self, call: Call) -> Any:
        return ok({"orders": [spot_row(each) for each in open_orders(call, self.spot)]})

    @route("POST /openApi/spot/v1/trade/cancelOrders", trading=True, costs=costs("cancel", "orders"))
    def cancel_spot_batch(self, call: Call) -> Any:
        """What is not open any more refuses nothing."""
        return ok(
            {
                "orders": [
                    spot_row(each) for each in cancel_named(call, self.spot, "orderIds", "clientOrderIDs")
                ]
            }
        )

    @route("POST /openApi/spot/v1/trade/order/cancelReplace", trading=True, costs=costs("place", "orders"))
    def replace_spot(self, call: Call) -> Any:
        """The new order is placed only when the old one could be cancelled, unless it is to be placed in any case."""
        old, why = cancel_replaced(call, self.spot)
        told: dict[str, Any] = {
            "cancelResult": {"code": 0 if old else 100400, "msg": why, "result": old is not None}
        }
        told["orderCancelResponse"] = spot_row(old) if old else None
        if old is None and call.text("cancelReplaceMode", "STOP_ON_FAILURE") != "ALLOW_FAILURE":
            return said(100400, why)
        (placed,) = self.each(call, [call.params], "/openApi/spot/v1/trade/order", self.place_spot)
        done = not placed["code"]
        told["openResult"] = {"code": placed["code"], "msg": placed["msg"], "result": done}
        return ok(told | {"orderOpenResponse": placed["data"] if done else None})

    @route("GET /openApi/spot/v1/trade/historyOrders", costs=costs("fetch", "queries"))
    def history_spot(self, call: Call) -> Any:
        """Newest first, in pages; of a symbol, a number and a state that may be named."""
        state, known = call.text("status", ""), recorded_orders(call, self.spot)
        rows = [row for row in map(spot_row, known) if state in ("", row["status"])]
        size, number = call.integer("pageSize", call.integer("limit", 100)), call.integer("pageIndex", 1)
        return ok({"orders": rows[(number - 1) * size : number * size]})

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /openApi/spot/v1/trade/myTrades", costs=costs("fetch", "queries"))
    def spot_trades(self, call: Call) -> Any:
        symbol, order_id = self.spot.market(call.text("symbol")).symbol, call.text("orderId", "")
        since, until = call.integer("startTime", 0), call.integer("endTime", call.now_ms)
        fills = [each for each in self.spot.book(call.account).fills if each.symbol == symbol]
        rows = [
            spot_fill(each)
            for each in fills
            if order_id in ("", each.order_id) and since <= each.time_ms <= until
        ]
        return ok({"fills": rows[-call.integer("limit", 500) :]})

    @route("GET /openApi/spot/v1/user/commissionRate", costs=costs("account", "queries"))
    def spot_fees(self, call: Call) -> Any:
        return ok(fees_of(self.spot))

    @route("GET /openApi/spot/v1/account/balance", costs=costs("account", "queries"))
    def spot_balance(self, call: Call) -> Any:
        wallet = self.spot.wallet
        return ok(
            {
                "balances": [
                    {
                        "asset": coin,
                        "free": text(call.account.free(wallet, coin)),
                        "locked": text(call.account.locked(wallet, coin)),
                    }
                    for coin in call.account.wallets[wallet]
                ]
            }
        )


def _batch_row(order: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    if not told["code"]:
        return dict(told["data"])
    named = {"symbol": order.get("symbol"), "orderId": 0, "clientOrderID": order.get("newClientOrderId", "")}
    return named | {"type": order.get("type"), "side": order.get("side"), "status": "FAILED"}
