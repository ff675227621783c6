"""BloFin's perpetuals as their clients see them: refusals come with HTTP 200, those of an order in its row under a code
0 on top (a batch that failed has 1 or 2 there); TP/SL and trigger orders have ids of their own, and what they become
names them. https://docs.blofin.com/.

A broker id is neither asked for nor refused: keys of both kinds of BloFin open the sandbox."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected, Rules, Ticket, text
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
)

D = Decimal
WALLET = "futures"
WINDOW_MS = 60_000
REMEMBERED_NONCES = 10_000
LARGEST_BATCH = 20
AT_MARKET, ALL_OF_IT = D(-1), D(-1)
SIDES = {each.value: each for each in Side}
KINDS = {
    "market": OrderType.MARKET,
    **dict.fromkeys(("limit", "post_only", "fok", "ioc"), OrderType.LIMIT),
}
TIMES = {"fok": TimeInForce.FOK, "ioc": TimeInForce.IOC}
POSITION_SIDES = {"net": None, "long": Direction.LONG, "short": Direction.SHORT}
POSITION_MODES = {"net_mode": PositionMode.ONE_WAY, "long_short_mode": PositionMode.HEDGE}
MARGIN_MODES = {each.value: each for each in MarginMode}
CONDITIONALS = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}
ENDED = {OrderStatus.FILLED: "filled"}
#: (code, words); codes up to 150004 stand in the row of the order they are about
REFUSALS = {
    Reason.NO_KEY: ("152001", "Parameter ACCESS-KEY cannot be empty."),
    Reason.BAD_KEY: ("152401", "Access key does not exist"),
    Reason.BAD_SIGNATURE: ("152409", "Signature verification failed"),
    Reason.BAD_TIMESTAMP: (
        "152405",
        "Timestamp in header or signature has expired, need to be within 60s",
    ),
    Reason.BAD_NONCE: ("152407", "Repeated nonce, Reusing within 60 seconds is not allowed."),
    Reason.NO_PERMISSION: (
        "152404",
        "This operation is not supported, Please check the requestPath or API key permissions.",
    ),
    Reason.THROTTLED: ("429", "Too Many Requests"),
    Reason.MAINTENANCE: ("500", "Internal Server Error"),
    Reason.INTERNAL: ("500", "Internal Server Error"),
    Reason.UNKNOWN_PATH: ("404", "not found"),
    Reason.MISSING_PARAMETER: ("152001", "Parameter {} cannot be empty."),
    Reason.BAD_PARAMETER: ("152002", "Parameter {} error."),
    Reason.UNKNOWN_SYMBOL: ("152014", "Instrument ID does not exist"),
    Reason.POSITION_MODE: ("102089", "Position mode mismatch"),
    Reason.PRICE_TICK: ("152002", "Parameter price error."),
    Reason.TRIGGER_TICK: ("152002", "Parameter triggerPrice error."),
    Reason.QUANTITY_STEP: ("152002", "Parameter size error."),
    Reason.MIN_QUANTITY: ("152002", "Parameter size error."),
    Reason.MAX_QUANTITY: ("102015", "Market order exceeds maximum order size limit"),
    Reason.DUPLICATE: ("102002", "Duplicate customized order ID"),
    Reason.INSUFFICIENT: ("103003", "Order failed. Insufficient USDT margin in account"),
    Reason.REDUCE_ONLY: (
        "102022",
        "Failed to place order. You don't have any positions of this contract. Turn off Reduce-only to continue.",
    ),
    Reason.STOP_REFUSED: ("542", "Exceeded the maximum order size limit"),
    Reason.TOO_MANY_ORDERS: ("542", "Exceeded the maximum order size limit"),
    Reason.NOT_OPEN: (
        "500",
        "Cancel failed as the order has been filled, triggered, canceled or does not exist.",
    ),
    Reason.LEVERAGE: ("152002", "Parameter leverage error."),
    Reason.HAS_OPEN_ORDERS: ("110019", "Setting failed. Cancel any open orders, and close positions first."),
    Reason.HAS_POSITION: ("110019", "Setting failed. Cancel any open orders, and close positions first."),
}
#: of a conditional order that the price has crossed already: leg and side
CROSSED = {
    "tp sell": ("102037", "TP trigger price should be higher than the latest trading price"),
    "sl sell": ("102038", "SL trigger price should be lower than the latest trading price"),
    "tp buy": ("102039", "TP trigger price should be lower than the latest trading price"),
    "sl buy": ("102040", "SL trigger price should be higher than the latest trading price"),
}
#: base, tick, coins per contract, lot and smallest order in contracts
COINS = (
    ("BTC", "0.1", "0.001", "0.1"),
    ("ETH", "0.01", "0.01", "0.1"),
    ("SOL", "0.01", "1", "0.1"),
    ("XRP", "0.0001", "10", "0.1"),
    ("DOGE", "0.00001", "100", "0.1"),
    ("LTC", "0.01", "1", "0.01"),
)
MOST = D(10_000_000)
SWAPS = tuple(
    Market(
        symbol=f"{base}-USDT",
        base=base,
        quote="USDT",
        product=Product.LINEAR,
        tick=D(tick),
        step=D(lot),
        min_quantity=D(lot),
        max_quantity=MOST,
        max_market_quantity=MOST / 10,
        contract_size=D(size),
        max_leverage=D(125),
    )
    for base, tick, size, lot in COINS
)
SPENT = {"requests": 1}
TRADING = {"requests": 1, "trading": 1}


class BloFinFutures(Dialect):
    name, family, product, markets = "BloFin_F", "blofin", Product.LINEAR, SWAPS
    default_costs = SPENT
    limits = (
        Limit("requests", "requests", 500, 60, Owner.ADDRESS),
        Limit("requests_long", "requests", 1500, 300, Owner.ADDRESS),
        Limit("trading", "trading", 30, 10),
    )
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet=WALLET,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        new_id_on_trigger=True,
        order_id=lambda number: str(2_000_000_000 + number),
        default_leverage=D(10),
    )

    def __init__(self, desks: Mapping[Product, Desk], accounts: Mapping[str, Account]) -> None:
        super().__init__(desks, accounts)
        #: (key, nonce) -> when it came
        self._nonces: dict[tuple[str, str], int] = {}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("access-key", "")

    def nonce_of(self, call: Call) -> str:
        return call.headers.get("access-nonce", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(16), secrets.token_urlsafe(12)

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        stamp, nonce = (call.headers.get(f"access-{name}", "") for name in ("timestamp", "nonce"))
        if not stamp.isdecimal():
            raise _answered("152410", "The value of ACCESS-TIMESTAMP needs to be a millisecond timestamp")
        if abs(int(stamp) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        query, given = f"?{call.query}" if call.query else "", call.headers.get("access-sign", "").encode()
        written = (
            f"{path}{query}{call.method}{stamp}{nonce}".encode() + call.body for path in call.signed_paths
        )
        digits = (hmac.new(account.secret.encode(), each, hashlib.sha256).hexdigest() for each in written)
        if not any(hmac.compare_digest(base64.b64encode(each.encode()), given) for each in digits):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("access-passphrase", "")):
            raise _answered("152408", "Passphrase error")
        self._check_nonce(key, nonce, call.now_ms)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _check_nonce(self, key: str, nonce: str, now_ms: int) -> None:
        if len(self._nonces) > REMEMBERED_NONCES:
            self._nonces = {name: when for name, when in self._nonces.items() if when > now_ms - WINDOW_MS}
        if not nonce or self._nonces.get((key, nonce), 0) > now_ms - WINDOW_MS:
            raise Rejected(Reason.BAD_NONCE)
        self._nonces[key, nonce] = now_ms

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, words = _refusal(reason, detail)
        return Reply({"code": code, "msg": words}, 429 if code == "429" else 200)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return self.refuse(Reason.THROTTLED, "", call)

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v1/market/instruments", public=True)
    def instruments(self, call: Call) -> Any:
        return _frame([_market_row(each) for each in self._asked(call)])

    @route("GET /api/v1/market/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        return _frame([self._ticker(each, call.now_ms) for each in self._asked(call)])

    @route("GET /api/v1/market/mark-price", public=True)
    def mark_price(self, call: Call) -> Any:
        rows = [
            {"instId": each.symbol, **dict.fromkeys(("indexPrice", "markPrice"), text(self.desk.bid(each)))}
            for each in self._asked(call)
        ]
        return _frame([row | {"ts": str(call.now_ms)} for row in rows])

    @route("GET /api/v1/market/books", public=True)
    def book(self, call: Call) -> Any:
        market = self.desk.market(call.text("instId"))
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return _frame([{"asks": [[ask, "1000"]], "bids": [[bid, "1000"]], "ts": str(call.now_ms)}])

    def _asked(self, call: Call) -> list[Market]:
        wanted = call.text("instId", "")
        return [self.desk.market(wanted)] if wanted else list(self.desk.markets.values())

    def _ticker(self, market: Market, now_ms: int) -> dict[str, Any]:
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        sizes = dict.fromkeys(("lastSize", "askSize", "bidSize", "vol24h", "volCurrency24h"), "1000")
        days = dict.fromkeys(("open24h", "high24h", "low24h"), bid)
        prices = {"last": bid, "bidPrice": bid, "askPrice": ask}
        return {"instId": market.symbol, **prices, **sizes, **days, "ts": str(now_ms)}

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v1/trade/order", trading=True, costs=TRADING)
    def place(self, call: Call) -> Any:
        return _frame([self._try(call, self._place, "orderId")], words="")

    @route("POST /api/v1/trade/batch-orders", trading=True, costs=TRADING)
    def place_batch(self, call: Call) -> Any:
        """What is wrong with a row itself refuses the whole, before any is placed."""
        rows = _rows(call)
        if not 0 < len(rows) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        if len({(row.text("instId"), row.text("marginMode")) for row in rows}) > 1:
            raise Rejected(Reason.BAD_PARAMETER, "instId")
        for row in rows:
            self._plain_ticket(row)
        return _told_of_list([self._try(row, self._place, "orderId") for row in rows])

    @route("POST /api/v1/trade/order-tpsl", trading=True, costs=TRADING)
    def place_tpsl(self, call: Call) -> Any:
        return _frame(self._try(call, self._place_tpsl, "tpslId"))

    @route("POST /api/v1/trade/order-algo", trading=True, costs=TRADING)
    def place_trigger(self, call: Call) -> Any:
        return _frame(self._try(call, self._place_trigger, "algoId"))

    @route("POST /api/v1/trade/close-position", trading=True, costs=TRADING)
    def close_position(self, call: Call) -> Any:
        """All of it, at market."""
        market, side = (
            self.desk.market(call.text("instId")),
            call.one_of("positionSide", POSITION_SIDES, "net"),
        )
        mode = call.one_of("marginMode", MARGIN_MODES)
        position = self.desk.book(call.account).position(market, side)
        if not position.quantity or self.desk.margin_mode(call.account, market) is not mode:
            raise Rejected(Reason.REDUCE_ONLY)
        ticket = Ticket(
            market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=side is None,
            position_side=side,
            client_id=call.text("clientOrderId", ""),
            extra={"orderType": "market", "mode": mode, "size": abs(position.quantity)},
        )
        self.desk.place(call.account, ticket)
        told = {"instId": market.symbol, "positionSide": call.text("positionSide", "net")}
        return _frame(told | {"clientOrderId": ticket.client_id})

    @route("POST /api/v1/trade/cancel-order", trading=True, costs=TRADING)
    def cancel(self, call: Call) -> Any:
        return _frame(self._try(call, self._cancel, "orderId"))

    @route("POST /api/v1/trade/cancel-batch-orders", trading=True, costs=TRADING)
    def cancel_batch(self, call: Call) -> Any:
        return _frame([self._try(row, self._cancel, "orderId") for row in _rows(call)])

    @route("POST /api/v1/trade/cancel-tpsl", trading=True, costs=TRADING)
    def cancel_tpsl(self, call: Call) -> Any:
        return _frame([self._try(row, self._cancel_tpsl, "tpslId") for row in _rows(call)])

    @route("POST /api/v1/trade/cancel-algo", trading=True, costs=TRADING)
    def cancel_trigger(self, call: Call) -> Any:
        return _frame(self._try(call, self._cancel_trigger, "algoId"))

    def _try(self, call: Call, act: Callable[[Call], str], id_name: str) -> dict[str, Any]:
        """The row that tells of one order; what is wrong with the call itself refuses the whole."""
        found, code, words = None, "0", ""
        try:
            found = act(call)
        except Rejected as refused:
            code, words = _refusal(refused.reason, refused.detail)
            if len(code) == 6 and code > "150004":
                raise
        return {id_name: found, "clientOrderId": call.text("clientOrderId", ""), "code": code, "msg": words}

    def _place(self, call: Call) -> str:
        ticket = self._plain_ticket(call)
        self._check_margin_mode(call.account, ticket)
        return self.desk.place(call.account, ticket).id

    def _plain_ticket(self, call: Call) -> Ticket:
        kind = call.text("orderType")
        ticket = self._ticket(call, call.one_of("orderType", KINDS))
        return replace(
            ticket,
            attached=tuple(self._attached(call, ticket)),
            price=call.decimal("price") if ticket.type is OrderType.LIMIT else None,
            time_in_force=TIMES.get(kind, TimeInForce.GTC),
            post_only=kind == "post_only",
            client_id=call.text("clientOrderId", ""),
        )

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """Its stop and its target, one TP/SL order from the first fill on."""
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPrice", "") and not entry.reduces]
        pair, side, link = list[Order](), entry.side.opposite, f"attached {self.desk.number()}"
        for leg in legs:
            written = call.decimal_or_none(f"{leg}OrderPrice") or AT_MARKET
            price, rises = None if written == AT_MARKET else written, (side is Side.BUY) == (leg == "sl")
            yield replace(
                entry,
                side=side,
                type=CONDITIONALS[rises == (side is Side.BUY), price is not None],
                price=price,
                trigger_price=call.decimal(f"{leg}TriggerPrice"),
                rises=rises,
                reduce_only=entry.position_side is None,
                link=link,
                extra={**entry.extra, "leg": leg, "pair": pair},
            )

    def _ticket(self, call: Call, kind: OrderType) -> Ticket:
        self.desk.market(call.text("instId"))
        amount, mode = call.decimal("size"), call.one_of("marginMode", MARGIN_MODES)
        return Ticket(
            call.text("instId"),
            call.one_of("side", SIDES),
            kind,
            quantity=None if amount == ALL_OF_IT else amount,
            close_position=amount == ALL_OF_IT,
            reduce_only=call.flag("reduceOnly"),
            position_side=call.one_of("positionSide", POSITION_SIDES, "net"),
            extra={"orderType": call.text("orderType", ""), "mode": mode, "size": amount},
        )

    def _check_margin_mode(self, account: Account, ticket: Ticket) -> None:
        """A position is held in one mode; another mode has nothing to close. Two at once are not simulated."""
        book, mode = self.desk.book(account), ticket.extra["mode"]
        market = self.desk.market(ticket.symbol)
        if not any(each.market is market for each in book.open_positions()):
            book.margin_modes[market.symbol] = mode
        elif self.desk.margin_mode(account, market) is not mode:
            raise (
                Rejected(Reason.REDUCE_ONLY)
                if ticket.reduces
                else Rejected(Reason.BAD_PARAMETER, "marginMode")
            )

    def _place_tpsl(self, call: Call) -> str:
        legs = [leg for leg in ("sl", "tp") if call.text(f"{leg}TriggerPrice", "")]
        if not legs:
            raise _answered("152003", "Either parameter tpTriggerPrice or slTriggerPrice is required")
        pair = list[Order]()
        tickets = [
            self._waiting(call, f"{leg}TriggerPrice", f"{leg}OrderPrice", leg, pair, first=leg == legs[0])
            for leg in legs
        ]
        last = self.desk.bid(self.desk.market(call.text("instId")))
        for each in tickets:
            trigger = each.trigger_price or last
            if last >= trigger if each.trigger_rises else last <= trigger:
                raise Rejected(Reason.WOULD_TRIGGER, f"{each.extra['leg']} {each.side}")
        return self._placed(call.account, tickets, pair)

    def _place_trigger(self, call: Call) -> str:
        """It fires on whichever side of the price its trigger lies."""
        if call.text("orderType") != "trigger":
            raise Rejected(Reason.BAD_PARAMETER, "orderType")
        pair = list[Order]()
        ticket = self._waiting(call, "triggerPrice", "orderPrice", "trigger", pair)
        return self._placed(call.account, [ticket], pair)

    def _placed(self, account: Account, tickets: list[Ticket], pair: list[Order]) -> str:
        for each in tickets:
            self._check_margin_mode(account, each)
        pair += self.desk.place_linked(account, tickets)
        return pair[0].id

    def _waiting(
        self,
        call: Call,
        trigger_name: str,
        price_name: str,
        leg: str,
        pair: list[Order],
        *,
        first: bool = True,
    ) -> Ticket:
        """`pair` is shared by the orders of one TP/SL order; the first of them has its name."""
        trigger, written = call.decimal(trigger_name), call.decimal(price_name)
        ticket = self._ticket(call, OrderType.STOP)
        rises = (ticket.side is Side.BUY) == (leg == "sl")
        if leg == "trigger":
            rises = trigger > self.desk.bid(self.desk.market(ticket.symbol))
        price = None if written == AT_MARKET else written
        return replace(
            ticket,
            type=CONDITIONALS[rises == (ticket.side is Side.BUY), price is not None],
            price=price,
            trigger_price=trigger,
            rises=rises,
            client_id=call.text("clientOrderId", "") if first else "",
            link=call.headers["access-sign"],
            extra={**ticket.extra, "leg": leg, "pair": pair},
        )

    def _cancel(self, call: Call) -> str:
        order = self._plain(call)
        if order is None or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        self.desk.cancel(call.account, order)
        return order.live_id or order.id

    def _cancel_tpsl(self, call: Call) -> str:
        return self._cancel_waiting(call, "tpslId")

    def _cancel_trigger(self, call: Call) -> str:
        return self._cancel_waiting(call, "algoId")

    def _cancel_waiting(self, call: Call, id_name: str) -> str:
        pair = self._pair(call, id_name)
        if not pair or not all(order.open and order.waiting for order in pair):
            raise Rejected(Reason.NOT_OPEN)
        self.desk.cancel(call.account, pair[0])
        return pair[0].id

    # -- what became of them -----------------------------------------------------------------------------

    def _plain(self, call: Call) -> Order | None:
        """A plain order, or the one that a conditional order became: by its own id, or by the name of that one."""
        order_id, name = call.text("orderId", ""), call.text("clientOrderId", "")
        if not order_id and not name:
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        order = self.desk.order(call.account, order_id=order_id, client_id=name)
        if order is not None and _conditional(order) and (not order_id or order.live_id != order_id):
            return None
        return order

    def _pair(self, call: Call, id_name: str) -> list[Order]:
        """The one or two orders of a conditional order; [] for an unknown one."""
        given, name = call.text(id_name, ""), call.text("clientOrderId", "")
        if not given and not name:
            raise Rejected(Reason.MISSING_PARAMETER, id_name)
        order = self.desk.order(call.account, order_id=given, client_id=name)
        if order is None or _id_name(order) != id_name or given not in ("", order.id):
            return []
        return list(_pair_of(self.desk, call.account, order))

    @route("GET /api/v1/trade/order-detail", costs=TRADING)
    def detail(self, call: Call) -> Any:
        self.desk.market(call.text("instId"))
        if name := call.text("algoClientOrderId", ""):
            first = self.desk.order(call.account, client_id=name)
            pair = _pair_of(self.desk, call.account, first) if first else []
            order = next((each for each in pair if each.live_id), None)
        else:
            order = self._plain(call)
        return _frame(_order_row(self.desk, call.account, order) if order else None)

    @route("GET /api/v1/trade/order-tpsl-detail", costs=TRADING)
    def tpsl_detail(self, call: Call) -> Any:
        self.desk.market(call.text("instId"))
        pair = self._pair(call, "tpslId")
        return _frame(_waiting_row(self.desk, call.account, pair) if pair else None)

    @route("GET /api/v1/trade/orders-pending", costs=TRADING)
    def pending(self, call: Call) -> Any:
        found = [order for order in self._listed(call) if order.open and not order.waiting]
        return _page(call, [_order_row(self.desk, call.account, order) for order in found], "orderId")

    @route("GET /api/v1/trade/orders-history", costs=TRADING)
    def history(self, call: Call) -> Any:
        """Ended plain orders."""
        ended = [o for o in self._listed(call) if not o.open and (o.live_id or not _conditional(o))]
        return _page(call, [_order_row(self.desk, call.account, order) for order in ended], "orderId")

    @route("GET /api/v1/trade/orders-tpsl-pending", "GET /api/v1/trade/orders-tpsl-history", costs=TRADING)
    def tpsls(self, call: Call) -> Any:
        return self._waiting_rows(call, "tpslId")

    @route("GET /api/v1/trade/orders-algo-pending", "GET /api/v1/trade/orders-algo-history", costs=TRADING)
    def triggers(self, call: Call) -> Any:
        if call.text("orderType") != "trigger":
            raise Rejected(Reason.BAD_PARAMETER, "orderType")
        return self._waiting_rows(call, "algoId")

    @route("GET /api/v1/trade/fills-history", costs=TRADING)
    def fills(self, call: Call) -> Any:
        """Newest first."""
        wanted, number, account = call.text("instId", ""), call.text("orderId", ""), call.account
        since, until = call.integer("begin", 0), call.integer("end", call.now_ms)
        rows = [
            _fill_row(order, fill)
            for fill in reversed(self.desk.book(account).fills)
            if wanted in ("", fill.symbol)
            and since <= fill.time_ms <= until
            and (order := self.desk.order(account, order_id=fill.order_id)) is not None
            and number in ("", order.live_id or order.id)
        ]
        return _page(call, rows, "tradeId")

    def _waiting_rows(self, call: Call, id_name: str) -> Any:
        """Those that wait, or (history) all."""
        wanted, every = call.text(id_name, ""), call.path.endswith("history")
        found = (
            order
            for order in self._listed(call)
            if _id_name(order) == id_name and (every or (order.open and order.waiting))
        )
        listed = (_pair_of(self.desk, call.account, order) for order in found)
        firsts = {pair[0].id: pair for pair in listed}
        pairs = [pair for number, pair in firsts.items() if wanted in ("", number)]
        return _page(call, [_waiting_row(self.desk, call.account, pair) for pair in pairs], id_name)

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        wanted = call.text("instId", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if wanted in ("", order.market.symbol):
                yield order

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v1/account/balance")
    def balance(self, call: Call) -> Any:
        rows = [_balance_row(call.account, coin, call.now_ms) for coin in call.account.wallets[WALLET]]
        return _frame({"ts": str(call.now_ms), "totalEquity": "", "isolatedEquity": "0", "details": rows})

    @route("GET /api/v1/account/positions")
    def positions(self, call: Call) -> Any:
        wanted, held = call.text("instId", ""), self.desk.book(call.account).open_positions()
        return _frame(
            [_position_row(self.desk, call.account, p) for p in held if wanted in ("", p.market.symbol)]
        )

    @route("GET /api/v1/account/position-mode")
    def position_mode(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        mode = next(name for name, each in POSITION_MODES.items() if each is book.position_mode)
        return _frame({"positionMode": mode})

    @route("POST /api/v1/account/set-position-mode", costs=TRADING)
    def set_position_mode(self, call: Call) -> Any:
        try:
            self.desk.set_position_mode(call.account, call.one_of("positionMode", POSITION_MODES))
        except Rejected as refused:
            if refused.reason is not Reason.NOT_MODIFIED:
                raise
        return _frame({"positionMode": call.text("positionMode")})

    @route("GET /api/v1/account/margin-mode")
    def margin_mode(self, call: Call) -> Any:
        """The whole account's; an order may name another."""
        return _frame(
            {"marginMode": self.desk.book(call.account).margin_modes.get("", MarginMode.CROSS).value}
        )

    @route("POST /api/v1/account/set-margin-mode", costs=TRADING)
    def set_margin_mode(self, call: Call) -> Any:
        book, mode = self.desk.book(call.account), call.one_of("marginMode", MARGIN_MODES)
        if book.open or any(book.open_positions()):
            raise Rejected(Reason.HAS_POSITION)
        book.margin_modes[""] = mode
        return _frame({"marginMode": mode.value})

    @route("GET /api/v1/account/leverage-info")
    def leverage(self, call: Call) -> Any:
        return _frame(self._leverages(call)[0])

    @route("GET /api/v1/account/batch-leverage-info")
    def leverages(self, call: Call) -> Any:
        return _frame(self._leverages(call))

    def _leverages(self, call: Call) -> list[dict[str, str]]:
        """In hedge mode one for each side, though both are the same here."""
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        return [
            {
                "instId": symbol,
                "leverage": text(self.desk.leverage(call.account, self.desk.market(symbol))),
                "marginMode": call.text("marginMode"),
                "positionSide": side,
            }
            for symbol in call.text("instId").split(",")
            for side in (("long", "short") if hedged else ("net",))
        ]

    @route("POST /api/v1/account/set-leverage", costs=TRADING)
    def set_leverage(self, call: Call) -> Any:
        mode, side = call.one_of("marginMode", MARGIN_MODES), call.text("positionSide", "net")
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        if mode is MarginMode.ISOLATED and hedged != (side != "net"):
            raise Rejected(Reason.MISSING_PARAMETER, "positionSide")
        for order in self.desk.book(call.account).open.values():
            if (order.market.symbol, order.waiting) == (call.text("instId"), False):
                raise _answered(
                    "110006",
                    f"You have pending {mode} orders. Please cancel them before adjusting your leverage.",
                )
        self.desk.set_leverage(call.account, call.text("instId"), call.decimal("leverage"))
        told = {name: call.text(name) for name in ("leverage", "marginMode", "instId")}
        return _frame(told | {"positionSide": side})

    @route("GET /api/v1/asset/balances")
    def balances(self, call: Call) -> Any:
        """Of one kind of account; there is money in that for futures."""
        if call.text("accountType") != "futures":
            return _frame([])
        rows = []
        for coin in sorted(call.account.wallets[WALLET]):
            total, free = call.account.total(WALLET, coin), call.account.free(WALLET, coin)
            amounts = {"balance": text(total), "available": text(free), "frozen": text(total - free)}
            rows.append({"currency": coin, **amounts, "bonus": "0"})
        return _frame(rows)

    @route("GET /api/v1/asset/currencies")
    def currencies(self, call: Call) -> Any:
        moves = dict.fromkeys(("isDepositAvailable", "isWithdrawAvailable"), 0)
        coins = sorted(call.account.wallets[WALLET])
        return _frame(
            [{"currency": coin, "chain": "ERC20", "withdrawPrecision": 8, **moves} for coin in coins]
        )

    @route("GET /api/v1/user/query-apikey")
    def key(self, call: Call) -> Any:
        reads = 0 if "trade" in call.account.permissions else 1
        key = {"uid": "1", "apiName": "sandbox", "apiKey": call.account.key, "readOnly": reads, "type": 1}
        return _frame(key | {"ips": [], "expireTime": "0", "createTime": "0", "parentUid": "0"})


# -- how things are written ------------------------------------------------------------------------------


def _frame(data: Any, code: str = "0", words: str = "success") -> dict[str, Any]:
    return {"code": code, "msg": words, "data": data}


def _told_of_list(rows: list[dict[str, Any]]) -> dict[str, Any]:
    failed = sum(row["code"] != "0" for row in rows)
    if not failed:
        return _frame(rows, words="")
    if failed < len(rows):
        return _frame(rows, "2", "Batch operation partially succeeded.")
    return _frame(rows, "1", "All operations failed")


def _answered(code: str, words: str) -> Answered:
    return Answered(Reply({"code": code, "msg": words}))


def _refusal(reason: Reason, detail: str) -> tuple[str, str]:
    if reason is Reason.WOULD_TRIGGER:
        return CROSSED.get(detail, REFUSALS[Reason.BAD_PARAMETER])
    code, words = REFUSALS.get(reason, REFUSALS[Reason.BAD_PARAMETER])
    return code, words.format(detail)


def _rows(call: Call) -> list[Call]:
    """A call for each entry of a body that is a list."""
    rows = call.body_params.get("")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise Rejected(Reason.BAD_PARAMETER, "body")
    return [replace(call, body=encode(row)) for row in rows]


def _page(call: Call, rows: list[dict[str, Any]], id_name: str) -> dict[str, Any]:
    ids, after = [row[id_name] for row in rows], call.text("after", "")
    first = ids.index(after) + 1 if after in ids else 0
    return _frame(rows[first : first + call.integer("limit", 20)])


def _pair_of(desk: Desk, account: Account, order: Order) -> list[Order]:
    """The orders of one TP/SL order, [] for a plain one; those that came with an entry find each other here."""
    pair: list[Order] = order.ticket.extra.get("pair", [])
    if not pair:
        known = desk.book(account).orders.values()
        pair += [each for each in known if _conditional(order) and each.ticket.extra.get("pair") is pair]
    return pair


def _conditional(order: Order) -> bool:
    return "pair" in order.ticket.extra


def _id_name(order: Order) -> str:
    """What the id of an order is called: conditional ones of two kinds are numbered apart."""
    return {"trigger": "algoId", "": "orderId"}.get(order.ticket.extra.get("leg", ""), "tpslId")


def _padded(value: Decimal | None) -> str:
    return text(value, 18)


def _market_row(market: Market) -> dict[str, Any]:
    return {
        "instId": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "settleCurrency": market.quote,
        "contractValue": text(market.contract_size),
        "listTime": "1638333031000",
        "expireTime": "0",
        "maxLeverage": text(market.max_leverage),
        "minSize": text(market.min_quantity),
        "lotSize": text(market.step),
        "tickSize": text(market.tick),
        "instType": "SWAP",
        "contractType": "linear",
        "maxLimitSize": text(market.max_quantity),
        "maxMarketSize": text(market.max_market_quantity),
        "state": "live",
    }


def _common_row(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "instId": order.market.symbol,
        "marginMode": ticket.extra["mode"].value,
        "positionSide": ticket.position_side or "net",
        "side": ticket.side.value,
        "reduceOnly": "true" if ticket.reduce_only else "false",
        "leverage": text(desk.leverage(account, order.market)),
        "createTime": str(order.created_ms),
        "updateTime": str(order.updated_ms),
        "brokerId": "",
    }


def _order_row(desk: Desk, account: Account, order: Order) -> dict[str, Any]:
    """A plain order, or the one that a conditional order became."""
    waited, leg = _conditional(order), order.ticket.extra.get("leg", "")
    kind = "market" if order.price is None else "limit" if waited else order.ticket.extra["orderType"]
    state = "partially_filled" if order.filled else "live"
    if not order.open:
        state = ENDED.get(order.status, "partially_canceled" if order.filled else "canceled")
    first = _pair_of(desk, account, order)[0] if waited else None
    reason = order.reason if state.endswith("canceled") else None
    return _common_row(desk, account, order) | {
        "orderId": order.live_id or order.id,
        "clientOrderId": "" if waited else order.client_id,
        "orderType": kind,
        "price": _padded(order.price),
        "size": _padded(order.quantity),
        "state": state,
        "filledSize": _padded(order.filled),
        "filled_amount": _padded(order.filled * order.market.contract_size),
        "averagePrice": _padded(order.average_price),
        "fee": _padded(sum(order.fees().values(), D(0))),
        "pnl": _padded(sum((fill.realised for fill in order.fills), D(0))),
        "orderCategory": leg if leg in ("sl", "tp") else "normal",
        "algoId": first.id if first else "",
        "algoClientOrderId": first.client_id if first else "",
        "cancelSourceReason": reason,
        **dict.fromkeys(("tpTriggerPrice", "tpOrderPrice", "slTriggerPrice", "slOrderPrice")),
        **{
            f"{each.extra['leg']}{name}": told
            for each in order.ticket.attached
            for name, told in _leg_prices(each)
        },
    }


def _leg_prices(leg: Ticket) -> Iterator[tuple[str, str]]:
    yield "TriggerPrice", _padded(leg.trigger_price)
    yield "OrderPrice", text(leg.price or AT_MARKET)


def _fill_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "instId": fill.symbol,
        "tradeId": str(fill.id),
        "orderId": order.live_id or order.id,
        "fillPrice": _padded(fill.price),
        "fillSize": _padded(fill.quantity),
        "fillPnl": _padded(fill.realised),
        "positionSide": fill.position_side or "net",
        "side": fill.side.value,
        "fee": _padded(fill.fee),
        "ts": str(fill.time_ms),
        "brokerId": "",
    }


def _waiting_row(desk: Desk, account: Account, pair: list[Order]) -> dict[str, Any]:
    first, fired = pair[0], next((order for order in pair if order.live_id), None)
    state = "live" if all(order.open for order in pair) else "canceled"
    if fired is not None:
        state = "order_failed" if fired.status is OrderStatus.REJECTED else "effective"
    row = _common_row(desk, account, first) | {
        _id_name(first): first.id,
        "clientOrderId": first.client_id,
        "size": text(first.ticket.extra["size"]),
        "state": state,
        "actualSize": text(fired.quantity) if fired else None,
    }
    if first.ticket.extra["leg"] == "trigger":
        price = text(first.ticket.price or AT_MARKET)
        return row | {
            "orderType": "trigger",
            "triggerPrice": _padded(first.trigger_price),
            "orderPrice": price,
            "triggerPriceType": "last",
            "attachAlgoOrders": [],
        }
    row |= dict.fromkeys(("tpTriggerPrice", "tpOrderPrice", "slTriggerPrice", "slOrderPrice"))
    for order in pair:
        leg = order.ticket.extra["leg"]
        row[f"{leg}TriggerPrice"] = _padded(order.trigger_price)
        row[f"{leg}OrderPrice"] = text(order.ticket.price or AT_MARKET)
    return row


def _position_row(desk: Desk, account: Account, position: Position) -> dict[str, Any]:
    mark, market = desk.bid(position.market), position.market
    held = text(position.quantity if position.side is None else abs(position.quantity))
    leverage, profit = desk.leverage(account, market), position.unrealised(mark)
    return {
        "positionId": str(position.updated_ms),
        "instId": market.symbol,
        "instType": "SWAP",
        "marginMode": desk.margin_mode(account, market).value,
        "positionSide": position.side or "net",
        "adl": "1",
        "positions": held,
        "availablePositions": held,
        "averagePrice": _padded(position.entry_price),
        "markPrice": text(mark),
        "marginRatio": "100",
        "liquidationPrice": "",
        "unrealizedPnl": text(profit),
        "unrealizedPnlRatio": "0",
        "initialMargin": text(position.notional(position.entry_price) / leverage),
        "maintenanceMargin": "0",
        "createTime": str(position.updated_ms),
        "updateTime": str(position.updated_ms),
        "leverage": text(leverage),
    }


def _balance_row(account: Account, coin: str, now_ms: int) -> dict[str, Any]:
    total, free = account.total(WALLET, coin), text(account.free(WALLET, coin))
    profit, locked = account.unrealised(WALLET, coin), text(account.locked(WALLET, coin))
    return {
        "currency": coin,
        "equity": text(total + profit),
        "balance": text(total),
        "ts": str(now_ms),
        "isolatedEquity": "0",
        "available": free,
        "availableEquity": free,
        "frozen": locked,
        "orderFrozen": locked,
        "equityUsd": text(total + profit),
        "isolatedUnrealizedPnl": "0",
        "bonus": "0",
    }
