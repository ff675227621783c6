"""HTX spot as its clients see it, and what it shares with the futures host: the signed query and the envelopes of
refusals, which come with HTTP 200. An order that waits for a trigger freezes nothing, goes by its client id, and goes
on as a plain order with a number. Documented at https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
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
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
WINDOW_MS = 300_000
#: other names of the hosts, which clients may sign as well
HOSTS = {
    "api.huobi.pro": ("api.htx.com", "api-aws.huobi.pro"),
    "api.hbdm.vn": ("api.hbdm.com", "api.btcgateway.pro"),
}
LARGEST_BATCH = 10
#: the account that everybody has beside the one that trades
POINTS = {"id": 5202591, "type": "point", "subtype": "", "state": "working"}
#: an order is found by its client id for so long after its end
MEMORY_SECONDS = 7200
#: of a list of orders
LONGEST_WINDOW_MS = 172_800_000
SIDES = {side.value: side for side in Side}
IS_LIMIT = {"market": False, "limit": True}
ALGO_TIMES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
#: the second part of an order's type -> limit or not, waits or not, time in force
TYPES = {
    "market": (False, False, TimeInForce.GTC),
    "limit": (True, False, TimeInForce.GTC),
    "limit-maker": (True, False, TimeInForce.GTC),
    "ioc": (True, False, TimeInForce.IOC),
    "limit-fok": (True, False, TimeInForce.FOK),
    "stop-limit": (True, True, TimeInForce.GTC),
    "stop-limit-fok": (True, True, TimeInForce.FOK),
}
RISES = {"gte": True, "lte": False}
#: what is refused before the product is reached: words, in the envelope of either host
GATEWAY = {
    Reason.NO_KEY: "Signature not valid: Incorrect Access key",
    Reason.BAD_KEY: "Signature not valid: Incorrect Access key",
    Reason.BAD_SIGNATURE: "Signature not valid: Verification failure",
    Reason.BAD_TIMESTAMP: "Signature not valid: Invalid submission time or incorrect time format",
    Reason.NO_PERMISSION: "Signature not valid: API key has no permission",
}
REFUSALS = {
    Reason.THROTTLED: ("rate-too-many-requests", "exceeded rate limit"),
    Reason.BANNED: ("rate-too-many-requests", "exceeded rate limit"),
    Reason.MAINTENANCE: ("system-maintenance", "System is in maintenance!"),
    Reason.INTERNAL: ("gateway-internal-error", "Failed to load data. Try again later."),
    Reason.UNKNOWN_SYMBOL: ("base-symbol-error", "The symbol is invalid"),
    Reason.PRICE_TICK: ("order-orderprice-precision-error", "order price precision error"),
    Reason.TRIGGER_TICK: ("order-orderprice-precision-error", "stop price precision error"),
    Reason.QUANTITY_STEP: ("order-orderamount-precision-error", "order amount precision error"),
    Reason.MIN_QUANTITY: ("order-limitorder-amount-min-error", "limit order amount error"),
    Reason.MAX_QUANTITY: ("order-limitorder-amount-max-error", "limit order amount error"),
    Reason.MIN_NOTIONAL: ("order-value-min-error", "Order total cannot be lower than: {}"),
    Reason.DUPLICATE: ("invalid-client-order-id", "The client order id is duplicated"),
    Reason.INSUFFICIENT: ("account-frozen-balance-insufficient-error", "trade account balance is not enough"),
    Reason.WOULD_TRIGGER: (
        "order-stop-order-hit-trigger",
        "Orders that are triggered immediately are not supported.",
    ),
    Reason.UNKNOWN_ORDER: ("base-record-invalid", "record invalid"),
    Reason.NOT_OPEN: ("order-orderstate-error", "the order state is error"),
}
STATUSES = {Reason.THROTTLED: 429, Reason.BANNED: 429, Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404}
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.01", "0.000001"),
    ("ETH", "0.01", "0.0001"),
    ("SOL", "0.001", "0.0001"),
    ("XRP", "0.00001", "0.01"),
    ("DOGE", "0.000001", "0.01"),
    ("LTC", "0.01", "0.0001"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    symbol = f"{base}{coin}".lower()
    return Market(symbol, base, coin, Product.SPOT, D(tick), D(step), D(step), min_notional=D(5))


class HTXFrame(Dialect):
    """What both hosts share."""

    family = "htx"
    unlogged = ("Signature", "AccessKeyId", "accessKey")
    #: the host whose name clients sign
    signed_host: ClassVar[str]
    #: headers: what is left, and when the window ends
    told: ClassVar[tuple[str, str]]

    def key_of(self, call: Call) -> str:
        return call.query_params.get("AccessKeyId", "")

    def credentials(self) -> tuple[str, str, str]:
        parts = [secrets.token_hex(4) for _ in range(6)]
        return "-".join(parts[:3]), "-".join(parts[3:]), ""

    def authenticate(self, call: Call) -> Account:
        """Of method, host, path and the query in the order of its names, without the signature itself."""
        given = call.query_params
        if not given.get("AccessKeyId") or not given.get("Signature"):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(given["AccessKeyId"])) is None:
            raise Rejected(Reason.BAD_KEY)
        if abs(_moment_ms(given.get("Timestamp", "")) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        kind = (given.get("SignatureMethod"), given.get("SignatureVersion"))
        wanted = (
            self._signature(call, account, host, path)
            for host in self._hosts(call)
            for path in call.signed_paths
        )
        if kind != ("HmacSHA256", "2") or not any(
            hmac.compare_digest(each.encode(), given["Signature"].encode()) for each in wanted
        ):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _hosts(self, call: Call) -> tuple[str, ...]:
        """Under which the client may think that it speaks to us: also the one that it does, with or without its port."""
        here = call.headers.get("host", "").lower()
        return (self.signed_host, *HOSTS[self.signed_host], here, here.rpartition(":")[0])

    @staticmethod
    def _signature(call: Call, account: Account, host: str, path: str) -> str:
        query = "&".join(sorted(p for p in call.query.split("&") if not p.startswith("Signature=")))
        signed = f"{call.method}\n{host}\n{path}\n{query}".encode()
        return base64.b64encode(hmac.new(account.secret.encode(), signed, hashlib.sha256).digest()).decode()

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After: the time at which the window ends."""
        reply = self.refuse(Reason.THROTTLED, "", call)
        left, ends = self.told
        reply.headers |= {left: "0", ends: str(call.now_ms + 1000 * exceeded.retry_after_seconds)}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.name in used:
                width = 1000 * limit.window_seconds
                ends = (self.desk.now_ms() // width + 1) * width
                left = max(limit.capacity - used[limit.name], 0)
                return dict(zip(self.told, (str(left), str(ends)), strict=True))
        return {}

    def made_between(self, call: Call, start: str, end: str) -> list[Order]:
        """Newest first; the parameters that name the bounds, in milliseconds."""
        end_ms = call.integer(end, call.now_ms)
        start_ms = call.integer(start, end_ms - LONGEST_WINDOW_MS)
        if end_ms - start_ms > LONGEST_WINDOW_MS:
            raise Rejected(Reason.BAD_PARAMETER, "start time")
        known = reversed(self.desk.book(call.account).orders.values())
        return [each for each in known if start_ms <= each.created_ms <= end_ms]

    def open_of(self, call: Call, name: str) -> list[Order]:
        """Newest first, of the symbol that the parameter `name` may give."""
        symbol = call.text(name, "")
        orders = reversed(self.desk.book(call.account).open.values())
        return [order for order in orders if symbol in ("", order.market.symbol)]


class HTXSpot(HTXFrame):
    name, product = "HTX", Product.SPOT
    markets = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))
    signed_host = "api.huobi.pro"
    told = ("x-hb-ratelimit-requests-remain", "x-hb-ratelimit-requests-expire")
    limits = (
        Limit("orders", "orders", 100, 2),
        Limit("batch", "batch", 50, 2),
        Limit("reads", "reads", 50, 2),
        Limit("algo", "algo", 20, 2),
        Limit("account", "account", 20, 2),
        Limit("public", "public", 20, 2, Owner.ADDRESS),
    )
    default_costs = {"reads": 1}
    rules = Rules(
        maker_fee=D("0.002"),
        taker_fee=D("0.002"),
        wallet="spot",
        conditional_holds=False,
        client_ids=ClientIds.FOREVER,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(938_390_040_000_000 + number),
    )

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        """Algo orders have numbers for codes; most of theirs is 2002."""
        code, words = REFUSALS.get(reason, ("bad-request", "Parameter error: {}"))
        if reason in GATEWAY:
            code, words = "api-signature-not-valid", GATEWAY[reason]
        told: dict[str, Any] = {"status": "error", "err-code": code, "err-msg": words.format(detail)}
        if call.path.startswith("/v2/algo-orders") and reason not in {
            *GATEWAY,
            *STATUSES,
            Reason.MAINTENANCE,
        }:
            told = {"code": 2002, "message": words.format(detail)}
        return Reply(told | {"data": None}, STATUSES.get(reason, 200))

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /v1/common/timestamp", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return ok(call.now_ms)

    @route("GET /v1/common/symbols", public=True, costs={"public": 1})
    def symbols(self, call: Call) -> Any:
        return ok([_symbol_row(market) for market in self.markets])

    @route("GET /v2/reference/currencies", public=True, costs={"public": 1})
    def currencies(self, call: Call) -> Any:
        names = sorted({name.lower() for market in self.markets for name in (market.base, market.quote)})
        return {
            "code": 200,
            "data": [{"currency": name, "instStatus": "normal", "chains": []} for name in names],
        }

    @route("GET /market/detail/merged", public=True, costs={"public": 1})
    def merged(self, call: Call) -> Any:
        return merged(self, call, "symbol")

    @route("GET /market/detail", public=True, costs={"public": 1})
    def day(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = self.desk.bid(market), self.desk.ask(market)
        prices = {**dict.fromkeys(("open", "low", "close"), bid), "high": ask}
        tick = {"id": call.now_ms, **prices, **dict.fromkeys(("amount", "vol", "count"), 1000)}
        return {"status": "ok", "ch": f"market.{market.symbol}.detail", "ts": call.now_ms, "tick": tick}

    @route("GET /market/tickers", public=True, costs={"public": 1})
    def tickers(self, call: Call) -> Any:
        rows = []
        for market in self.markets:
            bid, ask = self.desk.bid(market), self.desk.ask(market)
            prices = {
                **dict.fromkeys(("open", "low", "close", "bid"), bid),
                **dict.fromkeys(("high", "ask"), ask),
            }
            sizes = dict.fromkeys(("bidSize", "askSize", "amount", "vol", "count"), 1000)
            rows.append({"symbol": market.symbol, **prices, **sizes})
        return ok(rows) | {"ts": call.now_ms}

    @route("GET /market/depth", public=True, costs={"public": 1})
    def depth(self, call: Call) -> Any:
        return depth(self, call, "symbol")

    @route("GET /v2/market-status", public=True, costs={"public": 1})
    def market_status(self, call: Call) -> Any:
        return {"code": 200, "message": "success", "data": {"marketStatus": 1}}

    @route("GET /v2/reference/transact-fee-rate")
    def fee_rates(self, call: Call) -> Any:
        maker, taker = text(self.rules.maker_fee), text(self.rules.taker_fee)
        rates = dict.fromkeys(("makerFeeRate", "actualMakerRate"), maker)
        rates |= dict.fromkeys(("takerFeeRate", "actualTakerRate"), taker)
        wanted = call.text("symbols").split(",")
        return {"code": 200, "data": [{"symbol": each, **rates} for each in wanted], "success": True}

    # -- plain orders ----------------------------------------------------------------------------------

    @route("POST /v1/order/orders/place", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        if call.text("account-id") != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "account-id")
        name, _, kind = call.text("type").partition("-")
        if name not in SIDES or kind not in TYPES:
            raise Rejected(Reason.BAD_PARAMETER, "type")
        (limit, waits, time), side = TYPES[kind], SIDES[name]
        amount, by_quote = call.decimal("amount"), not limit and side is Side.BUY
        rises = call.one_of("operator", RISES) if waits else None
        ticket = Ticket(
            call.text("symbol"),
            side,
            kind_of(side, limit=limit, rises=rises),
            quantity=None if by_quote else amount,
            quote_quantity=amount if by_quote else None,
            price=call.decimal("price") if limit else None,
            trigger_price=call.decimal("stop-price") if waits else None,
            rises=rises,
            time_in_force=time,
            post_only=kind == "limit-maker",
            client_id=call.text("client-order-id", ""),
            extra={"type": call.text("type"), "operator": call.text("operator", "")},
        )
        return ok(self.desk.place(call.account, ticket).id)

    @route("POST /v1/order/batch-orders", trading=True, costs={"batch": 1})
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        told = self.each(call, orders, "/v1/order/orders/place", self.place)
        return ok([_batch_row(*each) for each in zip(orders, told, strict=True)])

    def _plain(self, call: Call) -> Order | None:
        """By its number, which a triggered algo order has from then on, or by the client id of a plain one."""
        order_id, client_id = call.text("orderId", ""), call.text("clientOrderId", "")
        client_id = call.text("client-order-id", client_id)
        found = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        if found is None or (_is_algo(found) and found.live_id != order_id):
            return None
        return found if order_id or self.desk.remembers(found, MEMORY_SECONDS) else None

    @route("GET /v1/order/orders")
    def orders(self, call: Call) -> Any:
        """Newest first, by the time at which they were made."""
        states, symbol = call.text("states").split(","), call.text("symbol")
        found = self.made_between(call, "start-time", "end-time")
        plain = [each for each in found if not (_is_algo(each) and not each.live_id)]
        rows = [self._row(call.account, each, "field") for each in plain if each.market.symbol == symbol]
        told = [row for row in rows if row["state"] in states]
        return ok(after(told, call.text("from", ""), call.integer("size", 100)))

    @route("GET /v1/order/history")
    def history(self, call: Call) -> Any:
        """Newest first, of the last two days or less; those that ended."""
        symbol, found = call.text("symbol", ""), self.made_between(call, "start-time", "end-time")
        ended = [each for each in found if not each.open and not (_is_algo(each) and not each.live_id)]
        rows = [self._row(call.account, e, "field") for e in ended if symbol in ("", e.market.symbol)]
        return ok(rows[: call.integer("size", 100)])

    @route("GET /v1/order/orders/{orderId}/matchresults")
    def matches_of_order(self, call: Call) -> Any:
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok([_match_row(found, fill) for fill in found.fills])

    @route("GET /v1/order/matchresults")
    def matches(self, call: Call) -> Any:
        """Newest first."""
        symbol, book = call.text("symbol"), self.desk.book(call.account)
        found = [(book.orders[each.order_id], each) for each in reversed(book.fills) if each.symbol == symbol]
        since, until = call.integer("start-time", 0), call.integer("end-time", call.now_ms)
        rows = [_match_row(*each) for each in found if since <= each[1].time_ms <= until]
        return ok(after(rows, call.text("from", ""), call.integer("size", 100)))

    @route("GET /v1/order/orders/{orderId}", "GET /v1/order/orders/getClientOrder")
    def order(self, call: Call) -> Any:
        if (found := self._plain(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._row(call.account, found, "field"))

    @route("GET /v1/order/openOrders")
    def open_orders(self, call: Call) -> Any:
        found = [each for each in self.open_of(call, "symbol") if not (_is_algo(each) and each.waiting)]
        rows = [self._row(call.account, order, "filled") for order in found]
        return ok(after(rows, call.text("from", ""), call.integer("size", 100)))

    @route("POST /v1/order/orders/{orderId}/submitcancel", trading=True, costs={"orders": 1})
    def cancel(self, call: Call) -> Any:
        self.desk.cancel(call.account, self._plain(call))
        return ok(call.parts["orderId"])

    @route("POST /v1/order/orders/submitCancelClientOrder", trading=True, costs={"orders": 1})
    def cancel_by_client_id(self, call: Call) -> Any:
        """10: it is being cancelled; 0: not known; 6 and 7: filled or cancelled before."""
        found = self._plain(call)
        if found is None:
            return ok(0)
        if not found.open:
            return ok(6 if found.status is OrderStatus.FILLED else 7)
        self.desk.cancel(call.account, found)
        return ok(10)

    @route("POST /v1/order/orders/batchcancel", trading=True, costs={"batch": 1})
    def cancel_batch(self, call: Call) -> Any:
        """By their numbers, or by their client ids."""
        names = {"order-ids": "order_id", "client-order-ids": "client_id"}
        asked = [(names[name], str(each)) for name in names for each in call.params.get(name) or ()]
        told: dict[str, list[Any]] = {"success": [], "failed": []}
        for name, value in asked:
            found = self.desk.order(call.account, **{name: value})
            if found is not None and found.open and not (_is_algo(found) and found.waiting):
                self.desk.cancel(call.account, found)
                told["success"].append(value)
                continue
            code, words = (
                REFUSALS[Reason.NOT_OPEN] if found else ("base-not-found", "The record is not found.")
            )
            row = {"order-id": value, "client-order-id": None, "err-code": code, "err-msg": words}
            told["failed"].append(row)
        return ok(told)

    @route("POST /v1/order/orders/batchCancelOpenOrders", trading=True, costs={"orders": 1})
    def cancel_all(self, call: Call) -> Any:
        ended = [each for each in self.open_of(call, "symbol") if not (_is_algo(each) and each.waiting)]
        for order in ended:
            self.desk.cancel(call.account, order)
        return {"code": 200, "data": {"success-count": len(ended), "failed-count": 0, "next-id": -1}}

    def _row(self, account: Account, order: Order, prefix: str) -> dict[str, Any]:
        market = order.market
        filled = {
            "amount": text(order.filled),
            "cash-amount": text(order.quote_filled),
            "fees": text(sum(order.fees().values(), ZERO)),
        }
        amount = order.ticket.quote_quantity
        kind = f"{order.side}-{'market' if order.price is None else 'limit'}"
        waited = {"stop-price": text(order.trigger_price), "operator": order.ticket.extra.get("operator")}
        return {
            "id": int(order.live_id or order.id) if _is_algo(order) else int(order.id),
            "symbol": market.symbol,
            "account-id": int(number_of(account)),
            "client-order-id": "" if _is_algo(order) else order.client_id,
            "amount": text(order.quantity if amount is None else amount, 18),
            "price": text(order.price, 18),
            "created-at": order.created_ms,
            "type": order.ticket.extra.get("type", kind),
            **{f"{prefix}-{name}": value for name, value in filled.items()},
            "finished-at": 0 if order.open else order.updated_ms,
            "source": "spot-api",
            "state": _state(order),
            "canceled-at": 0 if order.open or order.status is OrderStatus.FILLED else order.updated_ms,
            **(waited if waited["operator"] else {}),
        }

    # -- algo orders -----------------------------------------------------------------------------------

    @route("POST /v2/algo-orders", trading=True, costs={"algo": 1})
    def place_algo(self, call: Call) -> Any:
        """The trigger lies where the price is not."""
        if call.text("accountId") != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "accountId")
        market, side = self.desk.market(call.text("symbol")), call.one_of("orderSide", SIDES)
        limit, trigger = call.one_of("orderType", IS_LIMIT), call.decimal("stopPrice")
        by_value, rises = side is Side.BUY and not limit, trigger > self.desk.bid(market)
        quantity = call.decimal("orderValue") / trigger if by_value else call.decimal("orderSize")
        ticket = Ticket(
            market.symbol,
            side,
            kind_of(side, limit=limit, rises=rises),
            quantity=quantity // market.step * market.step,
            price=call.decimal("orderPrice") if limit else None,
            trigger_price=trigger,
            rises=rises,
            time_in_force=call.one_of("timeInForce", ALGO_TIMES, "gtc"),
            client_id=call.text("clientOrderId"),
            extra={"algo": True, "value": call.text("orderValue", "")},
        )
        self.desk.place(call.account, ticket)
        return {"code": 200, "data": {"clientOrderId": ticket.client_id}}

    @route("POST /v2/algo-orders/cancellation", trading=True, costs={"algo": 1})
    def cancel_algos(self, call: Call) -> Any:
        accepted, rejected = list[str](), list[str]()
        for client_id in call.params.get("clientOrderIds") or ():
            found = self.desk.order(call.account, client_id=str(client_id))
            if found is None or not _is_algo(found) or not (found.open and found.waiting):
                rejected.append(client_id)
                continue
            self.desk.cancel(call.account, found)
            accepted.append(client_id)
        return {"code": 200, "data": {"accepted": accepted, "rejected": rejected}}

    @route("GET /v2/algo-orders/specific", costs={"algo": 1})
    def algo(self, call: Call) -> Any:
        found = self.desk.order(call.account, client_id=call.text("clientOrderId"))
        return {"code": 200, "data": _algo_row(found) if found and _is_algo(found) else None}

    @route("GET /v2/algo-orders/history", costs={"algo": 1})
    def ended_algos(self, call: Call) -> Any:
        """Newest first, of one state."""
        symbol, state, known = (
            call.text("symbol"),
            call.text("orderStatus"),
            self.desk.book(call.account).orders,
        )
        found = [each for each in reversed(known.values()) if _is_algo(each) and each.market.symbol == symbol]
        rows = [_algo_row(each) for each in found]
        return {
            "code": 200,
            "data": [row for row in rows if row["orderStatus"] == state][: call.integer("limit", 100)],
        }

    @route("GET /v2/algo-orders/opening", costs={"algo": 1})
    def algos(self, call: Call) -> Any:
        waiting = [each for each in self.open_of(call, "symbol") if _is_algo(each) and each.waiting]
        older = [each for each in waiting if each.sequence < call.integer("fromId", 2**62)]
        page = older[: call.integer("limit", 100)]
        more = {"nextId": page[-1].sequence} if len(older) > len(page) else {}
        return {"code": 200, "data": [_algo_row(order) for order in page], **more}

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v1/account/accounts", costs={"account": 1})
    def accounts(self, call: Call) -> Any:
        return ok([POINTS, POINTS | {"id": int(number_of(call.account)), "type": "spot"}])

    @route("GET /v1/account/accounts/{accountId}/balance", costs={"account": 1})
    def balance(self, call: Call) -> Any:
        if call.parts["accountId"] == str(POINTS["id"]):
            return ok(POINTS | {"list": []})
        if call.parts["accountId"] != number_of(call.account):
            raise Rejected(Reason.BAD_PARAMETER, "account-id")
        wallet, rows = self.rules.wallet, list[dict[str, str]]()
        for coin, total in call.account.wallets[wallet].items():
            free = call.account.free(wallet, coin)
            parts = {"trade": free, "frozen": total - free}
            rows += [{"currency": coin.lower(), "type": k, "balance": text(v)} for k, v in parts.items()]
        return ok(POINTS | {"id": int(number_of(call.account)), "type": "spot", "list": rows})

    @route("GET /v2/user/uid", costs={"account": 1})
    def uid(self, call: Call) -> Any:
        return {"code": 200, "data": int(number_of(call.account)) + 1}

    @route("GET /v2/user/api-key", costs={"account": 1})
    def api_key(self, call: Call) -> Any:
        if call.text("uid") != str(int(number_of(call.account)) + 1):
            return {"code": 2002, "message": "invalid field value in `uid`"}
        rights = [name for name in ("trade", "withdraw") if name in call.account.permissions]
        row = {"accessKey": call.account.key, "status": "normal", "note": "sandbox", "ipAddresses": ""}
        row |= {"permission": ",".join(["readOnly", *rights])}
        return {"code": 200, "data": [row | {"validDays": -1, "createTime": call.account.created_ms}]}


# -- how things are written --------------------------------------------------------------------------------


def ok(data: Any) -> dict[str, Any]:
    return {"status": "ok", "data": data}


def _batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.htx.com/en-us/support/900000072826/: a number, or why there is none."""
    named = {"client-order-id": order.get("client-order-id")}
    if answer["status"] == "ok":
        return {"order-id": int(answer["data"]), **named}
    return named | {name: answer[name] for name in ("err-code", "err-msg")}


def merged(dialect: HTXFrame, call: Call, name: str) -> Any:
    """The ticker, by the same address on both hosts."""
    if (market := dialect.desk.markets.get(call.text(name))) is None:
        told = {"err-code": "invalid-parameter", "err-msg": "invalid symbol"}
        return {"status": "error", **told, "ts": call.now_ms}
    bid, ask = dialect.desk.bid(market), dialect.desk.ask(market)
    tick = {"id": call.now_ms, "close": bid, "open": bid, "bid": [bid, 1000], "ask": [ask, 1000]}
    return {"status": "ok", "ch": f"market.{market.symbol}.detail.merged", "ts": call.now_ms, "tick": tick}


def depth(dialect: HTXFrame, call: Call, name: str) -> Any:
    market = dialect.desk.market(call.text(name))
    levels = {"bids": [[dialect.desk.bid(market), 1000]], "asks": [[dialect.desk.ask(market), 1000]]}
    channel = f"market.{market.symbol}.depth.{call.text('type', 'step0')}"
    tick = {"id": call.now_ms, "mrid": call.now_ms, "version": call.now_ms, "ts": call.now_ms, **levels}
    return {"status": "ok", "ch": channel, "ts": call.now_ms, "tick": tick}


def _match_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "id": fill.id,
        "symbol": fill.symbol,
        "order-id": int(fill.order_id),
        **dict.fromkeys(("match-id", "trade-id"), fill.id),
        "price": text(fill.price),
        "created-at": fill.time_ms,
        "type": order.ticket.extra.get(
            "type", f"{order.side}-{'market' if order.price is None else 'limit'}"
        ),
        "filled-amount": text(fill.quantity),
        "filled-fees": text(fill.fee),
        "filled-points": "0.0",
        "fee-currency": fill.fee_asset.lower(),
        "fee-deduct-currency": "",
        "fee-deduct-state": "done",
        "role": "maker" if fill.maker else "taker",
        "source": "spot-api",
    }


def after(rows: list[dict[str, Any]], last: str, count: int) -> list[dict[str, Any]]:
    """A page of rows: those behind the one whose `id` is `last`."""
    ids = [str(row["id"]) for row in rows]
    start = ids.index(last) + 1 if last in ids else 0
    return rows[start : start + count]


def number_of(account: Account) -> str:
    return str(int(account.fingerprint, 16) % 1_000_000_000)


def kind_of(side: Side, *, limit: bool, rises: bool | None) -> OrderType:
    if rises is None:
        return OrderType.LIMIT if limit else OrderType.MARKET
    if rises == (side is Side.BUY):
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def _moment_ms(stamp: str) -> int:
    try:
        return int(datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise Rejected(Reason.BAD_TIMESTAMP) from None


def _is_algo(order: Order) -> bool:
    return bool(order.ticket.extra.get("algo"))


def _state(order: Order) -> str:
    if order.open:
        return "created" if order.waiting else "partial-filled" if order.filled else "submitted"
    if order.status is OrderStatus.FILLED:
        return "filled"
    return "partial-canceled" if order.filled else "canceled"


def algo_state(order: Order, words: Iterable[str]) -> str:
    """`words` for waiting, triggered, cancelled, failed."""
    waiting, triggered, cancelled, failed = words
    if order.status is OrderStatus.REJECTED:
        return failed
    if order.live_id:
        return triggered
    return waiting if order.open else cancelled


def _algo_row(order: Order) -> dict[str, Any]:
    limit, value = order.price is not None, order.ticket.extra["value"]
    state = algo_state(order, ("created", "triggered", "canceled", "rejected"))
    return {
        "symbol": order.market.symbol,
        "source": "api",
        "clientOrderId": order.client_id,
        "orderSide": order.side.value,
        "orderType": "limit" if limit else "market",
        "timeInForce": order.ticket.time_in_force.value if limit else "ioc",
        "stopPrice": text(order.trigger_price),
        "orderOrigTime": order.created_ms,
        "lastActTime": order.updated_ms,
        "orderStatus": state,
        **({"orderPrice": text(order.price)} if limit else {}),
        **({"orderValue": value} if value else {"orderSize": text(order.quantity)}),
        **({"orderId": order.live_id} if state == "triggered" else {}),
        **({"errCode": 2002, "errMessage": str(order.reason)} if state == "rejected" else {}),
    }


def _symbol_row(market: Market) -> dict[str, Any]:
    least, most = market.min_quantity, D(1_000_000)
    return {
        "base-currency": market.base.lower(),
        "quote-currency": market.quote.lower(),
        "price-precision": decimals_of(market.tick),
        "amount-precision": decimals_of(market.step),
        "value-precision": 8,
        "symbol-partition": "main",
        "symbol": market.symbol,
        "state": "online",
        "min-order-amt": least,
        "max-order-amt": most,
        "min-order-value": market.min_notional,
        "limit-order-min-order-amt": least,
        "limit-order-max-order-amt": most,
        "sell-market-min-order-amt": least,
        "sell-market-max-order-amt": most,
        "buy-market-max-order-value": most,
        "api-trading": "enabled",
        "tags": "",
    }
