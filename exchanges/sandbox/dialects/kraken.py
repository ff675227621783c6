"""Kraken spot: form bodies signed with a rising nonce, HTTP 200 and a list of errors for every refusal.

Sources (read 2026-11-22 in stored copies of May to September 2026): docs.kraken.com (Spot REST: AddOrder,
AddOrderBatch, CancelOrder, QueryOrders, OpenOrders, ClosedOrders, BalanceEx, GetApiKeyInfo; guides: authentication, rate limits,
clordid). The words for a repeated `cl_ord_id` are not documented. The engine counter is per pair there, per key here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.dialects.kraken_answers import (
    ALTNAMES,
    ASSETS,
    TYPES,
    asset_row,
    done,
    order_row,
    pair_row,
    sentence,
    slashed,
    trade_row,
    transaction_id,
)
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit
from exchanges.sandbox.model import (
    ZERO,
    AttachWhen,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call, Reply, encode
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
FORCES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
TRIGGERS = {"last": TriggerBy.LAST, "index": TriggerBy.INDEX}
#: {} is the detail: a parameter's name
WORDS = {
    Reason.NO_KEY: "EAPI:Invalid key",
    Reason.BAD_KEY: "EAPI:Invalid key",
    Reason.BAD_SIGNATURE: "EAPI:Invalid signature",
    Reason.BAD_NONCE: "EAPI:Invalid nonce",
    Reason.NO_PERMISSION: "EGeneral:Permission denied",
    Reason.THROTTLED: "EAPI:Rate limit exceeded",
    Reason.BANNED: "EGeneral:Temporary lockout",
    Reason.MAINTENANCE: "EService:Market in cancel_only mode",
    Reason.INTERNAL: "EGeneral:Internal error",
    Reason.UNKNOWN_PATH: "EGeneral:Unknown method",
    Reason.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    Reason.PRICE_TICK: "EOrder:Tick size check failed",
    Reason.TRIGGER_TICK: "EOrder:Tick size check failed",
    Reason.QUANTITY_STEP: "EGeneral:Invalid arguments:volume",
    Reason.MIN_QUANTITY: "EOrder:Order minimum not met",
    Reason.MAX_QUANTITY: "EGeneral:Invalid arguments:volume",
    Reason.MIN_NOTIONAL: "EOrder:Cost minimum not met",
    Reason.DUPLICATE: "EOrder:Duplicate cl_ord_id",
    Reason.INSUFFICIENT: "EOrder:Insufficient funds",
    Reason.REDUCE_ONLY: "EOrder:Reduce only:Non-PC",
    Reason.STOP_REFUSED: "EOrder:Orders limit exceeded",
    Reason.TOO_MANY_ORDERS: "EOrder:Orders limit exceeded",
    Reason.UNKNOWN_ORDER: "EOrder:Unknown order",
    Reason.NOT_OPEN: "EOrder:Unknown order",
    Reason.LEVERAGE: "EGeneral:Invalid arguments:leverage",
}
RIGHTS = {
    "read": ("query-funds", "query-open-trades", "query-closed-trades"),
    "trade": ("modify-trades", "close-trades"),
    "withdraw": ("withdraw-funds",),
}
BATCH_SIZES = range(2, 16)
#: what a cancel costs by the age of its order in seconds; nothing from the last on
CANCEL_COSTS = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))
_CLIENT_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}|[ -~]{1,18}", re.IGNORECASE
)
#: base, tick in dollars, least volume
_COINS = (
    ("BTC", "0.1", "0.00005"),
    ("ETH", "0.01", "0.001"),
    ("SOL", "0.01", "0.02"),
    ("XRP", "0.00001", "1.65"),
    ("DOGE", "0.0000001", "13"),
    ("LTC", "0.01", "0.04"),
)


def _market(base: str, quote: str, tick: str, least: str, least_cost: str = "0.5") -> Market:
    """Pairs of two old assets are keyed by the old names (XXBTZUSD), others by the altname (XBTUSDT)."""
    symbol = ALTNAMES.get(base, base) + ALTNAMES.get(quote, quote)
    old = base in ASSETS and quote in ASSETS and base != "DOGE"
    return Market(
        symbol=symbol,
        base=base,
        quote=quote,
        product=Product.SPOT,
        tick=Decimal(tick),
        step=Decimal("0.00000001"),
        min_quantity=Decimal(least),
        min_notional=Decimal(least_cost),
        extra={"key": ASSETS[base] + ASSETS[quote] if old else symbol},
    )


class Kraken(Dialect):
    name = "Kraken"
    family = "kraken"
    product = Product.SPOT
    markets = (
        *(
            _market(base, quote, tick, least)
            for quote in ("USD", "USDT", "USDC")
            for base, tick, least in _COINS
        ),
        _market("ETH", "BTC", "0.00001", "0.001", "0.00002"),
    )
    rules = Rules(
        maker_fee=Decimal("0.0025"),
        taker_fee=Decimal("0.004"),
        buy_fee_in_base=False,
        wallet="spot",
        refuses_crossed_triggers=False,
        refuses_unfillable=False,
        unfilled=OrderStatus.CANCELLED,
        cancels_instead=frozenset({Reason.POST_ONLY}),
        order_id=lambda number: transaction_id("O", number),
        max_open_orders=80,
    )
    limits = (
        Limit("rest", "rest", 20, decay_per_second="0.5"),
        Limit("engine", "engine", 125, decay_per_second="2.34"),
    )
    default_costs = {"rest": 1}
    unlogged = ("otp",)

    # -- the caller --------------------------------------------------------------------------------------

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Public data are given to a POST too: some clients know no other."""
        return super().find("GET" if path.startswith("/0/public/") else method, path)

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def nonce_of(self, call: Call) -> str:
        return str(call.body_params.get("nonce", ""))

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(42), base64.b64encode(secrets.token_bytes(64)).decode(), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        nonce = call.text("nonce", "")
        inner = hashlib.sha256(nonce.encode() + call.body).digest()
        given, secret = call.headers.get("api-sign", "").encode(), base64.b64decode(account.secret)
        wanted = (hmac.digest(secret, path.encode() + inner, "sha512") for path in call.signed_paths)
        if not any(hmac.compare_digest(given, base64.b64encode(each)) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not nonce.isdigit() or not account.last_nonce < int(nonce) < 2**64:
            raise Rejected(Reason.BAD_NONCE)
        account.last_nonce = int(nonce)
        found = self.find(call.method, call.path)
        if found and found[0].trading and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        words = WORDS.get(reason, f"EGeneral:Invalid arguments:{detail or reason}")
        return Reply({"error": [words]}, 500 if reason is Reason.INTERNAL else 200)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells when to come back."""
        if exceeded.limit.counts == "engine":
            return Reply({"error": ["EOrder:Rate limit exceeded"]})
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        if route.handler == "add_batch":
            orders = call.params.get("orders")
            return {"engine": len(orders) if isinstance(orders, list) else 1}
        account = self.account(self.key_of(call))
        if route.handler != "cancel" or account is None or (order := self._named(call, account)) is None:
            return super().costs(route, call)
        age = (call.now_ms - order.created_ms) // 1000
        return {"engine": next((cost for seconds, cost in CANCEL_COSTS if age < seconds), 0)}

    # -- market data -------------------------------------------------------------------------------------

    @route("GET /0/public/Time", public=True)
    def time(self, call: Call) -> Any:
        now = datetime.fromtimestamp(call.now_ms // 1000, UTC)
        return done({"unixtime": call.now_ms // 1000, "rfc1123": format_datetime(now, usegmt=True)})

    @route("GET /0/public/SystemStatus", public=True)
    def status(self, call: Call) -> Any:
        return done({"status": "online", "timestamp": "2026-11-22T00:00:00Z"})

    @route("GET /0/public/Assets", public=True)
    def assets(self, call: Call) -> Any:
        names = {name: None for market in self.markets for name in (market.base, market.quote)}
        return done({ASSETS.get(name, name): asset_row(name) for name in names})

    @route("GET /0/public/AssetPairs", public=True)
    def pairs(self, call: Call) -> Any:
        return done({market.extra["key"]: pair_row(market) for market in self._asked(call)})

    @route("GET /0/public/Ticker", public=True)
    def ticker(self, call: Call) -> Any:
        return done({market.extra["key"]: self._ticker(market) for market in self._asked(call)})

    @route("GET /0/public/Depth", public=True)
    def depth(self, call: Call) -> Any:
        market = self._pair_named(call.text("pair"))
        bid, ask = (
            [[text(price, decimals_of(market.tick)), "100.000", call.now_ms // 1000]]
            for price in (self.desk.bid(market), self.desk.ask(market))
        )
        return done({market.extra["key"]: {"asks": ask, "bids": bid}})

    def _asked(self, call: Call) -> list[Market]:
        names = call.text("pair", "")
        return [self._pair_named(name) for name in names.split(",")] if names else list(self.markets)

    def _pair_named(self, name: str) -> Market:
        """By altname, internal key or slashed name (XBTUSD, XXBTZUSD, XBT/USD, BTC/USD)."""
        for market in self.markets:
            if name in (market.symbol, market.extra["key"], market.pair, slashed(market)):
                return market
        raise Rejected(Reason.UNKNOWN_SYMBOL, name)

    def _ticker(self, market: Market) -> dict[str, Any]:
        bid, ask = (
            text(price, decimals_of(market.tick)) for price in (self.desk.bid(market), self.desk.ask(market))
        )
        return {
            "a": [ask, "100", "100.000"],
            "b": [bid, "100", "100.000"],
            "c": [bid, "0.01000000"],
            "v": ["1000.00000000", "2000.00000000"],
            "p": [bid, bid],
            "t": [100, 200],
            "l": [bid, bid],
            "h": [ask, ask],
            "o": bid,
        }

    # -- the account -------------------------------------------------------------------------------------

    @route("POST /0/private/Balance")
    def balance(self, call: Call) -> Any:
        return done({name: row["balance"] for name, row in self._balances(call.account)})

    @route("POST /0/private/BalanceEx")
    def extended_balance(self, call: Call) -> Any:
        return done(dict(self._balances(call.account)))

    def _balances(self, account: Account) -> Iterator[tuple[str, dict[str, str]]]:
        wallet = self.rules.wallet
        for asset, total in account.wallets[wallet].items():
            held = text(account.locked(wallet, asset), 8)
            yield ASSETS.get(asset, asset), {"balance": text(total, 8), "hold_trade": held}

    @route("POST /0/private/TradeBalance")
    def trade_balance(self, call: Call) -> Any:
        """Of what it holds in the currency asked for; nothing is borrowed here."""
        names = {ASSETS.get(each, each): each for each in call.account.wallets[self.rules.wallet]}
        asset = names.get(call.text("asset", "ZUSD"), call.text("asset", "USD"))
        total, free = (
            text(amount, 4)
            for amount in (
                call.account.total(self.rules.wallet, asset),
                call.account.free(self.rules.wallet, asset),
            )
        )
        nothing = dict.fromkeys(("m", "n", "c", "v", "uv"), text(ZERO, 4))
        return done({"eb": total, "tb": total, **nothing, "e": total, "mf": free, "mfo": free})

    @route("POST /0/private/TradeVolume")
    def trade_volume(self, call: Call) -> Any:
        keys = [market.extra["key"] for market in self._asked(call)] if call.text("pair", "") else []
        fees = {}
        for name, fee in (("fees", self.rules.taker_fee), ("fees_maker", self.rules.maker_fee)):
            told = {**dict.fromkeys(("fee", "minfee", "maxfee"), text(fee * 100, 4))}
            row = told | {"nextfee": None, "nextvolume": None, "tiervolume": text(ZERO, 4)}
            fees[name] = dict.fromkeys(keys, row)
        return done({"currency": "ZUSD", "volume": text(ZERO, 4), **(fees if keys else {})})

    @route("POST /0/private/OpenPositions")
    def positions(self, call: Call) -> Any:
        return done([] if call.text("consolidation", "") else {})

    @route("POST /0/private/GetApiKeyInfo")
    def key_info(self, call: Call) -> Any:
        account = call.account
        rights = [name for right, names in RIGHTS.items() if right in account.permissions for name in names]
        return done(
            {
                "apiKeyName": "sandbox",
                "apiKey": account.key,
                "nonce": str(account.last_nonce),
                "nonceWindow": 0,
                "permissions": rights,
                "iban": "AA00 N84G SAND BOX0",
                **dict.fromkeys(("validUntil", "queryFrom", "queryTo"), "0"),
                **dict.fromkeys(("createdTime", "modifiedTime"), str(account.created_ms // 1000)),
                "ipAllowlist": [],
                "lastUsed": str(call.now_ms // 1000),
            }
        )

    # -- orders ------------------------------------------------------------------------------------------

    @route("POST /0/private/AddOrder", trading=True, costs={"engine": 1})
    def add(self, call: Call) -> Any:
        ticket = self._ticket(call)
        market = self.desk.market(ticket.symbol)
        if call.flag("validate"):
            self.desk.check(call.account, ticket)
            return done({"descr": {"order": sentence(ticket, market)}})
        order = self.desk.place(call.account, ticket)
        return done({"descr": {"order": sentence(ticket, market)}, "txid": [order.id]})

    @route("POST /0/private/AddOrderBatch", trading=True)
    def add_batch(self, call: Call) -> Any:
        """Valid or not is decided for the whole batch; what an order lacks the money for is its own matter."""
        orders = call.params.get("orders")
        if not isinstance(orders, list) or len(orders) not in BATCH_SIZES:
            raise Rejected(Reason.BAD_PARAMETER, "orders")
        paired = [{**each, "pair": call.text("pair")} for each in orders]
        for answer in self.each(call, paired, "/0/private/AddOrder", self._check_valid):
            if answer["error"]:
                return answer
        told = self.each(call, paired, "/0/private/AddOrder", self.add)
        return done({"orders": [_in_batch(answer) for answer in told]})

    def _check_valid(self, call: Call) -> Any:
        try:
            self.desk.check(call.account, self._ticket(call))
        except Rejected as refused:
            if refused.reason is not Reason.INSUFFICIENT:
                raise
        return done({})

    def _ticket(self, call: Call) -> Ticket:
        kind = call.one_of("ordertype", TYPES)
        flags = [flag.strip() for flag in call.text("oflags", "").split(",")]
        if call.text("leverage", "none") != "none":
            raise Rejected(Reason.LEVERAGE)
        if call.flag("reduce_only"):
            raise Rejected(Reason.REDUCE_ONLY)
        if "viqc" in flags and (kind is not OrderType.MARKET or call.text("type") != "buy"):
            raise Rejected(Reason.BAD_PARAMETER, "viqc")
        first, second = ("price", "price2") if kind.conditional else ("", "price")
        volume = call.decimal("volume")
        return Ticket(
            symbol=self._pair_named(call.text("pair")).symbol,
            side=call.one_of("type", SIDES),
            type=kind,
            quantity=None if "viqc" in flags else volume,
            quote_quantity=volume if "viqc" in flags else None,
            price=call.decimal(second) if kind.endswith("limit") else None,
            trigger_price=call.decimal(first) if first else None,
            trigger_by=call.one_of("trigger", TRIGGERS, "last"),
            time_in_force=call.one_of("timeinforce", FORCES, "GTC"),
            post_only="post" in flags,
            client_id=_client_id(call),
            attached=tuple(self._closing(call)),
            attach_when=AttachWhen.EACH_FILL,
            extra={"userref": call.integer("userref", 0), "oflags": ",".join(filter(None, ["fciq", *flags]))},
        )

    def _closing(self, call: Call) -> Iterator[Ticket]:
        """`close[ordertype]`: one conditional order, placed for each fill of this one."""
        if isinstance(told := call.params.get("close"), Mapping):  # in JSON
            spelled = {f"close[{name}]": value for name, value in told.items()}
            call = replace(call, body=encode({**call.body_params, "close": None, **spelled}))
        if not call.text("close[ordertype]", ""):
            return
        kind = call.one_of("close[ordertype]", TYPES)
        first, second = ("close[price]", "close[price2]") if kind.conditional else ("", "close[price]")
        yield Ticket(
            symbol=self._pair_named(call.text("pair")).symbol,
            side=call.one_of("type", SIDES).opposite,
            type=kind,
            price=call.decimal(second) if kind.endswith("limit") else None,
            trigger_price=call.decimal(first) if first else None,
            extra={"userref": 0, "oflags": "fciq"},
        )

    @route("POST /0/private/AmendOrder", trading=True, costs={"engine": 5})
    def amend(self, call: Call) -> Any:
        order = self._named(call, call.account)
        prices = {
            "price": call.decimal_or_none("limit_price"),
            "trigger_price": call.decimal_or_none("trigger_price"),
        }
        self.desk.amend(call.account, order, quantity=call.decimal_or_none("order_qty"), **prices)
        return done({"amend_id": transaction_id("T", self.desk.number())})

    @route("POST /0/private/EditOrder", trading=True, costs={"engine": 6})
    def edit(self, call: Call) -> Any:
        """The old order ends and a new one takes its place; it has no client id."""
        order = self._named(call, call.account)
        if order is None or not order.open or order.filled:
            raise Rejected(Reason.NOT_OPEN)
        conditional, limited = order.ticket.type.conditional, order.price is not None
        names = ("price", "price2") if conditional else ("", "price")
        changed = replace(
            order,
            quantity=call.decimal_or_none("volume") or order.quantity,
            trigger_price=(call.decimal_or_none(names[0]) if conditional else None) or order.trigger_price,
            price=(call.decimal_or_none(names[1]) if limited else None) or order.price,
        )
        check_amended(self.desk, call.account, changed, order)
        ticket = replace(
            order.ticket,
            quantity=changed.quantity,
            price=changed.price,
            trigger_price=changed.trigger_price,
            client_id="",
        )
        if call.flag("validate"):
            return done({"status": "ok", "descr": {"order": sentence(ticket, order.market)}})
        self.desk.cancel(call.account, order)
        placed = self.desk.place(call.account, ticket)
        prices = {name: text(value) for name, value in (("price", placed.price), ("price2", None)) if value}
        told = {
            "status": "ok",
            "txid": placed.id,
            "originaltxid": order.id,
            "volume": text(placed.quantity, 8),
        }
        return done(
            {**told, **prices, "orders_cancelled": 1, "descr": {"order": sentence(ticket, order.market)}}
        )

    @route("POST /0/private/CancelOrder", trading=True, costs={"engine": 8})
    def cancel(self, call: Call) -> Any:
        """By its id, by the client's, or all that have a reference."""
        if (named := call.text("txid", "")).isdigit():
            found = self._referenced(call.account, int(named))
        else:
            found = [self._named(call, call.account)]
        for order in found or [None]:
            self.desk.cancel(call.account, order)
        return done({"count": len(found)})

    def _referenced(self, account: Account, reference: int) -> list[Order | None]:
        book = self.desk.book(account)
        return [order for order in book.open.values() if order.ticket.extra["userref"] == reference]

    @route("POST /0/private/CancelOrderBatch", trading=True)
    def cancel_batch(self, call: Call) -> Any:
        """Those of them that are open; that some are not is no refusal."""
        ids = [str(each) for each in _listed(call, "orders")]
        found = [self.desk.order(call.account, order_id=each) for each in ids if not each.isdigit()]
        for each in ids:
            found += self._referenced(call.account, int(each)) if each.isdigit() else []
        found += [self.desk.order(call.account, client_id=str(each)) for each in _listed(call, "cl_ord_ids")]
        ended = [self.desk.cancel(call.account, order) for order in found if order is not None and order.open]
        return done({"count": len(ended)})

    @route("POST /0/private/CancelAll", trading=True, costs={"rest": 1})
    def cancel_all(self, call: Call) -> Any:
        return done({"count": len(self.desk.cancel_all(call.account))})

    def _named(self, call: Call, account: Account) -> Order | None:
        names = {"order_id": call.text("txid", ""), "client_id": call.text("cl_ord_id", "")}
        return self.desk.order(account, **names)

    @route("POST /0/private/QueryOrders")
    def query(self, call: Call) -> Any:
        asked = [self.desk.order(call.account, order_id=each) for each in call.text("txid").split(",")]
        if not (known := [order for order in asked if order is not None]):
            raise Rejected(Reason.UNKNOWN_ORDER)
        return done({order.id: order_row(order) for order in known})

    @route("POST /0/private/QueryTrades")
    def query_trades(self, call: Call) -> Any:
        book, asked = self.desk.book(call.account), call.text("txid").split(",")
        made = {transaction_id("T", fill.id): fill for fill in book.fills}
        return done(
            {each: trade_row(made[each], book.orders[made[each].order_id]) for each in asked if each in made}
        )

    @route("POST /0/private/OpenOrders")
    def open_orders(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        return done(
            {"open": {order.id: order_row(order) for order in book.open.values() if _wanted(order, call)}}
        )

    @route("POST /0/private/ClosedOrders", costs={"rest": 2})
    def closed_orders(self, call: Call) -> Any:
        """The 50 newest from `ofs` on; with closetime=close, of those that were closed after `start`."""
        orders = reversed(self.desk.book(call.account).orders.values())
        after = _moment_ms(call, "start") if call.text("closetime", "both") == "close" else 0
        ended = [each for each in orders if not each.open and _wanted(each, call) and each.updated_ms > after]
        start = call.integer("ofs", 0)
        page = {order.id: order_row(order) for order in ended[start : start + 50]}
        return done({"closed": page, "count": len(ended)})

    @route("POST /0/private/TradesHistory", costs={"rest": 2})
    def trades(self, call: Call) -> Any:
        book, start = self.desk.book(call.account), call.integer("ofs", 0)
        since, until = _moment_ms(call, "start"), _moment_ms(call, "end") or call.now_ms
        fills = [each for each in reversed(book.fills) if since < each.time_ms <= until]
        page = {
            transaction_id("T", fill.id): trade_row(fill, book.orders[fill.order_id])
            for fill in fills[start : start + 50]
        }
        return done({"trades": page, "count": len(fills)})


def _client_id(call: Call) -> str:
    given = call.text("cl_ord_id", "")
    if given and not _CLIENT_ID.fullmatch(given):
        raise Rejected(Reason.BAD_PARAMETER, "cl_ord_id")
    return given


def _moment_ms(call: Call, name: str) -> int:
    """Seconds, fractions of them too."""
    return int((call.decimal_or_none(name) or ZERO) * 1000)


def _listed(call: Call, name: str) -> list[Any]:
    """In JSON a list, in a form names with brackets."""
    told = call.params.get(name)
    if told is None:
        return [value for key, value in call.params.items() if key.startswith(f"{name}[")]
    if not isinstance(told, list):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return told


def _in_batch(answer: Any) -> dict[str, Any]:
    if answer["error"]:
        return {"error": answer["error"][0]}
    return {"txid": answer["result"]["txid"][0], "descr": answer["result"]["descr"]}


def _wanted(order: Order, call: Call) -> bool:
    client_id, reference = call.text("cl_ord_id", ""), call.integer("userref", 0)
    return client_id in ("", order.client_id) and reference in (0, order.ticket.extra["userref"])
