"""Phemex as its clients see it: spot in scaled whole numbers, USDT perpetuals in decimals, one host for both.

Documented at https://phemex-docs.github.io/ (read 2026-11-22). Placing answers "Created" whatever comes of it;
orders are asked for by symbol and an empty list is "order not found" (ccxt 4.5.90 expects that). Not documented,
so chosen here: the words of an expired request, the codes of a wrong tick and of the other position mode.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
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
    text,
)
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)

D = Decimal
#: prices and amounts of spot are shifted by so many decimals
SCALE = 8
#: how far ahead of the exchange's clock a request may expire
LONGEST_EXPIRY_SECONDS = 120
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
SIDE_OF = {side: name for name, side in SIDES.items()}
TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MarketIfTouched": OrderType.TAKE_PROFIT,
    "LimitIfTouched": OrderType.TAKE_PROFIT_LIMIT,
}
LIMITS = ("Limit", "StopLimit", "LimitIfTouched")
TIMES = {
    "GoodTillCancel": TimeInForce.GTC,
    "PostOnly": TimeInForce.GTC,
    "ImmediateOrCancel": TimeInForce.IOC,
    "FillOrKill": TimeInForce.FOK,
}
TRIGGERS = {"ByLastPrice": TriggerBy.LAST, "ByMarkPrice": TriggerBy.MARK, "ByIndexPrice": TriggerBy.INDEX}
POSITION_SIDES = {"Merged": None, "Long": Direction.LONG, "Short": Direction.SHORT}
POSITION_SIDE_OF = {side: name for name, side in POSITION_SIDES.items()}
MODES = {"OneWay": PositionMode.ONE_WAY, "Hedged": PositionMode.HEDGE}
#: of the order list
STATUS_NUMBERS = {
    "Untriggered": 1,
    "Deactivated": 2,
    "Rejected": 4,
    "New": 5,
    "PartiallyFilled": 6,
    "Filled": 7,
    "Canceled": 8,
}
GROUPS = {"contract": "-CONTRACT", "spotorder": "-SPOTORDER", "others": ""}
#: reason -> code and name; a code that differs between the products is chosen in `refuse`
REFUSALS = {
    Reason.NO_KEY: (401, "401 Failed to load API KEY."),
    Reason.BAD_KEY: (401, "401 Failed to load API KEY."),
    Reason.BAD_SIGNATURE: (401, "401 Request signature verification failed."),
    Reason.BAD_TIMESTAMP: (401, "401 Request Expired."),
    Reason.NO_PERMISSION: (401, "401 Insufficient privilege."),
    Reason.THROTTLED: (39995, "Too many requests."),
    Reason.BANNED: (39995, "Too many requests."),
    Reason.MAINTENANCE: (503, "Service unavailable"),
    Reason.INTERNAL: (500, "Internal error"),
    Reason.UNKNOWN_PATH: (404, "Not found"),
    Reason.MISSING_PARAMETER: (10500, "Missing required parameter"),
    Reason.UNKNOWN_SYMBOL: (11027, "TE_SYMBOL_INVALID"),
    Reason.MIN_QUANTITY: (11058, "TE_QTY_TOO_SMALL"),
    Reason.MAX_QUANTITY: (11056, "TE_QTY_TOO_LARGE"),
    Reason.MIN_NOTIONAL: (11115, "TE_ORDER_VALUE_TOO_SMALL"),
    Reason.DUPLICATE: (11085, "TE_CL_ORD_ID_DUPLICATE"),
    Reason.INSUFFICIENT: (11001, "TE_NO_ENOUGH_AVAILABLE_BALANCE"),
    Reason.REDUCE_ONLY: (11011, "TE_REDUCE_ONLY_ABORT"),
    Reason.POSITION_MODE: (20004, "TE_ERR_INCONSISTENT_POS_MODE"),
    Reason.STOP_REFUSED: (11031, "TE_SO_NUM_EXCEEDS"),
    Reason.TOO_MANY_ORDERS: (11032, "TE_AO_NUM_EXCEEDS"),
    Reason.UNKNOWN_ORDER: (10002, "OM_ORDER_NOT_FOUND"),
    Reason.NOT_OPEN: (10002, "OM_ORDER_NOT_FOUND"),
    Reason.LEVERAGE: (11004, "TE_INVALID_LEVERAGE"),
}
BAD_ARGUMENT = (30000, "Please double check input arguments")
STATUS = {401: 401, 404: 404, 500: 500, 503: 503, 39995: 429}
#: base, its number, tick and step of the perpetual, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", 1, "0.1", "0.001", "0.01", "0.000001"),
    ("ETH", 4, "0.01", "0.01", "0.01", "0.00001"),
    ("XRP", 5, "0.0001", "0.1", "0.0001", "0.1"),
    ("LTC", 10, "0.01", "0.1", "0.01", "0.001"),
    ("SOL", 60, "0.01", "0.1", "0.01", "0.001"),
    ("DOGE", 48, "0.00001", "1", "0.00001", "1"),
)
NUMBERS = {"USDT": 3} | {base: number for base, number, *_ in COINS}
#: accepted first and rejected by the matching engine afterwards, with its reason
ENDS = {Reason.POST_ONLY: 101, Reason.NOT_FILLABLE: 100}


def _market(base: str, product: Product, tick: str, step: str) -> Market:
    spot = product is Product.SPOT
    return Market(
        f"{'s' if spot else ''}{base}USDT",
        base,
        "USDT",
        product,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(10 if spot else 1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
    )


SPOT = tuple(_market(base, Product.SPOT, tick, step) for base, _, _, _, tick, step in COINS)
LINEAR = tuple(_market(base, Product.LINEAR, tick, step) for base, _, tick, step, _, _ in COINS)
CONTRACT, SPOT_ORDER, OTHERS = ({"address": 1, group: 1} for group in GROUPS)


class _Phemex(Dialect):
    family = "phemex"
    default_costs = {"address": 1}
    limits = (
        Limit("address", "address", 5000, 300, Owner.ADDRESS),
        *(Limit(group, group, 100 if group == "others" else 500) for group in GROUPS),
    )

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-phemex-access-token", "")

    def credentials(self) -> tuple[str, str, str]:
        return str(uuid.uuid4()), secrets.token_urlsafe(64), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        expiry = call.headers.get("x-phemex-request-expiry", "")
        given = call.headers.get("x-phemex-request-signature", "").encode()
        wanted = (
            hmac.new(
                account.secret.encode(), f"{path}{call.query}{expiry}".encode() + call.body, hashlib.sha256
            )
            for path in call.signed_paths
        )
        if not any(hmac.compare_digest(each.hexdigest().encode(), given) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        now = call.now_ms // 1000
        if not expiry.isdigit() or not now <= int(expiry) <= now + LONGEST_EXPIRY_SECONDS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if call.path.removeprefix("/v1").startswith("/md/") and reason is not Reason.INTERNAL:
            fault = {"code": 6001, "message": "invalid argument"}
            return Reply({"error": fault, "id": None, "result": None})
        code, words = REFUSALS.get(reason, BAD_ARGUMENT)
        if reason is Reason.INSUFFICIENT and call.path.startswith("/spot/"):
            buys = call.text("side", "") == "Buy"
            code, words = (
                (11106, "TE_PLACE_ORDER_INSUFFICIENT_QUOTE_BALANCE")
                if buys
                else (11105, "TE_PLACE_ORDER_INSUFFICIENT_BASE_BALANCE")
            )
        if reason is Reason.WOULD_TRIGGER:
            rises = (call.text("side", "") == "Buy") == call.text("ordType", "").startswith("Stop")
            code, words = (
                (11043, "TE_RISING_TRIGGER_DIRECTLY") if rises else (11044, "TE_FALLING_TRIGGER_DIRECTLY")
            )
        return Reply({"code": code, "msg": words, "data": None}, STATUS.get(code, 200))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """The reset is told in a header of the group; an address over its limit is told nothing."""
        reply = self.refuse(Reason.THROTTLED, "", call)
        if exceeded.limit.name in GROUPS:
            name = f"x-ratelimit-retry-after{GROUPS[exceeded.limit.name]}"
            reply.headers[name] = str(exceeded.retry_after_seconds)
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        headers = {}
        for limit in self.limits:
            if limit.name in GROUPS and limit.name in used:
                ending = GROUPS[limit.name]
                headers[f"x-ratelimit-capacity{ending}"] = str(limit.capacity)
                headers[f"x-ratelimit-remaining{ending}"] = str(max(limit.capacity - used[limit.name], 0))
        return headers

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def linear(self) -> Desk:
        return self.desks[Product.LINEAR]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /public/time", public=True)
    def time(self, call: Call) -> Any:
        return _ok({"serverTime": call.now_ms})

    @route("GET /public/products", public=True)
    def products(self, call: Call) -> Any:
        return _ok(
            {
                "currencies": [_currency_row(name) for name in NUMBERS],
                "products": [_spot_row(each) for each in self.spot.markets.values()],
                "perpProductsV2": [_perpetual_row(each) for each in self.linear.markets.values()],
            }
        )

    @route("GET /exchange/public/cfg/v2/products", "GET /cfg/v2/products", public=True)
    def older_products(self, call: Call) -> Any:
        """With the coin-margined ones, of which there are none, and their limits."""
        none = dict.fromkeys(
            ("riskLimits", "leverages", "riskLimitsV2", "leveragesV2", "leverageMargins"), ()
        )
        return _ok(self.products(call)["data"] | none | {"ratioScale": 8})

    @route("GET /v1/exchange/public/products", public=True)
    def coin_margined(self, call: Call) -> Any:
        """None of them is simulated."""
        return _ok([])

    @route("GET /md/spot/ticker/24hr", "GET /v1/md/spot/ticker/24hr", public=True)
    def spot_ticker(self, call: Call) -> Any:
        return _told(self._spot_ticker(call, self.spot.market(call.text("symbol"))))

    @route("GET /md/spot/ticker/24hr/all", "GET /v1/md/spot/ticker/24hr/all", public=True)
    def spot_tickers(self, call: Call) -> Any:
        return _told([self._spot_ticker(call, each) for each in self.spot.markets.values()])

    def _spot_ticker(self, call: Call, market: Market) -> dict[str, Any]:
        last = _scaled(self.spot.bid(market))
        day = dict.fromkeys(("highEp", "lowEp", "openEp", "lastEp", "bidEp"), last)
        return {"symbol": market.symbol, **day, "askEp": _scaled(self.spot.ask(market)), **_day(call)}

    @route(
        *(f"GET {version}/md/{name}" for version in ("", "/v1") for name in ("orderbook", "fullbook")),
        public=True,
    )
    def spot_book(self, call: Call) -> Any:
        market = self.spot.market(call.text("symbol"))
        bid, ask = _scaled(self.spot.bid(market)), _scaled(self.spot.ask(market))
        return _told({"book": {"asks": [[ask, 10**10]], "bids": [[bid, 10**10]]}, **_snapshot(call, market)})

    @route("GET /md/v2/orderbook", public=True)
    def book(self, call: Call) -> Any:
        market = self.linear.market(call.text("symbol"))
        bid, ask = text(self.linear.bid(market)), text(self.linear.ask(market))
        levels = {"asks": [[ask, "1000"]], "bids": [[bid, "1000"]]}
        return _told({"orderbook_p": levels, **_snapshot(call, market)})

    @route("GET /md/v2/ticker/24hr", "GET /md/v3/ticker/24hr", public=True)
    def ticker(self, call: Call) -> Any:
        return _told(self._ticker(call, self.linear.market(call.text("symbol"))))

    @route("GET /md/v2/ticker/24hr/all", "GET /md/v3/ticker/24hr/all", public=True)
    def tickers(self, call: Call) -> Any:
        return _told([self._ticker(call, each) for each in self.linear.markets.values()])

    def _ticker(self, call: Call, market: Market) -> dict[str, Any]:
        last, new = text(self.linear.bid(market)), call.path.startswith("/md/v3")
        names = "lastRp bidRp indexRp markRp" if new else "closeRp indexPriceRp markPriceRp"
        prices = dict.fromkeys((*names.split(), "highRp", "lowRp", "openRp"), last)
        prices |= {"askRp": text(self.linear.ask(market))} if new else {}
        return {"symbol": market.symbol, **prices, "fundingRateRr": "0.0001", **_day(call)}

    # -- spot orders -----------------------------------------------------------------------------------

    @route("POST /spot/orders", "PUT /spot/orders/create", trading=True, costs=SPOT_ORDER)
    def place_spot(self, call: Call) -> Any:
        kind = call.text("ordType", "Limit")
        by_quote = call.one_of("qtyType", {"ByBase": False, "ByQuote": True})
        ticket = Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            call.one_of("ordType", TYPES, "Limit"),
            quantity=None if by_quote else _plain(call, "baseQtyEv"),
            quote_quantity=_plain(call, "quoteQtyEv") if by_quote else None,
            price=_plain(call, "priceEp") if kind in LIMITS else None,
            trigger_price=_plain(call, "stopPxEp") if TYPES[kind].conditional else None,
            **_manner(call, "trigger", {"ByLastPrice": TriggerBy.LAST}),
        )
        return _ok(_spot_order(self.spot.place(call.account, ticket), placing=True))

    @route("PUT /spot/orders", trading=True, costs=SPOT_ORDER)
    def amend_spot(self, call: Call) -> Any:
        amounts = [name for name in ("baseQtyEv", "baseQtyEV") if call.text(name, "")]
        changed = self.spot.amend(
            call.account,
            self._named(call, self.spot),
            quantity=_plain(call, amounts[0]) if amounts else None,
            price=_plain(call, "priceEp") if call.text("priceEp", "") else None,
            trigger_price=_plain(call, "stopPxEp") if call.text("stopPxEp", "") else None,
        )
        return _ok(_spot_order(changed))

    @route("DELETE /spot/orders", trading=True, costs={"address": 1, "spotorder": 2})
    def cancel_spot(self, call: Call) -> Any:
        return _ok(_spot_order(self.spot.cancel(call.account, self._named(call, self.spot))))

    @route("DELETE /spot/orders/all", trading=True, costs={"address": 1, "spotorder": 2})
    def cancel_all_spot(self, call: Call) -> Any:
        return _ok(_cancel_all(call, self.spot))

    @route("GET /spot/orders", costs=SPOT_ORDER)
    def open_spot(self, call: Call) -> Any:
        return _ok({"rows": [_spot_order(each) for each in _open(call, self.spot)]})

    @route("GET /spot/orders/active", costs=SPOT_ORDER)
    def open_spot_one(self, call: Call) -> Any:
        order = self._named(call, self.spot)
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok(_spot_order(order))

    @route("GET /exchange/spot/order", "GET /api-data/spots/orders", costs=OTHERS)
    def ended_spot(self, call: Call) -> Any:
        """Newest first."""
        market = self.spot.market(call.text("symbol"))
        known = reversed(list(self.spot.book(call.account).orders.values()))
        found = [_spot_order(each, history=True) for each in known if each.market is market and not each.open]
        return _ok(_page(call, found))

    @route("GET /exchange/spot/order/trades", "GET /api-data/spots/trades", costs=OTHERS)
    def spot_trades(self, call: Call) -> Any:
        market, book = self.spot.market(call.text("symbol")), self.spot.book(call.account)
        found = [each for each in reversed(book.fills) if each.symbol == market.symbol]
        return _ok(_page(call, [_spot_trade(book.orders[each.order_id], each) for each in found]))

    @route("GET /api-data/spots/orders/by-order-id", costs=OTHERS)
    def history_spot(self, call: Call) -> Any:
        order = self._named(call, self.spot)
        return _ok({"total": 1, "rows": [_spot_order(order, history=True)] if order else []})

    @route("GET /spot/wallets", costs=OTHERS)
    def wallets(self, call: Call) -> Any:
        held, wanted = call.account.wallets[self.spot.wallet], call.text("currency", "")
        return _ok(
            [
                {
                    "currency": coin,
                    "balanceEv": _scaled(call.account.total(self.spot.wallet, coin)),
                    "lockedTradingBalanceEv": _scaled(self.spot.locked(call.account, coin)),
                    "lockedWithdrawEv": 0,
                    "lastUpdateTimeNs": call.now_ms * 1_000_000,
                }
                for coin in held
                if coin in NUMBERS and wanted in ("", coin)
            ]
        )

    # -- perpetual orders ------------------------------------------------------------------------------

    @route("POST /g-orders", "PUT /g-orders/create", trading=True, costs=CONTRACT)
    def place(self, call: Call) -> Any:
        kind = call.text("ordType", "Limit")
        ticket = Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            call.one_of("ordType", TYPES, "Limit"),
            quantity=call.decimal("orderQtyRq"),
            price=call.decimal("priceRp") if kind in LIMITS else None,
            trigger_price=call.decimal("stopPxRp") if TYPES[kind].conditional else None,
            reduce_only=call.flag("reduceOnly"),
            position_side=call.one_of("posSide", POSITION_SIDES),
            **_manner(call, "triggerType", TRIGGERS),
        )
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        return _ok(_perpetual_order(self.linear.place(call.account, ticket), placing=True))

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """Its stop and its target: orders of their own from the first fill on, that hang on the position."""
        if entry.reduce_only or entry.exits:
            return
        side, link = entry.side.opposite, f"attached {self.linear.number()}"
        for name, short, kinds in (
            ("stopLossRp", "sl", ("Stop", "StopLimit")),
            ("takeProfitRp", "tp", ("MarketIfTouched", "LimitIfTouched")),
        ):
            if not (trigger := call.decimal_or_none(name)):
                continue
            price = call.decimal_or_none(f"{short}PxRp") or None
            word = kinds[price is not None]
            yield Ticket(
                entry.symbol,
                side,
                TYPES[word],
                quantity=entry.quantity,
                price=price,
                trigger_price=trigger,
                trigger_by=call.one_of(f"{short}Trigger", TRIGGERS, "ByMarkPrice"),
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=link,
                extra={"ordType": word, "timeInForce": "GoodTillCancel", "leg": name},
            )

    @route("PUT /g-orders/replace", trading=True, costs=CONTRACT)
    def amend(self, call: Call) -> Any:
        side, order = call.one_of("posSide", POSITION_SIDES), self._named(call, self.linear)
        self._fits(call, hedged=side is not None)
        changed = self.linear.amend(
            call.account,
            order,
            quantity=call.decimal_or_none("orderQtyRq"),
            price=call.decimal_or_none("priceRp"),
            trigger_price=call.decimal_or_none("stopPxRp"),
        )
        return _ok(_perpetual_order(changed))

    @route("DELETE /g-orders", trading=True, costs=CONTRACT)
    def cancel_several(self, call: Call) -> Any:
        """Those of them that are open."""
        market = self.linear.market(call.text("symbol"))
        names = [("order_id", each) for each in call.text("orderID", "").split(",") if each]
        names += [("client_id", each) for each in call.text("clOrdID", "").split(",") if each]
        found = [self.linear.order(call.account, **{name: each}) for name, each in names]
        known = [each for each in found if each is not None and each.open and each.market is market]
        if not known:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok([_perpetual_order(self.linear.cancel(call.account, each)) for each in known if each.open])

    @route("DELETE /g-orders/cancel", trading=True, costs=CONTRACT)
    def cancel(self, call: Call) -> Any:
        side, order = call.one_of("posSide", POSITION_SIDES), self._named(call, self.linear)
        self._fits(call, hedged=side is not None)
        if order is not None and order.ticket.position_side is not side:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok(_perpetual_order(self.linear.cancel(call.account, order)))

    @route("DELETE /g-orders/all", trading=True, costs={"address": 1, "contract": 3})
    def cancel_all(self, call: Call) -> Any:
        return _ok(_cancel_all(call, self.linear))

    @route("GET /g-orders/activeList", costs=CONTRACT)
    def open(self, call: Call) -> Any:
        rows = [_perpetual_order(each) for each in _open(call, self.linear)]
        return _ok({"rows": rows, "nextPageArg": ""})

    @route("GET /api-data/g-futures/orders/by-order-id", costs=OTHERS)
    def history(self, call: Call) -> Any:
        order = self._named(call, self.linear)
        return _ok([_perpetual_order(order, history=True)] if order else [])

    @route("GET /api-data/g-futures/orders", costs=OTHERS)
    def all_orders(self, call: Call) -> Any:
        """Newest first."""
        market = self.linear.market(call.text("symbol"))
        known = reversed(list(self.linear.book(call.account).orders.values()))
        rows = [_perpetual_order(each, history=True) for each in known if each.market is market]
        return _ok(_page(call, rows)["rows"])

    @route("GET /exchange/order/v2/tradingList", "GET /api-data/g-futures/trades", costs=OTHERS)
    def trades(self, call: Call) -> Any:
        """Newest first; the older address tells words as numbers. A list from either, as ccxt reads both."""
        symbol, book = call.text("symbol", ""), self.linear.book(call.account)
        found = [(book.orders[e.order_id], e) for e in reversed(book.fills) if symbol in ("", e.symbol)]
        if call.path.startswith("/exchange"):
            return _ok(_page(call, [_numbered_trade(*each) for each in found])["rows"])
        return _ok(_page(call, [_perpetual_trade(*each) for each in found])["rows"])

    @route("GET /exchange/order/v2/orderList", costs=OTHERS)
    def order_list(self, call: Call) -> Any:
        """Newest first, words as numbers; of all symbols unless one is named."""
        if call.text("currency") != "USDT":
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        wanted, symbol = call.text("ordStatus", ""), call.text("symbol", "")
        rows = [
            _list_row(each)
            for each in reversed(list(self.linear.book(call.account).orders.values()))
            if symbol in ("", each.market.symbol)
        ]
        rows = [each for each in rows if wanted in ("", str(each["ordStatus"]))]
        first = call.integer("offset", 0)
        return _ok({"total": len(rows), "rows": rows[first : first + call.integer("limit", 20)]})

    def _named(self, call: Call, desk: Desk) -> Order | None:
        """Of the symbol that is named with it."""
        order_id, client_id = call.text("orderID", ""), call.text("origClOrdID", call.text("clOrdID", ""))
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "orderID")
        market = desk.market(call.text("symbol"))
        order = desk.order(call.account, order_id=order_id, client_id=client_id)
        return order if order is not None and order.market is market else None

    def _fits(self, call: Call, *, hedged: bool) -> None:
        mode = self.linear.book(call.account).position_mode
        if (mode is PositionMode.HEDGE) != hedged:
            raise Rejected(Reason.POSITION_MODE)

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /g-accounts/accountPositions", "GET /g-accounts/positions", costs=CONTRACT)
    def account_positions(self, call: Call) -> Any:
        """Every symbol is listed, open or not: once, or in hedge mode once for each side."""
        if call.text("currency") != "USDT":
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        desk, account, wanted = self.linear, call.account, call.text("symbol", "")
        book = desk.book(account)
        sides = (Direction.LONG, Direction.SHORT) if book.position_mode is PositionMode.HEDGE else (None,)
        rows = [
            self._position_row(account, book.position(market, side), book.position_mode)
            for market in ([desk.market(wanted)] if wanted else desk.markets.values())
            for side in sides
        ]
        money = {
            "accountBalanceRv": text(account.total(desk.wallet, "USDT")),
            "totalUsedBalanceRv": text(desk.locked(account, "USDT")),
            "bonusBalanceRv": "0",
        }
        return _ok({"account": {"accountId": 1, "userID": 1, "currency": "USDT", **money}, "positions": rows})

    def _position_row(self, account: Account, position: Position, mode: PositionMode) -> dict[str, Any]:
        market, desk = position.market, self.linear
        leverage = desk.leverage(account, market)
        cross = desk.margin_mode(account, market) is MarginMode.CROSS
        held = SIDE_OF[position.direction.entry_side] if position.quantity else "None"
        return {
            "symbol": market.symbol,
            "currency": "USDT",
            "side": held,
            "positionStatus": "Normal",
            "crossMargin": cross,
            "leverageRr": text(-leverage if cross else leverage),
            "size": text(abs(position.quantity)),
            "valueRv": text(position.notional(position.entry_price)),
            "avgEntryPriceRp": text(position.entry_price),
            "assignedPosBalanceRv": text(position.notional(position.entry_price) / leverage),
            "liquidationPriceRp": "0",
            "markPriceRp": text(desk.bid(market)),
            "unRealisedPnlRv": text(position.unrealised(desk.bid(market))),
            "usedBalanceRv": text(position.notional(position.entry_price) / leverage),
            "posSide": POSITION_SIDE_OF[position.side],
            "posMode": next(name for name, each in MODES.items() if each is mode),
        }

    @route("PUT /g-positions/leverage", costs=CONTRACT)
    def set_leverage(self, call: Call) -> Any:
        hedged = not call.text("leverageRr", "")
        self._fits(call, hedged=hedged)
        leverage = call.decimal("longLeverageRr" if hedged else "leverageRr")
        if hedged and call.decimal("shortLeverageRr") != leverage:
            raise Rejected(Reason.BAD_PARAMETER, "both sides have one leverage here")
        market = self.linear.market(call.text("symbol"))
        self.linear.set_leverage(call.account, market.symbol, abs(leverage) or market.max_leverage)
        mode = MarginMode.ISOLATED if leverage > 0 else MarginMode.CROSS
        self.linear.book(call.account).margin_modes[market.symbol] = mode
        return _ok("OK")

    @route("PUT /g-positions/switch-pos-mode-sync", costs=CONTRACT)
    def switch_mode(self, call: Call) -> Any:
        """Of the symbol there, of all symbols here."""
        self.linear.market(call.text("symbol"))
        mode = call.one_of("targetPosMode", MODES)
        if self.linear.book(call.account).position_mode is not mode:
            self.linear.set_position_mode(call.account, mode)
        return _ok("OK")


def _rules(name: str, wallet: str, fees: tuple[str, str]) -> Rules:
    return Rules(
        maker_fee=D(fees[0]),
        taker_fee=D(fees[1]),
        wallet=wallet,
        client_ids=ClientIds.FOREVER,
        cancels_instead=frozenset(ENDS),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}")),
        default_leverage=D(10),
    )


class PhemexSpot(_Phemex):
    name, product, markets = "Phemex", Product.SPOT, SPOT
    rules = _rules("phemex spot", "spot", ("0.001", "0.001"))


class PhemexLinear(_Phemex):
    name, product, markets = "Phemex_F", Product.LINEAR, LINEAR
    rules = _rules("phemex perpetual", "contract", ("0.0001", "0.0006"))


# -- how things are written ------------------------------------------------------------------------------


def _ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "data": data}


def _told(result: Any) -> dict[str, Any]:
    return {"error": None, "id": 0, "result": result}


def _scaled(value: Decimal | None) -> int:
    return int((value or ZERO).scaleb(SCALE))


def _plain(call: Call, name: str) -> Decimal:
    return D(call.integer(name)).scaleb(-SCALE)


def _day(call: Call) -> dict[str, Any]:
    return {"timestamp": call.now_ms * 1_000_000, "turnoverEv": 0, "volumeEv": 0}


def _manner(call: Call, trigger: str, triggers: Mapping[str, TriggerBy]) -> dict[str, Any]:
    conditional = call.one_of("ordType", TYPES, "Limit").conditional
    return {
        "trigger_by": call.one_of(trigger, triggers) if conditional else TriggerBy.LAST,
        "time_in_force": call.one_of("timeInForce", TIMES, "GoodTillCancel"),
        "post_only": call.text("timeInForce", "") == "PostOnly",
        "client_id": call.text("clOrdID", ""),
        "extra": {
            "ordType": call.text("ordType", "Limit"),
            "timeInForce": call.text("timeInForce", "GoodTillCancel"),
        },
    }


def _snapshot(call: Call, market: Market) -> dict[str, Any]:
    told = {"depth": 30, "sequence": call.now_ms, "timestamp": call.now_ms * 1_000_000}
    return {"symbol": market.symbol, **told, "type": "snapshot"}


def _page(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = call.integer("offset", 0)
    return {"total": len(rows), "rows": rows[first : first + min(call.integer("limit", 50), 200)]}


def _open(call: Call, desk: Desk) -> Iterable[Order]:
    market = desk.market(call.text("symbol"))
    found = [each for each in desk.book(call.account).open.values() if each.market is market]
    if not found:
        raise Rejected(Reason.UNKNOWN_ORDER)
    return found


def _cancel_all(call: Call, desk: Desk) -> int:
    untriggered = call.flag("untriggered")
    symbols = call.text("symbol").split(",")
    wanted = [
        each
        for each in list(desk.book(call.account).open.values())
        if each.market.symbol in symbols and each.waiting is untriggered
    ]
    for order in wanted:
        desk.cancel(call.account, order)
    return len(wanted)


def _status(order: Order) -> str:
    if order.reason in ENDS:
        return "Rejected"
    match order.status:
        case OrderStatus.OPEN:
            return "Untriggered" if order.waiting else "PartiallyFilled" if order.filled else "New"
        case OrderStatus.FILLED:
            return "Filled"
        case OrderStatus.REJECTED:
            return "Rejected"
    return "Deactivated" if order.waiting else "Canceled"


def _order(order: Order, *, placing: bool, history: bool) -> dict[str, Any]:
    """What both products tell alike. The history spells two names differently."""
    small = history and order.market.product is Product.LINEAR
    end = "d" if small else "D"
    return {
        f"orderI{end}": order.id,
        f"clOrdI{end}": order.client_id,
        "symbol": order.market.symbol,
        "side": SIDE_OF[order.side],
        "timeInForce": order.ticket.extra["timeInForce"],
        "ordStatus": "Created" if placing else _status(order),
        "bizError": 0,
        "cxlRejReason": 0 if placing else next((ENDS[each] for each in ENDS if each == order.reason), 0),
        "stopDirection": "UNSPECIFIED"
        if order.trigger_price is None
        else "Rising"
        if order.ticket.trigger_rises
        else "Falling",
    }


def _spot_order(order: Order, *, placing: bool = False, history: bool = False) -> dict[str, Any]:
    """A fee names its coin by number in the history."""
    filled, value = (ZERO, ZERO) if placing else (order.filled, order.quote_filled)
    by_quote = order.ticket.quote_quantity is not None
    coin, fee = next(iter(order.fees().items()), (order.market.quote, ZERO))
    amount = "Value" if history else "Qty"
    return {
        **_order(order, placing=placing, history=history),
        "ordType": order.ticket.extra["ordType"],
        "qtyType": "ByQuote" if by_quote else "ByBase",
        "baseQtyEv": str(_scaled(ZERO if by_quote else order.quantity)),
        "quoteQtyEv": _scaled(order.ticket.quote_quantity),
        "priceEp": _scaled(order.price),
        "stopPxEp": _scaled(order.trigger_price),
        f"cumBase{amount}Ev": _scaled(filled),
        f"cumQuote{amount}Ev": _scaled(value),
        "avgPriceEp": 0 if placing else _scaled(order.average_price),
        "cumFeeEv": 0 if placing else _scaled(fee),
        "feeCurrency": str(NUMBERS[coin]) if history else coin,
        "createTimeNs": order.created_ms * 1_000_000,
    }


def _perpetual_order(order: Order, *, placing: bool = False, history: bool = False) -> dict[str, Any]:
    filled, value = (ZERO, ZERO) if placing else (order.filled, order.quote_filled)
    fees = {"execFeeRv": text(sum(order.fees().values(), ZERO))} if history else {}
    return {
        **_order(order, placing=placing, history=history),
        "ordType" if history else "orderType": order.ticket.extra["ordType"],
        "posSide": POSITION_SIDE_OF[order.ticket.position_side],
        "reduceOnly": order.ticket.reduce_only,
        "execInst": "ReduceOnly" if order.ticket.reduce_only else "None",
        "orderQtyRq": text(order.quantity),
        "priceRp": text(order.price),
        "stopPxRp": text(order.trigger_price),
        "cumQtyRq": text(filled),
        "cumValueRv": text(value),
        "leavesQtyRq": text(order.remaining if order.open else ZERO),
        **_legs(order),
        "actionTimeNs": order.created_ms * 1_000_000,
        "transactTimeNs": order.updated_ms * 1_000_000,
        **fees,
    }


def _legs(order: Order) -> dict[str, str]:
    """At what prices the orders that it brings along wait."""
    told = {each.extra["leg"]: text(each.trigger_price) for each in order.ticket.attached}
    return {name: told.get(name, "0") for name in ("takeProfitRp", "stopLossRp")}


def _executed(order: Order, fill: Fill, name: str) -> dict[str, Any]:
    return {
        "transactTimeNs": fill.time_ms * 1_000_000,
        "symbol": fill.symbol,
        name: str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}")),
        "orderID": order.id,
        "clOrdID": order.client_id,
        "side": SIDE_OF[fill.side],
        "action": "New",
        "tradeType": "Trade",
        "execStatus": "MakerFill" if fill.maker else "TakerFill",
        "ordType": order.ticket.extra["ordType"],
        "timeInForce": order.ticket.extra["timeInForce"],
    }


def _spot_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return _executed(order, fill, "execId") | {
        "qtyType": "ByBase" if order.ticket.quote_quantity is None else "ByQuote",
        "priceEP": _scaled(order.price or fill.price),
        "baseQtyEv": _scaled(order.quantity),
        "quoteQtyEv": _scaled(order.ticket.quote_quantity),
        "stopPxEp": _scaled(order.trigger_price),
        "execPriceEp": _scaled(fill.price),
        "execBaseQtyEv": _scaled(fill.quantity),
        "execQuoteQtyEv": _scaled(fill.quantity * fill.price),
        "leavesBaseQtyEv": _scaled(order.remaining),
        "execFeeEv": _scaled(fill.fee),
        "feeCurrency": fill.fee_asset,
        "ordStatus": _status(order),
        "stopDirection": "UNSPECIFIED",
        "execInst": "None",
    }


def _money_of(order: Order, fill: Fill) -> dict[str, str]:
    return {
        "currency": order.market.quote,
        "orderQtyRq": text(order.quantity),
        "priceRp": text(order.price or fill.price),
        "execQtyRq": text(fill.quantity),
        "execPriceRp": text(fill.price),
        "execValueRv": text(fill.quantity * fill.price),
        "execFeeRv": text(fill.fee),
        "feeRateRr": text(fill.fee / (fill.quantity * fill.price), 6),
        "closedPnlRv": text(fill.realised),
    }


def _perpetual_trade(order: Order, fill: Fill) -> dict[str, Any]:
    told = {"posSide": POSITION_SIDE_OF[fill.position_side], "closedSizeRq": "0"}
    return _executed(order, fill, "execID") | _money_of(order, fill) | told


def _numbered_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return _money_of(order, fill) | {
        "createdAt": fill.time_ms,
        "symbol": fill.symbol,
        "side": 1 if fill.side is Side.BUY else 2,
        "ordType": list(TYPES).index(order.ticket.extra["ordType"]) + 1,
        "action": 1,
        "tradeType": 1,
        "execStatus": 7 if fill.maker else 6,
        "execId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}"))[:7],
        "orderId": order.id,
    }


def _list_row(order: Order) -> dict[str, Any]:
    row = _perpetual_order(order, history=True)
    return {
        "createdAt": order.created_ms,
        "orderId": row["orderId"],
        "clOrdId": row["clOrdId"],
        "symbol": row["symbol"],
        "side": 1 if order.side is Side.BUY else 2,
        "posSide": {"Long": 1, "Short": 2, "Merged": 3}[row["posSide"]],
        "ordType": list(TYPES).index(row["ordType"]) + 1,
        "ordStatus": STATUS_NUMBERS[row["ordStatus"]],
        "orderQtyRq": row["orderQtyRq"],
        "priceRp": row["priceRp"],
        "stopPxRp": row["stopPxRp"],
        "execQtyRq": row["cumQtyRq"],
        "leavesQtyRq": row["leavesQtyRq"],
        "cumValueRv": row["cumValueRv"],
        "execPriceRp": text(order.average_price),
        "execFeeRv": row["execFeeRv"],
        "bizError": 0,
        "totalPnlRv": None,
    }


def _currency_row(name: str) -> dict[str, Any]:
    row = {"currency": name, "name": name, "code": NUMBERS[name], "valueScale": SCALE, "status": "Listed"}
    return row | {"minValueEv": 1, "maxValueEv": 5_000_000_000_000_000_000, "assetsPrecision": 8}


def _spot_row(market: Market) -> dict[str, Any]:
    tick, step, base = text(market.tick), text(market.step), market.base
    return {
        "symbol": market.symbol,
        "type": "Spot",
        "displaySymbol": f"{base} / {market.quote}",
        "baseCurrency": base,
        "quoteCurrency": market.quote,
        "priceScale": SCALE,
        "ratioScale": 8,
        "baseTickSize": f"{step} {base}",
        "baseTickSizeEv": _scaled(market.step),
        "quoteTickSize": f"{tick} {market.quote}",
        "quoteTickSizeEv": _scaled(market.tick),
        "minOrderValue": f"{text(market.min_notional)} {market.quote}",
        "minOrderValueEv": _scaled(market.min_notional),
        "maxBaseOrderSize": f"{text(market.max_quantity)} {base}",
        "maxBaseOrderSizeEv": _scaled(market.max_quantity),
        "maxOrderValue": f"5,000,000 {market.quote}",
        "defaultTakerFee": "0.001",
        "defaultMakerFee": "0.001",
        "status": "Listed",
        "listTime": 1_589_338_800_000,
    }


def _perpetual_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "type": "PerpetualV2",
        "displaySymbol": f"{market.base} / {market.quote}",
        "contractUnderlyingAssets": market.base,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "settleCurrency": market.quote,
        "tickSize": text(market.tick),
        "priceScale": 0,
        "ratioScale": 0,
        "qtyStepSize": text(market.step),
        "minOrderValueRv": text(market.min_notional),
        "maxOrderQtyRq": text(market.max_quantity),
        "defaultLeverage": "-10",
        "maxLeverage": int(market.max_leverage),
        "status": "Listed",
        "listTime": 1_668_225_600_000,
    }
