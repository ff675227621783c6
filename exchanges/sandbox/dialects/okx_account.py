"""OKX without the orders: keys, refusals, markets, prices, positions, settings, balances. One host for spot and perpetuals
of both kinds, told apart by the instrument. https://www.okx.com/docs-v5/en/."""

from __future__ import annotations

import hmac
import secrets
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.okx_answers import (
    KINDS,
    MARGIN_MODES,
    POSITION_MODES,
    POSITION_SIDES,
    WALLET,
    WINDOW_MS,
    answered,
    balance_row,
    frame,
    history_row,
    market_row,
    page,
    position_row,
    refusal,
    signature,
    stamp_ms,
    ticker_row,
    tier_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import ZERO, Reason, Rejected, floor_to, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import (
    MarginMode,
    PositionMode,
    Product,
)

D = Decimal


class OKXAccount(Dialect):
    family = "okx"

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("ok-access-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return str(uuid.uuid4()), secrets.token_hex(16).upper(), secrets.token_urlsafe(12)

    def authenticate(self, call: Call) -> Account:
        if not (key := self.key_of(call)):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if call.headers.get("x-simulated-trading") == "1":
            raise answered(50101, "APIKey does not match current environment.", 401)
        stamp = call.headers.get("ok-access-timestamp", "")
        if abs(stamp_ms(stamp) - call.now_ms) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        given = call.headers.get("ok-access-sign", "").encode()
        signed = (f"{stamp}{call.method}{target}".encode() + call.body for target in call.targets())
        if not any(hmac.compare_digest(signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("ok-access-passphrase", "")):
            raise answered(50105, 'Request header "OK-ACCESS-PASSPHRASE" incorrect.', 401)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        code, words, status = refusal(reason, detail)
        return Reply(frame([], code, words), status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        return self.refuse(Reason.THROTTLED, "", call)

    def _desk(self, call: Call) -> Desk:
        """By instrument, else that of the address."""
        if not (symbol := call.text("instId", "")):
            return self.desk
        if not symbol.endswith("-SWAP"):
            return self.desks[Product.SPOT]
        return self.desks[Product.INVERSE if symbol.endswith("-USD-SWAP") else Product.LINEAR]

    def _desks_asked(self, call: Call) -> Iterable[Desk]:
        """By instrument or kind of instrument, else all."""
        if call.text("instId", ""):
            return [self._desk(call)]
        kind = call.text("instType", "")
        return [self.desks[each] for each in KINDS[kind]] if kind in KINDS else self.desks.values()

    def _swaps(self) -> list[Desk]:
        return [self.desks[each] for each in KINDS["SWAP"]]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v5/public/time", public=True, costs={"time": 1})
    def time(self, call: Call) -> Any:
        return frame([{"ts": str(call.now_ms)}])

    @route("GET /api/v5/public/instruments", public=True, costs={"instruments": 1})
    def instruments(self, call: Call) -> Any:
        if call.text("instType") not in KINDS:
            return frame([])
        wanted = call.text("instId", "")
        rows = [
            market_row(each)
            for desk in self._desks_asked(call)
            for each in desk.markets.values()
            if wanted in ("", each.symbol)
        ]
        if not rows:
            raise Rejected(Reason.UNKNOWN_SYMBOL)
        return frame(rows)

    @route("GET /api/v5/market/ticker", "GET /api/v5/market/tickers", public=True, costs={"ticker": 1})
    def ticker(self, call: Call) -> Any:
        wanted = call.text("instId", "")
        rows = [
            ticker_row(desk, market, call.now_ms)
            for desk in self._desks_asked(call)
            for market in ([desk.market(wanted)] if wanted else desk.markets.values())
        ]
        return frame(rows)

    @route("GET /api/v5/market/books", public=True, costs={"ticker": 1})
    def books(self, call: Call) -> Any:
        """Levels one tick apart."""
        desk, market = self._desk(call), self._desk(call).market(call.text("instId"))
        steps = [each * market.tick for each in range(min(call.integer("sz", 1), 20))]
        asks, bids = [desk.ask(market) + step for step in steps], [desk.bid(market) - step for step in steps]
        levels = {"asks": asks, "bids": bids}
        told = {name: [[text(price), "1000", "0", "1"] for price in each] for name, each in levels.items()}
        return frame([{**told, "ts": str(call.now_ms), "seqId": call.now_ms}])

    @route("GET /api/v5/public/mark-price", public=True, costs={"ticker": 1})
    def mark_price(self, call: Call) -> Any:
        wanted, stamp = call.text("instId", ""), str(call.now_ms)
        found = [
            (desk, market)
            for desk in self._swaps()
            for market in desk.markets.values()
            if wanted in ("", market.symbol)
        ]
        return frame(
            [
                {"instType": "SWAP", "instId": market.symbol, "markPx": text(desk.bid(market)), "ts": stamp}
                for desk, market in found
            ]
        )

    @route("GET /api/v5/public/funding-rate", public=True, costs={"ticker": 1})
    def funding_rate(self, call: Call) -> Any:
        """None is paid."""
        symbol = self._desk(call).market(call.text("instId")).symbol
        turn = 28_800_000
        begin = call.now_ms // turn * turn
        times = {"fundingTime": begin + turn, "nextFundingTime": begin + 2 * turn, "ts": call.now_ms}
        rates = {"fundingRate": "0", "nextFundingRate": "", "premium": "0", "settFundingRate": "0"}
        told = {name: str(each) for name, each in times.items()} | {"method": "current_period"}
        return frame([{"instType": "SWAP", "instId": symbol, **rates, **told}])

    @route("GET /api/v5/public/position-tiers", public=True, costs={"instruments": 1})
    def tiers(self, call: Call) -> Any:
        """One, for every contract."""
        wanted = call.text("instFamily", call.text("uly", "")).split(",")
        markets = [each for desk in self._swaps() for each in desk.markets.values()]
        return frame([tier_row(each) for each in markets if f"{each.base}-{each.quote}" in wanted])

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v5/account/balance", costs={"balance": 1})
    def balance(self, call: Call) -> Any:
        wanted = call.text("ccy", "").split(",")
        rows = [
            balance_row(call.account, coin)
            for coin in call.account.wallets[WALLET]
            if wanted == [""] or coin in wanted
        ]
        return frame([{"uTime": str(call.now_ms), "totalEq": "", "details": rows}])

    @route("GET /api/v5/account/positions", costs={"positions": 1})
    def positions(self, call: Call) -> Any:
        wanted = call.text("instId", "")
        if call.text("instType", "SWAP") != "SWAP":
            return frame([])
        held = [
            position_row(desk, call.account, each)
            for desk in self._swaps()
            for each in desk.book(call.account).open_positions()
            if wanted == "" or each.market.symbol in wanted.split(",")
        ]
        return frame(held)

    @route("GET /api/v5/account/positions-history", costs={"positions": 1})
    def positions_history(self, call: Call) -> Any:
        """Newest first, a row for each fill that closed something."""
        wanted = call.text("instId", "")
        rows = [
            history_row(desk.market(fill.symbol), fill, call.account, desk)
            for desk in self._swaps()
            for fill in reversed(desk.book(call.account).fills)
            if fill.closed and wanted in ("", fill.symbol)
        ]
        return frame(page(call, rows, "posId"))

    @route("GET /api/v5/account/leverage-info", costs={"leverage": 1})
    def leverages(self, call: Call) -> Any:
        desk, mode = self._desk(call), call.one_of("mgnMode", MARGIN_MODES)
        hedged = desk.book(call.account).position_mode is PositionMode.HEDGE
        return frame(
            [
                {"ccy": "", "instId": symbol, "mgnMode": mode.value, "posSide": side}
                | {"lever": text(desk.leverage(call.account, desk.market(symbol)))}
                for symbol in call.text("instId").split(",")
                for side in (("long", "short") if hedged else ("net",))
            ]
        )

    @route("GET /api/v5/account/trade-fee", costs={"config": 1})
    def trade_fee(self, call: Call) -> Any:
        kind = call.text("instType")
        rules = self.desks[KINDS[kind][0] if kind in KINDS else Product.SPOT].rules
        rates = {"maker": text(-rules.maker_fee), "taker": text(-rules.taker_fee)}
        rates |= {f"{name}{coin}": rate for name, rate in rates.items() for coin in ("U", "USDC")}
        told = {"level": "Lv1", "instType": kind, "delivery": "", "exercise": "", "ts": str(call.now_ms)}
        return frame([told | rates])

    @route("GET /api/v5/account/max-size", "GET /api/v5/account/max-avail-size", costs={"config": 1})
    def max_size(self, call: Call) -> Any:
        """What the free money buys at the price given or the market's."""
        desk, market = self._desk(call), self._desk(call).market(call.text("instId"))
        price, spot = call.decimal_or_none("px") or desk.ask(market), market.product is Product.SPOT
        free = max(call.account.free(WALLET, market.quote if spot else market.settle), ZERO)
        lever = D(1) if spot else desk.leverage(call.account, market)
        buys = floor_to(free * lever / market.value(D(1), price), market.step)
        sells = max(call.account.free(WALLET, market.base), ZERO) if spot else buys
        if call.path.endswith("avail-size"):
            told = {"availBuy": text(free if spot else buys), "availSell": text(sells)}
        else:
            told = {"maxBuy": text(buys), "maxSell": text(sells)}
        return frame([{"instId": market.symbol, "ccy": "", **told}])

    @route("GET /api/v5/account/instruments", costs={"config": 1})
    def own_instruments(self, call: Call) -> Any:
        return self.instruments(call)

    @route("GET /api/v5/account/config", costs={"config": 1})
    def config(self, call: Call) -> Any:
        book, may = self.desks[Product.LINEAR].book(call.account), call.account.permissions
        mode = next(name for name, each in POSITION_MODES.items() if each is book.position_mode)
        rights = ["read_only", *(right for right in ("withdraw", "trade") if right in may)]
        return frame([{"acctLv": "3", "posMode": mode, "perm": ",".join(rights), "ip": "", "uid": "1"}])

    @route("POST /api/v5/account/set-leverage", costs={"leverage": 1})
    def set_leverage(self, call: Call) -> Any:
        desk, mode = self._desk(call), call.one_of("mgnMode", MARGIN_MODES)
        side = call.one_of("posSide", POSITION_SIDES, "net")
        hedged = desk.book(call.account).position_mode is PositionMode.HEDGE
        if mode is MarginMode.ISOLATED and hedged != (side is not None):
            raise Rejected(Reason.POSITION_MODE)
        desk.set_leverage(call.account, call.text("instId"), call.decimal("lever"))
        told = {name: call.text(name, "") for name in ("instId", "lever", "mgnMode", "posSide")}
        return frame([told])

    @route("POST /api/v5/account/set-position-mode", costs={"config": 1})
    def set_position_mode(self, call: Call) -> Any:
        """Of both kinds of perpetuals, as long as there is nothing of either."""
        mode = call.one_of("posMode", POSITION_MODES)
        books = [each.book(call.account) for each in self._swaps()]
        if any(book.position_mode is not mode and (book.open or book.open_positions()) for book in books):
            raise Rejected(Reason.HAS_POSITION)
        for book in books:
            book.position_mode = mode
        return frame([{"posMode": call.text("posMode")}])

    @route("GET /api/v5/asset/currencies", costs={"config": 1})
    def currencies(self, call: Call) -> Any:
        coins = sorted(call.account.wallets[WALLET])
        return frame(
            [{"ccy": coin, "name": coin, "chain": f"{coin}-Chain", "wdTickSz": "8"} for coin in coins]
        )
