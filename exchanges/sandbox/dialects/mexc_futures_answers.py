"""What MEXC tells of contract orders and deals, and the numbers that positions go by. https://www.mexc.com/api-docs/futures/.

Positions themselves are told in `mexc_futures_account`, markets in `mexc_futures`.
"""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialects.mexc_frame import MEXCFrame
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected
from exchanges.sandbox.wire import Call
from exchanges.types import MarginMode, OrderStatus, OrderType, PositionMode, Side, TriggerBy

MARGIN = {"1": MarginMode.ISOLATED, "2": MarginMode.CROSS}
MARGIN_NUMBERS = {mode: int(number) for number, mode in MARGIN.items()}
MODES = {"1": PositionMode.HEDGE, "2": PositionMode.ONE_WAY}
TRENDS = {"1": TriggerBy.LAST, "2": TriggerBy.MARK, "3": TriggerBy.INDEX}
STATES = {OrderStatus.OPEN: 2, OrderStatus.FILLED: 3, OrderStatus.CANCELLED: 4, OrderStatus.REJECTED: 5}


class ContractAnswers(MEXCFrame):
    # -- orders and deals ------------------------------------------------------------------------------

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        fees = sum(order.fees().values(), ZERO)
        position = self.desk.position(account, order)
        maker = bool(order.fills) and order.fills[0].maker
        return self._common(account, order) | {
            "orderId": order.live_id or order.id,
            "positionId": self._number_of(account, position) if position.quantity else 0,
            "price": order.price or order.average_price or ZERO,
            "category": 1,
            **dict.fromkeys(("orderMargin", "usedMargin"), ZERO),
            "orderType": int(order.ticket.extra["type"]),
            "dealAvgPrice": order.average_price or ZERO,
            "dealVol": order.filled,
            "takerFee": ZERO if maker else fees,
            "makerFee": fees if maker else ZERO,
            "profit": sum((fill.realised for fill in order.fills), ZERO),
            "feeCurrency": order.market.quote,
            "state": STATES[order.status],
            "externalOid": order.client_id,
        }

    def _common(self, account: Account, order: Order) -> dict[str, Any]:
        return {
            "symbol": order.market.symbol,
            "positionId": 0,
            "vol": order.quantity,
            "leverage": self.desk.leverage(account, order.market),
            "side": int(order.ticket.extra["side"]),
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, order.market)],
            "errorCode": 2005 if order.status is OrderStatus.REJECTED else 0,
            "createTime": order.created_ms,
            "updateTime": order.updated_ms,
            "positionMode": 2 if order.ticket.position_side is None else 1,
            "reduceOnly": order.ticket.reduce_only,
        }

    def _plan_row(self, account: Account, order: Order) -> dict[str, Any]:
        placed = {"orderId": int(order.live_id)} if order.live_id else {}
        return (
            self._common(account, order)
            | placed
            | {
                "id": order.id,
                "triggerPrice": order.trigger_price,
                "price": order.price or ZERO,
                "triggerType": 1 if order.ticket.trigger_rises else 2,
                "state": _plan_state(order),
                "executeCycle": 168,
                "trend": _trend(order),
                "orderType": int(order.ticket.extra["type"]),
            }
        )

    def _pair_row(self, account: Account, legs: list[Order]) -> dict[str, Any]:
        fired = next((leg for leg in legs if leg.live_id), None)
        first = fired or legs[0]
        state = _plan_state(first)
        if state == 2 and first.reason == "position_closed":
            state = 4
        row = self._common(account, first) | {
            "id": first.ticket.extra["record"],
            "orderId": 0,
            "positionId": self._position_number(account, first),
            "state": state,
            "triggerSide": 0 if fired is None else 2 if stops(fired) else 1,
            "positionType": 1 if first.side is Side.SELL else 2,
            "realityVol": first.filled,
            "placeOrderId": int(first.live_id) if fired else None,
            "isFinished": int(state != 1),
            "volType": 1,
            "profitLossVolType": "SAME",
        }
        for leg in legs:
            name = "stopLoss" if stops(leg) else "takeProfit"
            row |= {f"{name}Price": leg.trigger_price, f"{name}Type": int(leg.price is not None)}
            row[f"{name}OrderPrice"] = leg.price or ZERO
            row["lossTrend" if stops(leg) else "profitTrend"] = _trend(leg)
        return row

    @staticmethod
    def _deal_row(order: Order, fill: Fill) -> dict[str, Any]:
        return {
            "id": str(fill.id),
            "symbol": fill.symbol,
            "side": int(order.ticket.extra["side"]),
            "vol": fill.quantity,
            "price": fill.price,
            "fee": fill.fee,
            "feeCurrency": fill.fee_asset,
            "profit": fill.realised,
            "category": 1,
            "orderId": order.live_id or order.id,
            "timestamp": fill.time_ms,
            "positionMode": 2 if fill.position_side is None else 1,
            "taker": not fill.maker,
        }

    # -- the numbers of positions ----------------------------------------------------------------------

    def _number_of(self, account: Account, position: Position) -> int:
        """That of the fill that opened it: a position that was closed comes back under another number."""
        held, number = ZERO, 0
        for fill in self.desk.book(account).fills:
            if (fill.symbol, fill.position_side) == (position.market.symbol, position.side):
                before, signed = held, fill.quantity if fill.side is Side.BUY else -fill.quantity
                held += signed
                if not before or (held and (held > 0) != (before > 0)):
                    number = fill.id
        return number

    def _position_number(self, account: Account, leg: Order) -> int:
        """Of the position that a leg hangs on; one that came with its entry hangs on what that opened."""
        known: int | None = leg.ticket.extra.get("position")
        return self._number_of(account, self.desk.position(account, leg)) if known is None else known

    def _position_of(self, call: Call) -> Position:
        wanted = call.integer("positionId")
        for position in self.desk.book(call.account).open_positions():
            if self._number_of(call.account, position) == wanted:
                return position
        raise Rejected(Reason.REDUCE_ONLY)


def ok(data: Any) -> dict[str, Any]:
    return {"success": True, "code": 0, "data": data}


def page(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    number, size = call.integer("page_num", 1), call.integer("page_size", 20)
    return rows[(number - 1) * size : number * size]


def conditional(order: Order) -> bool:
    return order.ticket.type.conditional


def is_plan(order: Order) -> bool:
    return conditional(order) and "record" not in order.ticket.extra


def stops(order: Order) -> bool:
    return order.ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT)


def _trend(order: Order) -> int:
    return next(int(number) for number, by in TRENDS.items() if by is order.ticket.trigger_by)


def _plan_state(order: Order) -> int:
    """1 waits, 2 cancelled, 3 executed, 5 could not be placed."""
    if order.waiting and order.open:
        return 1
    if order.status is OrderStatus.REJECTED:
        return 5
    return 3 if order.live_id else 2
