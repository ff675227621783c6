"""Deribit as its clients see it: JSON-RPC in the query of a GET or the body of a POST (to the method's own address or to
the common one), signed or with a token, one host for spot and futures.

Documented at https://docs.deribit.com/ (read 2026-11-22). A trigger order that fires becomes another order, with an id
of its own and the same label. Not documented, so chosen here, each the harder case for a client: the first of the two
stays to be seen as "triggered", a label does not find one that waits, cancelling one order of a pair leaves the
other, the orders of a spot pair are filed under the coin where it has an account of its own; and the reasons of a
stale timestamp and of a reduce-only order that reduces nothing. Leverage is that of the account: 50.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, ClientIds, Fill, Market, Order, Reason, Rejected, Rules, Ticket
from exchanges.sandbox.wire import Answered, Call, Reply, encode
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce, TriggerBy

D = Decimal
API = "/api/v2"
WALLET = "deribit"
#: how old a signature may be
VALID_MS = 60_000
#: how long a token opens what it opens; there is a second one to renew it with
TOKEN_SECONDS = {"access": 900, "refresh": 2_592_000}
#: trades are told at once for a day; as history when they are so old
RECENT_MS, INDEXED_MS = 86_400_000, 60_000
SIDES = {side.value: side for side in Side}
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop_market": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_market": OrderType.TAKE_PROFIT,
    "take_limit": OrderType.TAKE_PROFIT_LIMIT,
}
TYPE_OF = {kind: name for name, kind in TYPES.items()}
TIMES = {
    "good_til_cancelled": TimeInForce.GTC,
    "good_til_day": TimeInForce.GTC,
    "immediate_or_cancel": TimeInForce.IOC,
    "fill_or_kill": TimeInForce.FOK,
}
TIME_OF = {each: name for name, each in reversed(TIMES.items())}
TRIGGERS = {"last_price": TriggerBy.LAST, "mark_price": TriggerBy.MARK, "index_price": TriggerBy.INDEX}
TRIGGER_OF = {by: name for name, by in TRIGGERS.items()}
STATES = {
    OrderStatus.OPEN: "open",
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.EXPIRED: "cancelled",
}
REASONS = {"user": "user_request", "linked": "oco_other_closed"}
KIND_OF = {Product.SPOT: "spot", Product.LINEAR: "future", Product.INVERSE: "future"}
#: products that have positions
FUTURES = (Product.LINEAR, Product.INVERSE)
#: reason -> code, message, reason in `data`
REFUSALS = {
    Reason.NO_KEY: (10000, "authorization_required", ""),
    Reason.BAD_KEY: (13004, "invalid_credentials", ""),
    Reason.BAD_SIGNATURE: (13004, "invalid_credentials", "bad signature"),
    Reason.BAD_TIMESTAMP: (13004, "invalid_credentials", "invalid timestamp"),
    Reason.NO_PERMISSION: (13021, "forbidden", "insufficient_scope"),
    Reason.THROTTLED: (10028, "too_many_requests", ""),
    Reason.BANNED: (10028, "too_many_requests", ""),
    Reason.MAINTENANCE: (11051, "system_maintenance", ""),
    Reason.INTERNAL: (11094, "internal_server_error", ""),
    Reason.UNKNOWN_PATH: (-32601, "Method not found", ""),
    Reason.UNKNOWN_SYMBOL: (13020, "not_found", "instrument_not_found"),
    Reason.PRICE_TICK: (10043, "price_wrong_tick", ""),
    Reason.TRIGGER_TICK: (10044, "trigger_price_wrong_tick", ""),
    Reason.QUANTITY_STEP: (-32602, "Invalid params", "must be a multiple of contract size"),
    Reason.MIN_QUANTITY: (10002, "qty_too_low", ""),
    Reason.MAX_QUANTITY: (10021, "invalid_amount", ""),
    Reason.INSUFFICIENT: (10009, "not_enough_funds", ""),
    Reason.REDUCE_ONLY: (11030, "other_reject", "invalid_reduce_only_order"),
    Reason.WOULD_TRIGGER: (11036, "invalid_stoppx_for_index_or_last", ""),
    Reason.POST_ONLY: (11054, "post_only_reject", ""),
    Reason.STOP_REFUSED: (11035, "no_more_triggers", ""),
    Reason.TOO_MANY_ORDERS: (10013, "max_total_open_orders", ""),
    Reason.UNKNOWN_ORDER: (10004, "order_not_found", ""),
    Reason.NOT_OPEN: (11044, "not_open_order", ""),
}
STATUS = {11051: 503, 11094: 500, 13021: 403}
#: base, tick and contract of the perpetual, tick and contract of the pair
COINS = (
    ("BTC", "0.5", "0.0001", "0.1", "0.0001"),
    ("ETH", "0.05", "0.001", "0.01", "0.001"),
    ("SOL", "0.01", "0.01", "0.01", "0.01"),
    ("XRP", "0.0001", "1", "0.0001", "1"),
    ("DOGE", "0.00001", "1", "0.00001", "1"),
)
CURRENCIES = ("BTC", "ETH", "USDC", "USDT", "EURR")


class _Deribit(Dialect):
    family = "deribit"
    unlogged = ("signature", "client_id", "client_secret", "refresh_token")
    default_costs = {"requests": 1}
    limits = (
        Limit("requests", "requests", 100, 5, decay_per_second="20"),
        Limit("matching", "matching", 20, 4, decay_per_second="5"),
        Limit("public", "public", 100, 5, Owner.ADDRESS, decay_per_second="20"),
    )

    # -- the frame -------------------------------------------------------------------------------------

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """A method is asked for with GET or POST alike."""
        return super().find("GET" if method == "POST" else method, path)

    def unwrapped(self, call: Call) -> Call:
        """Of a JSON-RPC body: `method` is the address, `params` are the parameters."""
        try:
            told = call.body_params if call.method == "POST" else {}
        except Rejected:
            return call
        params = told.get("params") or {}
        if not isinstance(told.get("method"), str) or not isinstance(params, dict):
            return call
        return replace(
            call, path=f"{API}/{told['method'].removeprefix('/')}", body=encode(params), envelope=call
        )

    def key_of(self, call: Call) -> str:
        scheme, _, told = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return told.partition(".")[2].rpartition(".")[0]
        return _credential(call).get("id", "") or str(call.params.get("client_id", ""))

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(6), secrets.token_urlsafe(32), ""

    def authenticate(self, call: Call) -> Account:
        scheme, _, told = call.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "bearer":
                account = self._of_token(call, told)
            case "basic":
                account = self._of_password(told)
            case _:
                account = self._of_signature(call)
        changes = call.path.rpartition("/")[2].startswith(("buy", "sell", "cancel", "edit", "close"))
        if changes and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _of_signature(self, call: Call) -> Account:
        told, sent = _credential(call), call.envelope or call
        query, body = f"?{sent.query}" if sent.query else "", sent.body.decode("utf-8", "replace")
        data = [f"{sent.method}\n{path}{query}\n{body}\n" for path in sent.signed_paths]
        return self._proven(call, told.get("id", ""), told, *data)

    def _of_token(self, call: Call, token: str, kind: str = "access") -> Account:
        ends, _, rest = token.partition(".")
        account = self.account(rest.rpartition(".")[0])
        if account is None or not hmac.compare_digest(token, _token(account, kind, ends)):
            raise Answered(_unauthorised(call))
        if not ends.isdigit() or int(ends) < call.now_ms:
            raise Answered(_unauthorised(call))
        return account

    def _of_password(self, told: str) -> Account:
        try:
            key, _, secret = base64.b64decode(told).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Rejected(Reason.BAD_KEY) from None
        return self._of_secret(key, secret)

    def _of_secret(self, key: str, secret: str) -> Account:
        account = self.account(key)
        if account is None or not hmac.compare_digest(account.secret.encode(), secret.encode()):
            raise Rejected(Reason.BAD_KEY)
        return account

    def _proven(self, call: Call, key: str, told: Mapping[str, str], *data: str) -> Account:
        """Whose key it is and whether its secret made the signature, lately."""
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        at, nonce = told.get("ts", ""), told.get("nonce", "")
        wanted = (
            hmac.new(account.secret.encode(), f"{at}\n{nonce}\n{each}".encode(), hashlib.sha256).hexdigest()
            for each in data
        )
        if not any(hmac.compare_digest(each.encode(), told.get("sig", "").encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not at.isdigit() or abs(int(at) - call.now_ms) > VALID_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, message, why = REFUSALS.get(reason, (-32602, "Invalid params", ""))
        fault: dict[str, Any] = {"message": message, "code": code}
        if why or (code == -32602 and detail):
            fault["data"] = {"reason": why or "invalid", **({"param": detail} if code == -32602 else {})}
        return Reply(_frame(call, "error", fault), STATUS.get(code, 400))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells how long to wait."""
        return self.refuse(Reason.THROTTLED, "", call)

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {API}/public/get_time", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return _ok(call, call.now_ms)

    @route(f"GET {API}/public/test", public=True, costs={"public": 1})
    def version(self, call: Call) -> Any:
        return _ok(call, {"version": "1.2.26"})

    @route(f"GET {API}/public/status", public=True, costs={"public": 1})
    def status(self, call: Call) -> Any:
        return _ok(call, {"locked": "false", "locked_indices": []})

    @route(f"GET {API}/public/get_currencies", public=True, costs={"public": 1})
    def currencies(self, call: Call) -> Any:
        common = {
            "fee_precision": 4,
            "min_confirmations": 1,
            "withdrawal_fee": ZERO,
            "min_withdrawal_fee": ZERO,
            "in_cross_collateral_pool": False,
        }
        assets = dict.fromkeys(
            [each.base for each in self._markets()] + [each.quote for each in self._markets()]
        )
        return _ok(
            call, [{"currency": each, "currency_long": each, "coin_type": each, **common} for each in assets]
        )

    @route(f"GET {API}/public/get_instruments", public=True, costs={"public": 1})
    def instruments(self, call: Call) -> Any:
        kind, currency = call.text("kind", ""), call.text("currency", "any")
        rows = [self._instrument(each) for each in self._markets() if kind in ("", KIND_OF[each.product])]
        return _ok(
            call,
            [
                row
                for row in rows
                if currency in ("any", row.get("settlement_currency"), row["base_currency"])
            ],
        )

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _instrument(self, market: Market) -> dict[str, Any]:
        rules, futures = self.desks[market.product].rules, market.product is not Product.SPOT
        row = {
            "instrument_name": market.symbol,
            "kind": KIND_OF[market.product],
            "base_currency": market.base,
            "counter_currency": market.quote,
            "quote_currency": market.quote,
            "tick_size": market.tick,
            "tick_size_steps": [],
            "contract_size": market.contract_size if market.inverse else market.step,
            "min_trade_amount": market.min_quantity * market.contract_size,
            "maker_commission": rules.maker_fee,
            "taker_commission": rules.taker_fee,
            "is_active": True,
            "state": "open",
            "creation_timestamp": 1649233180000,
            "expiration_timestamp": 32503708800000,
            "price_index": f"{market.base}_{market.quote}".lower(),
            "underlying_type": "crypto",
        }
        perpetual = {
            "settlement_currency": market.settle,
            "settlement_period": "perpetual",
            "instrument_type": "reversed" if market.inverse else "linear",
            "max_leverage": int(market.max_leverage),
        }
        return row | (perpetual if futures else {})

    @route(f"GET {API}/public/get_instrument", public=True, costs={"public": 1})
    def instrument(self, call: Call) -> Any:
        return _ok(call, self._instrument(self._traded(call.text("instrument_name"))[1]))

    @route(f"GET {API}/public/get_index_price", public=True, costs={"public": 1})
    def index_price(self, call: Call) -> Any:
        wanted = call.text("index_name").upper().replace("_", "/")
        market = next((each for each in self._markets() if each.pair == wanted), None)
        if market is None:
            raise Rejected(Reason.BAD_PARAMETER, "index_name")
        price = self.desks[market.product].bid(market)
        return _ok(call, {"index_price": price, "estimated_delivery_price": price})

    @route(f"GET {API}/public/ticker", public=True, costs={"public": 1})
    def ticker(self, call: Call) -> Any:
        return _ok(call, self._prices(call, *self._traded(call.text("instrument_name"))))

    @route(f"GET {API}/public/get_order_book", public=True, costs={"public": 1})
    def order_book(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        levels = {"bids": [[desk.bid(market), 1]], "asks": [[desk.ask(market), 1]], "change_id": call.now_ms}
        return _ok(call, self._prices(call, desk, market) | levels)

    @staticmethod
    def _prices(call: Call, desk: Desk, market: Market) -> dict[str, Any]:
        last, ask = desk.bid(market), desk.ask(market)
        prices = dict.fromkeys(
            ("best_bid_price", "last_price", "mark_price", "index_price", "settlement_price", "min_price"),
            last,
        )
        day = dict.fromkeys(("volume", "volume_usd", "volume_notional", "price_change"), ZERO)
        return {
            "instrument_name": market.symbol,
            "timestamp": call.now_ms,
            "state": "open",
            "stats": {"high": ask, "low": last, **day},
            **prices,
            **dict.fromkeys(("best_ask_price", "max_price"), ask),
            "best_bid_amount": 1,
            "best_ask_amount": 1,
            **dict.fromkeys(("open_interest", "current_funding", "funding_8h"), ZERO),
            "estimated_delivery_price": last,
        }

    @route(
        f"GET {API}/public/get_book_summary_by_currency",
        f"GET {API}/public/get_book_summary_by_instrument",
        public=True,
        costs={"public": 1},
    )
    def book_summary(self, call: Call) -> Any:
        symbol, currency, kind = (call.text(name, "") for name in ("instrument_name", "currency", "kind"))
        if not symbol:
            call.text("currency")
        found = [
            each
            for each in self._markets()
            if symbol in ("", each.symbol)
            and currency in ("", each.settle, each.base)
            and kind in ("", KIND_OF[each.product])
        ]
        return _ok(call, [self._summary_of(call, each) for each in found])

    def _summary_of(self, call: Call, market: Market) -> dict[str, Any]:
        desk = self.desks[market.product]
        bid, ask = desk.bid(market), desk.ask(market)
        return {
            "instrument_name": market.symbol,
            "base_currency": market.base,
            "quote_currency": market.quote,
            "creation_timestamp": call.now_ms,
            **dict.fromkeys(("bid_price", "last", "low", "mark_price"), bid),
            **dict.fromkeys(("ask_price", "high"), ask),
            "mid_price": (bid + ask) / 2,
            **dict.fromkeys(
                ("volume", "volume_usd", "volume_notional", "price_change", "open_interest"), ZERO
            ),
        }

    def _traded(self, symbol: str) -> tuple[Desk, Market]:
        for desk in self.desks.values():
            if symbol in desk.markets:
                return desk, desk.markets[symbol]
        raise Rejected(Reason.UNKNOWN_SYMBOL, symbol)

    @route(f"GET {API}/public/auth", public=True, costs={"public": 1})
    def auth(self, call: Call) -> Any:
        """By secret, by signature, or by a token that was given for it."""
        ways: dict[str, Callable[[], Account]] = {
            "client_credentials": lambda: self._of_secret(call.text("client_id"), call.text("client_secret")),
            "client_signature": lambda: self._of_signed_text(call),
            "refresh_token": lambda: self._of_token(call, call.text("refresh_token"), "refresh"),
        }
        account = call.one_of("grant_type", ways)()
        may = account.permissions
        scopes = (
            "account:read",
            "connection",
            "mainaccount",
            f"trade:{'read_write' if 'trade' in may else 'read'}",
            f"wallet:{'read_write' if 'withdraw' in may else 'read'}",
        )
        tokens = {
            f"{kind}_token": _token(account, kind, str(call.now_ms + seconds * 1000))
            for kind, seconds in TOKEN_SECONDS.items()
        }
        told = {"expires_in": TOKEN_SECONDS["access"], "scope": " ".join(scopes), "token_type": "bearer"}
        return _ok(call, {**tokens, **told, "enabled_features": []})

    def _of_signed_text(self, call: Call) -> Account:
        told = {"ts": call.text("timestamp"), "nonce": call.text("nonce", ""), "sig": call.text("signature")}
        return self._proven(call, call.text("client_id"), told, call.text("data", ""))

    # -- orders ----------------------------------------------------------------------------------------

    @route(*(f"GET {API}/private/{side}" for side in SIDES), trading=True, costs={"matching": 1})
    def place(self, call: Call) -> Any:
        """One order, or a pair of which the answer tells the first only."""
        desk, market = self._traded(call.text("instrument_name"))
        ticket = self._ticket(call, desk, market, SIDES[call.path.rpartition("/")[2]])
        if not call.text("linked_order_type", ""):
            order = desk.place(call.account, ticket)
        else:
            order = desk.place_linked(call.account, self._pair(call, desk, market, ticket))[0]
        return self._told(call, order)

    @staticmethod
    def _told(call: Call, order: Order) -> dict[str, Any]:
        fills = [_trade(order, fill) for fill in order.fills]
        return _ok(call, {"trades": fills, "order": _row(order, live=bool(order.live_id))})

    def _pair(self, asked: Call, desk: Desk, market: Market, first: Ticket) -> list[Ticket]:
        if asked.text("linked_order_type") != "one_cancels_other":
            raise Rejected(Reason.BAD_PARAMETER, "linked_order_type")
        asked.one_of(
            "trigger_fill_condition",
            dict.fromkeys(("first_hit", "complete_fill", "incremental")),
            "first_hit",
        )
        others = _json(asked.params.get("otoco_config"))
        if not isinstance(others, list) or len(others) != 1 or not isinstance(others[0], dict):
            raise Rejected(Reason.BAD_PARAMETER, "otoco_config")
        leg = replace(asked, body=json.dumps(others[0], default=str).encode())
        second = self._ticket(leg, desk, market, leg.one_of("direction", SIDES))
        link = str(desk.number())
        return [replace(each, link=link) for each in (first, second)]

    def _ticket(self, asked: Call, desk: Desk, market: Market, side: Side) -> Ticket:
        kind = asked.one_of("type", TYPES, "limit")
        limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        post, time = asked.flag("post_only"), asked.one_of("time_in_force", TIMES, "good_til_cancelled")
        spot = market.product is Product.SPOT
        if len(asked.text("label", "")) > 64:
            raise Rejected(Reason.BAD_PARAMETER, "label")
        if (post and (time is not TimeInForce.GTC or not limited)) or (spot and kind.conditional):
            raise Rejected(Reason.BAD_PARAMETER, "type")
        price = asked.decimal("price") if limited else None
        if price is not None and post and not asked.flag("reject_post_only"):
            price = _resting(price, side, desk, market)
        return Ticket(
            market.symbol,
            side,
            kind,
            quantity=_quantity(asked, market),
            price=price,
            trigger_price=asked.decimal("trigger_price") if kind.conditional else None,
            trigger_by=asked.one_of("trigger", TRIGGERS) if kind.conditional else TriggerBy.LAST,
            time_in_force=time,
            post_only=post,
            reduce_only=not spot and asked.flag("reduce_only"),
            client_id=asked.text("label", ""),
        )

    @route(f"GET {API}/private/edit", f"GET {API}/private/edit_by_label", trading=True, costs={"matching": 1})
    def edit(self, call: Call) -> Any:
        order = (
            self._labelled(call) if call.path.endswith("label") else self._named(call, call.text("order_id"))
        )
        desk, contracts = self.desks[order.market.product], call.decimal_or_none("contracts")
        named = contracts is not None or call.decimal_or_none("amount") is not None
        changed = desk.amend(
            call.account,
            order,
            quantity=_quantity(call, order.market) if named else None,
            price=call.decimal_or_none("price"),
            trigger_price=call.decimal_or_none("trigger_price"),
        )
        changed.ticket = replace(changed.ticket, extra={**changed.ticket.extra, "replaced": True})
        return self._told(call, changed)

    def _labelled(self, call: Call) -> Order:
        """One that is open; several of a label are not told apart."""
        label, symbol = call.text("label"), call.text("instrument_name")
        found = [each for each in self._open(call) if (each.client_id, each.market.symbol) == (label, symbol)]
        if len(found) != 1:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return found[0]

    @route(f"GET {API}/private/close_position", trading=True, costs={"matching": 1})
    def close_position(self, call: Call) -> Any:
        """Everything, by an order that reduces only."""
        desk, market = self._traded(call.text("instrument_name"))
        limited = call.one_of("type", {"market": False, "limit": True})
        position = desk.book(call.account).position(market, None)
        if market.product is Product.SPOT or not position.quantity:
            raise Rejected(Reason.REDUCE_ONLY)
        ticket = Ticket(
            market.symbol,
            position.direction.exit_side,
            OrderType.LIMIT if limited else OrderType.MARKET,
            quantity=abs(position.quantity),
            price=call.decimal("price") if limited else None,
            reduce_only=True,
        )
        return self._told(call, desk.place(call.account, ticket))

    @route(f"GET {API}/private/cancel", trading=True, costs={"matching": 1})
    def cancel(self, call: Call) -> Any:
        """By the id it has now."""
        order = self._named(call, call.text("order_id"))
        if not order.open or order.id == call.text("order_id") != (order.live_id or order.id):
            raise Rejected(Reason.NOT_OPEN)
        self._ended(call.account, order)
        return _ok(call, _row(order, live=bool(order.live_id)))

    def _ended(self, account: Account, order: Order) -> None:
        """Alone: its pair goes on."""
        order.ticket = replace(order.ticket, link="")
        self.desks[order.market.product].cancel(account, order)

    @route(f"GET {API}/private/cancel_by_label", trading=True, costs={"matching": 1})
    def cancel_by_label(self, call: Call) -> Any:
        wanted = (call.text("label"), call.text("currency", ""))
        return self._all_ended(call, [each for each in self._open(call) if _filed(each, *wanted)])

    @route(f"GET {API}/private/cancel_all_by_instrument", trading=True, costs={"matching": 1})
    def cancel_all_by_instrument(self, call: Call) -> Any:
        _, market = self._traded(call.text("instrument_name"))
        return self._all_ended(call, [each for each in self._open(call) if each.market is market])

    @route(f"GET {API}/private/cancel_all_by_currency", trading=True, costs={"matching": 1})
    def cancel_all_by_currency(self, call: Call) -> Any:
        currency, kind = call.text("currency"), call.text("kind", "any")
        found = [each for each in self._open(call) if _currency(each.market) == currency]
        return self._all_ended(
            call, [each for each in found if kind in ("any", KIND_OF[each.market.product])]
        )

    @route(f"GET {API}/private/cancel_all_by_kind_or_type", trading=True, costs={"matching": 1})
    def cancel_all_by_kind(self, call: Call) -> Any:
        currency, kind = call.text("currency", "any"), call.text("kind", "any")
        found = [each for each in self._open(call) if currency in ("any", _currency(each.market))]
        found = [each for each in found if kind in ("any", KIND_OF[each.market.product])]
        word = call.text("type", "all")
        if word not in ("all", "limit", "trigger_all", "stop", "take"):
            raise Rejected(Reason.BAD_PARAMETER, "type")
        waits = {"limit": (False,), "all": (False, True)}.get(word, (True,))
        return self._all_ended(call, [e for e in found if e.waiting in waits and _named_so(e, word)])

    @route(f"GET {API}/private/cancel_all", trading=True, costs={"matching": 1})
    def cancel_all(self, call: Call) -> Any:
        return self._all_ended(call, self._open(call))

    def _all_ended(self, call: Call, orders: list[Order]) -> dict[str, Any]:
        for order in orders:
            self._ended(call.account, order)
        return _ok(call, len(orders))

    def _books(self, call: Call) -> Iterator[Order]:
        for desk in self.desks.values():
            yield from desk.book(call.account).orders.values()

    def _open(self, call: Call) -> list[Order]:
        return [order for order in self._books(call) if order.open]

    def _named(self, call: Call, order_id: str) -> Order:
        found = (desk.order(call.account, order_id=order_id) for desk in self.desks.values())
        order = next((each for each in found if each is not None), None)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return order

    @route(f"GET {API}/private/get_order_state")
    def order_state(self, call: Call) -> Any:
        order = self._named(call, call.text("order_id"))
        return _ok(call, _row(order, live=order.live_id == call.text("order_id")))

    @route(f"GET {API}/private/get_order_state_by_label")
    def order_state_by_label(self, call: Call) -> Any:
        """A trigger order that fired and the order it became are two rows; one that waits is none."""
        label, currency = call.text("label"), call.one_of("currency", {each: each for each in CURRENCIES})
        labelled = (
            order
            for order in self._books(call)
            if _filed(order, label, currency) and self.desks[order.market.product].remembers(order)
        )
        found = [order for order in labelled if not (order.open and order.waiting)]
        return _ok(call, [row for order in found for row in _rows(order)])

    @route(
        f"GET {API}/private/get_order_history_by_instrument",
        f"GET {API}/private/get_order_history_by_currency",
    )
    def order_history(self, call: Call) -> Any:
        """Newest first: what ended, without trigger orders that never fired; without what never filled, unless it is asked for."""
        if call.path.endswith("instrument"):
            wanted = {self._traded(call.text("instrument_name"))[1].symbol}
        else:
            currency, kind = call.text("currency"), call.text("kind", "any")
            wanted = {
                each.symbol
                for each in self._markets()
                if _currency(each) == currency and kind in ("any", KIND_OF[each.product])
            }
        ended = [each for each in self._books(call) if not each.open and each.market.symbol in wanted]
        ended = [each for each in ended if each.live_id or not each.ticket.type.conditional]
        found = [each for each in ended if each.filled or call.flag("include_unfilled")]
        found.sort(key=lambda each: each.sequence, reverse=True)
        start = call.integer("offset", 0)
        page = found[start : start + min(call.integer("count", 20), 1000)]
        return _ok(call, [_row(each, live=bool(each.live_id)) for each in page])

    @route(
        f"GET {API}/private/get_user_trades_by_instrument",
        f"GET {API}/private/get_user_trades_by_instrument_and_time",
    )
    def trades(self, call: Call) -> Any:
        return self._user_trades(call, {self._traded(call.text("instrument_name"))[1].symbol})

    @route(
        f"GET {API}/private/get_user_trades_by_currency",
        f"GET {API}/private/get_user_trades_by_currency_and_time",
    )
    def trades_of_currency(self, call: Call) -> Any:
        currency = call.text("currency")
        return self._user_trades(
            call, {each.symbol for each in self._markets() if _currency(each) == currency}
        )

    @route(f"GET {API}/private/get_user_trades_by_order")
    def trades_of_order(self, call: Call) -> Any:
        order = self._named(call, call.text("order_id"))
        return _ok(call, [_trade(order, fill) for fill in order.fills])

    def _user_trades(self, call: Call, symbols: set[str]) -> Any:
        """Those of the last day, or as history those that had the time to get there: a minute, which is not documented."""
        first, last = call.integer("start_timestamp", 0), call.integer("end_timestamp", call.now_ms)
        if call.flag("historical"):
            last = min(last, call.now_ms - INDEXED_MS)
        else:
            first = max(first, call.now_ms - RECENT_MS)
        found = [
            (fill, order)
            for order in self._books(call)
            if order.market.symbol in symbols
            for fill in order.fills
            if first <= fill.time_ms <= last
        ]
        found.sort(key=lambda each: each[0].id, reverse=call.text("sorting", "default") != "asc")
        told = found[: min(call.integer("count", 10), 1000)]
        rows = [_trade(order, fill) for fill, order in told]
        return _ok(call, {"trades": rows, "has_more": len(told) < len(found)})

    @route(
        f"GET {API}/private/get_open_orders",
        f"GET {API}/private/get_open_orders_by_instrument",
        f"GET {API}/private/get_open_orders_by_currency",
    )
    def open_orders(self, call: Call) -> Any:
        kind, symbol = call.text("kind", ""), call.text("instrument_name", "")
        currency = call.text("currency", "")
        found = [
            order
            for order in self._open(call)
            if kind in ("", KIND_OF[order.market.product])
            and symbol in ("", order.market.symbol)
            and currency in ("", _currency(order.market))
        ]
        return _ok(call, [_row(order, live=bool(order.live_id)) for order in found])

    # -- account ---------------------------------------------------------------------------------------

    @route(f"GET {API}/private/get_positions")
    def positions(self, call: Call) -> Any:
        """All that ever were: closed ones have no size."""
        books = [self.desks[each].book(call.account) for each in FUTURES]
        held = [each for book in books for each in book.positions.values()]
        currency = call.text("currency", "")
        return _ok(call, [self._position(each) for each in held if currency in ("", each.market.settle)])

    @route(f"GET {API}/private/get_position")
    def position(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        if market.product is Product.SPOT:
            raise Rejected(Reason.BAD_PARAMETER, "instrument_name")
        return _ok(call, self._position(desk.book(call.account).position(market, None)))

    def _position(self, position: Position) -> dict[str, Any]:
        market = position.market
        mark = self.desks[market.product].bid(market)
        size = position.quantity * market.contract_size
        return {
            "instrument_name": position.market.symbol,
            "kind": "future",
            "direction": "buy" if size > 0 else "sell" if size else "zero",
            "size": size,
            "size_currency": size / mark if market.inverse else size,
            "average_price": position.entry_price,
            "mark_price": mark,
            "index_price": mark,
            "leverage": int(position.market.max_leverage),
            **dict.fromkeys(("floating_profit_loss", "total_profit_loss"), position.unrealised(mark)),
            "realized_profit_loss": position.realised,
            "delta": position.quantity if not market.inverse else size / mark,
            "initial_margin": position.notional(mark) / position.market.max_leverage,
            "maintenance_margin": position.notional(mark) / position.market.max_leverage / 2,
            "estimated_liquidation_price": ZERO,
        }

    @route(f"GET {API}/private/get_margins")
    def margins(self, call: Call) -> Any:
        desk, market = self._traded(call.text("instrument_name"))
        value = market.value(_quantity(call, market), call.decimal("price"))
        told = dict.fromkeys(("buy", "sell"), value / market.max_leverage)
        fees = {"taker": value * desk.rules.taker_fee, "maker": value * desk.rules.maker_fee}
        told |= {f"{side}_{kind}_fee": fee for side in SIDES for kind, fee in fees.items()}
        return _ok(call, told | {"min_price": market.tick, "max_price": D(10_000_000)})

    @route(f"GET {API}/private/get_account_summaries")
    def summaries(self, call: Call) -> Any:
        rows = [self._summary(call, asset) for asset in call.account.wallets[WALLET]]
        return _ok(call, {"id": 1, "type": "main", "summaries": rows})

    @route(f"GET {API}/private/get_account_summary")
    def summary(self, call: Call) -> Any:
        return _ok(call, self._summary(call, call.text("currency")))

    def _summary(self, call: Call, asset: str) -> dict[str, Any]:
        account = call.account
        total, profit = account.total(WALLET, asset), account.unrealised(WALLET, asset)
        return {
            "currency": asset,
            "balance": total,
            "equity": total + profit,
            "margin_balance": total + profit,
            **dict.fromkeys(("available_funds", "available_withdrawal_funds"), account.free(WALLET, asset)),
            **dict.fromkeys(("session_rpl", "session_upl", "delta_total"), ZERO),
            "initial_margin": sum((self.desks[each].locked(account, asset) for each in FUTURES), ZERO),
            "maintenance_margin": ZERO,
            "spot_reserve": self.desks[Product.SPOT].locked(account, asset),
            "total_pl": profit,
        }


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        buy_fee_in_base=False,
        wallet=WALLET,
        client_ids=ClientIds.REUSABLE,
        refuses_unfillable=False,
        new_id_on_trigger=True,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"USDC-{number}",
        default_leverage=D(50),
        remembers_seconds=1800,
        max_waiting_orders=20,
    )


class DeribitSpot(_Deribit):
    name, product = "Deribit", Product.SPOT
    markets = tuple(
        Market(f"{base}_{quote}", base, quote, Product.SPOT, D(tick), D(size), D(size))
        for quote in ("USDC", "USDT")
        for base, _, _, tick, size in COINS
        if quote == "USDC" or base in CURRENCIES
    )
    rules = _rules("0", "0")


class DeribitFutures(_Deribit):
    name, product = "Deribit_F", Product.LINEAR
    markets = tuple(
        Market(
            f"{base}_USDC-PERPETUAL",
            base,
            "USDC",
            Product.LINEAR,
            D(tick),
            D(size),
            D(size),
            max_leverage=D(50),
        )
        for base, tick, size, _, _ in COINS
    )
    rules = _rules("0", "0.0005")


class DeribitInverse(_Deribit):
    name, product = "Deribit_C", Product.INVERSE
    markets = tuple(
        Market(
            f"{base}-PERPETUAL",
            base,
            "USD",
            Product.INVERSE,
            D(tick),
            D(1),
            D(1),
            contract_size=D(size),
            max_leverage=D(50),
        )
        for base, tick, size in (("BTC", "0.5", 10), ("ETH", "0.05", 1))
    )
    rules = replace(DeribitFutures.rules, order_id=lambda number: f"BTC-{number}")


def _frame(call: Call, name: str, value: Any) -> dict[str, Any]:
    us, asked = call.now_ms * 1000, call.envelope.body_params if call.envelope else {}
    number = {"id": asked["id"]} if "id" in asked else {}
    return {"jsonrpc": "2.0", **number, name: value, "usIn": us, "usOut": us, "usDiff": 0, "testnet": False}


def _ok(call: Call, result: Any) -> dict[str, Any]:
    return _frame(call, "result", result)


def _credential(call: Call) -> dict[str, str]:
    """`deri-hmac-sha256 id=...,ts=...,sig=...,nonce=...`"""
    scheme, _, told = call.headers.get("authorization", "").partition(" ")
    if scheme != "deri-hmac-sha256":
        return {}
    return {name: value for name, _, value in (part.partition("=") for part in told.split(","))}


def _token(account: Account, kind: str, ends: str) -> str:
    """Good until the moment it tells."""
    named = f"{ends}.{account.key}"
    return (
        f"{named}.{hmac.new(account.secret.encode(), f'{kind} {named}'.encode(), hashlib.sha256).hexdigest()}"
    )


def _unauthorised(call: Call) -> Reply:
    fault = {"message": "unauthorized", "data": {"reason": "invalid_token"}, "code": 13009}
    return Reply(_frame(call, "error", fault), 400)


def _json(value: Any) -> Any:
    """A list or an object in a query is JSON."""
    try:
        return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
    except ValueError:
        return None


def _quantity(call: Call, market: Market) -> Decimal:
    """The amount, or the number of contracts."""
    if (contracts := call.decimal_or_none("contracts")) is not None and not call.text("amount", ""):
        return contracts * market.step
    return call.decimal("amount") / market.contract_size


def _resting(price: Decimal, side: Side, desk: Desk, market: Market) -> Decimal:
    """Where a post-only order is put that may be moved: just beside the spread."""
    if side is Side.BUY:
        return min(price, desk.ask(market) - market.tick)
    return max(price, desk.bid(market) + market.tick)


def _currency(market: Market) -> str:
    """Under which its orders are filed."""
    return market.base if market.product is Product.SPOT and market.base in CURRENCIES else market.settle


def _named_so(order: Order, word: str) -> bool:
    return word not in ("stop", "take") or TYPE_OF[order.ticket.type].startswith(word)


def _filed(order: Order, label: str, currency: str) -> bool:
    return order.client_id == label and currency in ("", _currency(order.market))


def _rows(order: Order) -> list[dict[str, Any]]:
    """The trigger order and, where it fired, what it became."""
    return [_row(order, live=False), *([_row(order, live=True)] if order.live_id else [])]


def _row(order: Order, *, live: bool) -> dict[str, Any]:
    """`live`: the order that a trigger order became."""
    ticket, kind = order.ticket, order.ticket.type
    fired = kind.conditional and bool(order.live_id) and not live
    limited = ticket.price is not None
    waits = order.waiting and order.open
    state = "untriggered" if waits else "triggered" if fired else STATES[order.status]
    row = {
        "order_id": order.live_id if live else order.id,
        "label": order.client_id,
        "instrument_name": order.market.symbol,
        "direction": order.side.value,
        "order_type": ("limit" if limited else "market") if live else TYPE_OF[kind],
        "order_state": state,
        "amount": order.quantity * order.market.contract_size,
        "contracts": order.quantity / order.market.step,
        "price": order.price if limited else "market_price",
        "time_in_force": TIME_OF[ticket.time_in_force],
        "post_only": ticket.post_only,
        "creation_timestamp": order.created_ms,
        "last_update_timestamp": order.updated_ms,
        "api": True,
        "web": False,
        "replaced": bool(order.ticket.extra.get("replaced")),
        "max_show": order.quantity * order.market.contract_size,
        "mmp": False,
        "risk_reducing": False,
    }
    if order.market.product is not Product.SPOT:
        row |= {"reduce_only": ticket.reduce_only, "is_liquidation": False}
    if not live and kind.conditional:
        trigger = {"trigger": TRIGGER_OF[ticket.trigger_by], "trigger_price": order.trigger_price}
        row |= {**trigger, "triggered": fired}
    else:
        filled = order.filled * order.market.contract_size
        row |= {"filled_amount": filled, "average_price": order.average_price or ZERO}
    if live:
        row["trigger_order_id"] = order.id
    if ticket.link:
        row["oco_ref"] = ticket.link
    if state == "cancelled":
        row["cancel_reason"] = REASONS.get(order.reason, str(order.reason) or "user_request")
    return row


def _trade(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "trade_id": f"USDC-{fill.id}",
        "order_id": fill.order_id,
        "instrument_name": fill.symbol,
        "direction": fill.side.value,
        "amount": fill.quantity * order.market.contract_size,
        "price": fill.price,
        "fee": fill.fee,
        "fee_currency": fill.fee_asset,
        "label": order.client_id,
        "liquidity": "M" if fill.maker else "T",
        "trade_seq": fill.id,
        "order_type": "market" if order.price is None else "limit",
        **dict.fromkeys(("index_price", "mark_price"), fill.price),
        "tick_direction": 0,
        "profit_loss": fill.realised,
        "matching_id": None,
        "self_trade": False,
        "post_only": order.ticket.post_only,
        "reduce_only": order.ticket.reduce_only,
        "mmp": False,
        "api": True,
        "state": STATES[order.status],
        "timestamp": fill.time_ms,
    }
