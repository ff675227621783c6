"""The frame of every call to Deribit: JSON-RPC in the query of a GET or the body of a POST (to the method's own address or
to the common one), signed or with a token; tokens, limits, refusals.

Documented at https://docs.deribit.com/ (read 2026-11-22). Not documented, so chosen here: the reasons of a stale timestamp
and of a reduce-only order that reduces nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Answered, Call, Reply, encode

API = "/api/v2"
#: how old a signature may be
VALID_MS = 60_000
#: how long a token opens what it opens; there is a second one to renew it with
TOKEN_SECONDS = {"access": 900, "refresh": 2_592_000}
#: reason -> code, message, reason in `data`
REFUSALS = {
    Reason.NO_KEY: (10000, "authorization_required", ""),
    Reason.BAD_KEY: (13004, "invalid_credentials", ""),
    Reason.BAD_SIGNATURE: (13004, "invalid_credentials", "bad signature"),
    Reason.BAD_TIMESTAMP: (13004, "invalid_credentials", "invalid timestamp"),
    Reason.NO_PERMISSION: (13021, "forbidden", "insufficient_scope"),
    Reason.THROTTLED: (10028, "too_many_requests", ""),
    Reason.BANNED: (10028, "too_many_requests", ""),
    Reason.MAINTENANCE: (11051, "system_maintenance", ""),
    Reason.INTERNAL: (11094, "internal_server_error", ""),
    Reason.UNKNOWN_PATH: (-32601, "Method not found", ""),
    Reason.UNKNOWN_SYMBOL: (13020, "not_found", "instrument_not_found"),
    Reason.PRICE_TICK: (10043, "price_wrong_tick", ""),
    Reason.TRIGGER_TICK: (10044, "trigger_price_wrong_tick", ""),
    Reason.QUANTITY_STEP: (-32602, "Invalid params", "must be a multiple of contract size"),
    Reason.MIN_QUANTITY: (10002, "qty_too_low", ""),
    Reason.MAX_QUANTITY: (10021, "invalid_amount", ""),
    Reason.INSUFFICIENT: (10009, "not_enough_funds", ""),
    Reason.REDUCE_ONLY: (11030, "other_reject", "invalid_reduce_only_order"),
    Reason.WOULD_TRIGGER: (11036, "invalid_stoppx_for_index_or_last", ""),
    Reason.POST_ONLY: (11054, "post_only_reject", ""),
    Reason.STOP_REFUSED: (11035, "no_more_triggers", ""),
    Reason.TOO_MANY_ORDERS: (10013, "max_total_open_orders", ""),
    Reason.UNKNOWN_ORDER: (10004, "order_not_found", ""),
    Reason.NOT_OPEN: (11044, "not_open_order", ""),
}
STATUS = {11051: 503, 11094: 500, 13021: 403}


class DeribitFrame(Dialect):
    family = "deribit"
    unlogged = ("signature", "client_id", "client_secret", "refresh_token")
    default_costs = {"requests": 1}
    limits = (
        Limit("requests", "requests", 100, 5, decay_per_second="20"),
        Limit("matching", "matching", 20, 4, decay_per_second="5"),
        Limit("public", "public", 100, 5, Owner.ADDRESS, decay_per_second="20"),
    )

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """A method is asked for with GET or POST alike."""
        return super().find("GET" if method == "POST" else method, path)

    def unwrapped(self, call: Call) -> Call:
        """Of a JSON-RPC body: `method` is the address, `params` are the parameters."""
        try:
            told = call.body_params if call.method == "POST" else {}
        except Rejected:
            return call
        params = told.get("params") or {}
        if not isinstance(told.get("method"), str) or not isinstance(params, dict):
            return call
        return replace(
            call, path=f"{API}/{told['method'].removeprefix('/')}", body=encode(params), envelope=call
        )

    def key_of(self, call: Call) -> str:
        scheme, _, told = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return told.partition(".")[2].rpartition(".")[0]
        return _credential(call).get("id", "") or str(call.params.get("client_id", ""))

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(6), secrets.token_urlsafe(32), ""

    def authenticate(self, call: Call) -> Account:
        scheme, _, told = call.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "bearer":
                account = self._of_token(call, told)
            case "basic":
                account = self._of_password(told)
            case _:
                account = self._of_signature(call)
        changes = call.path.rpartition("/")[2].startswith(("buy", "sell", "cancel", "edit", "close"))
        if changes and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def _of_signature(self, call: Call) -> Account:
        told, sent = _credential(call), call.envelope or call
        query, body = f"?{sent.query}" if sent.query else "", sent.body.decode("utf-8", "replace")
        data = [f"{sent.method}\n{path}{query}\n{body}\n" for path in sent.signed_paths]
        return self._proven(call, told.get("id", ""), told, *data)

    def _of_token(self, call: Call, token: str, kind: str = "access") -> Account:
        ends, _, rest = token.partition(".")
        account = self.account(rest.rpartition(".")[0])
        if account is None or not hmac.compare_digest(token, _token(account, kind, ends)):
            raise Answered(_unauthorised(call))
        if not ends.isdigit() or int(ends) < call.now_ms:
            raise Answered(_unauthorised(call))
        return account

    def _of_password(self, told: str) -> Account:
        try:
            key, _, secret = base64.b64decode(told).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise Rejected(Reason.BAD_KEY) from None
        return self._of_secret(key, secret)

    def _of_secret(self, key: str, secret: str) -> Account:
        account = self.account(key)
        if account is None or not hmac.compare_digest(account.secret.encode(), secret.encode()):
            raise Rejected(Reason.BAD_KEY)
        return account

    def _proven(self, call: Call, key: str, told: Mapping[str, str], *data: str) -> Account:
        """Whose key it is and whether its secret made the signature, lately."""
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        at, nonce = told.get("ts", ""), told.get("nonce", "")
        wanted = (
            hmac.new(account.secret.encode(), f"{at}\n{nonce}\n{each}".encode(), hashlib.sha256).hexdigest()
            for each in data
        )
        if not any(hmac.compare_digest(each.encode(), told.get("sig", "").encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not at.isdigit() or abs(int(at) - call.now_ms) > VALID_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, message, why = REFUSALS.get(reason, (-32602, "Invalid params", ""))
        fault: dict[str, Any] = {"message": message, "code": code}
        if why or (code == -32602 and detail):
            fault["data"] = {"reason": why or "invalid", **({"param": detail} if code == -32602 else {})}
        return Reply(frame(call, "error", fault), STATUS.get(code, 400))

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells how long to wait."""
        return self.refuse(Reason.THROTTLED, "", call)

    # -- tokens ----------------------------------------------------------------------------------------

    @route(f"GET {API}/public/auth", public=True, costs={"public": 1})
    def auth(self, call: Call) -> Any:
        """By secret, by signature, or by a token that was given for it."""
        ways: dict[str, Callable[[], Account]] = {
            "client_credentials": lambda: self._of_secret(call.text("client_id"), call.text("client_secret")),
            "client_signature": lambda: self._of_signed_text(call),
            "refresh_token": lambda: self._of_token(call, call.text("refresh_token"), "refresh"),
        }
        account = call.one_of("grant_type", ways)()
        may = account.permissions
        scopes = (
            "account:read",
            "connection",
            "mainaccount",
            f"trade:{'read_write' if 'trade' in may else 'read'}",
            f"wallet:{'read_write' if 'withdraw' in may else 'read'}",
        )
        tokens = {
            f"{kind}_token": _token(account, kind, str(call.now_ms + seconds * 1000))
            for kind, seconds in TOKEN_SECONDS.items()
        }
        told = {"expires_in": TOKEN_SECONDS["access"], "scope": " ".join(scopes), "token_type": "bearer"}
        return ok(call, {**tokens, **told, "enabled_features": []})

    def _of_signed_text(self, call: Call) -> Account:
        told = {"ts": call.text("timestamp"), "nonce": call.text("nonce", ""), "sig": call.text("signature")}
        return self._proven(call, call.text("client_id"), told, call.text("data", ""))


def frame(call: Call, name: str, value: Any) -> dict[str, Any]:
    us, asked = call.now_ms * 1000, call.envelope.body_params if call.envelope else {}
    number = {"id": asked["id"]} if "id" in asked else {}
    return {"jsonrpc": "2.0", **number, name: value, "usIn": us, "usOut": us, "usDiff": 0, "testnet": False}


def ok(call: Call, result: Any) -> dict[str, Any]:
    return frame(call, "result", result)


def _credential(call: Call) -> dict[str, str]:
    """`deri-hmac-sha256 id=...,ts=...,sig=...,nonce=...`"""
    scheme, _, told = call.headers.get("authorization", "").partition(" ")
    if scheme != "deri-hmac-sha256":
        return {}
    return {name: value for name, _, value in (part.partition("=") for part in told.split(","))}


def _token(account: Account, kind: str, ends: str) -> str:
    """Good until the moment it tells."""
    named = f"{ends}.{account.key}"
    return (
        f"{named}.{hmac.new(account.secret.encode(), f'{kind} {named}'.encode(), hashlib.sha256).hexdigest()}"
    )


def _unauthorised(call: Call) -> Reply:
    fault = {"message": "unauthorized", "data": {"reason": "invalid_token"}, "code": 13009}
    return Reply(frame(call, "error", fault), 400)
