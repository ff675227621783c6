"""KuCoin: spot (`KuCoin`) and USDT/USDC perpetuals (`KuCoin_F`), two hosts opened by one key of a classic account.

Facts from https://www.kucoin.com/docs-new/ and the models of KuCoin's own SDK (github.com/Kucoin/kucoin-universal-sdk,
stored copies read 2026-11-22) unless a line names another source. Quirks:

* Only spot orders are placed and cancelled "sync": the answer tells the outcome, though not at what price. A futures
  order is only acknowledged. There is no test net since 2023.
* A batch of spot takes five limit orders of one symbol. A refused one is told in words only, and without its id: it is
  known by the others having been told of, and words that are not known leave it unknown.
* A client id is refused as a duplicate only while its order is open (kucoin-api-docs issue 468, 2023-06-20).
* A spot stop order is a record of its own that freezes no balance (help article 31880997949977 "Why Stop Orders Are
  Canceled"): stop and target may both wait for the whole size. Triggered, it goes on as a plain order under another id
  and the same client id. KuCoin's OCO is not used: both its legs are limit orders, so it cannot hold a market stop,
  and its answers do not tell which plain order a leg became.
* Futures count whole contracts of `multiplier` coins (XBTUSDTM: 0.001), and BTC is XBT; callers see base units only.
* A futures order must name the margin mode that its symbol is set to (330005 else). Where nobody said which that is,
  the mode seen last for the key is named, isolated at first; the refusal proves that nothing was placed, and the
  other mode is tried once.
* Isolated leverage is not kept by the exchange: each opening order carries it, 1 where none was asked for.
* `st-orders` (stop and target attached to an order) name no ids of the two: separate stop orders are used, and the
  exchange cancels neither of them when the other fills.
* A unified account (112010) has other addresses and another order model, which is not spoken here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from exchanges import errors
from exchanges.contracts import CountsContracts, in_coins
from exchanges.errors import (
    ExchangeError,
    InvalidOrder,
    OrderNotFound,
    OutcomeUnknown,
    UnknownSymbol,
    Unsupported,
)
from exchanges.guide import Guide
from exchanges.limits import Bucket, Costs, Priority, Scope
from exchanges.margin import whole_leverage
from exchanges.memory import Memory, Slot, slot
from exchanges.read import (
    decimal,
    decimal_or_none,
    field,
    items,
    nonzero,
    nonzero_where,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.signature import base64_hmac
from exchanges.spot import check_spot, down
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
from exchanges.venue import (
    NO_OBJECT,
    Call,
    Features,
    Venue,
    acknowledged,
    by_client_id,
    json_body,
    named_rows,
    outcome,
    plain_params,
    urgency,
)

SIDES = {side.value: side for side in Side}
IS_LIMIT = {"limit": True, "market": False, "limit_stop": True, "market_stop": False}
TRIGGERS = {TriggerBy.LAST: "TP", TriggerBy.MARK: "MP", TriggerBy.INDEX: "IP"}
MODES = {mode.upper(): mode for mode in MarginMode}
OPEN_OR_DONE = {"open": True, "done": False}
SIDE_OF_POSITION = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
POSITION_MODES = {"0": PositionMode.ONE_WAY, "1": PositionMode.HEDGE}
SETTLEMENTS = ("USDT", "USDC")
#: a spot stop order: None once it triggered; the words after TRIGGERED are those of clients that saw ended ones
STOP_STATUSES = {
    "NEW": OrderStatus.OPEN,
    "TRIGGERED": None,
    "CANCEL": OrderStatus.CANCELLED,
    "CANCELED": OrderStatus.CANCELLED,
    "CANCELLED": OrderStatus.CANCELLED,
    "FAIL": OrderStatus.REJECTED,
}
#: whether a spot stop order is for profit, by (side, `stop`); the other words are legs of an OCO made elsewhere
STOP_KINDS = {"loss": False, "entry": True, "l_s_o": False, "e_s_o": False, "tso": False} | {
    "l_l_o": True,
    "e_l_o": True,
}
#: what of one code's many meanings the words tell, as a part of the code
SPOKEN = {
    "duplicat": ":duplicate",
    "ordernotexist": ":gone",
    "order not exist": ":gone",
    "order_not_exist": ":gone",
    "order does not exist": ":gone",
    "available.amount": ":funds",
    "unsupported trading pair": ":symbol",
    "symbol not exist": ":symbol",
}
SPEAKING = frozenset({"400100", "100001", "300000"})
#: what the words of a spot order that was refused in a batch hold -> the code it would have had alone
SPOKEN_IN_BATCH = {
    "balance insufficient": "200004",
    "available.amount": "400100",
    "duplicat": "400100",
    "below the minimum": "400100",
    "is not available": "400600",
    "increment invalid": "600100",
    "funds should more": "600101",
    "too many requests": "429000",
}
Codes = Mapping[type[errors.ExchangeError], str]
#: https://www.kucoin.com/docs/basic-info/errors-code and what clients met; a code may mean two things on two products
SHARED: Codes = {
    errors.AuthRefused: "400001 400003 400004 400005 400006 400007 400303 400401 400500 400700 411100 112010 126046 "
    "126047 40010",
    errors.ClockRefused: "400002",
    errors.Throttled: "429000 1015",
    OutcomeUnknown: "500000 503000 408000",
    OrderNotFound: "400100:gone 100001:gone 300000:gone 100004 126043 order_not_exist",
    errors.DuplicateOrder: "400100:duplicate 100001:duplicate 300000:duplicate 126044",
    errors.InsufficientFunds: "400100:funds 200004",
    UnknownSymbol: "400100:symbol 400600 100003",
    errors.MarketPaused: "200001 600203 300002",
    InvalidOrder: "400100 400200 400330 400350 400370 400760 415000 600100 600101 100001",
}
SPOT_ERRORS: Codes = {errors.MarketPaused: "200002", InvalidOrder: "200003"}
FUTURES_ERRORS: Codes = {
    errors.Throttled: "200002",
    UnknownSymbol: "200003",
    errors.InsufficientFunds: "300003 200005 330008",
    errors.NothingToReduce: "300009",
    errors.ModeMismatch: "330011 330012",
    InvalidOrder: "300000 300001 300004 300005 300006 300007 300008 300011 300012 330005",
}
OTHER_MARGIN_MODE = "330005"
HINTS = dict.fromkeys(
    ("400500", "126046"), "the rules of your country or your verification at KuCoin do not let you trade this"
)


class _KuCoin(Venue):
    exchange = "kucoin"
    region = "tokyo"
    key_family = "kucoin"
    key_fields = ("key", "secret", "passphrase")
    guide = Guide(
        key_steps=(
            "On kucoin.com open API Management, Create API, and invent a passphrase: it is the third thing that flipr asks for.",
            "Tick General, Spot for KuCoin and Futures for KuCoin_F.",
            "Leave Withdrawal and Transfer off: both move money out of the account.",
            "Restrict the key to IPs and enter the addresses of your flipr.",
        ),
        quirks=(
            "Stop and target wait side by side and do not cancel each other: flipr does.",
            "Futures are traded in whole contracts, 0.001 BTC each for BTC: quantities are rounded down to them.",
            "A futures order must name the margin mode that its symbol is set to; flipr finds it out at the first order.",
            "Unified accounts have another way to trade, which flipr does not speak: use a classic account.",
        ),
    )
    #: pools of weights over 30 seconds, of VIP 0: https://www.kucoin.com/docs-new/rate-limit
    buckets = {
        "spot": Bucket(4000, 30.0, Scope.KEY),
        "futures": Bucket(2000, 30.0, Scope.KEY),
        "management": Bucket(2000, 30.0, Scope.KEY),
        "public": Bucket(2000, 30.0),
    }
    #: 200002 (futures) shuts its call for ten seconds, 1015 is Cloudflare's for thirty
    cool_downs = {"200002": 10.0, "1015": 30.0}
    throttles = {"1015": Scope.ADDRESS, "200002": Scope.KEY}
    #: the pool of this product's private calls
    pool: ClassVar[str]
    #: permissions of a key that let it trade this product
    rights: ClassVar[tuple[str, ...]]
    #: addresses of the lists of open and of waiting orders with their weights, and of what cancels them all
    listed: ClassVar[tuple[tuple[str, int, Mapping[str, str]], ...]]
    cleared: ClassVar[tuple[tuple[str, int], ...]]

    # -- pure ------------------------------------------------------------------------------------------

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """https://www.kucoin.com/docs-new/authentication; keys of version 3 are signed like those of version 2."""
        writes = call.method == "POST"
        query = "" if writes else urlencode(plain_params(call.params))
        body = json_body(call.params) if writes else ""
        headers = {"Content-Type": "application/json"} if writes else {}
        request = Request(call.method, call.path, query, body.encode(), headers)
        if call.signed and keys:
            signed = f"{now_ms}{call.method}{request.target}{body}"
            headers |= {
                "KC-API-KEY": keys.key,
                "KC-API-KEY-VERSION": "2",
                "KC-API-PASSPHRASE": base64_hmac(keys.secret, keys.passphrase),
                "KC-API-SIGN": base64_hmac(keys.secret, signed),
                "KC-API-TIMESTAMP": str(now_ms),
            }
        return request

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        code, words = str(answer.data.get("code", "")), str(answer.data.get("msg") or "")
        if code == "200000":
            return None
        if not code:
            return "", words or "the answer has no code"
        if code in SPEAKING:
            code += next((name for said, name in SPOKEN.items() if said in words.lower()), "")
        return code, words

    def retry_after(self, answer: Answer) -> float | None:
        """Told in ms, and also by answers that refuse nothing: when the pool is full again."""
        reset_ms = answer.headers.get("gw-ratelimit-reset", "")
        if answer.status != 429 or "retry-after" in answer.headers or not reset_ms.isdigit():
            return super().retry_after(answer)
        return int(reset_ms) / 1000

    def usage(self, answer: Answer) -> Mapping[str, int]:
        """The headers speak of the pool of the call just made: only that one among these was charged. Above VIP 0 it
        is larger than ours: what is left of it is left of ours."""
        try:
            limit, left = (int(answer.headers[f"gw-ratelimit-{name}"]) for name in ("limit", "remaining"))
        except (KeyError, ValueError):
            return {}
        return {name: min(limit, each.capacity) - left for name, each in self.buckets.items()}

    def place_call(self, order: OrderRequest) -> Call:
        limit = order.type in LIMITS
        if order.post_only and (not limit or order.time_in_force is not TimeInForce.GTC):
            raise Unsupported(f"{self.name}: only limit orders that rest can be post-only")
        if not limit and order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: market orders have no time in force")
        params = {
            "clientOid": order.client_id,
            "side": order.side.value,
            "symbol": order.instrument.symbol,
            "type": "limit" if limit else "market",
        } | self._product_params(order)
        if limit:
            params["price"] = order.price
            params |= {"postOnly": True} if order.post_only else {}
            if order.time_in_force is not TimeInForce.GTC:
                params["timeInForce"] = order.time_in_force.upper()
        path, weight = self._place_path(order)
        return Call("POST", path, params, costs={self.pool: weight}, priority=urgency(order))

    @abstractmethod
    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        """Size and trigger, and what only this product's orders carry. Raises Unsupported."""

    @abstractmethod
    def _place_path(self, order: OrderRequest) -> tuple[str, int]:
        """Address and weight."""

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, text(data, "data", "orderId"))

    @abstractmethod
    def read_order(self, item: Any) -> Report:
        """One entry of the lists of orders."""

    # -- calls -----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._public("/api/v1/timestamp", {}, 3)))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        return [
            self.read_order(item)
            for path, weight, params in self.listed
            for item in self._everything(path, weight, params, keys, instrument)
        ]

    def _everything(
        self,
        path: str,
        weight: int,
        params: Mapping[str, str],
        keys: Credentials,
        instrument: Instrument | None,
    ) -> Iterator[Any]:
        """The entries of a list page by page."""
        asked: dict[str, Any] = {**params, **({"symbol": instrument.symbol} if instrument else {})}
        page = pages = 1
        while page <= pages:
            data = self._read(path, asked | {"currentPage": page, "pageSize": 500}, weight, keys)
            yield from items(data, "items")
            page, pages = page + 1, int(decimal(data, "totalPage"))

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        for path, weight in self.cleared:
            self._delete(path, {"symbol": instrument.symbol}, weight, keys)

    def key_info(self, keys: Credentials) -> KeyInfo:
        """https://www.kucoin.com/docs-new/rest/account-info/account-funding/get-apikey-info; "Transfer" moves funds
        out of the account as well."""
        data = self._read("/api/v1/user/api-key", {}, 20, keys, pool="management", host=self._key_host())
        may = {right.strip().lower() for right in text(data, "permission").split(",")}
        return KeyInfo(
            can_trade=any(right in may for right in self.rights),
            can_withdraw=bool(may & {"transfer", "withdrawal", "withdraw"}),
            ip_locked=bool(data.get("ipWhitelist")),
        )

    def _key_host(self) -> str:
        return ""

    # -- one request -----------------------------------------------------------------------------------

    def _public(self, path: str, params: Mapping[str, Any], weight: int) -> Any:
        return field(self.ask(path, params, {"public": weight}), "data")

    def _read(
        self,
        path: str,
        params: Mapping[str, Any],
        weight: int,
        keys: Credentials,
        *,
        pool: str = "",
        host: str = "",
    ) -> Any:
        return field(self.ask(path, params, {pool or self.pool: weight}, keys, host=host), "data")

    def _delete(self, path: str, params: Mapping[str, Any], weight: int, keys: Credentials) -> Any:
        call = Call("DELETE", path, params, costs={self.pool: weight}, priority=Priority.PROTECT)
        return field(self.call(call, keys), "data")


class KuCoinSpot(_KuCoin):
    name = "KuCoin"
    product = Product.SPOT
    base_urls = {Environment.LIVE: "https://api.kucoin.com"}
    features = Features(market_by_quote=True, reduce_only=False, batch=5)
    errors, hints = words(SHARED, SPOT_ERRORS), HINTS
    pool = "spot"
    rights = ("spot", "trade")
    listed = (("/api/v1/stop-order", 8, {}),)
    cleared = (("/api/v1/hf/orders", 2), ("/api/v1/stop-order/cancel", 3))

    def _place_path(self, order: OrderRequest) -> tuple[str, int]:
        return ("/api/v1/stop-order", 2) if order.type.conditional else ("/api/v1/hf/orders/sync", 1)

    def _share(self, *orders: OrderRequest) -> bool:
        return super()._share(*orders) and all(order.type is OrderType.LIMIT for order in orders)

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.kucoin.com/docs-new/rest/spot-trading/orders/batch-add-orders-sync: one weight for any number."""
        orders = [plain_params(call.params) for call in calls]
        return Call("POST", "/api/v1/hf/orders/multi/sync", {"orderList": orders}, costs={self.pool: 1})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """By our ids. Rows without one are believed when they refuse, all for one reason, exactly as many orders as are
        told of nowhere else."""
        rows = items(data, "data")
        names, bare = (
            {row.get("clientOid") for row in rows},
            [row for row in rows if not row.get("clientOid")],
        )
        untold = [order.client_id for order in orders if order.client_id not in names]
        refusal = _refusal(bare) if len(bare) == len(untold) else {}
        told = by_client_id(named_rows(rows, "clientOid"), orders, "clientOid")
        return [
            refusal if order.client_id in untold else _alone(row)
            for order, row in zip(orders, told, strict=True)
        ]

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        check_spot(self.name, order)
        if order.trigger_by is not TriggerBy.LAST:
            raise Unsupported(f"{self.name}: spot orders trigger by the last price only")
        if order.quote_quantity is None:
            params: dict[str, Any] = {"size": order.quantity}
        else:
            params = {"funds": down(order.quote_quantity, order.instrument.extra["quote_step"])}
        if order.type.conditional:
            params["stop"] = "entry" if order.rises else "loss"
            params["stopPrice"] = order.trigger_price
        return params

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """A stop order's record, or how a plain order stands after it met the market."""
        report = replace(super().read_placed(data, order), acknowledged_only=False)
        if order.type.conditional:
            return report
        told = field(data, "data")
        filled, waits = decimal(told, "dealSize"), word(OPEN_OR_DONE, told, "status")
        cancelled = decimal(told, "canceledSize") > 0
        return replace(
            report,
            filled=filled,
            status=OrderStatus.OPEN if waits else _ended(filled, cancelled=cancelled),
            acknowledged_only=waits and order.type is OrderType.MARKET,
        )

    def read_order(self, item: Any) -> Report:
        """https://www.kucoin.com/docs-new/rest/spot-trading/orders/get-order-by-orderld; stop orders have a `stop`."""
        if text_or_none(item, "stop"):
            return self.read_stop(item)
        filled, limit = decimal(item, "dealSize"), word(IS_LIMIT, item, "type")
        active, cancelled = (_flag(item, name) for name in ("active", "cancelExist"))
        return Report(
            exchange_id=text(item, "id"),
            client_id=item.get("clientOid") or "",
            symbol=text(item, "symbol"),
            side=word(SIDES, item, "side"),
            type=OrderType.LIMIT if limit else OrderType.MARKET,
            status=OrderStatus.OPEN if active else _ended(filled, cancelled=cancelled),
            quantity=_size(item),
            filled=filled,
            average_price=decimal(item, "dealFunds") / filled if filled else None,
            price=nonzero(item, "price") if limit else None,
            fee=Fee(decimal(item, "fee"), common_asset(text(item, "feeCurrency"))) if filled else None,
        )

    def read_stop(self, item: Any) -> Report:
        """https://www.kucoin.com/docs-new/rest/spot-trading/orders/get-stop-orders-list. A triggered one is told as
        open: what became of it is another order's to tell."""
        side, limit = word(SIDES, item, "side"), word(IS_LIMIT, item, "type")
        kind = text(item, "stop")
        gain = word(STOP_KINDS, item, "stop")
        if kind in ("loss", "entry"):
            gain = gain == (side is Side.SELL)
        return Report(
            exchange_id=text(item, "id"),
            client_id=item.get("clientOid") or "",
            symbol=text(item, "symbol"),
            side=side,
            type=OrderType.waiting(stop=not gain, limit=limit),
            status=word(STOP_STATUSES, item, "status") or OrderStatus.OPEN,
            quantity=_size(item),
            price=nonzero(item, "price") if limit else None,
            trigger_price=decimal(item, "stopPrice"),
        )

    def instruments(self) -> list[Instrument]:
        return [self.read_instrument(item) for item in items(self._public("/api/v2/symbols", {}, 4))]

    def read_instrument(self, item: Any) -> Instrument:
        quote = text(item, "quoteCurrency")
        return Instrument(
            symbol=text(item, "symbol"),
            base=common_asset(text(item, "baseCurrency")),
            quote=quote,
            settle=quote,
            product=self.product,
            tick=decimal(item, "priceIncrement"),
            step=decimal(item, "baseIncrement"),
            min_quantity=decimal(item, "baseMinSize"),
            min_notional=decimal_or_none(item, "minFunds") or Decimal(0),
            max_quantity=nonzero(item, "baseMaxSize"),
            active=_flag(item, "enableTrading"),
            extra={"quote_step": decimal(item, "quoteIncrement")},
        )

    def quote(self, instrument: Instrument) -> Quote:
        path = "/api/v1/market/orderbook/level1"
        data = self._public(path, {"symbol": instrument.symbol}, 2)
        if data is None:
            raise UnknownSymbol(f"{self.name} does not list {instrument.symbol}")
        return Quote(*(decimal(data, name) for name in ("bestBid", "bestAsk", "price")))

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        data = self._read("/api/v1/accounts", {"type": "trade"}, 5, keys, pool="management")
        found = {}
        for item in items(data):
            asset = common_asset(text(item, "currency"))
            found[asset] = Balance(asset, decimal(item, "balance"), decimal(item, "available"))
        return found

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """Plain orders are listed by symbol only: without one, those with open orders are asked for first."""
        symbols = [instrument.symbol] if instrument else self._symbols_with_orders(keys)
        plain = [
            self.read_order(item)
            for symbol in symbols
            for item in items(self._read("/api/v1/hf/orders/active", {"symbol": symbol}, 2, keys))
        ]
        return plain + super().open_orders(keys, instrument)

    def _symbols_with_orders(self, keys: Credentials) -> list[str]:
        data = self._read("/api/v1/hf/orders/active/symbols", {}, 2, keys)
        return [text(symbol) for symbol in items(data, "symbols")]

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        if not ref.conditional:
            return self._plain(keys, instrument, ref)
        found = self._stop_record(keys, instrument, ref)
        if found is None:
            order = self._plain(keys, instrument, ref)
            return replace(order, type=OrderType.waiting(stop=True, limit=order.type is OrderType.LIMIT))
        record, stop = found
        return (
            stop if word(STOP_STATUSES, record, "status") else self._triggered(keys, instrument, record, stop)
        )

    def _triggered(self, keys: Credentials, instrument: Instrument, record: Any, stop: Report) -> Report:
        """The plain order that a stop order became, told as the stop order it was."""
        for ref in (OrderRef(stop.client_id), OrderRef(exchange_id=text_or_none(record, "relatedNo") or "")):
            if not (ref.client_id or ref.exchange_id):
                continue
            try:
                order = self._plain(keys, instrument, ref)
            except OrderNotFound:
                continue
            return replace(
                order, exchange_id=stop.exchange_id, type=stop.type, trigger_price=stop.trigger_price
            )
        raise OutcomeUnknown("it was triggered, and the order it became is not to be seen")

    def _stop_record(
        self, keys: Credentials, instrument: Instrument, ref: OrderRef
    ) -> tuple[Any, Report] | None:
        if ref.client_id:
            params = {"clientOid": ref.client_id, "symbol": instrument.symbol}
            data = self._found("/api/v1/stop-order/queryOrderByClientOid", params, 3, keys)
        else:
            data = self._found(f"/api/v1/stop-order/{ref.exchange_id}", {}, 3, keys)
        newest = next(iter(data), None) if isinstance(data, list) else data
        return None if newest is None else (newest, self.read_stop(newest))

    def _plain(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        name = f"client-order/{ref.client_id}" if ref.client_id else ref.exchange_id
        data = self._found(f"/api/v1/hf/orders/{name}", {"symbol": instrument.symbol}, 2, keys)
        if data is None:
            raise self._gone()
        return self.read_order(data)

    def _found(self, path: str, params: Mapping[str, Any], weight: int, keys: Credentials) -> Any:
        """None for what the exchange does not know: it says so by `data` null, or by a refusal."""
        try:
            return self._read(path, params, weight, keys)
        except OrderNotFound:
            return None

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A stop order that triggered is a plain order by now."""
        if ref.conditional:
            try:
                return self._cancel_stop(keys, instrument, ref)
            except OrderNotFound:
                if not ref.client_id:
                    raise
        name = f"client-order/{ref.client_id}" if ref.client_id else ref.exchange_id
        path = f"/api/v1/hf/orders/sync/{name}"
        if self._delete(path, {"symbol": instrument.symbol}, 1, keys) is None:
            raise self._gone()
        return None

    def _cancel_stop(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        if ref.client_id:
            params = {"clientOid": ref.client_id, "symbol": instrument.symbol}
            data = self._delete("/api/v1/stop-order/cancelOrderByClientOid", params, 5, keys)
            ended = bool(data is not None and text_or_none(data, "cancelledOrderId"))
        else:
            data = self._delete(f"/api/v1/stop-order/{ref.exchange_id}", {}, 3, keys)
            ended = bool(items(data, "cancelledOrderIds"))
        if not ended:
            raise self._gone()


class KuCoinFutures(CountsContracts, _KuCoin):
    name = "KuCoin_F"
    product = Product.LINEAR
    base_urls = {Environment.LIVE: "https://api-futures.kucoin.com"}
    hosts = {"kucoin": {Environment.LIVE: "https://api.kucoin.com"}}
    features = Features(hedge_mode=True, leverage=True, batch=20, batch_conditional=True)
    errors, hints = words(SHARED, FUTURES_ERRORS), HINTS
    pool = "futures"
    rights = ("futures",)
    listed = (("/api/v1/orders", 2, {"status": "active"}), ("/api/v1/stopOrders", 6, {}))
    cleared = (("/api/v3/orders", 10), ("/api/v1/stopOrders", 15))

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        #: the margin mode that an instrument was last seen to be set to
        self._modes: Memory[Slot, MarginMode] = Memory()

    # -- placing ---------------------------------------------------------------------------------------

    def _place_path(self, order: OrderRequest) -> tuple[str, int]:
        return "/api/v1/orders", 2

    def _product_params(self, order: OrderRequest) -> dict[str, Any]:
        if order.time_in_force is TimeInForce.FOK:
            raise Unsupported(f"{self.name} has no fill-or-kill orders")
        mode = order.margin_mode or MarginMode.ISOLATED
        params: dict[str, Any] = {"size": self._whole_contracts(order), "marginMode": mode.upper()}
        if mode is MarginMode.ISOLATED and not order.reduce_only:
            params["leverage"] = whole_leverage(self.name, order.leverage or Decimal(1))
        if order.position_side:
            params["positionSide"] = order.position_side.upper()
        if order.reduce_only:
            params["reduceOnly"] = True
        if order.type.conditional:
            params["stop"] = "up" if order.rises else "down"
            params["stopPrice"] = order.trigger_price
            params["stopPriceType"] = TRIGGERS[order.trigger_by]
        return params

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """In the margin mode the symbol is set to; a mode that nobody asked for may turn out to be the other one."""
        mode = order.margin_mode or self._modes.get(slot(keys, order.instrument), MarginMode.ISOLATED)
        try:
            return super().place(keys, replace(order, margin_mode=mode), patience_seconds=patience_seconds)
        except InvalidOrder as refused:
            if refused.code != OTHER_MARGIN_MODE or order.margin_mode:
                raise
        other = MarginMode.CROSS if mode is MarginMode.ISOLATED else MarginMode.ISOLATED
        report = super().place(keys, replace(order, margin_mode=other), patience_seconds=patience_seconds)
        self._modes[slot(keys, order.instrument)] = other
        return report

    def place_many(self, keys: Credentials, orders: Sequence[OrderRequest]) -> list[Report | ExchangeError]:
        """As `place`: what is refused for a margin mode that nobody asked for is placed in the other one, alone."""
        moded = [
            replace(order, margin_mode=order.margin_mode or self._modes.get(slot(keys, order.instrument)))
            for order in orders
        ]
        return [
            outcome(partial(self.place, keys, order)) if self._other_mode(order, told) else told
            for order, told in zip(orders, super().place_many(keys, moded), strict=True)
        ]

    def _other_mode(self, order: OrderRequest, told: Report | ExchangeError) -> bool:
        return order.margin_mode is None and isinstance(told, InvalidOrder) and told.code == OTHER_MARGIN_MODE

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://www.kucoin.com/docs/rest/futures-trading/orders/place-multiple-orders: stop orders included; the
        weight is the same for any number."""
        orders = [plain_params(call.params) for call in calls]
        return Call("POST", "/api/v1/orders/multi", {"": orders}, costs={self.pool: 20})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        rows = by_client_id(items(data, "data"), orders, "clientOid")
        return [{**row, "data": row} for row in rows]

    # -- orders ----------------------------------------------------------------------------------------

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        self._know(instrument)
        return super().open_orders(keys, instrument)

    def read_order(self, item: Any) -> Report:
        """https://www.kucoin.com/docs-new/rest/futures-trading/orders/get-order-by-orderld, stop orders included."""
        size, filled = self._size(text(item, "symbol")), decimal(item, "filledSize")
        side, limit = word(SIDES, item, "side"), word(IS_LIMIT, item, "type")
        kind = OrderType.LIMIT if limit else OrderType.MARKET
        if text(item, "stop"):
            rises = word({"up": True, "down": False}, item, "stop")
            kind = OrderType.waiting(stop=rises == (side is Side.BUY), limit=limit)
        waits, cancelled = word(OPEN_OR_DONE, item, "status"), _flag(item, "cancelExist")
        # an order that reduces ends with nothing left to close as one over 0 contracts
        contracts = nonzero(item, "size") if item.get("closeOrder") is True else decimal(item, "size") or None
        average = nonzero(item, "avgDealPrice") or (
            decimal(item, "filledValue") / filled / size if filled else None
        )
        return Report(
            exchange_id=text(item, "id"),
            client_id=item.get("clientOid") or "",
            symbol=text(item, "symbol"),
            side=side,
            type=kind,
            status=OrderStatus.OPEN if waits else _ended(filled, cancelled=cancelled),
            quantity=contracts and contracts * size,
            filled=filled * size,
            average_price=average if filled else None,
            price=nonzero(item, "price") if limit else None,
            trigger_price=decimal(item, "stopPrice") if kind.conditional else None,
            reduce_only=item.get("reduceOnly") is True or item.get("closeOrder") is True,
            position_side=_position_side(item),
        )

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        self._know(instrument)
        if ref.exchange_id:
            data = self._read(f"/api/v1/orders/{ref.exchange_id}", {}, 5, keys)
        else:
            data = self._read("/api/v1/orders/byClientOid", {"clientOid": ref.client_id}, 5, keys)
        if data is None:
            raise self._gone()
        return self.read_order(data)

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """Only the exchange's id is documented to reach stop orders too."""
        if not ref.exchange_id and ref.conditional:
            ref = self.fetch(keys, instrument, ref).ref
        if ref.exchange_id:
            data = self._delete(f"/api/v1/orders/{ref.exchange_id}", {}, 1, keys)
            ended = bool(data) and items(data, "cancelledOrderIds")
        else:
            params = {"symbol": instrument.symbol}
            ended = self._delete(f"/api/v1/orders/client-order/{ref.client_id}", params, 1, keys)
        if not ended:
            raise self._gone()

    # -- market ----------------------------------------------------------------------------------------

    def instruments(self) -> list[Instrument]:
        """Perpetuals (FFWCSX) that settle in dollars; the others are dated or coin-margined."""
        listed = items(self._public("/api/v1/contracts/active", {}, 3))
        found = [
            self.read_instrument(item)
            for item in listed
            if text(item, "type") == "FFWCSX" and text(item, "settleCurrency") in SETTLEMENTS
        ]
        self._know(*found)
        return found

    def read_instrument(self, item: Any) -> Instrument:
        return in_coins(
            Instrument(
                symbol=text(item, "symbol"),
                base=common_asset(text(item, "baseCurrency")),
                quote=text(item, "quoteCurrency"),
                settle=text(item, "settleCurrency"),
                product=self.product,
                tick=decimal(item, "tickSize"),
                step=decimal(item, "lotSize"),
                min_quantity=decimal(item, "lotSize"),
                max_quantity=nonzero(item, "maxOrderQty"),
                max_market_quantity=nonzero(item, "marketMaxOrderQty"),
                contract_size=decimal(item, "multiplier"),
                max_leverage=nonzero(item, "maxLeverage"),
                active=text(item, "status") == "Open",
            )
        )

    def quote(self, instrument: Instrument) -> Quote:
        data = self._public("/api/v1/ticker", {"symbol": instrument.symbol}, 2)
        return Quote(*(decimal(data, name) for name in ("bestBidPrice", "bestAskPrice", "price")))

    # -- account ---------------------------------------------------------------------------------------

    def _key_host(self) -> str:
        return "kucoin"

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        found = {}
        for coin in SETTLEMENTS:
            data = self._read("/api/v1/account-overview", {"currency": coin}, 5, keys)
            total, free = (decimal(data, name) for name in ("accountEquity", "availableBalance"))
            found[coin] = Balance(text(data, "currency"), total, free)
        return found

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        self._know(instrument)
        wanted = instrument.symbol if instrument else None
        rows = items(self._read("/api/v1/positions", {}, 2, keys))
        held = [each for each in rows if decimal(each, "currentQty")]
        return [self.read_position(each) for each in held if wanted in (None, text(each, "symbol"))]

    def read_position(self, item: Any) -> Position:
        contracts, size = decimal(item, "currentQty"), self._size(text(item, "symbol"))
        if item.get("marginMode"):
            mode = word(MODES, item, "marginMode")
        else:
            mode = MarginMode.CROSS if _flag(item, "crossMode") else MarginMode.ISOLATED
        return Position(
            symbol=text(item, "symbol"),
            direction=_position_side(item) or (Direction.LONG if contracts > 0 else Direction.SHORT),
            quantity=abs(contracts) * size,
            entry_price=decimal(item, "avgEntryPrice"),
            mark_price=nonzero(item, "markPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=mode,
            unrealised=decimal_or_none(item, "unrealisedPnl"),
            liquidation_price=nonzero(item, "liquidationPrice"),
        )

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(
            POSITION_MODES, self._read("/api/v2/position/getPositionMode", {}, 2, keys), "positionMode"
        )

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """The mode is changed when it differs. The leverage of isolated margin is each order's own."""
        symbol = {"symbol": instrument.symbol}
        current = word(MODES, self._read("/api/v2/position/getMarginMode", symbol, 2, keys), "marginMode")
        if mode not in (None, current):
            self._set("position/changeMarginMode", {**symbol, "marginMode": str(mode).upper()}, keys)
        self._modes[slot(keys, instrument)] = mode or current
        if leverage is not None and (mode or current) is MarginMode.CROSS:
            self._set("changeCrossUserLeverage", {**symbol, "leverage": leverage}, keys)

    def _set(self, path: str, params: Mapping[str, Any], keys: Credentials) -> None:
        costs: Costs = {self.pool: 2}
        call = Call("POST", f"/api/v2/{path}", params, costs=costs, priority=Priority.ENTRY)
        if not field(self.call(call, keys), "data"):
            raise OutcomeUnknown(f"{self.name} does not say whether {path} was done")


def _alone(row: Any) -> dict[str, Any]:
    """An order of a batch of spot as the answer would be had it been sent alone."""
    if row.get("success") is True:
        return {"code": "200000", "data": row}
    if row.get("success") is not False or row.get("orderId"):
        return {}
    words = str(row.get("failMsg") or "")
    code = next((each for said, each in SPOKEN_IN_BATCH.items() if said in words.lower()), "")
    return {"code": code, "msg": words}


def _refusal(rows: Sequence[Any]) -> dict[str, Any]:
    """What all of these rows say, {} where they do not say one and the same refusal."""
    told = [_alone(row) for row in rows]
    refused = all(row.get("success") is False for row in rows)
    return told[0] if refused and len({each.get("code") for each in told}) == 1 else {}


def _ended(filled: Decimal, *, cancelled: bool) -> OrderStatus:
    """Of an order that is done: anything cancelled, or nothing filled, is a cancelled order."""
    return OrderStatus.CANCELLED if cancelled or not filled else OrderStatus.FILLED


def _size(item: Any) -> Decimal | None:
    """None for what buys for an amount of money, which is told instead."""
    return nonzero_where(nonzero(item, "funds") is None, item, "size")


def _position_side(item: Any) -> Direction | None:
    return word(SIDE_OF_POSITION, item, "positionSide") if item.get("positionSide") else None


def _flag(item: Any, name: str) -> bool:
    value = field(item, name)
    if not isinstance(value, bool):
        raise OutcomeUnknown(f"{name} is neither true nor false in the answer")
    return value
