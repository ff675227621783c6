"""BloFin's perpetuals as their clients see them: orders placed and cancelled. Refusals of an order stand in its row under a
code 0 on top (a batch that failed has 1 or 2 there); TP/SL and trigger orders have ids of their own.
https://docs.blofin.com/."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.blofin_account import MARGIN_MODES, WALLET, BloFinAccount
from exchanges.sandbox.dialects.blofin_frame import TRADING, answered, frame, refusal
from exchanges.sandbox.dialects.blofin_markets import SWAPS, BloFinMarkets
from exchanges.sandbox.dialects.blofin_records import AT_MARKET, BloFinRecords
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call, encode
from exchanges.types import Direction, OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
LARGEST_BATCH = 20
ALL_OF_IT = D(-1)
SIDES = {each.value: each for each in Side}
KINDS = {
    "market": OrderType.MARKET,
    **dict.fromkeys(("limit", "post_only", "fok", "ioc"), OrderType.LIMIT),
}
TIMES = {"fok": TimeInForce.FOK, "ioc": TimeInForce.IOC}
POSITION_SIDES = {"net": None, "long": Direction.LONG, "short": Direction.SHORT}
CONDITIONALS = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}


class BloFinFutures(BloFinMarkets, BloFinAccount, BloFinRecords):
    name, product, markets = "BloFin_F", Product.LINEAR, SWAPS
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet=WALLET,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        new_id_on_trigger=True,
        order_id=lambda number: str(2_000_000_000 + number),
        default_leverage=D(10),
    )

    # -- placed ----------------------------------------------------------------------------------------

    @route("POST /api/v1/trade/order", trading=True, costs=TRADING)
    def place(self, call: Call) -> Any:
        return frame([self._try(call, self._place, "orderId")], words="")

    @route("POST /api/v1/trade/batch-orders", trading=True, costs=TRADING)
    def place_batch(self, call: Call) -> Any:
        """What is wrong with a row itself refuses the whole, before any is placed."""
        rows = _rows(call)
        if not 0 < len(rows) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        if len({(row.text("instId"), row.text("marginMode")) for row in rows}) > 1:
            raise Rejected(Reason.BAD_PARAMETER, "instId")
        for row in rows:
            self._plain_ticket(row)
        return _told_of_list([self._try(row, self._place, "orderId") for row in rows])

    @route("POST /api/v1/trade/order-tpsl", trading=True, costs=TRADING)
    def place_tpsl(self, call: Call) -> Any:
        return frame(self._try(call, self._place_tpsl, "tpslId"))

    @route("POST /api/v1/trade/order-algo", trading=True, costs=TRADING)
    def place_trigger(self, call: Call) -> Any:
        return frame(self._try(call, self._place_trigger, "algoId"))

    @route("POST /api/v1/trade/close-position", trading=True, costs=TRADING)
    def close_position(self, call: Call) -> Any:
        """All of it, at market."""
        market, side = (
            self.desk.market(call.text("instId")),
            call.one_of("positionSide", POSITION_SIDES, "net"),
        )
        mode = call.one_of("marginMode", MARGIN_MODES)
        position = self.desk.book(call.account).position(market, side)
        if not position.quantity or self.desk.margin_mode(call.account, market) is not mode:
            raise Rejected(Reason.REDUCE_ONLY)
        ticket = Ticket(
            market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=side is None,
            position_side=side,
            client_id=call.text("clientOrderId", ""),
            extra={"orderType": "market", "mode": mode, "size": abs(position.quantity)},
        )
        self.desk.place(call.account, ticket)
        told = {"instId": market.symbol, "positionSide": call.text("positionSide", "net")}
        return frame(told | {"clientOrderId": ticket.client_id})

    def _try(self, call: Call, act: Callable[[Call], str], id_name: str) -> dict[str, Any]:
        """The row that tells of one order; what is wrong with the call itself refuses the whole."""
        found, code, words = None, "0", ""
        try:
            found = act(call)
        except Rejected as refused:
            code, words = refusal(refused.reason, refused.detail)
            if len(code) == 6 and code > "150004":
                raise
        return {id_name: found, "clientOrderId": call.text("clientOrderId", ""), "code": code, "msg": words}

    def _place(self, call: Call) -> str:
        ticket = self._plain_ticket(call)
        self._check_margin_mode(call.account, ticket)
        return self.desk.place(call.account, ticket).id

    def _plain_ticket(self, call: Call) -> Ticket:
        kind = call.text("orderType")
        ticket = self._ticket(call, call.one_of("orderType", KINDS))
        return replace(
            ticket,
            attached=tuple(self._attached(call, ticket)),
            price=call.decimal("price") if ticket.type is OrderType.LIMIT else None,
            time_in_force=TIMES.get(kind, TimeInForce.GTC),
            post_only=kind == "post_only",
            client_id=call.text("clientOrderId", ""),
        )

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """Its stop and its target, one TP/SL order from the first fill on."""
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPrice", "") and not entry.reduces]
        pair, side, link = list[Order](), entry.side.opposite, f"attached {self.desk.number()}"
        for leg in legs:
            written = call.decimal_or_none(f"{leg}OrderPrice") or AT_MARKET
            price, rises = None if written == AT_MARKET else written, (side is Side.BUY) == (leg == "sl")
            yield replace(
                entry,
                side=side,
                type=CONDITIONALS[rises == (side is Side.BUY), price is not None],
                price=price,
                trigger_price=call.decimal(f"{leg}TriggerPrice"),
                rises=rises,
                reduce_only=entry.position_side is None,
                link=link,
                extra={**entry.extra, "leg": leg, "pair": pair},
            )

    def _ticket(self, call: Call, kind: OrderType) -> Ticket:
        self.desk.market(call.text("instId"))
        amount, mode = call.decimal("size"), call.one_of("marginMode", MARGIN_MODES)
        return Ticket(
            call.text("instId"),
            call.one_of("side", SIDES),
            kind,
            quantity=None if amount == ALL_OF_IT else amount,
            close_position=amount == ALL_OF_IT,
            reduce_only=call.flag("reduceOnly"),
            position_side=call.one_of("positionSide", POSITION_SIDES, "net"),
            extra={"orderType": call.text("orderType", ""), "mode": mode, "size": amount},
        )

    def _check_margin_mode(self, account: Account, ticket: Ticket) -> None:
        """A position is held in one mode; another mode has nothing to close. Two at once are not simulated."""
        book, mode = self.desk.book(account), ticket.extra["mode"]
        market = self.desk.market(ticket.symbol)
        if not any(each.market is market for each in book.open_positions()):
            book.margin_modes[market.symbol] = mode
        elif self.desk.margin_mode(account, market) is not mode:
            raise (
                Rejected(Reason.REDUCE_ONLY)
                if ticket.reduces
                else Rejected(Reason.BAD_PARAMETER, "marginMode")
            )

    def _place_tpsl(self, call: Call) -> str:
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPrice", "")]
        if not legs:
            raise answered("152003", "Either parameter tpTriggerPrice or slTriggerPrice is required")
        pair = list[Order]()
        tickets = [
            self._waiting(call, f"{leg}TriggerPrice", f"{leg}OrderPrice", leg, pair, first=leg == legs[0])
            for leg in legs
        ]
        last = self.desk.bid(self.desk.market(call.text("instId")))
        for each in tickets:
            trigger = each.trigger_price or last
            if last >= trigger if each.trigger_rises else last <= trigger:
                raise Rejected(Reason.WOULD_TRIGGER, f"{each.extra['leg']} {each.side}")
        return self._placed(call.account, tickets, pair)

    def _place_trigger(self, call: Call) -> str:
        """It fires on whichever side of the price its trigger lies."""
        if call.text("orderType") != "trigger":
            raise Rejected(Reason.BAD_PARAMETER, "orderType")
        pair = list[Order]()
        ticket = self._waiting(call, "triggerPrice", "orderPrice", "trigger", pair)
        return self._placed(call.account, [ticket], pair)

    def _placed(self, account: Account, tickets: list[Ticket], pair: list[Order]) -> str:
        for each in tickets:
            self._check_margin_mode(account, each)
        pair += self.desk.place_linked(account, tickets)
        return pair[0].id

    def _waiting(
        self,
        call: Call,
        trigger_name: str,
        price_name: str,
        leg: str,
        pair: list[Order],
        *,
        first: bool = True,
    ) -> Ticket:
        """`pair` is shared by the orders of one TP/SL order; the first of them has its name."""
        trigger, written = call.decimal(trigger_name), call.decimal(price_name)
        ticket = self._ticket(call, OrderType.STOP)
        rises = (ticket.side is Side.BUY) == (leg == "sl")
        if leg == "trigger":
            rises = trigger > self.desk.bid(self.desk.market(ticket.symbol))
        price = None if written == AT_MARKET else written
        return replace(
            ticket,
            type=CONDITIONALS[rises == (ticket.side is Side.BUY), price is not None],
            price=price,
            trigger_price=trigger,
            rises=rises,
            client_id=call.text("clientOrderId", "") if first else "",
            link=call.headers["access-sign"],
            extra={**ticket.extra, "leg": leg, "pair": pair},
        )

    # -- cancelled -------------------------------------------------------------------------------------

    @route("POST /api/v1/trade/cancel-order", trading=True, costs=TRADING)
    def cancel(self, call: Call) -> Any:
        return frame(self._try(call, self._cancel, "orderId"))

    @route("POST /api/v1/trade/cancel-batch-orders", trading=True, costs=TRADING)
    def cancel_batch(self, call: Call) -> Any:
        return frame([self._try(row, self._cancel, "orderId") for row in _rows(call)])

    @route("POST /api/v1/trade/cancel-tpsl", trading=True, costs=TRADING)
    def cancel_tpsl(self, call: Call) -> Any:
        return frame([self._try(row, self._cancel_tpsl, "tpslId") for row in _rows(call)])

    @route("POST /api/v1/trade/cancel-algo", trading=True, costs=TRADING)
    def cancel_trigger(self, call: Call) -> Any:
        return frame(self._try(call, self._cancel_trigger, "algoId"))

    def _cancel(self, call: Call) -> str:
        order = self._plain(call)
        if order is None or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        self.desk.cancel(call.account, order)
        return order.live_id or order.id

    def _cancel_tpsl(self, call: Call) -> str:
        return self._cancel_waiting(call, "tpslId")

    def _cancel_trigger(self, call: Call) -> str:
        return self._cancel_waiting(call, "algoId")

    def _cancel_waiting(self, call: Call, id_name: str) -> str:
        pair = self._pair(call, id_name)
        if not pair or not all(order.open and order.waiting for order in pair):
            raise Rejected(Reason.NOT_OPEN)
        self.desk.cancel(call.account, pair[0])
        return pair[0].id


def _told_of_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    failed = sum(row["code"] != "0" for row in rows)
    if not failed:
        return frame(rows, words="")
    if failed < len(rows):
        return frame(rows, "2", "Batch operation partially succeeded.")
    return frame(rows, "1", "All operations failed")


def _rows(call: Call) -> list[Call]:
    """A call for each entry of a body that is a list."""
    rows = call.body_params.get("")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Rejected(Reason.BAD_PARAMETER, "body")
    return [replace(call, body=encode(row)) for row in rows]
