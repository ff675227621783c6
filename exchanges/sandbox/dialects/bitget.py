"""Bitget v2 (classic account) as its clients see it: one host for spot and USDT perpetuals, told apart by path;
errors come with HTTP 400 and a code; placing only acknowledges. Documented at https://www.bitget.com/api-doc/.

Plans (orders that wait for a trigger) live behind endpoints of their own and go on, once triggered, as an order
with another id. The unified account (v3) is not simulated.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitget_answers import (
    CROSSED,
    FORCES,
    LINEAR_MARKETS,
    MARGIN,
    MIX,
    SIDES,
    SPOT_MARKETS,
    TPSL,
    TRIGGERS,
    TYPES,
    became,
    costs,
    error_answer,
    found_order,
    frame,
    futures_fill_row,
    futures_plan_row,
    futures_row,
    kind_of,
    meaning,
    named_answer,
    page_of,
    plan_type,
)
from exchanges.sandbox.dialects.bitget_spot import SpotOrders
from exchanges.sandbox.ledger import Position
from exchanges.sandbox.model import AttachWhen, ClientIds, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Answered, Call
from exchanges.types import (
    Direction,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
)

D = Decimal


class _Bitget(SpotOrders):
    # -- futures orders --------------------------------------------------------------------------------

    @route(f"POST {MIX}/order/place-order", trading=True, costs=costs("place"))
    def place_futures(self, call: Call) -> Any:
        limit, force = call.one_of("orderType", TYPES), call.text("force", "gtc").lower()
        self._margin(call)
        side, direction, closes = self._meant(call)
        ticket = Ticket(
            call.text("symbol"),
            side,
            OrderType.LIMIT if limit else OrderType.MARKET,
            quantity=call.decimal("size"),
            price=call.decimal("price") if limit else None,
            time_in_force=meaning(FORCES, force, "force"),
            post_only=force == "post_only",
            reduce_only=closes,
            position_side=direction,
            client_id=call.text("clientOid", ""),
            attached=() if closes else self._presets(call, side, direction),
            attach_when=AttachWhen.FULL,
        )
        return named_answer(call, self.futures.place(call.account, ticket))

    @staticmethod
    def _presets(call: Call, side: Side, direction: Direction | None) -> tuple[Ticket, ...]:
        """Stop and target of its size that an order brings along."""
        names = {"loss_plan": "presetStopLoss", "profit_plan": "presetStopSurplus"}
        return tuple(
            Ticket(
                call.text("symbol"),
                side.opposite,
                kind_of(stop=plan == "loss_plan", limit=bool(call.decimal_or_none(f"{name}ExecutePrice"))),
                quantity=call.decimal("size"),
                price=call.decimal_or_none(f"{name}ExecutePrice") or None,
                trigger_price=call.decimal(f"{name}Price"),
                reduce_only=True,
                position_side=direction,
                extra={"planType": plan},
            )
            for plan, name in names.items()
            if call.decimal_or_none(f"{name}Price")
        )

    @route(f"POST {MIX}/order/batch-place-order", trading=True, costs=costs("batch"))
    def place_futures_batch(self, call: Call) -> Any:
        shared = ("symbol", "productType", "marginCoin", "marginMode")
        return self._batch(call, shared, f"{MIX}/order/place-order", self.place_futures)

    def _margin(self, call: Call) -> None:
        """The margin mode comes with each order, and changes nothing while a position or an order stands."""
        self._scope(call)
        symbol, mode = call.text("symbol"), call.one_of("marginMode", MARGIN)
        if self.futures.margin_mode(call.account, self.futures.market(symbol)) is not mode:
            self._set_margin_mode(call, symbol, mode)

    def _hedged(self, call: Call) -> bool:
        return self.futures.book(call.account).position_mode is PositionMode.HEDGE

    def _meant(self, call: Call) -> tuple[Side, Direction | None, bool]:
        """(side, position, closes). In hedge mode `side` names the position."""
        side, trade = call.one_of("side", SIDES), call.text("tradeSide", "").lower()
        if not self._hedged(call):
            return side, None, call.text("reduceOnly", "NO").upper() == "YES"
        if trade not in ("open", "close"):
            raise Rejected(Reason.POSITION_MODE)
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        closes = trade == "close"
        return (direction.exit_side if closes else direction.entry_side), direction, closes

    @route(f"POST {MIX}/order/place-plan-order", trading=True, costs=costs("plan"))
    def place_futures_plan(self, call: Call) -> Any:
        if call.text("planType") != "normal_plan":
            raise Rejected(Reason.BAD_PARAMETER, "planType (others are not simulated)")
        self._margin(call)
        side, direction, closes = self._meant(call)
        price = call.decimal("price") if call.one_of("orderType", TYPES) else None
        more = {"reduce_only": closes, "position_side": direction}
        ticket = self._plan(call, self.futures, side, call.decimal("size"), "normal_plan", price, **more)
        return named_answer(call, self.futures.place(call.account, ticket))

    @route(f"POST {MIX}/order/place-tpsl-order", trading=True, costs=costs("plan"))
    def place_tpsl(self, call: Call) -> Any:
        self._scope(call)
        stop, whole = call.one_of("planType", TPSL)
        position = self._held(call)
        size = abs(position.quantity) if whole else call.decimal("size")
        if not position.quantity or size > abs(position.quantity):
            raise Answered(
                error_answer(call, "43023", "Insufficient position, can not set profit or stop loss")
            )
        ticket = self._tpsl_ticket(call, position, size, stop=stop, whole=whole)
        try:
            return named_answer(call, self.futures.place(call.account, ticket))
        except Rejected as refused:
            if refused.reason is not Reason.WOULD_TRIGGER:
                raise
            raise Answered(error_answer(call, *CROSSED[position.direction is Direction.LONG, stop])) from None

    def _held(self, call: Call) -> Position:
        """The position `holdSide` names: long or short in hedge mode, else by the side that opened it."""
        hold, hedged = call.text("holdSide").lower(), self._hedged(call)
        names = (
            {"long": Direction.LONG, "short": Direction.SHORT}
            if hedged
            else {
                "buy": Direction.LONG,
                "sell": Direction.SHORT,
            }
        )
        if (direction := names.get(hold)) is None:
            raise Rejected(Reason.POSITION_MODE)
        market = self.futures.market(call.text("symbol"))
        position = self.futures.book(call.account).position(market, direction if hedged else None)
        if position.quantity and position.direction is not direction:
            raise Answered(
                error_answer(call, "43023", "Insufficient position, can not set profit or stop loss")
            )
        return position

    @staticmethod
    def _tpsl_ticket(call: Call, position: Position, size: Decimal, *, stop: bool, whole: bool) -> Ticket:
        price = call.decimal_or_none("executePrice") or None
        link = f"{position.market.symbol} {position.side} {call.account.fingerprint}"
        return Ticket(
            call.text("symbol"),
            position.direction.exit_side,
            kind_of(stop=stop, limit=price is not None),
            quantity=size,
            price=price,
            trigger_price=call.decimal("triggerPrice"),
            trigger_by=call.one_of("triggerType", TRIGGERS, "fill_price"),
            reduce_only=True,
            position_bound=whole,
            position_side=position.side,
            client_id=call.text("clientOid", ""),
            link=link if whole else "",
            extra={"planType": call.text("planType")},
        )

    @route(f"POST {MIX}/order/place-pos-tpsl", trading=True, costs=costs("plan"))
    def place_pair(self, call: Call) -> Any:
        """Stop and target of a whole position in one request."""
        kept = {name: call.text(name, "") for name in ("symbol", "productType", "marginCoin", "holdSide")}
        names = {"pos_loss": "stopLoss", "pos_profit": "stopSurplus"}
        asked = {plan: name for plan, name in names.items() if call.text(f"{name}TriggerPrice", "")}
        if not asked:
            raise Rejected(Reason.MISSING_PARAMETER, "stopSurplusTriggerPrice")
        told = []
        for plan, name in asked.items():
            prices = {"triggerPrice": f"{name}TriggerPrice", "executePrice": f"{name}ExecutePrice"}
            own = {word: call.text(given, "") for word, given in prices.items()}
            by = {"triggerType": call.text(f"{name}TriggerType", "fill_price"), "planType": plan}
            placed = self.place_tpsl(
                call.asking(**kept, **own, **by, clientOid=call.text(f"{name}ClientOid", ""))
            )
            told.append({**placed["data"], f"{name}ClientOid": placed["data"]["clientOid"]})
        return frame(call, told)

    @route(f"POST {MIX}/order/modify-order", trading=True, costs=costs("place"))
    def modify_futures(self, call: Call) -> Any:
        """Another order in its place. www.bitget.com/api-doc/contract/trade/Modify-Order, read 2026-11-23."""
        self._scope(call)
        changes = {"quantity": call.decimal_or_none("newSize"), "price": call.decimal_or_none("newPrice")}
        if None in changes.values():
            raise Rejected(Reason.MISSING_PARAMETER, "newSize and newPrice")
        return self.replaced(call, self.futures, changes, call.text("newClientOid", ""))

    @route(
        f"POST {MIX}/order/modify-plan-order",
        f"POST {MIX}/order/modify-tpsl-order",
        trading=True,
        costs=costs("plan"),
    )
    def modify_futures_plan(self, call: Call) -> Any:
        self._scope(call)
        tpsl = call.path.endswith("tpsl-order")
        names = (
            ("triggerPrice", "executePrice", "size") if tpsl else ("newTriggerPrice", "newPrice", "newSize")
        )
        return self.changed_plan(call, self.futures, *names)

    @route(
        f"POST {MIX}/order/batch-cancel-orders",
        f"POST {MIX}/order/cancel-all-orders",
        trading=True,
        costs=costs("batch"),
    )
    def cancel_futures_batch(self, call: Call) -> Any:
        """Those named, else all."""
        self._scope(call)
        return self.cancelled_all(call, self.futures, call.params.get("orderIdList"))

    @route(f"POST {MIX}/order/close-positions", trading=True, costs=costs("batch"))
    def close_positions(self, call: Call) -> Any:
        """At the market. www.bitget.com/api-doc/contract/trade/Flash-Close-Position, read 2026-11-23."""
        self._scope(call)
        symbol, hold = call.text("symbol", ""), call.text("holdSide", "").lower()
        hedged, account = self._hedged(call), call.account
        held = [
            each
            for each in self.futures.book(account).open_positions()
            if symbol in ("", each.market.symbol) and (not hedged or hold in ("", str(each.side)))
        ]
        if not held:
            raise Rejected(Reason.REDUCE_ONLY)
        done = []
        for each in held:
            exit_side, size = each.direction.exit_side, abs(each.quantity)
            ticket = Ticket(
                each.market.symbol,
                exit_side,
                OrderType.MARKET,
                size,
                reduce_only=True,
                position_side=each.side,
            )
            done.append(
                {
                    **named_answer(call, self.futures.place(account, ticket))["data"],
                    "symbol": each.market.symbol,
                }
            )
        return frame(call, {"successList": done, "failureList": []})

    @route(f"POST {MIX}/order/cancel-order", trading=True, costs=costs("cancel"))
    def cancel_futures(self, call: Call) -> Any:
        self._scope(call)
        return named_answer(call, self.futures.cancel(call.account, self._order(call, self.futures)))

    @route(f"POST {MIX}/order/cancel-plan-order", trading=True, costs=costs("cancel"))
    def cancel_futures_plan(self, call: Call) -> Any:
        """Plans of the kind asked for, "normal_plan" when none is: those named, else all of the symbol or all."""
        self._scope(call)
        kind = call.text("planType", "normal_plan")
        kinds = tuple(TPSL) if kind == "profit_loss" else (kind,)
        done: list[Any] = []
        failed: list[Any] = []
        for each in call.params.get("orderIdList") or self._named(call, kinds):
            order = found_order(self.futures, call.account, each)
            live = order is not None and order.open and order.waiting
            if order is not None and live and plan_type(order) in kinds:
                self.futures.cancel(call.account, order)
                done.append({"orderId": order.id, "clientOid": order.client_id})
            else:
                failed.append({**each, "errorMsg": "The plan order does not exist"})
        return frame(call, {"successList": done, "failureList": failed})

    def _named(self, call: Call, kinds: tuple[str, ...]) -> list[dict[str, str]]:
        """All plans, or the one that is named outside of a list."""
        if call.text("orderId", "") or call.text("clientOid", ""):
            return [{"orderId": call.text("orderId", ""), "clientOid": call.text("clientOid", "")}]
        waiting = self._plans(call, self.futures, live=True)
        return [{"orderId": each.id} for each in waiting if plan_type(each) in kinds]

    @route(f"GET {MIX}/order/detail")
    def futures_order(self, call: Call) -> Any:
        if (order := self._order(call, self.futures)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return frame(call, futures_row(self.futures, call.account, order, "state"))

    @route(f"GET {MIX}/order/fills", f"GET {MIX}/order/fill-history")
    def futures_fills(self, call: Call) -> Any:
        self._scope(call)
        rows = self.traded(call, self.futures, futures_fill_row)
        return frame(call, {"fillList": rows or None, "endId": rows[-1]["tradeId"] if rows else None})

    @route(f"GET {MIX}/order/plan-sub-order", costs=costs("plans"))
    def futures_sub_order(self, call: Call) -> Any:
        return frame(call, became(self.futures.book(call.account).orders.get(call.text("planOrderId"))))

    @route(f"GET {MIX}/order/orders-pending")
    def futures_open(self, call: Call) -> Any:
        return self._entrusted(call, self._resting(call, self.futures))

    @route(f"GET {MIX}/order/orders-history")
    def futures_history(self, call: Call) -> Any:
        every = self._all(call, self.futures)
        return self._entrusted(
            call, [each for each in every if not each.open and not each.ticket.type.conditional]
        )

    def _entrusted(self, call: Call, orders: Iterable[Order]) -> Any:
        rows = [futures_row(self.futures, call.account, each, "status") for each in page_of(call, orders)]
        return frame(call, {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None})

    @route(
        f"GET {MIX}/order/orders-plan-pending", f"GET {MIX}/order/orders-plan-history", costs=costs("plans")
    )
    def futures_plans(self, call: Call) -> Any:
        self._scope(call)
        kinds = {"normal_plan": ("normal_plan",), "profit_loss": tuple(TPSL)}
        wanted = call.one_of("planType", kinds)
        found = self._plans(call, self.futures, live=call.path.endswith("pending"))
        rows = [
            futures_plan_row(self.futures, call.account, each)
            for each in page_of(call, [each for each in found if plan_type(each) in wanted])
        ]
        return frame(call, {"entrustedList": rows or None, "endId": rows[-1]["orderId"] if rows else None})


class BitgetSpot(_Bitget):
    name, product, markets = "Bitget", Product.SPOT, SPOT_MARKETS
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        wallet="spot",
        conditional_holds=False,
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        order_id=lambda number: str(1_100_000_000_000_000_000 + number),
    )


class BitgetFutures(_Bitget):
    name, product, markets = "Bitget_F", Product.LINEAR, LINEAR_MARKETS
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="futures",
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        order_id=lambda number: str(1_100_000_000_000_000_000 + number),
    )
