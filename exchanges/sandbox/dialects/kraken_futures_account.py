"""Kraken Futures without the orders: keys, refusals, contracts, prices, wallets, positions, leverage.
The sources are those of `kraken_futures.py`."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterator
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.kraken_futures_answers import done, instant, instrument_row, number_id
from exchanges.sandbox.ledger import Account, Book, Position
from exchanges.sandbox.meter import Exceeded, Limit
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Product

API = "/derivatives/api/v3"
#: the multi-collateral wallet, and the margin accounts of single coins
FLEX, COINS = "flex", "coins"
#: refusals of an order: told as its status
STATUS_WORDS = {
    Reason.PRICE_TICK: "invalidPrice",
    Reason.TRIGGER_TICK: "invalidPrice",
    Reason.QUANTITY_STEP: "invalidSize",
    Reason.MIN_QUANTITY: "invalidSize",
    Reason.MIN_NOTIONAL: "invalidSize",
    Reason.MAX_QUANTITY: "maxPositionViolation",
    Reason.DUPLICATE: "clientOrderIdAlreadyExist",
    Reason.INSUFFICIENT: "insufficientAvailableFunds",
    Reason.REDUCE_ONLY: "wouldNotReducePosition",
    Reason.POST_ONLY: "postWouldExecute",
    Reason.NOT_FILLABLE: "iocWouldNotExecute",
    Reason.STOP_REFUSED: "tooManySmallOrders",
    Reason.TOO_MANY_ORDERS: "tooManySmallOrders",
}
#: refusals of a request: HTTP status and word
ERROR_WORDS = {
    Reason.NO_KEY: (200, "authenticationError"),
    Reason.BAD_KEY: (200, "authenticationError"),
    Reason.BAD_SIGNATURE: (200, "authenticationError"),
    Reason.NO_PERMISSION: (200, "authenticationError"),
    Reason.BAD_NONCE: (200, "nonceBelowThreshold"),
    Reason.THROTTLED: (429, "apiLimitExceeded"),
    Reason.BANNED: (429, "apiLimitExceeded"),
    Reason.MAINTENANCE: (503, "Unavailable"),
    Reason.INTERNAL: (500, "Server Error"),
    Reason.UNKNOWN_PATH: (404, "notFound"),
    Reason.UNKNOWN_SYMBOL: (200, "contractNotFound"),
    Reason.MISSING_PARAMETER: (200, "requiredArgumentMissing"),
}


class KrakenFuturesAccount(Dialect):
    family = "kraken_futures"
    limits = (Limit("derivatives", "derivatives", 500, 10), Limit("history", "history", 100, 600))
    default_costs = {"derivatives": 1}

    # -- the caller --------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("apikey", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(42), base64.b64encode(secrets.token_bytes(64)).decode(), ""

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        given, secret = call.headers.get("authent", "").encode(), base64.b64decode(account.secret)
        sent = call.query.encode() + call.body + call.headers.get("nonce", "").encode()
        wanted = (
            hmac.digest(secret, hashlib.sha256(sent + path.encode()).digest(), "sha512")
            for path in (call.path.removeprefix("/derivatives"), *call.signed_paths[1:])
        )
        if not any(hmac.compare_digest(given, base64.b64encode(each)) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        found = self.find(call.method, call.path)
        if found and found[0].trading and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason in STATUS_WORDS and call.path.endswith(("order", "orders")):
            return Reply(self._refused(STATUS_WORDS[reason], call))
        status, word = ERROR_WORDS.get(reason, (200, f"invalidArgument: {detail}"))
        return Reply({"result": "error", "error": word, "serverTime": instant(call.now_ms)}, status)

    def _refused(self, word: str, call: Call) -> dict[str, Any]:
        """A refused order is a success with its reason as the status."""
        events = [{"uid": number_id("order", self.desk.number()), "reason": word, "type": "REJECT"}]
        place = "editStatus" if call.path.endswith("editorder") else "sendStatus"
        told = {"status": word, "receivedTime": instant(call.now_ms), "orderEvents": events}
        return done(call, **{place: {"order_id": events[0]["uid"], **told}})

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No header tells when to come back."""
        return self.refuse(Reason.THROTTLED, "", call)

    # -- market data -------------------------------------------------------------------------------------

    @route(f"GET {API}/instruments", public=True)
    def instruments(self, call: Call) -> Any:
        index = {"symbol": "in_xbtusd", "type": "spot index", "tradeable": False}
        return done(call, instruments=[*(instrument_row(market) for market in self._markets()), index])

    @route(f"GET {API}/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        return done(call, tickers=[self._ticker(market, call) for market in self._markets()])

    @route(f"GET {API}/tickers/{{symbol}}", public=True)
    def ticker(self, call: Call) -> Any:
        return done(call, ticker=self._ticker(self._market(call), call))

    @route(f"GET {API}/orderbook", public=True)
    def order_book(self, call: Call) -> Any:
        market = self._market(call)
        desk = self.desks[market.product]
        return done(call, orderBook={"bids": [[desk.bid(market), 1000]], "asks": [[desk.ask(market), 1000]]})

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _market(self, call: Call) -> Market:
        wanted = call.text("symbol").upper()
        found = next((market for market in self._markets() if market.symbol == wanted), None)
        return found or self.desk.market(wanted)

    def _ticker(self, market: Market, call: Call) -> dict[str, Any]:
        desk = self.desks[market.product]
        bid, ask = desk.bid(market), desk.ask(market)
        return {
            "tag": "perpetual",
            "pair": f"{market.symbol[3:-3]}:USD",
            "symbol": market.symbol,
            **dict.fromkeys(("last", "markPrice", "indexPrice", "bid", "open24h"), bid),
            "ask": ask,
            **dict.fromkeys(("bidSize", "askSize", "vol24h", "openInterest"), 1000),
            "lastTime": instant(call.now_ms),
            "lastSize": market.step,
            "suspended": False,
            "postOnly": False,
        }

    # -- the account -------------------------------------------------------------------------------------

    def _books(self, call: Call) -> list[Book]:
        return [desk.book(call.account) for desk in self.desks.values()]

    @route(f"GET {API}/accounts", costs={"derivatives": 2})
    def accounts(self, call: Call) -> Any:
        account, wallet = call.account, FLEX
        total, open_profit = account.total(wallet, "USD"), account.unrealised(wallet, "USD")
        free, equity = account.free(wallet, "USD"), total + open_profit
        usd = {
            "quantity": text(total),
            "value": text(total),
            "collateral": text(total),
            "available": text(max(free, ZERO)),
        }
        flex = {
            "currencies": {"USD": usd},
            **dict.fromkeys(
                ("initialMargin", "initialMarginWithOrders"), text(account.locked(wallet, "USD"))
            ),
            "maintenanceMargin": text(account.locked(wallet, "USD") / 2),
            **dict.fromkeys(("balanceValue", "collateralValue"), text(total)),
            **dict.fromkeys(("portfolioValue", "marginEquity"), text(equity)),
            **dict.fromkeys(("pnl", "totalUnrealized", "totalUnrealizedAsMargin"), text(open_profit)),
            "unrealizedFunding": "0.0",
            "availableMargin": text(free),
            "type": "multiCollateralMarginAccount",
        }
        cash = {"balances": {}, "type": "cashAccount"}
        coins = dict(
            self._margin_account(account, each) for each in self.desks[Product.INVERSE].markets.values()
        )
        return done(call, accounts={"cash": cash, "flex": flex, **coins})

    @staticmethod
    def _margin_account(account: Account, market: Market) -> tuple[str, dict[str, Any]]:
        """Numbers are numbers here, where the multi-collateral wallet has text."""
        asset = market.base
        total, profit = account.total(COINS, asset), account.unrealised(COINS, asset)
        held, name = account.locked(COINS, asset), market.symbol.lower().removeprefix("pi_")
        told = {"pv": total + profit, "pnl": profit, "af": account.free(COINS, asset), "funding": ZERO}
        requirements = {"im": held, "mm": held / 2, "lt": held / 2, "tt": held / 4}
        return f"fi_{name}", {
            "type": "marginAccount",
            "currency": name.removesuffix("usd"),
            "balances": {name.removesuffix("usd"): total},
            "auxiliary": told,
            "marginRequirements": requirements,
        }

    @route("GET /api/auth/v1/api-keys/v3/check", costs={"derivatives": 2})
    def key_check(self, call: Call) -> Any:
        """docs.kraken.com/api-reference/api-keys/check-v3-api-key (read 2026-11-23)"""
        account, access = call.account, {True: "FULL_ACCESS", False: "NO_ACCESS"}
        return {
            "apiKey": account.key,
            "accountUid": str(uuid.UUID(int=int(account.fingerprint, 16))),
            "iiban": None,
            "createdAt": instant(account.created_ms),
            "permissions": {
                "general": access["trade" in account.permissions],
                "transfer": access["withdraw" in account.permissions],
            },
            "allowedCidrBlock": None,
            "allowedCidrBlocks": [],
        }

    @route(f"GET {API}/openpositions", costs={"derivatives": 2})
    def positions(self, call: Call) -> Any:
        held = [each for book in self._books(call) for each in book.open_positions()]
        return done(call, openPositions=[self._position(call.account, each) for each in held])

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        desk = self.desks[position.market.product]
        fixed = desk.book(account).leverages.get(position.market.symbol)
        return {
            "side": position.direction,
            "symbol": position.market.symbol,
            "price": position.entry_price,
            "fillTime": instant(position.updated_ms),
            "size": abs(position.quantity),
            "unrealizedFunding": None,
            "unrealizedPnl": position.unrealised(desk.bid(position.market)),
            "pnlCurrency": position.market.settle,
            **({} if fixed is None else {"maxFixedLeverage": fixed}),
        }

    @route(f"GET {API}/leveragepreferences", costs={"derivatives": 2})
    def leverages(self, call: Call) -> Any:
        symbol, known = (
            call.text("symbol", "").upper(),
            self.desks[Product.LINEAR].book(call.account).leverages,
        )
        rows = [
            {"symbol": each, "maxLeverage": set_to} for each, set_to in known.items() if symbol in ("", each)
        ]
        return done(call, leveragePreferences=rows)

    @route(f"PUT {API}/leveragepreferences", trading=True, costs={"derivatives": 10})
    def set_leverage(self, call: Call) -> Any:
        """A leverage means isolated margin; none means cross. Of multi-collateral contracts only."""
        desk, leverage = self.desks[Product.LINEAR], call.decimal_or_none("maxLeverage")
        market = desk.market(call.text("symbol").upper())
        if leverage is None:
            desk.book(call.account).leverages.pop(market.symbol, None)
        else:
            desk.set_leverage(call.account, market.symbol, leverage)
        return done(call)
