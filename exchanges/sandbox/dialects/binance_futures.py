"""Binance futures: orders. Those with a trigger live at `/fapi/v1/algoOrder`; `/fapi/v1/order` refuses them.

Sources (read 2026-11-22): developers.binance.com/docs/derivatives/usds-margined-futures (trade/rest-api/
New-Order, New-Algo-Order, Place-Multiple-Orders, Query-Algo-Order, Current-All-Algo-Open-Orders). A triggered algo order becomes
an order with an id of its own (`actualOrderId`); an orphan left by a closed position stays, as there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_frame import FORCES, SIDES, Words, listed, worded
from exchanges.sandbox.dialects.binance_futures_account import FuturesAccount
from exchanges.sandbox.dialects.binance_markets import ALGO_TYPES, MARKET_TYPES
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import (
    ZERO,
    Market,
    Order,
    Reason,
    Rejected,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call
from exchanges.types import (
    Direction,
    OrderStatus,
    OrderType,
    TimeInForce,
    TriggerBy,
)

#: what an order costs by itself
ONE = {"orders": 1, "orders_minute": 1}
LARGEST_BATCH = 5
LARGEST_CANCEL = 10
_POSITION_SIDES = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
_FORCES = {**FORCES, "GTX": TimeInForce.GTC}
_MODIFY_WORDS: Words = {Reason.NOT_MODIFIED: (400, -5027, "No need to modify the order.")}
_WORKING = {"CONTRACT_PRICE": TriggerBy.LAST, "MARK_PRICE": TriggerBy.MARK}
_REDUCE_ONLY_WORDS: Words = {
    Reason.BAD_PARAMETER: (400, -1106, "Parameter 'reduceonly' sent when not required."),
}


class FuturesOrders(FuturesAccount):
    """What both kinds of futures share."""

    # -- orders ------------------------------------------------------------------------------------------

    @route("POST /fapi/v1/order", trading=True, costs=ONE)
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._order_ticket(call))
        row = self._row(order)
        if call.text("newOrderRespType", "ACK") == "ACK":
            row |= {
                "status": "NEW",
                "avgPrice": "0.00",
                "executedQty": "0",
                "cumQty": "0",
                **self._cost(ZERO),
            }
        return row

    @route("POST /fapi/v1/batchOrders", trading=True, costs={"weight": 5, "orders": 5, "orders_minute": 1})
    def place_batch(self, call: Call) -> Any:
        """Not one that waits for a trigger: each is refused as `/order` refuses it."""
        return self._batch(call, self.place)

    def _batch(self, call: Call, handler: Callable[[Call], Any]) -> list[Any]:
        orders = listed(call.text("batchOrders"), "batchOrders")
        if not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "batchOrders")
        return self.each(call, orders, call.path.replace("batchOrders", "order"), handler)

    @route("PUT /fapi/v1/order", trading=True, costs=ONE)
    def modify(self, call: Call) -> Any:
        """Price and whole quantity of a limit order; a quantity that is filled already cancels it, and so does a price at
        which one that may only make would take. developers.binance.com/docs/derivatives/usds-margined-futures
        (trade/rest-api/Modify-Order), read 2026-11-23."""
        order = self._real_order(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        if order.price is None or call.one_of("side", SIDES) is not order.side:
            raise Rejected(Reason.BAD_PARAMETER, "side")
        price, quantity = self._changes(call, order)
        if order.open and (price, quantity) == (order.price, order.quantity):
            raise worded(Reason.NOT_MODIFIED, _MODIFY_WORDS)
        try:
            changed = self.desk.amend(call.account, order, quantity=quantity, price=price)
        except Rejected as refused:
            if refused.reason is not Reason.POST_ONLY:
                raise
            changed = self.desk.cancel(call.account, order)
        return self._row(changed)

    def _changes(self, call: Call, order: Order) -> tuple[Decimal | None, Decimal]:
        """Both are named, also what stays."""
        return self._price(call, "price", order.market), self._quantity(call, order.market)

    @route("PUT /fapi/v1/batchOrders", trading=True, costs={"weight": 5, "orders": 5, "orders_minute": 1})
    def modify_batch(self, call: Call) -> Any:
        return self._batch(call, self.modify)

    @route("DELETE /fapi/v1/batchOrders", trading=True)
    def cancel_batch(self, call: Call) -> Any:
        """`orderidlist` is how ccxt spells it."""
        by_id, symbol = call.text("orderIdList", call.text("orderidlist", "")), self.symbol(call).symbol
        names = listed(by_id or call.text("origClientOrderIdList"), "orderIdList")
        if not 0 < len(names) <= LARGEST_CANCEL:
            raise Rejected(Reason.BAD_PARAMETER, "orderIdList")
        name = "orderId" if by_id else "origClientOrderId"
        return [self.alone(call.asking(symbol=symbol, **{name: str(each)}), self.cancel) for each in names]

    @route("POST /fapi/v1/order/test", trading=True)
    def test(self, call: Call) -> Any:
        self.desk.check(call.account, self._order_ticket(call))
        return {}

    def _order_ticket(self, call: Call) -> Ticket:
        if call.text("type") in (*ALGO_TYPES, "TRAILING_STOP_MARKET"):
            raise Rejected(Reason.ENDPOINT)
        kind = call.one_of("type", MARKET_TYPES)
        ticket = self._ticket(call, kind, "newClientOrderId")
        return replace(ticket, quantity=self._quantity(call, self.symbol(call)))

    def _ticket(self, call: Call, kind: OrderType, client_id: str) -> Ticket:
        market = self.symbol(call)
        priced = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        position_side = call.one_of("positionSide", _POSITION_SIDES, "BOTH")
        reduce_only = call.flag("reduceOnly")
        if reduce_only and self._hedged(call.account):
            raise worded(Reason.BAD_PARAMETER, _REDUCE_ONLY_WORDS)
        force = call.text("timeInForce", None if priced and kind is OrderType.LIMIT else "GTC")
        return Ticket(
            symbol=market.symbol,
            side=call.one_of("side", SIDES),
            type=kind,
            price=self._price(call, "price", market) if priced else None,
            time_in_force=call.one_of("timeInForce", _FORCES, "GTC"),
            post_only=priced and force == "GTX",
            reduce_only=reduce_only,
            position_side=position_side,
            client_id=self.client_id(call, client_id),
            extra={"type": call.text("type"), "force": force},
        )

    @staticmethod
    def _price(call: Call, name: str, market: Market) -> Decimal:
        price = call.decimal(name)
        if decimals_of(price) > market.extra["decimals"]:
            raise Rejected(Reason.PRECISION, name)
        return price

    @staticmethod
    def _quantity(call: Call, market: Market) -> Decimal:
        quantity = call.decimal("quantity")
        if decimals_of(quantity) > decimals_of(market.step):
            raise Rejected(Reason.PRECISION, "quantity")
        return quantity

    @route("GET /fapi/v1/order")
    def query(self, call: Call) -> Any:
        return self._row(self._known(call))

    @route("GET /fapi/v1/openOrder")
    def query_open(self, call: Call) -> Any:
        order = self._known(call)
        if not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._row(order)

    def _known(self, call: Call) -> Order:
        order = self._real_order(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return order

    def _real_order(self, call: Call) -> Order | None:
        """The algo service's orders are not known here before they trigger, then under their new id only."""
        order = self.named_order(call)
        if order is not None and order.ticket.type.conditional and call.text("orderId", "") != order.live_id:
            return None
        return order

    @route("GET /fapi/v1/openOrders")
    def open_orders(self, call: Call) -> Any:
        markets = self.symbol_or_all(call)
        return [
            self._row(each)
            for each in self.desk.book(call.account).open.values()
            if each.market in markets and not each.waiting
        ]

    @route("GET /fapi/v1/allOrders", costs={"weight": 5})
    def all_orders(self, call: Call) -> Any:
        market = self.symbol(call)
        rows = [
            self._row(each)
            for each in self.desk.book(call.account).orders.values()
            if each.market is market and (each.live_id or not each.ticket.type.conditional)
        ]
        return self.windowed(call, rows, first="orderId", key="orderId")

    @route("DELETE /fapi/v1/order", trading=True)
    def cancel(self, call: Call) -> Any:
        return self._row(self.desk.cancel(call.account, self._real_order(call)))

    @route("DELETE /fapi/v1/allOpenOrders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        self._cancel_where(call, waiting=False)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _cancel_where(self, call: Call, *, waiting: bool) -> None:
        market = self.symbol(call)
        for order in list(self.desk.book(call.account).open.values()):
            if order.open and order.market is market and order.waiting is waiting:
                self.desk.cancel(call.account, order)

    # -- the algo service --------------------------------------------------------------------------------

    @route("POST /fapi/v1/algoOrder", trading=True, costs=ONE)
    def place_algo(self, call: Call) -> Any:
        if call.text("algoType") != "CONDITIONAL":
            raise Rejected(Reason.BAD_PARAMETER, "algoType")
        order = self.desk.place(call.account, self._algo_ticket(call))
        return self._algo_row(order)

    def _algo_ticket(self, call: Call) -> Ticket:
        market, kind = self.symbol(call), call.one_of("type", ALGO_TYPES)
        ticket = replace(
            self._ticket(call, kind, "clientAlgoId"),
            trigger_price=self._price(call, "triggerPrice", market),
            trigger_by=call.one_of("workingType", _WORKING, "CONTRACT_PRICE"),
        )
        if not call.flag("closePosition"):
            return replace(ticket, quantity=self._quantity(call, market))
        if ticket.reduce_only or call.text("quantity", ""):
            raise Rejected(Reason.BAD_PARAMETER, "closePosition")
        if self._closes_already(call.account, ticket):
            raise Rejected(Reason.CLOSE_POSITION_EXISTS)
        return replace(ticket, close_position=True)

    def _closes_already(self, account: Account, ticket: Ticket) -> bool:
        """One stop and one take-profit that close the whole position per direction."""
        stops = (OrderType.STOP, OrderType.STOP_LIMIT)
        return any(
            other.ticket.close_position
            and other.market.symbol == ticket.symbol
            and other.side is ticket.side
            and other.ticket.position_side is ticket.position_side
            and (other.ticket.type in stops) == (ticket.type in stops)
            for other in self.desk.book(account).open.values()
        )

    @route("GET /fapi/v1/algoOrder")
    def query_algo(self, call: Call) -> Any:
        order = self._algo(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._algo_row(order)

    @route("GET /fapi/v1/openAlgoOrders")
    def open_algos(self, call: Call) -> Any:
        markets = self.symbol_or_all(call)
        return [
            self._algo_row(each)
            for each in self.desk.book(call.account).open.values()
            if each.market in markets and each.waiting
        ]

    @route("GET /fapi/v1/allAlgoOrders", costs={"weight": 5})
    def all_algos(self, call: Call) -> Any:
        market = self.symbol(call)
        rows = [
            self._algo_row(each)
            for each in self.desk.book(call.account).orders.values()
            if each.market is market and each.ticket.type.conditional
        ]
        return self.windowed(call, rows, first="algoId", key="algoId", time="createTime")

    @route("DELETE /fapi/v1/algoOrder", trading=True)
    def cancel_algo(self, call: Call) -> Any:
        order = self._algo(call)
        if order is not None and not order.waiting:
            order = None  # it is an order now, and cancelled as one
        self.desk.cancel(call.account, order)
        assert order is not None
        return {
            "algoId": int(order.id),
            "clientAlgoId": order.client_id,
            "code": "200",
            "msg": "success",
        }

    @route("DELETE /fapi/v1/algoOpenOrders", trading=True)
    def cancel_algos(self, call: Call) -> Any:
        self._cancel_where(call, waiting=True)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _algo(self, call: Call) -> Order | None:
        algo_id, client_id = call.text("algoId", ""), call.text("clientAlgoId", "")
        if not algo_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "algoId")
        order = self.desk.order(call.account, order_id=algo_id, client_id=client_id)
        if order is None or not order.ticket.type.conditional or algo_id not in ("", order.id):
            return None
        return order

    # -- shapes ------------------------------------------------------------------------------------------

    def _row(self, order: Order) -> dict[str, Any]:
        """An order of `/fapi/v1/order`; a triggered algo order shows as what it became."""
        ticket, market = order.ticket, order.market
        became = {
            "STOP_MARKET": "MARKET",
            "TAKE_PROFIT_MARKET": "MARKET",
            "STOP": "LIMIT",
            "TAKE_PROFIT": "LIMIT",
        }
        kind = became.get(ticket.extra["type"], ticket.extra["type"])
        return {
            "orderId": int(order.live_id or order.id),
            "symbol": market.symbol,
            "status": self.status_of(order),
            "clientOrderId": f"algo_{order.live_id}" if order.live_id else order.client_id,
            "price": text(order.price),
            "avgPrice": text(order.average_price) if order.filled else "0.00",
            "origQty": text(order.quantity, decimals_of(market.step)),
            "executedQty": text(order.filled, decimals_of(market.step)),
            "cumQty": text(order.filled, decimals_of(market.step)),
            **self._cost(order.quote_filled),
            "timeInForce": ticket.extra["force"],
            "type": kind,
            "reduceOnly": ticket.reduce_only,
            "closePosition": ticket.close_position,
            "side": ticket.side.upper(),
            "positionSide": (ticket.position_side or "both").upper(),
            "stopPrice": "0",
            "workingType": "CONTRACT_PRICE",
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": 0,
            "priceProtect": False,
            "origType": kind,
            "time": order.triggered_ms or order.created_ms,
            "updateTime": order.updated_ms,
        }

    def _cost(self, value: Decimal) -> dict[str, str]:
        """What the filled part cost, in the currency it is settled in."""
        return {"cumQuote": text(value, 5), "cumBase": "0"}

    def _algo_row(self, order: Order) -> dict[str, Any]:
        ticket, market = order.ticket, order.market
        mark = ticket.trigger_by is TriggerBy.MARK
        return {
            "algoId": int(order.id),
            "clientAlgoId": order.client_id,
            "algoType": "CONDITIONAL",
            "orderType": ticket.extra["type"],
            "symbol": market.symbol,
            "side": ticket.side.upper(),
            "positionSide": (ticket.position_side or "both").upper(),
            "timeInForce": ticket.extra["force"],
            "quantity": text(order.quantity, decimals_of(market.step)),
            "algoStatus": _algo_status(order),
            "actualOrderId": order.live_id,
            "actualPrice": text(order.average_price, 5),
            "triggerPrice": text(order.trigger_price, market.extra["decimals"]),
            "price": text(order.price, market.extra["decimals"]),
            "icebergQuantity": None,
            "tpTriggerPrice": "0.000",
            "tpPrice": "0.000",
            "slTriggerPrice": "0.000",
            "slPrice": "0.000",
            "tpOrderType": "",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": "MARK_PRICE" if mark else "CONTRACT_PRICE",
            "priceMatch": "NONE",
            "closePosition": ticket.close_position,
            "priceProtect": False,
            "reduceOnly": ticket.reduce_only,
            "createTime": order.created_ms,
            "updateTime": order.updated_ms,
            "triggerTime": order.triggered_ms or 0,
            "goodTillDate": 0,
        }


class BinanceFutures(FuturesOrders):
    name = "Binance_F"


def _algo_status(order: Order) -> str:
    """FINISHED says only that the order it became has ended."""
    if order.live_id and order.status is not OrderStatus.REJECTED:
        return "TRIGGERED" if order.open else "FINISHED"
    words = {OrderStatus.OPEN: "NEW", OrderStatus.CANCELLED: "CANCELED", OrderStatus.REJECTED: "REJECTED"}
    return words.get(order.status, "EXPIRED")
