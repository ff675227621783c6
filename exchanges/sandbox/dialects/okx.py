"""OKX v5 as its clients see it: one host for spot and perpetuals of both kinds, told apart by the instrument; refusals
come with HTTP 200 and an `sCode` in their row; stops are algo orders with ids of their own.
https://www.okx.com/docs-v5/en/."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Book, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, Rules, Ticket, text
from exchanges.sandbox.wire import Answered, Call, Reply, encode
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
WALLET = "trading"
WINDOW_MS = 30_000
AT_MARKET = "-1"
LARGEST_BATCH = 20
KINDS = {"SPOT": (Product.SPOT,), "SWAP": (Product.LINEAR, Product.INVERSE)}
KIND_OF = {product: kind for kind, products in KINDS.items() for product in products}
SIDES = {each.value: each for each in Side}
TIMES = {"fok": TimeInForce.FOK, "ioc": TimeInForce.IOC}
PLAIN = {
    **dict.fromkeys(("limit", "post_only", "fok", "ioc"), OrderType.LIMIT),
    **dict.fromkeys(("market", "optimal_limit_ioc"), OrderType.MARKET),
}
POSITION_SIDES = {"": None, "net": None, "long": Direction.LONG, "short": Direction.SHORT}
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
MARGIN_MODES = {each.value: each for each in MarginMode}
TRIGGERS = {each.value: each for each in TriggerBy}
#: reason -> (code, words, HTTP status); codes from 51000 on stand in the row of the order they are about
REFUSALS = {
    Reason.NO_KEY: (50103, 'Request header "OK-ACCESS-KEY" can not be empty.', 401),
    Reason.BAD_KEY: (50111, "Invalid OK-ACCESS-KEY", 401),
    Reason.BAD_SIGNATURE: (50113, "Invalid Sign", 401),
    Reason.BAD_TIMESTAMP: (50102, "Timestamp request expired", 401),
    Reason.NO_PERMISSION: (50120, "This API key doesn't have permission to use this function", 401),
    Reason.THROTTLED: (50011, "Too Many Requests", 429),
    Reason.MAINTENANCE: (50001, "Service temporarily unavailable. Please try again later.", 503),
    Reason.INTERNAL: (50026, "System error. Try again later", 500),
    Reason.UNKNOWN_PATH: (404, "Not Found", 404),
    Reason.MISSING_PARAMETER: (50014, "Parameter {} can not be empty.", 400),
    Reason.BAD_PARAMETER: (51000, "Parameter {}  error", 200),
    Reason.POSITION_MODE: (51000, "Parameter posSide  error", 200),
    Reason.UNKNOWN_SYMBOL: (51001, "Instrument ID, Instrument ID code, or Spread ID doesn't exist.", 200),
    Reason.PRICE_TICK: (51150, "The precision of the number of trades or the price exceeds the limit.", 200),
    Reason.TRIGGER_TICK: (
        51150,
        "The precision of the number of trades or the price exceeds the limit.",
        200,
    ),
    Reason.QUANTITY_STEP: (51121, "Order quantity must be a multiple of the lot size.", 200),
    Reason.MIN_QUANTITY: (51020, "Your order should meet or exceed the minimum order amount.", 200),
    Reason.MAX_QUANTITY: (51202, "Market order amount exceeds the maximum amount.", 200),
    Reason.DUPLICATE: (51016, "Client order ID already exists.", 200),
    Reason.INSUFFICIENT: (51008, "Order failed. Insufficient {} balance in account.", 200),
    Reason.REDUCE_ONLY: (
        51169,
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
        200,
    ),
    Reason.STOP_REFUSED: (51261, "Each user can hold up to 100 pending stop orders at the same time.", 200),
    Reason.TOO_MANY_ORDERS: (51174, "Order failed, number of pending orders exceed the limit of 500.", 200),
    Reason.UNKNOWN_ORDER: (51603, "Order does not exist", 200),
    Reason.NOT_OPEN: (
        51400,
        "Cancellation failed as the order has been filled, canceled or does not exist.",
        200,
    ),
    Reason.LEVERAGE: (59102, "Leverage exceeds the maximum limit. Please lower the leverage.", 200),
    Reason.HAS_OPEN_ORDERS: (59000, "Setting failed. Cancel any open orders, close positions first.", 200),
    Reason.HAS_POSITION: (59000, "Setting failed. Cancel any open orders, close positions first.", 200),
}
#: leg and side of a conditional order that the price has crossed already
CROSSED = {
    ("tp", Side.BUY): (51277, "TP trigger price cannot be higher than the last price."),
    ("sl", Side.BUY): (51278, "SL trigger price cannot be lower than the last price."),
    ("tp", Side.SELL): (51279, "TP trigger price cannot be lower than the last price."),
    ("sl", Side.SELL): (51280, "SL trigger price cannot be higher than the last price."),
}
#: base, tick, coins per contract, lot in contracts; tick and lot of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.01", "0.01", "0.1", "0.00000001"),
    ("ETH", "0.01", "0.1", "0.01", "0.01", "0.000001"),
    ("SOL", "0.01", "1", "0.01", "0.01", "0.000001"),
    ("XRP", "0.0001", "100", "0.01", "0.0001", "0.000001"),
    ("DOGE", "0.00001", "1000", "0.01", "0.00001", "0.01"),
    ("LTC", "0.01", "1", "0.1", "0.01", "0.000001"),
)


def _swap(base: str, coin: str, tick: str, size: str, lot: str) -> Market:
    symbol, product = f"{base}-{coin}-SWAP", Product.LINEAR
    most = D(10_000_000)
    return Market(
        symbol, base, coin, product, D(tick), D(lot), D(lot), ZERO, most, most / 100, D(size), D(100)
    )


def _inverse(base: str, tick: str, dollars: str, lot: str) -> Market:
    symbol, most = f"{base}-USD-SWAP", D(1_000_000)
    product = Product.INVERSE
    return Market(
        symbol, base, "USD", product, D(tick), D(lot), D(lot), ZERO, most, most / 10, D(dollars), D(100)
    )


def _pair(base: str, coin: str, tick: str, lot: str) -> Market:
    return Market(f"{base}-{coin}", base, coin, Product.SPOT, D(tick), D(lot), max(D(lot), D("0.00001")))


SWAPS = (
    *(_swap(base, "USDT", tick, size, lot) for base, tick, size, lot, _, _ in COINS),
    _swap("BTC", "USDC", "0.1", "0.0001", "1"),
)
INVERSE = tuple(
    _inverse(base, tick, *(("100", "0.1") if base == "BTC" else ("10", "1"))) for base, tick, *_ in COINS
)
PAIRS = (
    *(_pair(base, "USDT", tick, lot) for base, _, _, _, tick, lot in COINS),
    _pair("BTC", "USDC", "0.1", "0.00000001"),
)


class _OKX(Dialect):
    family = "okx"

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("ok-access-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return str(uuid.uuid4()), secrets.token_hex(16).upper(), secrets.token_urlsafe(12)

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if call.headers.get("x-simulated-trading") == "1":
            raise _answered(50101, "APIKey does not match current environment.", 401)
        stamp = call.headers.get("ok-access-timestamp", "")
        if abs(_stamp_ms(stamp) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        given = call.headers.get("ok-access-sign", "").encode()
        signed = (f"{stamp}{call.method}{target}".encode() + call.body for target in call.targets())
        if not any(hmac.compare_digest(_signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("ok-access-passphrase", "")):
            raise _answered(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, words, status = _refusal(reason, detail)
        return Reply(_frame([], code, words), status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return self.refuse(Reason.THROTTLED, "", call)

    def _desk(self, call: Call) -> Desk:
        """By instrument, else that of the address."""
        if not (symbol := call.text("instId", "")):
            return self.desk
        if not symbol.endswith("-SWAP"):
            return self.desks[Product.SPOT]
        return self.desks[Product.INVERSE if symbol.endswith("-USD-SWAP") else Product.LINEAR]

    def _desks_asked(self, call: Call) -> Iterable[Desk]:
        """By instrument or kind of instrument, else all."""
        if call.text("instId", ""):
            return [self._desk(call)]
        kind = call.text("instType", "")
        return [self.desks[each] for each in KINDS[kind]] if kind in KINDS else self.desks.values()

    def _swaps(self) -> list[Desk]:
        return [self.desks[each] for each in KINDS["SWAP"]]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v5/public/time", public=True, costs={"time": 1})
    def time(self, call: Call) -> Any:
        return _frame([{"ts": str(call.now_ms)}])

    @route("GET /api/v5/public/instruments", public=True, costs={"instruments": 1})
    def instruments(self, call: Call) -> Any:
        if call.text("instType") not in KINDS:
            return _frame([])
        wanted = call.text("instId", "")
        rows = [
            _market_row(each)
            for desk in self._desks_asked(call)
            for each in desk.markets.values()
            if wanted in ("", each.symbol)
        ]
        if not rows:
            raise Rejected(Reason.UNKNOWN_SYMBOL)
        return _frame(rows)

    @route("GET /api/v5/market/ticker", "GET /api/v5/market/tickers", public=True, costs={"ticker": 1})
    def ticker(self, call: Call) -> Any:
        wanted = call.text("instId", "")
        rows = [
            _ticker(desk, market, call.now_ms)
            for desk in self._desks_asked(call)
            for market in ([desk.market(wanted)] if wanted else desk.markets.values())
        ]
        return _frame(rows)

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v5/trade/order", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        return self._each(call, [call], self._place, "ordId")

    @route("POST /api/v5/trade/batch-orders", trading=True)
    def place_batch(self, call: Call) -> Any:
        rows = _rows(call)
        if not 0 < len(rows) <= LARGEST_BATCH:
            raise _answered(51000, "Parameter orders  error", 200)
        return self._each(call, rows, self._place, "ordId")

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """A batch counts its orders; one order in it counts as placed alone."""
        if route.handler != "place_batch":
            return super().costs(route, call)
        rows = call.body_params.get("")
        many = len(rows) if isinstance(rows, list) else 1
        return {"batch_orders": many} if many > 1 else {"orders": 1}

    @route("POST /api/v5/trade/order-algo", trading=True, costs={"algo_orders": 1})
    def place_algo(self, call: Call) -> Any:
        return self._each(call, [call], self._place_algo, "algoId")

    @route("POST /api/v5/trade/cancel-order", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return self._each(call, [call], self._cancel, "ordId")

    @route("POST /api/v5/trade/cancel-batch-orders", trading=True, costs={"cancels": 1})
    def cancel_batch(self, call: Call) -> Any:
        return self._each(call, _rows(call), self._cancel, "ordId")

    @route("POST /api/v5/trade/cancel-algos", trading=True, costs={"algo_cancels": 1})
    def cancel_algos(self, call: Call) -> Any:
        return self._each(call, _rows(call), self._cancel_algo, "algoId")

    def _each(self, call: Call, rows: list[Call], act: Callable[[Call], str], id_name: str) -> Any:
        """The answer tells of every row; those that are wrong by themselves refuse the whole call."""
        told = []
        for row in rows:
            found, code, words = "", 0, ""
            try:
                found = act(row)
            except Rejected as refused:
                code, words, status = _refusal(refused.reason, refused.detail)
                if status != 200:
                    raise
            except _Crossed as crossed:
                code, words = crossed.code, crossed.words
            ids = {name: row.text(name, "") for name in ("clOrdId", "algoClOrdId")}
            row_told = {**ids, id_name: found, "sCode": str(code), "sMsg": words, "tag": ""}
            told.append(row_told | {"ts": str(call.now_ms)})
        failed = sum(each["sCode"] != "0" for each in told)
        top = 0 if not failed else 1 if failed == len(told) else 2
        return _frame(told, top, "All operations failed" if top == 1 else "")

    def _place(self, call: Call) -> str:
        desk, kind = self._desk(call), call.text("ordType")
        market, in_quote = desk.market(call.text("instId")), False
        ticket = self._ticket(call, call.one_of("ordType", PLAIN))
        if market.product is Product.SPOT and ticket.type is OrderType.MARKET:
            default = "quote_ccy" if ticket.side is Side.BUY else "base_ccy"
            in_quote = call.one_of("tgtCcy", {"quote_ccy": True, "base_ccy": False}, default)
        amount = call.decimal("sz")
        ticket = replace(
            ticket,
            quantity=None if in_quote else amount,
            quote_quantity=amount if in_quote else None,
            price=call.decimal("px") if ticket.type is OrderType.LIMIT else None,
            time_in_force=TIMES.get(kind, TimeInForce.GTC),
            post_only=kind == "post_only",
            client_id=call.text("clOrdId", ""),
            extra={**ticket.extra, "tgtCcy": "quote_ccy" if in_quote else "base_ccy"},
        )
        self._check_margin_mode(call, desk, market, ticket)
        return desk.place(call.account, ticket).id

    def _ticket(self, call: Call, kind: OrderType) -> Ticket:
        spot = self._desk(call).market(call.text("instId")).product is Product.SPOT
        mode = call.one_of("tdMode", {"cash": None, "cross": None} if spot else MARGIN_MODES)
        return Ticket(
            call.text("instId"),
            call.one_of("side", SIDES),
            kind,
            reduce_only=not spot and call.flag("reduceOnly"),
            position_side=None if spot else call.one_of("posSide", POSITION_SIDES, "net"),
            extra={"ordType": call.text("ordType"), "tdMode": call.text("tdMode"), "mode": mode},
        )

    def _check_margin_mode(self, call: Call, desk: Desk, market: Market, ticket: Ticket) -> None:
        """A position is held in one mode; another mode has nothing to close. Two at once are not simulated."""
        if (mode := ticket.extra["mode"]) is None:
            return
        book = desk.book(call.account)
        if not any(each.market is market for each in book.open_positions()):
            book.margin_modes[market.symbol] = mode
        elif desk.margin_mode(call.account, market) is not mode:
            raise Rejected(Reason.REDUCE_ONLY) if ticket.reduces else Rejected(Reason.BAD_PARAMETER, "tdMode")

    def _place_algo(self, call: Call) -> str:
        desk, kind = self._desk(call), call.text("ordType")
        market, pair = desk.market(call.text("instId")), list[Order]()
        if kind not in ("conditional", "oco", "trigger"):
            raise Rejected(Reason.BAD_PARAMETER, "ordType")
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPx", "") and kind != "trigger"]
        legs = ["trigger"] if kind == "trigger" else legs[: 2 if kind == "oco" else 1]
        if not legs or (kind == "oco") != (len(legs) == 2):
            raise Rejected(Reason.BAD_PARAMETER, "slTriggerPx or tpTriggerPx")
        tickets = [self._leg(call, desk, market, leg, pair) for leg in legs]
        for ticket in tickets:
            self._check_margin_mode(call, desk, market, ticket)
            _check_crossed(ticket, desk.bid(market))
        pair += desk.place_linked(call.account, tickets)
        return pair[0].id

    def _leg(self, call: Call, desk: Desk, market: Market, leg: str, pair: list[Order]) -> Ticket:
        trigger, last = call.decimal("triggerPx" if leg == "trigger" else f"{leg}TriggerPx"), desk.bid(market)
        written = call.text("orderPx" if leg == "trigger" else f"{leg}OrdPx")
        price = None if written == AT_MARKET else D(written)
        ticket = self._ticket(call, OrderType.STOP)
        rises = trigger > last if leg == "trigger" else (ticket.side is Side.BUY) == (leg == "sl")
        stop = rises == (ticket.side is Side.BUY)
        by = "triggerPxType" if leg == "trigger" else f"{leg}TriggerPxType"
        amount, first = call.decimal("sz"), leg != "tp" or call.text("ordType") != "oco"
        in_quote = (
            market.product is Product.SPOT
            and ticket.side is Side.BUY
            and call.text("tgtCcy", "quote_ccy") == "quote_ccy"
        )
        if in_quote:
            raise Rejected(Reason.BAD_PARAMETER, "tgtCcy quote_ccy is not simulated here: it")
        return replace(
            ticket,
            type=_TYPES[stop, price is not None],
            quantity=amount,
            price=price,
            trigger_price=trigger,
            trigger_by=call.one_of(by, TRIGGERS, "last"),
            rises=rises,
            client_id=call.text("algoClOrdId", call.text("clOrdId", "")) if first else "",
            link=call.headers["ok-access-sign"] if call.text("ordType") == "oco" else "",
            extra={**ticket.extra, "leg": leg, "last": last, "pair": pair},
        )

    def _cancel(self, call: Call) -> str:
        desk, order = self._desk(call), self._plain(call, self._desk(call))
        if order is None or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        desk.cancel(call.account, order)
        return order.live_id or order.id

    def _cancel_algo(self, call: Call) -> str:
        desk, pair = self._desk(call), self._algo(call)
        if not all(order.open and order.waiting for order in pair):
            raise Rejected(Reason.NOT_OPEN)
        desk.cancel(call.account, pair[0])
        return pair[0].id

    def _plain(self, call: Call, desk: Desk) -> Order | None:
        """A plain order, or the one a triggered algo order became: by its own id only."""
        order_id, client_id = call.text("ordId", ""), call.text("clOrdId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "ordId or clOrdId")
        order = desk.order(call.account, order_id=order_id, client_id=client_id)
        if order is not None and _is_algo(order) and (not order_id or order.live_id != order_id):
            return None
        return order

    def _algo(self, call: Call) -> list[Order]:
        """The one or two orders of an algo order. Raises UNKNOWN_ORDER."""
        algo_id, client_id = call.text("algoId", ""), call.text("algoClOrdId", "")
        if not algo_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "algoId or algoClOrdId")
        for desk in self.desks.values():
            order = desk.order(call.account, order_id=algo_id, client_id=client_id)
            if order is not None and _is_algo(order) and algo_id in ("", order.id):
                pair: list[Order] = order.ticket.extra["pair"]
                return pair
        raise Rejected(Reason.UNKNOWN_ORDER)

    @route("GET /api/v5/trade/order", costs={"order_reads": 1})
    def order(self, call: Call) -> Any:
        desk = self._desk(call)
        desk.market(call.text("instId"))
        if (order := self._plain(call, desk)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _frame([_order_row(order)])

    @route("GET /api/v5/trade/orders-pending", costs={"pending": 1})
    def pending(self, call: Call) -> Any:
        found = [order for order in self._listed(call) if order.open and not order.waiting]
        return _frame(_page(call, [_order_row(order) for order in found], "ordId"))

    @route("GET /api/v5/trade/orders-history", costs={"pending": 1})
    def history(self, call: Call) -> Any:
        """Ended plain orders, of one state if asked."""
        ended = (
            o for o in self._listed(call) if not o.open and (not _is_algo(o) or o.triggered_ms is not None)
        )
        rows = [row for row in map(_order_row, ended) if call.text("state", row["state"]) == row["state"]]
        return _frame(_page(call, rows, "ordId"))

    @route("GET /api/v5/trade/fills-history", costs={"fills": 1})
    def fills(self, call: Call) -> Any:
        """Newest first. The order that an algo order became has no client id."""
        wanted, begin = call.text("instId", ""), call.integer("begin", 0)
        books = [desk.book(call.account) for desk in self._desks_asked(call)]
        found = [(book, fill) for book in books for fill in reversed(book.fills)]
        rows = [
            _fill_row(book, fill)
            for book, fill in found
            if wanted in ("", fill.symbol) and fill.time_ms >= begin
        ]
        return _frame(_page(call, rows, "billId"))

    @route("GET /api/v5/trade/order-algo", costs={"algo_reads": 1})
    def algo(self, call: Call) -> Any:
        return _frame([_algo_row(self._algo(call))])

    @route("GET /api/v5/trade/orders-algo-pending", costs={"algo_pending": 1})
    def algos_pending(self, call: Call) -> Any:
        kinds = call.text("ordType").split(",")
        pairs = [o.ticket.extra["pair"] for o in self._listed(call) if o.open and o.waiting and _is_algo(o)]
        firsts = {pair[0].id: pair for pair in pairs if pair[0].ticket.extra["ordType"] in kinds}
        return _frame(_page(call, [_algo_row(pair) for pair in firsts.values()], "algoId"))

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        wanted = call.text("instId", "")
        for desk in self._desks_asked(call):
            for order in reversed(desk.book(call.account).orders.values()):
                if wanted in ("", order.market.symbol):
                    yield order

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v5/account/balance", costs={"balance": 1})
    def balance(self, call: Call) -> Any:
        wanted = call.text("ccy", "").split(",")
        rows = [
            _balance_row(call.account, coin)
            for coin in call.account.wallets[WALLET]
            if wanted == [""] or coin in wanted
        ]
        return _frame([{"uTime": str(call.now_ms), "totalEq": "", "details": rows}])

    @route("GET /api/v5/account/positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        wanted = call.text("instId", "")
        if call.text("instType", "SWAP") != "SWAP":
            return _frame([])
        held = [
            _position_row(desk, call.account, each)
            for desk in self._swaps()
            for each in desk.book(call.account).open_positions()
            if wanted == "" or each.market.symbol in wanted.split(",")
        ]
        return _frame(held)

    @route("GET /api/v5/account/config", costs={"config": 1})
    def config(self, call: Call) -> Any:
        book, may = self.desks[Product.LINEAR].book(call.account), call.account.permissions
        mode = next(name for name, each in POSITION_MODES.items() if each is book.position_mode)
        rights = ["read_only", *(right for right in ("withdraw", "trade") if right in may)]
        return _frame([{"acctLv": "3", "posMode": mode, "perm": ",".join(rights), "ip": "", "uid": "1"}])

    @route("POST /api/v5/account/set-leverage", costs={"leverage": 1})
    def set_leverage(self, call: Call) -> Any:
        desk, mode = self._desk(call), call.one_of("mgnMode", MARGIN_MODES)
        side = call.one_of("posSide", POSITION_SIDES, "net")
        hedged = desk.book(call.account).position_mode is PositionMode.HEDGE
        if mode is MarginMode.ISOLATED and hedged != (side is not None):
            raise Rejected(Reason.POSITION_MODE)
        desk.set_leverage(call.account, call.text("instId"), call.decimal("lever"))
        told = {name: call.text(name, "") for name in ("instId", "lever", "mgnMode", "posSide")}
        return _frame([told])

    @route("POST /api/v5/account/set-position-mode", costs={"config": 1})
    def set_position_mode(self, call: Call) -> Any:
        """Of both kinds of perpetuals, as long as there is nothing of either."""
        mode = call.one_of("posMode", POSITION_MODES)
        books = [each.book(call.account) for each in self._swaps()]
        if any(book.position_mode is not mode and (book.open or book.open_positions()) for book in books):
            raise Rejected(Reason.HAS_POSITION)
        for book in books:
            book.position_mode = mode
        return _frame([{"posMode": call.text("posMode")}])

    @route("GET /api/v5/asset/currencies", costs={"config": 1})
    def currencies(self, call: Call) -> Any:
        coins = sorted(call.account.wallets[WALLET])
        return _frame(
            [{"ccy": coin, "name": coin, "chain": f"{coin}-Chain", "wdTickSz": "8"} for coin in coins]
        )


_LIMITS = (
    *(Limit(name, name, 60, 2) for name in ("orders", "cancels", "order_reads", "pending")),
    *(Limit(name, name, 20, 2) for name in ("algo_orders", "algo_cancels", "algo_reads", "algo_pending")),
    *(Limit(name, name, 10, 2) for name in ("balance", "positions", "fills")),
    Limit("batch_orders", "batch_orders", 300, 2),
    Limit("config", "config", 5, 2),
    Limit("leverage", "leverage", 20, 2),
    *(Limit(name, name, 20, 2, Owner.ADDRESS) for name in ("instruments", "ticker")),
    Limit("time", "time", 10, 2, Owner.ADDRESS),
)


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=WALLET,
        conditional_holds=False,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        new_id_on_trigger=True,
        order_id=lambda number: str(1_800_000_000_000_000_000 + number),
        default_leverage=D(10),
        remembers_seconds=7200,
    )


class OKXSpot(_OKX):
    name, product, markets = "OKX", Product.SPOT, PAIRS
    limits = _LIMITS
    rules = _rules("0.0008", "0.001")


class OKXSwap(_OKX):
    name, product, markets = "OKX_F", Product.LINEAR, SWAPS
    limits = _LIMITS
    rules = _rules("0.0002", "0.0005")


class OKXInverse(_OKX):
    name, product, markets = "OKX_C", Product.INVERSE, INVERSE
    limits = _LIMITS
    rules = OKXSwap.rules


# -- how things are written ------------------------------------------------------------------------------

_TYPES = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}
_STATES = {
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELLED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "canceled",
}


class _Crossed(Exception):
    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def _check_crossed(ticket: Ticket, last: Decimal) -> None:
    leg, trigger = ticket.extra["leg"], ticket.trigger_price or ZERO
    if leg != "trigger" and (last >= trigger if ticket.rises else last <= trigger):
        raise _Crossed(*CROSSED[leg, ticket.side])


def _signature(secret: str, signed: bytes) -> bytes:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest())


def _frame(data: list[Any], code: int = 0, words: str = "") -> dict[str, Any]:
    return {"code": str(code), "data": data, "msg": words}


def _answered(code: int, words: str, status: int) -> Answered:
    return Answered(Reply(_frame([], code, words), status))


def _refusal(reason: Reason, detail: str) -> tuple[int, str, int]:
    code, words, status = REFUSALS.get(reason, REFUSALS[Reason.BAD_PARAMETER])
    return code, words.format(detail), status


def _stamp_ms(stamp: str) -> int:
    """Raises Rejected for what is no ISO time of UTC."""
    try:
        return int(datetime.fromisoformat(stamp).timestamp() * 1000)
    except ValueError:
        raise _answered(50112, "Invalid OK-ACCESS-TIMESTAMP", 401) from None


def _rows(call: Call) -> list[Call]:
    """A call for each entry of a body that is a list."""
    rows = call.body_params.get("")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Rejected(Reason.BAD_PARAMETER, "body")
    return [replace(call, body=encode(row)) for row in rows]


def _page(call: Call, rows: list[dict[str, Any]], id_name: str) -> list[dict[str, Any]]:
    ids = [row[id_name] for row in rows]
    after = call.text("after", "")
    first = ids.index(after) + 1 if after in ids else 0
    return rows[first : first + call.integer("limit", 100)]


def _is_algo(order: Order) -> bool:
    return "pair" in order.ticket.extra


def _market_row(market: Market) -> dict[str, Any]:
    spot = market.product is Product.SPOT
    return {
        "instType": KIND_OF[market.product],
        "instId": market.symbol,
        "uly": "" if spot else f"{market.base}-{market.quote}",
        "instFamily": "" if spot else f"{market.base}-{market.quote}",
        "baseCcy": market.base if spot else "",
        "quoteCcy": market.quote if spot else "",
        "settleCcy": "" if spot else market.settle,
        "ctVal": "" if spot else text(market.contract_size),
        "ctMult": "" if spot else "1",
        "ctValCcy": "" if spot else market.quote if market.inverse else market.base,
        "ctType": "" if spot else "inverse" if market.inverse else "linear",
        "lever": "" if spot else text(market.max_leverage),
        "tickSz": text(market.tick),
        "lotSz": text(market.step),
        "minSz": text(market.min_quantity),
        "maxLmtSz": text(market.max_quantity),
        "maxMktSz": "1000000" if spot else text(market.max_market_quantity),
        "state": "live",
    }


def _ticker(desk: Desk, market: Market, now_ms: int) -> dict[str, Any]:
    last = text(desk.bid(market))
    sizes = dict.fromkeys(("bidSz", "askSz", "lastSz", "vol24h", "volCcy24h"), "1000")
    prices = {"last": last, "bidPx": last, "askPx": text(desk.ask(market))}
    return {
        "instType": KIND_OF[market.product],
        "instId": market.symbol,
        **prices,
        **sizes,
        "ts": str(now_ms),
    }


def _common_row(order: Order) -> dict[str, Any]:
    ticket, spot = order.ticket, order.market.product is Product.SPOT
    return {
        "instType": KIND_OF[order.market.product],
        "instId": order.market.symbol,
        "side": ticket.side.value,
        "posSide": "" if spot else (ticket.position_side or "net"),
        "tdMode": ticket.extra["tdMode"],
        "sz": text(order.quantity if ticket.quote_quantity is None else ticket.quote_quantity),
        "tgtCcy": ticket.extra.get("tgtCcy", "") if spot and order.price is None else "",
        "reduceOnly": "true" if ticket.reduce_only else "false",
        "cTime": str(order.created_ms),
        "uTime": str(order.updated_ms),
    }


def _order_row(order: Order) -> dict[str, Any]:
    """A plain order, or the one that a triggered algo order became."""
    algo, average, fees = _is_algo(order), order.average_price, order.fees()
    kind = "market" if order.price is None else "limit" if algo else order.ticket.extra["ordType"]
    open_state = "partially_filled" if order.filled else "live"
    return {
        **_common_row(order),
        "ordId": order.live_id or order.id,
        "clOrdId": "" if algo else order.client_id,
        "algoId": order.ticket.extra["pair"][0].id if algo else "",
        "algoClOrdId": order.ticket.extra["pair"][0].client_id if algo else "",
        "ordType": kind,
        "px": "" if order.price is None else text(order.price),
        "state": _STATES.get(order.status, open_state),
        "accFillSz": text(order.filled),
        "avgPx": "" if average is None else text(average),
        "fee": text(-sum(fees.values(), ZERO)),
        "feeCcy": next(iter(fees), order.market.settle),
        "cancelSourceReason": order.reason if order.status is not OrderStatus.FILLED else "",
    }


def _fill_row(book: Book, fill: Fill) -> dict[str, Any]:
    order = book.orders.get(fill.order_id)
    spot = "SWAP" not in fill.symbol
    return {
        "instType": "SPOT" if spot else "SWAP",
        "instId": fill.symbol,
        "tradeId": str(fill.id),
        "billId": str(fill.id),
        "ordId": fill.order_id,
        "clOrdId": "" if order is None else order.client_id,
        "side": fill.side.value,
        "posSide": "" if spot else fill.position_side or "net",
        "fillPx": text(fill.price),
        "fillSz": text(fill.quantity),
        "execType": "M" if fill.maker else "T",
        "fee": text(-fill.fee),
        "feeCcy": fill.fee_asset,
        "ts": str(fill.time_ms),
        "fillTime": str(fill.time_ms),
    }


def _algo_row(pair: list[Order]) -> dict[str, Any]:
    first = pair[0]
    fired = next((order for order in pair if order.triggered_ms is not None), None)
    state = "live" if all(order.open for order in pair) else "canceled"
    if fired is not None:
        state = "order_failed" if fired.status is OrderStatus.REJECTED else "effective"
    row = _common_row(first) | {
        "algoId": first.id,
        "algoClOrdId": first.client_id,
        "ordType": first.ticket.extra["ordType"],
        "state": state,
        "failCode": "51008" if state == "order_failed" else "",
        "actualSide": fired.ticket.extra["leg"] if fired else "",
        "ordIdList": [fired.live_id] if state == "effective" and fired else [],
        "last": text(first.ticket.extra["last"]),
        **dict.fromkeys(("triggerPx", "ordPx", "slTriggerPx", "slOrdPx", "tpTriggerPx", "tpOrdPx"), ""),
    }
    for order in pair:
        leg = order.ticket.extra["leg"]
        names = ("triggerPx", "ordPx") if leg == "trigger" else (f"{leg}TriggerPx", f"{leg}OrdPx")
        row |= dict(zip(names, (text(order.trigger_price), _limit(order)), strict=True))
    return row


def _limit(order: Order) -> str:
    return AT_MARKET if order.price is None else text(order.price)


def _position_row(desk: Desk, account: Account, position: Position) -> dict[str, Any]:
    mark, market = desk.bid(position.market), position.market
    return {
        "instType": "SWAP",
        "instId": market.symbol,
        "posSide": position.side or "net",
        "pos": text(position.quantity if position.side is None else abs(position.quantity)),
        "avgPx": text(position.entry_price),
        "markPx": text(mark),
        "last": text(mark),
        "lever": text(desk.leverage(account, market)),
        "mgnMode": desk.margin_mode(account, market).value,
        "upl": text(position.unrealised(mark)),
        "liqPx": "",
        "notionalUsd": text(market.notional(abs(position.quantity), mark)),
        "imr": text(position.notional(position.entry_price) / desk.leverage(account, market)),
        "mmr": "0",
        "ccy": market.settle,
        "cTime": str(position.updated_ms),
        "uTime": str(position.updated_ms),
    }


def _balance_row(account: Account, coin: str) -> dict[str, Any]:
    total, free = account.total(WALLET, coin), text(account.free(WALLET, coin))
    profit, locked = account.unrealised(WALLET, coin), text(account.locked(WALLET, coin))
    return {
        "ccy": coin,
        "eq": text(total + profit),
        "cashBal": text(total),
        "availBal": free,
        "availEq": free,
        "frozenBal": locked,
        "upl": text(profit),
    }
