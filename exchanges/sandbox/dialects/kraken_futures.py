"""Kraken Futures: linear perpetuals (`PF_`) and those margined in their coin (`PI_`), parameters in the query, refusals inside a success.

Sources (read 2026-11-22 in stored copies of May to September 2026): docs.kraken.com (futures API v3: send-order,
cancel-order, get-order-status, get-open-orders, get-fills; history API v3: orders, triggers, executions). Here USD
is the only collateral, and the history is told from what the orders have become: first event and last.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.dialects.kraken_futures_answers import (
    done,
    execution_event,
    fill_row,
    instant,
    instrument_row,
    number_id,
    open_order,
    order_events,
    order_row,
    placing_events,
    status_row,
    trigger_events,
)
from exchanges.sandbox.ledger import Account, Book, Position
from exchanges.sandbox.meter import Exceeded, Limit
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

API = "/derivatives/api/v3"
#: the multi-collateral wallet, and the margin accounts of single coins
FLEX, COINS = "flex", "coins"
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
#: refusals of an order: told as its status
STATUS_WORDS = {
    Reason.PRICE_TICK: "invalidPrice",
    Reason.TRIGGER_TICK: "invalidPrice",
    Reason.QUANTITY_STEP: "invalidSize",
    Reason.MIN_QUANTITY: "invalidSize",
    Reason.MIN_NOTIONAL: "invalidSize",
    Reason.MAX_QUANTITY: "maxPositionViolation",
    Reason.DUPLICATE: "clientOrderIdAlreadyExist",
    Reason.INSUFFICIENT: "insufficientAvailableFunds",
    Reason.REDUCE_ONLY: "wouldNotReducePosition",
    Reason.POST_ONLY: "postWouldExecute",
    Reason.NOT_FILLABLE: "iocWouldNotExecute",
    Reason.STOP_REFUSED: "tooManySmallOrders",
    Reason.TOO_MANY_ORDERS: "tooManySmallOrders",
}
#: refusals of a request: HTTP status and word
ERROR_WORDS = {
    Reason.NO_KEY: (200, "authenticationError"),
    Reason.BAD_KEY: (200, "authenticationError"),
    Reason.BAD_SIGNATURE: (200, "authenticationError"),
    Reason.NO_PERMISSION: (200, "authenticationError"),
    Reason.BAD_NONCE: (200, "nonceBelowThreshold"),
    Reason.THROTTLED: (429, "apiLimitExceeded"),
    Reason.BANNED: (429, "apiLimitExceeded"),
    Reason.MAINTENANCE: (503, "Unavailable"),
    Reason.INTERNAL: (500, "Server Error"),
    Reason.UNKNOWN_PATH: (404, "notFound"),
    Reason.UNKNOWN_SYMBOL: (200, "contractNotFound"),
    Reason.MISSING_PARAMETER: (200, "requiredArgumentMissing"),
}
#: base, symbol, tick, decimals of the size, greatest leverage, greatest position
_MARKETS = (
    ("BTC", "PF_XBTUSD", "1", 4, 50, 1000),
    ("ETH", "PF_ETHUSD", "0.1", 3, 50, 20_000),
    ("SOL", "PF_SOLUSD", "0.01", 2, 50, 200_000),
    ("XRP", "PF_XRPUSD", "0.00001", 0, 25, 20_000_000),
    ("DOGE", "PF_DOGEUSD", "0.000001", 0, 25, 100_000_000),
    ("LTC", "PF_LTCUSD", "0.01", 2, 25, 200_000),
)


def _market(base: str, symbol: str, tick: str, decimals: int, leverage: int, most: int) -> Market:
    return Market(
        symbol=symbol,
        base=base,
        quote="USD",
        product=Product.LINEAR,
        tick=Decimal(tick),
        step=Decimal(1).scaleb(-decimals),
        min_quantity=Decimal(1).scaleb(-decimals),
        max_quantity=Decimal(most),
        max_market_quantity=Decimal(most),
        max_leverage=Decimal(leverage),
        extra={"decimals": decimals},
    )


def _inverse(base: str, tick: str) -> Market:
    """One contract is a dollar."""
    return Market(
        symbol=f"PI_{'XBT' if base == 'BTC' else base}USD",
        base=base,
        quote="USD",
        product=Product.INVERSE,
        tick=Decimal(tick),
        step=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(75_000_000),
        max_market_quantity=Decimal(75_000_000),
        max_leverage=Decimal(50),
        extra={"decimals": 0},
    )


class _KrakenFutures(Dialect):
    family = "kraken_futures"
    limits = (Limit("derivatives", "derivatives", 500, 10), Limit("history", "history", 100, 600))
    default_costs = {"derivatives": 1}

    # -- the caller --------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("apikey", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(42), base64.b64encode(secrets.token_bytes(64)).decode(), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        given, secret = call.headers.get("authent", "").encode(), base64.b64decode(account.secret)
        sent = call.query.encode() + call.body + call.headers.get("nonce", "").encode()
        wanted = (
            hmac.digest(secret, hashlib.sha256(sent + path.encode()).digest(), "sha512")
            for path in (call.path.removeprefix("/derivatives"), *call.signed_paths[1:])
        )
        if not any(hmac.compare_digest(given, base64.b64encode(each)) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        found = self.find(call.method, call.path)
        if found and found[0].trading and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in STATUS_WORDS and call.path.endswith(("order", "orders")):
            return Reply(self._refused(STATUS_WORDS[reason], call))
        status, word = ERROR_WORDS.get(reason, (200, f"invalidArgument: {detail}"))
        return Reply({"result": "error", "error": word, "serverTime": instant(call.now_ms)}, status)

    def _refused(self, word: str, call: Call) -> dict[str, Any]:
        """A refused order is a success with its reason as the status."""
        events = [{"uid": number_id("order", self.desk.number()), "reason": word, "type": "REJECT"}]
        place = "editStatus" if call.path.endswith("editorder") else "sendStatus"
        told = {"status": word, "receivedTime": instant(call.now_ms), "orderEvents": events}
        return done(call, **{place: {"order_id": events[0]["uid"], **told}})

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells when to come back."""
        return self.refuse(Reason.THROTTLED, "", call)

    # -- market data -------------------------------------------------------------------------------------

    @route(f"GET {API}/instruments", public=True)
    def instruments(self, call: Call) -> Any:
        index = {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
        return done(call, instruments=[*(instrument_row(market) for market in self._markets()), index])

    @route(f"GET {API}/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        return done(call, tickers=[self._ticker(market, call) for market in self._markets()])

    @route(f"GET {API}/tickers/{{symbol}}", public=True)
    def ticker(self, call: Call) -> Any:
        return done(call, ticker=self._ticker(self._market(call), call))

    @route(f"GET {API}/orderbook", public=True)
    def order_book(self, call: Call) -> Any:
        market = self._market(call)
        desk = self.desks[market.product]
        return done(call, orderBook={"bids": [[desk.bid(market), 1000]], "asks": [[desk.ask(market), 1000]]})

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _market(self, call: Call) -> Market:
        wanted = call.text("symbol").upper()
        found = next((market for market in self._markets() if market.symbol == wanted), None)
        return found or self.desk.market(wanted)

    def _books(self, call: Call) -> list[Book]:
        return [desk.book(call.account) for desk in self.desks.values()]

    def _known(self, call: Call, **named: str) -> Order | None:
        found = (desk.order(call.account, **named) for desk in self.desks.values())
        return next((order for order in found if order is not None), None)

    def _ticker(self, market: Market, call: Call) -> dict[str, Any]:
        desk = self.desks[market.product]
        bid, ask = desk.bid(market), desk.ask(market)
        return {
            "tag": "perpetual",
            "pair": f"{market.symbol[3:-3]}:USD",
            "symbol": market.symbol,
            **dict.fromkeys(("last", "markPrice", "indexPrice", "bid", "open24h"), bid),
            "ask": ask,
            **dict.fromkeys(("bidSize", "askSize", "vol24h", "openInterest"), 1000),
            "lastTime": instant(call.now_ms),
            "lastSize": market.step,
            "suspended": False,
            "postOnly": False,
        }

    # -- the account -------------------------------------------------------------------------------------

    @route(f"GET {API}/accounts", costs={"derivatives": 2})
    def accounts(self, call: Call) -> Any:
        account, wallet = call.account, FLEX
        total, open_profit = account.total(wallet, "USD"), account.unrealised(wallet, "USD")
        free, equity = account.free(wallet, "USD"), total + open_profit
        usd = {
            "quantity": text(total),
            "value": text(total),
            "collateral": text(total),
            "available": text(max(free, ZERO)),
        }
        flex = {
            "currencies": {"USD": usd},
            **dict.fromkeys(
                ("initialMargin", "initialMarginWithOrders"), text(account.locked(wallet, "USD"))
            ),
            "maintenanceMargin": text(account.locked(wallet, "USD") / 2),
            **dict.fromkeys(("balanceValue", "collateralValue"), text(total)),
            **dict.fromkeys(("portfolioValue", "marginEquity"), text(equity)),
            **dict.fromkeys(("pnl", "totalUnrealized", "totalUnrealizedAsMargin"), text(open_profit)),
            "unrealizedFunding": "0.0",
            "availableMargin": text(free),
            "type": "multiCollateralMarginAccount",
        }
        cash = {"balances": {}, "type": "cashAccount"}
        coins = dict(
            self._margin_account(account, each) for each in self.desks[Product.INVERSE].markets.values()
        )
        return done(call, accounts={"cash": cash, "flex": flex, **coins})

    @route("GET /api/auth/v1/api-keys/v3/check", costs={"derivatives": 2})
    def key_check(self, call: Call) -> Any:
        """docs.kraken.com/api-reference/api-keys/check-v3-api-key (read 2026-11-23)"""
        account, access = call.account, {True: "FULL_ACCESS", False: "NO_ACCESS"}
        return {
            "apiKey": account.key,
            "accountUid": str(uuid.UUID(int=int(account.fingerprint, 16))),
            "iiban": None,
            "createdAt": instant(account.created_ms),
            "permissions": {
                "general": access["trade" in account.permissions],
                "transfer": access["withdraw" in account.permissions],
            },
            "allowedCidrBlock": None,
            "allowedCidrBlocks": [],
        }

    @staticmethod
    def _margin_account(account: Account, market: Market) -> tuple[str, dict[str, Any]]:
        """Numbers are numbers here, where the multi-collateral wallet has text."""
        asset = market.base
        total, profit = account.total(COINS, asset), account.unrealised(COINS, asset)
        held, name = account.locked(COINS, asset), market.symbol.lower().removeprefix("pi_")
        told = {"pv": total + profit, "pnl": profit, "af": account.free(COINS, asset), "funding": ZERO}
        requirements = {"im": held, "mm": held / 2, "lt": held / 2, "tt": held / 4}
        return f"fi_{name}", {
            "type": "marginAccount",
            "currency": name.removesuffix("usd"),
            "balances": {name.removesuffix("usd"): total},
            "auxiliary": told,
            "marginRequirements": requirements,
        }

    @route(f"GET {API}/openpositions", costs={"derivatives": 2})
    def positions(self, call: Call) -> Any:
        held = [each for book in self._books(call) for each in book.open_positions()]
        return done(call, openPositions=[self._position(call.account, each) for each in held])

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        desk = self.desks[position.market.product]
        fixed = desk.book(account).leverages.get(position.market.symbol)
        return {
            "side": position.direction,
            "symbol": position.market.symbol,
            "price": position.entry_price,
            "fillTime": instant(position.updated_ms),
            "size": abs(position.quantity),
            "unrealizedFunding": None,
            "unrealizedPnl": position.unrealised(desk.bid(position.market)),
            "pnlCurrency": position.market.settle,
            **({} if fixed is None else {"maxFixedLeverage": fixed}),
        }

    @route(f"GET {API}/leveragepreferences", costs={"derivatives": 2})
    def leverages(self, call: Call) -> Any:
        symbol, known = (
            call.text("symbol", "").upper(),
            self.desks[Product.LINEAR].book(call.account).leverages,
        )
        rows = [
            {"symbol": each, "maxLeverage": set_to} for each, set_to in known.items() if symbol in ("", each)
        ]
        return done(call, leveragePreferences=rows)

    @route(f"PUT {API}/leveragepreferences", trading=True, costs={"derivatives": 10})
    def set_leverage(self, call: Call) -> Any:
        """A leverage means isolated margin; none means cross. Of multi-collateral contracts only."""
        desk, leverage = self.desks[Product.LINEAR], call.decimal_or_none("maxLeverage")
        market = desk.market(call.text("symbol").upper())
        if leverage is None:
            desk.book(call.account).leverages.pop(market.symbol, None)
        else:
            desk.set_leverage(call.account, market.symbol, leverage)
        return done(call)

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
    name = "Kraken_F"
    product = Product.LINEAR
    markets = tuple(_market(*each) for each in _MARKETS)
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
    name = "Kraken_C"
    product = Product.INVERSE
    markets = tuple(_inverse(*each) for each in (("BTC", "0.5"), ("ETH", "0.05"), ("LTC", "0.01")))
    rules = replace(KrakenFutures.rules, wallet=COINS)
