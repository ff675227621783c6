"""What both products of Gate share: signatures, labels, limits, the reading of orders. https://www.gate.com/docs/developers/apiv4/en/."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
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
from exchanges.sandbox.wire import Answered, Call, Reply, encode
from exchanges.types import (
    MarginMode,
    OrderStatus,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)

D = Decimal
WINDOW_SECONDS = 60
MONTH_SECONDS = 2_592_000
LARGEST_BATCH = 10
#: a second that never comes
LATEST = 10**11
TEXT = re.compile(r"t-[0-9A-Za-z_.-]{1,28}")
SIDES = {each.value: each for each in Side}
TIMES = {each.value: each for each in TimeInForce} | {"poc": TimeInForce.GTC}
MODES = {each.value.upper(): each for each in MarginMode}
TRIGGERS = {"0": TriggerBy.LAST, "1": TriggerBy.MARK, "2": TriggerBy.INDEX}
FLAGS = {"true": True, "false": False}
#: of an order, of things that are not simulated
UNUSED = {"amend_text": "-", "stp_id": 0, "stp_act": "-"}
#: reason -> (label on spot, label on futures, HTTP status, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (
        "MISSING_REQUIRED_HEADER",
        "MISSING_REQUIRED_HEADER",
        400,
        "Missing required header: KEY",
    ),
    Reason.BAD_KEY: ("INVALID_KEY", "INVALID_KEY", 401, "Invalid key provided"),
    Reason.BAD_SIGNATURE: ("INVALID_SIGNATURE", "INVALID_SIGNATURE", 401, "Signature mismatch"),
    Reason.BAD_TIMESTAMP: (
        "REQUEST_EXPIRED",
        "REQUEST_EXPIRED",
        403,
        "gap between request Timestamp is over 60",
    ),
    Reason.NO_PERMISSION: ("READ_ONLY", "READ_ONLY", 403, "The key is read-only"),
    Reason.THROTTLED: ("TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS", 429, "Request Rate Limit Exceeded"),
    Reason.MAINTENANCE: ("TOO_BUSY", "TOO_BUSY", 503, "System is too busy"),
    Reason.INTERNAL: ("INTERNAL", "INTERNAL", 500, "Internal server error"),
    Reason.UNKNOWN_PATH: ("NOT_FOUND", "NOT_FOUND", 404, "Requested path not found"),
    Reason.UNKNOWN_SYMBOL: (
        "INVALID_CURRENCY_PAIR",
        "CONTRACT_NOT_FOUND",
        400,
        "Invalid currency pair or contract {}",
    ),
    Reason.QUANTITY_STEP: ("INVALID_PRECISION", "INVALID_PARAM_VALUE", 400, "invalid size {}"),
    Reason.PRICE_TICK: ("INVALID_PRECISION", "INVALID_PARAM_VALUE", 400, "invalid price {}"),
    Reason.MIN_QUANTITY: ("INVALID_PARAM_VALUE", "SIZE_TOO_SMALL", 400, "Your order size {} is too small"),
    Reason.MIN_NOTIONAL: ("INVALID_PARAM_VALUE", "SIZE_TOO_SMALL", 400, "The minimum is {}"),
    Reason.MAX_QUANTITY: ("AMOUNT_TOO_MUCH", "SIZE_TOO_LARGE", 400, "Size {} is too large"),
    Reason.DUPLICATE: ("REPEATED_CREATION", "REPEATED_CREATION", 400, "Order text is used already"),
    Reason.INSUFFICIENT: ("BALANCE_NOT_ENOUGH", "INSUFFICIENT_AVAILABLE", 400, "Not enough {}"),
    Reason.REDUCE_ONLY: (
        "INVALID_PARAM_VALUE",
        "INCREASE_POSITION",
        400,
        "the order would increase the position",
    ),
    Reason.POST_ONLY: (
        "POC_FILL_IMMEDIATELY",
        "ORDER_POC_IMMEDIATE",
        400,
        "Order would match and take immediately so its cancelled",
    ),
    Reason.NOT_FILLABLE: ("FOK_NOT_FILL", "ORDER_FOK", 400, "Order cannot be filled completely"),
    Reason.STOP_REFUSED: ("TOO_MANY_ORDERS", "TOO_MANY_ORDERS", 400, "Too many trigger orders"),
    Reason.TOO_MANY_ORDERS: ("TOO_MANY_ORDERS", "TOO_MANY_ORDERS", 400, "Too many open orders"),
    Reason.UNKNOWN_ORDER: ("ORDER_NOT_FOUND", "ORDER_NOT_FOUND", 404, "Order not found"),
    Reason.NOT_OPEN: ("ORDER_NOT_FOUND", "ORDER_NOT_FOUND", 404, "Order not found"),
    Reason.LEVERAGE: ("LEVERAGE_TOO_HIGH", "LEVERAGE_TOO_HIGH", 400, "leverage {} is out of range"),
    Reason.NOT_MODIFIED: ("NO_CHANGE", "NO_CHANGE", 400, "No change is made"),
    Reason.POSITION_MODE: ("POSITION_DUAL_MODE", "POSITION_DUAL_MODE", 400, "position is in another mode"),
    Reason.HAS_OPEN_ORDERS: ("ORDER_PENDING", "ORDER_PENDING", 400, "there are open orders"),
    Reason.HAS_POSITION: ("POSITION_HOLDING", "POSITION_HOLDING", 400, "there is a position"),
}
#: base, tick and step of the pair, tick and coins per contract; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.00001", "0.1", "0.0001"),
    ("ETH", "0.01", "0.0001", "0.01", "0.01"),
    ("SOL", "0.01", "0.001", "0.01", "1"),
    ("XRP", "0.0001", "0.1", "0.0001", "10"),
    ("DOGE", "0.00001", "1", "0.00001", "10"),
    ("LTC", "0.01", "0.001", "0.01", "0.1"),
)


def signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha512).hexdigest()


class Gate(Dialect):
    family = "gate"
    default_costs = {"private": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(32), ""

    def authenticate(self, call: Call) -> Account:
        key, stamp, given = (call.headers.get(name, "") for name in ("key", "timestamp", "sign"))
        if not key or not stamp or not given:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if not re.fullmatch(r"\d+(\.\d+)?", stamp) or abs(D(stamp) - D(call.now_ms) / 1000) > WINDOW_SECONDS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        digest = hashlib.sha512(call.body).hexdigest()
        targets = (target.partition("?") for target in call.targets())
        signed = (f"{call.method}\n{path}\n{query}\n{digest}\n{stamp}" for path, _, query in targets)
        if not any(hmac.compare_digest(signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        fallback = ("INVALID_PARAM_VALUE", "INVALID_PARAM_VALUE", 400, "invalid argument: {}")
        spot, futures, status, words = REFUSALS.get(reason, fallback)
        label = spot if self.product is Product.SPOT else futures
        return error_answer(label, words.format(detail), status)

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The currency of settlement is written in any case."""
        return super().find(method, path.replace("/futures/USDT/", "/futures/usdt/"))

    def venue_of(self, path: str) -> str:
        product = path.removeprefix("/api/v4/").partition("/")[0]
        return {"spot": "Gate", "margin": "Gate", "futures": "Gate_F"}.get(product, self.name)

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.name in used:
                left = max(limit.capacity - used[limit.name], 0)
                names = {"limit": limit.capacity, "requests-remain": left}
                return {f"x-gate-ratelimit-{name}": str(value) for name, value in names.items()}
        return {}

    @route("GET /api/v4/spot/time", public=True, costs={"time": 1})
    def time(self, call: Call) -> Any:
        return {"server_time": call.now_ms}

    @route("GET /api/v4/account/main_keys")
    def main_keys(self, call: Call) -> Any:
        may = call.account.permissions
        perms = [{"name": name, "read_only": "trade" not in may} for name in ("spot", "futures")]
        if "withdraw" in may:
            perms.append({"name": "wallet", "read_only": False})
        return {"state": 1, "mode": 1, "perms": perms, "ip_whitelist": [], "key": call.account.key}

    @route(
        "GET /api/v4/delivery/{settle}/contracts", "GET /api/v4/options/underlyings", public=True, costs={}
    )
    def no_others(self, call: Call) -> Any:
        """Neither futures that end nor options are simulated."""
        return []

    @route("GET /api/v4/wallet/fee")
    def wallet_fee(self, call: Call) -> Any:
        """A part of what gate-api 7.2.161, Gate's own client, has (TradeFee)."""
        spot, futures = (self.desks[each].rules for each in (Product.SPOT, Product.LINEAR))
        rates = {"taker_fee": spot.taker_fee, "maker_fee": spot.maker_fee}
        rates |= {"futures_taker_fee": futures.taker_fee, "futures_maker_fee": futures.maker_fee}
        told = {name: text(rate) for name, rate in rates.items()}
        return {
            "user_id": 1,
            **told,
            "gt_discount": False,
            "gt_taker_fee": "0",
            "gt_maker_fee": "0",
            "loan_fee": "0",
        }

    def book_of(self, call: Call, market: Market) -> dict[str, Any]:
        """Levels one tick apart: prices of the bids, of the asks."""
        steps = [each * market.tick for each in range(min(call.integer("limit", 10), 20))]
        bid, ask = self.desk.bid(market), self.desk.ask(market)
        return {"bids": [text(bid - step) for step in steps], "asks": [text(ask + step) for step in steps]}

    def amended(self, call: Call, order: Order, size: Decimal | None, price: Decimal | None) -> Order:
        if not order.open:
            raise answered(
                "ORDER_CLOSED" if self.product is Product.SPOT else "ORDER_FINISHED", "order is not open"
            )
        if size is None and price is None:
            raise Rejected(Reason.BAD_PARAMETER, "nothing to change")
        return self.desk.amend(call.account, order, quantity=size, price=price)

    @route("GET /api/v4/account/detail")
    def detail(self, call: Call) -> Any:
        return {"user_id": 1, "ip_whitelist": [], "key": {"mode": 1}, "tier": 0}

    # -- what both products share ----------------------------------------------------------------------

    def listed(self, call: Call, name: str, *, records: bool) -> list[Order]:
        """Newest first: open ones, or ended ones; `records` are trigger orders whatever became of them."""
        wanted = call.text(name, "")
        is_open = call.one_of("status", {"open": True, "finished": False}, "open")
        return [
            order
            for order in reversed(self.desk.book(call.account).orders.values())
            if wanted in ("", order.market.symbol)
            and (record_open(order) if records else order.open) is is_open
            and (order.ticket.type.conditional if records else is_plain(order))
        ]

    def plain(self, call: Call) -> Order:
        """By the id among plain orders, or by text."""
        name = call.text("order_id")
        by_text = name.startswith("t-")
        found = self.desk.order(
            call.account, order_id="" if by_text else name, client_id=name if by_text else ""
        )
        if found is None or not is_plain(found) or (not by_text and name != (found.live_id or found.id)):
            raise Rejected(Reason.UNKNOWN_ORDER)
        if self.forgotten(found, by_text=by_text):
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found

    @abstractmethod
    def forgotten(self, order: Order, *, by_text: bool) -> bool:
        """Whether an order that ended is not told of any more."""

    def traded(self, call: Call, name: str) -> list[tuple[Order, Fill]]:
        """Newest first, from `from` to `to`, seconds that both belong to it."""
        wanted, start, end = call.text(name, ""), call.integer("from", 0), call.integer("to", LATEST)
        found = [
            (order, fill)
            for order in self.desk.book(call.account).orders.values()
            for fill in order.fills
            if wanted in ("", order.market.symbol) and start <= fill.time_ms // 1000 <= end
        ]
        return sorted(found, key=lambda pair: pair[1].id, reverse=True)

    def record(self, call: Call) -> Order:
        found = self.desk.book(call.account).orders.get(call.text("order_id"))
        if found is None or not found.ticket.type.conditional:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found

    def waiting(self, call: Call) -> Order:
        found = self.record(call)
        if not record_open(found):
            raise Rejected(Reason.NOT_OPEN)
        return found

    def cancelled(self, call: Call, orders: Iterable[Order]) -> list[Order]:
        return [self.desk.cancel(call.account, order) for order in orders if order.open]

    def place_all(self, call: Call, read: Callable[[Call], Ticket], place: Callable[[Call], Any]) -> Any:
        """One order that is wrong in itself refuses them all, before any is placed."""
        orders = call.body_params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        for each in orders:
            read(replace(call, body=encode(each)))
        told = self.each(call, orders, call.path, place)
        return [in_batch(answer, order) for answer, order in zip(told, orders, strict=True)]

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """Each order of a batch counts."""
        found = super().costs(route, call)
        orders = call.body_params.get("") if route.handler == "place_batch" else None
        many = len(orders) if isinstance(orders, list) else 1
        return {name: cost * many for name, cost in found.items()}

    def check_crossed(self, market: Market, trigger: Decimal, *, rises: bool) -> None:
        last = self.desk.bid(market)
        if rises and trigger <= last:
            raise answered("AUTO_TRIGGER_PRICE_GREATE_LAST", "Trigger.Price must > last_price")
        if not rises and trigger >= last:
            raise answered("AUTO_TRIGGER_PRICE_LESS_LAST", "Trigger.Price must < last_price")


LIMITS = (
    Limit("spot_orders", "spot_orders", 10, 1),
    Limit("futures_orders", "futures_orders", 100, 1),
    Limit("cancels", "cancels", 200, 1),
    *(
        Limit(name, name, 200, 10)
        for name in ("private", "triggers", "order_reads", "trigger_reads", "fills")
    ),
    *(Limit(name, name, 200, 10, Owner.ADDRESS) for name in ("time", "instruments", "tickers")),
)


def rules_of(wallet: str, maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=wallet,
        client_ids=ClientIds.REUSABLE,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        amending_to_filled_cancels=True,
        order_id=lambda number: str(95_282_000_000 + number),
        default_leverage=D(10),
    )


def error_answer(label: str, words: str, status: int = 400) -> Reply:
    return Reply({"label": label, "message": words}, status)


def answered(label: str, words: str) -> Answered:
    return Answered(error_answer(label, words))


def in_batch(answer: dict[str, Any], order: Mapping[str, Any]) -> dict[str, Any]:
    if "label" not in answer:
        return {"succeeded": True, "label": "", **answer}
    words = {"label": answer["label"], "message": answer["message"], "detail": answer["message"]}
    return {"succeeded": False, "text": order.get("text", ""), **words}


def part_of(call: Call, name: str) -> Call:
    """An object inside the body, read like a body of its own."""
    inner = call.body_params.get(name)
    if not isinstance(inner, Mapping):
        raise Rejected(Reason.MISSING_PARAMETER, name)
    part = Call(
        call.method, call.path, "", b"", call.headers, call.address, call.now_ms, signed_by=call.signed_by
    )
    part.body_params = dict(inner)
    return part


def checked_text(call: Call) -> str:
    told = call.text("text", "")
    if told and not TEXT.fullmatch(told):
        raise Rejected(Reason.BAD_PARAMETER, "text")
    return told


def listed_body(call: Call) -> list[dict[str, Any]]:
    """A body that is a list of objects."""
    asked = call.body_params.get("")
    if not isinstance(asked, list) or not all(isinstance(each, Mapping) for each in asked):
        raise Rejected(Reason.BAD_PARAMETER, "body")
    return [dict(each) for each in asked]


def record_open(order: Order) -> bool:
    return order.open and order.waiting


def is_plain(order: Order) -> bool:
    """Placed as such, or fired by a trigger order."""
    return not order.ticket.type.conditional or bool(order.live_id)


def finish_word(order: Order) -> str:
    if order.status is OrderStatus.FILLED:
        return "filled"
    told = {"unfilled": "ioc", Reason.REDUCE_ONLY: "reduce_only", "position_closed": "position_closed"}
    return told.get(order.reason, "cancelled")


def page_of(call: Call, rows: list[Any]) -> list[Any]:
    limit = call.integer("limit", 100)
    first = call.integer("offset", 0) + limit * (call.integer("page", 1) - 1)
    return rows[first : first + limit]


def still(price: str) -> dict[str, str]:
    """Of the last 24 hours, in which nobody traded."""
    return {"change_percentage": "0", "high_24h": price, "low_24h": price}
