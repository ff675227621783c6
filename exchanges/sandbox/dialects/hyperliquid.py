"""Hyperliquid as its clients see it: /exchange takes signed actions, /info is asked by address without a signature, and
refusals are sentences inside a success. Documented at hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.hyperliquid_answers import said, sentence, told_of
from exchanges.sandbox.dialects.hyperliquid_info import HyperliquidInfo, named
from exchanges.sandbox.dialects.hyperliquid_markets import PERPETUALS, SPOT, check_digits, on_grid
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ClientIds, Market, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import MarginMode, OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

D = Decimal
TIMES = {"Gtc": TimeInForce.GTC, "Ioc": TimeInForce.IOC, "Alo": TimeInForce.GTC}


class _Hyperliquid(HyperliquidInfo):
    @route("POST /exchange", trading=True)
    def exchange(self, call: Call) -> Any:
        action = call.params.get("action")
        actions: dict[Any, Callable[[Call, Any], Any]] = {
            "order": self._order,
            "cancel": self._cancel,
            "cancelByCloid": self._cancel,
            "updateLeverage": self._update_leverage,
            "modify": self._modify,
            "batchModify": self._modify_several,
            "scheduleCancel": self._schedule_cancel,
            "noop": lambda _call, _action: {"type": "default"},
        }
        kind = action.get("type") if isinstance(action, Mapping) else None
        if kind not in actions or call.params.get("vaultAddress"):
            raise Rejected(Reason.BAD_PARAMETER, "action")
        try:
            return {"status": "ok", "response": actions[kind](call, action)}
        except (KeyError, TypeError, ValueError, InvalidOperation):
            raise Rejected(Reason.BAD_PARAMETER, "action") from None

    def _order(self, call: Call, action: Any) -> Any:
        grouping = action["grouping"]
        if not action["orders"]:  # told once for the whole action, like all that is seen before it
            return {"type": "order", "data": {"statuses": [{"error": "Empty batch of orders"}]}}
        if grouping == "na":
            told = [self._placed(call.account, wire) for wire in action["orders"]]
        else:
            told = self._grouped(call, action["orders"], entry=grouping == "normalTpsl")
        return {"type": "order", "data": {"statuses": told}}

    def _placed(self, account: Account, wire: Any) -> Any:
        desk, market = self._of(int(wire["a"]))
        try:
            order = desk.place(account, self._ticket(market, wire))
        except Rejected as refused:
            return {"error": f"{said(refused, desk, market)} asset={wire['a']}"}
        return told_of(order, market)

    def _grouped(self, call: Call, wires: list[Any], *, entry: bool) -> list[Any]:
        """Stop and target end each other; they are placed with a position, or by the first fill of an entry."""
        desk, market = self._of(int(wires[0]["a"]))
        link = f"{call.account.key} {call.params['nonce']}"
        children = wires[1:] if entry else wires
        try:
            legs = [replace(self._ticket(market, each), link=link, position_bound=True) for each in children]
            if not all(leg.type.conditional and leg.reduce_only for leg in legs):
                raise Rejected(Reason.BAD_PARAMETER, "grouping")
            if not entry and not desk.book(call.account).position(market, None).quantity:
                raise Rejected(Reason.REDUCE_ONLY)
            if not entry:
                desk.place_linked(call.account, legs)
                return ["waitingForTrigger"] * len(legs)
            order = desk.place(call.account, replace(self._ticket(market, wires[0]), attached=tuple(legs)))
        except Rejected as refused:
            return [{"error": f"{said(refused, desk, market)} asset={each['a']}"} for each in wires]
        waits = "waitingForTrigger" if order.filled else "waitingForFill"
        return [told_of(order, market), *(waits for _ in legs)]

    def _of(self, asset: int) -> tuple[Desk, Market]:
        for desk in self.desks.values():
            for market in desk.markets.values():
                if market.extra["asset"] == asset:
                    return desk, market
        raise Rejected(Reason.UNKNOWN_SYMBOL, str(asset))

    @staticmethod
    def _ticket(market: Market, wire: Any) -> Ticket:
        side, kind, trigger = Side.BUY if wire["b"] else Side.SELL, OrderType.LIMIT, wire["t"].get("trigger")
        prices = {"limitPx": D(wire["p"])} | ({"triggerPx": D(trigger["triggerPx"])} if trigger else {})
        for price in prices.values():
            check_digits(price, market)
        limit = wire["t"].get("limit", {"tif": None})
        if trigger:
            kind = TRIGGERED[trigger["tpsl"], bool(trigger["isMarket"])]
        rises = trigger and (trigger["tpsl"] == "sl") == (side is Side.BUY)
        size, tif = D(wire["s"]), limit["tif"]
        return Ticket(
            market.symbol,
            side,
            kind,
            quantity=size or None,
            close_position=not size,
            price=None
            if trigger and trigger["isMarket"]
            else on_grid(prices["limitPx"], market, up=side is Side.SELL),
            trigger_price=on_grid(prices["triggerPx"], market, up=bool(rises)) if trigger else None,
            trigger_by=TriggerBy.MARK,
            time_in_force=TIMES[tif] if tif else TimeInForce.GTC,
            post_only=tif == "Alo",
            reduce_only=bool(wire["r"]) and market.product is not Product.SPOT,
            client_id=wire.get("c") or "",
            extra={"tif": tif, **prices},
        )

    def _modify(self, call: Call, action: Any) -> Any:
        """As several, of which the one refusal is that of the whole."""
        (told,) = self._modify_several(call, {"modifies": [action]})["data"]["statuses"]
        if "error" in told:
            raise Answered(Reply({"status": "err", "response": told["error"]}))
        return {"type": "default"}

    def _modify_several(self, call: Call, action: Any) -> Any:
        """The order ends and another takes its place, under a number of its own."""
        told = [self._modified(call.account, each["oid"], each["order"]) for each in action["modifies"]]
        return {"type": "order", "data": {"statuses": told}}

    def _modified(self, account: Account, name: Any, wire: Any) -> Any:
        desk, market = self._of(int(wire["a"]))
        order = desk.order(account, **named(str(name)))
        if order is None or not order.open or order.market is not market:
            return {"error": "Cannot modify canceled or filled order"}
        try:
            ticket = replace(self._ticket(market, wire), link=order.ticket.link)
            changed = replace(order, ticket=ticket, quantity=ticket.quantity or order.quantity)
            changed = replace(changed, price=ticket.price, trigger_price=ticket.trigger_price)
            check_amended(desk, account, changed, order)
        except Rejected as refused:
            return {"error": f"{said(refused, desk, market)} asset={wire['a']}"}
        order.ticket = replace(order.ticket, link="")  # its sibling stands by the new one
        desk.cancel(account, order)
        return told_of(
            desk.place(account, replace(ticket, position_bound=order.ticket.position_bound)), market
        )

    def _schedule_cancel(self, call: Call, _action: Any) -> Any:
        """Given to traders of a million dollars; here to nobody."""
        words = "Cannot set scheduled cancel time until enough volume traded. Required: $1000000. Traded: $0."
        raise Answered(Reply({"status": "err", "response": words}))

    def _cancel(self, call: Call, action: Any) -> Any:
        told: list[Any] = []
        for each in action["cancels"]:
            asset = each["a" if "a" in each else "asset"]
            desk, _ = self._of(int(asset))
            which = {"order_id": str(each["o"])} if "o" in each else {"client_id": each["cloid"]}
            if (order := desk.order(call.account, **which)) is not None and order.open:
                order.ticket = replace(order.ticket, link="")  # only a fill ends its sibling
            try:
                desk.cancel(call.account, order)
                told.append("success")
            except Rejected as refused:
                told.append({"error": f"{sentence(refused.reason, '')} asset={asset}"})
        return {"type": "cancel", "data": {"statuses": told}}

    def _update_leverage(self, call: Call, action: Any) -> Any:
        desk, market = self._of(int(action["asset"]))
        mode = MarginMode.CROSS if action["isCross"] else MarginMode.ISOLATED
        book = desk.book(call.account)
        if desk is not self._perps:
            raise Rejected(Reason.UNKNOWN_SYMBOL, str(action["asset"]))
        if mode is not desk.margin_mode(call.account, market) and any(
            each.market is market for each in book.open_positions()
        ):
            raise Rejected(Reason.HAS_POSITION)
        desk.set_leverage(call.account, market.symbol, D(action["leverage"]))
        book.margin_modes[market.symbol] = mode
        return {"type": "default"}


RULES = Rules(
    client_ids=ClientIds.OPEN,
    unfilled=OrderStatus.CANCELLED,
    conditional_holds=False,
    order_id=lambda number: str(77_000_000_000 + number),
    max_open_orders=1000,
    max_waiting_orders=1000,
)
TRIGGERED = {
    ("sl", True): OrderType.STOP,
    ("sl", False): OrderType.STOP_LIMIT,
    ("tp", True): OrderType.TAKE_PROFIT,
    ("tp", False): OrderType.TAKE_PROFIT_LIMIT,
}


class HyperliquidSpot(_Hyperliquid):
    name, product, markets = "Hyperliquid", Product.SPOT, SPOT
    rules = replace(RULES, maker_fee=D("0.0004"), taker_fee=D("0.0007"), wallet="cash")


class HyperliquidPerpetuals(_Hyperliquid):
    name, product, markets = "Hyperliquid_F", Product.LINEAR, PERPETUALS
    rules = replace(RULES, maker_fee=D("0.00015"), taker_fee=D("0.00045"), wallet="perps")
