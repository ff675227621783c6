"""Orders of Bitunix' perpetuals as their clients see them: refusals with HTTP 200 and a code, and orders that are only
acknowledged. TP/SL records, the account and spot have files of their own.

Documented at https://www.bitunix.com/api-docs/futures/ (stored copies read 2026-11-22). Not documented, so chosen here:
that a hedged order that closes is listed as reduce-only with the side of its position.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitunix_answers import (
    KINDS,
    MARGIN_OF,
    NO_POSITION,
    NOT_FOUND,
    PATH,
    SIDE_OF,
    SIDES,
    TRIGGERS,
    ok,
    page,
    record_of,
    refused,
    status_word,
)
from exchanges.sandbox.dialects.bitunix_frame import COINS
from exchanges.sandbox.dialects.bitunix_records import BitunixRecords
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Answered, Call
from exchanges.types import Direction, OrderStatus, OrderType, PositionMode, Product, Side, TimeInForce

D = Decimal
LARGEST_BATCH = 5
EFFECTS = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "POST_ONLY": TimeInForce.GTC,
}
USED = "create pair settings account orders order trades records ended_records positions cancel_pair"


def _market(base: str, tick: str, step: str) -> Market:
    most = D(1_000_000)
    return Market(
        f"{base}USDT",
        base,
        "USDT",
        Product.LINEAR,
        D(tick),
        D(step),
        min_quantity=D(step),
        max_quantity=most,
        max_market_quantity=most,
        max_leverage=D(125),
    )


class BitunixFutures(BitunixRecords):
    name, product = "Bitunix_F", Product.LINEAR
    markets = tuple(_market(*coin) for coin in COINS)
    limits = (
        *(Limit(name, name, 10, 1) for name in USED.split()),
        Limit("batch", "batch", 1, 1),
        Limit("cancel", "cancel", 5, 1),
        Limit("market", "market", 10, 1, Owner.ADDRESS),
    )
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="futures",
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_984_824_772_000_000_000 + number),
    )

    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {PATH}trade/place_order", trading=True, costs={"create": 1})
    def place(self, call: Call) -> Any:
        limit = call.one_of("orderType", {"LIMIT": True, "MARKET": False})
        effect = call.text("effect", "GTC")
        ticket = Ticket(
            call.text("symbol"),
            quantity=call.decimal("qty"),
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            price=call.decimal("price") if limit else None,
            time_in_force=call.one_of("effect", EFFECTS, "GTC") if limit else TimeInForce.GTC,
            post_only=limit and effect == "POST_ONLY",
            client_id=call.text("clientId", ""),
            extra={"effect": effect},
            **self._aim(call),
        )
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        order = self.desk.place(call.account, ticket)
        return ok({"orderId": order.id, "clientId": order.client_id})

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """One record of its stop and its target from the first fill on, for as much as it orders."""
        record, side = self.rules.order_id(self.desk.number()), entry.side.opposite
        for prefix in ("sl", "tp"):
            if entry.reduces or not call.text(f"{prefix}Price", ""):
                continue
            limit = call.one_of(f"{prefix}OrderType", {"LIMIT": True, "MARKET": False}, "MARKET")
            yield Ticket(
                entry.symbol,
                side,
                KINDS[prefix, limit],
                quantity=entry.quantity,
                price=call.decimal(f"{prefix}OrderPrice") if limit else None,
                trigger_price=call.decimal(f"{prefix}Price"),
                trigger_by=call.one_of(f"{prefix}StopType", TRIGGERS, "MARK_PRICE"),
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=f"record {record}",
                extra={"record": record, "effect": "GTC"},
            )

    @route(f"POST {PATH}trade/modify_order", trading=True, costs={"create": 1})
    def modify(self, call: Call) -> Any:
        order = self._plain(call.account, call.text("orderId", ""), call.text("clientId", ""))
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        self.desk.amend(
            call.account, order, quantity=call.decimal_or_none("qty"), price=call.decimal_or_none("price")
        )
        return ok({"orderId": order.id, "clientId": order.client_id})

    @route(f"POST {PATH}trade/flash_close_position", trading=True, costs={"create": 1})
    def flash_close(self, call: Call) -> Any:
        """All of it, at market."""
        wanted = call.text("positionId")
        for position in self.desk.book(call.account).open_positions():
            if self._number_of(call.account, position) == wanted:
                self._close(call.account, position)
                return ok({"positionId": wanted})
        raise Answered(refused(*NO_POSITION))

    @route(f"POST {PATH}trade/close_all_position", trading=True, costs={"create": 1})
    def close_all(self, call: Call) -> Any:
        """Of the symbol that may be named."""
        symbol = call.text("symbol", "")
        for position in self.desk.book(call.account).open_positions():
            if symbol in ("", position.market.symbol):
                self._close(call.account, position)
        return ok({})

    def _close(self, account: Account, position: Position) -> None:
        ticket = Ticket(
            position.market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=position.side is None,
            position_side=position.side,
            extra={"effect": "GTC"},
        )
        self.desk.place(account, ticket)

    @route(f"POST {PATH}trade/batch_order", trading=True, costs={"batch": 1})
    def place_batch(self, call: Call) -> Any:
        symbol, orders = call.text("symbol"), call.params.get("orderList")
        self.desk.market(symbol)
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orderList")
        named = [{**each, "symbol": symbol} for each in orders]
        told = self.each(call, named, f"{PATH}trade/place_order", self.place)
        done, failed = [], []
        for order, answer in zip(orders, told, strict=True):
            row = {"clientId": order.get("clientId", "")}
            if answer["code"] == 0:
                done.append({"id": answer["data"]["orderId"], **row})
            else:
                failed.append(row | {"errorMsg": answer["msg"], "errorCode": answer["code"]})
        return ok({"successList": done, "failureList": failed})

    def _aim(self, call: Call) -> dict[str, Any]:
        """Side and position. In hedge mode an order that closes has the side of the position it names."""
        side = call.one_of("side", SIDES)
        if self.desk.book(call.account).position_mode is PositionMode.ONE_WAY:
            return {"side": side, "reduce_only": call.flag("reduceOnly")}
        closes = call.one_of("tradeSide", {"OPEN": False, "CLOSE": True})
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        if closes and self._position_of(call).side is not direction:
            raise Rejected(Reason.BAD_PARAMETER, "side")
        return {"side": side.opposite if closes else side, "position_side": direction}

    @route(f"GET {PATH}trade/get_order_detail", costs={"order": 1})
    def detail(self, call: Call) -> Any:
        named = call.text("orderId", ""), call.text("clientId", "")
        if not any(named):
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        if (order := self._plain(call.account, *named)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._order_row(call.account, order))

    def _plain(self, account: Account, order_id: str, client_id: str) -> Order | None:
        """A leg of a record is an order from its trigger on, under another number."""
        found = self.desk.order(account, order_id=order_id, client_id=client_id)
        if found is not None and record_of(found) and order_id != found.live_id:
            return None
        return found

    @route(f"GET {PATH}trade/get_pending_orders", costs={"orders": 1})
    def pending(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if each.open and not each.waiting]
        return page(call, "orderList", [self._order_row(call.account, each) for each in found])

    @route(f"GET {PATH}trade/get_history_orders", costs={"orders": 1})
    def history(self, call: Call) -> Any:
        found = [
            each for each in self._listed(call) if not each.open and (not record_of(each) or each.live_id)
        ]
        return page(call, "orderList", [self._order_row(call.account, each) for each in found])

    @route(f"GET {PATH}trade/get_history_trades", costs={"trades": 1})
    def trades(self, call: Call) -> Any:
        wanted = {name: call.text(name, "") for name in ("symbol", "orderId", "positionId")}
        since_ms = call.integer("startTime", 0)
        rows = [self._trade_row(call.account, fill, number) for fill, number in self._numbered(call.account)]
        found = [
            row
            for row in reversed(rows)
            if row["ctime"] >= since_ms and all(want in ("", row[name]) for name, want in wanted.items())
        ]
        return page(call, "tradeList", found)

    @route(f"POST {PATH}trade/cancel_orders", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        market, done, failed = self.desk.market(call.text("symbol")), [], []
        for each in call.params["orderList"]:
            named = str(each.get("orderId") or ""), str(each.get("clientId") or "")
            order = self._plain(call.account, *named)
            row = {"orderId": named[0], "clientId": named[1]}
            if order is None or not order.open or order.market is not market:
                failed.append(row | {"errorCode": str(NOT_FOUND[0]), "errorMsg": NOT_FOUND[1]})
                continue
            self.desk.cancel(call.account, order)
            done.append(row)
        return ok({"successList": done, "failureList": failed})

    @route(f"POST {PATH}trade/cancel_all_orders", trading=True, costs={"cancel": 1})
    def cancel_all(self, call: Call) -> Any:
        for order in [each for each in self._listed(call) if each.open and not each.waiting]:
            self.desk.cancel(call.account, order)
        return ok({"successList": [], "failureList": []})

    # -- how orders are written ------------------------------------------------------------------------

    def _common(self, account: Account, order: Order) -> dict[str, Any]:
        hedged, closes = order.ticket.position_side is not None, order.ticket.exits
        limit = order.ticket.price is not None
        return {
            "orderId": order.live_id or order.id,
            "symbol": order.market.symbol,
            "positionMode": "HEDGE" if hedged else "ONE_WAY",
            "marginMode": MARGIN_OF[self.desk.margin_mode(account, order.market)],
            "leverage": int(self.desk.leverage(account, order.market)),
            "side": SIDE_OF[order.side.opposite if closes else order.side],
            "orderType": "LIMIT" if limit else "MARKET",
            "effect": order.ticket.extra["effect"],
            "clientId": order.client_id,
            "reduceOnly": order.ticket.reduces,
        }

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        return self._common(account, order) | {
            "qty": text(order.quantity),
            "tradeQty": text(order.filled),
            "price": text(order.price) if order.price is not None else "",
            "status": status_word(order),
            "fee": text(sum(order.fees().values(), ZERO)),
            "realizedPNL": text(sum((fill.realised for fill in order.fills), ZERO)),
            "ctime": order.triggered_ms or order.created_ms,
            "mtime": order.updated_ms,
        }

    def _trade_row(self, account: Account, fill: Fill, number: str) -> dict[str, Any]:
        order = self.desk.order(account, order_id=fill.order_id)
        assert order is not None
        return self._common(account, order) | {
            "tradeId": str(fill.id),
            "positionId": number,
            "qty": text(fill.quantity),
            "price": text(fill.price),
            "fee": text(fill.fee),
            "realizedPNL": text(fill.realised),
            "ctime": fill.time_ms,
            "roleType": "MAKER" if fill.maker else "TAKER",
        }
