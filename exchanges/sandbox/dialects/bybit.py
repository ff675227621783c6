"""Bybit v5 as its clients see it: one host for spot and perpetuals of both kinds, told apart by `category`; errors come
with HTTP 200 and a `retCode`; placing only acknowledges. Documented at https://bybit-exchange.github.io/docs/v5/."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, ClientIds, Market, Order, Reason, Rejected, Rules, Ticket, text
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
LARGEST_BATCH = {"spot": 10, "linear": 20, "inverse": 20}
CATEGORIES = {"spot": Product.SPOT, "linear": Product.LINEAR, "inverse": Product.INVERSE}
SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
WORD = {side: name for name, side in SIDES.items()}
TYPES = {"Market": False, "Limit": True}
INDEX = {"0": None, "1": Direction.LONG, "2": Direction.SHORT}
INDEX_OF = {None: 0, Direction.LONG: 1, Direction.SHORT: 2}
TIMES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "PostOnly": TimeInForce.GTC}
TRIGGERS = {"LastPrice": TriggerBy.LAST, "MarkPrice": TriggerBy.MARK, "IndexPrice": TriggerBy.INDEX}
MODES = {"0": PositionMode.ONE_WAY, "3": PositionMode.HEDGE}
MARGIN = {"REGULAR_MARGIN": MarginMode.CROSS, "ISOLATED_MARGIN": MarginMode.ISOLATED}
CANCEL_WORDS = {"user": "CancelByUser", "reduce_only": "CancelByReduceOnly"}
REJECT_WORDS = {
    Reason.POST_ONLY: "EC_PostOnlyWillTakeLiquidity",
    Reason.NOT_FILLABLE: "EC_NoEnoughQtyToFill",
    "unfilled": "EC_NoImmediateQtyToFill",
}
#: reason -> (code on futures, code on spot, words); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (10003, 10003, "API key is missing."),
    Reason.BAD_KEY: (10003, 10003, "API key is invalid."),
    Reason.BAD_SIGNATURE: (10004, 10004, "error sign! origin_string[{}]"),
    Reason.BAD_TIMESTAMP: (
        10002,
        10002,
        "invalid request, please check your server timestamp or recv_window: {}",
    ),
    Reason.NO_PERMISSION: (10005, 10005, "Permission denied, please check your API key permissions."),
    Reason.THROTTLED: (10006, 10006, "Too many visits. Exceeded the API Rate Limit."),
    Reason.MAINTENANCE: (10016, 10016, "Service is restarting."),
    Reason.INTERNAL: (10016, 10016, "Internal System Error."),
    Reason.UNKNOWN_PATH: (10017, 10017, "Route not found."),
    Reason.MISSING_PARAMETER: (10001, 10001, "params error: {} is empty"),
    Reason.UNKNOWN_SYMBOL: (10001, 170121, "params error: symbol invalid {}"),
    Reason.PRICE_TICK: (10001, 170134, "Order price has too many decimals: {}"),
    Reason.TRIGGER_TICK: (10001, 170134, "Trigger price has too many decimals: {}"),
    Reason.QUANTITY_STEP: (10001, 170137, "Order quantity has too many decimals: {}"),
    Reason.MIN_QUANTITY: (10001, 170136, "The number of contracts is below the minimum limit allowed: {}"),
    Reason.MAX_QUANTITY: (10001, 170135, "The number of contracts exceeds maximum limit allowed: {}"),
    Reason.MIN_NOTIONAL: (110094, 170140, "Order does not meet minimum order value {}"),
    Reason.DUPLICATE: (110072, 170141, "OrderLinkedID is duplicate"),
    Reason.INSUFFICIENT: (110007, 170131, "ab not enough for new order"),
    Reason.REDUCE_ONLY: (110017, 110017, "current position is zero, cannot fix reduce-only order qty"),
    Reason.POSITION_MODE: (10001, 10001, "position idx not match position mode"),
    Reason.STOP_REFUSED: (110009, 170210, "The number of stop orders exceeds maximum limit allowed"),
    Reason.TOO_MANY_ORDERS: (110020, 170210, "Cannot have more than 500 active orders."),
    Reason.UNKNOWN_ORDER: (110001, 170213, "order not exists or too late to cancel"),
    Reason.NOT_OPEN: (110001, 170213, "order not exists or too late to cancel"),
    Reason.LEVERAGE: (10001, 10001, "leverage invalid: {}"),
    Reason.NOT_MODIFIED: (110043, 110043, "{} not modified"),
    Reason.HAS_OPEN_ORDERS: (110028, 110028, "Open orders exist, so you cannot change position mode"),
    Reason.HAS_POSITION: (
        110024,
        110024,
        "You have an existing position, so position mode cannot be switched",
    ),
}
#: base, tick, step of the perpetuals, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.001", "0.01", "0.000001"),
    ("ETH", "0.01", "0.01", "0.01", "0.00001"),
    ("SOL", "0.01", "0.1", "0.01", "0.001"),
    ("XRP", "0.0001", "0.1", "0.0001", "0.01"),
    ("DOGE", "0.00001", "1", "0.00001", "0.1"),
    ("LTC", "0.01", "0.1", "0.01", "0.00001"),
)


def _perpetual(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(
        base + (coin if coin == "USDT" else "PERP"),
        base,
        coin,
        Product.LINEAR,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(5),
        max_quantity=D(1_000_000),
        max_market_quantity=D(500_000),
    )


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(base + coin, base, coin, Product.SPOT, D(tick), D(step), min_notional=D(5))


def _inverse(base: str, tick: str) -> Market:
    """One contract is a dollar."""
    return Market(
        f"{base}USD",
        base,
        "USD",
        Product.INVERSE,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=D(25_000_000),
        max_market_quantity=D(5_000_000),
    )


INVERSE = tuple(_inverse(base, tick) for base, tick, *_ in COINS)
LINEAR = (
    *(_perpetual(base, "USDT", tick, step) for base, tick, step, _, _ in COINS),
    _perpetual("BTC", "USDC", "0.1", "0.001"),
)
SPOT = (
    *(_pair(base, "USDT", tick, step) for base, _, _, tick, step in COINS),
    _pair("BTC", "USDC", "0.01", "0.000001"),
)


class _Bybit(Dialect):
    family = "bybit"
    default_costs = {"address": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-bapi-api-key", "")

    def authenticate(self, call: Call) -> Account:
        key, stamp = self.key_of(call), call.headers.get("x-bapi-timestamp", "")
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        window = call.headers.get("x-bapi-recv-window", "5000")
        signed = f"{stamp}{key}{window if 'x-bapi-recv-window' in call.headers else ''}{call.query}".encode()
        wanted = hmac.new(account.secret.encode(), signed + call.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, call.headers.get("x-bapi-sign", "")):
            raise Rejected(Reason.BAD_SIGNATURE, (signed + call.body).decode("utf-8", "replace"))
        if not (stamp.isdigit() and window.isdigit()):
            raise Rejected(Reason.BAD_TIMESTAMP, stamp)
        if not call.now_ms - int(window) <= int(stamp) < call.now_ms + 1000:
            raise Rejected(Reason.BAD_TIMESTAMP, f"req_timestamp[{stamp}],server_timestamp[{call.now_ms}]")
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.BANNED:
            return Reply(b"403 Forbidden: access too frequent", 403)
        futures, spot, words = REFUSALS.get(reason, (10001, 170130, "params error: {} invalid"))
        try:
            code = spot if call.params.get("category") == "spot" else futures
        except Rejected:
            code = futures
        if reason is Reason.WOULD_TRIGGER:
            code, words = self._crossed(call)
        if reason is Reason.NOT_MODIFIED and call.path.endswith("switch-mode"):
            code = 110025
        status = {Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404}.get(reason, 200)
        return Reply(_frame(call, {}, code, words.format(detail)), status)

    @staticmethod
    def _crossed(call: Call) -> tuple[int, str]:
        if call.path.endswith("trading-stop"):
            return 10001, "StopLoss or TakeProfit lies on the wrong side of base_price"
        if call.text("triggerDirection", "2") == "1":
            return 110092, "expect Rising, but trigger_price <= current"
        return 110093, "expect Falling, but trigger_price >= current"

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After: the moment of the reset, and an address shut out gets a page."""
        reply = self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)
        reset_ms = call.now_ms + 1000 * exceeded.retry_after_seconds
        reply.headers |= {"X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(reset_ms)}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.owner is Owner.ACCOUNT and limit.name in used:
                left = max(limit.capacity - used[limit.name], 0)
                return {"X-Bapi-Limit": str(limit.capacity), "X-Bapi-Limit-Status": str(left)}
        return {}

    def _desk(self, call: Call) -> Desk:
        return self.desks[call.one_of("category", CATEGORIES)]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /v5/market/time", public=True)
    def time(self, call: Call) -> Any:
        return _frame(
            call, {"timeSecond": str(call.now_ms // 1000), "timeNano": str(call.now_ms * 1_000_000)}
        )

    @route("GET /v5/market/instruments-info", public=True)
    def instruments(self, call: Call) -> Any:
        category = call.text("category")
        if category not in CATEGORIES or call.text("status", "Trading") != "Trading":
            return _frame(call, _page(call, [], 1000))
        describe = _spot_row if category == "spot" else _perpetual_row
        wanted = call.text("symbol", "")
        rows = [describe(each) for each in self._desk(call).markets.values() if wanted in ("", each.symbol)]
        if wanted and not rows:
            raise Rejected(Reason.UNKNOWN_SYMBOL, wanted)
        return _frame(call, _page(call, rows, 500))

    @route("GET /v5/market/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        desk, wanted = self._desk(call), call.text("symbol", "")
        markets = [desk.market(wanted)] if wanted else list(desk.markets.values())
        return _frame(call, _page(call, [_ticker(desk, market) for market in markets], 1000))

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /v5/order/create", trading=True, costs={"address": 1, "create": 1})
    def create(self, call: Call) -> Any:
        order = self._desk(call).place(call.account, self._ticket(call))
        return _frame(call, {"orderId": order.id, "orderLinkId": order.client_id})

    @route("POST /v5/order/create-batch", trading=True)
    def create_batch(self, call: Call) -> Any:
        category, orders = call.text("category"), call.params.get("request")
        if isinstance(orders, list):
            if not 0 < len(orders) <= call.one_of("category", LARGEST_BATCH):
                raise Rejected(Reason.BAD_PARAMETER, "request size")
            orders = [{"category": category, **each} for each in orders]
        told = self.each(call, orders, "/v5/order/create", self.create)
        rows = [
            {"category": category, "symbol": order.get("symbol", ""), "createAt": str(call.now_ms)}
            | {"orderId": "", "orderLinkId": "", **answer["result"]}
            for order, answer in zip(orders or (), told, strict=True)
        ]
        codes = [{"code": answer["retCode"], "msg": answer["retMsg"]} for answer in told]
        return _frame(call, {"list": rows}) | {"retExtInfo": {"list": codes}}

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        """A batch counts its orders."""
        if route.handler != "create_batch":
            return super().costs(route, call)
        orders = call.params.get("request")
        return {"address": 1, "batch": len(orders) if isinstance(orders, list) else 1}

    def _ticket(self, call: Call) -> Ticket:
        desk = self._desk(call)
        side, limit = call.one_of("side", SIDES), call.one_of("orderType", TYPES)
        trigger, last = call.decimal_or_none("triggerPrice"), desk.bid(desk.market(call.text("symbol")))
        spot = desk is self.desks[Product.SPOT]
        rises = None if trigger is None else trigger > last
        if trigger is not None and not spot:
            rises = call.one_of("triggerDirection", {"1": True, "2": False})
        if call.text("takeProfit", "") or call.text("stopLoss", ""):
            raise Rejected(
                Reason.BAD_PARAMETER, "takeProfit and stopLoss are not simulated with an order: they"
            )
        kind = _kind(limit=limit, stop=None if rises is None else rises == (side is Side.BUY))
        in_quote = (
            spot
            and kind is OrderType.MARKET
            and (call.text("marketUnit", "quoteCoin" if side is Side.BUY else "baseCoin") == "quoteCoin")
        )
        amount, time_in_force = call.decimal("qty"), call.text("timeInForce", "GTC")
        word = "" if trigger is None else "Stop"
        if spot and trigger is not None and call.text("orderFilter", "tpslOrder") == "tpslOrder":
            word = "tpslOrder"
        return Ticket(
            call.text("symbol"),
            side,
            kind,
            quantity=None if in_quote else amount,
            quote_quantity=amount if in_quote else None,
            price=call.decimal("price") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of("triggerBy", TRIGGERS, "LastPrice"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=time_in_force == "PostOnly",
            reduce_only=not spot and (call.flag("reduceOnly") or call.flag("closeOnTrigger")),
            position_side=None if spot else call.one_of("positionIdx", INDEX, "0"),
            client_id=call.text("orderLinkId", ""),
            extra={
                "stopOrderType": word,
                "marketUnit": ("quoteCoin" if in_quote else "baseCoin") if spot and not limit else "",
                "timeInForce": time_in_force if limit else "IOC",
                "last": last,
            },
        )

    @route("POST /v5/order/cancel", trading=True, costs={"address": 1, "cancel": 1})
    def cancel(self, call: Call) -> Any:
        order = self._order(call)
        if order is not None and call.text("category") == "spot":
            wanted = call.text("orderFilter", "Order")
            if wanted != _filter_of(order):
                raise Rejected(Reason.NOT_OPEN)
        self._desk(call).cancel(call.account, order)
        assert order is not None
        return _frame(call, {"orderId": order.id, "orderLinkId": order.client_id})

    @route("POST /v5/order/cancel-all", trading=True, costs={"address": 1, "cancel": 1})
    def cancel_all(self, call: Call) -> Any:
        desk, spot = self._desk(call), call.text("category") == "spot"
        wanted = call.text("orderFilter", "Order" if spot else "")
        ended = [
            order
            for order in list(desk.book(call.account).open.values())
            if call.text("symbol", order.market.symbol) == order.market.symbol
            and call.text("settleCoin", order.market.settle) == order.market.settle
            and wanted in ("", _filter_of(order))
        ]
        for order in ended:
            if order.open:  # a linked one may have ended with the one before it
                desk.cancel(call.account, order)
        listed = [{"orderId": order.id, "orderLinkId": order.client_id} for order in ended]
        return _frame(call, {"list": listed, "success": "1"})

    def _order(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("orderLinkId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        return self._desk(call).order(call.account, order_id=order_id, client_id=client_id)

    @route("GET /v5/order/realtime", costs={"address": 1, "reads": 1})
    def realtime(self, call: Call) -> Any:
        """Open orders; by id also ended ones."""
        scope = ("symbol", "settleCoin", "baseCoin", "orderId", "orderLinkId")
        if call.text("category") == "linear" and not any(call.text(name, "") for name in scope):
            raise Rejected(Reason.MISSING_PARAMETER, "symbol or settleCoin or baseCoin")
        book = self._desk(call).book(call.account)
        return self._orders(call, book.orders if call.text("openOnly", "0") == "1" else book.open, ended=True)

    @route("GET /v5/order/history", costs={"address": 1, "reads": 1})
    def history(self, call: Call) -> Any:
        orders = self._desk(call).book(call.account).orders
        return self._orders(call, {key: each for key, each in orders.items() if not each.open}, ended=False)

    def _orders(self, call: Call, orders: Mapping[str, Order], *, ended: bool) -> Any:
        """Newest first. By id just that one, also when it has ended if `ended`."""
        found: Iterable[Order] = reversed(list(orders.values()))
        if call.text("orderId", "") or call.text("orderLinkId", ""):
            order = self._order(call)
            found = [order] if order is not None and (ended or order.id in orders) else []
        return _frame(call, _page(call, [_order_row(each) for each in found if _matches(call, each)], 20))

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /v5/position/list", costs={"address": 1, "reads": 1})
    def positions(self, call: Call) -> Any:
        desk, book = self._desk(call), self._desk(call).book(call.account)
        if symbol := call.text("symbol", ""):
            sides = (Direction.LONG, Direction.SHORT) if book.position_mode is PositionMode.HEDGE else (None,)
            found = [book.position(desk.market(symbol), side) for side in sides]
        else:
            inverse = desk is self.desks[Product.INVERSE]
            coin = call.text("settleCoin", "") if inverse else call.text("settleCoin")
            found = [each for each in book.open_positions() if coin in ("", each.market.settle)]
        return _frame(call, _page(call, [self._position_row(call, each) for each in found], 20))

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        desk, market = self._desk(call), position.market
        mark, leverage = desk.bid(market), desk.leverage(call.account, market)
        held = WORD[position.direction.entry_side] if position.quantity else ""
        return {
            "positionIdx": INDEX_OF[position.side],
            "symbol": market.symbol,
            "side": held,
            "size": text(abs(position.quantity)),
            "avgPrice": text(position.entry_price),
            "positionValue": text(position.notional(position.entry_price)),
            "tradeMode": 0,
            "positionStatus": "Normal",
            "leverage": text(leverage),
            "markPrice": text(mark),
            "liqPrice": "",
            "bustPrice": "",
            "positionIM": text(position.notional(position.entry_price) / leverage),
            "positionMM": "0",
            "tpslMode": "Full",
            "takeProfit": "",
            "stopLoss": "",
            "trailingStop": "0",
            "unrealisedPnl": text(position.unrealised(mark)) if held else "",
            "cumRealisedPnl": text(position.realised),
            "createdTime": str(position.updated_ms),
            "updatedTime": str(position.updated_ms),
        }

    @route("POST /v5/position/set-leverage", costs={"address": 1, "settings": 1})
    def set_leverage(self, call: Call) -> Any:
        if call.decimal("buyLeverage") != call.decimal("sellLeverage"):
            raise Rejected(Reason.LEVERAGE, "buy and sell differ")
        if not self._desk(call).set_leverage(call.account, call.text("symbol"), call.decimal("buyLeverage")):
            raise Rejected(Reason.NOT_MODIFIED, "leverage")
        return _frame(call, {})

    @route("POST /v5/position/switch-mode", costs={"address": 1, "settings": 1})
    def switch_mode(self, call: Call) -> Any:
        desk, mode = self._desk(call), call.one_of("mode", MODES)
        if mode is PositionMode.HEDGE and desk is self.desks[Product.INVERSE]:
            raise Rejected(Reason.BAD_PARAMETER, "mode")
        desk.set_position_mode(call.account, mode)
        return _frame(call, {})

    @route("POST /v5/position/trading-stop", trading=True, costs={"address": 1, "settings": 1})
    def trading_stop(self, call: Call) -> Any:
        """Adds a stop, a target or a linked pair of them to an open position, each for a part of it."""
        desk, side = self._desk(call), call.one_of("positionIdx", INDEX, "0")
        book, market = desk.book(call.account), desk.market(call.text("symbol"))
        if (book.position_mode is PositionMode.HEDGE) != (side is not None):
            raise Rejected(Reason.POSITION_MODE)
        if call.text("tpslMode") != "Partial":
            raise Rejected(Reason.BAD_PARAMETER, "tpslMode Full is not simulated: it")
        position = book.position(market, side)
        if not position.quantity:
            return Reply(_frame(call, {}, 10001, "can not set tp/sl/ts for zero position"))
        tickets = _legs(call, position.direction.exit_side, side, desk.bid(market))
        if not tickets or len({ticket.quantity for ticket in tickets}) > 1:
            raise Rejected(Reason.BAD_PARAMETER, "slSize and tpSize")
        if any(ticket.quantity and ticket.quantity > abs(position.quantity) for ticket in tickets):
            return Reply(_frame(call, {}, 110058, "Insufficient number of remaining position size"))
        desk.place_linked(call.account, tickets)
        return _frame(call, {})

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v5/account/wallet-balance", costs={"address": 1, "reads": 1})
    def wallet(self, call: Call) -> Any:
        if call.text("accountType") != "UNIFIED":
            raise Rejected(Reason.BAD_PARAMETER, "accountType")
        wanted = {coin for coin in call.text("coin", "").split(",") if coin}
        coins = [
            self._coin_row(call.account, coin)
            for coin in call.account.wallets[self.rules.wallet]
            if not wanted or coin in wanted
        ]
        row = {"accountType": "UNIFIED", "totalAvailableBalance": "", "totalEquity": "", "coin": coins}
        return _frame(call, {"list": [row]})

    def _coin_row(self, account: Account, coin: str) -> dict[str, Any]:
        wallet, spot = self.rules.wallet, self.desks[Product.SPOT]
        futures = (self.desks[Product.LINEAR], self.desks[Product.INVERSE])
        total, open_profit = account.total(wallet, coin), account.unrealised(wallet, coin)
        margins = [
            each.notional(each.entry_price) / desk.leverage(account, each.market)
            for desk in futures
            for each in desk.book(account).open_positions()
            if each.market.settle == coin
        ]
        return {
            "coin": coin,
            "equity": text(total + open_profit),
            "walletBalance": text(total),
            "usdValue": text(total + open_profit),
            "locked": text(spot.locked(account, coin)),
            "totalOrderIM": text(sum((desk.locked(account, coin) for desk in futures), -sum(margins, ZERO))),
            "totalPositionIM": text(sum(margins, ZERO)),
            "totalPositionMM": "0",
            "unrealisedPnl": text(open_profit),
            "availableToWithdraw": "",
            "borrowAmount": "0",
        }

    @route("GET /v5/account/info", costs={"address": 1, "reads": 1})
    def account_info(self, call: Call) -> Any:
        modes = self.desks[Product.LINEAR].book(call.account).margin_modes
        word = next(name for name, mode in MARGIN.items() if mode is modes.get("", MarginMode.CROSS))
        return _frame(call, {"unifiedMarginStatus": 6, "marginMode": word, "isMasterTrader": False})

    @route("POST /v5/account/set-margin-mode", costs={"address": 1, "settings": 1})
    def set_margin_mode(self, call: Call) -> Any:
        """Of the whole account."""
        modes = self.desks[Product.LINEAR].book(call.account).margin_modes
        modes[""] = call.one_of("setMarginMode", MARGIN)
        return _frame(call, {"reasons": []})

    @route("GET /v5/user/query-api", costs={"address": 1, "settings": 1})
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        trades = ["Order", "Position"] if "trade" in may else []
        rights = {
            "ContractTrade": trades,
            "Spot": ["SpotTrade"] if trades else [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if "withdraw" in may else [])],
            "Derivatives": ["DerivativesTrade"] if trades else [],
        }
        info = {"readOnly": 0 if trades else 1, "permissions": rights, "ips": ["*"], "uta": 1, "unified": 0}
        return _frame(call, {"apiKey": call.account.key, "expiredAt": "2099-01-01T00:00:00Z", **info})

    @route("GET /v5/asset/coin/query-info")
    def coins(self, call: Call) -> Any:
        names = sorted(
            {
                coin
                for desk in self.desks.values()
                for each in desk.markets.values()
                for coin in (each.base, each.quote)
            }
        )
        return _frame(call, {"rows": [{"name": name, "coin": name, "chains": []} for name in names]})


def _limits(create: int) -> tuple[Limit, ...]:
    """https://bybit-exchange.github.io/docs/v5/rate-limit"""
    return (
        Limit("address", "address", 600, 5, Owner.ADDRESS, ban_after=1, ban_seconds=600),
        Limit("create", "create", create, 1),
        Limit("batch", "batch", create, 1),
        Limit("cancel", "cancel", create, 1),
        Limit("settings", "settings", 10, 1),
        Limit("reads", "reads", 50, 1),
    )


ENDS = frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE})


class BybitSpot(_Bybit):
    name, product, markets = "ByBit", Product.SPOT, SPOT
    limits = _limits(20)
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        wallet="unified",
        conditional_holds=False,
        refuses_crossed_triggers=False,
        client_ids=ClientIds.FOREVER,
        cancels_instead=ENDS,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_900_000_000_000_000_000 + number),
    )


class BybitLinear(_Bybit):
    name, product, markets = "ByBit_F", Product.LINEAR, LINEAR
    limits = _limits(10)
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.00055"),
        wallet="unified",
        client_ids=ClientIds.FOREVER,
        cancels_instead=ENDS,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"bybit {number}")),
        default_leverage=D(10),
    )


class BybitInverse(_Bybit):
    name, product, markets = "ByBit_C", Product.INVERSE, INVERSE
    limits = _limits(10)
    rules = replace(BybitLinear.rules, hedges=False)


# -- how things are written ------------------------------------------------------------------------------


def _frame(call: Call, result: Any, code: int = 0, words: str = "OK") -> dict[str, Any]:
    return {"retCode": code, "retMsg": words, "result": result, "retExtInfo": {}, "time": call.now_ms}


def _page(call: Call, rows: list[Any], size: int) -> dict[str, Any]:
    """One page and the cursor of the next, percent-encoded like the original's."""
    first = int(call.text("cursor", "offset=0").rpartition("=")[2])
    last = first + call.integer("limit", size)
    cursor = f"offset%3D{last}" if last < len(rows) else ""
    return {"category": call.text("category", ""), "list": rows[first:last], "nextPageCursor": cursor}


def _market_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "status": "Trading",
        "priceFilter": {"tickSize": text(market.tick), "minPrice": text(market.tick), "maxPrice": "1999999"},
    }


def _spot_row(market: Market) -> dict[str, Any]:
    lot = {
        "basePrecision": text(market.step),
        "quotePrecision": "0.0000001",
        "minOrderQty": text(market.step),
        "maxLimitOrderQty": text(market.max_quantity),
        "maxMarketOrderQty": text(market.max_market_quantity),
        "minOrderAmt": text(market.min_notional),
    }
    return {**_market_row(market), "marginTrading": "utaOnly", "lotSizeFilter": lot}


def _perpetual_row(market: Market) -> dict[str, Any]:
    lot = {
        "qtyStep": text(market.step),
        "minOrderQty": text(market.min_quantity),
        "maxOrderQty": text(market.max_quantity),
        "maxMktOrderQty": text(market.max_market_quantity),
        "minNotionalValue": text(market.min_notional),
    }
    return {
        **_market_row(market),
        "contractType": "InversePerpetual" if market.inverse else "LinearPerpetual",
        "settleCoin": market.settle,
        "deliveryTime": "0",
        "launchTime": "1584230400000",
        "leverageFilter": {
            "minLeverage": "1",
            "maxLeverage": text(market.max_leverage),
            "leverageStep": "0.01",
        },
        "lotSizeFilter": lot,
    }


def _ticker(desk: Desk, market: Market) -> dict[str, Any]:
    last = text(desk.bid(market))
    prices = {"bid1Price": last, "ask1Price": text(desk.ask(market)), "lastPrice": last}
    marks = {} if market.product is Product.SPOT else {"markPrice": last, "indexPrice": last}
    return {
        "symbol": market.symbol,
        **prices,
        **marks,
        "bid1Size": "1000",
        "ask1Size": "1000",
        "volume24h": "1000",
    }


def _kind(*, limit: bool, stop: bool | None) -> OrderType:
    if stop is None:
        return OrderType.LIMIT if limit else OrderType.MARKET
    if stop:
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def _legs(call: Call, exit_side: Side, side: Direction | None, last: Decimal) -> list[Ticket]:
    link = f"{call.account.fingerprint} {call.headers['x-bapi-sign']}"
    return [
        Ticket(
            call.text("symbol"),
            exit_side,
            _kind(limit=call.one_of(f"{prefix}OrderType", TYPES, "Market"), stop=prefix == "sl"),
            quantity=call.decimal(f"{prefix}Size"),
            price=call.decimal_or_none(f"{prefix}LimitPrice"),
            trigger_price=call.decimal(price),
            trigger_by=call.one_of(f"{prefix}TriggerBy", TRIGGERS, "LastPrice"),
            position_bound=True,
            position_side=side,
            link=link,
            extra={"stopOrderType": word, "timeInForce": "IOC", "last": last},
        )
        for price, prefix, word in (
            ("stopLoss", "sl", "PartialStopLoss"),
            ("takeProfit", "tp", "PartialTakeProfit"),
        )
        if call.text(price, "")
    ]


def _filter_of(order: Order) -> str:
    if order.ticket.extra["stopOrderType"] == "tpslOrder" and order.waiting:
        return "tpslOrder"
    return "StopOrder" if order.waiting else "Order"


def _matches(call: Call, order: Order) -> bool:
    return (
        call.text("symbol", order.market.symbol) == order.market.symbol
        and call.text("settleCoin", order.market.settle) == order.market.settle
        and call.text("orderFilter", _filter_of(order)) == _filter_of(order)
    )


def _status(order: Order) -> str:
    spot = order.market.product is Product.SPOT
    match order.status:
        case OrderStatus.OPEN:
            return "Untriggered" if order.waiting else "PartiallyFilled" if order.filled else "New"
        case OrderStatus.FILLED:
            return "Filled"
        case OrderStatus.REJECTED:
            return "Rejected"
        case _ if order.waiting:
            return "Deactivated"
    return "PartiallyFilledCanceled" if spot and order.filled else "Cancelled"


def _cancel_word(order: Order) -> str:
    if order.reason == "linked":
        stop = order.ticket.extra["stopOrderType"] == "PartialStopLoss"
        return "CancelByOCOSlCanceledByTpTriggered" if stop else "CancelByOCOTpCanceledBySlTriggered"
    if order.reason == "position_closed":
        return "CancelByTpSlTsClear" if order.ticket.position_bound else "CancelByReduceOnly"
    return CANCEL_WORDS.get(order.reason, "UNKNOWN")


def _order_row(order: Order) -> dict[str, Any]:
    ticket, extra, average = order.ticket, order.ticket.extra, order.average_price
    spot, limit = order.market.product is Product.SPOT, order.price is not None
    direction = 0 if spot or order.trigger_price is None else 1 if ticket.trigger_rises else 2
    return {
        "orderId": order.id,
        "orderLinkId": order.client_id,
        "symbol": order.market.symbol,
        "side": WORD[ticket.side],
        "orderType": "Limit" if limit else "Market",
        "price": text(order.price),
        "qty": text(order.quantity if ticket.quote_quantity is None else ticket.quote_quantity),
        "marketUnit": extra.get("marketUnit", ""),
        "timeInForce": extra["timeInForce"],
        "orderStatus": _status(order),
        "cancelType": _cancel_word(order),
        "rejectReason": REJECT_WORDS.get(order.reason, "EC_NoError"),
        "positionIdx": INDEX_OF[ticket.position_side],
        "avgPrice": "" if average is None else text(average),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.quote_filled),
        "cumExecFee": text(sum(order.fees().values(), ZERO)),
        "cumFeeDetail": {asset: text(fee) for asset, fee in order.fees().items()},
        "leavesQty": text(order.remaining if order.open else ZERO),
        "stopOrderType": extra["stopOrderType"],
        "triggerPrice": "" if order.trigger_price is None else text(order.trigger_price),
        "triggerDirection": direction,
        "triggerBy": ""
        if direction == 0
        else next(name for name, by in TRIGGERS.items() if by is ticket.trigger_by),
        "lastPriceOnCreated": text(extra["last"]),
        "reduceOnly": ticket.reduces,
        "closeOnTrigger": ticket.position_bound,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        **({} if spot else {"tpslMode": "Partial" if ticket.position_bound else ""}),
    }
