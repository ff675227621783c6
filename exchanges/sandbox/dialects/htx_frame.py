"""What HTX's two hosts share: keys, the signed query, refusals of the gateway, the headers of limits, tickers, and how
orders are found and listed in pages. https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import Order, Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Side

WINDOW_MS = 300_000
#: other names of the hosts, which clients may sign as well
HOSTS = {
    "api.huobi.pro": ("api.htx.com", "api-aws.huobi.pro"),
    "api.hbdm.vn": ("api.hbdm.com", "api.btcgateway.pro"),
}
#: an order is found by its client id for so long after its end
MEMORY_SECONDS = 7200
#: of a list of orders
LONGEST_WINDOW_MS = 172_800_000
SIDES = {side.value: side for side in Side}
#: what is refused before the product is reached: words, in the envelope of either host
GATEWAY = {
    Reason.NO_KEY: "Signature not valid: Incorrect Access key",
    Reason.BAD_KEY: "Signature not valid: Incorrect Access key",
    Reason.BAD_SIGNATURE: "Signature not valid: Verification failure",
    Reason.BAD_TIMESTAMP: "Signature not valid: Invalid submission time or incorrect time format",
    Reason.NO_PERMISSION: "Signature not valid: API key has no permission",
}
STATUSES = {Reason.THROTTLED: 429, Reason.BANNED: 429, Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404}


class HTXFrame(Dialect):
    """What both hosts share."""

    family = "htx"
    unlogged = ("Signature", "AccessKeyId", "accessKey")
    #: the host whose name clients sign
    signed_host: ClassVar[str]
    #: headers: what is left, and when the window ends
    told: ClassVar[tuple[str, str]]

    def key_of(self, call: Call) -> str:
        return call.query_params.get("AccessKeyId", "")

    def credentials(self) -> tuple[str, str, str]:
        parts = [secrets.token_hex(4) for _ in range(6)]
        return "-".join(parts[:3]), "-".join(parts[3:]), ""

    def authenticate(self, call: Call) -> Account:
        """Of method, host, path and the query in the order of its names, without the signature itself."""
        given = call.query_params
        if not given.get("AccessKeyId") or not given.get("Signature"):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(given["AccessKeyId"])) is None:
            raise Rejected(Reason.BAD_KEY)
        if abs(_moment_ms(given.get("Timestamp", "")) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        kind = (given.get("SignatureMethod"), given.get("SignatureVersion"))
        wanted = (
            self._signature(call, account, host, path)
            for host in self._hosts(call)
            for path in call.signed_paths
        )
        if kind != ("HmacSHA256", "2") or not any(
            hmac.compare_digest(each.encode(), given["Signature"].encode()) for each in wanted
        ):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _hosts(self, call: Call) -> tuple[str, ...]:
        """Under which the client may think that it speaks to us: also the one that it does, with or without its port."""
        here = call.headers.get("host", "").lower()
        return (self.signed_host, *HOSTS[self.signed_host], here, here.rpartition(":")[0])

    @staticmethod
    def _signature(call: Call, account: Account, host: str, path: str) -> str:
        query = "&".join(sorted(p for p in call.query.split("&") if not p.startswith("Signature=")))
        signed = f"{call.method}\n{host}\n{path}\n{query}".encode()
        return base64.b64encode(hmac.new(account.secret.encode(), signed, hashlib.sha256).digest()).decode()

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After: the time at which the window ends."""
        reply = self.refuse(Reason.THROTTLED, "", call)
        left, ends = self.told
        reply.headers |= {left: "0", ends: str(call.now_ms + 1000 * exceeded.retry_after_seconds)}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.name in used:
                width = 1000 * limit.window_seconds
                ends = (self.desk.now_ms() // width + 1) * width
                left = max(limit.capacity - used[limit.name], 0)
                return dict(zip(self.told, (str(left), str(ends)), strict=True))
        return {}

    def made_between(self, call: Call, start: str, end: str) -> list[Order]:
        """Newest first; the parameters that name the bounds, in milliseconds."""
        end_ms = call.integer(end, call.now_ms)
        start_ms = call.integer(start, end_ms - LONGEST_WINDOW_MS)
        if end_ms - start_ms > LONGEST_WINDOW_MS:
            raise Rejected(Reason.BAD_PARAMETER, "start time")
        known = reversed(self.desk.book(call.account).orders.values())
        return [each for each in known if start_ms <= each.created_ms <= end_ms]

    def open_of(self, call: Call, name: str) -> list[Order]:
        """Newest first, of the symbol that the parameter `name` may give."""
        symbol = call.text(name, "")
        orders = reversed(self.desk.book(call.account).open.values())
        return [order for order in orders if symbol in ("", order.market.symbol)]


def merged(dialect: HTXFrame, call: Call, name: str) -> Any:
    """The ticker, by the same address on both hosts."""
    if (market := dialect.desk.markets.get(call.text(name))) is None:
        told = {"err-code": "invalid-parameter", "err-msg": "invalid symbol"}
        return {"status": "error", **told, "ts": call.now_ms}
    bid, ask = dialect.desk.bid(market), dialect.desk.ask(market)
    tick = {"id": call.now_ms, "close": bid, "open": bid, "bid": [bid, 1000], "ask": [ask, 1000]}
    return {"status": "ok", "ch": f"market.{market.symbol}.detail.merged", "ts": call.now_ms, "tick": tick}


def depth(dialect: HTXFrame, call: Call, name: str) -> Any:
    market = dialect.desk.market(call.text(name))
    levels = {"bids": [[dialect.desk.bid(market), 1000]], "asks": [[dialect.desk.ask(market), 1000]]}
    channel = f"market.{market.symbol}.depth.{call.text('type', 'step0')}"
    tick = {"id": call.now_ms, "mrid": call.now_ms, "version": call.now_ms, "ts": call.now_ms, **levels}
    return {"status": "ok", "ch": channel, "ts": call.now_ms, "tick": tick}


def after(rows: list[dict[str, Any]], last: str, count: int) -> list[dict[str, Any]]:
    """A page of rows: those behind the one whose `id` is `last`."""
    ids = [str(row["id"]) for row in rows]
    start = ids.index(last) + 1 if last in ids else 0
    return rows[start : start + count]


def kind_of(side: Side, *, limit: bool, rises: bool | None) -> OrderType:
    if rises is None:
        return OrderType.LIMIT if limit else OrderType.MARKET
    if rises == (side is Side.BUY):
        return OrderType.STOP_LIMIT if limit else OrderType.STOP
    return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT


def algo_state(order: Order, words: Iterable[str]) -> str:
    """`words` for waiting, triggered, cancelled, failed."""
    waiting, triggered, cancelled, failed = words
    if order.status is OrderStatus.REJECTED:
        return failed
    if order.live_id:
        return triggered
    return waiting if order.open else cancelled


def _moment_ms(stamp: str) -> int:
    try:
        return int(datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        raise Rejected(Reason.BAD_TIMESTAMP) from None
