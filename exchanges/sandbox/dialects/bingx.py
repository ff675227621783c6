"""BingX as its clients see it: spot and USDT perpetuals of one host, HTTP 200 with a code for everything.

Documented at https://bingx-api.github.io/docs/ (read 2026-11-22 from stored copies; the answers as quoted by ccxt 4.5.90
and kept in github.com/JKorf/BingX.Net). Ids are kept in lower case, for conditional perpetual orders not at all. Stops
that would together be larger than their position are refused, and end with it. Finer numbers than a market has are cut
off, not refused. Not documented, so chosen here: the codes of a post-only order on spot, of an order that spot does not
know, and of stops that are too large; and what a batch tells of an order that was refused: on perpetuals its code and words
and nothing else (the documents call such rows "failed orders with error details"), on spot a row that is FAILED.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

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
    decimals_of,
    floor_to,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply, encode
from exchanges.types import (
    LIMITS,
    STOPS,
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
WINDOW_MS = 5000
LARGEST_BATCH = 5
#: an order is found by its client id for so long after its end
MEMORY_SECONDS = 7200
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDES = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
POSITION_SIDE_OF = {side: name for name, side in POSITION_SIDES.items()}
MODES = {"true": PositionMode.HEDGE, "false": PositionMode.ONE_WAY}
MARGINS = {"CROSSED": MarginMode.CROSS, "ISOLATED": MarginMode.ISOLATED}
TIMES = {"GTC": TimeInForce.GTC, "PostOnly": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
TRIGGERS = {"MARK_PRICE": TriggerBy.MARK, "CONTRACT_PRICE": TriggerBy.LAST, "INDEX_PRICE": TriggerBy.INDEX}
PLAIN = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT}
CLOSING = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
#: these wait on the side where the price is not
UNDIRECTED = {"TRIGGER_MARKET": OrderType.STOP, "TRIGGER_LIMIT": OrderType.STOP_LIMIT}
SPOT_TYPES = (
    PLAIN | UNDIRECTED | {"TAKE_STOP_MARKET": OrderType.STOP, "TAKE_STOP_LIMIT": OrderType.STOP_LIMIT}
)
SWAP_TYPES = PLAIN | UNDIRECTED | CLOSING
#: what of it the leverage of a side allows
AVAILABLE = (("available", "Vol"), ("available", "Val"), ("maxPosition", "Val"))
BUSY = (100500, "The current system is busy, please try again later")
GONE = (
    "the order you want to cancel is FILLED or CANCELLED already, or is not a valid order id ,please verify"
)
#: reason -> code and words on spot, and those on perpetuals where they differ
REFUSALS = {
    Reason.NO_KEY: ((100413, "Incorrect apiKey"),),
    Reason.BAD_KEY: ((100413, "Incorrect apiKey"),),
    Reason.BAD_SIGNATURE: ((100001, "Signature verification failed due to signature mismatch"),),
    Reason.BAD_TIMESTAMP: (
        (100421, "Null timestamp or timestamp mismatch"),
        (109400, "timestamp is invalid"),
    ),
    Reason.NO_PERMISSION: (
        (100004, "Permission denied, the API key was created without the permission of this api"),
    ),
    Reason.THROTTLED: ((100410, "rate limited"),),
    Reason.BANNED: ((100410, "rate limited"),),
    Reason.MAINTENANCE: (BUSY, (109500, BUSY[1])),
    Reason.INTERNAL: (BUSY, (109500, BUSY[1])),
    Reason.UNKNOWN_PATH: ((100400, "this api is not exist"),),
    Reason.UNKNOWN_SYMBOL: (
        (100421, "The symbol you request is not available to place order currently"),
        (109425, "{detail} not exist, please verify it in api:/openApi/swap/v2/quote/contracts"),
    ),
    Reason.MIN_QUANTITY: (
        (100400, "check limit entrust value fail, entrust volume too low"),
        (101400, "The minimum order amount is not reached"),
    ),
    Reason.MIN_NOTIONAL: (
        (100400, "check limit entrust value fail, entrust value too low"),
        (110422, "The minimum order value is {detail} USDT"),
    ),
    Reason.MAX_QUANTITY: (
        (100400, "check limit entrust value fail, entrust volume too high"),
        (101209, "The maximum order is exceeded"),
    ),
    Reason.DUPLICATE: (
        (101481, "clientOrderID is duplicated"),
        (109201, "The same order number is only allowed to be submitted once within 1 second"),
    ),
    Reason.INSUFFICIENT: (
        (100202, "Insufficient assets, please verify the assets status"),
        (101204, "Insufficient margin"),
    ),
    Reason.REDUCE_ONLY: (BUSY, (101290, "The Reduce Only order can only decrease your position")),
    Reason.POSITION_MODE: (
        BUSY,
        (109400, "In the {detail} mode, the 'PositionSide' field can only be set to {allowed}."),
    ),
    Reason.WOULD_TRIGGER: (
        (100400, "the trigger price has been reached"),
        (110412, "The trigger price has been reached by the price of the position"),
    ),
    Reason.POST_ONLY: ((101215, "The Maker (Post Only) order would be filled at once"),),
    Reason.STOP_REFUSED: ((101419, "Too many conditional orders"),),
    Reason.TOO_MANY_ORDERS: ((101419, "Too many orders"),),
    Reason.UNKNOWN_ORDER: ((100404, "the order not exist"), (109421, "order not exist")),
    Reason.NOT_OPEN: ((100400, GONE), (109421, "order not exist")),
    Reason.LEVERAGE: ((101414, "The leverage is not supported"),),
    Reason.HAS_OPEN_ORDERS: ((104103, "There are open orders, the mode cannot be switched"),),
    Reason.HAS_POSITION: ((104103, "There are positions, the mode cannot be switched"),),
}
BAD_PARAMETER = (100400, "Invalid parameters, err: {detail}"), (109400, "Invalid parameters, err: {detail}")
#: base, tick and step of the perpetual, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.0001", "0.01", "0.000001"),
    ("ETH", "0.01", "0.01", "0.01", "0.00001"),
    ("XRP", "0.0001", "1", "0.0001", "0.1"),
    ("LTC", "0.01", "0.1", "0.01", "0.001"),
    ("SOL", "0.01", "0.1", "0.01", "0.001"),
    ("DOGE", "0.00001", "1", "0.00001", "1"),
)


def _market(base: str, product: Product, tick: str, step: str) -> Market:
    return Market(
        f"{base}-USDT",
        base,
        "USDT",
        product,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(5 if product is Product.SPOT else 2),
        max_leverage=D(125),
    )


SPOT = tuple(_market(base, Product.SPOT, tick, step) for base, _, _, tick, step in COINS)
LINEAR = tuple(_market(base, Product.LINEAR, tick, step) for base, tick, step, _, _ in COINS)


def _each(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 1)


class _BingX(Dialect):
    family = "bingx"
    default_costs = _each("market")

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-bx-apikey", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(64), secrets.token_urlsafe(64), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        sent = parse_qsl(call.query or call.body.decode(), keep_blank_values=True)
        plain = "&".join(f"{name}={value}" for name, value in sent if name != "signature")
        wanted = hmac.new(account.secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, dict(sent).get("signature", "")):
            raise Rejected(Reason.BAD_SIGNATURE)
        window = min(call.integer("recvWindow", WINDOW_MS), WINDOW_MS)
        if abs(call.now_ms - call.integer("timestamp", 0)) > window:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        told = REFUSALS.get(reason, BAD_PARAMETER)
        swap = call.path.startswith("/openApi/swap/")
        code, words = told[-1 if swap else 0]
        if reason is Reason.REDUCE_ONLY and call.text("type", "") in CLOSING:
            code, words = 80017, "position not exist"
        if reason is Reason.POSITION_MODE:
            hedged = call.text("positionSide", "") == "BOTH" or call.text("side", "") == "BOTH"
            detail, allowed = ("Hedge", "LONG or SHORT") if hedged else ("One-way", "BOTH")
            return _said(code, words.format(detail=detail, allowed=allowed))
        return _said(code, words.format(detail=detail))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """When to come back is told in the words only."""
        until = call.now_ms + 1000 * exceeded.retry_after_seconds
        rule = "The endpoint trigger frequency limit rule is currently in the disabled period"
        return _said(100410, f"code:100410:{rule} and will be unblocked after {until}")

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def linear(self) -> Desk:
        return self.desks[Product.LINEAR]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v2/server/time", "GET /openApi/spot/v1/server/time", public=True)
    def time(self, call: Call) -> Any:
        return _ok({"serverTime": call.now_ms})

    @route("GET /openApi/spot/v1/common/symbols", public=True)
    def symbols(self, call: Call) -> Any:
        return _ok({"symbols": [_spot_entry(each) for each in self.spot.markets.values()]})

    @route("GET /openApi/swap/v2/quote/contracts", public=True)
    def contracts(self, call: Call) -> Any:
        return _ok([_swap_entry(each) for each in self.linear.markets.values()])

    @route("GET /openApi/cswap/v1/market/contracts", public=True)
    def coin_margined(self, call: Call) -> Any:
        """None of them is simulated."""
        return _ok([])

    @route("GET /openApi/spot/v1/ticker/24hr", public=True)
    def spot_ticker(self, call: Call) -> Any:
        rows = [_ticker(self.spot, each, call) for each in _asked(call, self.spot)]
        return _ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/ticker", public=True)
    def swap_ticker(self, call: Call) -> Any:
        rows = [_ticker(self.linear, each, call) | {"lastQty": "1"} for each in _asked(call, self.linear)]
        return _ok(rows[0] if call.text("symbol", "") else rows)

    @route("GET /openApi/spot/v1/ticker/price", public=True)
    def spot_price(self, call: Call) -> Any:
        trade = {
            "timestamp": call.now_ms,
            "tradeId": str(call.now_ms),
            "amount": "1",
            "volume": "1",
            "type": 1,
        }
        rows = [
            {"symbol": each.symbol, "trades": [trade | {"price": text(self.spot.bid(each))}]}
            for each in _asked(call, self.spot)
        ]
        return _ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/price", "GET /openApi/swap/v1/ticker/price", public=True)
    def swap_price(self, call: Call) -> Any:
        rows = [
            {"symbol": each.symbol, "price": text(self.linear.bid(each)), "time": call.now_ms}
            for each in _asked(call, self.linear)
        ]
        return _ok(rows[0] if call.text("symbol", "") else rows)

    @route("GET /openApi/spot/v1/ticker/bookTicker", "GET /openApi/spot/v2/quote/bookTicker", public=True)
    def spot_best(self, call: Call) -> Any:
        rows = [_best(self.spot, each, call) for each in _asked(call, self.spot)]
        return _ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/bookTicker", public=True)
    def swap_best(self, call: Call) -> Any:
        best = _best(self.linear, self.linear.market(call.text("symbol")), call)
        names = {
            "bidPrice": "bid_price",
            "bidVolume": "bid_qty",
            "askPrice": "ask_price",
            "askVolume": "ask_qty",
        }
        return _ok({"book_ticker": {names.get(name, name): value for name, value in best.items()}})

    @route("GET /openApi/spot/v1/market/depth", public=True)
    def spot_depth(self, call: Call) -> Any:
        told = _levels(self.spot, call) | {"ts": call.now_ms, "lastUpdateId": call.now_ms}
        return _ok(told) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/depth", public=True)
    def swap_depth(self, call: Call) -> Any:
        levels = _levels(self.linear, call)
        coins = {f"{side}Coin": rows for side, rows in levels.items()}  # a contract is one coin
        return _ok(levels | coins | {"T": call.now_ms})

    @route("GET /openApi/swap/v2/quote/premiumIndex", public=True)
    def premium(self, call: Call) -> Any:
        rows = [
            {"symbol": each.symbol, "lastFundingRate": "0.0001", "nextFundingTime": call.now_ms + 3_600_000}
            | dict.fromkeys(("markPrice", "indexPrice"), text(self.linear.bid(each)))
            for each in _asked(call, self.linear)
        ]
        return _ok(rows[0] if call.text("symbol", "") else rows)

    # -- spot ------------------------------------------------------------------------------------------

    @route("POST /openApi/spot/v1/trade/order", trading=True, costs=_each("place", "orders"))
    def place_spot(self, call: Call) -> Any:
        """A quantity goes before an amount of quote currency."""
        quantity, spend = call.decimal_or_none("quantity"), call.decimal_or_none("quoteOrderQty")
        if quantity is None and spend is None:
            raise Rejected(Reason.MISSING_PARAMETER, "quoteOrderQty")
        market, kind = self.spot.market(call.text("symbol")), call.one_of("type", SPOT_TYPES)
        ticket = Ticket(
            market.symbol,
            call.one_of("side", SIDES),
            kind,
            quantity=None if quantity is None else floor_to(quantity, market.step),
            quote_quantity=spend if quantity is None else None,
            client_id=call.text("newClientOrderId", "").lower(),
            **_prices(call, self.spot, market, kind),
        )
        return _ok(_spot_row(self.spot.place(call.account, ticket)))

    @route("POST /openApi/spot/v1/trade/batchOrders", trading=True, costs=_each("batch", "orders"))
    def place_spot_batch(self, call: Call) -> Any:
        """Side by side unless `sync` is said, and then of one symbol, side and type."""
        orders = _batch(call, "data")
        kinds = {tuple(each.get(name) for name in ("symbol", "side", "type")) for each in orders}
        if len(kinds) > 1 and not call.flag("sync"):
            raise Rejected(Reason.BAD_PARAMETER, "data")
        told = self.each(call, orders, "/openApi/spot/v1/trade/order", self.place_spot)
        return _ok({"orders": [_batch_row(*each) for each in zip(orders, told, strict=True)]})

    @route("POST /openApi/spot/v1/trade/cancel", trading=True, costs=_each("cancel", "orders"))
    def cancel_spot(self, call: Call) -> Any:
        return _ok(_spot_row(self.spot.cancel(call.account, _named(call, self.spot))))

    @route("POST /openApi/spot/v1/trade/cancelOpenOrders", trading=True, costs=_each("cancel", "queries"))
    def cancel_all_spot(self, call: Call) -> Any:
        return _ok({"orders": [_spot_row(each) for each in _cancel_all(call, self.spot)]})

    @route("GET /openApi/spot/v1/trade/query", costs=_each("fetch", "queries"))
    def query_spot(self, call: Call) -> Any:
        if (order := _named(call, self.spot)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok(_spot_row(order))

    @route("GET /openApi/spot/v1/trade/openOrders", costs=_each("open", "orders"))
    def open_spot(self, call: Call) -> Any:
        return _ok({"orders": [_spot_row(each) for each in _open(call, self.spot)]})

    @route("POST /openApi/spot/v1/trade/cancelOrders", trading=True, costs=_each("cancel", "orders"))
    def cancel_spot_batch(self, call: Call) -> Any:
        """What is not open any more refuses nothing."""
        return _ok(
            {
                "orders": [
                    _spot_row(each) for each in _cancel_named(call, self.spot, "orderIds", "clientOrderIDs")
                ]
            }
        )

    @route("POST /openApi/spot/v1/trade/order/cancelReplace", trading=True, costs=_each("place", "orders"))
    def replace_spot(self, call: Call) -> Any:
        """The new order is placed only when the old one could be cancelled, unless it is to be placed in any case."""
        old, why = _cancelled(call, self.spot)
        told: dict[str, Any] = {
            "cancelResult": {"code": 0 if old else 100400, "msg": why, "result": old is not None}
        }
        told["orderCancelResponse"] = _spot_row(old) if old else None
        if old is None and call.text("cancelReplaceMode", "STOP_ON_FAILURE") != "ALLOW_FAILURE":
            return _said(100400, why)
        (placed,) = self.each(call, [call.params], "/openApi/spot/v1/trade/order", self.place_spot)
        done = not placed["code"]
        told["openResult"] = {"code": placed["code"], "msg": placed["msg"], "result": done}
        return _ok(told | {"orderOpenResponse": placed["data"] if done else None})

    @route("GET /openApi/spot/v1/trade/historyOrders", costs=_each("fetch", "queries"))
    def history_spot(self, call: Call) -> Any:
        """Newest first, in pages; of a symbol, a number and a state that may be named."""
        state, after = call.text("status", ""), call.integer("orderId", 0)
        symbol, since = call.text("symbol", ""), call.integer("startTime", 0)
        rows = [
            _spot_row(each)
            for each in reversed(list(self.spot.book(call.account).orders.values()))
            if symbol in ("", each.market.symbol) and each.created_ms >= since and int(each.id) >= after
        ]
        rows = [row for row in rows if state in ("", row["status"])]
        size, number = call.integer("pageSize", call.integer("limit", 100)), call.integer("pageIndex", 1)
        return _ok({"orders": rows[(number - 1) * size : number * size]})

    @route("GET /openApi/spot/v1/trade/myTrades", costs=_each("fetch", "queries"))
    def spot_trades(self, call: Call) -> Any:
        symbol, order_id = self.spot.market(call.text("symbol")).symbol, call.text("orderId", "")
        since, until = call.integer("startTime", 0), call.integer("endTime", call.now_ms)
        fills = [each for each in self.spot.book(call.account).fills if each.symbol == symbol]
        rows = [
            _spot_fill(each)
            for each in fills
            if order_id in ("", each.order_id) and since <= each.time_ms <= until
        ]
        return _ok({"fills": rows[-call.integer("limit", 500) :]})

    @route("GET /openApi/spot/v1/user/commissionRate", costs=_each("account", "queries"))
    def spot_fees(self, call: Call) -> Any:
        return _ok(_fees_of(self.spot))

    @route("GET /openApi/spot/v1/account/balance", costs=_each("account", "queries"))
    def spot_balance(self, call: Call) -> Any:
        wallet = self.spot.wallet
        return _ok(
            {
                "balances": [
                    {
                        "asset": coin,
                        "free": text(call.account.free(wallet, coin)),
                        "locked": text(call.account.locked(wallet, coin)),
                    }
                    for coin in call.account.wallets[wallet]
                ]
            }
        )

    # -- perpetuals ------------------------------------------------------------------------------------

    @route("POST /openApi/swap/v2/trade/order", trading=True, costs=_each("place", "orders"))
    def place(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self._check_size(call, ticket)
        return _ok({"order": _placed(self.linear.place(call.account, ticket))})

    @route("POST /openApi/swap/v2/trade/batchOrders", trading=True, costs=_each("batch", "orders"))
    def place_batch(self, call: Call) -> Any:
        told = self.each(call, _batch(call, "batchOrders"), "/openApi/swap/v2/trade/order", self.place)
        failed = [{"code": each["code"], "msg": each["msg"]} for each in told if each["code"]]
        return _ok({"orders": [each["data"]["order"] for each in told if not each["code"]], "errors": failed})

    @route("POST /openApi/swap/v2/trade/order/test", costs=_each("place", "queries"))
    def test(self, call: Call) -> Any:
        self.linear.check(call.account, self._ticket(call))
        return _ok({"order": {"symbol": call.text("symbol"), "orderId": 0, "type": call.text("type")}})

    def _check_size(self, call: Call, ticket: Ticket) -> None:
        """The stops of a position may together not be larger than it, nor its targets."""
        if call.text("type") not in CLOSING:
            return
        stops = ticket.type in STOPS
        book, market = self.linear.book(call.account), self.linear.market(ticket.symbol)
        others = (
            each.remaining
            for each in book.open.values()
            if each.market is market
            and each.ticket.extra["type"] in CLOSING
            and each.ticket.position_side is ticket.position_side
            and (each.ticket.type in STOPS) is stops
        )
        held = abs(book.position(market, ticket.position_side).quantity)
        if held and sum(others, ticket.quantity or ZERO) > held:
            kind = "stop loss" if stops else "take profit"
            words = f"The {kind} orders of this position would be larger than it"
            raise Answered(_said(110406 if stops else 110407, words))

    def _ticket(self, call: Call) -> Ticket:
        market, kind = self.linear.market(call.text("symbol")), call.one_of("type", SWAP_TYPES)
        side = call.one_of("positionSide", POSITION_SIDES, "LONG")
        whole = call.flag("closePosition") and kind in (OrderType.STOP, OrderType.TAKE_PROFIT)
        reduce_only, closes = call.flag("reduceOnly"), call.text("type") in CLOSING
        if side is not None and call.text("reduceOnly", ""):
            raise Rejected(Reason.BAD_PARAMETER, "reduceOnly is not accepted in hedge mode")
        if side is not None and closes and call.one_of("side", SIDES) is not side.exit_side:
            raise Rejected(Reason.BAD_PARAMETER, "side")
        return Ticket(
            market.symbol,
            call.one_of("side", SIDES),
            kind,
            quantity=None if whole else floor_to(call.decimal("quantity"), market.step),
            close_position=whole,
            reduce_only=reduce_only or (closes and side is None),
            position_side=side,
            client_id=""
            if kind.conditional
            else call.text("clientOrderId", call.text("clientOrderID", "")).lower(),
            trigger_by=call.one_of("workingType", TRIGGERS, "MARK_PRICE"),
            attached=tuple(self._attached(call, market, side)),
            **_prices(call, self.linear, market, kind),
        )

    def _attached(self, call: Call, market: Market, position: Direction | None) -> Iterator[Ticket]:
        """Its stop and its target, each an order of its own from the first fill on; of the whole where none tells how much."""
        side, link = call.one_of("side", SIDES).opposite, f"attached {self.linear.number()}"
        for name in ("stopLoss", "takeProfit"):
            if not call.text(name, ""):
                continue
            leg = replace(call, query="", body=encode(_object(call, name)))
            kind = leg.one_of("type", CLOSING)
            yield Ticket(
                market.symbol,
                side,
                kind,
                quantity=floor_to(leg.decimal_or_none("quantity") or call.decimal("quantity"), market.step),
                reduce_only=position is None,
                position_side=position,
                link=link,
                trigger_by=leg.one_of("workingType", TRIGGERS, "MARK_PRICE"),
                **_prices(leg, self.linear, market, kind),
            )

    @route("DELETE /openApi/swap/v2/trade/order", trading=True, costs=_each("cancel", "orders"))
    def cancel(self, call: Call) -> Any:
        return _ok({"order": _swap_row(self.linear.cancel(call.account, _named(call, self.linear)))})

    @route("DELETE /openApi/swap/v2/trade/allOpenOrders", trading=True, costs=_each("cancel", "queries"))
    def cancel_all(self, call: Call) -> Any:
        return _ok({"success": [_swap_row(each) for each in _cancel_all(call, self.linear)], "failed": None})

    @route("DELETE /openApi/swap/v2/trade/batchOrders", trading=True, costs=_each("cancel", "orders"))
    def cancel_batch(self, call: Call) -> Any:
        ended = _cancel_named(call, self.linear, "orderIdList", "clientOrderIDList")
        return _ok({"success": [_swap_row(each) for each in ended], "failed": None})

    @route("POST /openApi/swap/v1/trade/cancelReplace", trading=True, costs=_each("place", "orders"))
    def replace(self, call: Call) -> Any:
        old, why = _cancelled(call, self.linear)
        told: dict[str, Any] = {"cancelResult": str(old is not None).lower(), "cancelMsg": why}
        told["cancelResponse"] = _swap_row(old) if old else None
        if old is None and call.text("cancelReplaceMode", "STOP_ON_FAILURE") != "ALLOW_FAILURE":
            return _said(109421, "order not exist")
        (placed,) = self.each(call, [call.params], "/openApi/swap/v2/trade/order", self.place)
        done = not placed["code"]
        told |= {"replaceResult": str(done).lower(), "replaceMsg": placed["msg"]}
        return _ok(told | {"newOrderResponse": placed["data"]["order"] if done else None})

    @route("POST /openApi/swap/v1/trade/amend", trading=True, costs=_each("place", "orders"))
    def amend(self, call: Call) -> Any:
        """How much of it there is."""
        changed = self.linear.amend(
            call.account,
            _named(call, self.linear),
            quantity=call.decimal("quantity"),
            price=call.decimal_or_none("price"),
        )
        return _ok(_swap_row(changed))

    @route("POST /openApi/swap/v2/trade/closeAllPositions", trading=True, costs=_each("place", "orders"))
    def close_all(self, call: Call) -> Any:
        """Of the symbol that may be named, at market."""
        symbol, held = call.text("symbol", ""), self.linear.book(call.account).open_positions()
        asked = [each for each in held if symbol in ("", each.market.symbol)]
        return _ok({"success": [int(self._close(call.account, each).id) for each in asked], "failed": None})

    @route("POST /openApi/swap/v1/trade/closePosition", trading=True, costs=_each("place", "orders"))
    def close(self, call: Call) -> Any:
        wanted = call.text("positionId")
        for position in self.linear.book(call.account).open_positions():
            if _number_of(position) == wanted:
                order = self._close(call.account, position)
                return _ok(_placed(order) | {"positionId": wanted, "origQty": text(order.quantity)})
        return _said(80017, "position not exist")

    def _close(self, account: Account, position: Position) -> Order:
        ticket = Ticket(
            position.market.symbol,
            position.direction.exit_side,
            OrderType.MARKET,
            quantity=abs(position.quantity),
            reduce_only=position.side is None,
            position_side=position.side,
            extra={"type": "MARKET", "workingType": "MARK_PRICE"},
        )
        return self.linear.place(account, ticket)

    @route("GET /openApi/swap/v2/trade/order", costs=_each("fetch", "queries"))
    def query(self, call: Call) -> Any:
        if (order := _named(call, self.linear)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok({"order": _swap_row(order)})

    @route("GET /openApi/swap/v2/trade/openOrder", costs=_each("fetch", "queries"))
    def query_open(self, call: Call) -> Any:
        order = _named(call, self.linear)
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _ok({"order": _swap_row(order)})

    @route("GET /openApi/swap/v2/trade/openOrders", costs=_each("open", "orders"))
    def open(self, call: Call) -> Any:
        return _ok({"orders": [_swap_row(each) for each in _open(call, self.linear)]})

    @route("GET /openApi/swap/v2/trade/allOrders", costs=_each("history", "orders"))
    def all_orders(self, call: Call) -> Any:
        """Those that ended, newest first; nothing at all is null."""
        since, symbol = call.integer("startTime", 0), call.text("symbol", "")
        ended = [
            each
            for each in reversed(list(self.linear.book(call.account).orders.values()))
            if not each.open and each.created_ms >= since and symbol in ("", each.market.symbol)
        ]
        return _ok({"orders": [_swap_row(each) for each in ended[: call.integer("limit", 500)]] or None})

    @route("GET /openApi/swap/v1/trade/fullOrder", costs=_each("history", "orders"))
    def full_orders(self, call: Call) -> Any:
        """Open ones too, newest first."""
        symbol, since, after = (
            call.text("symbol", ""),
            call.integer("startTime", 0),
            call.integer("orderId", 0),
        )
        found = [
            each
            for each in reversed(list(self.linear.book(call.account).orders.values()))
            if symbol in ("", each.market.symbol) and each.created_ms >= since and int(each.id) >= after
        ]
        return _ok({"orders": [_swap_row(each) for each in found[: call.integer("limit", 500)]]})

    @route(
        "GET /openApi/swap/v2/trade/allFillOrders",
        "GET /openApi/swap/v2/trade/fillHistory",
        costs=_each("history", "orders"),
    )
    def fills(self, call: Call) -> Any:
        """The newer address tells more of each; both of a day or less where no time is named."""
        symbol, order_id, book = (
            call.text("symbol", ""),
            call.text("orderId", ""),
            self.linear.book(call.account),
        )
        since, until = call.integer("startTs", 0), call.integer("endTs", call.now_ms)
        rows = [
            _swap_fill(book.orders[each.order_id], each)
            for each in reversed(book.fills)
            if symbol in ("", each.symbol)
            and order_id in ("", each.order_id)
            and since <= each.time_ms <= until
        ]
        if call.path.endswith("fillHistory"):
            return _ok({"fill_history_orders": rows})
        return _ok({"fill_orders": rows})

    @route("GET /openApi/swap/v2/user/commissionRate", costs=_each("account", "queries"))
    def fees(self, call: Call) -> Any:
        return _ok({"commission": _fees_of(self.linear)})

    @route("GET /openApi/swap/v2/user/balance", costs=_each("account", "queries"))
    def one_balance(self, call: Call) -> Any:
        """The older address knows one currency."""
        return _ok({"balance": self.swap_balance(call)["data"][0]})

    @route("GET /openApi/swap/v3/user/balance", costs=_each("account", "queries"))
    def swap_balance(self, call: Call) -> Any:
        account, wallet = call.account, self.linear.wallet
        total, open_profit = account.total(wallet, "USDT"), account.unrealised(wallet, "USDT")
        row = {
            "userId": "1",
            "asset": "USDT",
            "balance": text(total),
            "equity": text(total + open_profit),
            "unrealizedProfit": text(open_profit),
            "realisedProfit": "0",
            "availableMargin": text(account.free(wallet, "USDT")),
            "usedMargin": text(account.locked(wallet, "USDT")),
            "freezedMargin": "0.0000",
            "shortUid": "1",
        }
        return _ok([row])

    @route("GET /openApi/swap/v2/user/positions", costs=_each("account", "orders"))
    def positions(self, call: Call) -> Any:
        book, symbol = self.linear.book(call.account), call.text("symbol", "")
        held = [each for each in book.open_positions() if symbol in ("", each.market.symbol)]
        return _ok([self._position_row(call.account, each) for each in held])

    def _position_row(self, account: Account, position: Position) -> dict[str, Any]:
        market, desk = position.market, self.linear
        leverage, mark = desk.leverage(account, market), desk.bid(market)
        return {
            "positionId": _number_of(position),
            "symbol": market.symbol,
            "currency": "USDT",
            "positionAmt": text(abs(position.quantity)),
            "availableAmt": text(abs(position.quantity)),
            "positionSide": position.direction.upper(),
            "isolated": desk.margin_mode(account, market) is MarginMode.ISOLATED,
            "avgPrice": text(position.entry_price),
            "initialMargin": text(position.notional(position.entry_price) / leverage),
            "margin": text(position.notional(position.entry_price) / leverage),
            "leverage": int(leverage),
            "unrealizedProfit": text(position.unrealised(mark)),
            "realisedProfit": text(position.realised),
            "liquidationPrice": 0,
            "markPrice": text(mark),
            "positionValue": text(position.notional(mark)),
            "onlyOnePosition": position.side is None,
            "updateTime": position.updated_ms,
        }

    # -- settings --------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v1/positionSide/dual", costs=_each("dual", "queries"))
    def mode(self, call: Call) -> Any:
        mode = self.linear.book(call.account).position_mode
        return _ok({"dualSidePosition": next(name for name, each in MODES.items() if each is mode)})

    @route("POST /openApi/swap/v1/positionSide/dual", costs=_each("dual", "queries"))
    def switch_mode(self, call: Call) -> Any:
        mode = call.one_of("dualSidePosition", MODES)
        if self.linear.book(call.account).position_mode is not mode:
            self.linear.set_position_mode(call.account, mode)
        return _ok({"dualSidePosition": call.text("dualSidePosition")})

    @route("GET /openApi/swap/v2/trade/leverage", costs=_each("leverage", "queries"))
    def leverage(self, call: Call) -> Any:
        market = self.linear.market(call.text("symbol"))
        now, most = int(self.linear.leverage(call.account, market)), int(market.max_leverage)
        told = {"longLeverage": now, "shortLeverage": now, "maxLongLeverage": most, "maxShortLeverage": most}
        return _ok(told | self._available(call.account, market))

    def _available(self, account: Account, market: Market) -> dict[str, str]:
        """What the leverage of a side allows to open."""
        leverage, price = self.linear.leverage(account, market), self.linear.bid(market)
        value = max(account.free(self.linear.wallet, market.quote), ZERO) * leverage
        told = {"Val": text(value), "Vol": text(floor_to(value / price, market.step))}
        return {f"{start}{side}{end}": told[end] for side in ("Long", "Short") for start, end in AVAILABLE}

    @route("POST /openApi/swap/v2/trade/leverage", costs=_each("set", "orders"))
    def set_leverage(self, call: Call) -> Any:
        """Of one side in hedge mode there; both sides have one leverage here."""
        hedged = call.one_of("side", POSITION_SIDES) is not None
        if hedged != (self.linear.book(call.account).position_mode is PositionMode.HEDGE):
            raise Rejected(Reason.POSITION_MODE)
        self.linear.set_leverage(call.account, call.text("symbol"), D(call.integer("leverage")))
        told = {"leverage": call.integer("leverage"), "symbol": call.text("symbol")}
        return _ok(told | self._available(call.account, self.linear.market(call.text("symbol"))))

    @route("GET /openApi/swap/v2/trade/marginType", costs=_each("marginType", "queries"))
    def margin_type(self, call: Call) -> Any:
        mode = self.linear.margin_mode(call.account, self.linear.market(call.text("symbol")))
        return _ok({"marginType": next(name for name, each in MARGINS.items() if each is mode)})

    @route("POST /openApi/swap/v2/trade/marginType", costs=_each("set", "orders"))
    def set_margin_type(self, call: Call) -> Any:
        market, mode = self.linear.market(call.text("symbol")), call.one_of("marginType", MARGINS)
        if self.linear.margin_mode(call.account, market) is not mode:
            self.linear.set_margin_mode(call.account, market.symbol, mode)
        return {"code": 0, "msg": ""}

    @route("GET /openApi/v1/account/apiPermissions", costs=_each("account", "queries"))
    def permissions(self, call: Call) -> Any:
        rights = call.account.permissions
        return _ok(
            {
                "ipRestrict": False,
                "createTime": call.account.created_ms,
                "enableReading": True,
                "enableSpotAndMarginTrading": "trade" in rights,
                "enableFutures": "trade" in rights,
                "enableWithdrawals": "withdraw" in rights,
            }
        )

    @route("GET /openApi/wallets/v1/capital/config/getall", costs=_each("account", "queries"))
    def coins(self, call: Call) -> Any:
        return _ok([])


def _rules(wallet: str, fees: tuple[str, str]) -> Rules:
    return Rules(
        maker_fee=D(fees[0]),
        taker_fee=D(fees[1]),
        wallet=wallet,
        client_ids=ClientIds.FOREVER,
        conditional_reduce_needs_position=True,
        flat_cancels_waiting=True,
        refuses_unfillable=False,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_700_000_000_000_000_000 + number),
        default_leverage=D(10),
    )


#: of an address, and of a user each second
ADDRESS = (
    Limit("market", "market", 100, 10, Owner.ADDRESS),
    Limit("market_minute", "market", 500, 60, Owner.ADDRESS),
    Limit("queries", "queries", 100, 10, Owner.ADDRESS),
    Limit("orders", "orders", 200, 10, Owner.ADDRESS),
)


def _limits(**counts: int) -> tuple[Limit, ...]:
    return ADDRESS + tuple(Limit(name, name, count, 1) for name, count in counts.items())


class BingXSpot(_BingX):
    name, product, markets = "BingX", Product.SPOT, SPOT
    rules = _rules("spot", ("0.001", "0.001"))
    limits = _limits(place=5, batch=2, cancel=5, fetch=5, open=5, account=5)


class BingXLinear(_BingX):
    name, product, markets = "BingX_F", Product.LINEAR, LINEAR
    rules = _rules("perpetual", ("0.0002", "0.0005"))
    limits = _limits(
        place=10,
        batch=5,
        cancel=10,
        fetch=30,
        open=5,
        account=5,
        history=5,
        set=5,
        marginType=2,
        leverage=2,
        dual=2,
    )


# -- how things are written ------------------------------------------------------------------------------


def _ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "debugMsg": "", "data": data}


def _said(code: int, words: str) -> Reply:
    return Reply({"code": code, "msg": words, "data": {}})


def _batch(call: Call, name: str) -> list[Mapping[str, Any]]:
    try:
        orders = json.loads(call.text(name), parse_float=D)
    except ValueError:
        raise Rejected(Reason.BAD_PARAMETER, name) from None
    if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
        raise Rejected(Reason.BAD_PARAMETER, name)
    if not all(isinstance(each, dict) for each in orders):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return orders


def _batch_row(order: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    if not told["code"]:
        return dict(told["data"])
    named = {"symbol": order.get("symbol"), "orderId": 0, "clientOrderID": order.get("newClientOrderId", "")}
    return named | {"type": order.get("type"), "side": order.get("side"), "status": "FAILED"}


def _named(call: Call, desk: Desk) -> Order | None:
    """Of the symbol that is named with it."""
    order_id = call.text("orderId", "")
    client_id = call.text("clientOrderId", call.text("clientOrderID", "")).lower()
    if not order_id and not client_id:
        raise Rejected(Reason.MISSING_PARAMETER, "orderId")
    market = desk.market(call.text("symbol"))
    order = desk.order(call.account, order_id=order_id, client_id=client_id)
    if order is not None and not order_id and not desk.remembers(order, MEMORY_SECONDS):
        return None
    return order if order is not None and order.market is market else None


def _open(call: Call, desk: Desk) -> list[Order]:
    symbol = call.text("symbol", "")
    market = desk.market(symbol) if symbol else None
    return [each for each in desk.book(call.account).open.values() if market in (None, each.market)]


def _cancel_all(call: Call, desk: Desk) -> list[Order]:
    return [desk.cancel(call.account, each) for each in _open(call, desk) if each.open]


def _prices(call: Call, desk: Desk, market: Market, kind: OrderType) -> dict[str, Any]:
    """Prices cut to the tick, how long the order lives, and on which side it waits."""
    price = floor_to(call.decimal("price"), market.tick) if kind in LIMITS else None
    trigger = floor_to(call.decimal("stopPrice"), market.tick) if kind.conditional else None
    undirected = kind.conditional and call.text("type") not in CLOSING
    return {
        "price": price,
        "trigger_price": trigger,
        "rises": trigger > desk.bid(market) if undirected and trigger is not None else None,
        "time_in_force": call.one_of("timeInForce", TIMES, "GTC"),
        "post_only": call.text("timeInForce", "") == "PostOnly",
        "extra": {"type": call.text("type"), "workingType": call.text("workingType", "")},
    }


def _cancel_named(call: Call, desk: Desk, ids: str, client_ids: str) -> list[Order]:
    market = desk.market(call.text("symbol"))
    found = [desk.order(call.account, order_id=each) for each in _names(call, ids)]
    found += [desk.order(call.account, client_id=each.lower()) for each in _names(call, client_ids)]
    known = [each for each in found if each is not None and each.open and each.market is market]
    return [desk.cancel(call.account, each) for each in known if each.open]


def _cancelled(call: Call, desk: Desk) -> tuple[Order | None, str]:
    market = desk.market(call.text("symbol"))
    name = call.text("cancelClientOrderID", call.text("cancelClientOrderId", "")).lower()
    order = desk.order(call.account, order_id=call.text("cancelOrderId", ""), client_id=name)
    if order is None or not order.open or order.market is not market:
        return None, GONE
    return desk.cancel(call.account, order), ""


def _status(order: Order, cancelled: str) -> str:
    match order.status:
        case OrderStatus.OPEN:
            return "NEW" if order.waiting else "PARTIALLY_FILLED" if order.filled else "PENDING"
        case OrderStatus.FILLED:
            return "FILLED"
        case OrderStatus.REJECTED:
            return "FAILED"
    return cancelled


def _fee(order: Order) -> tuple[str, str]:
    """What was paid has a minus."""
    coin, paid = next(iter(order.fees().items()), (order.market.quote, ZERO))
    return coin, text(-paid)


def _spot_row(order: Order) -> dict[str, Any]:
    coin, fee = _fee(order)
    spend = order.ticket.quote_quantity
    return {
        "symbol": order.market.symbol,
        "orderId": int(order.id),
        "transactTime": order.created_ms,
        "price": text(order.price),
        **dict.fromkeys(("stopPrice", "StopPrice"), text(order.trigger_price)),
        "avgPrice": text(order.average_price),
        "origQty": text(ZERO if spend is not None else order.quantity),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": _status(order, "CANCELED"),
        "type": order.ticket.extra["type"],
        "side": order.side.upper(),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "origQuoteOrderQty": text(spend),
        "fee": fee,
        "feeAsset": coin,
        "clientOrderID": order.client_id,
    }


def _placed(order: Order) -> dict[str, Any]:
    """The answer to an order tells nothing of its fate."""
    return {
        "symbol": order.market.symbol,
        "orderId": int(order.id),
        "side": order.side.upper(),
        "positionSide": POSITION_SIDE_OF[order.ticket.position_side],
        "type": order.ticket.extra["type"],
        "clientOrderId": order.client_id,
        "workingType": order.ticket.extra["workingType"],
    }


def _leg(order: Order, name: str, kind: str) -> dict[str, Any]:
    """What it brings along, in zeros where that is nothing."""
    stops = name == "stopLoss"
    found = next((each for each in order.ticket.attached if (each.type in STOPS) is stops), None)
    if found is None:
        return {"type": kind, **dict.fromkeys(("quantity", "stopPrice", "price"), 0), "workingType": ""}
    prices = {"stopPrice": found.trigger_price, "price": found.price or ZERO}
    told = {"type": found.extra["type"], "quantity": found.quantity, **prices}
    return told | {"workingType": found.extra["workingType"]}


def _swap_row(order: Order) -> dict[str, Any]:
    digits = decimals_of(order.market.tick)
    return _placed(order) | {
        "origQty": text(order.quantity, decimals_of(order.market.step)),
        "price": text(order.price, digits),
        "executedQty": text(order.filled, decimals_of(order.market.step)),
        "avgPrice": text(order.average_price, digits),
        "cumQuote": text(order.quote_filled),
        "stopPrice": text(order.trigger_price, digits) if order.trigger_price else "",
        "profit": "0.0000",
        "commission": _fee(order)[1] if order.filled else "",
        "status": _status(order, "CANCELLED"),
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "leverage": "",
        "takeProfit": _leg(order, "takeProfit", "TAKE_PROFIT"),
        "stopLoss": _leg(order, "stopLoss", "STOP"),
        **dict.fromkeys(("takeProfitEntrustPrice", "stopLossEntrustPrice", "triggerOrderId"), 0),
        "stopGuaranteed": False,
        "workingType": order.ticket.extra["workingType"] or "MARK_PRICE",
        "advanceAttr": 0,
        "positionID": 0,
        "orderType": "",
        "reduceOnly": order.ticket.reduce_only,
    }


def _asked(call: Call, desk: Desk) -> list[Market]:
    symbol = call.text("symbol", "")
    return [desk.market(symbol)] if symbol else list(desk.markets.values())


def _best(desk: Desk, market: Market, call: Call) -> dict[str, Any]:
    told = {"bidPrice": text(desk.bid(market)), "askPrice": text(desk.ask(market)), "time": call.now_ms}
    return {"symbol": market.symbol, "eventType": "bookTicker", **told, "bidVolume": "1", "askVolume": "1"}


def _levels(desk: Desk, call: Call) -> dict[str, Any]:
    market = desk.market(call.text("symbol"))
    return {"bids": [[text(desk.bid(market)), "1000"]], "asks": [[text(desk.ask(market)), "1000"]]}


def _fees_of(desk: Desk) -> dict[str, Any]:
    return {"takerCommissionRate": desk.rules.taker_fee, "makerCommissionRate": desk.rules.maker_fee}


def _number_of(position: Position) -> str:
    return f"{position.updated_ms}"


def _object(call: Call, name: str) -> dict[str, Any]:
    """Of a parameter that is written as JSON."""
    value = call.params[name]
    try:
        found = json.loads(value, parse_float=D) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return {key: each for key, each in found.items() if each not in (0, "")}


def _names(call: Call, name: str) -> list[str]:
    """A list in JSON, or in words with commas between them."""
    raw = call.text(name, "").strip().strip("[]")
    return [each.strip().strip('"') for each in raw.split(",") if each.strip()]


def _spot_fill(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": int(fill.order_id),
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": -fill.fee,
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
    }


def _swap_fill(order: Order, fill: Fill) -> dict[str, Any]:
    moment = datetime.fromtimestamp(fill.time_ms / 1000, timezone(timedelta(hours=8)))
    return {
        "symbol": fill.symbol,
        "filledTm": moment.isoformat(timespec="milliseconds"),
        "filledTime": moment.isoformat(timespec="milliseconds").replace("+08:00", "+0800"),
        **dict.fromkeys(("volume", "qty"), text(fill.quantity)),
        "price": text(fill.price),
        "amount": text(fill.price * fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": text(-fill.fee),
        **dict.fromkeys(("currency", "commissionAsset"), fill.fee_asset),
        "orderId": fill.order_id,
        "tradeId": str(fill.id),
        **dict.fromkeys(("liquidatedPrice", "liquidatedMarginRatio"), "0.00"),
        "side": fill.side.upper(),
        "positionSide": POSITION_SIDE_OF[fill.position_side],
        "role": "maker" if fill.maker else "taker",
        "type": order.ticket.extra["type"],
        "realisedPNL": text(fill.realised),
        "workingType": order.ticket.extra["workingType"],
    }


def _ticker(desk: Desk, market: Market, call: Call) -> dict[str, Any]:
    last = text(desk.bid(market))
    return {
        "symbol": market.symbol,
        **dict.fromkeys(("openPrice", "highPrice", "lowPrice", "lastPrice", "bidPrice"), last),
        "askPrice": text(desk.ask(market)),
        "bidQty": "1",
        "askQty": "1",
        "volume": "0",
        "quoteVolume": "0",
        "priceChange": "0",
        "priceChangePercent": "0%",
        "openTime": call.now_ms,
        "closeTime": call.now_ms,
    }


def _spot_entry(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "minQty": 0,
        "maxQty": 0,
        "minNotional": market.min_notional,
        "maxNotional": 100_000_000,
        "status": 1,
        "tickSize": market.tick,
        "stepSize": market.step,
        "apiStateSell": True,
        "apiStateBuy": True,
        "timeOnline": 0,
        "offTime": 0,
        "maintainTime": 0,
    }


def _swap_entry(market: Market) -> dict[str, Any]:
    return {
        "contractId": "100",
        "symbol": market.symbol,
        "size": text(market.step),
        "quantityPrecision": decimals_of(market.step),
        "pricePrecision": decimals_of(market.tick),
        "tradeMinLimit": 0,
        "tradeMinQuantity": market.min_quantity,
        "tradeMinUSDT": market.min_notional,
        "maxLongLeverage": int(market.max_leverage),
        "maxShortLeverage": int(market.max_leverage),
        "currency": market.quote,
        "asset": market.base,
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        **dict.fromkeys(("takerFeeRate", "feeRate"), BingXLinear.rules.taker_fee),
        "triggerFeeRate": text(BingXLinear.rules.taker_fee),
        "makerFeeRate": BingXLinear.rules.maker_fee,
        "ensureTrigger": True,
        "brokerState": "false",
        **dict.fromkeys(("launchTime", "maintainTime", "offTime"), 0),
    }
