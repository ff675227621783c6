"""BitMEX as its clients see it: one address for spot and perpetuals, quantities in contracts, refusals in words, and
answers that leave out what they have nothing to say of. Documented at https://www.bitmex.com/api/explorer/.

Here linear perpetuals, XBTUSD and spot exist, and money in four currencies. Whether spot takes its fee from the coins bought,
and whether its waiting orders hold coins, is not documented in what we read: both are so here, the harder case for a client.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, ClientIds, Fill, Market, Order, Reason, Rejected, Rules, Ticket
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
API = "/api/v1"
WALLET = "bitmex"
SIDES = {side.value.capitalize(): side for side in Side}
TYPES = {
    "Market": OrderType.MARKET,
    "Limit": OrderType.LIMIT,
    "Stop": OrderType.STOP,
    "StopLimit": OrderType.STOP_LIMIT,
    "MarketIfTouched": OrderType.TAKE_PROFIT,
    "LimitIfTouched": OrderType.TAKE_PROFIT_LIMIT,
}
TIMES = {
    "GoodTillCancel": TimeInForce.GTC,
    "Day": TimeInForce.GTC,
    "ImmediateOrCancel": TimeInForce.IOC,
    "FillOrKill": TimeInForce.FOK,
}
TRIGGERS = {"LastPrice": TriggerBy.LAST, "MarkPrice": TriggerBy.MARK, "IndexPrice": TriggerBy.INDEX}
INSTRUCTIONS = {*TRIGGERS, "ReduceOnly", "Close", "ParticipateDoNotInitiate"}
STRATEGIES = {"OneWay": None, "Long": Direction.LONG, "Short": Direction.SHORT}
STRATEGY_OF = {side: name for name, side in STRATEGIES.items()}
STATES = {
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELLED: "Canceled",
    OrderStatus.REJECTED: "Rejected",
    OrderStatus.EXPIRED: "Canceled",
}
#: asset in the common spelling -> the exchange's, its currency, decimals of that
MONEY = {
    "BTC": ("XBT", "XBt", 8),
    "USDT": ("USDT", "USDt", 6),
    "ETH": ("ETH", "Gwei", 9),
    "SOL": ("SOL", "LAMp", 9),
}
#: reason -> words, HTTP status
REFUSALS = {
    Reason.NO_KEY: ("Authorization Required", 401),
    Reason.BAD_KEY: ("Invalid API Key.", 401),
    Reason.BAD_SIGNATURE: ("Signature not valid.", 401),
    Reason.BAD_TIMESTAMP: ("This request has expired - `expires` is in the past. Current time: {}", 401),
    Reason.NO_PERMISSION: ("Access Denied", 403),
    Reason.MAINTENANCE: ("Service unavailable", 503),
    Reason.INTERNAL: ("Server Error", 500),
    Reason.UNKNOWN_PATH: ("Not Found", 404),
    Reason.MISSING_PARAMETER: ("'{}' is a required arg.", 400),
    Reason.UNKNOWN_SYMBOL: ("Invalid symbol", 400),
    Reason.PRICE_TICK: ("Invalid price tickSize", 400),
    Reason.TRIGGER_TICK: ("Invalid stopPx tickSize", 400),
    Reason.QUANTITY_STEP: ("Order quantity must be a multiple of lot size: Invalid orderQty", 400),
    Reason.MIN_QUANTITY: ("Invalid orderQty", 400),
    Reason.MAX_QUANTITY: ("Invalid orderQty", 400),
    Reason.DUPLICATE: ("Duplicate clOrdID", 400),
    Reason.INSUFFICIENT: ("Account has insufficient Available Balance, 1 {} required", 400),
    Reason.POSITION_MODE: ("Invalid strategy", 400),
    Reason.WOULD_TRIGGER: ("Invalid stopPx for ordType", 400),
    Reason.STOP_REFUSED: ("Too many stop orders", 400),
    Reason.TOO_MANY_ORDERS: ("Too many open orders", 400),
    Reason.UNKNOWN_ORDER: ("Invalid orderID", 400),
    Reason.NOT_OPEN: ("Invalid ordStatus", 400),
    Reason.LEVERAGE: ("Invalid leverage", 400),
    Reason.HAS_OPEN_ORDERS: ("Account has open orders", 400),
    Reason.HAS_POSITION: ("Account has open positions", 400),
    Reason.NOT_MODIFIED: ("Account has that position mode", 400),
}
#: why an order was cancelled, in `text`: support.bitmex.com, article 5905389229981
ENDINGS = {
    Reason.POST_ONLY: "Canceled: Order had execInst of ParticipateDoNotInitiate",
    Reason.REDUCE_ONLY: "Canceled: Order had execInst of Close or ReduceOnly but current position is 0",
    Reason.NOT_FILLABLE: "Canceled: Order had timeInForce of FillOrKill",
    Reason.INSUFFICIENT: "Rejected: Account has insufficient Available Balance",
    "unfilled": "Canceled: Order had ordType of Market",
    "user": "Canceled\nCanceled via API.",
}
#: of an order, as they follow each other
EVENTS = ("New", "Trade", "Canceled")
#: base, tick, contracts in a coin and in a lot; quoted and paid out in USDT
PERPETUALS = (
    ("BTC", "0.1", 1_000_000, 100),
    ("ETH", "0.01", 100_000, 1000),
    ("SOL", "0.01", 10_000, 1000),
    ("XRP", "0.0001", 100, 1000),
    ("DOGE", "0.00001", 10, 1000),
    ("LTC", "0.01", 10_000, 1000),
)
#: margined in its coin: contracts of a dollar, in lots
INVERSE = Market(
    "XBTUSD",
    "BTC",
    "USD",
    Product.INVERSE,
    D("0.1"),
    D(100),
    D(100),
    max_quantity=D(10_000_000),
    max_market_quantity=D(10_000_000),
    extra={"name": "XBT", "per_coin": 1, "lot": 100},
)
#: products that have positions
FUTURES = (Product.LINEAR, Product.INVERSE)
PAIRS = (("BTC", "0.1", 1000), ("ETH", "0.01", 1_000_000), ("SOL", "0.01", 10_000_000))


def _market(product: Product, base: str, tick: str, per_coin: int, lot: int) -> Market:
    """In coins: only what goes over the wire counts contracts."""
    name, step = "XBT" if base == "BTC" else base, D(lot) / per_coin
    joint, most = "_" if product is Product.SPOT else "", D(100_000_000) * lot / per_coin
    told = {"name": name, "per_coin": per_coin, "lot": lot}
    return Market(
        f"{name}{joint}USDT", base, "USDT", product, D(tick), step, step, ZERO, most, most, extra=told
    )


class _BitMEX(Dialect):
    family = "bitmex"
    limits = (
        Limit("requests", "requests", 120, 60, decay_per_second="2"),
        Limit("orders", "orders", 10, 1),
        Limit("public", "public", 30, 60, Owner.ADDRESS, decay_per_second="0.5"),
    )
    default_costs = {"requests": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(18), secrets.token_urlsafe(36), ""

    def authenticate(self, call: Call) -> Account:
        key, expires = self.key_of(call), call.headers.get("api-expires", "")
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if not expires.isdigit() or int(expires) * 1000 < call.now_ms:
            raise Rejected(Reason.BAD_TIMESTAMP, str(call.now_ms // 1000))
        query, given = f"?{call.query}" if call.query else "", call.headers.get("api-signature", "").lower()
        signed = (f"{call.method}{path}{query}{expires}".encode() + call.body for path in call.signed_paths)
        wanted = (hmac.new(account.secret.encode(), each, hashlib.sha256).hexdigest() for each in signed)
        if not any(hmac.compare_digest(each.encode(), given.encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        words, status = REFUSALS.get(reason, ("Invalid {}", 400))
        name = "ValidationError" if reason is Reason.INSUFFICIENT else "HTTPError"
        return _error(words.format(detail), name, status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        seconds = exceeded.retry_after_seconds
        reply = _error(f"Rate limit exceeded, retry in {seconds} seconds.", "RateLimitError", 429)
        reply.headers |= {"retry-after": str(seconds), "x-ratelimit-remaining": "0"}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        told = {}
        for limit in self.limits:
            if limit.name in used:
                left = str(max(limit.capacity - used[limit.name], 0))
                if limit.name == "orders":
                    told["x-ratelimit-remaining-1s"] = left
                else:
                    told |= {"x-ratelimit-limit": str(limit.capacity), "x-ratelimit-remaining": left}
        return told

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {API}", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return {"name": "BitMEX API", "version": "2.0.0", "timestamp": call.now_ms}

    @route(f"GET {API}/instrument/active", public=True, costs={"public": 1})
    def active(self, call: Call) -> Any:
        return [self._instrument(market, call) for market in self._markets()]

    @route(f"GET {API}/instrument", public=True, costs={"public": 1})
    def instrument(self, call: Call) -> Any:
        wanted = call.text("symbol", "")
        return [self._instrument(each, call) for each in self._markets() if wanted in ("", each.symbol)]

    @route(f"GET {API}/orderBook/L2", public=True, costs={"public": 1})
    def order_book(self, call: Call) -> Any:
        """What is sold first, from the highest price down."""
        market = self._market(call)
        desk, size = self.desks[market.product], self._contracts(market, market.max_quantity)
        prices = {"Sell": desk.ask(market), "Buy": desk.bid(market)}
        told = {"symbol": market.symbol, "size": size, "timestamp": _instant(call.now_ms)}
        return [
            told | {"id": int(price * 100), "side": side, "price": price} for side, price in prices.items()
        ]

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _instrument(self, market: Market, call: Call) -> dict[str, Any]:
        desk, spot = self.desks[market.product], market.product is Product.SPOT
        last, ask = desk.bid(market), desk.ask(market)
        row: dict[str, Any] = {
            "symbol": market.symbol,
            "rootSymbol": market.extra["name"],
            "state": "Open",
            "typ": "IFXXXP" if spot else "FFWCSX",
            "positionCurrency": "" if spot else "USD" if market.inverse else market.extra["name"],
            "underlying": market.extra["name"],
            "quoteCurrency": market.quote,
            "settlCurrency": "" if spot else MONEY[market.settle][1],
            "maxOrderQty": self._contracts(market, market.max_quantity),
            "maxPrice": 1_000_000,
            "lotSize": market.extra["lot"],
            "tickSize": market.tick,
            **_multipliers(market),
            "isQuanto": False,
            "isInverse": market.inverse,
            "makerFee": desk.rules.maker_fee,
            "takerFee": desk.rules.taker_fee,
            **dict.fromkeys(("lastPrice", "bidPrice", "midPrice"), last),
            "askPrice": ask,
            "timestamp": _instant(call.now_ms),
        }
        return row if spot else row | {"initMargin": 1 / market.max_leverage, "markPrice": last}

    @route(f"GET {API}/wallet/assets", public=True, costs={"public": 1})
    def assets(self, call: Call) -> Any:
        common = {"currencyType": "Crypto", "enabled": True, "isMarginCurrency": True, "networks": []}
        return [
            {
                "asset": asset,
                "currency": currency,
                "majorCurrency": asset,
                "name": asset,
                "scale": scale,
                **common,
            }
            for asset, currency, scale in MONEY.values()
        ]

    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def place(self, call: Call) -> Any:
        market = self._market(call)
        order = self.desks[market.product].place(call.account, self._ticket(call, market))
        return self._row(order, call)

    def _market(self, call: Call) -> Market:
        wanted = call.text("symbol")
        found = next((market for market in self._markets() if market.symbol == wanted), None)
        if found is None:
            raise Rejected(Reason.UNKNOWN_SYMBOL, wanted)
        return found

    def _ticket(self, call: Call, market: Market) -> Ticket:
        told = set(filter(None, call.text("execInst", "").split(",")))
        kind = call.one_of("ordType", TYPES, "Limit" if call.text("price", "") else "Market")
        if told - INSTRUCTIONS or ("ParticipateDoNotInitiate" in told and kind is OrderType.MARKET):
            raise Rejected(Reason.BAD_PARAMETER, "execInst")
        spot = market.product is Product.SPOT
        if spot and told & {"ReduceOnly", "Close"}:
            raise Rejected(Reason.BAD_PARAMETER, "execInst")
        if len(call.text("clOrdID", "")) > 36:
            raise Rejected(Reason.BAD_PARAMETER, "clOrdID")
        strategy = None if spot else call.one_of("strategy", STRATEGIES, "OneWay")
        limited = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        quantity, whole = self._quantity(
            call, market, strategy, conditional=kind.conditional, close="Close" in told
        )
        return Ticket(
            symbol=market.symbol,
            side=self._side(call, market, strategy, close="Close" in told),
            type=kind,
            quantity=quantity,
            close_position=whole,
            price=call.decimal("price") if limited else None,
            trigger_price=call.decimal("stopPx") if kind.conditional else None,
            trigger_by=next((by for name, by in TRIGGERS.items() if name in told), TriggerBy.MARK),
            time_in_force=call.one_of("timeInForce", TIMES, "GoodTillCancel"),
            post_only="ParticipateDoNotInitiate" in told,
            reduce_only=bool(told & {"ReduceOnly", "Close"}),
            position_side=strategy,
            client_id=call.text("clOrdID", ""),
            extra={"execInst": call.text("execInst", ""), "timeInForce": call.text("timeInForce", "")},
        )

    def _side(self, call: Call, market: Market, strategy: Direction | None, *, close: bool) -> Side:
        """Where none is named: a quantity below zero sells, and what closes goes against its position."""
        if call.text("side", ""):
            side: Side = call.one_of("side", SIDES)
            return side
        if close:
            return (
                self.desks[market.product].book(call.account).position(market, strategy).direction.exit_side
            )
        return Side.SELL if (call.decimal_or_none("orderQty") or ZERO) < 0 else Side.BUY

    def _quantity(
        self, call: Call, market: Market, strategy: Direction | None, *, conditional: bool, close: bool
    ) -> tuple[Decimal | None, bool]:
        """In coins, and whether it is whatever the position is when the order triggers. A "Close" without
        quantity closes everything."""
        contracts = call.decimal_or_none("orderQty")
        if contracts is not None:
            return abs(contracts) / market.extra["per_coin"], False
        if not close:
            raise Rejected(Reason.MISSING_PARAMETER, "orderQty")
        if conditional:
            return None, True
        held = self.desks[market.product].book(call.account).position(market, strategy)
        return abs(held.quantity) or market.step, False

    @route(f"PUT {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def amend(self, call: Call) -> Any:
        order = self._known(call, call.text("orderID", ""), call.text("origClOrdID", ""))
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        contracts = call.decimal_or_none("orderQty")
        changed = self.desks[order.market.product].amend(
            call.account,
            order,
            quantity=None if contracts is None else contracts / order.market.extra["per_coin"],
            price=call.decimal_or_none("price"),
            trigger_price=call.decimal_or_none("stopPx"),
        )
        return self._row(changed, call)

    @route(f"DELETE {API}/order", trading=True, costs={"requests": 1, "orders": 1})
    def cancel(self, call: Call) -> Any:
        named = [(name, each) for name in ("orderID", "clOrdID") for each in _listed(call.params.get(name))]
        if not named:
            raise Rejected(Reason.MISSING_PARAMETER, "orderID")
        return [self._cancelled(call, name, each) for name, each in named]

    def _cancelled(self, call: Call, name: str, value: str) -> dict[str, Any]:
        order = self._known(call, *((value, "") if name == "orderID" else ("", value)))
        if order is not None and order.open:
            return self._row(self.desks[order.market.product].cancel(call.account, order), call)
        why = f" due to existing state: {STATES[order.status]}" if order else ""
        told = {"account": 1, name: value, "timestamp": _instant(call.now_ms)}
        return {**told, "error": f"Unable to cancel order{why}"}

    def _known(self, call: Call, order_id: str, client_id: str) -> Order | None:
        found = (
            desk.order(call.account, order_id=order_id, client_id=client_id) for desk in self.desks.values()
        )
        return next((order for order in found if order is not None), None)

    @route(f"DELETE {API}/order/all", trading=True, costs={"requests": 1, "orders": 1})
    def cancel_all(self, call: Call) -> Any:
        wanted = call.text("symbol", "") or None
        ended = [order for desk in self.desks.values() for order in desk.cancel_all(call.account, wanted)]
        return [self._row(order, call) for order in ended]

    @route(f"GET {API}/order")
    def orders(self, call: Call) -> Any:
        """Oldest first, unless `reverse`; `filter` names values of the rows, and `open`."""
        wanted, symbol = _filter(call), call.text("symbol", "")
        still = wanted.pop("open", False)
        books = (desk.book(call.account) for desk in self.desks.values())
        held = [order for book in books for order in (book.open if still else book.orders).values()]
        held = [order for order in held if self.desks[order.market.product].remembers(order)]
        held.sort(key=lambda order: order.sequence, reverse=call.flag("reverse"))
        rows = (self._row(order, call) for order in held if symbol in ("", order.market.symbol))
        found = [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]
        start = call.integer("start", 0)
        return found[start : start + min(call.integer("count", 100), 500)]

    @route(f"GET {API}/execution")
    def executions(self, call: Call) -> Any:
        """Beside the trades what came in and what was cancelled."""
        books = (desk.book(call.account) for desk in self.desks.values())
        orders = [order for book in books for order in book.orders.values()]
        placed = [_event(order, "New", order.created_ms) for order in orders]
        ended = [_event(o, "Canceled", o.updated_ms) for o in orders if o.status is OrderStatus.CANCELLED]
        symbol = call.text("symbol", "")
        told = [row for row in (*placed, *ended) if symbol in ("", row["symbol"])]
        return self._executions(call, told)

    @route(f"GET {API}/execution/tradeHistory")
    def trade_history(self, call: Call) -> Any:
        """Trades only: funding and settlements are not simulated."""
        return self._executions(call, [])

    def _executions(self, call: Call, others: list[dict[str, Any]]) -> Any:
        """Oldest first, unless `reverse`."""
        symbol, since = call.text("symbol", ""), call.text("startTime", "")
        if symbol:
            self._market(call)
        found = [
            _execution(order, fill, self._contracts(order.market, fill.quantity))
            for book in (desk.book(call.account) for desk in self.desks.values())
            for fill in book.fills
            if symbol in ("", fill.symbol)
            and _instant(fill.time_ms) >= since
            and (order := book.orders.get(fill.order_id)) is not None
        ]
        found += [row for row in others if row["transactTime"] >= since]
        found.sort(key=lambda row: (row["transactTime"], EVENTS.index(row["execType"])))
        if call.flag("reverse"):
            found.reverse()
        wanted = _filter(call)
        rows = [row for row in found if all(row.get(name) == value for name, value in wanted.items())]
        start = call.integer("start", 0)
        return rows[start : start + min(call.integer("count", 100), 500)]

    def _row(self, order: Order, call: Call) -> dict[str, Any]:
        ticket, market, ended = order.ticket, order.market, not order.open
        whole = ticket.close_position and order.waiting
        row = {
            "account": 1,
            "orderID": order.id,
            "clOrdID": order.client_id or None,
            "symbol": market.symbol,
            "side": ticket.side.value.capitalize(),
            "orderQty": None if whole else self._contracts(market, order.quantity),
            "price": order.price if order.price is not None else order.average_price,
            "stopPx": order.trigger_price,
            "currency": market.quote,
            "settlCurrency": None if market.product is Product.SPOT else MONEY[market.settle][1],
            "ordType": next(name for name, kind in TYPES.items() if kind is ticket.type),
            "timeInForce": ticket.extra["timeInForce"] or _time(ticket),
            "execInst": ticket.extra["execInst"] or None,
            "ordStatus": STATES.get(order.status, "PartiallyFilled" if order.filled else "New"),
            "triggered": "StopOrderTriggered" if order.triggered_ms is not None else None,
            "workingIndicator": order.open and not order.waiting,
            "leavesQty": ZERO if ended or whole else self._contracts(market, order.remaining),
            "cumQty": self._contracts(market, order.filled),
            "avgPx": order.average_price,
            "strategy": STRATEGY_OF[ticket.position_side],
            "pool": "Primary",
            "text": _text(order),
            "transactTime": _instant(order.updated_ms),
            "timestamp": _instant(order.updated_ms),
        }
        return {name: value for name, value in row.items() if value is not None}

    @staticmethod
    def _contracts(market: Market, quantity: Decimal) -> Decimal:
        per_coin: int = market.extra["per_coin"]
        return (quantity * per_coin).to_integral_value()

    # -- account ---------------------------------------------------------------------------------------

    @route(f"GET {API}/position")
    def positions(self, call: Call) -> Any:
        """All that ever were, closed ones too."""
        wanted, books = _filter(call), [self.desks[each].book(call.account) for each in FUTURES]
        rows = [self._position(call, each) for book in books for each in book.positions.values()]
        return [row for row in rows if all(row.get(name) == value for name, value in wanted.items())]

    def _position(self, call: Call, position: Position) -> dict[str, Any]:
        market, desk = position.market, self.desks[position.market.product]
        mark, unit = desk.bid(market), 10 ** MONEY[market.settle][2]
        coins, money = position.quantity, -position.quantity * mark
        if market.inverse:
            coins, money = position.quantity / mark, -position.quantity
        leverage = desk.leverage(call.account, market)
        row = {
            "account": 1,
            "symbol": market.symbol,
            "strategy": STRATEGY_OF[position.side],
            "currency": MONEY[market.settle][1],
            "underlying": market.extra["name"],
            "quoteCurrency": market.quote,
            "initMarginReq": (1 / leverage).quantize(D("0.0001")),
            "leverage": leverage,
            "crossMargin": desk.margin_mode(call.account, market) is MarginMode.CROSS,
            "currentQty": self._contracts(market, position.quantity),
            "isOpen": bool(position.quantity),
            "markPrice": mark,
            "homeNotional": coins,
            "foreignNotional": money,
            "unrealisedPnl": (position.unrealised(mark) * unit).to_integral_value(),
            "avgEntryPrice": position.entry_price if position.quantity else None,
            "timestamp": _instant(call.now_ms),
        }
        return {name: value for name, value in row.items() if value is not None}

    @route(f"POST {API}/position/leverage", trading=True, costs={"requests": 1, "orders": 1})
    def leverage(self, call: Call) -> Any:
        """Isolated margin; 0 is cross margin."""
        leverage = call.decimal("leverage")
        return self._setting(call, MarginMode.ISOLATED if leverage else MarginMode.CROSS, leverage)

    @route(f"POST {API}/position/crossLeverage", trading=True)
    def cross_leverage(self, call: Call) -> Any:
        return self._setting(call, None, call.decimal("crossLeverage"))

    @route(f"POST {API}/position/isolate", trading=True, costs={"requests": 1, "orders": 1})
    def isolate(self, call: Call) -> Any:
        return self._setting(call, MarginMode.ISOLATED if call.flag("enabled") else MarginMode.CROSS, ZERO)

    def _setting(self, call: Call, mode: MarginMode | None, leverage: Decimal) -> dict[str, Any]:
        """Open orders and positions do not stand in the way."""
        market, symbol = self._market(call), call.text("symbol")
        desk = self.desks[market.product]
        book = desk.book(call.account)
        if leverage:
            desk.set_leverage(call.account, symbol, leverage)
        if mode is not None:
            book.margin_modes[symbol] = mode
        side = Direction.LONG if book.position_mode is PositionMode.HEDGE else None
        return self._position(call, book.position(market, side))

    @route(f"GET {API}/user")
    def user(self, call: Call) -> Any:
        hedged = self.desks[Product.LINEAR].book(call.account).position_mode is PositionMode.HEDGE
        return {
            "id": 1,
            "username": "trader",
            "accountId": 1,
            **({"positionMode": "MultiWay"} if hedged else {}),
        }

    @route(f"POST {API}/user/positionMode")
    def position_mode(self, call: Call) -> Any:
        """What is not named is one-way."""
        words = {"MultiWay": PositionMode.HEDGE, "OneWay": PositionMode.ONE_WAY}
        mode = call.one_of("positionMode", words, "OneWay")
        desks = [self.desks[each] for each in FUTURES]
        if any(desk.book(call.account).open for desk in desks):
            raise Rejected(Reason.HAS_OPEN_ORDERS)
        if any(desk.book(call.account).open_positions() for desk in desks):
            raise Rejected(Reason.HAS_POSITION)
        for desk in desks:
            desk.set_position_mode(call.account, mode)
        return self.user(call)

    @route(f"GET {API}/user/wallet")
    def wallet(self, call: Call) -> Any:
        """What is in it, without what positions gain."""
        row = self.margin(call)
        names = ("account", "currency", "amount", "timestamp")
        rows = [{name: each[name] for name in names} for each in (row if isinstance(row, list) else [row])]
        return rows if isinstance(row, list) else rows[0]

    @route(f"GET {API}/user/margin")
    def margin(self, call: Call) -> Any:
        wanted = call.text("currency", "XBt")
        rows = [self._margin(call, asset) for asset in call.account.wallets[WALLET] if asset in MONEY]
        if wanted == "all":
            return rows
        found = next((row for row in rows if row["currency"] == wanted), None)
        if found is None:
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        return found

    def _margin(self, call: Call, asset: str) -> dict[str, Any]:
        _, currency, decimals = MONEY[asset]
        account = call.account
        wallet, profit = account.total(WALLET, asset), account.unrealised(WALLET, asset)
        amounts = {
            **dict.fromkeys(("amount", "walletBalance"), wallet),
            "unrealisedPnl": profit,
            "marginBalance": wallet + profit,
            **dict.fromkeys(("excessMargin", "availableMargin"), account.free(WALLET, asset)),
        }
        told = {name: amount.scaleb(decimals).to_integral_value() for name, amount in amounts.items()}
        return {"account": 1, "currency": currency, **told, "timestamp": _instant(call.now_ms)}

    @route(f"GET {API}/apiKey")
    def api_keys(self, call: Call) -> Any:
        may = call.account.permissions
        rights = [right for right, needs in (("order", "trade"), ("withdraw", "withdraw")) if needs in may]
        told = {"name": "flipr", "nonce": 0, "cidr": "", "permissions": rights, "enabled": True, "userId": 1}
        return [{"id": call.account.key, **told, "created": _instant(call.account.created_ms)}]


def _rules(maker: str, taker: str) -> Rules:
    return Rules(
        maker_fee=D(maker),
        taker_fee=D(taker),
        wallet=WALLET,
        client_ids=ClientIds.FOREVER,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.REDUCE_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"order {number}")),
        default_leverage=D(100),
        max_open_orders=200,
        remembers_seconds=3600,
        max_waiting_orders=10,
    )


class BitMEXSpot(_BitMEX):
    name, product = "BitMEX", Product.SPOT
    markets = tuple(_market(Product.SPOT, base, tick, 10 ** MONEY[base][2], lot) for base, tick, lot in PAIRS)
    rules = _rules("0.001", "0.001")


class BitMEXFutures(_BitMEX):
    name, product = "BitMEX_F", Product.LINEAR
    markets = tuple(_market(Product.LINEAR, *each) for each in PERPETUALS)
    rules = _rules("0.0005", "0.0005")


class BitMEXInverse(_BitMEX):
    name, product = "BitMEX_C", Product.INVERSE
    markets = (INVERSE,)
    rules = BitMEXFutures.rules


def _multipliers(market: Market) -> dict[str, int]:
    """What money and positions are counted with; the contract margined in its coin tells the money only."""
    if market.inverse:
        whole = -(10 ** MONEY[market.settle][2])
        return {"multiplier": whole, "underlyingToSettleMultiplier": whole}
    per_coin: int = market.extra["per_coin"]
    return {"multiplier": 1, "underlyingToPositionMultiplier": per_coin, "quoteToSettleMultiplier": 1_000_000}


def _error(message: str, name: str, status: int) -> Reply:
    return Reply({"error": {"message": message, "name": name}}, status)


def _instant(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03}Z"


def _listed(value: Any) -> list[str]:
    if isinstance(value, list):
        return [str(each) for each in value]
    return [] if value is None else str(value).split(",")


def _filter(call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.text("filter", "{}"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(Reason.BAD_PARAMETER, "filter")
    return found


def _time(ticket: Ticket) -> str:
    return "ImmediateOrCancel" if ticket.type is OrderType.MARKET else "GoodTillCancel"


def _text(order: Order) -> str:
    if order.status is OrderStatus.FILLED or not order.reason:
        return "Submitted via API."
    said = ENDINGS.get(order.reason, f"Canceled: {order.reason}")
    if order.reason == "unfilled" and order.price is not None:
        said = "Canceled: Order had timeInForce of ImmediateOrCancel"
    return said if "\n" in said else f"{said}\nSubmitted via API."


def _event(order: Order, kind: str, time_ms: int) -> dict[str, Any]:
    """What befell it, other than a trade."""
    return {
        "account": 1,
        "execID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {order.id}")),
        "execType": kind,
        "orderID": order.id,
        "clOrdID": order.client_id,
        "symbol": order.market.symbol,
        "side": order.side.value.capitalize(),
        "ordStatus": kind,
        **dict.fromkeys(("transactTime", "timestamp"), _instant(time_ms)),
    }


def _execution(order: Order, fill: Fill, contracts: Decimal) -> dict[str, Any]:
    row = {
        "account": 1,
        "execID": str(uuid.uuid5(uuid.NAMESPACE_OID, f"execution {fill.id}")),
        "execType": "Trade",
        "orderID": order.id,
        "clOrdID": order.client_id or None,
        "symbol": fill.symbol,
        "side": fill.side.value.capitalize(),
        "lastQty": contracts,
        "lastPx": fill.price,
        "avgPx": order.average_price,
        "ordStatus": STATES.get(order.status, "PartiallyFilled"),
        "lastLiquidityInd": "AddedLiquidity" if fill.maker else "RemovedLiquidity",
        "transactTime": _instant(fill.time_ms),
        "timestamp": _instant(fill.time_ms),
    }
    return {name: value for name, value in row.items() if value is not None}
