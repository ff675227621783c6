"""What both products of Bitunix share: keys, signatures, coins, the length of lists. Refusals are each product's own."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Call, Reply

WINDOW_MS = 60_000
LONGEST_LIST = 100
#: base, tick, step
COINS = (
    ("BTC", "0.1", "0.0001"),
    ("ETH", "0.01", "0.001"),
    ("SOL", "0.001", "0.1"),
    ("XRP", "0.0001", "0.1"),
    ("LTC", "0.01", "0.001"),
    ("DOGE", "0.00001", "1"),
)


class BitunixFrame(Dialect):
    """Keys and signatures, the same for both products."""

    family = "bitunix"

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_hex(16), secrets.token_hex(16), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        nonce, moment = call.headers.get("nonce", ""), call.headers.get("timestamp", "")
        if not hmac.compare_digest(_signature(call, account, nonce, moment), call.headers.get("sign", "")):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not 32 <= len(nonce) <= 64 or not moment.isdigit() or abs(int(moment) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if self.writes(call) and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def writes(self, call: Call) -> bool:
        return call.method != "GET"

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells how long to stay off."""
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)


def dated(call: Call, data: Any) -> Reply:
    """With the header that clients read the clock from: no address tells it."""
    moment = datetime.fromtimestamp(call.now_ms // 1000, UTC)
    return Reply(data, headers={"date": format_datetime(moment, usegmt=True)})


def _signature(call: Call, account: Account, nonce: str, moment: str) -> str:
    joined = "".join(f"{name}{call.query_params[name]}" for name in sorted(call.query_params))
    signed = f"{nonce}{moment}{account.key}{joined}".encode() + call.body
    inner = hashlib.sha256(signed).hexdigest()
    return hashlib.sha256(f"{inner}{account.secret}".encode()).hexdigest()
