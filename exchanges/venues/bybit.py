"""Bybit v5: spot (`ByBit`), USDT/USDC perpetuals (`ByBit_F`) and those margined in coins (`ByBit_C`) of a unified
trading account.

Facts from https://bybit-exchange.github.io/docs/v5/ (read 2026-11-22) unless a line names another source.
Placing only acknowledges; the fill is asked for afterwards. Refusals come with HTTP 200 and a `retCode`.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote as percent_encode

from exchanges import errors
from exchanges.errors import ExchangeError, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Priority, Scope
from exchanges.looks import LooksAgain
from exchanges.pairs import check_pair
from exchanges.read import (
    decimal,
    decimal_or_blank,
    decimal_or_none,
    field,
    items,
    nonzero,
    nonzero_where,
    table,
    text,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.spot import check_spot
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    STOPS,
    TAKES,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
    Instrument,
    KeyInfo,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    PositionMode,
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import (
    NO_OBJECT,
    Call,
    Features,
    Venue,
    acknowledged,
    json_body,
    outcome,
    plain_params,
    refuse_crossed,
    unless_unchanged,
    unsent,
    urgency,
)

RECV_WINDOW_MS = 5000
#: a request may be stamped this much ahead of the exchange's clock, so an order's `createdTime` may lie that far back
CLOCK_AHEAD_MS = 1000
WEEK_SECONDS = 7 * 86_400
SETTLEMENTS = ("USDT", "USDC")

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
SIDE_WORDS = {side: name for name, side in SIDES.items()}
DIRECTIONS = {"Buy": Direction.LONG, "Sell": Direction.SHORT}
POSITION_INDEX = {None: 0, Direction.LONG: 1, Direction.SHORT: 2}
INDEX_SIDES = {1: Direction.LONG, 2: Direction.SHORT}
TRIGGERS = {TriggerBy.LAST: "LastPrice", TriggerBy.MARK: "MarkPrice", TriggerBy.INDEX: "IndexPrice"}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
MARGIN_MODES = {MarginMode.CROSS: "REGULAR_MARGIN", MarginMode.ISOLATED: "ISOLATED_MARGIN"}
#: https://bybit-exchange.github.io/docs/v5/enum#orderstatus; Created and Active are older words on the way to New
STATUSES = words(
    {
        OrderStatus.OPEN: "Created New PartiallyFilled Untriggered Triggered Active",
        OrderStatus.FILLED: "Filled",
        OrderStatus.CANCELLED: "Cancelled PartiallyFilledCanceled Deactivated",
        OrderStatus.REJECTED: "Rejected",
    }
)
STOP_WORDS = frozenset({"StopLoss", "PartialStopLoss", "TrailingStop"})
TAKE_WORDS = frozenset({"TakeProfit", "PartialTakeProfit"})
NOTHING = frozenset({"", "UNKNOWN", "EC_NoError"})

#: 10001 stands for many complaints; where the words tell which, they become part of the code
SPOKEN_10001 = {
    "position idx not match": "10001:mode",
    "zero position": "10001:flat",
    "base_price": "10001:crossed",
    "symbol invalid": "10001:symbol",
    "symbol params err": "10001:symbol",
    "not supported symbols": "10001:symbol",
}
#: https://bybit-exchange.github.io/docs/v5/error; time-outs and errors behind its door leave the outcome unknown
ERRORS = words(
    {
        errors.AuthRefused: "10003 10004 10005 10007 10008 10010 10024 10027 10028 33004",
        errors.ClockRefused: "10002",
        errors.Throttled: "10006 10009 10018 10429 170005 170222",
        OutcomeUnknown: "10000 10014 10016 170001 170007 170032 170035 170146 170147 170149 170234",
        errors.UnknownSymbol: "10001:symbol 10029 170121",
        errors.OrderNotFound: "110001 110008 110010 170139 170142 170143 170190 170213",
        errors.InsufficientFunds: "110004 110006 110007 110012 110014 110044 110045 110051 110052 110053 "
        "170033 170034 170131",
        errors.NothingToReduce: "10001:flat 110017 110034",
        errors.WouldTrigger: "10001:crossed 110092 110093 130074",
        errors.ModeMismatch: "10001:mode",
        errors.NotModified: "110025 110026 110027 110043",
        errors.DuplicateOrder: "110072 170141",
        errors.PostOnlyRefused: "170218",
        errors.InvalidOrder: "10001 30228 110003 110009 110016 110020 110023 110024 110028 110058 110060 110061 110094 "
        "170124 170130 170132 170133 170134 170135 170136 170137 170140 170148",
    }
)

HINTS = dict.fromkeys(
    ("110024", "110028"), "close your positions and cancel your orders of this symbol first"
)


class _ByBit(Venue):
    exchange = "bybit"
    region = "singapore"
    key_family = "bybit"
    guide = Guide(
        key_steps=(
            "flipr trades the unified trading account: upgrade an older account first.",
            "On bybit.com open Account, API, Create New Key, and choose a system-generated key for API transactions.",
            "Choose Read-Write. Tick Unified Trading: Orders and Positions for ByBit_F and ByBit_C, Trade under SPOT for ByBit.",
            "Leave every Assets right off, Withdrawal above all.",
            "Enter the addresses of your flipr: a key without them ends after three months.",
        ),
        testnet="testnet.bybit.com, with an account and keys of its own. ByBit's demo trading is another thing, and its keys do not work there.",
        quirks=(
            "On futures a stop and one target for the whole position are one pair; several targets are separate orders.",
            "A spot stop that the price has crossed already is refused before it is sent: ByBit would let it wait for the other side.",
            "Perpetuals of ByBit_F are those settled in USDT or USDC.",
            "Perpetuals of ByBit_C (BTCUSD, ETHUSD ...) are margined in their coin: one contract is 1 USD. They need a unified account of version 2; in one of version 1 their coins lie apart, where flipr does not look.",
        ),
    )
    base_urls = {
        Environment.LIVE: "https://api.bybit.com",
        Environment.TESTNET: "https://api-testnet.bybit.com",
    }
    errors, hints = ERRORS, HINTS
    #: limits are counted by user, and a user over one does not hold up the other keys of the address; the address'
    #: own limit is answered with HTTP 403, "access too frequent", and shuts it out for ten minutes
    #: (https://bybit-exchange.github.io/docs/v5/rate-limit, read 2026-11-23)
    throttles = {
        **dict.fromkeys(("10006", "10429", "170005", "170222"), Scope.KEY),
        **dict.fromkeys(("10009", "10018", "403"), Scope.ADDRESS),
    }
    longest_ban_seconds = 600.0
    cool_downs = {"10009": 600.0, "403": 600.0}
    #: an account's limits are per second and endpoint (https://bybit-exchange.github.io/docs/v5/rate-limit)
    buckets = {
        "address": Bucket(600, 5.0),
        "create_spot": Bucket(20, 1.0, Scope.KEY),
        "batch_spot": Bucket(20, 1.0, Scope.KEY),
        "cancel_spot": Bucket(20, 1.0, Scope.KEY),
        "create_linear": Bucket(10, 1.0, Scope.KEY),
        "batch_linear": Bucket(10, 1.0, Scope.KEY),
        "cancel_linear": Bucket(10, 1.0, Scope.KEY),
        "create_inverse": Bucket(10, 1.0, Scope.KEY),
        "batch_inverse": Bucket(10, 1.0, Scope.KEY),
        "cancel_inverse": Bucket(10, 1.0, Scope.KEY),
        "settings": Bucket(10, 1.0, Scope.KEY),
        "reads": Bucket(50, 1.0, Scope.KEY),
    }
    category: ClassVar[str]
    #: what a list of everything must be asked for, one request each
    everywhere: ClassVar[tuple[Mapping[str, str], ...]]
    #: permissions of a key that let it trade this product
    rights: ClassVar[tuple[str, ...]]
    #: names in `lotSizeFilter`: step, smallest quantity, smallest value, largest market order
    lot_names: ClassVar[tuple[str, str, str, str]]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://bybit-exchange.github.io/docs/v5/guide#authentication"""
        params, get = plain_params(call.params), call.method == "GET"
        # cursors come percent-encoded and go back as they came (as pybit sends them)
        query = "&".join(f"{name}={percent_encode(str(v), safe='%,:')}" for name, v in params.items() if get)
        body = "" if get else json_body(call.params)
        headers = {} if get else {"Content-Type": "application/json"}
        if call.signed and keys:
            signed = f"{now_ms}{keys.key}{RECV_WINDOW_MS}{query}{body}"
            headers |= {
                "X-BAPI-API-KEY": keys.key,
                "X-BAPI-TIMESTAMP": str(now_ms),
                "X-BAPI-RECV-WINDOW": str(RECV_WINDOW_MS),
                "X-BAPI-SIGN": hex_hmac(keys.secret, signed),
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        # a refused signature (10004) quotes what was signed: the key
        said, _, _ = str(answer.data.get("retMsg", "")).partition("origin_string")
        code = answer.data.get("retCode")
        if code == 0:
            return None
        if code is None:
            return "", "the answer has no retCode"
        known = [name for part, name in SPOKEN_10001.items() if code == 10001 and part in said.lower()]
        return (known or [str(code)])[0], said

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The headers speak of the endpoint just called: only its own bucket among these was charged."""
        try:
            used = int(answer.headers["x-bapi-limit"]) - int(answer.headers["x-bapi-limit-status"])
        except (KeyError, ValueError):
            return {}
        return {name: used for name, bucket in self.buckets.items() if bucket.scope is Scope.KEY}

    def place_call(self, order: OrderRequest) -> Call:
        if order.post_only and order.type not in LIMITS:
            raise Unsupported(f"{self.name}: only limit orders can be post-only")
        params = {
            "category": self.category,
            "symbol": order.instrument.symbol,
            "side": SIDE_WORDS[order.side],
            "orderType": "Limit" if order.type in LIMITS else "Market",
            "qty": order.quantity if order.quantity is not None else order.quote_quantity,
            "orderLinkId": order.client_id,
        }
        if order.type in LIMITS:
            params["price"] = order.price
            params["timeInForce"] = "PostOnly" if order.post_only else TIMES[order.time_in_force]
        if order.type.conditional:
            params["triggerPrice"] = order.trigger_price
        priority = urgency(order)
        return self._write(
            "order/create", params | self._product_params(order), f"create_{self.category}", priority
        )

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://bybit-exchange.github.io/docs/v5/order/batch-place; its limit is its own and counts orders."""
        orders = [
            {name: value for name, value in plain_params(call.params).items() if name != "category"}
            for call in calls
        ]
        params = {"category": self.category, "request": orders}
        costs = {f"batch_{self.category}": len(calls), "address": 1}
        return Call("POST", "/v5/order/create-batch", params, costs=costs)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """Two lists of one length: the orders, and whether each was taken."""
        taken = zip(items(data, "result", "list"), items(data, "retExtInfo", "list"), strict=True)
        return [
            {"retCode": field(told, "code"), "retMsg": told.get("msg", ""), "result": row}
            for row, told in taken
        ]

    @abstractmethod
    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """What only this product's orders carry. Raises Unsupported."""

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, text(data, "result", "orderId"), acknowledged_only=True)

    def read_order(self, item: Any) -> Report:
        """One entry of the order lists (https://bybit-exchange.github.io/docs/v5/order/open-order)."""
        filled, kind = decimal(item, "cumExecQty"), _order_type(item)
        reasons = [item.get(name, "") for name in ("rejectReason", "cancelType")]
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=text(item, "orderLinkId"),
            symbol=text(item, "symbol"),
            side=word(SIDES, item, "side"),
            type=kind,
            status=word(STATUSES, item, "orderStatus"),
            quantity=None if self._counts_quote(item) else decimal(item, "qty"),
            filled=filled,
            average_price=self._average(item, filled) if filled else None,
            price=nonzero(item, "price") if kind in LIMITS else None,
            trigger_price=nonzero_where(True, item, "triggerPrice") if kind.conditional else None,
            reduce_only=item.get("reduceOnly") is True,
            position_side=INDEX_SIDES.get(item.get("positionIdx")),
            fee=_fee(item),
            reason=next((reason for reason in reasons if reason not in NOTHING), ""),
        )

    def _average(self, item: Any, filled: Decimal) -> Decimal | None:
        """`avgPrice` may lag or stay 0 where a part was filled before the cancel; the value traded tells too. Of a
        contract margined in coins it is coins."""
        value = nonzero(item, "cumExecValue")
        counted = value and (filled / value if self.product is Product.INVERSE else value / filled)
        return nonzero(item, "avgPrice") or counted

    def _counts_quote(self, item: Any) -> bool:
        """Whether `qty` of this order is an amount of quote currency (spot only; a buy by default)."""
        unit = item.get("marketUnit") or ("quoteCoin" if item.get("side") == "Buy" else "baseCoin")
        return self.product is Product.SPOT and item.get("orderType") == "Market" and unit == "quoteCoin"

    def read_instrument(self, entry: Any) -> Instrument:
        """https://bybit-exchange.github.io/docs/v5/market/instrument"""
        lot, (step, least, least_value, largest_market) = field(entry, "lotSizeFilter"), self.lot_names
        return Instrument(
            symbol=text(entry, "symbol"),
            base=text(entry, "baseCoin"),
            quote=text(entry, "quoteCoin"),
            settle=text(entry, "settleCoin" if "settleCoin" in entry else "quoteCoin"),
            product=self.product,
            tick=decimal(entry, "priceFilter", "tickSize"),
            step=decimal(lot, step),
            min_quantity=decimal_or_none(lot, least) or Decimal(0),
            min_notional=decimal_or_none(lot, least_value) or Decimal(0),
            max_quantity=nonzero(lot, "maxLimitOrderQty") or nonzero(lot, "maxOrderQty"),
            max_market_quantity=nonzero(lot, largest_market),
            max_leverage=decimal_or_none(entry, "leverageFilter", "maxLeverage"),
            active=text(entry, "status") == "Trading",
        )

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._read("market/time", {}), "timeNano") // 1_000_000)

    def instruments(self) -> list[Instrument]:
        entries = self._pages("market/instruments-info", {}, None, 1000)
        return [self.read_instrument(entry) for entry in entries if self._trades(entry)]

    def _trades(self, entry: Any) -> bool:
        return True

    def quote(self, instrument: Instrument) -> Quote:
        data = self._read("market/tickers", {"category": self.category, "symbol": instrument.symbol})
        bid, ask, last = (decimal(data, "list", 0, name) for name in ("bid1Price", "ask1Price", "lastPrice"))
        return Quote(bid, ask, last, nonzero(field(data, "list", 0), "markPrice"))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        self._cancel(keys, instrument, ref.named("orderId", "orderLinkId"))

    def _cancel(self, keys: Credentials, instrument: Instrument, which: Mapping[str, str]) -> None:
        params = {"category": self.category, "symbol": instrument.symbol, **which}
        call = self._write("order/cancel", params, f"cancel_{self.category}", Priority.PROTECT)
        text(self.call(call, keys), "result", "orderId")

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """From the live list, which forgets ended orders after 500 more or a restart, then from the
        history, which lags, and tells what ended without a fill for a day only
        (https://bybit-exchange.github.io/docs/v5/order/order-list, read 2026-11-23)."""
        params = {
            "category": self.category,
            "symbol": instrument.symbol,
            **ref.named("orderId", "orderLinkId"),
        }
        for path in ("order/realtime", "order/history"):
            if found := items(self._read(path, params, keys), "list"):
                return self.read_order(found[0])
        raise OrderNotFound(f"{self.name} does not know this order")

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        return [self.read_order(item) for item in self._listed("order/realtime", keys, instrument, 50)]

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """The unified wallet (https://bybit-exchange.github.io/docs/v5/account/wallet-balance)."""
        accounts = items(self._read("account/wallet-balance", {"accountType": "UNIFIED"}, keys), "list")
        found = [self.read_balance(coin, account) for account in accounts for coin in items(account, "coin")]
        return {balance.asset: balance for balance in found}

    def read_balance(self, coin: Any, account: Any) -> Balance:
        """`availableToWithdraw` is retired and empty by now, so what is free is counted: equity less what
        orders and positions hold. Under portfolio margin the coin does not say that (""); the account does."""
        asset, total = text(coin, "coin"), decimal(coin, "equity")
        held = [decimal_or_blank(coin, name) for name in ("locked", "totalOrderIM", "totalPositionIM")]
        free = total - sum((amount for amount in held if amount is not None), Decimal(0))
        available = decimal_or_blank(account, "totalAvailableBalance")
        if None in held[1:] and available is not None and asset in SETTLEMENTS:
            free = min(free, available)
        return Balance(asset, total, max(free, Decimal(0)))

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://bybit-exchange.github.io/docs/v5/user/apikey-info"""
        data = self._read("user/query-api", {}, keys, bucket="settings")
        writes = decimal(data, "readOnly") == 0
        return KeyInfo(
            can_trade=writes and any(items(data, "permissions", name) for name in self.rights),
            can_withdraw=writes and "Withdraw" in items(data, "permissions", "Wallet"),
            ip_locked=bool(items(data, "ips")) and "*" not in items(data, "ips"),
            expires=_expiry(data.get("expiredAt")),
            note="" if data.get("uta") == 1 else "not a unified trading account: upgrade it at Bybit first",
        )

    # -- one request -----------------------------------------------------------------------------------

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        return Call("POST", f"/v5/{path}", params, costs={bucket: 1, "address": 1}, priority=priority)

    def _read(
        self, path: str, params: Mapping[str, Any], keys: Credentials | None = None, bucket: str = "reads"
    ) -> Any:
        costs = {bucket: 1, "address": 1} if keys else {"address": 1}
        return field(self.ask(f"/v5/{path}", params, costs, keys), "result")

    def _listed(
        self, path: str, keys: Credentials, instrument: Instrument | None, size: int
    ) -> Iterator[Any]:
        scopes = ({"symbol": instrument.symbol},) if instrument else self.everywhere
        for scope in scopes:
            yield from self._pages(path, scope, keys, size)

    def _pages(
        self, path: str, scope: Mapping[str, str], keys: Credentials | None, size: int
    ) -> Iterator[Any]:
        """Every entry of a list; the last page is the one not full or without a new cursor."""
        asked = {"category": self.category, **scope, "limit": size}
        while True:
            data = self._read(path, asked, keys)
            page = items(data, "list")
            yield from page
            if len(page) < size or (cursor := text(data, "nextPageCursor")) in ("", asked.get("cursor")):
                return
            asked["cursor"] = cursor


class ByBitSpot(_ByBit):
    name = "ByBit"
    product = Product.SPOT
    features = Features(
        market_by_quote=True,
        reduce_only=False,
        client_id_memory_seconds=WEEK_SECONDS,
        batch=10,
        batch_conditional=True,
    )
    category = "spot"
    everywhere = ({},)
    rights = ("Spot",)
    #: no smallest quantity: `minOrderQty` is listed but only `minOrderAmt` is checked
    lot_names = ("basePrecision", "", "minOrderAmt", "maxMarketOrderQty")

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """A spot trigger has no direction: the exchange waits for the side on which it lies, so a stop
        already crossed would rest there as a take-profit. It is refused here instead."""
        if order.type.conditional:
            refuse_crossed(order, self._last(order.instrument))
        return super().place(keys, order, patience_seconds=patience_seconds)

    def place_calls(self, orders: Sequence[OrderRequest]) -> list[Call | ExchangeError]:
        """One look at the price serves all conditional orders of a batch."""
        calls = super().place_calls(orders)
        if not any(order.type.conditional for order in orders):
            return calls
        last = outcome(lambda: self._last(orders[0].instrument))
        return [
            outcome(partial(self._uncrossed, order, last, call)) if isinstance(call, Call) else call
            for order, call in zip(orders, calls, strict=True)
        ]

    def _uncrossed(self, order: OrderRequest, last: Decimal | ExchangeError, call: Call) -> Call:
        if order.type.conditional:
            if isinstance(last, ExchangeError):
                raise last
            refuse_crossed(order, last)
        return call

    def _last(self, instrument: Instrument) -> Decimal:
        with unsent("the price is not known"):
            return self.quote(instrument).last

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """Each kind of order is cancelled under its own filter; one that triggered is of the first again."""
        missing = OrderNotFound(f"{self.name} does not know this order")
        for kind in ("StopOrder", "Order", "tpslOrder") if ref.conditional else ("Order",):
            try:
                return self._cancel(
                    keys, instrument, ref.named("orderId", "orderLinkId") | {"orderFilter": kind}
                )
            except OrderNotFound as error:
                missing = error
        raise missing

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        params = {"orderFilter": "StopOrder"} if order.type.conditional else {}
        if order.type not in LIMITS:
            params["marketUnit"] = "quoteCoin" if order.quantity is None else "baseCoin"
        return params


class _ByBitFutures(LooksAgain, _ByBit):
    """Stop and target of `protect` are a partial TP/SL pair of the position: when one triggers the other is
    cancelled, both vanish with the position, and cancelling one may cancel the other. Sources:
    https://bybit-exchange.github.io/docs/v5/position/trading-stop and Bybit's help article "Introduction to
    Take Profit and Stop Loss (Perpetual and Futures Contracts)" of 2025-09-18, both read 2026-11-22."""

    features = Features(
        linked_legs=True,
        leverage=True,
        client_id_memory_seconds=WEEK_SECONDS,
        batch=10,  # their own limit is ten orders a second
        batch_conditional=True,
    )
    rights = ("ContractTrade", "Derivatives")
    #: seconds before each look for the two orders that `protect` created: the list may lag a moment
    look_after = (0.0, 0.1, 0.3)

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are not given in quote currency")
        if order.position_side and not self.features.hedge_mode:
            raise Unsupported(f"{self.name}: these contracts have no hedge mode")
        params: dict[str, Any] = {"positionIdx": POSITION_INDEX[order.position_side]}
        if order.type.conditional:
            params["triggerDirection"] = 1 if order.rises else 2
            params["triggerBy"] = TRIGGERS[order.trigger_by]
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.reduce_only and order.type in STOPS:
            params["closeOnTrigger"] = True  # a stop must close even when no margin is free at that moment
        return params

    @abstractmethod
    def _trades(self, entry: Any) -> bool:
        """Whether it is a perpetual of this product: the list has dated contracts too."""

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        listed = self._listed("position/list", keys, instrument, 200)
        return [self.read_position(item) for item in listed if decimal(item, "size")]

    def read_position(self, item: Any) -> Position:
        """`tradeMode` is always 0 in a unified account, where the margin mode is the account's."""
        return Position(
            symbol=text(item, "symbol"),
            direction=word(DIRECTIONS, item, "side"),
            quantity=decimal(item, "size"),
            entry_price=decimal(item, "avgPrice"),
            mark_price=nonzero(item, "markPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=MarginMode.ISOLATED if item.get("tradeMode") == 1 else None,
            unrealised=decimal_or_none(item, "unrealisedPnl"),
            liquidation_price=nonzero(item, "liqPrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        """In hedge mode a symbol has the entries 1 and 2, open or not; otherwise the one entry 0."""
        listed = self._listed("position/list", keys, instrument, 200)
        hedged = [decimal(item, "positionIdx") for item in listed] not in ([0], [])
        return PositionMode.HEDGE if hedged else PositionMode.ONE_WAY

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The margin mode is the whole account's: it is changed only when it differs."""
        if mode is not None:
            self._set_margin_mode(keys, mode)
        if leverage is not None:
            both = {"buyLeverage": leverage, "sellLeverage": leverage}
            params = {"category": self.category, "symbol": instrument.symbol, **both}
            self._set(keys, "position/set-leverage", params)

    def _set_margin_mode(self, keys: Credentials, mode: MarginMode) -> None:
        current = text(self._read("account/info", {}, keys), "marginMode")
        if current == MARGIN_MODES[mode] or (current == "PORTFOLIO_MARGIN" and mode is MarginMode.CROSS):
            return  # portfolio margin is cross margin too, and not ours to give up
        self._set(keys, "account/set-margin-mode", {"setMarginMode": MARGIN_MODES[mode]})

    def _set(self, keys: Credentials, path: str, params: Mapping[str, Any]) -> None:
        unless_unchanged(lambda: self.call(self._write(path, params, "settings", Priority.ENTRY), keys))

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        params = {"category": self.category, "symbol": instrument.symbol}
        self.call(self._write("order/cancel-all", params, f"cancel_{self.category}", Priority.PROTECT), keys)

    # -- linked legs -----------------------------------------------------------------------------------

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """The answer names no orders: they are looked up by what they are and when they were made, also
        after an answer that was lost. They have no client id. Raises OutcomeUnknown when not found."""
        started, trouble = (
            time.monotonic(),
            OutcomeUnknown(f"{self.name} took stop and target but lists neither"),
        )
        try:
            self.call(self.protect_call(legs), keys)
        except OutcomeUnknown as lost:
            trouble = lost
        since_ms = self.clock.now_ms() - int((time.monotonic() - started) * 1000) - CLOCK_AHEAD_MS
        for listed in self._listings(lambda: self._listed("order/realtime", keys, legs.stop.instrument, 50)):
            stop, target = (self._leg(listed, leg, since_ms) for leg in (legs.stop, legs.target))
            if stop and target:
                return stop, target
        raise trouble

    def protect_call(self, legs: Legs) -> Call:
        check_pair(self.name, legs, targets=TAKES)
        stop, target = legs.stop, legs.target
        params = {
            "category": self.category,
            "symbol": stop.instrument.symbol,
            "tpslMode": "Partial",
            "positionIdx": POSITION_INDEX[stop.position_side],
        }
        for price, prefix, leg in (("stopLoss", "sl", stop), ("takeProfit", "tp", target)):
            params[price] = leg.trigger_price
            params[f"{prefix}Size"] = leg.quantity
            params[f"{prefix}TriggerBy"] = TRIGGERS[leg.trigger_by]
            params[f"{prefix}OrderType"] = "Limit" if leg.type in LIMITS else "Market"
            if leg.type in LIMITS:
                params[f"{prefix}LimitPrice"] = leg.price
        return self._write("position/trading-stop", params, "settings", Priority.PROTECT)

    def _leg(self, listed: list[Any], leg: OrderRequest, since_ms: int) -> Report | None:
        """The newest order that is this leg; the list has the newest first."""
        kind = "PartialStopLoss" if leg.type in STOPS else "PartialTakeProfit"
        wanted = (kind, POSITION_INDEX[leg.position_side], leg.trigger_price, leg.quantity)
        for item in map(table, listed):
            here = (
                item.get("stopOrderType"),
                item.get("positionIdx"),
                nonzero(item, "triggerPrice"),
                decimal(item, "qty"),
            )
            if here == wanted and decimal(item, "createdTime") >= since_ms:
                return self.read_order(item)
        return None


class ByBitLinear(_ByBitFutures):
    name = "ByBit_F"
    product = Product.LINEAR
    features = replace(_ByBitFutures.features, hedge_mode=True)
    category = "linear"
    everywhere = tuple({"settleCoin": coin} for coin in SETTLEMENTS)
    lot_names = ("qtyStep", "minOrderQty", "minNotionalValue", "maxMktOrderQty")

    def _trades(self, entry: Any) -> bool:
        return text(entry, "contractType") == "LinearPerpetual" and text(entry, "settleCoin") in SETTLEMENTS


class ByBitInverse(_ByBitFutures):
    """Counted in contracts of 1 USD, margined in coins; one-way only
    (https://bybit-exchange.github.io/docs/zh-TW/v5/position/position-mode, read 2026-11-23). Lists need no settlement
    coin. Their smallest order is their smallest value: a contract is a dollar."""

    name = "ByBit_C"
    product = Product.INVERSE
    category = "inverse"
    everywhere = ({},)
    lot_names = ("qtyStep", "minOrderQty", "", "maxMktOrderQty")

    def _trades(self, entry: Any) -> bool:
        return text(entry, "contractType") == "InversePerpetual"


def _order_type(item: Any) -> OrderType:
    limit, kind = text(item, "orderType") != "Market", text(item, "stopOrderType")
    if kind in NOTHING:
        return OrderType.LIMIT if limit else OrderType.MARKET
    stop = kind in STOP_WORDS or (kind not in TAKE_WORDS and _waits_as_stop(item))
    return OrderType.waiting(stop=stop, limit=limit)


def _waits_as_stop(item: Any) -> bool:
    """A spot trigger has no direction: then the price at the order's creation tells, which has a name of its own there
    (https://bybit-exchange.github.io/docs/v5/order/open-order, read 2026-11-23); unknown is a stop."""
    rises = {1: True, 2: False}.get(item.get("triggerDirection"))
    buys, created_at = word(SIDES, item, "side") is Side.BUY, nonzero(item, "basePrice")
    if rises is None and created_at is not None:
        rises = decimal(item, "triggerPrice") > created_at
    return rises in (None, buys)


def _fee(item: Any) -> Fee | None:
    """`cumFeeDetail` has the amount by coin; a spot buy pays in what it bought."""
    fees = table(item, "cumFeeDetail") if item.get("cumFeeDetail") else {}
    return next((Fee(decimal(fees, asset), asset) for asset in fees), None)


def _expiry(value: Any) -> datetime | None:
    """Keys bound to an address do not expire: they carry nothing, or the year 1970."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.year > 1970 and moment.tzinfo else None
