"""The frame of every call to BingX: keys and signatures, costs, and HTTP 200 with a code for everything.

What is asked for is elsewhere. Not documented, so chosen here: the codes of a post-only order on spot and of an order that
spot does not know.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import parse_qsl

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.dialects.bingx_orders import CLOSING, GONE
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Product

WINDOW_MS = 5000
BUSY = (100500, "The current system is busy, please try again later")
#: reason -> code and words on spot, and those on perpetuals where they differ
REFUSALS = {
    Reason.NO_KEY: ((100413, "Incorrect apiKey"),),
    Reason.BAD_KEY: ((100413, "Incorrect apiKey"),),
    Reason.BAD_SIGNATURE: ((100001, "Signature verification failed due to signature mismatch"),),
    Reason.BAD_TIMESTAMP: (
        (100421, "Null timestamp or timestamp mismatch"),
        (109400, "timestamp is invalid"),
    ),
    Reason.NO_PERMISSION: (
        (100004, "Permission denied, the API key was created without the permission of this api"),
    ),
    Reason.THROTTLED: ((100410, "rate limited"),),
    Reason.BANNED: ((100410, "rate limited"),),
    Reason.MAINTENANCE: (BUSY, (109500, BUSY[1])),
    Reason.INTERNAL: (BUSY, (109500, BUSY[1])),
    Reason.UNKNOWN_PATH: ((100400, "this api is not exist"),),
    Reason.UNKNOWN_SYMBOL: (
        (100421, "The symbol you request is not available to place order currently"),
        (109425, "{detail} not exist, please verify it in api:/openApi/swap/v2/quote/contracts"),
    ),
    Reason.MIN_QUANTITY: (
        (100400, "check limit entrust value fail, entrust volume too low"),
        (101400, "The minimum order amount is not reached"),
    ),
    Reason.MIN_NOTIONAL: (
        (100400, "check limit entrust value fail, entrust value too low"),
        (110422, "The minimum order value is {detail} USDT"),
    ),
    Reason.MAX_QUANTITY: (
        (100400, "check limit entrust value fail, entrust volume too high"),
        (101209, "The maximum order is exceeded"),
    ),
    Reason.DUPLICATE: (
        (101481, "clientOrderID is duplicated"),
        (109201, "The same order number is only allowed to be submitted once within 1 second"),
    ),
    Reason.INSUFFICIENT: (
        (100202, "Insufficient assets, please verify the assets status"),
        (101204, "Insufficient margin"),
    ),
    Reason.REDUCE_ONLY: (BUSY, (101290, "The Reduce Only order can only decrease your position")),
    Reason.POSITION_MODE: (
        BUSY,
        (109400, "In the {detail} mode, the 'PositionSide' field can only be set to {allowed}."),
    ),
    Reason.WOULD_TRIGGER: (
        (100400, "the trigger price has been reached"),
        (110412, "The trigger price has been reached by the price of the position"),
    ),
    Reason.POST_ONLY: ((101215, "The Maker (Post Only) order would be filled at once"),),
    Reason.STOP_REFUSED: ((101419, "Too many conditional orders"),),
    Reason.TOO_MANY_ORDERS: ((101419, "Too many orders"),),
    Reason.UNKNOWN_ORDER: ((100404, "the order not exist"), (109421, "order not exist")),
    Reason.NOT_OPEN: ((100400, GONE), (109421, "order not exist")),
    Reason.LEVERAGE: ((101414, "The leverage is not supported"),),
    Reason.HAS_OPEN_ORDERS: ((104103, "There are open orders, the mode cannot be switched"),),
    Reason.HAS_POSITION: ((104103, "There are positions, the mode cannot be switched"),),
}
BAD_PARAMETER = (100400, "Invalid parameters, err: {detail}"), (109400, "Invalid parameters, err: {detail}")


def costs(*names: str) -> dict[str, int]:
    return dict.fromkeys(names, 1)


class BingXFrame(Dialect):
    family = "bingx"
    default_costs = costs("market")

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-bx-apikey", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(64), secrets.token_urlsafe(64), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        sent = parse_qsl(call.query or call.body.decode(), keep_blank_values=True)
        plain = "&".join(f"{name}={value}" for name, value in sent if name != "signature")
        wanted = hmac.new(account.secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, dict(sent).get("signature", "")):
            raise Rejected(Reason.BAD_SIGNATURE)
        window = min(call.integer("recvWindow", WINDOW_MS), WINDOW_MS)
        if abs(call.now_ms - call.integer("timestamp", 0)) > window:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        told = REFUSALS.get(reason, BAD_PARAMETER)
        swap = call.path.startswith("/openApi/swap/")
        code, words = told[-1 if swap else 0]
        if reason is Reason.REDUCE_ONLY and call.text("type", "") in CLOSING:
            code, words = 80017, "position not exist"
        if reason is Reason.POSITION_MODE:
            hedged = call.text("positionSide", "") == "BOTH" or call.text("side", "") == "BOTH"
            detail, allowed = ("Hedge", "LONG or SHORT") if hedged else ("One-way", "BOTH")
            return said(code, words.format(detail=detail, allowed=allowed))
        return said(code, words.format(detail=detail))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """When to come back is told in the words only."""
        until = call.now_ms + 1000 * exceeded.retry_after_seconds
        rule = "The endpoint trigger frequency limit rule is currently in the disabled period"
        return said(100410, f"code:100410:{rule} and will be unblocked after {until}")

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def linear(self) -> Desk:
        return self.desks[Product.LINEAR]


def ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "debugMsg": "", "data": data}


def said(code: int, words: str) -> Reply:
    return Reply({"code": code, "msg": words, "data": {}})
