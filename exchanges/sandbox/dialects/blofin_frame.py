"""What every call to BloFin has in common: key, signature and nonce, refusals, limits, envelopes, pages. Refusals come with
HTTP 200. https://docs.blofin.com/.

A broker id is neither asked for nor refused: keys of both kinds of BloFin open the sandbox."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Reason, Rejected, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Product

WINDOW_MS = 60_000
REMEMBERED_NONCES = 10_000
#: (code, words); codes up to 150004 stand in the row of the order they are about
REFUSALS = {
    Reason.NO_KEY: ("152001", "Parameter ACCESS-KEY cannot be empty."),
    Reason.BAD_KEY: ("152401", "Access key does not exist"),
    Reason.BAD_SIGNATURE: ("152409", "Signature verification failed"),
    Reason.BAD_TIMESTAMP: (
        "152405",
        "Timestamp in header or signature has expired, need to be within 60s",
    ),
    Reason.BAD_NONCE: ("152407", "Repeated nonce, Reusing within 60 seconds is not allowed."),
    Reason.NO_PERMISSION: (
        "152404",
        "This operation is not supported, Please check the requestPath or API key permissions.",
    ),
    Reason.THROTTLED: ("429", "Too Many Requests"),
    Reason.MAINTENANCE: ("500", "Internal Server Error"),
    Reason.INTERNAL: ("500", "Internal Server Error"),
    Reason.UNKNOWN_PATH: ("404", "not found"),
    Reason.MISSING_PARAMETER: ("152001", "Parameter {} cannot be empty."),
    Reason.BAD_PARAMETER: ("152002", "Parameter {} error."),
    Reason.UNKNOWN_SYMBOL: ("152014", "Instrument ID does not exist"),
    Reason.POSITION_MODE: ("102089", "Position mode mismatch"),
    Reason.PRICE_TICK: ("152002", "Parameter price error."),
    Reason.TRIGGER_TICK: ("152002", "Parameter triggerPrice error."),
    Reason.QUANTITY_STEP: ("152002", "Parameter size error."),
    Reason.MIN_QUANTITY: ("152002", "Parameter size error."),
    Reason.MAX_QUANTITY: ("102015", "Market order exceeds maximum order size limit"),
    Reason.DUPLICATE: ("102002", "Duplicate customized order ID"),
    Reason.INSUFFICIENT: ("103003", "Order failed. Insufficient USDT margin in account"),
    Reason.REDUCE_ONLY: (
        "102022",
        "Failed to place order. You don't have any positions of this contract. Turn off Reduce-only to continue.",
    ),
    Reason.STOP_REFUSED: ("542", "Exceeded the maximum order size limit"),
    Reason.TOO_MANY_ORDERS: ("542", "Exceeded the maximum order size limit"),
    Reason.NOT_OPEN: (
        "500",
        "Cancel failed as the order has been filled, triggered, canceled or does not exist.",
    ),
    Reason.LEVERAGE: ("152002", "Parameter leverage error."),
    Reason.HAS_OPEN_ORDERS: ("110019", "Setting failed. Cancel any open orders, and close positions first."),
    Reason.HAS_POSITION: ("110019", "Setting failed. Cancel any open orders, and close positions first."),
}
#: of a conditional order that the price has crossed already: leg and side
CROSSED = {
    "tp sell": ("102037", "TP trigger price should be higher than the latest trading price"),
    "sl sell": ("102038", "SL trigger price should be lower than the latest trading price"),
    "tp buy": ("102039", "TP trigger price should be lower than the latest trading price"),
    "sl buy": ("102040", "SL trigger price should be higher than the latest trading price"),
}
SPENT = {"requests": 1}
TRADING = {"requests": 1, "trading": 1}


class BloFinFrame(Dialect):
    family = "blofin"
    default_costs = SPENT
    limits = (
        Limit("requests", "requests", 500, 60, Owner.ADDRESS),
        Limit("requests_long", "requests", 1500, 300, Owner.ADDRESS),
        Limit("trading", "trading", 30, 10),
    )

    def __init__(self, desks: Mapping[Product, Desk], accounts: Mapping[str, Account]) -> None:
        super().__init__(desks, accounts)
        #: (key, nonce) -> when it came
        self._nonces: dict[tuple[str, str], int] = {}

    def key_of(self, call: Call) -> str:
        return call.headers.get("access-key", "")

    def nonce_of(self, call: Call) -> str:
        return call.headers.get("access-nonce", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(16), secrets.token_urlsafe(12)

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        stamp, nonce = (call.headers.get(f"access-{name}", "") for name in ("timestamp", "nonce"))
        if not stamp.isdecimal():
            raise answered("152410", "The value of ACCESS-TIMESTAMP needs to be a millisecond timestamp")
        if abs(int(stamp) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        query, given = f"?{call.query}" if call.query else "", call.headers.get("access-sign", "").encode()
        written = (
            f"{path}{query}{call.method}{stamp}{nonce}".encode() + call.body for path in call.signed_paths
        )
        digits = (hmac.new(account.secret.encode(), each, hashlib.sha256).hexdigest() for each in written)
        if not any(hmac.compare_digest(base64.b64encode(each.encode()), given) for each in digits):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("access-passphrase", "")):
            raise answered("152408", "Passphrase error")
        self._check_nonce(key, nonce, call.now_ms)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _check_nonce(self, key: str, nonce: str, now_ms: int) -> None:
        if len(self._nonces) > REMEMBERED_NONCES:
            self._nonces = {name: when for name, when in self._nonces.items() if when > now_ms - WINDOW_MS}
        if not nonce or self._nonces.get((key, nonce), 0) > now_ms - WINDOW_MS:
            raise Rejected(Reason.BAD_NONCE)
        self._nonces[key, nonce] = now_ms

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, words = refusal(reason, detail)
        return Reply({"code": code, "msg": words}, 429 if code == "429" else 200)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return self.refuse(Reason.THROTTLED, "", call)


def frame(data: Any, code: str = "0", words: str = "success") -> dict[str, Any]:
    return {"code": code, "msg": words, "data": data}


def answered(code: str, words: str) -> Answered:
    return Answered(Reply({"code": code, "msg": words}))


def refusal(reason: Reason, detail: str) -> tuple[str, str]:
    if reason is Reason.WOULD_TRIGGER:
        return CROSSED.get(detail, REFUSALS[Reason.BAD_PARAMETER])
    code, words = REFUSALS.get(reason, REFUSALS[Reason.BAD_PARAMETER])
    return code, words.format(detail)


def page(call: Call, rows: list[dict[str, Any]], id_name: str) -> dict[str, Any]:
    ids, after = [row[id_name] for row in rows], call.text("after", "")
    first = ids.index(after) + 1 if after in ids else 0
    return frame(rows[first : first + call.integer("limit", 20)])


def padded(value: Decimal | None) -> str:
    return text(value, 18)
