"""Hyperliquid: USDC perpetuals (`Hyperliquid_F`) and spot (`Hyperliquid`), an order book on a chain of its own.

Facts: hyperliquid.gitbook.io/hyperliquid-docs, for-developers/api (the page is named where the code relies on one),
and the official Python kit, hyperliquid-python-sdk 0.24, both read 2026-11-22. What is odd here:

* there is no API key. The user names the address of the account, and the private key of an API wallet ("agent") that
  the account approved and that cannot withdraw. Reading (/info) needs the address alone, acting (/exchange) a signature;
* a nonce is the time in milliseconds, used once. The chain remembers the hundred highest of a signer and takes whatever
  is above the lowest of them (nonces-and-api-wallets): workers on one key need not take turns;
* refusals come as sentences, with HTTP 200 (error-responses);
* nothing is a market order: it is an immediate limit order, here at most 5 % (`SLIPPAGE`) off the middle of the book as
  last heard. What a trigger fires may fill up to 10 % away, the exchange's own tolerance for such orders;
* triggers watch the mark price only, and a price has five significant digits (tick-and-lot-size): the tick follows it;
* stop and target of `protect` are grouped as `positionTpsl`: a fill of one ends the other, and both end with their
  position; cancelling one leaves the other (nothing says that it would not);
* one action takes orders of every kind, and answers each; one error alone means that all of them were refused before
  (error-responses). How many it takes is not documented: here as many as one unit of weight pays for;
* the state of an order does not tell its price: that is in the fills;
* on spot, coins bridged by Unit carry a U (UBTC); they are listed here as what they are. Anybody may name a token of the
  chain: one that bears the name of a bridged coin is left out.
"""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache, partial
from typing import Any, ClassVar

import msgpack  # type: ignore[import-untyped]
from coincurve import PrivateKey
from Crypto.Hash import keccak

from exchanges import errors
from exchanges.errors import AuthRefused, ExchangeError, NotSent, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.margin import whole_leverage
from exchanges.read import decimal, decimal_or_none, field, items, text, text_or_none, word, words
from exchanges.rounds import this_round
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    STOPS,
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
    Product,
    Quote,
    Report,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import (
    Call,
    Features,
    Venue,
    acknowledged,
    key_digest,
    outcome,
    plain_number,
    unsent,
    urgency,
)

DIGITS = 5
ONE = Decimal(1)
MIN_NOTIONAL = Decimal(10)
SLIPPAGE, TRIGGER_SLIPPAGE = Decimal("0.05"), Decimal("0.1")
#: a price heard longer ago than this does not bound a market order
MIDS_SECONDS = 30.0
SPOT_ASSETS = 10_000
FILLS_PAGE, FILLS_PAGES = 2000, 5
#: the fills of one order are read with those that may be asked for next: from a little before it was placed, up to now
#: where that is not far
BESIDE_MS, RECENT_MS = 60_000, 3_600_000
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

SIDES = {"B": Side.BUY, "A": Side.SELL}
TIMES = {TimeInForce.GTC: "Gtc", TimeInForce.IOC: "Ioc"}
MARKETS = (OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT)
TYPES = {
    "Limit": OrderType.LIMIT,
    "Market": OrderType.MARKET,
    "Stop Market": OrderType.STOP,
    "Stop Limit": OrderType.STOP_LIMIT,
    "Take Profit Market": OrderType.TAKE_PROFIT,
    "Take Profit Limit": OrderType.TAKE_PROFIT_LIMIT,
}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
#: info-endpoint#query-order-status-by-oid-or-cloid
STATUSES = words(
    {
        OrderStatus.OPEN: "open triggered",
        OrderStatus.FILLED: "filled",
        OrderStatus.CANCELLED: "canceled marginCanceled vaultWithdrawalCanceled openInterestCapCanceled "
        "selfTradeCanceled reduceOnlyCanceled siblingFilledCanceled delistedCanceled liquidatedCanceled scheduledCancel",
        OrderStatus.REJECTED: "rejected tickRejected minTradeNtlRejected minTradeSpotNtlRejected perpMarginRejected "
        "reduceOnlyRejected badAloPxRejected iocCancelRejected badTriggerPxRejected marketOrderNoLiquidityRejected "
        "positionIncreaseAtOpenInterestCapRejected positionFlipAtOpenInterestCapRejected "
        "tooAggressiveAtOpenInterestCapRejected openInterestIncreaseRejected insufficientSpotBalanceRejected "
        "oracleRejected perpMaxPositionRejected",
    }
)
#: error-responses, and the sentences its clients know: part of the sentence in lower case -> our name for it, and class
SENTENCES: dict[str, tuple[str, type[ExchangeError]]] = {
    "divisible by tick size": ("Tick", errors.InvalidOrder),
    "must have minimum value": ("MinTradeNtl", errors.InvalidOrder),
    "insufficient margin": ("PerpMargin", errors.InsufficientFunds),
    "insufficient spot balance": ("InsufficientSpotBalance", errors.InsufficientFunds),
    "reduce only order would increase": ("ReduceOnly", errors.NothingToReduce),
    "post only order would have": ("BadAloPx", errors.PostOnlyRefused),
    "could not immediately match": ("IocCancel", errors.InvalidOrder),
    "invalid tp/sl price": ("BadTriggerPx", errors.WouldTrigger),
    "no liquidity available": ("MarketOrderNoLiquidity", errors.InvalidOrder),
    "open interest": ("OpenInterest", errors.InvalidOrder),
    "order has invalid": ("InvalidOrder", errors.InvalidOrder),
    "order has zero size": ("InvalidOrder", errors.InvalidOrder),
    "away from the reference price": ("Oracle", errors.InvalidOrder),
    "leverage": ("Leverage", errors.InvalidOrder),
    "never placed, already canceled": ("MissingOrder", errors.OrderNotFound),
    "duplicate cloid": ("DuplicateCloid", errors.DuplicateOrder),
    "user or api wallet": ("UnknownWallet", errors.AuthRefused),
    "must deposit before": ("UnknownWallet", errors.AuthRefused),
    "invalid nonce": ("Nonce", errors.ClockRefused),
    "duplicate nonce": ("Nonce", errors.ClockRefused),
    "too many cumulative requests": ("TooManyRequests", errors.Throttled),
    "trading is halted": ("Halted", errors.MarketPaused),
}
#: coins bridged by Unit, named as elsewhere (as in ccxt 4.5.90)
BRIDGED = {
    **{f"U{coin}": coin for coin in ("BTC", "ETH", "SOL", "BONK", "PUMP", "XPL")},
    "UFART": "FARTCOIN",
    "UUUSPX": "SPX",
    "HPENGU": "PENGU",
    "UDZ": "2Z",
    "XAUT0": "XAUT",
}
#: the names that belong to coins bridged by Unit: a token of the chain that took one of them is another coin
BORROWED = frozenset(BRIDGED.values())
#: the weights of reads (rate-limits); others are 20, and fills cost one more for every so many that are answered
LIGHT = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus"}
)
FILLS_PER_WEIGHT = 20
#: an action weighs one more from so many orders on
ORDERS_PER_WEIGHT = 40
#: kinds of account whose spot balances are the collateral of their perpetuals too
UNIFIED = {
    "unifiedAccount": True,
    "portfolioMargin": True,
    "default": False,
    "disabled": False,
    "dexAbstraction": False,
}


class _Hyperliquid(Venue):
    exchange = "hyperliquid"
    region = "tokyo"
    key_family = "hyperliquid"
    one_key_info = True
    key_titles = {"key": "Account address", "secret": "Private key of the API wallet"}
    base_urls = {
        Environment.LIVE: "https://api.hyperliquid.xyz",
        Environment.TESTNET: "https://api.hyperliquid-testnet.xyz",
    }
    guide = Guide(
        key_steps=(
            "On app.hyperliquid.xyz open More, API, with the wallet of your account connected.",
            "Name an API wallet, press Generate, copy its private key, then Authorize it and choose how long it is valid.",
            "Enter the address of your account (0x and 40 characters, not that of the API wallet) as the key, and the private key of the API wallet as the secret.",
            "Never enter the private key of the account itself: it can withdraw. An API wallet cannot.",
            "Hyperliquid has no lock to IP addresses. Use the API wallet for flipr alone, and make a new one when it runs out.",
        ),
        testnet="app.hyperliquid-testnet.xyz, with an account and an API wallet of its own; its faucet serves addresses that have deposited on the main net.",
        quirks=(
            "Orders are at least 10 USDC, except those that close a position.",
            "A market order fills at most 5 % away from the price of the moment, and what a stop or target fires at most 10 % away from its level.",
            "Stops and targets watch the mark price, also where a message says last.",
            "Prices have five significant digits: one above 10000 moves in whole dollars.",
            "Perpetuals and spot have separate balances, unless the account is a unified one.",
            "There is no hedge mode and no fill-or-kill. Sub-accounts and vaults are not served.",
            "An address may send 10000 requests, and one more per USDC it has traded; beyond that one in ten seconds.",
        ),
    )
    errors = dict(SENTENCES.values())
    #: an address over its lifetime's allowance is let through every ten seconds
    #: (rate-limits). For how long one over its weight is refused is not told: in ten seconds a sixth of it is free again
    cool_downs = {"TooManyRequests": 10.0, "429": 10.0}
    throttles = {"TooManyRequests": Scope.KEY}
    #: `account` counts nothing: its allowance grows with what it trades; it is there to be blocked
    buckets = {"weight": Bucket(1200, 60.0), "account": Bucket(10_000, 60.0, Scope.KEY)}
    #: a look at orders and positions weighs 22, a price 2: so many of each take, at spot and perpetuals together, two
    #: thirds of an address's weight
    look_seconds = 2.0
    looks_per_minute = 13
    prices_per_minute = 60
    orders_one_by_one = 9  # at 2 each; the list is 20
    #: what lists the markets and their prices
    listing: ClassVar[str]
    #: decimals of a price and of a quantity together (tick-and-lot-size)
    decimals: ClassVar[int]
    monotonic: Callable[[], float] = staticmethod(time.monotonic)

    def __init__(self, *transports: Any, **options: Any) -> None:
        super().__init__(*transports, **options)
        self._mids: Mapping[str, Decimal] = {}
        self._heard_at = 0.0
        self._mids_lock = threading.Lock()

    # -- pure ------------------------------------------------------------------------------------------

    @classmethod
    def client_id(cls, token: str) -> str:
        """A cloid has 128 bits: the last ones of the token's 130."""
        number = 0
        for letter in token.upper():
            number = number * 32 + CROCKFORD.index(letter)
        return f"0x{number % 2**128:032x}"

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        params = dict(call.params)
        if call.signed:
            if keys is None:
                raise AuthRefused(f"{self.name}: this call needs a key")
            nonce, source = self.nonce(now_ms), "b" if self.environment is Environment.TESTNET else "a"
            params |= {"nonce": nonce, "signature": signature(keys.secret, params["action"], nonce, source)}
        body = json.dumps(params, separators=(",", ":")).encode()
        return Request(call.method, call.path, body=body, headers={"Content-Type": "application/json"})

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """Of several orders in one action each has its own answer. One error alone is about the whole action."""
        data = answer.data
        if not isinstance(data, Mapping) or answer.status >= 500:
            return None
        if data.get("status") == "err":
            words = data.get("response")
            return code_of(words) if isinstance(words, str) else ("", "an error without words")
        said = refusals(data)
        return code_of(said[0]) if len(said) == 1 and said[0] else None

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        """Fills cost by their number too. Where that does not fit any more, nothing else does either."""
        data = super().checked(answer, charges)
        fills = isinstance(data, list) and data and isinstance(data[0], Mapping) and "tid" in data[0]
        if fills and (weight := len(data) // FILLS_PER_WEIGHT):
            beside = tuple(replace(each, cost=weight) for each in charges)
            with suppress(NotSent):
                self.gate.settle(self.gate.admit(beside, Priority.PROTECT, patience_seconds=0.0), {})
        return data

    def place_call(self, order: OrderRequest) -> Call:
        return self._act(
            {"type": "order", "orders": [self._wire_order(order)], "grouping": "na"},
            urgency(order),
        )

    def place_calls(self, orders: Sequence[OrderRequest]) -> list[Call | ExchangeError]:
        return [outcome(partial(self._bounded_call, each)) for each in orders]

    def _bounded_call(self, order: OrderRequest) -> Call:
        return self.place_call(self._bounded(order))

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """rate-limits-and-user-limits: an action weighs by the forty orders, and counts each against the account."""
        orders = [call.params["action"]["orders"][0] for call in calls]
        call = self._act({"type": "order", "orders": orders, "grouping": "na"}, Priority.ENTRY)
        return replace(call, costs={**call.costs, "weight": 1 + len(calls) // ORDERS_PER_WEIGHT})

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        word({"ok": True}, data, "status")
        told = items(data, "response", "data", "statuses")
        return [{"status": "ok", "response": {"data": {"statuses": [each]}}} for each in told]

    def _wire_order(self, order: OrderRequest) -> dict[str, Any]:
        """The order of the names matters: it is what is signed."""
        self._refuse_unknown_ways(order)
        assert order.quantity is not None
        return {
            "a": order.instrument.extra["asset"],
            "b": order.side is Side.BUY,
            "p": plain_number(self._limit(order)),
            "s": plain_number(order.quantity),
            "r": order.reduce_only,
            "t": self._form(order),
            "c": order.client_id,
        }

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.quantity is None:
            raise Unsupported(f"{self.name}: orders are given in base currency")
        if order.position_side:
            raise Unsupported(f"{self.name} has no hedge mode")
        if order.time_in_force not in TIMES:
            raise Unsupported(f"{self.name} has no fill-or-kill orders")
        if order.trigger_by is TriggerBy.INDEX:
            raise Unsupported(f"{self.name}: triggers watch the mark price")
        forced = order.post_only or order.time_in_force is TimeInForce.IOC
        if forced and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only limit orders can be post-only or ioc")
        if order.post_only and order.time_in_force is TimeInForce.IOC:
            raise Unsupported(f"{self.name}: a post-only order cannot be ioc")

    def _form(self, order: OrderRequest) -> dict[str, Any]:
        if order.type.conditional:
            level = plain_number(_fitted_level(order))
            kind = "sl" if order.type in STOPS else "tp"
            return {"trigger": {"isMarket": order.type in MARKETS, "triggerPx": level, "tpsl": kind}}
        if order.type is OrderType.MARKET:
            return {"limit": {"tif": "Ioc"}}
        return {"limit": {"tif": "Alo" if order.post_only else TIMES[order.time_in_force]}}

    def _limit(self, order: OrderRequest) -> Decimal:
        """The price of an order, or the worst one that a market order may fill at."""
        if order.type not in MARKETS:
            assert order.price is not None
            return fitted(order.price, order.instrument, _never_worse(order.side))
        around, share = order.trigger_price, TRIGGER_SLIPPAGE
        if around is None:
            around, share = order.price or order.instrument.extra["mark"], SLIPPAGE
        return fitted(around * (ONE + share if order.side is Side.BUY else ONE - share), order.instrument)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        """exchange-endpoint#place-an-order. What rests may have filled in part: only its state tells."""
        return self._placed(field(items(data, "response", "data", "statuses"), 0), order)

    def _placed(self, told: Any, order: OrderRequest) -> Report:
        if isinstance(told, Mapping) and "filled" in told:
            quantity, filled = order.quantity, decimal(told, "filled", "totalSz")
            rests = order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.GTC
            whole = quantity is not None and filled >= quantity
            return acknowledged(
                order,
                text(told, "filled", "oid"),
                status=OrderStatus.FILLED if whole else OrderStatus.OPEN if rests else OrderStatus.CANCELLED,
                filled=filled,
                average_price=decimal(told, "filled", "avgPx"),
                acknowledged_only=rests and not whole,
            )
        asks = order.type is OrderType.LIMIT and not order.post_only
        return acknowledged(order, text(told, "resting", "oid"), acknowledged_only=asks)

    def read_order(self, item: Any, status: OrderStatus, reason: str = "") -> Report:
        """info-endpoint#retrieve-a-users-open-orders-with-additional-frontend-info"""
        kind, size, left = word(TYPES, item, "orderType"), decimal(item, "origSz"), decimal(item, "sz")
        if item.get("tif") in ("FrontendMarket", "LiquidationMarket"):
            kind = OrderType.MARKET
        if status is OrderStatus.FILLED and left >= size:
            raise OutcomeUnknown(f"{self.name} calls an order filled and tells no fill")
        return Report(
            exchange_id=text(item, "oid"),
            client_id=text_or_none(item, "cloid") or "",
            symbol=text(item, "coin"),
            side=word(SIDES, item, "side"),
            type=kind,
            status=status,
            quantity=size or None,  # 0 stands for the whole position
            filled=size - left,
            price=None if kind in MARKETS else decimal(item, "limitPx"),
            trigger_price=decimal(item, "triggerPx") if kind.conditional else None,
            reduce_only=field(item, "reduceOnly") is True,
            reason=reason,
        )

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        return int(decimal(self._ask("exchangeStatus"), "time"))

    def sync_clock(self) -> int:
        """And hear what everything costs, for the bounds of market orders: nobody has to ask for it then."""
        offset = super().sync_clock()
        with suppress(ExchangeError, AttributeError):  # what was heard before stands, and its age tells
            self._hear({coin: decimal(mid) for coin, mid in field(self._ask("allMids")).items()})
        return offset

    def _hear(self, mids: Mapping[str, Decimal]) -> None:
        with self._mids_lock:
            self._mids, self._heard_at = mids, self.monotonic()

    def instruments(self) -> list[Instrument]:
        """The list tells prices too: until the first `sync_clock` they are what was last heard."""
        listed = items(self._ask(self.listing))
        found = [self.read_instrument(*entry) for entry in self._listed(field(listed, 0), items(listed, 1))]
        if not self._mids:
            self._hear({each.symbol: each.extra["mark"] for each in found})
        return found

    @abstractmethod
    def _listed(self, meta: Any, contexts: list[Any]) -> Iterator[tuple[Any, ...]]:
        """What `read_instrument` takes, for each market."""

    @abstractmethod
    def read_instrument(self, *entry: Any) -> Instrument: ...

    def _instrument(
        self, symbol: str, base: str, quote: str, digits: int, mark: Decimal, **more: Any
    ) -> Instrument:
        finest = ONE.scaleb(digits - self.decimals)
        step, extra = ONE.scaleb(-digits), {"mark": mark, "finest": finest, "asset": more.pop("asset")}
        tick = tick_at(mark, finest)
        asset = BRIDGED.get(base, base)
        return Instrument(
            symbol=symbol,
            base=common_asset(asset) if asset.isupper() else asset,
            quote=common_asset(quote),
            settle=common_asset(quote),
            product=self.product,
            tick=tick,
            step=step,
            min_quantity=step,
            min_notional=MIN_NOTIONAL,
            extra=extra,
            **more,
        )

    def quote(self, instrument: Instrument) -> Quote:
        """The book; nothing tells the last trade, so its middle stands for it."""
        levels = items(self._ask("l2Book", coin=instrument.symbol), "levels")
        bid, ask = (decimal(levels, side, 0, "px") for side in (0, 1))
        return Quote(bid, ask, (bid + ask) / 2)

    # -- orders ----------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        return super().place(keys, self._bounded(order), patience_seconds=patience_seconds)

    def _bounded(self, order: OrderRequest) -> OrderRequest:
        if order.type is not OrderType.MARKET or order.price is not None:
            return order
        return replace(order, price=self._middle(order.instrument))

    def _middle(self, instrument: Instrument) -> Decimal | None:
        """As last heard; asked for when that is too long ago. A venue that never heard one goes by the list of
        instruments."""
        with self._mids_lock:
            known, heard_at = self._mids.get(instrument.symbol), self._heard_at
        if known is None or self.monotonic() - heard_at <= MIDS_SECONDS:
            return known
        with unsent("the price is not known"):
            return self.quote(instrument).last

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        asset = instrument.extra["asset"]
        action: dict[str, Any] = {
            "type": "cancelByCloid",
            "cancels": [{"asset": asset, "cloid": ref.client_id}],
        }
        if ref.exchange_id:
            action = {"type": "cancel", "cancels": [{"a": asset, "o": int(ref.exchange_id)}]}
        word({"success": True}, self._do(keys, action), "response", "data", "statuses", 0)

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        number: int | str = int(ref.exchange_id) if ref.exchange_id else ref.client_id
        data = self._ask("orderStatus", keys, oid=number)
        if not word({"order": True, "unknownOid": False}, data, "status"):
            raise OrderNotFound(f"{self.name} does not know this order")
        item, told = field(data, "order", "order"), text(data, "order", "status")
        status = word(STATUSES, data, "order", "status")
        report = self.read_order(item, status, "" if told in ("open", "filled", "canceled") else told)
        if not report.filled:
            return report
        until = int(decimal(data, "order", "statusTimestamp")) if status.final else self.clock.now_ms()
        return self._priced(keys, report, int(decimal(item, "timestamp")), until)

    def _priced(self, keys: Credentials, report: Report, since: int, until: int) -> Report:
        """With the average and the fee of its fills; without, where they do not add up to what is filled (yet)."""
        fills = [fill for fill in self._fills(keys, since, until) if text(fill, "oid") == report.exchange_id]
        sizes = [decimal(fill, "sz") for fill in fills]
        if sum(sizes, Decimal(0)) != report.filled:
            return report
        value = sum((decimal(fill, "px") * size for fill, size in zip(fills, sizes, strict=True)), Decimal(0))
        paid = sum((decimal(fill, "fee") for fill in fills), Decimal(0))
        token = text(fills[0], "feeToken")
        return replace(
            report,
            average_price=value / report.filled,
            fee=Fee(paid, common_asset(BRIDGED.get(token, token))),
        )

    def _fills(self, keys: Credentials, since: int, until: int) -> list[Any]:
        """The account's fills of that time. In a round they are asked for up to now: they answer for other orders too."""
        begun = (key_digest(keys), "fills")
        read: list[tuple[int, int, list[Any]]] = this_round().once(begun, list)
        for first, last, fills in read:
            if first <= since and until <= last:
                return fills
        now = self.clock.now_ms()
        first, last = since - BESIDE_MS, max(until, now if now - since < RECENT_MS else since)
        fills = list(self._paged_fills(keys, first, last))
        read.append((first, last, fills))
        return fills

    def _paged_fills(self, keys: Credentials, since: int, until: int) -> Iterator[Any]:
        """Oldest first, so many at a time."""
        seen: set[str] = set()
        for _ in range(FILLS_PAGES):
            page = items(self._ask("userFillsByTime", keys, startTime=since, endTime=until + 1000))
            yield from (fill for fill in page if text(fill, "tid") not in seen)
            if len(page) < FILLS_PAGE:
                return
            seen, since = {text(fill, "tid") for fill in page}, int(decimal(page[-1], "time"))

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        listed = [
            each for each in items(self._ask("frontendOpenOrders", keys)) if self._ours(text(each, "coin"))
        ]
        reports = [self.read_order(each, OrderStatus.OPEN) for each in listed]
        return [each for each in reports if instrument is None or each.symbol == instrument.symbol]

    def _ours(self, coin: str) -> bool:
        """Both products share one list: spot markets are @12 or PURR/USDC, those of other builders flx:TSLA."""
        spot = coin.startswith("@") or "/" in coin
        return ":" not in coin and spot == (self.product is Product.SPOT)

    # -- account ---------------------------------------------------------------------------------------

    def _spot_balances(self, keys: Credentials) -> dict[str, Balance]:
        found = {}
        for each in items(self._ask("spotClearinghouseState", keys), "balances"):
            coin, total = text(each, "coin"), decimal(each, "total")
            if coin in BORROWED:
                continue
            asset = common_asset(BRIDGED.get(coin, coin))
            found[asset] = Balance(asset, total, max(total - decimal(each, "hold"), Decimal(0)))
        return found

    def key_info(self, keys: Credentials) -> KeyInfo:
        """info-endpoint#query-a-users-role, at 60; the list of an account's API wallets is 20. The account's own key can
        withdraw; an API wallet never."""
        owner, agent = account_of(keys), address_of(keys.secret)
        role = self._ask("userRole", user=owner)
        if word(
            {"user": True, "missing": False, "agent": False, "vault": False, "subAccount": False},
            role,
            "role",
        ):
            return self._wallet_info(keys, owner, agent)
        raise AuthRefused(
            f"{self.name}: the address entered is not that of an account (it is: {role['role']})"
        )

    def _wallet_info(self, keys: Credentials, owner: str, agent: str) -> KeyInfo:
        if agent == owner:
            return KeyInfo(
                True, True, False, note="this is the private key of the account itself: use an API wallet"
            )
        until = [
            decimal_or_none(each, "validUntil") or Decimal(0)
            for each in items(self._ask("extraAgents", keys))
            if text(each, "address").lower() == agent
        ]
        if not any(each > self.clock.now_ms() for each in until):
            self._refuse_stranger(owner, agent)  # wallets without a name are not listed
        moment = datetime.fromtimestamp(int(until[0]) // 1000, UTC) if until and until[0] else None
        return KeyInfo(True, False, False, expires=moment)

    def _refuse_stranger(self, owner: str, agent: str) -> None:
        role = self._ask("userRole", user=agent)
        if text(role, "role") != "agent" or text(role, "data", "user").lower() != owner:
            raise AuthRefused(f"{self.name}: the private key is not that of an API wallet of this account")

    # -- one request -----------------------------------------------------------------------------------

    def _ask(self, kind: str, keys: Credentials | None = None, **params: Any) -> Any:
        weight = 2 if kind in LIGHT else 60 if kind == "userRole" else 20
        who = {"user": account_of(keys)} if keys else {}
        asked = {"type": kind, **who, **params}
        return self.call(
            Call("POST", "/info", asked, signed=False, costs={"weight": weight}, read_only=True), keys
        )

    def _act(self, action: Mapping[str, Any], priority: Priority) -> Call:
        return Call(
            "POST", "/exchange", {"action": action}, costs={"weight": 1, "account": 0}, priority=priority
        )

    def _do(self, keys: Credentials, action: Mapping[str, Any]) -> Any:
        account_of(keys)
        data = self.call(self._act(action, Priority.PROTECT), keys)
        word({"ok": True}, data, "status")
        return data


class HyperliquidSpot(_Hyperliquid):
    name = "Hyperliquid"
    product = Product.SPOT
    features = Features(
        reduce_only=False, fill_in_answer=True, batch=ORDERS_PER_WEIGHT - 1, batch_conditional=True
    )
    listing = "spotMetaAndAssetCtxs"
    decimals = 8

    def _refuse_unknown_ways(self, order: OrderRequest) -> None:
        if order.reduce_only:
            raise Unsupported(f"{self.name}: spot orders cannot be reduce-only")
        super()._refuse_unknown_ways(order)

    def _listed(self, meta: Any, contexts: list[Any]) -> Iterator[tuple[Any, ...]]:
        """info-endpoint/spot: a pair names its tokens by their index, and its prices come under its name."""
        tokens = {decimal(token, "index"): token for token in items(meta, "tokens")}
        prices = {text(each, "coin"): each for each in contexts}
        for pair in items(meta, "universe"):
            base, quote = (field(tokens, int(decimal(pair, "tokens", place))) for place in (0, 1))
            borrowed = BORROWED & {text(base, "name"), text(quote, "name")}
            if (price := prices.get(text(pair, "name"))) is not None and not borrowed:
                yield pair, base, quote, price

    def read_instrument(self, *entry: Any) -> Instrument:
        pair, base, quote, price = entry
        return self._instrument(
            text(pair, "name"),
            text(base, "name"),
            text(quote, "name"),
            int(decimal(base, "szDecimals")),
            decimal(price, "markPx"),
            asset=SPOT_ASSETS + int(decimal(pair, "index")),
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        return self._spot_balances(keys)


class HyperliquidPerpetuals(_Hyperliquid):
    name = "Hyperliquid_F"
    product = Product.LINEAR
    features = Features(
        linked_legs=True,
        linked_cancel=False,
        fill_in_answer=True,
        leverage=True,
        batch=ORDERS_PER_WEIGHT - 1,
        batch_conditional=True,
    )
    listing = "metaAndAssetCtxs"
    decimals = 6

    def _listed(self, meta: Any, contexts: list[Any]) -> Iterator[tuple[Any, ...]]:
        """info-endpoint/perpetuals: the place in the list is the number of the asset."""
        universe = items(meta, "universe")
        if len(universe) != len(contexts):
            raise OutcomeUnknown(f"{self.name} lists markets and prices that do not match")
        yield from ((place, *pair) for place, pair in enumerate(zip(universe, contexts, strict=True)))

    def read_instrument(self, *entry: Any) -> Instrument:
        place, coin, price = entry
        return self._instrument(
            text(coin, "name"),
            text(coin, "name"),
            "USDC",
            int(decimal(coin, "szDecimals")),
            decimal(price, "markPx"),
            asset=place,
            max_leverage=decimal(coin, "maxLeverage"),
            active=coin.get("isDelisted") is not True,
        )

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """Equity and what may be taken out of it; a unified account has its collateral in its spot balances
        (info-endpoint#query-a-users-abstraction-state)."""
        if word(UNIFIED, {"state": self._ask("userAbstraction", keys)}, "state"):
            return self._spot_balances(keys)
        state = self._ask("clearinghouseState", keys)
        equity, free = decimal(state, "marginSummary", "accountValue"), decimal(state, "withdrawable")
        return {"USDC": Balance("USDC", equity, free)}

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        listed = items(self._ask("clearinghouseState", keys), "assetPositions")
        found = [self.read_position(field(each, "position")) for each in listed]
        wanted = instrument.symbol if instrument else None
        return [each for each in found if each.quantity and wanted in (None, each.symbol)]

    def read_position(self, item: Any) -> Position:
        size = decimal(item, "szi")
        return Position(
            symbol=text(item, "coin"),
            direction=Direction.LONG if size > 0 else Direction.SHORT,
            quantity=abs(size),
            entry_price=decimal(item, "entryPx"),
            mark_price=decimal(item, "positionValue") / abs(size) if size else None,
            leverage=decimal(item, "leverage", "value"),
            margin_mode=word(MARGIN_MODES, item, "leverage", "type"),
            unrealised=decimal_or_none(item, "unrealizedPnl"),
            liquidation_price=decimal_or_none(item, "liquidationPx"),
        )

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Both are set in one, so the one not given is asked for."""
        if leverage is None and mode is None:
            return
        whole = None if leverage is None else whole_leverage(self.name, leverage)
        if whole is None or mode is None:
            now = field(self._ask("activeAssetData", keys, coin=instrument.symbol), "leverage")
            mode = mode or word(MARGIN_MODES, now, "type")
            whole = int(decimal(now, "value")) if whole is None else whole
        cross = mode is MarginMode.CROSS
        asset = instrument.extra["asset"]
        self._do(keys, {"type": "updateLeverage", "asset": asset, "isCross": cross, "leverage": whole})

    # -- linked legs -----------------------------------------------------------------------------------

    def linked(self, report: Report) -> bool:
        """Legs keep their client ids; what stands is looked up by them."""
        return False

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """Each leg is answered for itself: where only one was taken it is cancelled, and the refusal told."""
        orders = (legs.stop, legs.target)
        if not all(order.type.conditional and order.reduce_only for order in orders):
            raise Unsupported(f"{self.name}: linked legs are a stop and a take-profit that reduce")
        wired = [self._wire_order(order) for order in orders]
        told = items(
            self._do(keys, {"type": "order", "orders": wired, "grouping": "positionTpsl"}),
            *("response", "data", "statuses"),
        )
        if len(told) != len(orders):
            raise OutcomeUnknown(f"{self.name} does not answer for both legs")
        self._refuse_half(keys, orders, told)
        stop, target = (self._leg(order, each) for order, each in zip(orders, told, strict=True))
        return stop, target

    def _refuse_half(self, keys: Credentials, orders: tuple[OrderRequest, ...], told: list[Any]) -> None:
        said = [each["error"] if isinstance(each, Mapping) and "error" in each else None for each in told]
        if not any(said):
            return
        for order, refused in zip(orders, said, strict=True):
            if refused is None:
                self._withdraw(keys, order)
        code, words = code_of(next(str(each) for each in said if each))
        raise self._error_class(code, 200)(
            f"{self.name} answered: {words}", code=code, exchange_message=words
        )

    def _withdraw(self, keys: Credentials, order: OrderRequest) -> None:
        try:
            self.cancel(keys, order.instrument, OrderRef(order.client_id, conditional=True))
        except OrderNotFound:
            return
        except ExchangeError as error:
            raise OutcomeUnknown(f"one leg was refused, the other may stand: {error.message}") from None

    def _leg(self, order: OrderRequest, told: Any) -> Report:
        """A leg that waits may be answered with a word instead of its number: it has ours."""
        if told in ("waitingForTrigger", "waitingForFill"):
            return acknowledged(order, "")
        return self._placed(told, order)


# -- prices ----------------------------------------------------------------------------------------------


def tick_at(price: Decimal, finest: Decimal) -> Decimal:
    """The step of prices near this one: five digits, whole numbers always, and never finer than the asset allows."""
    if price <= 0:
        return finest
    return max(min(ONE.scaleb(price.adjusted() - DIGITS + 1), ONE), finest)


def fitted(price: Decimal, instrument: Instrument, rounding: str = ROUND_HALF_UP) -> Decimal:
    return price.quantize(tick_at(price, instrument.extra["finest"]), rounding)


def _never_worse(side: Side) -> str:
    """A purchase is never for more than asked, a sale never for less."""
    return ROUND_FLOOR if side is Side.BUY else ROUND_CEILING


def _fitted_level(order: OrderRequest) -> Decimal:
    """A stop never fires earlier than asked, a target never for less."""
    side = order.side.opposite if order.type in STOPS else order.side
    assert order.trigger_price is not None
    return fitted(order.trigger_price, order.instrument, _never_worse(side))


# -- refusals --------------------------------------------------------------------------------------------


def refusals(data: Mapping[str, Any]) -> list[str | None]:
    """Per order of the action: what was said against it."""
    told = data.get("response")
    told = told.get("data") if isinstance(told, Mapping) else None
    listed = told.get("statuses") if isinstance(told, Mapping) else None
    if not isinstance(listed, list):
        return []
    return [str(each["error"]) if isinstance(each, Mapping) and "error" in each else None for each in listed]


def code_of(words: str) -> tuple[str, str]:
    known = (code for part, (code, _) in SENTENCES.items() if part in words.lower())
    return next(known, "Other"), words


# -- signatures (signing, and hyperliquid/utils/signing.py of the official kit) -----------------------------


def keccak256(data: bytes) -> bytes:
    return keccak.new(data=data, digest_bits=256).digest()


#: EIP-712: the domain {Exchange, 1, chain 1337, no contract}, and the type of what is signed
DOMAIN = keccak256(
    keccak256(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    + keccak256(b"Exchange")
    + keccak256(b"1")
    + (1337).to_bytes(32, "big")
    + bytes(32)
)
AGENT = keccak256(b"Agent(string source,bytes32 connectionId)")


def connection_id(action: Any, nonce: int) -> bytes:
    """The digest of an action: MessagePack with its names in their order, the nonce, and no vault."""
    return keccak256(msgpack.packb(action) + nonce.to_bytes(8, "big") + b"\x00")


def agent_digest(action: Any, nonce: int, source: str) -> bytes:
    """`source`: a for the main net, b for the test net."""
    agent = keccak256(AGENT + keccak256(source.encode()) + connection_id(action, nonce))
    return keccak256(b"\x19\x01" + DOMAIN + agent)


def signature(secret: str, action: Any, nonce: int, source: str) -> dict[str, Any]:
    signed = private_key(secret).sign_recoverable(agent_digest(action, nonce, source), hasher=None)
    r, s = (int.from_bytes(part, "big") for part in (signed[:32], signed[32:64]))
    return {"r": hex(r), "s": hex(s), "v": 27 + signed[64]}


def private_key(secret: str) -> PrivateKey:
    try:
        raw = bytes.fromhex(secret.strip().removeprefix("0x"))
        return PrivateKey(raw) if len(raw) == 32 else _no_key()
    except ValueError:
        return _no_key()


def _no_key() -> PrivateKey:
    raise AuthRefused("the secret of this key is not a private key (0x and 64 hexadecimal digits)") from None


def address_of(secret: str) -> str:
    """The address of a private key's wallet, in lower case."""
    return wallet_address(private_key(secret).public_key.format(compressed=False))


def wallet_address(public_key: bytes) -> str:
    return "0x" + keccak256(public_key[1:])[-20:].hex()


@lru_cache(maxsize=4096)
def _checked_address(key: str) -> str:
    address = key.strip().lower()
    digits = address.removeprefix("0x")
    if len(address) != 42 or len(digits) != 40 or not set(digits) <= set("0123456789abcdef"):
        raise AuthRefused("the key is not the address of an account (0x and 40 hexadecimal digits)")
    return address


def account_of(keys: Credentials) -> str:
    """The address asked about. A key that cannot sign is refused here too: reading alone would not show it."""
    private_key(keys.secret)
    return _checked_address(keys.key)
