"""Order lists of Binance spot: pairs of which one order ends the other.

Sources: developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints (New Order list - OCO; New OCO -
Deprecated), read 2026-11-22 and 23.
"""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_frame import FORCES, SIDES, Binance
from exchanges.sandbox.dialects.binance_markets import SPOT_TYPES
from exchanges.sandbox.model import Order, Reason, Rejected, Ticket, decimals_of
from exchanges.sandbox.wire import Call
from exchanges.types import OrderType, Side

_TARGETS = ("LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_STOPS = ("STOP_LOSS", "STOP_LOSS_LIMIT")
LIMITS = (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)


class BinanceLists(Binance):
    @abstractmethod
    def _placed(self, order: Order, shape: str) -> dict[str, Any]:
        """An order as it is told when it was placed."""

    @route("POST /api/v3/orderList/oco", trading=True, costs={"weight": 1, "orders": 2})
    def place_oco(self, call: Call) -> Any:
        """developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints (New Order list - OCO)"""
        self._check_oco(call)
        link = str(self.desk.number())
        list_id = self.client_id(call, "listClientOrderId")
        tickets = [self._leg(call, place, link, list_id) for place in ("above", "below")]
        self.desk.place_linked(call.account, tickets)
        return self._list(call, link, "EXEC_STARTED")

    @route("POST /api/v3/order/oco", trading=True, costs={"weight": 1, "orders": 2})
    def place_old_oco(self, call: Call) -> Any:
        """As it was asked for before `above` and `below`: a limit order and a stop."""
        limit, stop = ("above", "below") if call.one_of("side", SIDES) is Side.SELL else ("below", "above")
        asked = {f"{limit}Type": "LIMIT_MAKER", f"{stop}Type": "STOP_LOSS"}
        if call.text("stopLimitPrice", ""):
            asked[f"{stop}Type"] = "STOP_LOSS_LIMIT"
        names = {name: name for name in ("symbol", "side", "quantity", "listClientOrderId")}
        names |= {f"{limit}Price": "price", f"{limit}ClientOrderId": "limitClientOrderId"}
        names |= {f"{stop}ClientOrderId": "stopClientOrderId"}
        names |= {f"{stop}StopPrice": "stopPrice", f"{stop}Price": "stopLimitPrice"}
        names |= {f"{stop}TimeInForce": "stopLimitTimeInForce"}
        given = {name: call.text(old, "") for name, old in names.items()}
        return self.place_oco(call.asking(**asked, **given))

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
            quantity=eighths(call, "quantity"),
            price=eighths(call, f"{place}Price") if kind in LIMITS else None,
            trigger_price=eighths(call, f"{place}StopPrice") if kind.conditional else None,
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

    @route("GET /api/v3/allOrderList", costs={"weight": 20})
    def all_lists(self, call: Call) -> Any:
        links = dict.fromkeys(
            each.ticket.link for each in self.desk.book(call.account).orders.values() if each.ticket.link
        )
        rows = [self._list(call, link, "") for link in links]
        return self.windowed(call, rows, first="fromId", key="orderListId", time="transactionTime")

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
            "transactionTime": legs[0].created_ms,
            "symbol": legs[0].market.symbol,
            "orders": [
                {"symbol": leg.market.symbol, "orderId": int(leg.id), "clientOrderId": leg.client_id}
                for leg in legs
            ],
            "orderReports": [self._placed(leg, "RESULT") for leg in legs],
        }


def _reference(call: Call, place: str) -> Decimal:
    """The price of a leg that has to lie on its side of the market: its trigger, else its limit."""
    return call.decimal_or_none(f"{place}StopPrice") or call.decimal(f"{place}Price")


def eighths(call: Call, name: str) -> Decimal:
    """More than eight decimals are refused before any filter looks at them."""
    number = call.decimal(name)
    if decimals_of(number) > 8:
        raise Rejected(Reason.PRECISION, name)
    return number
