"""KuCoin spot as its clients see it: refusals come with HTTP 200 and a `code`; "sync" orders tell how they stand;
a stop order is a record of its own that freezes nothing and goes on, once triggered, as a plain order under another
id. Documented at https://www.kucoin.com/docs-new/."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, Market, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
WINDOW_MS = 5000
LARGEST_BATCH = 5
SIDES = {side.value: side for side in Side}
TYPES = {"limit": True, "market": False}
TIMES = {"GTC": TimeInForce.GTC, "GTT": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
RISES = {"entry": True, "loss": False}
#: what stands before the id of a stop order's record, so that it is nobody's id among the plain orders
RECORD = "vs"
GONE = "order_not_exist_or_not_allow_to_cancel"
#: reason -> (code on spot, code on futures, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (
        "400001",
        "400001",
        "Please check the header of your request for KC-API-KEY and the rest.",
    ),
    Reason.BAD_KEY: ("400003", "400003", "KC-API-KEY not exists"),
    Reason.BAD_SIGNATURE: ("400005", "400005", "Invalid KC-API-SIGN"),
    Reason.BAD_TIMESTAMP: ("400002", "400002", "KC-API-TIMESTAMP Invalid"),
    Reason.NO_PERMISSION: ("400007", "400007", "Access denied, require more permission."),
    Reason.THROTTLED: ("429000", "429000", "Too many requests in a short period of time, please retry later"),
    Reason.BANNED: ("1015", "1015", "Too many requests from this address."),
    Reason.MAINTENANCE: ("503000", "503000", "Service unavailable"),
    Reason.INTERNAL: ("500000", "500000", "Internal Server Error"),
    Reason.UNKNOWN_PATH: ("404000", "404000", "Url Not Found"),
    Reason.UNKNOWN_SYMBOL: ("400600", "200003", "The symbol {} is not available."),
    Reason.PRICE_TICK: ("600100", "300000", "Order price increment invalid."),
    Reason.TRIGGER_TICK: ("600100", "300000", "Order stop price increment invalid."),
    Reason.QUANTITY_STEP: ("600100", "300000", "Order size increment invalid."),
    Reason.MIN_QUANTITY: ("400100", "300000", "The quantity is below the minimum requirement."),
    Reason.MIN_NOTIONAL: ("600101", "300000", "The order funds should more then {}."),
    Reason.DUPLICATE: ("400100", "100001", "validation.createOrder.clientOidDuplicated"),
    Reason.INSUFFICIENT: ("200004", "300003", "Balance insufficient!"),
    Reason.REDUCE_ONLY: ("400100", "300009", "No open positions to close."),
    Reason.STOP_REFUSED: ("400100", "300004", "Stop order quantity limit exceeded"),
    Reason.TOO_MANY_ORDERS: ("200003", "300001", "Active order quantity limit exceeded"),
    Reason.UNKNOWN_ORDER: ("400100", "100001", "error.getOrder.orderNotExist"),
    Reason.NOT_OPEN: ("400100", "100004", GONE),
    Reason.HAS_OPEN_ORDERS: ("400100", "300000", "Open orders exist, so the mode cannot be switched."),
    Reason.HAS_POSITION: ("400100", "300000", "A position is open, so the mode cannot be switched."),
}
STATUSES = {Reason.THROTTLED: 429, Reason.BANNED: 429, Reason.INTERNAL: 500, Reason.MAINTENANCE: 503}
STATUSES |= {Reason.UNKNOWN_PATH: 404}
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.00000001"),
    ("ETH", "0.01", "0.0000001"),
    ("SOL", "0.001", "0.0001"),
    ("XRP", "0.00001", "0.0001"),
    ("DOGE", "0.00001", "0.0001"),
    ("LTC", "0.001", "0.000001"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    least = D(step) * 1000
    return Market(f"{base}-{coin}", base, coin, Product.SPOT, D(tick), D(step), least, min_notional=D("0.1"))


class KuCoinFrame(Dialect):
    """What both hosts share: signatures, envelopes, pools of weights, pages."""

    family = "kucoin"
    limits = (
        Limit("spot", "spot", 4000, 30),
        Limit("futures", "futures", 2000, 30),
        Limit("management", "management", 2000, 30),
        Limit("public", "public", 2000, 30, Owner.ADDRESS),
    )

    def key_of(self, call: Call) -> str:
        return call.headers.get("kc-api-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(12), str(uuid.uuid4()), secrets.token_urlsafe(9)

    def authenticate(self, call: Call) -> Account:
        names = ("kc-api-key", "kc-api-sign", "kc-api-timestamp", "kc-api-passphrase")
        key, sign, stamp, passphrase = (call.headers.get(name, "") for name in names)
        if not (key and sign and stamp and passphrase):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if not stamp.isdigit() or abs(int(stamp) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        signed = (f"{stamp}{call.method}{target}".encode() + call.body for target in call.targets())
        hashed = call.headers.get("kc-api-key-version", "1") in ("2", "3")
        wanted = _hmac(account.secret, account.passphrase.encode()) if hashed else account.passphrase
        if not any(hmac.compare_digest(_hmac(account.secret, each), sign) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(wanted, passphrase):
            raise Rejected(Reason.BAD_SIGNATURE, "passphrase")
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        fallback = ("400100", "300000", "Parameter error: {}")
        spot, futures, words = REFUSALS.get(reason, fallback)
        code = spot if self.product is Product.SPOT else futures
        if (reason, detail) == (Reason.BAD_SIGNATURE, "passphrase"):
            code, words = "400004", "Invalid KC-API-PASSPHRASE"
        if code == "100004":
            words = "Order is in not cancelable state"
        return Reply({"code": code, "msg": words.format(detail)}, STATUSES.get(reason, 200))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After: the pool's own headers, in ms."""
        reply = self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)
        reply.headers["gw-ratelimit-reset"] = str(1000 * exceeded.retry_after_seconds)
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.name in used:
                left = max(limit.capacity - used[limit.name], 0)
                return {"gw-ratelimit-limit": str(limit.capacity), "gw-ratelimit-remaining": str(left)}
        return {}

    def open_of(self, call: Call, *, waiting: bool) -> list[Order]:
        """Newest first."""
        symbol = call.text("symbol", "")
        return [
            order
            for order in reversed(self.desk.book(call.account).open.values())
            if order.waiting is waiting and symbol in ("", order.market.symbol)
        ]

    def cancelled(self, call: Call, *, waiting: bool) -> list[Order]:
        ended = self.open_of(call, waiting=waiting)
        for order in ended:
            self.desk.cancel(call.account, order)
        return ended

    @route("GET /api/v1/timestamp", public=True, costs={"public": 3})
    def time(self, call: Call) -> Any:
        return ok(call.now_ms)


class KuCoinSpot(KuCoinFrame):
    name, product = "KuCoin", Product.SPOT
    markets = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))
    default_costs = {"spot": 2}
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        buy_fee_in_base=False,
        wallet="trade",
        conditional_holds=False,
        refuses_crossed_triggers=False,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"67111a7c{number:016x}",
        max_waiting_orders=20,
    )

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v2/symbols", public=True, costs={"public": 4})
    def symbols(self, call: Call) -> Any:
        return ok([_symbol_row(market) for market in self.markets])

    @route("GET /api/v3/currencies", public=True, costs={"public": 3})
    def currencies(self, call: Call) -> Any:
        names = sorted({name for market in self.markets for name in (market.base, market.quote)})
        rows = [{"currency": name, "name": name, "precision": 8, "chains": []} for name in names]
        return ok(rows)

    @route("GET /api/v1/market/orderbook/level1", public=True, costs={"public": 2})
    def level1(self, call: Call) -> Any:
        if (market := self.desk.markets.get(call.text("symbol"))) is None:
            return ok(None)
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        sizes = {"size": "1", "bestBidSize": "1000", "bestAskSize": "1000"}
        prices = {"price": bid, "bestBid": bid, "bestAsk": ask}
        return ok({"time": call.now_ms, "sequence": str(call.now_ms), **prices, **sizes})

    # -- plain orders ----------------------------------------------------------------------------------

    @route("POST /api/v1/hf/orders", "POST /api/v1/hf/orders/sync", trading=True, costs={"spot": 1})
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._ticket(call, None))
        told: dict[str, Any] = {"orderId": order.id, "clientOid": order.client_id}
        if call.path.endswith("sync"):
            told |= _standing(order) | {"orderTime": call.now_ms, "matchTime": call.now_ms}
        return ok(told)

    @route("POST /api/v1/hf/orders/multi/sync", trading=True, costs={"spot": 1})
    def place_batch(self, call: Call) -> Any:
        """Limit orders of one symbol. What is refused is told in words only, without its id."""
        orders = call.params.get("orderList")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        for name in ("type", "symbol"):
            wanted = "limit" if name == "type" else orders[0].get(name)
            if any(each.get(name) != wanted for each in orders):
                raise Rejected(Reason.BAD_PARAMETER, name)
        told = self.each(call, orders, "/api/v1/hf/orders/sync", self.place)
        return ok(
            [
                {**each["data"], "success": True}
                if "data" in each
                else {"success": False, "failMsg": each["msg"]}
                for each in told
            ]
        )

    def _ticket(self, call: Call, rises: bool | None) -> Ticket:
        side, limit = call.one_of("side", SIDES), call.one_of("type", TYPES)
        size, funds = call.decimal_or_none("size"), call.decimal_or_none("funds")
        if (size is None) == (funds is None) or (limit and size is None):
            raise Rejected(Reason.BAD_PARAMETER, "size")
        return Ticket(
            call.text("symbol"),
            side,
            kind_of(limit=limit, stop=None if rises is None else rises == (side is Side.BUY)),
            quantity=size,
            quote_quantity=funds,
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("stopPrice"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=call.flag("postOnly"),
            client_id=call.text("clientOid"),
            extra={"timeInForce": call.text("timeInForce", "GTC")},
        )

    @route("GET /api/v1/hf/orders/{orderId}", "GET /api/v1/hf/orders/client-order/{clientOid}")
    def order(self, call: Call) -> Any:
        found = self._plain(call)
        return ok(_order_row(found) if found else None)

    @route(
        "DELETE /api/v1/hf/orders/{orderId}",
        "DELETE /api/v1/hf/orders/sync/{orderId}",
        "DELETE /api/v1/hf/orders/client-order/{clientOid}",
        "DELETE /api/v1/hf/orders/sync/client-order/{clientOid}",
        trading=True,
        costs={"spot": 1},
    )
    def cancel(self, call: Call) -> Any:
        order = self.desk.cancel(call.account, self._plain(call))
        named = {name: value for name, value in call.parts.items() if value}
        return ok(named | (_standing(order) if "/sync/" in call.path else {}))

    def _plain(self, call: Call) -> Order | None:
        """By the id among plain orders: that of a triggered stop order is its second one."""
        call.text("symbol")
        order_id = call.text("orderId", "")
        found = self.desk.order(call.account, order_id=order_id, client_id=call.text("clientOid", ""))
        if found is None or (found.ticket.type.conditional and not found.live_id):
            return None
        return found if order_id in ("", found.live_id or found.id) else None

    @route("GET /api/v1/hf/orders/active")
    def active(self, call: Call) -> Any:
        call.text("symbol")
        return ok([_order_row(order) for order in self.open_of(call, waiting=False)])

    @route("GET /api/v1/hf/orders/active/symbols")
    def active_symbols(self, call: Call) -> Any:
        return ok({"symbols": sorted({order.market.symbol for order in self.open_of(call, waiting=False)})})

    @route("GET /api/v1/hf/orders/done")
    def done(self, call: Call) -> Any:
        symbol = call.text("symbol")
        ended = [
            _order_row(order)
            for order in reversed(self.desk.book(call.account).orders.values())
            if not order.open and order.market.symbol == symbol and (order.live_id or not _record(order))
        ]
        return ok({"lastId": 0, "items": ended[: call.integer("limit", 20)]})

    @route("DELETE /api/v1/hf/orders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        call.text("symbol")
        self.cancelled(call, waiting=False)
        return ok("success")

    # -- stop orders -----------------------------------------------------------------------------------

    @route("POST /api/v1/stop-order", trading=True)
    def place_stop(self, call: Call) -> Any:
        market, trigger = self.desk.market(call.text("symbol")), call.decimal("stopPrice")
        word = "entry" if trigger > self.desk.bid(market) else "loss"
        order = self.desk.place(call.account, self._ticket(call, call.one_of("stop", RISES, word)))
        return ok({"orderId": RECORD + order.id, "clientOid": order.client_id})

    @route("GET /api/v1/stop-order", costs={"spot": 8})
    def stops(self, call: Call) -> Any:
        return ok(page(call, [_stop_row(order) for order in self.open_of(call, waiting=True)]))

    @route("GET /api/v1/stop-order/{orderId}", costs={"spot": 3})
    def stop(self, call: Call) -> Any:
        found = self._waiting(call)
        return ok(_stop_row(found) if found else None)

    @route("GET /api/v1/stop-order/queryOrderByClientOid", costs={"spot": 3})
    def stop_by_client_id(self, call: Call) -> Any:
        found = self._waiting(call)
        return ok([_stop_row(found)] if found else [])

    @route("DELETE /api/v1/stop-order/{orderId}", trading=True, costs={"spot": 3})
    def cancel_stop(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [RECORD + self._end_stop(call).id]})

    @route("DELETE /api/v1/stop-order/cancelOrderByClientOid", trading=True, costs={"spot": 5})
    def cancel_stop_by_client_id(self, call: Call) -> Any:
        ended = self._end_stop(call)
        return ok({"cancelledOrderId": RECORD + ended.id, "clientOid": ended.client_id})

    @route("DELETE /api/v1/stop-order/cancel", trading=True, costs={"spot": 3})
    def cancel_stops(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [RECORD + order.id for order in self.cancelled(call, waiting=True)]})

    def _waiting(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("clientOid", "")
        found = self.desk.order(call.account, order_id=order_id.removeprefix(RECORD), client_id=client_id)
        return found if found and _record(found) and order_id in ("", RECORD + found.id) else None

    def _end_stop(self, call: Call) -> Order:
        found = self._waiting(call)
        if found is None or not found.waiting:
            raise Rejected(Reason.NOT_OPEN)
        return self.desk.cancel(call.account, found)

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v1/accounts", costs={"management": 5})
    def accounts(self, call: Call) -> Any:
        kind, wallet, wanted = call.text("type", "trade"), self.rules.wallet, call.text("currency", "")
        rows = []
        for coin, total in call.account.wallets[wallet].items() if kind.startswith("trade") else ():
            if wanted not in ("", coin):
                continue
            free = call.account.free(wallet, coin)
            amounts = {"balance": text(total), "available": text(free), "holds": text(total - free)}
            rows.append({"id": f"account-{coin.lower()}", "currency": coin, "type": kind, **amounts})
        return ok(rows)

    @route("GET /api/v1/user/api-key", costs={"management": 20})
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        rights = ["General", *(["Spot", "Futures"] if "trade" in may else [])]
        rights += ["Transfer"] if "withdraw" in may else []
        info = {"remark": "sandbox", "apiVersion": 3, "permission": ",".join(rights), "ipWhitelist": ""}
        return ok({"apiKey": call.account.key, "uid": 1, "isMaster": True, **info})

    @route("GET /api/v3/margin/symbols", "GET /api/v1/isolated/symbols", costs={"public": 3})
    def no_margin(self, call: Call) -> Any:
        return ok({"timestamp": call.now_ms, "items": []} if "margin" in call.path else [])

    @route("GET /api/v1/hf/accounts/opened")
    def opened(self, call: Call) -> Any:
        return ok(True)


# -- how things are written --------------------------------------------------------------------------------


def ok(data: Any) -> dict[str, Any]:
    return {"code": "200000", "data": data}


def page(call: Call, rows: list[Any]) -> dict[str, Any]:
    number, size = call.integer("currentPage", 1), call.integer("pageSize", 50)
    counts = {"totalNum": len(rows), "totalPage": -(-len(rows) // size)}
    items = rows[(number - 1) * size : number * size]
    return {"currentPage": number, "pageSize": size, **counts, "items": items}


def kind_of(*, limit: bool, stop: bool | None) -> OrderType:
    if stop is None:
        return OrderType.LIMIT if limit else OrderType.MARKET
    if stop:
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def _hmac(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def _symbol_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "name": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "feeCurrency": market.quote,
        "baseMinSize": text(market.min_quantity),
        "quoteMinSize": text(market.min_notional),
        "baseMaxSize": text(market.max_quantity),
        "quoteMaxSize": "99999999",
        "baseIncrement": text(market.step),
        "quoteIncrement": "0.000001",
        "priceIncrement": text(market.tick),
        "minFunds": text(market.min_notional),
        "isMarginEnabled": False,
        "enableTrading": True,
    }


def _record(order: Order) -> bool:
    """Whether it has a record among the stop orders."""
    return order.ticket.type.conditional


def _standing(order: Order) -> dict[str, str]:
    """How a plain order stands after the match."""
    left = order.remaining if order.ticket.quote_quantity is None else ZERO
    return {
        "originSize": text(order.quantity if order.ticket.quote_quantity is None else ZERO),
        "dealSize": text(order.filled),
        "remainSize": text(left if order.open else ZERO),
        "canceledSize": text(ZERO if order.open else left),
        "status": "open" if order.open else "done",
    }


def _order_row(order: Order) -> dict[str, Any]:
    told, funds = _standing(order), order.ticket.quote_quantity
    return {
        "id": order.live_id or order.id,
        "clientOid": order.client_id,
        "symbol": order.market.symbol,
        "opType": "DEAL",
        "type": "market" if order.price is None else "limit",
        "side": order.side.value,
        "price": text(order.price),
        "size": told["originSize"],
        "funds": text(funds),
        "dealSize": told["dealSize"],
        "dealFunds": text(order.quote_filled),
        "remainSize": told["remainSize"],
        "cancelledSize": told["canceledSize"],
        "fee": text(sum(order.fees().values(), ZERO)),
        "feeCurrency": order.market.quote,
        "timeInForce": order.ticket.extra["timeInForce"],
        "postOnly": order.ticket.post_only,
        "cancelExist": not order.open and order.status is not OrderStatus.FILLED,
        "tradeType": "TRADE",
        "inOrderBook": order.open,
        "active": order.open,
        "createdAt": order.created_ms,
        "lastUpdatedAt": order.updated_ms,
    }


def _stop_row(order: Order) -> dict[str, Any]:
    """Failed at its trigger, it never became a plain order."""
    status = "NEW" if order.waiting and order.open else "TRIGGERED" if order.live_id else "CANCELLED"
    if order.status is OrderStatus.REJECTED:
        status = "FAIL"
    return {
        "id": RECORD + order.id,
        "clientOid": order.client_id,
        "symbol": order.market.symbol,
        "status": status,
        "type": "market" if order.price is None else "limit",
        "side": order.side.value,
        "price": None if order.price is None else text(order.price, 20),
        "size": text(order.quantity, 20),
        "funds": None,
        "timeInForce": order.ticket.extra["timeInForce"],
        "cancelAfter": -1,
        "postOnly": order.ticket.post_only,
        "tradeType": "TRADE",
        "feeCurrency": order.market.quote,
        "createdAt": order.created_ms,
        "stop": "entry" if order.ticket.trigger_rises else "loss",
        "stopTriggerTime": order.triggered_ms,
        "stopPrice": text(order.trigger_price, 20),
    }
