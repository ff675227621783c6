"""What both hosts of KuCoin share: signatures, envelopes, refusals, pools of weights, pages. https://www.kucoin.com/docs-new/."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderType, Product, Side, TimeInForce

D = Decimal
WINDOW_MS = 5000
#: later than anything
LATEST_MS = 10**15
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

    def replaced(self, call: Call, order: Order | None, changes: Mapping[str, Any]) -> Order:
        """Cancels an order and places it again as changed, under another id; what cannot be leaves it alone."""
        if order is None or not order.open or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        check_amended(self.desk, call.account, replace(order, **changes), order)
        self.desk.cancel(call.account, order)
        return self.desk.place(call.account, replace(order.ticket, **changes))

    def traded(self, call: Call) -> list[tuple[Order, Fill]]:
        """Newest first."""
        book, wanted = self.desk.book(call.account), call.text("orderId", "")
        start, end = call.integer("startAt", 0), call.integer("endAt", LATEST_MS)
        return [
            (order, fill)
            for fill in reversed(book.fills)
            if call.text("symbol", fill.symbol) == fill.symbol
            and wanted in ("", fill.order_id)
            and call.text("side", fill.side.value) == fill.side.value
            and start <= fill.time_ms <= end
            and (order := book.orders.get(fill.order_id) or book.by_live_id.get(fill.order_id)) is not None
        ]

    def levels(self, call: Call, market: Market) -> dict[str, list[list[Any]]]:
        """An order book with levels one tick apart."""
        steps = [each * market.tick for each in range(20)]
        bid, ask = self.desk.bid(market), self.desk.ask(market)
        return {
            "bids": [[bid - step, 1000] for step in steps],
            "asks": [[ask + step, 1000] for step in steps],
        }

    @route("GET /api/ua/v2/account/mode", "GET /api/ua/v1/account/mode", costs={"management": 30})
    def account_mode(self, call: Call) -> Any:
        """Where kucoin-universal-sdk 1.3.2, KuCoin's own client, asks, and in the first version ccxt 4.5.90, which reads
        `selfAccountMode` alone; that the second answers alike is unconfirmed. The unified account is not simulated."""
        return ok({"selfAccountMode": "CLASSIC", "unifiedSubAccount": [], "classicSubAccount": []})

    @route("GET /api/v1/status", public=True, costs={"public": 3})
    def status(self, call: Call) -> Any:
        return ok({"status": "open", "msg": ""})

    @route("GET /api/v1/timestamp", public=True, costs={"public": 3})
    def time(self, call: Call) -> Any:
        return ok(call.now_ms)


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
