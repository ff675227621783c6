"""KuCoin futures as their clients see them: placing only acknowledges, and an order names the margin mode its symbol is set
to. Documented at https://www.kucoin.com/docs-new/."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_frame import SIDES, TIMES, TYPES, kind_of, ok, page
from exchanges.sandbox.dialects.kucoin_futures_account import (
    DIRECTION_WORDS,
    DIRECTIONS,
    MARGIN,
    KuCoinFuturesAccount,
)
from exchanges.sandbox.dialects.kucoin_futures_markets import KuCoinFuturesMarkets
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import ZERO, AttachWhen, Fill, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import MarginMode, OrderStatus, Product, Side, TriggerBy

D = Decimal
RISES = {"up": True, "down": False}
TRIGGERS = {"TP": TriggerBy.LAST, "MP": TriggerBy.MARK, "IP": TriggerBy.INDEX}
TRIGGER_WORDS = {by: name for name, by in TRIGGERS.items()}
LARGEST_BATCH = 20
OTHER_MARGIN_MODE = "The order's margin mode does not match the selected one. Please switch and try again."
OTHER_POSITION_MODE = "Your order's position mode does not match the one of your account."


class KuCoinFutures(KuCoinFuturesMarkets, KuCoinFuturesAccount):
    name, product = "KuCoin_F", Product.LINEAR
    default_costs = {"futures": 2}
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="contract",
        refuses_crossed_triggers=False,
        cancels_instead=frozenset({Reason.POST_ONLY}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(236_655_147_000_000_000 + number),
        default_leverage=D(1),
    )

    # -- placed ----------------------------------------------------------------------------------------

    @route("POST /api/v1/orders", trading=True)
    def place(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self._take_margin(call, ticket)
        try:
            order = self.desk.place(call.account, ticket)
        except Rejected as refused:
            if refused.reason is not Reason.POSITION_MODE:
                raise
            code = "330012" if ticket.position_side is None else "330011"
            raise Answered(Reply({"code": code, "msg": OTHER_POSITION_MODE})) from None
        return ok({"orderId": order.id, "clientOid": order.client_id})

    @route("POST /api/v1/orders/multi", trading=True, costs={"futures": 20})
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if isinstance(orders, list) and not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        told = self.each(call, orders, "/api/v1/orders", self.place)
        return ok([_batch_row(*each) for each in zip(orders or (), told, strict=True)])

    @route("POST /api/v1/st-orders", trading=True)
    def place_with_stops(self, call: Call) -> Any:
        """An order that brings stop and target along. docs-new/rest/futures-trading/orders/add-take-profit-and-stop-loss-order"""
        return self.place(call)

    @route("POST /api/v1/orders/test", trading=True)
    def test(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self.desk.check(call.account, ticket)
        return ok({"orderId": self.rules.order_id(self.desk.number()), "clientOid": ticket.client_id})

    @staticmethod
    def _attached(call: Call, side: Side) -> tuple[Ticket, ...]:
        """What reduces the position when the price has risen or fallen so far."""
        names = {True: "triggerStopUpPrice", False: "triggerStopDownPrice"}
        return tuple(
            Ticket(
                call.text("symbol"),
                side.opposite,
                kind_of(limit=False, stop=rises == (side is Side.SELL)),
                quantity=call.decimal("size"),
                trigger_price=call.decimal(name),
                trigger_by=call.one_of("stopPriceType", TRIGGERS, "TP"),
                rises=rises,
                reduce_only=True,
                position_side=call.one_of("positionSide", DIRECTIONS, "BOTH"),
                extra={"timeInForce": "GTC"},
            )
            for rises, name in names.items()
            if call.decimal_or_none(name)
        )

    def _closed(self, call: Call) -> Position:
        """What an order closes as a whole; who asks for that need not tell its side and size."""
        symbol, side = call.text("symbol"), call.one_of("positionSide", DIRECTIONS, "BOTH")
        position = self.desk.book(call.account).position(self.desk.market(symbol), side)
        if not position.quantity:
            raise Rejected(Reason.REDUCE_ONLY)
        return position

    def _ticket(self, call: Call) -> Ticket:
        market = self.desk.market(call.text("symbol"))
        limit = call.one_of("type", TYPES)
        rises = call.one_of("stop", RISES) if call.text("stop", "") else None
        close, quantity = call.flag("closeOrder"), call.decimal_or_none("size")
        default = (
            self._closed(call).direction.exit_side.value if close and not call.text("side", "") else None
        )
        side = call.one_of("side", SIDES, default)
        if close and rises is None:
            quantity = abs(self._closed(call).quantity)
        if (coins := call.decimal_or_none("qty")) is not None:
            quantity = coins / market.contract_size
        if quantity is None and not close:
            raise Rejected(Reason.MISSING_PARAMETER, "size")
        if call.text("timeInForce", "GTC") not in ("GTC", "IOC"):
            raise Rejected(Reason.BAD_PARAMETER, "timeInForce")
        return Ticket(
            market.symbol,
            side,
            kind_of(limit=limit, stop=None if rises is None else rises == (side is Side.BUY)),
            quantity=quantity,
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("stopPrice"),
            trigger_by=call.one_of("stopPriceType", TRIGGERS, "TP"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=call.flag("postOnly"),
            reduce_only=call.flag("reduceOnly"),
            close_position=close,
            position_side=call.one_of("positionSide", DIRECTIONS, "BOTH"),
            client_id=call.text("clientOid"),
            attached=self._attached(call, side) if call.path.endswith("st-orders") else (),
            attach_when=AttachWhen.FULL,
            extra={"timeInForce": call.text("timeInForce", "GTC")},
        )

    def _take_margin(self, call: Call, ticket: Ticket) -> None:
        """The mode must be the symbol's; isolated margin takes its leverage from the order that opens."""
        mode = call.one_of("marginMode", MARGIN, "ISOLATED")
        if mode is not self._mode(call.account, ticket.symbol):
            raise Answered(Reply({"code": "330005", "msg": OTHER_MARGIN_MODE}))
        if mode is MarginMode.ISOLATED and not ticket.reduces:
            leverage = call.decimal("leverage")
            if leverage != int(leverage):
                raise Rejected(Reason.LEVERAGE, str(leverage))
            self.desk.set_leverage(call.account, ticket.symbol, leverage)

    # -- cancelled -------------------------------------------------------------------------------------

    @route("DELETE /api/v1/orders/{orderId}", trading=True, costs={"futures": 1})
    def cancel(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [self.desk.cancel(call.account, self._found(call)).id]})

    @route("DELETE /api/v1/orders/multi-cancel", trading=True, costs={"futures": 20})
    def cancel_several(self, call: Call) -> Any:
        """As kucoin-universal-sdk 1.3.2, KuCoin's own client, has it; what `code` and `msg` say it does not tell."""
        by_id = call.params.get("orderIdsList") or []
        by_name = [each.get("clientOid") for each in call.params.get("clientOidsList") or []]
        if not by_id and not by_name:
            raise Rejected(Reason.MISSING_PARAMETER, "orderIdsList")
        found = [(each, self.desk.order(call.account, order_id=str(each))) for each in by_id]
        found += [(each, self.desk.order(call.account, client_id=str(each))) for each in by_name]
        rows = []
        for name, order in found:
            told = {"orderId": order.id if order else name, "clientOid": order.client_id if order else None}
            if order is not None and order.open:
                self.desk.cancel(call.account, order)
                rows.append({**told, "code": "200", "msg": "success"})
            else:
                rows.append({**told, "code": "100004", "msg": "Order is in not cancelable state"})
        return ok(rows)

    @route("DELETE /api/v1/orders/client-order/{clientOid}", trading=True, costs={"futures": 1})
    def cancel_by_client_id(self, call: Call) -> Any:
        """Plain orders only."""
        found, symbol = self._found(call), call.text("symbol")
        if found is None or found.waiting or found.market.symbol != symbol:
            raise Rejected(Reason.NOT_OPEN)
        return ok({"clientOid": self.desk.cancel(call.account, found).client_id})

    @route("DELETE /api/v1/orders", "DELETE /api/v3/orders", trading=True, costs={"futures": 10})
    def cancel_all(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [order.id for order in self.cancelled(call, waiting=False)]})

    @route("DELETE /api/v1/stopOrders", trading=True, costs={"futures": 15})
    def cancel_stops(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [order.id for order in self.cancelled(call, waiting=True)]})

    # -- what became of them ---------------------------------------------------------------------------

    @route("GET /api/v1/orders/{orderId}", "GET /api/v1/orders/byClientOid", costs={"futures": 5})
    def order(self, call: Call) -> Any:
        found = self._found(call)
        if found is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._order_row(call.account, found))

    def _found(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("clientOid", "")
        return self.desk.order(call.account, order_id=order_id, client_id=client_id)

    @route("GET /api/v1/orders")
    def orders(self, call: Call) -> Any:
        ended = call.text("status", "active") == "done"
        found = self._ended(call) if ended else self.open_of(call, waiting=False)
        return ok(page(call, [self._order_row(call.account, order) for order in found]))

    @route("GET /api/v1/recentDoneOrders", costs={"futures": 5})
    def recent(self, call: Call) -> Any:
        return ok([self._order_row(call.account, order) for order in self._ended(call)[:1000]])

    def _ended(self, call: Call) -> list[Order]:
        """Newest first."""
        known, symbol = reversed(self.desk.book(call.account).orders.values()), call.text("symbol", "")
        return [each for each in known if not each.open and symbol in ("", each.market.symbol)]

    @route("GET /api/v1/fills", "GET /api/v1/recentFills", costs={"futures": 5})
    def fills(self, call: Call) -> Any:
        rows = [self._fill_row(call.account, *each) for each in self.traded(call)]
        return ok(rows[:1000] if call.path.endswith("recentFills") else page(call, rows))

    def _fill_row(self, account: Account, order: Order, fill: Fill) -> dict[str, Any]:
        closes = fill.closed > 0
        return {
            "symbol": fill.symbol,
            "tradeId": str(fill.id),
            "orderId": fill.order_id,
            "side": fill.side.value,
            "liquidity": "maker" if fill.maker else "taker",
            "forceTaker": False,
            "price": text(fill.price),
            "size": int(fill.quantity),
            "value": text(order.market.value(fill.quantity, fill.price)),
            "fee": text(fill.fee),
            "openFeePay": text(ZERO if closes else fill.fee),
            "closeFeePay": text(fill.fee if closes else ZERO),
            "feeRate": text(self.rules.maker_fee if fill.maker else self.rules.taker_fee),
            "fixFee": "0",
            "feeCurrency": fill.fee_asset,
            "settleCurrency": order.market.quote,
            "orderType": "market" if order.price is None else "limit",
            "tradeType": "trade",
            "displayType": "market" if order.price is None else "limit",
            "stop": "",
            "subTradeType": None,
            "marginMode": self._mode(account, fill.symbol).upper(),
            "positionSide": DIRECTION_WORDS[fill.position_side],
            "tradeTime": fill.time_ms * 1_000_000,
            "createdAt": fill.time_ms,
        }

    @route("GET /api/v1/openOrderStatistics", costs={"futures": 10})
    def open_statistics(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        told: dict[str, Any] = {"settleCurrency": market.quote}
        for side in Side:
            found = [each for each in self.open_of(call, waiting=False) if each.side is side]
            size, name = sum((each.remaining for each in found), ZERO), side.value.title()
            cost = sum((market.value(each.remaining, each.price or ZERO) for each in found), ZERO)
            told |= {f"openOrder{name}Size": int(size), f"openOrder{name}Cost": text(cost)}
        return ok(told)

    @route("GET /api/v1/stopOrders", costs={"futures": 6})
    def stops(self, call: Call) -> Any:
        waiting = self.open_of(call, waiting=True)
        return ok(page(call, [self._order_row(call.account, order) for order in waiting]))

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        ticket, waits = order.ticket, order.trigger_price is not None
        return {
            "id": order.id,
            "clientOid": order.client_id,
            "symbol": order.market.symbol,
            "type": "market" if order.price is None else "limit",
            "side": order.side.value,
            "price": text(order.price),
            "size": None if ticket.close_position and order.waiting else int(order.quantity),
            "value": text(order.quantity * order.market.contract_size * (order.price or ZERO)),
            "dealValue": text(order.quote_filled),
            "dealSize": int(order.filled),
            "filledSize": int(order.filled),
            "filledValue": text(order.quote_filled),
            "avgDealPrice": text(order.average_price),
            "stop": ("up" if ticket.trigger_rises else "down") if waits else "",
            "stopPriceType": TRIGGER_WORDS[ticket.trigger_by] if waits else "",
            "stopTriggered": order.triggered_ms is not None,
            "stopPrice": text(order.trigger_price) if waits else None,
            "timeInForce": ticket.extra["timeInForce"],
            "postOnly": ticket.post_only,
            "leverage": text(self.desk.leverage(account, order.market)),
            "closeOrder": ticket.close_position,
            "reduceOnly": ticket.reduce_only,
            "marginMode": self._mode(account, order.market.symbol).upper(),
            "positionSide": DIRECTION_WORDS[ticket.position_side],
            "settleCurrency": order.market.quote,
            "isActive": order.open,
            "status": "open" if order.open else "done",
            "cancelExist": not order.open and order.status is not OrderStatus.FILLED,
            "createdAt": order.created_ms,
            "updatedAt": order.updated_ms,
            "endAt": None if order.open else order.updated_ms,
            "orderTime": order.created_ms * 1_000_000,
        }


def _batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.kucoin.com/docs/rest/futures-trading/orders/place-multiple-orders"""
    told = answer.get("data") or {"orderId": None, "clientOid": order.get("clientOid")}
    return {
        **told,
        "symbol": order.get("symbol"),
        "code": answer["code"],
        "msg": answer.get("msg", "success"),
    }
