"""What Binance's products share: keys, signatures, timestamps, weights, error words, names of orders.

Sources (read 2026-11-22): developers.binance.com/docs/binance-spot-api-docs (rest-api, errors) and
/docs/derivatives/usds-margined-futures (general-info, error-code). An error is {"code", "msg"}.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from exchanges.sandbox.dialect import Dialect, Route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Owner
from exchanges.sandbox.model import (
    Market,
    Order,
    Reason,
    Rejected,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import OrderStatus, Side, TimeInForce

#: later than anything
LATEST_MS = 10**15
_DAY_PRICES = ("lastPrice", "openPrice", "highPrice", "lowPrice", "weightedAvgPrice", "prevClosePrice")
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
FORCES = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
STATUSES = {
    OrderStatus.OPEN: "NEW",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELLED: "CANCELED",
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.EXPIRED: "EXPIRED",
}
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")

Words = Mapping[Reason, tuple[int, int, str]]
#: reason -> HTTP status, code, message ({} = the detail)
COMMON: Words = {
    Reason.NO_KEY: (401, -2014, "API-key format invalid."),
    Reason.BAD_KEY: (401, -2015, "Invalid API-key, IP, or permissions for action."),
    Reason.NO_PERMISSION: (401, -2015, "Invalid API-key, IP, or permissions for action."),
    Reason.BAD_SIGNATURE: (400, -1022, "Signature for this request is not valid."),
    Reason.BAD_TIMESTAMP: (400, -1021, "Timestamp for this request {}"),
    Reason.THROTTLED: (429, -1003, "Too many requests; current request has limited."),
    Reason.BANNED: (418, -1003, "Way too many requests; IP banned until {}."),
    Reason.MAINTENANCE: (503, -1016, "This service is no longer available."),
    Reason.INTERNAL: (500, -1000, "An unknown error occurred while processing the request."),
    Reason.UNKNOWN_PATH: (404, -1000, "Path {} does not exist."),
    Reason.MISSING_PARAMETER: (
        400,
        -1102,
        "Mandatory parameter '{}' was not sent, was empty/null, or malformed.",
    ),
    Reason.BAD_PARAMETER: (400, -1100, "Illegal characters found in parameter '{}'."),
    Reason.PRECISION: (400, -1111, "Parameter '{}' has too much precision."),
    Reason.UNKNOWN_SYMBOL: (400, -1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (400, -2013, "Order does not exist."),
    Reason.NOT_OPEN: (400, -2011, "Unknown order sent."),
}
_DEFAULT = (400, -2010, "NEW_ORDER_REJECTED")
#: parameters whose wrong word has an error of its own
_KINDS = {
    "type": (-1116, "Invalid orderType."),
    "side": (-1117, "Invalid side."),
    "timeInForce": (-1115, "Invalid timeInForce."),
    "recvWindow": (-1131, "recvWindow must be less than 60000."),
}


class Binance(Dialect):
    """Everything but the products' own endpoints."""

    family = "binance"
    default_costs: ClassVar[Mapping[str, int]] = {"weight": 1}
    words: ClassVar[Words]
    #: path -> weight when no symbol is given
    weight_of_all: ClassVar[Mapping[str, int]] = {}

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-mbx-apikey", "")

    def credentials(self) -> tuple[str, str, str]:
        key, secret, _ = super().credentials()
        return key, secret, ""

    def authenticate(self, call: Call) -> Account:
        key = self.key_of(call)
        if not key:
            raise Rejected(Reason.NO_KEY)
        account = self.account(key)
        if account is None:
            raise Rejected(Reason.BAD_KEY)
        self._check_time(call)
        self._check_signature(call, account)
        if "trade" not in account.permissions and call.method != "GET":
            raise Rejected(Reason.NO_PERMISSION)
        return account

    @staticmethod
    def _check_time(call: Call) -> None:
        sent, window = call.integer("timestamp"), call.decimal_or_none("recvWindow") or Decimal(5000)
        if window > 60000:
            raise Rejected(Reason.BAD_PARAMETER, "recvWindow")
        sent_ms = sent // 1000 if sent > 10**15 else sent
        if sent_ms >= call.now_ms + 1000:
            raise Rejected(Reason.BAD_TIMESTAMP, "was 1000ms ahead of the server's time.")
        if call.now_ms - sent_ms > window:
            raise Rejected(Reason.BAD_TIMESTAMP, "is outside of the recvWindow.")

    @staticmethod
    def _check_signature(call: Call, account: Account) -> None:
        """Over query and body as sent, joined without a separator, less the signature itself."""
        parts = [call.query.split("&"), call.body.decode("utf-8", "replace").split("&")]
        signature = next((each[10:] for part in parts for each in part if each.startswith("signature=")), "")
        if not signature:
            raise Rejected(Reason.MISSING_PARAMETER, "signature")
        signed = "".join(
            "&".join(each for each in part if not each.startswith("signature=")) for part in parts
        )
        wanted = hmac.new(account.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature.lower().encode(), wanted.encode()):
            raise Rejected(Reason.BAD_SIGNATURE)

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        status, code, words = self.words.get(reason, _DEFAULT)
        if reason is Reason.BAD_PARAMETER and detail in _KINDS:
            code, words = _KINDS[detail]
        return Reply({"code": code, "msg": words.format(detail)}, status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        until = call.now_ms + exceeded.retry_after_seconds * 1000
        if exceeded.limit.owner is Owner.ACCOUNT:
            reply = Reply(
                {"code": -1015, "msg": f"Too many new orders; {exceeded.limit.capacity} allowed."}, 429
            )
        else:
            reply = self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, str(until), call)
        reply.headers["retry-after"] = str(exceeded.retry_after_seconds)
        return reply

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        if call.path in self.weight_of_all and not call.params.get("symbol"):
            return {"weight": self.weight_of_all[call.path]}
        if route.handler == "my_trades" and call.params.get("orderId"):
            return {"weight": 5}
        return super().costs(route, call)

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        return {f"x-mbx-{name}": str(count) for name, count in used.items()}

    # -- shared readers and writers ----------------------------------------------------------------------

    def client_id(self, call: Call, name: str) -> str:
        given = call.text(name, "")
        if given and not _CLIENT_ID.fullmatch(given):
            raise Rejected(Reason.BAD_PARAMETER, name)
        return given or f"sandbox{self.desk.number()}"

    def symbol(self, call: Call) -> Market:
        return self.desk.market(call.text("symbol"))

    def symbol_or_all(self, call: Call) -> list[Market]:
        """`symbols`: several, as a JSON list."""
        given, several = call.text("symbol", ""), call.text("symbols", "")
        if several:
            return [self.desk.market(str(each)) for each in listed(several, "symbols")]
        return [self.desk.market(given)] if given else list(self.desk.markets.values())

    @staticmethod
    def windowed(
        call: Call, rows: list[dict[str, Any]], *, first: str, key: str, time: str = "time"
    ) -> list[dict[str, Any]]:
        """Rows from the id in the parameter `first` on and between `startTime` and `endTime`, the oldest first; without
        a beginning the newest of them."""
        start, end, least = (
            call.integer("startTime", 0),
            call.integer("endTime", LATEST_MS),
            call.integer(first, 0),
        )
        found = [row for row in rows if start <= row[time] <= end and row[key] >= least]
        limit = call.integer("limit", 500)
        return found[:limit] if start or least else found[-limit:]

    def named_order(self, call: Call) -> Order | None:
        """The order meant by `orderId`, else `origClientOrderId`, of the symbol given."""
        market, order_id = self.symbol(call), call.text("orderId", "")
        client_id = call.text("origClientOrderId", "")
        if not order_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "orderId")
        order = self.desk.order(call.account, order_id=order_id, client_id=client_id)
        return order if order is not None and order.market is market else None

    def tickers(self, call: Call) -> list[dict[str, Any]]:
        return [
            {
                "symbol": market.symbol,
                "bidPrice": text(self.desk.bid(market), decimals_of(market.tick)),
                "bidQty": "100.000",
                "askPrice": text(self.desk.ask(market), decimals_of(market.tick)),
                "askQty": "100.000",
            }
            for market in self.symbol_or_all(call)
        ]

    def days(self, call: Call) -> list[dict[str, Any]]:
        """Of the last 24 hours, in which nobody traded: everything at the price of now."""
        return [
            {
                "symbol": row["symbol"],
                "priceChange": "0.00000000",
                "priceChangePercent": "0.000",
                **dict.fromkeys(_DAY_PRICES, row["price"]),
                "lastQty": "0.00100000",
                "volume": "0.00000000",
                "quoteVolume": "0.00000000",
                "openTime": call.now_ms - 86_400_000,
                "closeTime": call.now_ms,
                "firstId": -1,
                "lastId": -1,
                "count": 0,
            }
            for row in self.prices(call)
        ]

    def depth_of(self, call: Call) -> dict[str, Any]:
        """Levels one tick apart."""
        market = self.symbol(call)
        decimals, bid, ask = decimals_of(market.tick), self.desk.bid(market), self.desk.ask(market)
        steps = [each * market.tick for each in range(min(call.integer("limit", 20), 20))]
        return {
            "lastUpdateId": call.now_ms,
            "bids": [[text(bid - step, decimals), "100.000"] for step in steps if step < bid],
            "asks": [[text(ask + step, decimals), "100.000"] for step in steps],
        }

    def prices(self, call: Call) -> list[dict[str, Any]]:
        return [
            {"symbol": market.symbol, "price": text(self.desk.bid(market), decimals_of(market.tick))}
            for market in self.symbol_or_all(call)
        ]

    @staticmethod
    def one_or_all(call: Call, rows: list[dict[str, Any]]) -> Any:
        return rows[0] if call.text("symbol", "") else rows

    def status_of(self, order: Order) -> str:
        if order.open and order.filled:
            return "PARTIALLY_FILLED"
        return STATUSES[order.status]


def listed(written: str, name: str) -> list[Any]:
    """A parameter that is a JSON list."""
    try:
        found = json.loads(written, parse_float=Decimal)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise Rejected(Reason.BAD_PARAMETER, name)
    return found


def worded(reason: Reason, words: Words) -> Answered:
    """A refusal whose code depends on the route it comes from."""
    status, code, message = words.get(reason, _DEFAULT)
    return Answered(Reply({"code": code, "msg": message}, status))


def eight(number: Decimal | None) -> str:
    return text(number, 8)
