"""Kraken spot without the orders: keys, refusals, pairs, prices, balances, the key's rights.

Sources (read 2026-11-22 in stored copies of May to September 2026): docs.kraken.com (Spot REST:
BalanceEx, GetApiKeyInfo; guides: authentication).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from exchanges.sandbox.dialect import Dialect, Route, route
from exchanges.sandbox.dialects.kraken_answers import ASSETS, asset_row, done, pair_row, slashed
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected, decimals_of, text
from exchanges.sandbox.wire import Call, Reply

#: {} is the detail: a parameter's name
WORDS = {
    Reason.NO_KEY: "EAPI:Invalid key",
    Reason.BAD_KEY: "EAPI:Invalid key",
    Reason.BAD_SIGNATURE: "EAPI:Invalid signature",
    Reason.BAD_NONCE: "EAPI:Invalid nonce",
    Reason.NO_PERMISSION: "EGeneral:Permission denied",
    Reason.THROTTLED: "EAPI:Rate limit exceeded",
    Reason.BANNED: "EGeneral:Temporary lockout",
    Reason.MAINTENANCE: "EService:Market in cancel_only mode",
    Reason.INTERNAL: "EGeneral:Internal error",
    Reason.UNKNOWN_PATH: "EGeneral:Unknown method",
    Reason.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    Reason.PRICE_TICK: "EOrder:Tick size check failed",
    Reason.TRIGGER_TICK: "EOrder:Tick size check failed",
    Reason.QUANTITY_STEP: "EGeneral:Invalid arguments:volume",
    Reason.MIN_QUANTITY: "EOrder:Order minimum not met",
    Reason.MAX_QUANTITY: "EGeneral:Invalid arguments:volume",
    Reason.MIN_NOTIONAL: "EOrder:Cost minimum not met",
    Reason.DUPLICATE: "EOrder:Duplicate cl_ord_id",
    Reason.INSUFFICIENT: "EOrder:Insufficient funds",
    Reason.REDUCE_ONLY: "EOrder:Reduce only:Non-PC",
    Reason.STOP_REFUSED: "EOrder:Orders limit exceeded",
    Reason.TOO_MANY_ORDERS: "EOrder:Orders limit exceeded",
    Reason.UNKNOWN_ORDER: "EOrder:Unknown order",
    Reason.NOT_OPEN: "EOrder:Unknown order",
    Reason.LEVERAGE: "EGeneral:Invalid arguments:leverage",
}
RIGHTS = {
    "read": ("query-funds", "query-open-trades", "query-closed-trades"),
    "trade": ("modify-trades", "close-trades"),
    "withdraw": ("withdraw-funds",),
}


class KrakenAccount(Dialect):
    family = "kraken"
    unlogged = ("otp",)

    # -- the caller --------------------------------------------------------------------------------------

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Public data are given to a POST too: some clients know no other."""
        return super().find("GET" if path.startswith("/0/public/") else method, path)

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def nonce_of(self, call: Call) -> str:
        return str(call.body_params.get("nonce", ""))

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(42), base64.b64encode(secrets.token_bytes(64)).decode(), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        nonce = call.text("nonce", "")
        inner = hashlib.sha256(nonce.encode() + call.body).digest()
        given, secret = call.headers.get("api-sign", "").encode(), base64.b64decode(account.secret)
        wanted = (hmac.digest(secret, path.encode() + inner, "sha512") for path in call.signed_paths)
        if not any(hmac.compare_digest(given, base64.b64encode(each)) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not nonce.isdigit() or not account.last_nonce < int(nonce) < 2**64:
            raise Rejected(Reason.BAD_NONCE)
        account.last_nonce = int(nonce)
        found = self.find(call.method, call.path)
        if found and found[0].trading and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        words = WORDS.get(reason, f"EGeneral:Invalid arguments:{detail or reason}")
        return Reply({"error": [words]}, 500 if reason is Reason.INTERNAL else 200)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells when to come back."""
        if exceeded.limit.counts == "engine":
            return Reply({"error": ["EOrder:Rate limit exceeded"]})
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    # -- market data -------------------------------------------------------------------------------------

    @route("GET /0/public/Time", public=True)
    def time(self, call: Call) -> Any:
        now = datetime.fromtimestamp(call.now_ms // 1000, UTC)
        return done({"unixtime": call.now_ms // 1000, "rfc1123": format_datetime(now, usegmt=True)})

    @route("GET /0/public/SystemStatus", public=True)
    def status(self, call: Call) -> Any:
        return done({"status": "online", "timestamp": "2026-11-22T00:00:00Z"})

    @route("GET /0/public/Assets", public=True)
    def assets(self, call: Call) -> Any:
        names = {name: None for market in self.markets for name in (market.base, market.quote)}
        return done({ASSETS.get(name, name): asset_row(name) for name in names})

    @route("GET /0/public/AssetPairs", public=True)
    def pairs(self, call: Call) -> Any:
        return done({market.extra["key"]: pair_row(market) for market in self._asked(call)})

    @route("GET /0/public/Ticker", public=True)
    def ticker(self, call: Call) -> Any:
        return done({market.extra["key"]: self._ticker(market) for market in self._asked(call)})

    @route("GET /0/public/Depth", public=True)
    def depth(self, call: Call) -> Any:
        market = self._pair_named(call.text("pair"))
        bid, ask = (
            [[text(price, decimals_of(market.tick)), "100.000", call.now_ms // 1000]]
            for price in (self.desk.bid(market), self.desk.ask(market))
        )
        return done({market.extra["key"]: {"asks": ask, "bids": bid}})

    def _asked(self, call: Call) -> list[Market]:
        names = call.text("pair", "")
        return [self._pair_named(name) for name in names.split(",")] if names else list(self.markets)

    def _pair_named(self, name: str) -> Market:
        """By altname, internal key or slashed name (XBTUSD, XXBTZUSD, XBT/USD, BTC/USD)."""
        for market in self.markets:
            if name in (market.symbol, market.extra["key"], market.pair, slashed(market)):
                return market
        raise Rejected(Reason.UNKNOWN_SYMBOL, name)

    def _ticker(self, market: Market) -> dict[str, Any]:
        bid, ask = (
            text(price, decimals_of(market.tick)) for price in (self.desk.bid(market), self.desk.ask(market))
        )
        return {
            "a": [ask, "100", "100.000"],
            "b": [bid, "100", "100.000"],
            "c": [bid, "0.01000000"],
            "v": ["1000.00000000", "2000.00000000"],
            "p": [bid, bid],
            "t": [100, 200],
            "l": [bid, bid],
            "h": [ask, ask],
            "o": bid,
        }

    # -- the account -------------------------------------------------------------------------------------

    @route("POST /0/private/Balance")
    def balance(self, call: Call) -> Any:
        return done({name: row["balance"] for name, row in self._balances(call.account)})

    @route("POST /0/private/BalanceEx")
    def extended_balance(self, call: Call) -> Any:
        return done(dict(self._balances(call.account)))

    def _balances(self, account: Account) -> Iterator[tuple[str, dict[str, str]]]:
        wallet = self.rules.wallet
        for asset, total in account.wallets[wallet].items():
            held = text(account.locked(wallet, asset), 8)
            yield ASSETS.get(asset, asset), {"balance": text(total, 8), "hold_trade": held}

    @route("POST /0/private/TradeBalance")
    def trade_balance(self, call: Call) -> Any:
        """Of what it holds in the currency asked for; nothing is borrowed here."""
        names = {ASSETS.get(each, each): each for each in call.account.wallets[self.rules.wallet]}
        asset = names.get(call.text("asset", "ZUSD"), call.text("asset", "USD"))
        total, free = (
            text(amount, 4)
            for amount in (
                call.account.total(self.rules.wallet, asset),
                call.account.free(self.rules.wallet, asset),
            )
        )
        nothing = dict.fromkeys(("m", "n", "c", "v", "uv"), text(ZERO, 4))
        return done({"eb": total, "tb": total, **nothing, "e": total, "mf": free, "mfo": free})

    @route("POST /0/private/TradeVolume")
    def trade_volume(self, call: Call) -> Any:
        keys = [market.extra["key"] for market in self._asked(call)] if call.text("pair", "") else []
        fees = {}
        for name, fee in (("fees", self.rules.taker_fee), ("fees_maker", self.rules.maker_fee)):
            told = {**dict.fromkeys(("fee", "minfee", "maxfee"), text(fee * 100, 4))}
            row = told | {"nextfee": None, "nextvolume": None, "tiervolume": text(ZERO, 4)}
            fees[name] = dict.fromkeys(keys, row)
        return done({"currency": "ZUSD", "volume": text(ZERO, 4), **(fees if keys else {})})

    @route("POST /0/private/OpenPositions")
    def positions(self, call: Call) -> Any:
        return done([] if call.text("consolidation", "") else {})

    @route("POST /0/private/GetApiKeyInfo")
    def key_info(self, call: Call) -> Any:
        account = call.account
        rights = [name for right, names in RIGHTS.items() if right in account.permissions for name in names]
        return done(
            {
                "apiKeyName": "sandbox",
                "apiKey": account.key,
                "nonce": str(account.last_nonce),
                "nonceWindow": 0,
                "permissions": rights,
                "iban": "AA00 N84G SAND BOX0",
                **dict.fromkeys(("validUntil", "queryFrom", "queryTo"), "0"),
                **dict.fromkeys(("createdTime", "modifiedTime"), str(account.created_ms // 1000)),
                "ipAllowlist": [],
                "lastUsed": str(call.now_ms // 1000),
            }
        )
