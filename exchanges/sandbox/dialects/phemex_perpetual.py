"""Orders and trades of Phemex perpetuals: amounts and prices are decimals; of the lists some tell words as numbers.
https://phemex-docs.github.io/ (read 2026-11-22)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.phemex_frame import CONTRACT, OTHERS, ok, page
from exchanges.sandbox.dialects.phemex_orders import (
    LIMITS,
    SIDES,
    TYPES,
    PhemexOrders,
    cancel_all_of,
    execution_row,
    manner,
    open_of,
    order_row,
)
from exchanges.sandbox.dialects.phemex_positions import POSITION_SIDE_OF, POSITION_SIDES, PhemexPositions
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected, Ticket, text
from exchanges.sandbox.wire import Call
from exchanges.types import Side, TriggerBy

TRIGGERS = {"ByLastPrice": TriggerBy.LAST, "ByMarkPrice": TriggerBy.MARK, "ByIndexPrice": TriggerBy.INDEX}
#: of the order list
STATUS_NUMBERS = {
    "Untriggered": 1,
    "Deactivated": 2,
    "Rejected": 4,
    "New": 5,
    "PartiallyFilled": 6,
    "Filled": 7,
    "Canceled": 8,
}


class PhemexPerpetualOrders(PhemexOrders, PhemexPositions):
    @route("POST /g-orders", "PUT /g-orders/create", trading=True, costs=CONTRACT)
    def place(self, call: Call) -> Any:
        kind = call.text("ordType", "Limit")
        ticket = Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            call.one_of("ordType", TYPES, "Limit"),
            quantity=call.decimal("orderQtyRq"),
            price=call.decimal("priceRp") if kind in LIMITS else None,
            trigger_price=call.decimal("stopPxRp") if TYPES[kind].conditional else None,
            reduce_only=call.flag("reduceOnly"),
            position_side=call.one_of("posSide", POSITION_SIDES),
            **manner(call, "triggerType", TRIGGERS),
        )
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        return ok(_perpetual_order(self.linear.place(call.account, ticket), placing=True))

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """Its stop and its target: orders of their own from the first fill on, that hang on the position."""
        if entry.reduce_only or entry.exits:
            return
        side, link = entry.side.opposite, f"attached {self.linear.number()}"
        for name, short, kinds in (
            ("stopLossRp", "sl", ("Stop", "StopLimit")),
            ("takeProfitRp", "tp", ("MarketIfTouched", "LimitIfTouched")),
        ):
            if not (trigger := call.decimal_or_none(name)):
                continue
            price = call.decimal_or_none(f"{short}PxRp") or None
            word = kinds[price is not None]
            yield Ticket(
                entry.symbol,
                side,
                TYPES[word],
                quantity=entry.quantity,
                price=price,
                trigger_price=trigger,
                trigger_by=call.one_of(f"{short}Trigger", TRIGGERS, "ByMarkPrice"),
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=link,
                extra={"ordType": word, "timeInForce": "GoodTillCancel", "leg": name},
            )

    @route("PUT /g-orders/replace", trading=True, costs=CONTRACT)
    def amend(self, call: Call) -> Any:
        side, order = call.one_of("posSide", POSITION_SIDES), self._named(call, self.linear)
        self._fits(call, hedged=side is not None)
        changed = self.linear.amend(
            call.account,
            order,
            quantity=call.decimal_or_none("orderQtyRq"),
            price=call.decimal_or_none("priceRp"),
            trigger_price=call.decimal_or_none("stopPxRp"),
        )
        return ok(_perpetual_order(changed))

    @route("DELETE /g-orders", trading=True, costs=CONTRACT)
    def cancel_several(self, call: Call) -> Any:
        """Those of them that are open."""
        market = self.linear.market(call.text("symbol"))
        names = [("order_id", each) for each in call.text("orderID", "").split(",") if each]
        names += [("client_id", each) for each in call.text("clOrdID", "").split(",") if each]
        found = [self.linear.order(call.account, **{name: each}) for name, each in names]
        known = [each for each in found if each is not None and each.open and each.market is market]
        if not known:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok([_perpetual_order(self.linear.cancel(call.account, each)) for each in known if each.open])

    @route("DELETE /g-orders/cancel", trading=True, costs=CONTRACT)
    def cancel(self, call: Call) -> Any:
        side, order = call.one_of("posSide", POSITION_SIDES), self._named(call, self.linear)
        self._fits(call, hedged=side is not None)
        if order is not None and order.ticket.position_side is not side:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(_perpetual_order(self.linear.cancel(call.account, order)))

    @route("DELETE /g-orders/all", trading=True, costs={"address": 1, "contract": 3})
    def cancel_all(self, call: Call) -> Any:
        return ok(cancel_all_of(call, self.linear))

    @route("GET /g-orders/activeList", costs=CONTRACT)
    def open(self, call: Call) -> Any:
        rows = [_perpetual_order(each) for each in open_of(call, self.linear)]
        return ok({"rows": rows, "nextPageArg": ""})

    @route("GET /api-data/g-futures/orders/by-order-id", costs=OTHERS)
    def history(self, call: Call) -> Any:
        order = self._named(call, self.linear)
        return ok([_perpetual_order(order, history=True)] if order else [])

    @route("GET /api-data/g-futures/orders", costs=OTHERS)
    def all_orders(self, call: Call) -> Any:
        """Newest first."""
        market = self.linear.market(call.text("symbol"))
        known = reversed(list(self.linear.book(call.account).orders.values()))
        rows = [_perpetual_order(each, history=True) for each in known if each.market is market]
        return ok(page(call, rows)["rows"])

    @route("GET /exchange/order/v2/tradingList", "GET /api-data/g-futures/trades", costs=OTHERS)
    def trades(self, call: Call) -> Any:
        """Newest first; the older address tells words as numbers. A list from either, as ccxt reads both."""
        symbol, book = call.text("symbol", ""), self.linear.book(call.account)
        found = [(book.orders[e.order_id], e) for e in reversed(book.fills) if symbol in ("", e.symbol)]
        if call.path.startswith("/exchange"):
            return ok(page(call, [_numbered_trade(*each) for each in found])["rows"])
        return ok(page(call, [_perpetual_trade(*each) for each in found])["rows"])

    @route("GET /exchange/order/v2/orderList", costs=OTHERS)
    def order_list(self, call: Call) -> Any:
        """Newest first, words as numbers; of all symbols unless one is named."""
        if call.text("currency") != "USDT":
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        wanted, symbol = call.text("ordStatus", ""), call.text("symbol", "")
        rows = [
            _list_row(each)
            for each in reversed(list(self.linear.book(call.account).orders.values()))
            if symbol in ("", each.market.symbol)
        ]
        rows = [each for each in rows if wanted in ("", str(each["ordStatus"]))]
        first = call.integer("offset", 0)
        return ok({"total": len(rows), "rows": rows[first : first + call.integer("limit", 20)]})


def _perpetual_order(order: Order, *, placing: bool = False, history: bool = False) -> dict[str, Any]:
    filled, value = (ZERO, ZERO) if placing else (order.filled, order.quote_filled)
    fees = {"execFeeRv": text(sum(order.fees().values(), ZERO))} if history else {}
    return {
        **order_row(order, placing=placing, history=history),
        "ordType" if history else "orderType": order.ticket.extra["ordType"],
        "posSide": POSITION_SIDE_OF[order.ticket.position_side],
        "reduceOnly": order.ticket.reduce_only,
        "execInst": "ReduceOnly" if order.ticket.reduce_only else "None",
        "orderQtyRq": text(order.quantity),
        "priceRp": text(order.price),
        "stopPxRp": text(order.trigger_price),
        "cumQtyRq": text(filled),
        "cumValueRv": text(value),
        "leavesQtyRq": text(order.remaining if order.open else ZERO),
        **_legs(order),
        "actionTimeNs": order.created_ms * 1_000_000,
        "transactTimeNs": order.updated_ms * 1_000_000,
        **fees,
    }


def _legs(order: Order) -> dict[str, str]:
    """At what prices the orders that it brings along wait."""
    told = {each.extra["leg"]: text(each.trigger_price) for each in order.ticket.attached}
    return {name: told.get(name, "0") for name in ("takeProfitRp", "stopLossRp")}


def _money_of(order: Order, fill: Fill) -> dict[str, str]:
    return {
        "currency": order.market.quote,
        "orderQtyRq": text(order.quantity),
        "priceRp": text(order.price or fill.price),
        "execQtyRq": text(fill.quantity),
        "execPriceRp": text(fill.price),
        "execValueRv": text(fill.quantity * fill.price),
        "execFeeRv": text(fill.fee),
        "feeRateRr": text(fill.fee / (fill.quantity * fill.price), 6),
        "closedPnlRv": text(fill.realised),
    }


def _perpetual_trade(order: Order, fill: Fill) -> dict[str, Any]:
    told = {"posSide": POSITION_SIDE_OF[fill.position_side], "closedSizeRq": "0"}
    return execution_row(order, fill, "execID") | _money_of(order, fill) | told


def _numbered_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return _money_of(order, fill) | {
        "createdAt": fill.time_ms,
        "symbol": fill.symbol,
        "side": 1 if fill.side is Side.BUY else 2,
        "ordType": list(TYPES).index(order.ticket.extra["ordType"]) + 1,
        "action": 1,
        "tradeType": 1,
        "execStatus": 7 if fill.maker else 6,
        "execId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}"))[:7],
        "orderId": order.id,
    }


def _list_row(order: Order) -> dict[str, Any]:
    row = _perpetual_order(order, history=True)
    return {
        "createdAt": order.created_ms,
        "orderId": row["orderId"],
        "clOrdId": row["clOrdId"],
        "symbol": row["symbol"],
        "side": 1 if order.side is Side.BUY else 2,
        "posSide": {"Long": 1, "Short": 2, "Merged": 3}[row["posSide"]],
        "ordType": list(TYPES).index(row["ordType"]) + 1,
        "ordStatus": STATUS_NUMBERS[row["ordStatus"]],
        "orderQtyRq": row["orderQtyRq"],
        "priceRp": row["priceRp"],
        "stopPxRp": row["stopPxRp"],
        "execQtyRq": row["cumQtyRq"],
        "leavesQtyRq": row["leavesQtyRq"],
        "cumValueRv": row["cumValueRv"],
        "execPriceRp": text(order.average_price),
        "execFeeRv": row["execFeeRv"],
        "bizError": 0,
        "totalPnlRv": None,
    }
