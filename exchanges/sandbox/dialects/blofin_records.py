"""What became of BloFin's orders: how they are found, listed and told. TP/SL and trigger orders have ids of their own, and
what they become names them. https://docs.blofin.com/."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.blofin_frame import TRADING, BloFinFrame, frame, padded, page
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Fill, Order, Reason, Rejected, Ticket, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus

D = Decimal
AT_MARKET = D(-1)
ENDED = {OrderStatus.FILLED: "filled"}


class BloFinRecords(BloFinFrame):
    @route("GET /api/v1/trade/order-detail", costs=TRADING)
    def detail(self, call: Call) -> Any:
        self.desk.market(call.text("instId"))
        if name := call.text("algoClientOrderId", ""):
            first = self.desk.order(call.account, client_id=name)
            pair = _pair_of(self.desk, call.account, first) if first else []
            order = next((each for each in pair if each.live_id), None)
        else:
            order = self._plain(call)
        return frame(_order_row(self.desk, call.account, order) if order else None)

    @route("GET /api/v1/trade/order-tpsl-detail", costs=TRADING)
    def tpsl_detail(self, call: Call) -> Any:
        self.desk.market(call.text("instId"))
        pair = self._pair(call, "tpslId")
        return frame(_waiting_row(self.desk, call.account, pair) if pair else None)

    @route("GET /api/v1/trade/orders-pending", costs=TRADING)
    def pending(self, call: Call) -> Any:
        found = [order for order in self._listed(call) if order.open and not order.waiting]
        return page(call, [_order_row(self.desk, call.account, order) for order in found], "orderId")

    @route("GET /api/v1/trade/orders-history", costs=TRADING)
    def history(self, call: Call) -> Any:
        """Ended plain orders."""
        ended = [o for o in self._listed(call) if not o.open and (o.live_id or not _conditional(o))]
        return page(call, [_order_row(self.desk, call.account, order) for order in ended], "orderId")

    @route("GET /api/v1/trade/orders-tpsl-pending", "GET /api/v1/trade/orders-tpsl-history", costs=TRADING)
    def tpsls(self, call: Call) -> Any:
        return self._waiting_rows(call, "tpslId")

    @route("GET /api/v1/trade/orders-algo-pending", "GET /api/v1/trade/orders-algo-history", costs=TRADING)
    def triggers(self, call: Call) -> Any:
        if call.text("orderType") != "trigger":
            raise Rejected(Reason.BAD_PARAMETER, "orderType")
        return self._waiting_rows(call, "algoId")

    @route("GET /api/v1/trade/fills-history", costs=TRADING)
    def fills(self, call: Call) -> Any:
        """Newest first."""
        wanted, number, account = call.text("instId", ""), call.text("orderId", ""), call.account
        since, until = call.integer("begin", 0), call.integer("end", call.now_ms)
        rows = [
            _fill_row(order, fill)
            for fill in reversed(self.desk.book(account).fills)
            if wanted in ("", fill.symbol)
            and since <= fill.time_ms <= until
            and (order := self.desk.order(account, order_id=fill.order_id)) is not None
            and number in ("", order.live_id or order.id)
        ]
        return page(call, rows, "tradeId")

    def _waiting_rows(self, call: Call, id_name: str) -> Any:
        """Those that wait, or (history) all."""
        wanted, every = call.text(id_name, ""), call.path.endswith("history")
        found = (
            order
            for order in self._listed(call)
            if _id_name(order) == id_name and (every or (order.open and order.waiting))
        )
        listed = (_pair_of(self.desk, call.account, order) for order in found)
        firsts = {pair[0].id: pair for pair in listed}
        pairs = [pair for number, pair in firsts.items() if wanted in ("", number)]
        return page(call, [_waiting_row(self.desk, call.account, pair) for pair in pairs], id_name)

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        wanted = call.text("instId", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if wanted in ("", order.market.symbol):
                yield order

    def _plain(self, call: Call) -> Order | None:
        """A plain order, or the one that a conditional order became: by its own id, or by the name of that one."""
        order_id, name = call.text("orderId", ""), call.text("clientOrderId", "")
        if not order_id and not name:
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        order = self.desk.order(call.account, order_id=order_id, client_id=name)
        if order is not None and _conditional(order) and (not order_id or order.live_id != order_id):
            return None
        return order

    def _pair(self, call: Call, id_name: str) -> list[Order]:
        """The one or two orders of a conditional order; [] for an unknown one."""
        given, name = call.text(id_name, ""), call.text("clientOrderId", "")
        if not given and not name:
            raise Rejected(Reason.MISSING_PARAMETER, id_name)
        order = self.desk.order(call.account, order_id=given, client_id=name)
        if order is None or _id_name(order) != id_name or given not in ("", order.id):
            return []
        return list(_pair_of(self.desk, call.account, order))


def _pair_of(desk: Desk, account: Account, order: Order) -> list[Order]:
    """The orders of one TP/SL order, [] for a plain one; those that came with an entry find each other here."""
    pair: list[Order] = order.ticket.extra.get("pair", [])
    if not pair:
        known = desk.book(account).orders.values()
        pair += [each for each in known if _conditional(order) and each.ticket.extra.get("pair") is pair]
    return pair


def _conditional(order: Order) -> bool:
    return "pair" in order.ticket.extra


def _id_name(order: Order) -> str:
    """What the id of an order is called: conditional ones of two kinds are numbered apart."""
    return {"trigger": "algoId", "": "orderId"}.get(order.ticket.extra.get("leg", ""), "tpslId")


def _common_row(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "instId": order.market.symbol,
        "marginMode": ticket.extra["mode"].value,
        "positionSide": ticket.position_side or "net",
        "side": ticket.side.value,
        "reduceOnly": "true" if ticket.reduce_only else "false",
        "leverage": text(desk.leverage(account, order.market)),
        "createTime": str(order.created_ms),
        "updateTime": str(order.updated_ms),
        "brokerId": "",
    }


def _order_row(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    """A plain order, or the one that a conditional order became."""
    waited, leg = _conditional(order), order.ticket.extra.get("leg", "")
    kind = "market" if order.price is None else "limit" if waited else order.ticket.extra["orderType"]
    state = "partially_filled" if order.filled else "live"
    if not order.open:
        state = ENDED.get(order.status, "partially_canceled" if order.filled else "canceled")
    first = _pair_of(desk, account, order)[0] if waited else None
    reason = order.reason if state.endswith("canceled") else None
    return _common_row(desk, account, order) | {
        "orderId": order.live_id or order.id,
        "clientOrderId": "" if waited else order.client_id,
        "orderType": kind,
        "price": padded(order.price),
        "size": padded(order.quantity),
        "state": state,
        "filledSize": padded(order.filled),
        "filled_amount": padded(order.filled * order.market.contract_size),
        "averagePrice": padded(order.average_price),
        "fee": padded(sum(order.fees().values(), D(0))),
        "pnl": padded(sum((fill.realised for fill in order.fills), D(0))),
        "orderCategory": leg if leg in ("sl", "tp") else "normal",
        "algoId": first.id if first else "",
        "algoClientOrderId": first.client_id if first else "",
        "cancelSourceReason": reason,
        **dict.fromkeys(("tpTriggerPrice", "tpOrderPrice", "slTriggerPrice", "slOrderPrice")),
        **{
            f"{each.extra['leg']}{name}": told
            for each in order.ticket.attached
            for name, told in _leg_prices(each)
        },
    }


def _leg_prices(leg: Ticket) -> Iterator[tuple[str, str]]:
    yield "TriggerPrice", padded(leg.trigger_price)
    yield "OrderPrice", text(leg.price or AT_MARKET)


def _fill_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "instId": fill.symbol,
        "tradeId": str(fill.id),
        "orderId": order.live_id or order.id,
        "fillPrice": padded(fill.price),
        "fillSize": padded(fill.quantity),
        "fillPnl": padded(fill.realised),
        "positionSide": fill.position_side or "net",
        "side": fill.side.value,
        "fee": padded(fill.fee),
        "ts": str(fill.time_ms),
        "brokerId": "",
    }


def _waiting_row(desk: Desk, account: Account, pair: list[Order]) -> dict[str, Any]:
    first, fired = pair[0], next((order for order in pair if order.live_id), None)
    state = "live" if all(order.open for order in pair) else "canceled"
    if fired is not None:
        state = "order_failed" if fired.status is OrderStatus.REJECTED else "effective"
    row = _common_row(desk, account, first) | {
        _id_name(first): first.id,
        "clientOrderId": first.client_id,
        "size": text(first.ticket.extra["size"]),
        "state": state,
        "actualSize": text(fired.quantity) if fired else None,
    }
    if first.ticket.extra["leg"] == "trigger":
        price = text(first.ticket.price or AT_MARKET)
        return row | {
            "orderType": "trigger",
            "triggerPrice": padded(first.trigger_price),
            "orderPrice": price,
            "triggerPriceType": "last",
            "attachAlgoOrders": [],
        }
    row |= dict.fromkeys(("tpTriggerPrice", "tpOrderPrice", "slTriggerPrice", "slOrderPrice"))
    for order in pair:
        leg = order.ticket.extra["leg"]
        row[f"{leg}TriggerPrice"] = padded(order.trigger_price)
        row[f"{leg}OrderPrice"] = text(order.ticket.price or AT_MARKET)
    return row
