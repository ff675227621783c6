"""Kraken Futures: linear perpetuals (`PF_`) and those margined in their coin (`PI_`), parameters in the query, refusals inside a success.

Sources (read 2026-11-22 in stored copies of May to September 2026): docs.kraken.com (futures API v3: send-order,
cancel-order, get-order-status, get-open-orders, get-fills; history API v3: orders, triggers, executions). Here USD
is the only collateral, and the history is told from what the orders have become: first event and last.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.kraken_futures_account import API, COINS, FLEX, KrakenFuturesAccount
from exchanges.sandbox.dialects.kraken_futures_answers import (
    INVERSE,
    LINEAR,
    done,
    execution_event,
    fill_row,
    instant,
    number_id,
    open_order,
    order_events,
    order_row,
    placing_events,
    status_row,
    trigger_events,
)
from exchanges.sandbox.model import ClientIds, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

#: how long orders/status knows an order after its end
STATUS_MS = 5000
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
SIGNALS = {"last": TriggerBy.LAST, "mark": TriggerBy.MARK, "index": TriggerBy.INDEX, "spot": TriggerBy.INDEX}
#: word -> type without and with a limit price, time in force, post only
FORMS = {
    "mkt": (OrderType.MARKET, OrderType.MARKET, TimeInForce.GTC, False),
    "lmt": (OrderType.LIMIT, OrderType.LIMIT, TimeInForce.GTC, False),
    "post": (OrderType.LIMIT, OrderType.LIMIT, TimeInForce.GTC, True),
    "ioc": (OrderType.LIMIT, OrderType.LIMIT, TimeInForce.IOC, False),
    "fok": (OrderType.LIMIT, OrderType.LIMIT, TimeInForce.FOK, False),
    "stp": (OrderType.STOP, OrderType.STOP_LIMIT, TimeInForce.GTC, False),
    "take_profit": (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT, TimeInForce.GTC, False),
}


class _KrakenFutures(KrakenFuturesAccount):
    # -- orders ------------------------------------------------------------------------------------------

    @route(f"POST {API}/sendorder", trading=True, costs={"derivatives": 10})
    def send(self, call: Call) -> Any:
        order = self.desks[self._market(call).product].place(call.account, self._ticket(call))
        if not order.open and not order.filled and not order.ticket.type.conditional:
            return self._refused("iocWouldNotExecute", call)
        told = {"order_id": order.id, "cliOrdId": order.client_id or None, "status": "placed"}
        events = list(placing_events(order))
        return done(
            call, sendStatus={**told, "receivedTime": instant(order.created_ms), "orderEvents": events}
        )

    def _ticket(self, call: Call) -> Ticket:
        word = call.text("orderType")
        plain, limited, force, post_only = call.one_of("orderType", FORMS)
        limit = None if plain is OrderType.MARKET else call.decimal_or_none("limitPrice")
        kind = plain if limit is None else limited
        if kind is OrderType.LIMIT and limit is None:
            raise Rejected(Reason.MISSING_PARAMETER, "limitPrice")
        if len(client_id := call.text("cliOrdId", "")) > 100:
            raise Rejected(Reason.BAD_PARAMETER, "cliOrdId")
        return Ticket(
            symbol=self._market(call).symbol,
            side=call.one_of("side", SIDES),
            type=kind,
            quantity=call.decimal("size"),
            price=limit,
            trigger_price=call.decimal("stopPrice") if kind.conditional else None,
            trigger_by=call.one_of("triggerSignal", SIGNALS, "last"),
            time_in_force=force,
            post_only=post_only,
            reduce_only=call.flag("reduceOnly"),
            client_id=client_id,
            extra={"form": word},
        )

    @route(f"POST {API}/batchorder", trading=True)
    def batch(self, call: Call) -> Any:
        """Sending, changing and cancelling. Tags come back as they were given."""
        try:
            orders = json.loads(call.text("json"), parse_float=Decimal)["batchOrder"]
        except (ValueError, LookupError, TypeError):
            raise Rejected(Reason.BAD_PARAMETER, "json") from None
        told = self.each(call, orders, f"{API}/sendorder", self._instructed)
        return done(call, batchStatus=told)

    def _instructed(self, call: Call) -> Any:
        ways = {"send": self._send_tagged, "edit": self._edit_named, "cancel": self._cancel_named}
        return call.one_of("order", ways)(call)

    def _edit_named(self, call: Call) -> Any:
        named = {**call.body_params, "orderId": call.text("order_id", "")}
        (answer,) = self.each(call, [named], f"{API}/editorder", self.edit)
        status = dict(answer.get("editStatus") or {"status": answer["error"], "orderEvents": []})
        status["dateTimeReceived"] = status.pop("receivedTime", instant(call.now_ms))
        return {"order_id": status.pop("orderId", call.text("order_id", "")), **status}

    def _cancel_named(self, call: Call) -> Any:
        status = dict(self.cancel(call)["cancelStatus"])
        status["dateTimeReceived"] = status.pop("receivedTime")
        return {
            "order_id": call.text("order_id", ""),
            "cliOrdId": call.text("cliOrdId", "") or None,
            **status,
        }

    def _send_tagged(self, call: Call) -> Any:
        tag = call.text("order_tag")
        (answer,) = self.each(call, [call.body_params], call.path, self.send)
        status = dict(answer.get("sendStatus") or {"status": answer["error"], "orderEvents": []})
        status["dateTimeReceived"] = status.pop("receivedTime", instant(call.now_ms))
        return {"order_tag": tag, **status}

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """A batch costs 9 and one more for each order (docs.kraken.com: guides/futures/ratelimits)."""
        if route.handler != "batch":
            return super().costs(route, call)
        return {"derivatives": 9 + call.text("json", "").count('"order":')}

    @route(f"POST {API}/editorder", trading=True, costs={"derivatives": 10})
    def edit(self, call: Call) -> Any:
        order = self._named(call, "orderId")
        if order is None or not order.open:
            told: dict[str, Any] = {"status": "orderForEditNotFound", "orderEvents": []}
            return done(call, editStatus={**told, "receivedTime": instant(call.now_ms)})
        before = order_row(order)
        prices = {
            "price": call.decimal_or_none("limitPrice"),
            "trigger_price": call.decimal_or_none("stopPrice"),
        }
        desk = self.desks[order.market.product]
        desk.amend(call.account, order, quantity=call.decimal_or_none("size"), **prices)
        event = {"old": before, "new": order_row(order), "reducedQuantity": None, "type": "EDIT"}
        told = {"status": "edited", "orderId": order.id, "orderEvents": [event]}
        return done(call, editStatus={**told, "receivedTime": instant(call.now_ms)})

    @route(f"POST {API}/cancelorder", trading=True, costs={"derivatives": 10})
    def cancel(self, call: Call) -> Any:
        order = self._named(call, "order_id")
        told: dict[str, Any] = {"receivedTime": instant(call.now_ms), "status": "notFound"}
        if order is not None and order.open:
            self.desks[order.market.product].cancel(call.account, order)
            event = {"uid": order.id, "order": order_row(order), "type": "CANCEL"}
            told |= {"status": "cancelled", "order_id": order.id, "orderEvents": [event]}
        elif order is not None and order.status is OrderStatus.FILLED:
            told |= {"status": "filled", "order_id": order.id}
        return done(call, cancelStatus=told)

    def _named(self, call: Call, name: str) -> Order | None:
        return self._known(call, order_id=call.text(name, ""), client_id=call.text("cliOrdId", ""))

    def _known(self, call: Call, **named: str) -> Order | None:
        found = (desk.order(call.account, **named) for desk in self.desks.values())
        return next((order for order in found if order is not None), None)

    @route(f"POST {API}/cancelallorders", trading=True, costs={"derivatives": 25})
    def cancel_all(self, call: Call) -> Any:
        symbol = call.text("symbol", "").upper()
        desks = self.desks.values()
        orders = [each for desk in desks for each in desk.cancel_all(call.account, symbol or None)]
        told = {
            "receivedTime": instant(call.now_ms),
            "cancelOnly": symbol or "all",
            "status": "cancelled" if orders else "noOrdersToCancel",
            "cancelledOrders": [{"order_id": each.id, "cliOrdId": each.client_id or None} for each in orders],
            "orderEvents": [{"uid": each.id, "order": order_row(each), "type": "CANCEL"} for each in orders],
        }
        return done(call, cancelStatus=told)

    @route(f"GET {API}/openorders", costs={"derivatives": 2})
    def open_orders(self, call: Call) -> Any:
        found = [each for book in self._books(call) for each in book.open.values()]
        return done(call, openOrders=[open_order(each) for each in found])

    @route(f"POST {API}/orders/status", f"GET {API}/orders/status")
    def order_status(self, call: Call) -> Any:
        """Open orders and those that ended within five seconds; the names may be given repeatedly."""
        asked = parse_qsl(f"{call.query}&{call.body.decode()}")
        found = [
            self._known(call, **{"order_id" if name == "orderIds" else "client_id": value})
            for name, value in asked
            if name in ("orderIds", "cliOrdIds")
        ]
        fresh = [each for each in found if each and (each.open or call.now_ms - each.updated_ms <= STATUS_MS)]
        return done(call, orders=[status_row(order) for order in fresh])

    @route(f"GET {API}/fills", costs={"derivatives": 2})
    def fills(self, call: Call) -> Any:
        made = [(fill, book.orders[fill.order_id]) for book in self._books(call) for fill in book.fills]
        newest = sorted(made, key=lambda each: each[0].id, reverse=True)[:100]
        return done(call, fills=[fill_row(*each) for each in newest])

    # -- history -----------------------------------------------------------------------------------------

    @route("GET /api/history/v2/orders", "GET /api/history/v3/orders", costs={"history": 1})
    def order_history(self, call: Call) -> Any:
        orders = [order for book in self._books(call) for order in book.orders.values()]
        return self._history(
            call, (event for order in orders if not order.waiting for event in order_events(order))
        )

    @route("GET /api/history/v2/triggers", "GET /api/history/v3/triggers", costs={"history": 1})
    def trigger_history(self, call: Call) -> Any:
        orders = [order for book in self._books(call) for order in book.orders.values()]
        conditional = (order for order in orders if order.ticket.type.conditional)
        return self._history(call, (event for order in conditional for event in trigger_events(order)))

    @route("GET /api/history/v2/executions", "GET /api/history/v3/executions", costs={"history": 1})
    def execution_history(self, call: Call) -> Any:
        made = ((fill, book) for book in self._books(call) for fill in book.fills)
        return self._history(call, (execution_event(fill, book.orders[fill.order_id]) for fill, book in made))

    def _history(self, call: Call, events: Iterator[tuple[int, str, Any]]) -> Any:
        """(time, symbol, event) rows of the symbol asked for, newest first, in pages of `count`."""
        symbol, count = call.text("tradeable", "").upper(), min(call.integer("count", 100), 1000)
        rows = [each for each in events if symbol in ("", each[1])]
        rows.sort(key=lambda row: row[0], reverse=call.text("sort", "desc") == "desc")
        start = int(base64.b64decode(call.text("continuation_token", "MA==")))
        page = [
            {
                "uid": number_id(f"event/{time_ms}/{symbol}", start + place),
                "timestamp": time_ms,
                "event": event,
            }
            for place, (time_ms, symbol, event) in enumerate(rows[start : start + count])
        ]
        told = {
            "accountUid": number_id("account", call.account.created_ms),
            "len": len(page),
            "elements": page,
        }
        if start + count < len(rows):
            told["continuationToken"] = base64.b64encode(str(start + count).encode()).decode()
        return {**told, "serverTime": instant(call.now_ms)}


class KrakenFutures(_KrakenFutures):
    name, product, markets = "Kraken_F", Product.LINEAR, LINEAR
    rules = Rules(
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        wallet=FLEX,
        refuses_crossed_triggers=False,
        unfilled=OrderStatus.CANCELLED,
        client_ids=ClientIds.FOREVER,
        order_id=lambda number: number_id("order", number),
        default_leverage=Decimal(50),
    )


class KrakenInverse(_KrakenFutures):
    name, product, markets = "Kraken_C", Product.INVERSE, INVERSE
    rules = replace(KrakenFutures.rules, wallet=COINS)
