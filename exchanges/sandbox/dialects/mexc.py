"""MEXC spot as its clients see it: signed queries, errors with HTTP 400, the time in force inside the order type, and
no stop orders. Documented at https://www.mexc.com/api-docs/spot-v3/. The frame serves the contract API too."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote_plus

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected, Rules, Ticket, decimals_of, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side, TimeInForce

D = Decimal
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
#: limit or not, time in force, post-only
TYPES = {
    "LIMIT": (OrderType.LIMIT, TimeInForce.GTC, False),
    "MARKET": (OrderType.MARKET, TimeInForce.GTC, False),
    "LIMIT_MAKER": (OrderType.LIMIT, TimeInForce.GTC, True),
    "IMMEDIATE_OR_CANCEL": (OrderType.LIMIT, TimeInForce.IOC, False),
    "FILL_OR_KILL": (OrderType.LIMIT, TimeInForce.FOK, False),
}
ENDED = {OrderStatus.FILLED: "FILLED", OrderStatus.CANCELLED: "CANCELED"}
CONTRACT_WINDOW_MS = 10_000
LARGEST_BATCH = 20
#: reason -> (code and words of spot, code and words of contracts); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (400, "api key required", 401, "Unauthorized"),
    Reason.BAD_KEY: (10072, "Api key info invalid", 402, "API Key expired, please apply again"),
    Reason.BAD_SIGNATURE: (
        700002,
        "Signature for this request is not valid.",
        602,
        "Confirming signature failed!",
    ),
    Reason.BAD_TIMESTAMP: (
        700003,
        "Timestamp for this request is outside of the recvWindow.",
        513,
        "Invalid request, please try again later",
    ),
    Reason.NO_PERMISSION: (
        700007,
        "No permission to access the endpoint.",
        704,
        "Please enable API Key trading information write access",
    ),
    Reason.THROTTLED: (429, "Too Many Requests", 510, "Requests are too frequent, please try again later"),
    Reason.BANNED: (429, "Too Many Requests", 510, "Requests are too frequent, please try again later"),
    Reason.MAINTENANCE: (503, "service not available, please try again", 801, "System under maintenance"),
    Reason.INTERNAL: (500, "Internal error", 500, "Internal error"),
    Reason.UNKNOWN_PATH: (404, "Not Found", 404, "Not Found"),
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol.", 1001, "Contract does not exist!"),
    Reason.PRICE_TICK: (30010, "no valid trade price", 2015, "Price or quantity accuracy error"),
    Reason.TRIGGER_TICK: (30010, "no valid trade price", 3004, "Trigger price error"),
    Reason.QUANTITY_STEP: (
        10096,
        "amount decimal places is too long",
        2015,
        "Price or quantity accuracy error",
    ),
    Reason.MIN_QUANTITY: (
        30002,
        "The minimum transaction volume cannot be less than:{}",
        2011,
        "Order quantity error",
    ),
    Reason.MIN_NOTIONAL: (
        30002,
        "The minimum transaction volume cannot be less than:{}",
        2011,
        "Order quantity error",
    ),
    Reason.MAX_QUANTITY: (
        30003,
        "The maximum transaction volume cannot be greater than:{}",
        2028,
        "The maximum order quantity is exceeded",
    ),
    Reason.INSUFFICIENT: (30004, "Insufficient position", 2005, "Insufficient balance!"),
    Reason.REDUCE_ONLY: (30001, "direction not allowed", 2009, "Position is not exists or closed."),
    Reason.POSITION_MODE: (30001, "direction not allowed", 2022, "Wrong position type"),
    Reason.WOULD_TRIGGER: (
        30001,
        "direction not allowed",
        5003,
        "Take-profit and stop-loss price setting is wrong",
    ),
    Reason.STOP_REFUSED: (30001, "direction not allowed", 2016, "Trigger volume over the maximum"),
    Reason.TOO_MANY_ORDERS: (
        30029,
        "Cannot exceed the maximum order limit",
        2036,
        "The orders more than the limit",
    ),
    Reason.UNKNOWN_ORDER: (-2013, "Order does not exist.", 2040, "order not exist"),
    Reason.NOT_OPEN: (-2011, "Unknown order sent.", 2041, "order state cannot be cancelled"),
    Reason.LEVERAGE: (700004, "Param error", 2006, "Leverage ratio error"),
    Reason.HAS_POSITION: (700004, "Param error", 2019, "There is an active open position"),
    Reason.HAS_OPEN_ORDERS: (700004, "Param error", 2019, "There is an active open position"),
}
STATUSES = {Reason.THROTTLED: 429, Reason.BANNED: 429, Reason.INTERNAL: 500, Reason.MAINTENANCE: 503}
STATUSES |= {Reason.UNKNOWN_PATH: 404}
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.01", "0.000001"),
    ("ETH", "0.01", "0.00001"),
    ("SOL", "0.01", "0.001"),
    ("XRP", "0.0001", "0.01"),
    ("DOGE", "0.00001", "0.1"),
    ("LTC", "0.01", "0.001"),
)
RIGHTS = {
    "read": "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ",
    "trade": "SPOT_DEAL_WRITE,CONTRACT_DEAL_WRITE",
    "withdraw": "SPOT_WITHDRAW_READ,SPOT_WITHDRAW_WRITE",
}


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    return Market(f"{base}{coin}", base, coin, Product.SPOT, D(tick), D(step), D(step), min_notional=D(1))


def signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


class MEXCFrame(Dialect):
    """What both APIs share: keys, two ways to sign, one table of refusals."""

    family = "mexc"

    def credentials(self) -> tuple[str, str, str]:
        return f"mx0v{secrets.token_hex(7)}", secrets.token_hex(16), ""

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-mexc-apikey" if _spot(call) else "apikey", "")

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if _spot(call):
            given, stamp = call.text("signature", ""), call.text("timestamp")
            window_ms, signed = call.integer("recvWindow", 5000), [_signed_of_spot(call)]
        else:
            given, stamp = call.headers.get("signature", ""), call.headers.get("request-time", "")
            window_ms = CONTRACT_WINDOW_MS
            signed = [f"{key}{stamp}{each}" for each in _signed_of_contracts(call)]
        if not stamp.isdigit() or not -1000 <= call.now_ms - int(stamp) <= window_ms:
            raise Rejected(Reason.BAD_TIMESTAMP)
        wanted = (signature(account.secret, each).encode() for each in signed)
        if not any(hmac.compare_digest(each, given.lower().encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        fallback = (700004, "Param {} is wrong", 600, "Param error! {}")
        code, words, contract_code, contract_words = REFUSALS.get(reason, fallback)
        if _spot(call):
            return Reply({"code": code, "msg": words.format(detail)}, STATUSES.get(reason, 400))
        status = 500 if reason is Reason.INTERNAL else 200
        told = {"success": False, "code": contract_code, "message": contract_words.format(detail)}
        return Reply(told, status)

    @route("GET /api/v3/apiKeyInfo", costs={"address": 1})
    def key_info(self, call: Call) -> Any:
        """Keys of others are told by nobody."""
        if call.text("accessKey") != call.account.key:
            raise Rejected(Reason.BAD_PARAMETER, "accessKey")
        rights = [RIGHTS[each] for each in sorted(call.account.permissions)]
        return {
            "note": "sandbox",
            "accessKey": call.account.key,
            "createTime": "2026-01-01T00:00:00.000+00:00",
            "permissions": ",".join(rights),
            "remainingValidity": 90,
            "ipWhiteList": "",
            "status": "VALID",
        }


class MEXCSpot(MEXCFrame):
    name, product = "MEXC", Product.SPOT
    markets = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))
    limits = (
        Limit("address", "address", 500, 10, Owner.ADDRESS),
        Limit("reads", "reads", 500, 10),
        Limit("orders", "orders", 5, 1),
        Limit("batches", "batches", 2, 1),
        Limit("cancels", "cancels", 50, 1),
    )
    rules = Rules(
        maker_fee=D(0),
        taker_fee=D("0.0005"),
        buy_fee_in_base=False,
        wallet="spot",
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"C02__{443_776_347_000_000_000 + number}",
    )

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v3/time", public=True, costs={"address": 1})
    def time(self, call: Call) -> Any:
        return {"serverTime": call.now_ms}

    @route("GET /api/v3/ping", public=True, costs={"address": 1})
    def ping(self, call: Call) -> Any:
        return {}

    @route("GET /api/v3/defaultSymbols", public=True, costs={"address": 1})
    def default_symbols(self, call: Call) -> Any:
        return {"code": 200, "data": [market.symbol for market in self.markets], "msg": None}

    @route("GET /api/v3/depth", public=True, costs={"address": 1})
    def depth(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return {
            "lastUpdateId": call.now_ms,
            "bids": [[bid, "1000"]],
            "asks": [[ask, "1000"]],
            "timestamp": call.now_ms,
        }

    @route("GET /api/v3/ticker/price", public=True, costs={"address": 1})
    def price(self, call: Call) -> Any:
        rows = [{"symbol": each.symbol, "price": text(self.desk.bid(each))} for each in self._asked(call)]
        return rows[0] if call.text("symbol", "") else rows

    @route("GET /api/v3/avgPrice", public=True, costs={"address": 1})
    def average_price(self, call: Call) -> Any:
        return {"mins": 5, "price": text(self.desk.bid(self.desk.market(call.text("symbol"))))}

    def _asked(self, call: Call) -> list[Market]:
        """One, several with commas between them, or all."""
        names = call.text("symbol", call.text("symbols", ""))
        return [self.desk.market(each) for each in names.split(",")] if names else list(self.markets)

    @route("GET /api/v3/exchangeInfo", public=True, costs={"address": 10})
    def exchange_info(self, call: Call) -> Any:
        return {
            "timezone": "CST",
            "serverTime": call.now_ms,
            "rateLimits": [],
            "exchangeFilters": [],
            "symbols": [_symbol_row(market) for market in self._asked(call)],
        }

    @route("GET /api/v3/ticker/24hr", "GET /api/v3/ticker/bookTicker", public=True, costs={"address": 1})
    def ticker(self, call: Call) -> Any:
        rows = [self._ticker_row(call, each) for each in self._asked(call)]
        return rows[0] if call.text("symbol", "") else rows

    def _ticker_row(self, call: Call, market: Market) -> dict[str, Any]:
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        prices = {"bidPrice": bid, "bidQty": "1000", "askPrice": ask, "askQty": "1000"}
        day = {"lastPrice": bid, "volume": "1", "quoteVolume": bid, "closeTime": call.now_ms}
        day |= dict.fromkeys(("prevClosePrice", "openPrice", "lowPrice", "highPrice"), bid)
        day |= {"priceChange": "0", "priceChangePercent": "0", "openTime": call.now_ms, "count": None}
        return {"symbol": market.symbol, **prices, **(day if call.path.endswith("24hr") else {})}

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v3/order", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._ticket(call))
        return _named(order) | {"orderListId": -1, "transactTime": call.now_ms}

    @route("POST /api/v3/batchOrders", trading=True, costs={"batches": 1, "cancels": 1})
    def place_batch(self, call: Call) -> Any:
        try:
            orders = json.loads(call.text("batchOrders"), parse_float=D)
        except ValueError:
            raise Rejected(Reason.BAD_PARAMETER, "batchOrders") from None
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "batchOrders")
        if not all(isinstance(each, dict) and each.get("symbol") == orders[0]["symbol"] for each in orders):
            raise Rejected(Reason.BAD_PARAMETER, "symbol")
        told = self.each(call, orders, "/api/v3/order", self.place)
        return [_batch_row(*each) for each in zip(orders, told, strict=True)]

    @route("POST /api/v3/order/test", costs={"orders": 1})
    def test_order(self, call: Call) -> Any:
        self.desk.check(call.account, self._ticket(call))
        return {}

    def _ticket(self, call: Call) -> Ticket:
        kind, time_in_force, post_only = call.one_of("type", TYPES)
        quantity, funds = call.decimal_or_none("quantity"), call.decimal_or_none("quoteOrderQty")
        if (quantity is None) == (funds is None) or (kind is OrderType.LIMIT and quantity is None):
            raise Rejected(Reason.BAD_PARAMETER, "quantity")
        return Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            kind,
            quantity=quantity,
            quote_quantity=funds,
            price=call.decimal("price") if kind is OrderType.LIMIT else None,
            time_in_force=time_in_force,
            post_only=post_only,
            client_id=call.text("newClientOrderId", ""),
            extra={"type": call.text("type")},
        )

    @route("GET /api/v3/order", costs={"reads": 2, "address": 2})
    def order(self, call: Call) -> Any:
        if (found := self._found(call)) is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return _order_row(found)

    @route("DELETE /api/v3/order", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        return _order_row(self.desk.cancel(call.account, self._found(call)))

    def _found(self, call: Call) -> Order | None:
        market = self.desk.market(call.text("symbol"))
        order_id, client_id = call.text("orderId", ""), call.text("origClientOrderId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "'origClientOrderId' or 'orderId'")
        found = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        return found if found is not None and found.market is market else None

    @route("GET /api/v3/openOrders", costs={"reads": 3, "address": 3})
    def open_orders(self, call: Call) -> Any:
        return [_order_row(order) for order in self._listed(call) if order.open]

    @route("DELETE /api/v3/openOrders", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        """Of up to five symbols."""
        symbols = [self.desk.market(each).symbol for each in call.text("symbol").split(",")]
        return [_order_row(order) for each in symbols for order in self.desk.cancel_all(call.account, each)]

    @route("GET /api/v3/allOrders", costs={"reads": 10, "address": 10})
    def all_orders(self, call: Call) -> Any:
        call.text("symbol")
        return [_order_row(order) for order in self._listed(call)]

    def _listed(self, call: Call) -> list[Order]:
        """Newest first."""
        symbol, known = call.text("symbol", ""), self.desk.book(call.account).orders.values()
        return [order for order in reversed(known) if symbol in ("", order.market.symbol)]

    @route("GET /api/v3/myTrades", costs={"reads": 10, "address": 10})
    def trades(self, call: Call) -> Any:
        symbol, order_id = call.text("symbol"), call.text("orderId", "")
        fills = [fill for fill in self.desk.book(call.account).fills if fill.symbol == symbol]
        return [_trade_row(fill) for fill in reversed(fills) if order_id in ("", fill.order_id)]

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v3/account", costs={"reads": 10, "address": 10})
    def account_info(self, call: Call) -> Any:
        """The rights told here are the account's, not the key's."""
        rows = []
        for coin, total in call.account.wallets[self.rules.wallet].items():
            free = call.account.free(self.rules.wallet, coin)
            rows.append({"asset": coin, "free": text(free), "locked": text(total - free)})
        rights = {"canTrade": True, "canWithdraw": True, "canDeposit": True, "updateTime": None}
        return {**rights, "accountType": "SPOT", "balances": rows, "permissions": ["SPOT"]}

    @route("GET /api/v3/selfSymbols", costs={"reads": 1, "address": 1})
    def own_symbols(self, call: Call) -> Any:
        return {"code": 200, "data": [market.symbol for market in self.markets], "msg": None}

    @route("GET /api/v3/tradeFee", costs={"reads": 20, "address": 20})
    def fees(self, call: Call) -> Any:
        self.desk.market(call.text("symbol"))
        told = {"makerCommission": self.rules.maker_fee, "takerCommission": self.rules.taker_fee}
        return {"data": told, "code": 0, "msg": "success", "timestamp": call.now_ms}

    @route("GET /api/v3/capital/config/getall", costs={"reads": 10, "address": 10})
    def currencies(self, call: Call) -> Any:
        names = sorted({name for market in self.markets for name in (market.base, market.quote)})
        return [{"coin": name, "name": name, "networkList": []} for name in names]


def _signed_of_spot(call: Call) -> str:
    """The query and then the form in the body, without the signature wherever it stands."""
    form = "" if call.body.startswith((b"{", b"[")) else call.body.decode()
    return "".join(
        "&".join(p for p in part.split("&") if not p.startswith("signature=")) for part in (call.query, form)
    )


def _signed_of_contracts(call: Call) -> tuple[str, ...]:
    """The body; of a query its parts in the order of their names, as they are or as they were before their encoding."""
    if call.body:
        return (call.body.decode(),)
    parts = sorted(call.query.split("&"))
    return call.query, "&".join(parts), "&".join(unquote_plus(part) for part in parts)


def _spot(call: Call) -> bool:
    return call.path.startswith("/api/v3/")


def _symbol_row(market: Market) -> dict[str, Any]:
    decimals = decimals_of(market.tick)
    return {
        "symbol": market.symbol,
        "status": "1",
        "baseAsset": market.base,
        "baseAssetPrecision": decimals_of(market.step),
        "quoteAsset": market.quote,
        "quotePrecision": decimals,
        "quoteAssetPrecision": decimals,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "quoteAmountPrecision": text(market.min_notional),
        "baseSizePrecision": text(market.min_quantity),
        "maxQuoteAmount": "2000000",
        "permissions": ["SPOT"],
        "filters": [],
        "makerCommission": "0",
        "takerCommission": "0.0005",
    }


def _batch_row(order: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.mexc.com/api-docs/spot-v3/spot-account-trade/batch-orders"""
    named = {"newClientOrderId": order.get("newClientOrderId")}
    if "orderId" not in told:
        return named | {"msg": told["msg"], "code": told["code"]}
    return {"symbol": told["symbol"], "orderId": told["orderId"], **named, "orderListId": -1}


def _named(order: Order) -> dict[str, Any]:
    return {
        "symbol": order.market.symbol,
        "orderId": order.id,
        "price": text(order.price),
        "origQty": text(order.quantity if order.ticket.quote_quantity is None else None),
        "type": order.ticket.extra["type"],
        "side": order.side.upper(),
    }


def _order_row(order: Order) -> dict[str, Any]:
    if order.open:
        status = "PARTIALLY_FILLED" if order.filled else "NEW"
    elif order.status is OrderStatus.CANCELLED and order.filled:
        status = "PARTIALLY_CANCELED"
    else:
        status = ENDED[order.status]
    return _named(order) | {
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.quote_filled),
        "status": status,
        "timeInForce": order.ticket.time_in_force.value.upper(),
        "stopPrice": None,
        "icebergQty": None,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "origQuoteOrderQty": text(order.ticket.quote_quantity),
    }


def _trade_row(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": str(fill.id),
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.price * fill.quantity),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time_ms,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.maker,
        "isBestMatch": True,
    }
