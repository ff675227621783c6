"""Bitunix: spot (`Bitunix`) and USDT perpetuals (`Bitunix_F`), two hosts opened by one key.

Facts from https://www.bitunix.com/api-docs/futures/ (also https://openapidoc.bitunix.com/doc/, both read 2026-11-22 in
stored copies) unless a line names another source.

* Refusals come with HTTP 200 and a `code`. Placing only acknowledges: the order is asked for afterwards, and its average
  price is that of its trades.
* Stops and targets exist only as TP/SL records of an open position, which they can close and which they end with. A record
  has a stop, a target or both, and no id of ours; its legs are told apart as `<record>:sl:<slot>` and
  `<record>:tp:<slot>`, where the slot is the position's (the records themselves do not tell its direction).
* In hedge mode a closing order names its position and carries the position's side: BUY + CLOSE closes a long. Programs of
  others send SELL instead; where Bitunix refuses the documented side as such (30019), the order is sent with the other.
* A batch takes plain orders of one symbol, once a second and five at most: so says the documentation of one day, five times
  and twenty that of another. What was taken and what was not stand in two lists, by our ids. A hedged order that closes goes
  out alone, because its side may have to be said in another way.
* Nothing tells the time but the Date header, and nothing tells what a key may do.
* The lists may answer null where there is nothing (seen on the spot API, 2026-10).

Spot (https://api-doc.bitunix.com/en_us/, stored copies) says too little and contradicts itself; what is relied on here was
seen live by the authors of a Hummingbot connector (its `bitunix_constants.py` and `bitunix_exchange.py`, notes of
2026-10-07 and 2026-10-09, read 2026-11-22):

* An order keeps the `clientId` it was given, and every list and query of orders tells it; nothing can be asked or cancelled
  by it. So an order whose answer was lost is looked for in the lists of its market. Seen with limit orders: should Bitunix
  drop the id of a sale at market, the sale is unknown, and never told to be gone.
* The volume of a limit order and of any sale is the base quantity. Of market buys it is written in two ways, so none are
  sent: one goes out as a limit order a little above the best price, and what that leaves is cancelled.
* A refused placement answers code 0 with the reason in `placeCode`. An unknown order is answered with null, and a cancel
  always with success: whether it did anything is asked for afterwards.
* There are no stop orders, no IOC, FOK or post-only, no list of orders of all markets, and no documented limits.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from exchanges import errors
from exchanges.errors import ExchangeError, NotSent, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.guide import Guide
from exchanges.limits import Bucket, Charge, Priority, Scope
from exchanges.looks import LooksAgain
from exchanges.margin import whole_leverage
from exchanges.paging import pages_by_number
from exchanges.pairs import check_pair
from exchanges.read import (
    decimal,
    decimal_or_none,
    decimal_or_null,
    field,
    items,
    nonzero,
    positive,
    rows_of,
    step_of,
    text,
    text_or_none,
    word,
    words,
)
from exchanges.spot import bounded, check_spot
from exchanges.symbols import common_asset
from exchanges.transport import Answer, Request
from exchanges.types import (
    LIMITS,
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
    acknowledged,
    by_client_id,
    json_body,
    named_rows,
    plain_params,
    unsent,
    urgency,
)

COIN = "USDT"
KEY_NOTE = "Bitunix does not tell what a key may do: look there that it cannot withdraw"
PAGE_SIZE = 100
#: how far a search through ended records goes: these many pages
PAGES = 5
#: a record found after a lost answer may seem this much older than the request: the clocks are apart
CLOCK_APART_MS = 2000
#: the trades of a triggered record are looked for from this long before its trigger: which is noted first is not told
TRIGGER_APART_MS = 1000
#: an order that triggered so long ago, neither rests nor has a trade, did nothing: its position was gone
SETTLED_MS = 10_000
#: `Instrument.extra` of an order that names a position: its number, and whether it says the side that closes it
POSITION, EXIT_SIDE = "position", "exit side"
#: stands for the number of a position in an order that is only looked at
UNKNOWN_POSITION = "0"
#: the order has the side of the position: nothing stands, and the side that closes is the other one
SAME_SIDE = "30019"

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
SIDE_WORDS = {side: name for name, side in SIDES.items()}
#: documented as LONG and SHORT, seen as BUY and SELL (notes of https://github.com/tradingiq/bitunix-client)
DIRECTIONS = {
    "LONG": Direction.LONG,
    "BUY": Direction.LONG,
    "SHORT": Direction.SHORT,
    "SELL": Direction.SHORT,
}
ORDER_TYPES = {"LIMIT": OrderType.LIMIT, "MARKET": OrderType.MARKET}
TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
TRIGGERS = {TriggerBy.LAST: "LAST_PRICE", TriggerBy.MARK: "MARK_PRICE"}
MARGIN_MODES = {"ISOLATION": MarginMode.ISOLATED, "CROSS": MarginMode.CROSS}
MARGIN_WORDS = {mode: name for name, mode in MARGIN_MODES.items()}
POSITION_MODES = {"ONE_WAY": PositionMode.ONE_WAY, "HEDGE": PositionMode.HEDGE}
STATUSES = {
    "INIT": OrderStatus.OPEN,
    "NEW": OrderStatus.OPEN,
    "PART_FILLED": OrderStatus.OPEN,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELLED,
    "PART_FILLED_CANCELED": OrderStatus.CANCELLED,
}
#: prefix of a leg's fields in a record -> its types, at market and with a limit price
LEGS = {
    "sl": (OrderType.STOP, OrderType.STOP_LIMIT),
    "tp": (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
}
PREFIXES = {kind: prefix for prefix, kinds in LEGS.items() for kind in kinds}
#: the position a leg closes: its direction, and that again in hedge mode
SLOTS = {
    "long": (Direction.LONG, None),
    "short": (Direction.SHORT, None),
    "hedged-long": (Direction.LONG, Direction.LONG),
    "hedged-short": (Direction.SHORT, Direction.SHORT),
}
SLOT_WORDS = {slot: name for name, slot in SLOTS.items()}
#: end of the id of a leg that shares its record with another
PAIR = ":pair"
#: https://www.bitunix.com/api-docs/futures/ErrorCode/error_code.html; all come with HTTP 200
ERRORS = words(
    {
        errors.AuthRefused: "10003 10004 10007 20011 20013 20014",
        errors.Throttled: "10005 10006",
        OutcomeUnknown: "10001",
        errors.UnknownSymbol: "20001 20015",
        errors.MarketPaused: "20012",
        errors.OrderNotFound: "20007 30011",
        # 10012: as told of an order in a batch (its sample)
        errors.InsufficientFunds: "10012 20003 20008",
        errors.NothingToReduce: "30004 30018 30019",
        errors.WouldTrigger: "30005 30020 30021 30022 30023 30026 30027 30028 30029 30030 30031 30032 30033 30034",
        errors.DuplicateOrder: "30042",
        errors.InvalidOrder: "10002 10008 20002 20005 20006 20009 30001 30002 30003 30006 30007 30008 30009 30010 30013 30014 "
        "30015 30016 30017 30024 30025 30035 30036 30037 30038 30039 30041",
    }
)

SPOT_SIDES = {"1": Side.SELL, "2": Side.BUY}
SPOT_SIDE_NUMBERS = {side: int(number) for number, side in SPOT_SIDES.items()}
SPOT_TYPES = {"1": OrderType.LIMIT, "2": OrderType.MARKET}
SPOT_TYPE_NUMBERS = {kind: int(number) for number, kind in SPOT_TYPES.items()}
SPOT_STATES = {
    "1": OrderStatus.OPEN,
    "2": OrderStatus.FILLED,
    "3": OrderStatus.OPEN,
    "4": OrderStatus.CANCELLED,
    "7": OrderStatus.CANCELLED,
}
IS_OPEN = {"1": True, "0": False, "True": True, "False": False}
#: stands before the code of a placement that was refused in an answer that says success
PLACING = "place:"
#: seen live (https://api-doc.bitunix.com/en_us/ has a longer list, of other calls); all come with HTTP 200
SPOT_ERRORS = words(
    {
        errors.AuthRefused: "100004 100005 110033",
        errors.ClockRefused: "100008",
        errors.Throttled: "110041",
        errors.InsufficientFunds: f"{PLACING}10034",
        errors.InvalidOrder: f"2 10058 {PLACING}10058",
    }
)
#: what their words say, which may be Chinese
SPOT_WORDS = {
    "2": "a parameter is wrong",
    "10058": "the quantity has too many decimals",
    f"{PLACING}10034": "insufficient balance",
    f"{PLACING}10058": "the quantity has too many decimals",
    "110033": "the key lacks this permission",
}
#: how far above the best price a market buy may go
HIGHEST_PREMIUM = Decimal("0.01")
#: how long ended orders are looked for by our id
MEMORY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class LegName:
    """What the id of a leg says."""

    record: str
    prefix: str
    slot: str

    @classmethod
    def read(cls, exchange_id: str) -> LegName | None:
        record, _, rest = exchange_id.removesuffix(PAIR).partition(":")
        prefix, _, slot = rest.partition(":")
        return cls(record, prefix, slot) if prefix in LEGS and slot in SLOTS else None

    def __str__(self) -> str:
        return f"{self.record}:{self.prefix}:{self.slot}"


class _Bitunix(LooksAgain):
    exchange = "bitunix"
    region = "singapore"
    key_family = "bitunix"
    prices_per_minute = 100
    guide = Guide(
        key_steps=(
            "On bitunix.com open the account menu, API, and create an API key.",
            "Allow trading of futures, of spot or of both, and leave withdrawals off.",
            "Enter the addresses of your flipr in the list of allowed addresses.",
            "Keep the secret key: it is shown once. There is no passphrase.",
            "Transfer USDT to the futures account to trade futures: what lies in the spot account does not count there.",
        ),
        quirks=(
            "A stop or a target can only be placed for an open position, which it closes: entries by a stop order are refused before they are sent.",
            "A stop and a target of one size are one record of the position there, and end together with it.",
            "Bitunix does not tell what a key may do: look there that withdrawals are off.",
            "Leverage is a whole number, and cannot be changed while orders of the market are open.",
            "Spot has no stop orders: an entry with sl or tp is refused there before anything is sent.",
            "A market buy on spot goes out as a limit order up to 1 % above the best price, and what it leaves is cancelled.",
            "Bitunix does not document that spot orders keep flipr's id. They do, and flipr relies on it to find an order whose answer was lost.",
        ),
    )
    #: the Date header has whole seconds
    clock_slack_ms = 1000
    #: 32 characters that no two requests share
    random_text: Callable[[], str] = staticmethod(lambda: secrets.token_hex(16))

    def __init__(self, *wires: Any, **options: Any) -> None:
        super().__init__(*wires, **options)
        self._heard = threading.local()

    def sign(self, call: Call, keys: Credentials | None, now_ms: int) -> Request:
        """SHA-256 twice, the secret in the second: no HMAC. Query parameters are signed in the order of their names,
        without = and & (https://www.bitunix.com/api-docs/futures/common/sign.html)."""
        get = call.method == "GET"
        params = plain_params(call.params)
        query = urlencode(params) if get else ""
        body = "" if get else json_body(call.params)
        headers = {"Content-Type": "application/json", "language": "en-US"}
        if call.signed and keys:
            nonce, sorted_query = self.random_text(), "".join(f"{k}{params[k]}" for k in sorted(params))
            signed = f"{nonce}{now_ms}{keys.key}{sorted_query if get else ''}{body}"
            headers |= {
                "api-key": keys.key,
                "nonce": nonce,
                "timestamp": str(now_ms),
                "sign": _sha256(_sha256(signed) + keys.secret),
            }
        return Request(call.method, call.path, query, body.encode(), headers)

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        if not isinstance(answer.data, Mapping):
            return None if answer.data is None else NO_OBJECT
        code, words = text_or_none(answer.data, "code"), str(answer.data.get("msg", ""))
        if code == "0":
            return None
        return (code, words) if code else ("", "the answer has no code")

    def checked(self, answer: Answer, charges: tuple[Charge, ...] = ()) -> Any:
        self._heard.date = answer.headers.get("date", "")
        return super().checked(answer, charges)

    def _told_ms(self) -> int:
        """By the Date header of the last answer, in the middle of its second unless our clock is within it."""
        try:
            moment: datetime = parsedate_to_datetime(self._heard.date)
        except (TypeError, ValueError):
            raise OutcomeUnknown(f"{self.name} does not tell the date") from None
        own_ms, told_ms = self.clock.now_ms() - self.clock.offset_ms, int(moment.timestamp()) * 1000
        return own_ms if 0 <= own_ms - told_ms < 1000 else told_ms + 500


class BitunixFutures(_Bitunix):
    name = "Bitunix_F"
    product = Product.LINEAR
    base_urls = {Environment.LIVE: "https://fapi.bitunix.com"}
    features = Features(conditional_ids=False, linked_legs=True, hedge_mode=True, leverage=True, batch=5)
    errors = ERRORS
    #: each endpoint for itself, per second and user; public ones per address
    buckets = {
        "market": Bucket(10, 1.0),
        **{
            name: Bucket(10, 1.0, Scope.KEY)
            for name in ("create", "pair", "settings", "account", "orders", "order", "trades")
        },
        **{name: Bucket(10, 1.0, Scope.KEY) for name in ("records", "ended_records", "positions")},
        "batch": Bucket(1, 1.0, Scope.KEY, reserve_percent=0),
        "cancel": Bucket(5, 1.0, Scope.KEY),
        "cancel_pair": Bucket(10, 1.0, Scope.KEY),
    }

    # -- pure ------------------------------------------------------------------------------------------

    def place_call(self, order: OrderRequest) -> Call:
        """Orders that hang on a position carry its number (`at_position`)."""
        self._check(order)
        if order.type.conditional:
            return self._record_call(order)
        params: dict[str, Any] = {
            "symbol": order.instrument.symbol,
            "side": SIDE_WORDS[order.side],
            "orderType": "LIMIT" if order.type in LIMITS else "MARKET",
            "qty": order.quantity,
            "clientId": order.client_id,
        }
        if order.type in LIMITS:
            params |= {
                "price": order.price,
                "effect": "POST_ONLY" if order.post_only else TIMES[order.time_in_force],
            }
        if order.position_side is not None and order.closes:
            named = order.instrument.extra.get(EXIT_SIDE, False)
            side = order.side if named else order.position_side.entry_side
            params |= {"side": SIDE_WORDS[side], "tradeSide": "CLOSE", "positionId": _position_named(order)}
        elif order.position_side is not None:
            params["tradeSide"] = "OPEN"
        elif order.reduce_only:
            params["reduceOnly"] = True
        return self._write("trade/place_order", params, "create", urgency(order))

    def _share(self, *orders: OrderRequest) -> bool:
        return super()._share(*orders) and not any(order.position_side and order.closes for order in orders)

    def batch_call(self, calls: Sequence[Call]) -> Call:
        """https://openapidoc.bitunix.com/doc/trade/batch_order.html"""
        orders = [
            {name: value for name, value in plain_params(call.params).items() if name != "symbol"}
            for call in calls
        ]
        params = {"symbol": calls[0].params["symbol"], "orderList": orders}
        return self._write("trade/batch_order", params, "batch", Priority.ENTRY)

    def answers(self, data: Any, orders: Sequence[OrderRequest]) -> list[Any]:
        """As single answers. An order that stands in both lists, or in none, is not known."""
        told = field(data, "data")
        taken = [{"clientId": row.get("clientId"), "taken": row} for row in rows_of(told, "successList")]
        refused = [{"clientId": row.get("clientId"), "refused": row} for row in rows_of(told, "failureList")]
        rows = by_client_id(named_rows(taken + refused, "clientId"), orders, "clientId")
        return [_alone(row) for row in rows]

    def _check(self, order: OrderRequest) -> None:
        """Raises Unsupported for what Bitunix cannot do."""
        if order.quantity is None:
            raise Unsupported(f"{self.name}: futures orders are given in base currency")
        if order.post_only and order.type is not OrderType.LIMIT:
            raise Unsupported(f"{self.name}: only limit orders can be post-only")
        held = order.position_side
        if held and order.reduce_only and order.side is not held.exit_side:
            raise Unsupported(f"{self.name}: a {order.side} order cannot reduce a {held} position")
        if not order.type.conditional:
            return
        if not order.closes:
            raise Unsupported(f"{self.name}: stop and take-profit orders can only close a position")
        if order.trigger_by not in TRIGGERS:
            raise Unsupported(f"{self.name}: orders trigger by the last or the mark price")

    def _record_call(self, *legs: OrderRequest) -> Call:
        """One TP/SL record with these legs."""
        params: dict[str, Any] = {
            "symbol": legs[0].instrument.symbol,
            "positionId": _position_named(legs[0]),
        }
        for leg in legs:
            prefix = PREFIXES[leg.type]
            params |= {
                f"{prefix}Price": leg.trigger_price,
                f"{prefix}StopType": TRIGGERS[leg.trigger_by],
                f"{prefix}OrderType": "LIMIT" if leg.type in LIMITS else "MARKET",
                f"{prefix}Qty": leg.quantity,
            }
            params |= {f"{prefix}OrderPrice": leg.price} if leg.type in LIMITS else {}
        return self._write("tpsl/place_order", params, "pair", Priority.PROTECT)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        number = _new_id(data)
        if not order.type.conditional:
            return acknowledged(order, number)
        leg = LegName(number, PREFIXES[order.type], _slot_of(order))
        return acknowledged(order, str(leg), client_id="")

    def read_order(self, item: Any) -> Report:
        """One entry of trade/get_order_detail or of a list of orders; the price of its fills is not in it. A hedged
        order that closes has the side of its position."""
        side, hedged = word(SIDES, item, "side"), word(POSITION_MODES, item, "positionMode")
        closes = item.get("reduceOnly") is True or item.get("tradeSide") == "CLOSE"
        direction = Direction.LONG if side is Side.BUY else Direction.SHORT
        kind, fee = word(ORDER_TYPES, item, "orderType"), decimal_or_none(item, "fee")
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=str(item.get("clientId") or ""),
            symbol=text(item, "symbol"),
            side=side.opposite if closes and hedged is PositionMode.HEDGE else side,
            type=kind,
            status=word(STATUSES, item, "status"),
            quantity=decimal(item, "qty"),
            filled=decimal(item, "tradeQty"),
            price=nonzero(item, "price") if kind is OrderType.LIMIT else None,
            reduce_only=closes,
            position_side=direction if hedged is PositionMode.HEDGE else None,
            fee=Fee(fee, COIN) if fee else None,
        )

    def read_record(self, item: Any, slot: str, status: OrderStatus = OrderStatus.OPEN) -> list[Report]:
        """The legs of a TP/SL record, the stop first. One made for the whole position has no quantity."""
        direction, hedged = SLOTS[slot]
        found, number, symbol = [], text(item, "id"), text(item, "symbol")
        for prefix, (at_market, limited) in LEGS.items():
            if not (trigger := decimal_or_null(item, f"{prefix}Price")):
                continue
            limit = field(item, f"{prefix}OrderType") and word(ORDER_TYPES, item, f"{prefix}OrderType")
            kind = limited if limit is OrderType.LIMIT else at_market
            report = Report(
                exchange_id=str(LegName(number, prefix, slot)),
                client_id="",
                symbol=symbol,
                side=direction.exit_side,
                type=kind,
                status=status,
                quantity=decimal_or_null(item, f"{prefix}Qty") or None,
                price=decimal(item, f"{prefix}OrderPrice") if kind in LIMITS else None,
                trigger_price=trigger,
                reduce_only=True,
                position_side=hedged,
            )
            found.append(report)
        if not found:
            raise OutcomeUnknown(f"{self.name} lists a TP/SL order without a price")
        paired = len(found) > 1
        return [replace(each, exchange_id=each.exchange_id + PAIR) for each in found] if paired else found

    def linked(self, report: Report) -> bool:
        return report.exchange_id.endswith(PAIR)

    def read_instrument(self, item: Any) -> Instrument:
        """https://www.bitunix.com/api-docs/futures/market/get_trading_pairs.html: precisions are numbers of decimals."""
        return Instrument(
            symbol=text(item, "symbol"),
            base=text(item, "base"),
            quote=text(item, "quote"),
            settle=text(item, "quote"),
            product=self.product,
            tick=step_of(item, "quotePrecision"),
            step=step_of(item, "basePrecision"),
            min_quantity=decimal(item, "minTradeVolume"),
            max_quantity=nonzero(item, "maxLimitOrderVolume"),
            max_market_quantity=nonzero(item, "maxMarketOrderVolume"),
            max_leverage=nonzero(item, "maxLeverage"),
            active=text(item, "symbolStatus") == "OPEN" and item.get("isApiSupported") is not False,
        )

    def read_position(self, item: Any) -> Position:
        return Position(
            symbol=text(item, "symbol"),
            direction=word(DIRECTIONS, item, "side"),
            quantity=decimal(item, "qty"),
            entry_price=decimal(item, "avgOpenPrice"),
            leverage=nonzero(item, "leverage"),
            margin_mode=word(MARGIN_MODES, item, "marginMode"),
            unrealised=decimal_or_none(item, "unrealizedPNL"),
            liquidation_price=positive(item, "liqPrice"),
        )

    # -- placing ---------------------------------------------------------------------------------------

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        """Whatever the position's number will be."""
        self._check(order)
        return self.place_call(at_position(order, UNKNOWN_POSITION))

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """What hangs on a position asks for its number first. A record has no id of ours: after a lost answer it is
        looked for by its terms."""
        self._check(order)
        if order.type.conditional or (order.position_side and order.closes):
            order = at_position(order, self._position_of(keys, order))
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        try:
            return super().place(keys, order, patience_seconds=patience_seconds)
        except OutcomeUnknown as lost:
            if not order.type.conditional:
                raise
            (report,) = self._standing(keys, (order,), since_ms, lost)
            return report
        except errors.NothingToReduce as refused:
            if refused.code != SAME_SIDE or order.position_side is None or order.type.conditional:
                raise
        order = at_position(order, _position_named(order), exit_side=True)
        return super().place(keys, order, patience_seconds=patience_seconds)

    def protect(self, keys: Credentials, legs: Legs) -> tuple[Report, Report]:
        """One record with both legs; when it triggers, is cancelled or loses its position, both end."""
        stop, target = legs.stop, legs.target
        self._check(stop)
        self._check(target)
        check_pair(self.name, legs, targets=TAKES)
        number = self._position_of(keys, stop)
        pair = (at_position(stop, number), at_position(target, number))
        since_ms = self.clock.now_ms() - CLOCK_APART_MS
        try:
            record = _new_id(self.call(self._record_call(*pair), keys))
        except OutcomeUnknown as lost:
            found = self._standing(keys, pair, since_ms, lost)
            return found[0], found[1]
        names = (LegName(record, PREFIXES[each.type], _slot_of(each)) for each in pair)
        first, second = (
            acknowledged(leg, f"{name}{PAIR}", client_id="") for leg, name in zip(pair, names, strict=True)
        )
        return first, second

    def _position_of(self, keys: Credentials, order: OrderRequest) -> str:
        """The number of the position an order closes. Unreadable leaves the order unsent. Right after an entry the
        list may lag: that there is nothing to protect is believed only after every look."""
        direction, _ = SLOTS[_slot_of(order)]
        for seconds in self.look_after if order.type.conditional else (0.0,):
            self.pause(seconds)
            with unsent("the position is not known"):
                for row in self._position_rows(keys, order.instrument):
                    if word(DIRECTIONS, row, "side") is direction:
                        return text(row, "positionId")
        raise errors.NothingToReduce(f"{self.name} has no {direction} position of {order.instrument.symbol}")

    def _standing(
        self, keys: Credentials, legs: tuple[OrderRequest, ...], since_ms: int, lost: OutcomeUnknown
    ) -> list[Report]:
        """The record of these legs as listed. Not listed after every look, it may be sent again: it only closes, and
        never more than there is. What cannot be read has told nothing."""
        read = False
        for records in self._listings(lambda: self._records(keys, legs[0].instrument)):
            read = True
            for item in records:
                reports = self.read_record(item, _slot_of(legs[0]))
                if _is_record_of(item, reports, legs, since_ms):
                    return reports
        if read:
            raise NotSent(f"{self.name} lists no such order", code=lost.code) from lost
        raise lost

    # -- orders ----------------------------------------------------------------------------------------

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        if not ref.conditional:
            return self._order(keys, ref.named("orderId", "clientId"))
        if (name := LegName.read(ref.exchange_id)) is not None:
            return self._leg(keys, instrument, name)[0]
        if any(True for _ in self._records(keys, instrument)):
            raise OutcomeUnknown(f"{self.name} knows stops and targets by its own numbers only: look there")
        raise self._gone()

    def _order(self, keys: Credentials, named: Mapping[str, str]) -> Report:
        data = self._read("trade/get_order_detail", named, keys, "order")
        if data is None:
            raise self._gone()
        report = self.read_order(data)
        return self._priced(keys, report) if report.filled else report

    def _priced(self, keys: Credentials, report: Report) -> Report:
        """With the average price of its trades, once they tell of all that is filled."""
        trades = list(self._trades(keys, {"orderId": report.exchange_id}))
        filled = sum((decimal(each, "qty") for each in trades), Decimal(0))
        value = sum((decimal(each, "qty") * decimal(each, "price") for each in trades), Decimal(0))
        return replace(report, average_price=value / filled) if filled == report.filled else report

    def _leg(self, keys: Credentials, instrument: Instrument, name: LegName) -> tuple[Report, str]:
        """A leg of a record, and the number of the order it became."""
        for item in self._records(keys, instrument):
            if text(item, "id") == name.record:
                return self._of(self.read_record(item, name.slot), name), ""
        ended = {"symbol": instrument.symbol}
        for item in self._pages("tpsl/get_history_orders", ended, keys, "ended_records", "orderList", PAGES):
            if text(item, "id") == name.record:
                return self._ended(keys, item, name)
        raise self._gone()

    def _of(self, legs: list[Report], name: LegName) -> Report:
        """A leg that is no longer in its record was taken out of it."""
        for report in legs:
            if LegName.read(report.exchange_id) == name:
                return report
        raise self._gone()

    def _ended(self, keys: Credentials, item: Any, name: LegName) -> tuple[Report, str]:
        """A record says when it triggered, not which leg did and what came of it: the trade of its position nearest
        to that moment tells both, of an order of its size if there is one: several records may trigger at once. The words
        of its `status` are not documented, and not read."""
        legs = self.read_record(item, name.slot, OrderStatus.CANCELLED)
        mine = self._of(legs, name)
        field(item, "triggerTime")
        if not (triggered := decimal_or_none(item, "triggerTime")):
            return mine, ""
        moment = int(triggered)
        since = {"positionId": text(item, "positionId"), "startTime": moment - TRIGGER_APART_MS}
        trades = [each for each in self._trades(keys, since) if _closes_with(each, mine, moment)]
        if not trades:
            return self._resting(keys, mine, moment)
        nearest = min(trades, key=lambda trade: _apart(trade, moment, of=mine, among=trades))
        price, number = decimal(nearest, "price"), text(nearest, "orderId")
        if min(legs, key=lambda leg: abs((leg.trigger_price or price) - price)) is not mine:
            return mine, ""
        order = self._order(keys, {"orderId": number})
        if mine.type in LIMITS and order.price != mine.price:
            return self._resting(keys, mine, moment)
        return mine.done_as(order), number

    def _resting(self, keys: Credentials, leg: Report, since_ms: int) -> tuple[Report, str]:
        """The limit order that a leg became, as long as nothing of it is filled."""
        for item in self._pages("trade/get_pending_orders", {"symbol": leg.symbol}, keys, "orders"):
            order = self.read_order(item)
            same = (order.price, order.quantity) == (leg.price, leg.quantity)
            if same and decimal(item, "ctime") >= since_ms:
                return leg.done_as(order), order.exchange_id
        if self.clock.now_ms() - since_ms > SETTLED_MS:
            return leg, ""
        raise OutcomeUnknown(f"{self.name} does not tell yet what became of a triggered order")

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        plain = self._pages("trade/get_pending_orders", _symbol(instrument), keys, "orders")
        found = [self.read_order(item) for item in plain]
        if records := list(self._records(keys, instrument)):
            slots = {
                text(row, "positionId"): _slot_held(row) for row in self._position_rows(keys, instrument)
            }
            # a record whose position is not there any more has ended with it
            for item in records:
                if (slot := slots.get(text(item, "positionId"))) is not None:
                    found += self.read_record(item, slot)
        return found

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """A record is cancelled as a whole; a leg that has become a limit order is cancelled as that."""
        if not ref.conditional:
            return self._cancel_order(keys, instrument, ref.named("orderId", "clientId"))
        name = LegName.read(ref.exchange_id) or LegName.read(self.fetch(keys, instrument, ref).exchange_id)
        if name is None:
            raise self._gone()
        try:
            self._cancel_record(keys, instrument, name.record)
        except OrderNotFound:
            report, number = self._leg(keys, instrument, name)
            if report.status.final or not number:
                raise
            self._cancel_order(keys, instrument, {"orderId": number})

    def _cancel_order(self, keys: Credentials, instrument: Instrument, named: Mapping[str, str]) -> None:
        params = {"symbol": instrument.symbol, "orderList": [named]}
        data = self.call(self._write("trade/cancel_orders", params, "cancel", Priority.PROTECT), keys)
        if items(data, "data", "successList"):
            return
        code, words = (text(data, "data", "failureList", 0, part) for part in ("errorCode", "errorMsg"))
        error = self._error_class(code, 200)
        raise error(self.explain(error, code, words, 200), code=code, exchange_message=words[:300])

    def _cancel_record(self, keys: Credentials, instrument: Instrument, record: str) -> None:
        params = {"symbol": instrument.symbol, "orderId": record}
        self.call(self._write("tpsl/cancel_order", params, "cancel_pair", Priority.PROTECT), keys)

    def cancel_all(self, keys: Credentials, instrument: Instrument) -> None:
        params = {"symbol": instrument.symbol}
        self.call(self._write("trade/cancel_all_orders", params, "cancel", Priority.PROTECT), keys)
        for item in list(self._records(keys, instrument)):
            try:
                self._cancel_record(keys, instrument, text(item, "id"))
            except OrderNotFound:
                continue  # gone between the two calls: that is what was wanted

    # -- account ---------------------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        data = self._account(keys)
        free = decimal(data, "available")
        held = ("frozen", "margin", "crossUnrealizedPNL", "isolationUnrealizedPNL")
        total = free + sum((decimal(data, name) for name in held), Decimal(0))
        return {COIN: Balance(COIN, total, max(free, Decimal(0)))}

    def _account(self, keys: Credentials) -> Any:
        """Documented as a list of one, and as the account itself."""
        data = self._read("account", {"marginCoin": COIN}, keys, "account")
        return field(data, 0) if isinstance(data, list) else data

    def positions(self, keys: Credentials, instrument: Instrument | None = None) -> list[Position]:
        rows = self._position_rows(keys, instrument)
        return [self.read_position(row) for row in rows if decimal(row, "qty")]

    def _position_rows(self, keys: Credentials, instrument: Instrument | None) -> list[Any]:
        return items(self._read("position/get_pending_positions", _symbol(instrument), keys, "positions"))

    def position_mode(self, keys: Credentials, instrument: Instrument) -> PositionMode:
        return word(POSITION_MODES, self._account(keys), "positionMode")

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: Decimal | None, mode: MarginMode | None
    ) -> None:
        """Only what differs is written: nothing can be changed while orders of the market are open."""
        whole = None if leverage is None else whole_leverage(self.name, leverage)
        market = {"symbol": instrument.symbol, "marginCoin": COIN}
        data = self._read("account/get_leverage_margin_mode", market, keys, "account")
        if mode is not None and word(MARGIN_MODES, data, "marginMode") is not mode:
            params = market | {"marginMode": MARGIN_WORDS[mode]}
            self.call(self._write("account/change_margin_mode", params, "settings", Priority.ENTRY), keys)
        if whole is not None and decimal(data, "leverage") != whole:
            wanted = {**market, "leverage": whole}
            self.call(self._write("account/change_leverage", wanted, "settings", Priority.ENTRY), keys)

    def key_info(self, keys: Credentials) -> KeyInfo:
        """That the key reads the account is all there is to know."""
        decimal(self._account(keys), "available")
        return KeyInfo(note=KEY_NOTE)

    # -- market ----------------------------------------------------------------------------------------

    def server_time_ms(self) -> int:
        """No call tells the time: the Date header does, in whole seconds."""
        self._public("market/tickers", {"symbols": "BTCUSDT"})
        return self._told_ms()

    def instruments(self) -> list[Instrument]:
        rows = items(self._public("market/trading_pairs", {}))
        return [self.read_instrument(row) for row in rows if text(row, "quote") == COIN]

    def quote(self, instrument: Instrument) -> Quote:
        """The ticker has no bid and ask, the book has nothing else."""
        tickers = items(self._public("market/tickers", {"symbols": instrument.symbol}))
        if not tickers:
            raise errors.UnknownSymbol(f"{self.name} has no market {instrument.symbol}")
        book = self._public("market/depth", {"symbol": instrument.symbol, "limit": "1"})
        return Quote(
            bid=decimal(book, "bids", 0, 0),
            ask=decimal(book, "asks", 0, 0),
            last=decimal(tickers, 0, "lastPrice"),
            mark=nonzero(tickers[0], "markPrice"),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _write(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        return Call("POST", f"/api/v1/futures/{path}", params, costs={bucket: 1}, priority=priority)

    def _public(self, path: str, params: Mapping[str, Any]) -> Any:
        return field(self.ask(f"/api/v1/futures/{path}", params, {"market": 1}), "data")

    def _read(self, path: str, params: Mapping[str, Any], keys: Credentials, bucket: str) -> Any:
        return field(self.ask(f"/api/v1/futures/{path}", params, {bucket: 1}, keys), "data")

    def _records(self, keys: Credentials, instrument: Instrument | None) -> Iterator[Any]:
        return self._pages("tpsl/get_pending_orders", _symbol(instrument), keys, "records", "")

    def _trades(self, keys: Credentials, params: Mapping[str, Any]) -> Iterator[Any]:
        return self._pages("trade/get_history_trades", params, keys, "trades", "tradeList")

    def _pages(
        self,
        path: str,
        params: Mapping[str, Any],
        keys: Credentials,
        bucket: str,
        name: str = "orderList",
        most: int | None = None,
    ) -> Iterator[Any]:
        def page(number: int) -> list[Any]:
            asked = {**params, "skip": number * PAGE_SIZE, "limit": PAGE_SIZE}
            data = self._read(path, asked, keys, bucket)
            return [] if data is None else items(data, name) if name else items(data)

        return pages_by_number(page, PAGE_SIZE, most)


class BitunixSpot(_Bitunix):
    name = "Bitunix"
    product = Product.SPOT
    base_urls = {Environment.LIVE: "https://openapi.bitunix.com"}
    features = Features(
        conditional=False,
        reduce_only=False,
        open_orders_by_symbol=True,
        client_id_memory_seconds=MEMORY_SECONDS,
    )
    errors = SPOT_ERRORS
    #: not documented: what the connector named above keeps to
    buckets = {
        "market": Bucket(10, 1.0),
        **{name: Bucket(10, 1.0, Scope.KEY) for name in ("create", "cancel")},
        "reads": Bucket(20, 1.0, Scope.KEY),
    }
    look_seconds = 2.0
    looks_per_minute = 240

    # -- pure ------------------------------------------------------------------------------------------

    def error_code(self, answer: Answer) -> tuple[str, str] | None:
        """A refused placement has no order, and its reason beside that."""
        if (found := super().error_code(answer)) is not None:
            return found
        data = answer.data.get("data") if isinstance(answer.data, Mapping) else None
        if not isinstance(data, Mapping) or data.get("orderId") or str(data.get("placeStatus")) != "0":
            return None
        return f"{PLACING}{data.get('placeCode') or 'refused'}", str(data.get("placeMsg") or "")

    def explain(self, error: type[ExchangeError], code: str, words: str, status: int) -> str:
        return super().explain(error, code, SPOT_WORDS.get(code, words), status)

    def place_call(self, order: OrderRequest) -> Call:
        """A market buy as `bounded` will make it: its price is known when it is sent."""
        if order.type.conditional:
            raise Unsupported(f"{self.name} has no stop orders")
        check_spot(self.name, order)
        if order.post_only or order.time_in_force is not TimeInForce.GTC:
            raise Unsupported(f"{self.name}: orders cannot be post-only, IOC or FOK")
        if order.quantity is None:
            raise Unsupported(f"{self.name}: orders are given in base currency")
        kind = OrderType.LIMIT if order.side is Side.BUY else order.type
        params = {
            "side": SPOT_SIDE_NUMBERS[order.side],
            "type": SPOT_TYPE_NUMBERS[kind],
            "volume": order.quantity,
            "price": "0" if kind is OrderType.MARKET else order.price,
            "symbol": order.instrument.symbol,
            "clientId": order.client_id,
        }
        return self._post("order/place_order", params, "create", Priority.ENTRY)

    def draft_call(self, order: OrderRequest, price: Decimal) -> Call:
        return self.place_call(self.bounded(order, price) if _buys_at_market(order) else order)

    @staticmethod
    def bounded(order: OrderRequest, ask: Decimal, premium: Decimal = HIGHEST_PREMIUM) -> OrderRequest:
        return bounded(order, ask, premium, TimeInForce.GTC)

    def read_placed(self, data: Any, order: OrderRequest) -> Report:
        return acknowledged(order, _new_id(data))

    def read_order(self, item: Any, symbol: str, trades: list[Any]) -> Report:
        """`volume` of a market buy may be an amount of quote currency."""
        kind, side = word(SPOT_TYPES, item, "type"), word(SPOT_SIDES, item, "side")
        limit, filled = kind is OrderType.LIMIT, decimal(item, "dealVolume")
        done = sum((decimal(each, "volume") for each in trades), Decimal(0))
        paid = sum((decimal(each, "volume") * decimal(each, "price") for each in trades), Decimal(0))
        return Report(
            exchange_id=text(item, "orderId"),
            client_id=str(item.get("clientId") or ""),
            symbol=symbol,
            side=side,
            type=kind,
            status=word(SPOT_STATES, item, "status"),
            quantity=decimal(item, "volume") if limit or side is Side.SELL else None,
            filled=filled,
            average_price=paid / done if filled and done == filled else None,
            price=nonzero(item, "price") if limit else None,
            fee=_fee_of(trades) if done == filled else None,
        )

    # -- orders ----------------------------------------------------------------------------------------

    def place(
        self, keys: Credentials, order: OrderRequest, *, patience_seconds: float | None = None
    ) -> Report:
        """A market buy refused for the money its bound would take is sent at the best price itself: nothing stands yet.
        What it leaves is cancelled."""
        self.place_call(order)  # what cannot be said is refused before anything is asked
        if not _buys_at_market(order):
            return super().place(keys, order, patience_seconds=patience_seconds)
        ask = self._ask(order.instrument)
        try:
            report = super().place(keys, self.bounded(order, ask), patience_seconds=patience_seconds)
        except errors.InsufficientFunds:
            barely = self.bounded(order, ask, Decimal(0))
            report = super().place(keys, barely, patience_seconds=patience_seconds)
        return replace(self._ended(keys, order.instrument, report), type=OrderType.MARKET, price=None)

    def _ask(self, instrument: Instrument) -> Decimal:
        """The book alone tells it. A price that is not told leaves the order unsent."""
        with unsent("the price is not known"):
            return decimal(self._public("market/depth", {"symbol": instrument.symbol}), "asks", 0, "price")

    def _ended(self, keys: Credentials, instrument: Instrument, report: Report) -> Report:
        """What the order has done, its rest cancelled. Trouble here leaves it acknowledged: it stands, and is asked for
        again."""
        ref = OrderRef(report.client_id, report.exchange_id)
        try:
            for _ in self._looks():
                item = self._find(keys, instrument, ref)
                if word(SPOT_STATES, item, "status").final:
                    return self._with_trades(keys, instrument, item)
            with suppress(OrderNotFound):
                self.cancel(keys, instrument, ref)
            return self.fetch(keys, instrument, ref)
        except ExchangeError:
            return report

    def fetch(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Report:
        return self._with_trades(keys, instrument, self._find(keys, instrument, ref))

    def _find(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any:
        """By its number, else by our id in the lists of its market."""
        item = self._read("order/detail", {"orderId": ref.exchange_id}, keys) if ref.exchange_id else None
        return item or self._listed(keys, instrument, ref)

    def _with_trades(self, keys: Credentials, instrument: Instrument, item: Any) -> Report:
        trades = []
        if decimal(item, "dealVolume"):
            which = {"orderId": text(item, "orderId"), "symbol": instrument.symbol}
            trades = self._list("order/deal/list", which, keys)
        return self.read_order(item, instrument.symbol, trades)

    def _listed(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> Any:
        """The open orders first: one that ends meanwhile is among the ended ones then."""
        nameless = False
        for item in self._every(keys, instrument):
            number, named = text(item, "orderId"), item.get("clientId")
            if number == ref.exchange_id if ref.exchange_id else named == ref.client_id:
                return item
            nameless = nameless or not (named or word(SPOT_TYPES, item, "type") is OrderType.LIMIT)
        if nameless and not ref.exchange_id:
            raise OutcomeUnknown(f"{self.name} lists a market order without an id, which may be this one")
        raise self._gone()

    def _every(self, keys: Credentials, instrument: Instrument) -> Iterator[Any]:
        """Open orders, and those made in the time that is looked back on. A history that is longer than it is read
        tells nothing of what is not found."""
        market = {"symbol": instrument.symbol}
        yield from self._list("order/pending/list", market, keys)
        since = datetime.fromtimestamp(self.clock.now_ms() // 1000 - MEMORY_SECONDS, UTC)
        for page in range(1, PAGES + 1):
            asked = {
                **market,
                "page": page,
                "pageSize": PAGE_SIZE,
                "startTime": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            }
            found = self._list("order/history/page", asked, keys)
            yield from found
            if len(found) < PAGE_SIZE:
                return
        raise OutcomeUnknown(f"{self.name} has more orders of a day than are looked through")

    def cancel(self, keys: Credentials, instrument: Instrument, ref: OrderRef) -> None:
        """Every cancel is answered with success, so that the order is looked at before and after."""
        item = self._find(keys, instrument, ref)
        if word(SPOT_STATES, item, "status").final:
            raise OrderNotFound(f"{self.name}: the order is no longer open")
        number = text(item, "orderId")
        which = {"orderIdList": [{"orderId": number, "symbol": instrument.symbol}]}
        self.call(self._post("order/cancel", which, "cancel", Priority.PROTECT), keys)
        for _ in self._looks():
            item = self._find(keys, instrument, OrderRef(exchange_id=number))
            if (status := word(SPOT_STATES, item, "status")) is OrderStatus.CANCELLED:
                return
            if status.final:
                raise OrderNotFound(f"{self.name}: the order was filled before its cancel")
        raise OutcomeUnknown(f"{self.name} took the cancel, and the order still stands")

    def open_orders(self, keys: Credentials, instrument: Instrument | None = None) -> list[Report]:
        """What a partial fill paid is not asked for here."""
        if instrument is None:
            raise Unsupported(f"{self.name} lists the open orders of one market at a time")
        rows = self._list("order/pending/list", {"symbol": instrument.symbol}, keys)
        return [self.read_order(row, instrument.symbol, []) for row in rows]

    # -- account and market ----------------------------------------------------------------------------

    def balances(self, keys: Credentials) -> Mapping[str, Balance]:
        """`balance` is what is free (as the connector named above reads it); an empty account answers null."""
        found = {}
        for row in rows_of({"accounts": self._read("user/account", {}, keys)}, "accounts"):
            asset, free = common_asset(text(row, "coin")), decimal(row, "balance")
            found[asset] = Balance(asset, free + decimal(row, "balanceLocked"), free)
        return found

    def key_info(self, keys: Credentials) -> KeyInfo:
        """That the key reads the account is all there is to know."""
        self.balances(keys)
        return KeyInfo(note=KEY_NOTE)

    def server_time_ms(self) -> int:
        self._public("market/last_price", {"symbol": "BTCUSDT"})
        return self._told_ms()

    def instruments(self) -> list[Instrument]:
        return [self.read_instrument(row) for row in items(self._public("common/coin_pair/list", {}))]

    def read_instrument(self, row: Any) -> Instrument:
        """`precisions` has the price steps, the finest first; `minPrice` is the smallest value of an order."""
        base, quote = text(row, "base").upper(), text(row, "quote").upper()
        step = step_of(row, "basePrecision")
        steps = row.get("precisions")
        return Instrument(
            symbol=f"{base}{quote}",
            base=common_asset(base),
            quote=common_asset(quote),
            settle=common_asset(quote),
            product=self.product,
            tick=decimal(steps, 0) if steps else step_of(row, "quotePrecision"),
            step=step,
            min_quantity=max(decimal(row, "minVolume"), step),
            min_notional=decimal_or_none(row, "minPrice") or Decimal(0),
            active=word(IS_OPEN, {"isOpen": str(field(row, "isOpen"))}, "isOpen"),
        )

    def quote(self, instrument: Instrument) -> Quote:
        market = {"symbol": instrument.symbol}
        book = self._public("market/depth", market)
        return Quote(
            bid=decimal(book, "bids", 0, "price"),
            ask=decimal(book, "asks", 0, "price"),
            last=decimal(self._public("market/last_price", market)),
        )

    # -- one request -----------------------------------------------------------------------------------

    def _post(self, path: str, params: Mapping[str, Any], bucket: str, priority: Priority) -> Call:
        return Call("POST", f"/api/spot/v1/{path}", params, costs={bucket: 1}, priority=priority)

    def _public(self, path: str, params: Mapping[str, Any]) -> Any:
        return field(self.ask(f"/api/spot/v1/{path}", params, {"market": 1}), "data")

    def _read(self, path: str, params: Mapping[str, Any], keys: Credentials) -> Any:
        return field(self.ask(f"/api/spot/v1/{path}", params, {"reads": 1}, keys), "data")

    def _list(self, path: str, params: Mapping[str, Any], keys: Credentials) -> list[Any]:
        """Null is an empty list; a page of history has its rows one level deeper."""
        call = Call("POST", f"/api/spot/v1/{path}", params, costs={"reads": 1}, read_only=True)
        data = field(self.call(call, keys), "data")
        return rows_of(data, "data") if isinstance(data, Mapping) else rows_of(data)


def _buys_at_market(order: OrderRequest) -> bool:
    return (order.type, order.side) == (OrderType.MARKET, Side.BUY)


def _fee_of(trades: list[Any]) -> Fee | None:
    """In one asset, or not told."""
    paid = [
        (common_asset(text(each, "feeCoin")), decimal(each, "fee")) for each in trades if each.get("feeCoin")
    ]
    if len({asset for asset, _ in paid}) != 1 or len(paid) != len(trades):
        return None
    return Fee(sum((amount for _, amount in paid), Decimal(0)), paid[0][0])


def _alone(row: Mapping[str, Any]) -> dict[str, Any]:
    """An order of a batch as if it had been sent alone."""
    if "taken" in row:
        return {"code": 0, "data": {"orderId": row["taken"].get("id")}}
    told = row.get("refused", {})
    return {"code": told.get("errorCode"), "msg": told.get("errorMsg")} if told.get("errorCode") else {}


def _new_id(data: Any) -> str:
    """Of the order or record that was taken."""
    if not (number := text(data, "data", "orderId")):
        raise OutcomeUnknown("the order was taken, and no id is named")
    return number


def at_position(order: OrderRequest, number: str, *, exit_side: bool = False) -> OrderRequest:
    """The order with the number of the position it hangs on."""
    extra = {**order.instrument.extra, POSITION: number, EXIT_SIDE: exit_side}
    return replace(order, instrument=replace(order.instrument, extra=extra))


def _position_named(order: OrderRequest) -> str:
    try:
        return str(order.instrument.extra[POSITION])
    except KeyError:
        raise errors.NothingToReduce("the order names no position") from None


def _slot_of(order: OrderRequest) -> str:
    """That of the position which a closing order closes."""
    return SLOT_WORDS[order.closed_direction, order.position_side]


def _slot_held(row: Any) -> str:
    direction = word(DIRECTIONS, row, "side")
    hedged = word(POSITION_MODES, row, "positionMode") is PositionMode.HEDGE
    return SLOT_WORDS[direction, direction if hedged else None]


def _is_record_of(item: Any, reports: list[Report], legs: tuple[OrderRequest, ...], since_ms: int) -> bool:
    """By position and terms, and by its age where the list tells it."""
    if text(item, "positionId") != _position_named(legs[0]):
        return False
    if (created := decimal_or_none(item, "ctime")) is not None and created < since_ms:
        return False
    listed = [(each.type, each.trigger_price, each.quantity, each.price) for each in reports]
    return listed == [(each.type, each.trigger_price, each.quantity, each.price) for each in legs]


def _apart(trade: Any, moment_ms: int, *, of: Report, among: Sequence[Any]) -> tuple[bool, bool, Decimal]:
    """How little a trade looks like the one that a leg led to at that moment: lower is likelier."""
    number, distance = text(trade, "orderId"), abs(decimal(trade, "ctime") - moment_ms)
    traded = sum((decimal(each, "qty") for each in among if text(each, "orderId") == number), Decimal(0))
    return distance > TRIGGER_APART_MS, traded != of.quantity, distance


def _closes_with(trade: Any, leg: Report, moment_ms: int) -> bool:
    """Whether a trade can be of the order that a leg became. In hedge mode its side does not tell."""
    if leg.position_side is None:
        return word(SIDES, trade, "side") is leg.side
    return decimal(trade, "ctime") >= moment_ms or trade.get("reduceOnly") is True


def _symbol(instrument: Instrument | None) -> dict[str, str]:
    return {"symbol": instrument.symbol} if instrument else {}


def _sha256(signed: str) -> str:
    return hashlib.sha256(signed.encode()).hexdigest()
