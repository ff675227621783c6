"""Phemex: spot (`Phemex`) and the USDT perpetuals of its "hedged" contract API (`Phemex_F`).

Facts from https://phemex-docs.github.io/ (read 2026-11-22) unless a line names another source. What is odd here:

* spot counts in whole numbers, each price and amount shifted by the scale of its symbol or coin (`Ep`, `Ev`);
  perpetuals use plain decimals (`Rp`, `Rq`, `Rv`);
* HTTP 200 and code 0 may still carry a refusal: the `bizError` of the order in the answer;
* placing only acknowledges; the fill is read from the order history, which is a database behind the exchange,
  so that an order it does not know yet is looked for among the open ones too;
* open orders are listed by symbol only, and an empty list may come as "order not found" (ccxt 4.5.90); which
  symbols have any is told for perpetuals by an order list of the last two months, for spot by nothing;
* orders go out one by one: only a cancel takes several (the lists of calls at github.com/phemex/phemex-api-docs, of spot
  and of hedged perpetuals, and in ccxt 4.5.90, read 2026-11-23);
* a cancel of a perpetual order must name its position side, which an id does not tell;
* the sign of a leverage is the margin mode: at or below zero cross, above it isolated;
* `closeOnTrigger` would close the whole position (error 11068), so that stops are plain reduce-only orders.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import (
    AuthRefused,
    InvalidOrder,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.paging import pages_by_number
from exchanges.read import (
    as_decimal,
    decimal,
    decimal_or_none,
    field,
    items,
    nonzero,
    nonzero_where,
    text,
    word,
    words,
)
from exchanges.signature import hex_hmac
from exchanges.spot import check_spot
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
    Balance,
    Credentials,
    Direction,
    Environment,
    Fee,
    Instrument,
    KeyInfo,
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
from exchanges.venue import Call, Features, Venue, acknowledged, json_body, plain_params, urgency

#: how long a request may be under way: the exchange refuses it afterwards
EXPIRY_SECONDS = 60
COIN = "USDT"

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
SIDE_WORDS = {side: name for name, side in SIDES.items()}
DIRECTIONS = {"Buy": Direction.LONG, "Sell": Direction.SHORT}
POSITION_SIDES = {"Merged": None, "Long": Direction.LONG, "Short": Direction.SHORT}
POSITION_WORDS = {side: name for name, side in POSITION_SIDES.items()}
MODES = {"OneWay": PositionMode.ONE_WAY, "Hedged": PositionMode.HEDGE}
TYPE_WORDS = {
    OrderType.MARKET: "Market",
    OrderType.LIMIT: "Limit",
    OrderType.STOP: "Stop",
    OrderType.STOP_LIMIT: "StopLimit",
    OrderType.TAKE_PROFIT: "MarketIfTouched",
    OrderType.TAKE_PROFIT_LIMIT: "LimitIfTouched",
}
#: the others come from orders made elsewhere: protected forms of a market order, brackets of the website
TYPES = {name: kind for kind, name in TYPE_WORDS.items()} | {
    "ProtectedMarket": OrderType.MARKET,
    "MarketAsLimit": OrderType.MARKET,
    "StopAsLimit": OrderType.STOP,
    "MarketIfTouchedAsLimit": OrderType.TAKE_PROFIT,
    "Bracket": OrderType.LIMIT,
    "BoTpLimit": OrderType.TAKE_PROFIT_LIMIT,
    "BoSlLimit": OrderType.STOP_LIMIT,
    "BoSlMarket": OrderType.STOP,
}
TIMES = {TimeInForce.IOC: "ImmediateOrCancel", TimeInForce.FOK: "FillOrKill"}
TRIGGERS = {TriggerBy.LAST: "ByLastPrice", TriggerBy.MARK: "ByMarkPrice", TriggerBy.INDEX: "ByIndexPrice"}
STATUSES = words(
    {
        OrderStatus.OPEN: "Created Init New PartiallyFilled Untriggered Triggered",
        OrderStatus.FILLED: "Filled",
        OrderStatus.CANCELLED: "Canceled Deactivated",
        OrderStatus.REJECTED: "Rejected",
    }
)
#: New, PartiallyFilled and Untriggered in the order list, how far back that list reaches, and its longest page
OPEN_NUMBERS = (5, 6, 1)
LIST_MS, LIST_SIZE = 60 * 86_400_000, 200
NOTHING = (None, 0, "0")
#: why the matching engine ended an order
REASONS = {
    "100": "not enough on the other side of the book",
    "101": "a post-only order would have taken",
    "116": "not enough of the base coin",
    "117": "not enough of the quote coin",
}

#: codes that stand for many complaints; where the words tell which, they become part of the code. The words of
#: an expired request are not documented: any that name the expiry
SPOKEN = (
    ("401", "expir", "401:expired"),
    ("10500", "expir", "401:expired"),
    ("10500", "failed to find api-key", "10500:key"),
    ("10500", "api key not found", "10500:key"),
    ("10500", "signature", "10500:key"),
    ("10500", "missing required parameter", "10500:parameter"),
)
ERRORS = words(
    {
        errors.AuthRefused: "401 403 10500:key 11022 34003 39996",
        errors.ClockRefused: "401:expired",
        errors.Throttled: "429 429:user 39995",
        # "please try again later" (https://github.com/ccxt/ccxt/issues/25506, read 2026-11-22); pending orders that
        # cannot be cancelled now; an engine that could not be asked, or was not the right one
        OutcomeUnknown: "10500 10003 10004 10005 11016 11025 11061 11064 11107",
        errors.UnknownSymbol: "6001 11027 11028 11070 39997",
        errors.OrderNotFound: "10002 11015 11062 11063 11108 11109 11110",
        errors.DuplicateOrder: "10001 11033 11085 19999",
        errors.InsufficientFunds: "11001 11003 11005 11010 11082 11100 11101 11105 11106 35104",
        errors.NothingToReduce: "11011 11013 11014 11057 11059 11060",
        errors.WouldTrigger: "11043 11044 11047 11048 11050 11052",
        # TE_ERR_INCONSISTENT_POS_MODE: seen in reports of ccxt's users, not documented
        errors.ModeMismatch: "20004",
        errors.InvalidOrder: "412 10500:parameter 11002 11004 11012 11031 11032 11034 11035 11036 11037 11038 11039 11040 "
        "11041 11042 11045 11046 11049 11051 11053 11054 11055 11056 11058 11067 11068 11074 11081 11083 11084 "
        "11112 11114 11115 30000 30018",
    }
)


class _Phemex(Venue):
    exchange = "phemex"
    region = "singapore"
    key_family = "phemex"
    guide = Guide(
        key_steps=(
            "On phemex.com open the account menu, API Management, and create a new API key.",
            "Allow trading (read and write) for what you trade: contract trading, spot trading, or both.",
            "Leave withdrawals off: flipr never needs them, and Phemex does not tell flipr whether they are on.",
            "Bind the key to the addresses of your flipr.",
            "Enter the key's id as key, and the API secret, which is shown once, as secret.",
        ),
        testnet="Phemex has a test net with accounts and keys of its own at testnet.phemex.com; it allows 500 "
        "requests in five minutes for everybody behind one address.",
        quirks=(
            "Spot and contract trading have separate wallets: transfer USDT to the contract account first.",
            "Stop and target of a perpetual are two reduce-only orders; flipr cancels the one that is left.",
            "On spot only the stop rests at the exchange; flipr watches the target and sells when it is reached.",
            "Open orders of all spot pairs cannot be listed at once: name the symbol to cancel them.",
            "Phemex tells neither the rights of a key nor its IP lock, so check both on its site.",
            "Perpetuals are those that settle in USDT; USDC and coin-margined contracts are not traded.",
        ),
    )
    base_urls = {
        Environment.LIVE: "https://api.phemex.com",
        Environment.TESTNET: "https://testnet-api.phemex.com",
    }
    errors = ERRORS
    #: a user over the limit of a group does not hold up the others of its address; without the header of a group
    #: it is the address
    throttles = {"429:user": Scope.KEY, "39995": Scope.KEY, "429": Scope.ADDRESS}
    #: an address over its limit is shut out for the five minutes that follow (Generic-API-Info.en.md at
    #: github.com/phemex/phemex-api-docs, read 2026-11-23). How it is told so is not documented: a 429 that names no
    #: group may be that, or chance
    longest_ban_seconds = 300.0
    buckets = {
        "address": Bucket(5000, 300.0),
        "contract": Bucket(500, 60.0, Scope.KEY),
        "spotorder": Bucket(500, 60.0, Scope.KEY),
        "others": Bucket(100, 60.0, Scope.KEY),
    }
    looks_per_minute = 150  # of 1,000 requests a minute and address, at least two a look
    prices_per_minute = 120
    #: the group of limits that orders count in
    group: ClassVar[str]
    orders_path: ClassVar[str]
    open_path: ClassVar[str]
    history_path: ClassVar[str]
    cancel_all_cost: ClassVar[int]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """The path, the query without its question mark, the expiry in seconds and the body, in this order."""
        post = call.method == "POST"
        query = "" if post else urlencode(plain_params(call.params))
        body = json_body(call.params) if post else ""
        headers = {"Content-Type": "application/json"} if post else {}
        if call.signed and keys:
            expiry = str(now_ms // 1000 + EXPIRY_SECONDS)
            headers |= {
                "x-phemex-access-token": keys.key,
                "x-phemex-request-expiry": expiry,
                "x-phemex-request-signature": hex_hmac(keys.secret, f"{call.path}{query}{expiry}{body}"),
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        data = answer.data
        if answer.status == 429:
            return "429:user" if _reset_seconds(answer) else "429", "too many requests"
        if not isinstance(data, Mapping):
            return None if data is None else ("", "the answer is no object")
        if isinstance(fault := data.get("error"), Mapping):  # the frame of market data
            return str(fault.get("code", "")), str(fault.get("message", ""))
        if data.get("code") is None:
            return None if isinstance(data.get("result"), Mapping) else ("", "the answer has no code")
        order = data.get("data")
        refused = order.get("bizError") if isinstance(order, Mapping) else None
        code = next((str(each) for each in (data["code"], refused) if each not in NOTHING), "")
        return _spoken(code, str(data.get("msg") or f"error {code}")) if code else None

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """The reset comes in a header named after the group of limits."""
        if seconds := _reset_seconds(answer):
            answer = replace(answer, headers={**answer.headers, "retry-after": seconds})
        return super().checked(answer, charges)

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """Headers end in the name of the group; that of all others has no name."""
        used = {}
        for group in ("contract", "spotorder", "others"):
            ending = "" if group == "others" else f"-{group}"
            left, capacity = (
                answer.headers.get(f"x-ratelimit-{part}{ending}", "") for part in ("remaining", "capacity")
            )
            if left.isdigit() and capacity.isdigit():
                used[group] = min(int(capacity), self.buckets[group].capacity) - int(left)
        return used

    def place_call(self, order: OrderRequest) -> Call:
        if order.post_only and order.type not in LIMITS:
            raise Unsupported(f"{self.name}: only limit orders can be post-only")
        params = {
            "symbol": order.instrument.symbol,
            "clOrdID": order.client_id,
            "side": SIDE_WORDS[order.side],
            "ordType": TYPE_WORDS[order.type],
            **self._product_params(order),
        }
        if order.type in LIMITS and (order.post_only or order.time_in_force in TIMES):
            params["timeInForce"] = "PostOnly" if order.post_only else TIMES[order.time_in_force]
        return self._write("POST", self.orders_path, params, urgency(order))

    @abstractmethod
    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """Amounts, prices and what only this product's orders carry. Raises Unsupported or InvalidOrder."""

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """An order that has just been taken is mostly "Created": what becomes of it is asked for."""
        item = field(data, "data")
        report = acknowledged(order, text(item, "orderID"), status=word(STATUSES, item, "ordStatus"))
        if not report.status.final:
            return report
        read = self.read_order(item, order.instrument)
        return replace(
            report,
            filled=read.filled,
            average_price=read.average_price,
            fee=read.fee,
            reason=read.reason,
            acknowledged_only=False,
        )

    def read_order(self, item: Any, instrument: Instrument) -> Report:
        """An order of an answer, of the open ones or of the history: some names differ between them."""
        kind = word(TYPES, item, _either(item, "ordType", "orderType"))
        report = Report(
            exchange_id=text(item, _either(item, "orderID", "orderId")),
            client_id=_words(item, "clOrdID") or _words(item, "clOrdId"),
            symbol=text(item, "symbol"),
            side=word(SIDES, item, "side"),
            type=kind,
            status=word(STATUSES, item, "ordStatus"),
            quantity=None,
            reduce_only=item.get("reduceOnly") is True
            or item.get("execInst") in ("ReduceOnly", "CloseOnTrigger"),
            reason=_reason(item),
        )
        return self._with_numbers(report, item, instrument)

    @abstractmethod
    def _with_numbers(self, report: Report, item: Any, instrument: Instrument) -> Report:
        """`report` with amounts, prices and fee of this product."""

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._read("/public/time", {}), "data", "serverTime"))

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        """The history of spot may leave out our id: then the only order it answers is the one asked for."""
        params = {"symbol": instrument.symbol, **ref.named("orderID", "clOrdID")}
        rows = _rows(self._read(self.history_path, params, keys, "others"))
        for item in rows:
            report = self.read_order(item, instrument)
            if _is(report, ref) or (not ref.exchange_id and not report.client_id and len(rows) == 1):
                return replace(report, client_id=report.client_id or ref.client_id)
        if rows:
            raise OutcomeUnknown(f"{self.name} answers about other orders than the one asked for")
        return self._open_one(keys, instrument, ref)

    def _open_one(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        for report in self.open_orders(keys, instrument):
            if _is(report, ref):
                return report
        raise OrderNotFound(f"{self.name} does not know this order")

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        if instrument is None:
            raise Unsupported(f"{self.name} lists open orders of one symbol at a time")
        try:
            data = self._read(self.open_path, {"symbol": instrument.symbol}, keys, self.group)
        except OrderNotFound:
            return []
        return [self.read_order(item, instrument) for item in _rows(data)]

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        """Orders that wait for their trigger and orders in the book are cancelled one after the other."""
        for untriggered in ("true", "false"):
            params = {"symbol": instrument.symbol, "untriggered": untriggered}
            path = f"{self.orders_path}/all"
            with suppress(OrderNotFound):  # there are none
                self.call(self._write("DELETE", path, params, Priority.PROTECT, self.cancel_all_cost), keys)

    def key_info(self, keys: Credentials) -> KeyInfo:
        """No call tells the rights of a key; one that reads the balance is at least valid."""
        self.balances(keys)
        return KeyInfo(note="Phemex does not tell the rights of a key: check them on its site")

    # -- one request -----------------------------------------------------------------------------------

    def _write(
        self, method: str, path: str, params: Mapping[str, Any], priority: Priority, cost: int = 1
    ) -> Call:
        return Call(method, path, params, costs={self.group: cost, "address": 1}, priority=priority)

    def _read(
        self, path: str, params: Mapping[str, Any], keys: Credentials | None = None, bucket: str = ""
    ) -> Any:
        costs = {bucket: 1, "address": 1} if bucket else {"address": 1}
        return self.ask(path, params, costs, keys)


class PhemexSpot(_Phemex):
    name = "Phemex"
    product = Product.SPOT
    features = Features(
        rests_both_legs=False, market_by_quote=True, reduce_only=False, open_orders_by_symbol=True
    )
    group = "spotorder"
    orders_path = open_path = "/spot/orders"
    history_path = "/api-data/spots/orders/by-order-id"
    cancel_all_cost = 2
    #: decimals of each coin's amounts: public, and the same for every user; read with the instruments
    _scales: Mapping[str, int] = {}

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        scales = order.instrument.extra
        params: dict[str, Any]
        if order.quantity is None:
            params = {
                "qtyType": "ByQuote",
                "quoteQtyEv": _shifted(order.quote_quantity, scales["quote_scale"]),
            }
        else:
            params = {"qtyType": "ByBase", "baseQtyEv": _shifted(order.quantity, scales["base_scale"])}
        if order.type in LIMITS:
            params["priceEp"] = _shifted(order.price, scales["price_scale"])
        if order.type.conditional:
            params |= {
                "stopPxEp": _shifted(order.trigger_price, scales["price_scale"]),
                "trigger": TRIGGERS[TriggerBy.LAST],
            }
        return params

    def _with_numbers(self, report: Report, item: Any, instrument: Instrument) -> Report:
        scales = instrument.extra
        base, quote, price = (scales[f"{name}_scale"] for name in ("base", "quote", "price"))
        filled = _unshifted(item, _either(item, "cumBaseQtyEv", "cumBaseValueEv"), base)
        value = _unshifted(item, _either(item, "cumQuoteQtyEv", "cumQuoteValueEv"), quote)
        return replace(
            report,
            quantity=None if text(item, "qtyType") == "ByQuote" else _unshifted(item, "baseQtyEv", base),
            filled=filled,
            average_price=value / filled if filled and value else None,
            price=_unshifted(item, "priceEp", price) or None if report.type in LIMITS else None,
            trigger_price=_unshifted(item, "stopPxEp", price) if report.type.conditional else None,
            fee=_spot_fee(item, instrument),
        )

    def instruments(self) -> list[Instrument]:
        data = field(self._read("/public/products", {}), "data")
        coins = {text(each, "currency"): each for each in items(data, "currencies")}
        self._scales = {name: int(decimal(each, "valueScale")) for name, each in coins.items()}
        pairs = [each for each in items(data, "products") if text(each, "type") == "Spot"]
        return [
            self.read_instrument(each, coins)
            for each in pairs
            if {text(each, "baseCurrency"), text(each, "quoteCurrency")} <= coins.keys()
        ]

    def read_instrument(self, entry: Any, coins: Mapping[str, Any]) -> Instrument:
        names = [text(entry, name) for name in ("baseCurrency", "quoteCurrency")]
        base_scale, quote_scale = (self._scales[name] for name in names)
        base, quote = (common_asset(name) for name in names)
        return Instrument(
            symbol=text(entry, "symbol"),
            base=base,
            quote=quote,
            settle=quote,
            product=self.product,
            tick=_unshifted(entry, "quoteTickSizeEv", quote_scale),
            step=_unshifted(entry, "baseTickSizeEv", base_scale),
            min_quantity=_unshifted(entry, "baseTickSizeEv", base_scale),
            min_notional=_unshifted(entry, "minOrderValueEv", quote_scale),
            max_quantity=_unshifted(entry, "maxBaseOrderSizeEv", base_scale),
            active=text(entry, "status") == "Listed",
            extra={
                "price_scale": int(decimal(entry, "priceScale")),
                "base_scale": base_scale,
                "quote_scale": quote_scale,
                # a fee names its coin, or that coin's number
                "base_names": [names[0], text(coins[names[0]], "code")],
                "quote_names": [names[1], text(coins[names[1]], "code")],
            },
        )

    def quote(self, instrument: Instrument) -> Quote:
        data = field(self._read("/md/spot/ticker/24hr", {"symbol": instrument.symbol}), "result")
        scale = instrument.extra["price_scale"]
        return Quote(*(_unshifted(data, name, scale) for name in ("bidEp", "askEp", "lastEp")))

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        params = {"symbol": instrument.symbol, **ref.named("orderID", "clOrdID")}
        self.call(self._write("DELETE", self.orders_path, params, Priority.PROTECT, 2), keys)

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        if not self._scales:
            self.instruments()
        found = {}
        for each in items(self._read("/spot/wallets", {}, keys, "others"), "data"):
            coin = text(each, "currency")
            if coin not in self._scales:
                raise OutcomeUnknown(f"{self.name} does not tell in which unit it counts {coin}")
            total, *held = (
                _unshifted(each, name, self._scales[coin])
                for name in ("balanceEv", "lockedTradingBalanceEv", "lockedWithdrawEv")
            )
            asset = common_asset(coin)
            found[asset] = Balance(asset, total, total - sum(held))
        return found


class PhemexFutures(_Phemex):
    name = "Phemex_F"
    product = Product.LINEAR
    features = Features(hedge_mode=True, leverage=True, open_orders_by_symbol=True)
    group = "contract"
    orders_path = "/g-orders"
    open_path = "/g-orders/activeList"
    history_path = "/api-data/g-futures/orders/by-order-id"
    cancel_all_cost = 3

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        params: dict[str, Any] = {
            "posSide": POSITION_WORDS[order.position_side],
            "orderQtyRq": order.quantity,
        }
        if order.type in LIMITS:
            params["priceRp"] = order.price
        if order.type.conditional:
            params |= {"stopPxRp": order.trigger_price, "triggerType": TRIGGERS[order.trigger_by]}
        if order.reduce_only and order.position_side is None:
            params["reduceOnly"] = True  # in hedge mode side and position side say it
        return params

    def _with_numbers(self, report: Report, item: Any, instrument: Instrument) -> Report:
        filled, value = decimal(item, "cumQtyRq"), decimal(item, "cumValueRv")
        fee = decimal_or_none(item, "execFeeRv")
        return replace(
            report,
            quantity=decimal(item, "orderQtyRq"),
            filled=filled,
            average_price=value / filled if filled and value else None,
            price=nonzero(item, "priceRp") if report.type in LIMITS else None,
            trigger_price=nonzero_where(report.type.conditional, item, "stopPxRp"),
            position_side=word(POSITION_SIDES, item, "posSide") if _words(item, "posSide") else None,
            fee=Fee(fee, instrument.settle) if fee else None,
        )

    def instruments(self) -> list[Instrument]:
        listed = items(self._read("/public/products", {}), "data", "perpProductsV2")
        return [self.read_instrument(each) for each in listed if text(each, "settleCurrency") == COIN]

    def read_instrument(self, entry: Any) -> Instrument:
        step = decimal(entry, "qtyStepSize")
        return Instrument(
            symbol=text(entry, "symbol"),
            base=common_asset(text(entry, "baseCurrency").replace(" ", "")),
            quote=common_asset(text(entry, "quoteCurrency")),
            settle=COIN,
            product=self.product,
            tick=decimal(entry, "tickSize"),
            step=step,
            min_quantity=step,
            min_notional=decimal(entry, "minOrderValueRv"),
            max_quantity=nonzero(entry, "maxOrderQtyRq"),
            max_leverage=nonzero(entry, "maxLeverage"),
            active=text(entry, "status") == "Listed",
        )

    def quote(self, instrument: Instrument) -> Quote:
        data = field(self._read("/md/v3/ticker/24hr", {"symbol": instrument.symbol}), "result")
        return Quote(*(decimal(data, name) for name in ("bidRp", "askRp", "lastRp", "markRp")))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """Of all symbols: of those with a position, and of those the order list names."""
        if instrument is not None:
            return super().open_orders(keys, instrument)
        symbols = {each.symbol for each in self.positions(keys)} | self._symbols_with_orders(keys)
        known = [each for each in self.instruments() if each.symbol in symbols]
        return [report for each in known for report in super(PhemexFutures, self).open_orders(keys, each)]

    def _symbols_with_orders(self, keys: Credentials) -> set[str]:
        """The list reaches back two months. One state word at a time: how to join them is not documented."""
        end = self.clock.now_ms()
        return {
            text(row, "symbol")
            for status in OPEN_NUMBERS
            for row in self._listed(
                keys, {"currency": COIN, "ordStatus": status, "start": end - LIST_MS, "end": end}
            )
        }

    def _listed(self, keys: Credentials, asked: Mapping[str, Any]) -> Iterator[Any]:
        def page(number: int) -> list[Any]:
            params = {**asked, "offset": number * LIST_SIZE, "limit": LIST_SIZE}
            return _rows(self._read("/exchange/order/v2/orderList", params, keys, "others"))

        return pages_by_number(page, LIST_SIZE)

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """As in one-way mode; when that is refused, on the position side the order is listed with."""
        try:
            self._cancel(keys, instrument, ref, None)
        except (AuthRefused, Throttled):
            raise
        except Refused as refused:
            side = self._open_one(keys, instrument, ref).position_side
            if side is None:
                raise OutcomeUnknown(f"{self.name} lists this order and does not cancel it") from refused
            self._cancel(keys, instrument, ref, side)

    def _cancel(
        self, keys: Credentials, instrument: Instrument, ref: OrderRef, side: Direction | None
    ) -> None:
        params = {
            "symbol": instrument.symbol,
            **ref.named("orderID", "clOrdID"),
            "posSide": POSITION_WORDS[side],
        }
        self.call(self._write("DELETE", "/g-orders/cancel", params, Priority.PROTECT), keys)

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """The equity counts what open positions would bring now; the exchange's free balance does not."""
        data = self._account(keys)
        total, used = (decimal(data, "account", name) for name in ("accountBalanceRv", "totalUsedBalanceRv"))
        open_profit = sum(
            (each.unrealised or Decimal(0) for each in self._open_positions(data)), start=Decimal(0)
        )
        asset = common_asset(text(data, "account", "currency"))
        return {asset: Balance(asset, total + open_profit, total - used)}

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        found = self._open_positions(self._account(keys, instrument))
        return [each for each in found if instrument is None or each.symbol == instrument.symbol]

    def _open_positions(self, data: Any) -> list[Position]:
        listed = items(data, "positions")
        return [self.read_position(each) for each in listed if decimal(each, _either(each, "size", "sizeRq"))]

    def read_position(self, item: Any) -> Position:
        """The unrealised profit has to be counted: the call that tells it costs 25 times as much."""
        hedged = word(MODES, item, "posMode") is PositionMode.HEDGE
        side = word(POSITION_SIDES, item, "posSide") if hedged else word(DIRECTIONS, item, "side")
        if side is None:
            raise OutcomeUnknown("a position in hedge mode has no side in the answer")
        quantity, entry = decimal(item, _either(item, "size", "sizeRq")), decimal(item, "avgEntryPriceRp")
        mark, leverage = decimal(item, "markPriceRp"), decimal(item, "leverageRr")
        gain = (mark - entry) * quantity if mark else None
        return Position(
            symbol=text(item, "symbol"),
            direction=side,
            quantity=quantity,
            entry_price=entry,
            mark_price=mark,
            leverage=abs(leverage) or None,
            margin_mode=MarginMode.ISOLATED if leverage > 0 else MarginMode.CROSS,
            unrealised=gain if gain is None or side is Direction.LONG else -gain,
            liquidation_price=nonzero(item, "liquidationPriceRp"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        """A symbol that is not listed was never traded: one-way, and an order for the other mode is refused."""
        hedged = [word(MODES, each, "posMode") for each in self._entries(keys, instrument)]
        return PositionMode.HEDGE if PositionMode.HEDGE in hedged else PositionMode.ONE_WAY

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """One signed number holds both, for each side of the position; what is not given stays as it is."""
        entries = self._entries(keys, instrument)
        now = [decimal(each, "leverageRr") for each in entries] or [Decimal(-10)]  # what a new account has
        hedged = any(word(MODES, each, "posMode") is PositionMode.HEDGE for each in entries)
        if mode is None:
            mode = MarginMode.ISOLATED if now[0] > 0 else MarginMode.CROSS
        size = abs(now[0]) if leverage is None else leverage
        if not size and mode is MarginMode.ISOLATED:
            raise Unsupported(f"{self.name}: say the leverage too, it follows the risk limit now")
        wanted = size if mode is MarginMode.ISOLATED else -size
        if entries and all(each == wanted for each in now):
            return
        names = ("longLeverageRr", "shortLeverageRr") if hedged else ("leverageRr",)
        params = {"symbol": instrument.symbol, **dict.fromkeys(names, wanted)}
        self.call(self._write("PUT", "/g-positions/leverage", params, Priority.ENTRY), keys)

    def _entries(self, keys: Credentials, instrument: Instrument) -> list[Any]:
        listed = items(self._account(keys, instrument), "positions")
        return [each for each in listed if text(each, "symbol") == instrument.symbol]

    def _account(self, keys: Credentials, instrument: Instrument | None = None) -> Any:
        params = {"currency": COIN, **({"symbol": instrument.symbol} if instrument else {})}
        return field(self._read("/g-accounts/accountPositions", params, keys, self.group), "data")


def _spoken(code: str, words: str) -> tuple[str, str]:
    known = [exact for general, said, exact in SPOKEN if code == general and said in words.lower()]
    if known == ["10500:key"]:
        words = "the API key or its signature is refused"  # Phemex quotes the key
    return (known or [code])[0], words


def _reset_seconds(answer: Answer) -> str:
    """Until the limit of the group that was exceeded begins anew; "" when the answer names none."""
    named = [name for name in answer.headers if name.startswith("x-ratelimit-retry-after")]
    return answer.headers[named[0]] if named else ""


def _rows(answer: Any) -> list[Any]:
    """A list comes bare (the documentation's samples) or as `rows` (what clients of the exchange read)."""
    data = field(answer, "data")
    if isinstance(data, list):
        return data
    if isinstance(data, Mapping) and data.get("nextPageArg"):
        raise OutcomeUnknown("the list has another page, and how to ask for it is not documented")
    return items(data, "rows")


def _is(report: Report, ref: OrderRef) -> bool:
    if ref.exchange_id:
        return report.exchange_id == ref.exchange_id
    return report.client_id == ref.client_id


def _either(item: Any, *names: str) -> str:
    """The one of several names under which this answer has the field."""
    found = [name for name in names if isinstance(item, Mapping) and item.get(name) is not None]
    return (found or names)[0]


def _words(item: Any, name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _reason(item: Any) -> str:
    codes = [str(item[name]) for name in ("cxlRejReason", "bizError") if item.get(name) not in NOTHING]
    return next((REASONS.get(code, f"error {code}") for code in codes), "")


def _shifted(value: Decimal | None, scale: int) -> int:
    """As the whole number the exchange counts in."""
    number = (value or Decimal(0)).scaleb(scale)
    if number != number.to_integral_value():
        raise InvalidOrder(f"{value} has more than {scale} decimals")
    return int(number)


def _unshifted(item: Any, name: str, scale: int) -> Decimal:
    return decimal(item, name).scaleb(-scale)


def _spot_fee(item: Any, instrument: Instrument) -> Fee | None:
    """In one of the coins of the pair; Phemex' own token is not counted: its unit is not known here."""
    amount, coin = as_decimal(item.get("cumFeeEv") or 0), str(item.get("feeCurrency"))
    for part, asset in (("base", instrument.base), ("quote", instrument.quote)):
        if amount and coin in instrument.extra[f"{part}_names"]:
            return Fee(amount.scaleb(-instrument.extra[f"{part}_scale"]), asset)
    return None
