"""The caller of Hyperliquid: API wallets and their nonces, weights, refusals. What is asked without a signature is in
`hyperliquid_info.py`. Documented at hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api.

Both nets' signatures are taken, because clients decide by the address they were given which one they speak to."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping

from exchanges.sandbox.dialect import Dialect, Route
from exchanges.sandbox.dialects.hyperliquid_answers import sentence
from exchanges.sandbox.dialects.hyperliquid_signatures import address_of, signer
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Product

DAY_MS = 86_400_000
LIGHT = ("l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus")


class HyperliquidFrame(Dialect):
    family = "hyperliquid"
    limits = (Limit("weight", "weight", 1200, 60, Owner.ADDRESS),)

    def __init__(self, desks: Mapping[Product, Desk], accounts: Mapping[str, Account]) -> None:
        super().__init__(desks, accounts)
        self._agents: dict[str, Account] = {}
        self._nonces: dict[str, deque[int]] = {}

    # -- the caller --------------------------------------------------------------------------------------

    def credentials(self) -> tuple[str, str, str]:
        """An account's address, and the private key of its API wallet."""
        return "0x" + secrets.token_hex(20), "0x" + secrets.token_hex(32), ""

    def key_of(self, call: Call) -> str:
        try:
            if call.path == "/info":
                return call.text("user", "").lower()
            return next((found.key for _, found in self._signers(call)), "")
        except Rejected:
            return ""

    def authenticate(self, call: Call) -> Account:
        if (found := next(self._signers(call), None)) is None:
            raise Rejected(Reason.NO_PERMISSION, "0x0000000000000000000000000000000000000000")
        agent, account = found
        self._use_nonce(agent, call.integer("nonce"), call.now_ms)
        if "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION, agent)
        return account

    def _signers(self, call: Call) -> Iterator[tuple[str, Account]]:
        """The API wallet that signed, with its account; on whichever net."""
        for source in ("a", "b"):
            agent = signer(call.params, source)
            if (account := self._owner(agent)) is not None:
                yield agent, account

    def _owner(self, agent: str) -> Account | None:
        if agent not in self._agents:
            self._agents.update(
                {
                    address_of(each.secret): each
                    for each in self._accounts.values()
                    if each.secret.startswith("0x")
                }
            )
        return self._agents.get(agent)

    def _use_nonce(self, agent: str, nonce: int, now_ms: int) -> None:
        """The hundred highest of a signer are remembered; one below them all, or one of them, is not taken."""
        known = self._nonces.setdefault(agent, deque(maxlen=100))
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            raise Rejected(Reason.BAD_NONCE, f"{nonce} is too far from {now_ms}")
        if nonce in known or (len(known) == known.maxlen and nonce < known[0]):
            raise Rejected(Reason.BAD_NONCE, f"duplicate nonce {nonce}")
        kept = sorted([*known, nonce])[-100:]
        known.clear()
        known.extend(kept)

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in (Reason.INTERNAL, Reason.MAINTENANCE, Reason.UNKNOWN_PATH):
            status = {Reason.INTERNAL: 500, Reason.MAINTENANCE: 502}.get(reason, 404)
            return Reply(b"null", status)
        if reason in (Reason.BAD_PARAMETER, Reason.MISSING_PARAMETER):
            return Reply(b"Failed to deserialize the JSON body into the target type", 422)
        return Reply({"status": "err", "response": sentence(reason, detail)})

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return Reply(b"null", 429)

    def costs(self, route: Route, call: Call) -> Mapping[str, int]:
        if route.path == "/exchange":
            action = call.params.get("action")
            batch = action.get("orders") or action.get("cancels") if isinstance(action, Mapping) else None
            return {"weight": 1 + (len(batch) if isinstance(batch, list) else 0) // 40}
        kind = call.params.get("type")
        return {"weight": 2 if kind in LIGHT else 60 if kind == "userRole" else 20}
