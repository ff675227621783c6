"""What both APIs of MEXC share: keys, two ways to sign, one table of refusals, the rights of a key.

Documented at https://www.mexc.com/api-docs/spot-v3/ and https://www.mexc.com/api-docs/futures/. What can be asked for is in
`mexc` and `mexc_futures`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import unquote_plus

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Call, Reply

CONTRACT_WINDOW_MS = 10_000
#: reason -> (code and words of spot, code and words of contracts); {} is the detail
REFUSALS = {
    Reason.NO_KEY: (400, "api key required", 401, "Unauthorized"),
    Reason.BAD_KEY: (10072, "Api key info invalid", 402, "API Key expired, please apply again"),
    Reason.BAD_SIGNATURE: (
        700002,
        "Signature for this request is not valid.",
        602,
        "Confirming signature failed!",
    ),
    Reason.BAD_TIMESTAMP: (
        700003,
        "Timestamp for this request is outside of the recvWindow.",
        513,
        "Invalid request, please try again later",
    ),
    Reason.NO_PERMISSION: (
        700007,
        "No permission to access the endpoint.",
        704,
        "Please enable API Key trading information write access",
    ),
    Reason.THROTTLED: (429, "Too Many Requests", 510, "Requests are too frequent, please try again later"),
    Reason.BANNED: (429, "Too Many Requests", 510, "Requests are too frequent, please try again later"),
    Reason.MAINTENANCE: (503, "service not available, please try again", 801, "System under maintenance"),
    Reason.INTERNAL: (500, "Internal error", 500, "Internal error"),
    Reason.UNKNOWN_PATH: (404, "Not Found", 404, "Not Found"),
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol.", 1001, "Contract does not exist!"),
    Reason.PRICE_TICK: (30010, "no valid trade price", 2015, "Price or quantity accuracy error"),
    Reason.TRIGGER_TICK: (30010, "no valid trade price", 3004, "Trigger price error"),
    Reason.QUANTITY_STEP: (
        10096,
        "amount decimal places is too long",
        2015,
        "Price or quantity accuracy error",
    ),
    Reason.MIN_QUANTITY: (
        30002,
        "The minimum transaction volume cannot be less than:{}",
        2011,
        "Order quantity error",
    ),
    Reason.MIN_NOTIONAL: (
        30002,
        "The minimum transaction volume cannot be less than:{}",
        2011,
        "Order quantity error",
    ),
    Reason.MAX_QUANTITY: (
        30003,
        "The maximum transaction volume cannot be greater than:{}",
        2028,
        "The maximum order quantity is exceeded",
    ),
    Reason.INSUFFICIENT: (30004, "Insufficient position", 2005, "Insufficient balance!"),
    Reason.REDUCE_ONLY: (30001, "direction not allowed", 2009, "Position is not exists or closed."),
    Reason.POSITION_MODE: (30001, "direction not allowed", 2022, "Wrong position type"),
    Reason.WOULD_TRIGGER: (
        30001,
        "direction not allowed",
        5003,
        "Take-profit and stop-loss price setting is wrong",
    ),
    Reason.STOP_REFUSED: (30001, "direction not allowed", 2016, "Trigger volume over the maximum"),
    Reason.TOO_MANY_ORDERS: (
        30029,
        "Cannot exceed the maximum order limit",
        2036,
        "The orders more than the limit",
    ),
    Reason.UNKNOWN_ORDER: (-2013, "Order does not exist.", 2040, "order not exist"),
    Reason.NOT_OPEN: (-2011, "Unknown order sent.", 2041, "order state cannot be cancelled"),
    Reason.LEVERAGE: (700004, "Param error", 2006, "Leverage ratio error"),
    Reason.HAS_POSITION: (700004, "Param error", 2019, "There is an active open position"),
    Reason.HAS_OPEN_ORDERS: (700004, "Param error", 2019, "There is an active open position"),
}
STATUSES = {Reason.THROTTLED: 429, Reason.BANNED: 429, Reason.INTERNAL: 500, Reason.MAINTENANCE: 503}
STATUSES |= {Reason.UNKNOWN_PATH: 404}
RIGHTS = {
    "read": "SPOT_ACCOUNT_READ,SPOT_DEAL_READ,CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ",
    "trade": "SPOT_DEAL_WRITE,CONTRACT_DEAL_WRITE",
    "withdraw": "SPOT_WITHDRAW_READ,SPOT_WITHDRAW_WRITE",
}


def signature(secret: str, signed: str) -> str:
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


class MEXCFrame(Dialect):
    """What both APIs share: keys, two ways to sign, one table of refusals."""

    family = "mexc"

    def credentials(self) -> tuple[str, str, str]:
        return f"mx0v{secrets.token_hex(7)}", secrets.token_hex(16), ""

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-mexc-apikey" if _spot(call) else "apikey", "")

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if _spot(call):
            given, stamp = call.text("signature", ""), call.text("timestamp")
            window_ms, signed = call.integer("recvWindow", 5000), [_signed_of_spot(call)]
        else:
            given, stamp = call.headers.get("signature", ""), call.headers.get("request-time", "")
            window_ms = CONTRACT_WINDOW_MS
            signed = [f"{key}{stamp}{each}" for each in _signed_of_contracts(call)]
        if not stamp.isdigit() or not -1000 <= call.now_ms - int(stamp) <= window_ms:
            raise Rejected(Reason.BAD_TIMESTAMP)
        wanted = (signature(account.secret, each).encode() for each in signed)
        if not any(hmac.compare_digest(each, given.lower().encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        fallback = (700004, "Param {} is wrong", 600, "Param error! {}")
        code, words, contract_code, contract_words = REFUSALS.get(reason, fallback)
        if _spot(call):
            return Reply({"code": code, "msg": words.format(detail)}, STATUSES.get(reason, 400))
        status = 500 if reason is Reason.INTERNAL else 200
        told = {"success": False, "code": contract_code, "message": contract_words.format(detail)}
        return Reply(told, status)

    @route("GET /api/v3/apiKeyInfo", costs={"address": 1})
    def key_info(self, call: Call) -> Any:
        """Keys of others are told by nobody."""
        if call.text("accessKey") != call.account.key:
            raise Rejected(Reason.BAD_PARAMETER, "accessKey")
        rights = [RIGHTS[each] for each in sorted(call.account.permissions)]
        return {
            "note": "sandbox",
            "accessKey": call.account.key,
            "createTime": "2026-01-01T00:00:00.000+00:00",
            "permissions": ",".join(rights),
            "remainingValidity": 90,
            "ipWhiteList": "",
            "status": "VALID",
        }


def _signed_of_spot(call: Call) -> str:
    """The query and then the form in the body, without the signature wherever it stands."""
    form = "" if call.body.startswith((b"{", b"[")) else call.body.decode()
    return "".join(
        "&".join(p for p in part.split("&") if not p.startswith("signature=")) for part in (call.query, form)
    )


def _signed_of_contracts(call: Call) -> tuple[str, ...]:
    """The body; of a query its parts in the order of their names, as they are or as they were before their encoding."""
    if call.body:
        return (call.body.decode(),)
    parts = sorted(call.query.split("&"))
    return call.query, "&".join(parts), "&".join(unquote_plus(part) for part in parts)


def _spot(call: Call) -> bool:
    return call.path.startswith("/api/v3/")
