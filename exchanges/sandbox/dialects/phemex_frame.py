"""What both products of Phemex share: keys and signatures, refusals, limits and the headers that tell of them, envelopes.

Documented at https://phemex-docs.github.io/ (read 2026-11-22). Not documented, so chosen here: the words of an
expired request, the codes of a wrong tick and of the other position mode.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Product

#: how far ahead of the exchange's clock a request may expire
LONGEST_EXPIRY_SECONDS = 120
GROUPS = {"contract": "-CONTRACT", "spotorder": "-SPOTORDER", "others": ""}
#: reason -> code and name; a code that differs between the products is chosen in `refuse`
REFUSALS = {
    Reason.NO_KEY: (401, "401 Failed to load API KEY."),
    Reason.BAD_KEY: (401, "401 Failed to load API KEY."),
    Reason.BAD_SIGNATURE: (401, "401 Request signature verification failed."),
    Reason.BAD_TIMESTAMP: (401, "401 Request Expired."),
    Reason.NO_PERMISSION: (401, "401 Insufficient privilege."),
    Reason.THROTTLED: (39995, "Too many requests."),
    Reason.BANNED: (39995, "Too many requests."),
    Reason.MAINTENANCE: (503, "Service unavailable"),
    Reason.INTERNAL: (500, "Internal error"),
    Reason.UNKNOWN_PATH: (404, "Not found"),
    Reason.MISSING_PARAMETER: (10500, "Missing required parameter"),
    Reason.UNKNOWN_SYMBOL: (11027, "TE_SYMBOL_INVALID"),
    Reason.MIN_QUANTITY: (11058, "TE_QTY_TOO_SMALL"),
    Reason.MAX_QUANTITY: (11056, "TE_QTY_TOO_LARGE"),
    Reason.MIN_NOTIONAL: (11115, "TE_ORDER_VALUE_TOO_SMALL"),
    Reason.DUPLICATE: (11085, "TE_CL_ORD_ID_DUPLICATE"),
    Reason.INSUFFICIENT: (11001, "TE_NO_ENOUGH_AVAILABLE_BALANCE"),
    Reason.REDUCE_ONLY: (11011, "TE_REDUCE_ONLY_ABORT"),
    Reason.POSITION_MODE: (20004, "TE_ERR_INCONSISTENT_POS_MODE"),
    Reason.STOP_REFUSED: (11031, "TE_SO_NUM_EXCEEDS"),
    Reason.TOO_MANY_ORDERS: (11032, "TE_AO_NUM_EXCEEDS"),
    Reason.UNKNOWN_ORDER: (10002, "OM_ORDER_NOT_FOUND"),
    Reason.NOT_OPEN: (10002, "OM_ORDER_NOT_FOUND"),
    Reason.LEVERAGE: (11004, "TE_INVALID_LEVERAGE"),
}
BAD_ARGUMENT = (30000, "Please double check input arguments")
STATUS = {401: 401, 404: 404, 500: 500, 503: 503, 39995: 429}
CONTRACT, SPOT_ORDER, OTHERS = ({"address": 1, group: 1} for group in GROUPS)


class PhemexFrame(Dialect):
    family = "phemex"
    default_costs = {"address": 1}
    limits = (
        Limit("address", "address", 5000, 300, Owner.ADDRESS),
        *(Limit(group, group, 100 if group == "others" else 500) for group in GROUPS),
    )

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-phemex-access-token", "")

    def credentials(self) -> tuple[str, str, str]:
        return str(uuid.uuid4()), secrets.token_urlsafe(64), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        expiry = call.headers.get("x-phemex-request-expiry", "")
        given = call.headers.get("x-phemex-request-signature", "").encode()
        wanted = (
            hmac.new(
                account.secret.encode(), f"{path}{call.query}{expiry}".encode() + call.body, hashlib.sha256
            )
            for path in call.signed_paths
        )
        if not any(hmac.compare_digest(each.hexdigest().encode(), given) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        now = call.now_ms // 1000
        if not expiry.isdigit() or not now <= int(expiry) <= now + LONGEST_EXPIRY_SECONDS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if call.path.removeprefix("/v1").startswith("/md/") and reason is not Reason.INTERNAL:
            fault = {"code": 6001, "message": "invalid argument"}
            return Reply({"error": fault, "id": None, "result": None})
        code, words = REFUSALS.get(reason, BAD_ARGUMENT)
        if reason is Reason.INSUFFICIENT and call.path.startswith("/spot/"):
            buys = call.text("side", "") == "Buy"
            code, words = (
                (11106, "TE_PLACE_ORDER_INSUFFICIENT_QUOTE_BALANCE")
                if buys
                else (11105, "TE_PLACE_ORDER_INSUFFICIENT_BASE_BALANCE")
            )
        if reason is Reason.WOULD_TRIGGER:
            rises = (call.text("side", "") == "Buy") == call.text("ordType", "").startswith("Stop")
            code, words = (
                (11043, "TE_RISING_TRIGGER_DIRECTLY") if rises else (11044, "TE_FALLING_TRIGGER_DIRECTLY")
            )
        return Reply({"code": code, "msg": words, "data": None}, STATUS.get(code, 200))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """The reset is told in a header of the group; an address over its limit is told nothing."""
        reply = self.refuse(Reason.THROTTLED, "", call)
        if exceeded.limit.name in GROUPS:
            name = f"x-ratelimit-retry-after{GROUPS[exceeded.limit.name]}"
            reply.headers[name] = str(exceeded.retry_after_seconds)
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        headers = {}
        for limit in self.limits:
            if limit.name in GROUPS and limit.name in used:
                ending = GROUPS[limit.name]
                headers[f"x-ratelimit-capacity{ending}"] = str(limit.capacity)
                headers[f"x-ratelimit-remaining{ending}"] = str(max(limit.capacity - used[limit.name], 0))
        return headers

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def linear(self) -> Desk:
        return self.desks[Product.LINEAR]


def ok(data: Any) -> dict[str, Any]:
    return {"code": 0, "msg": "", "data": data}


def page(call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = call.integer("offset", 0)
    return {"total": len(rows), "rows": rows[first : first + min(call.integer("limit", 50), 200)]}
