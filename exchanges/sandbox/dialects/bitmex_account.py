"""BitMEX without the orders: keys, refusals, limits, markets, prices, positions, settings, balances. One address for
all its products, and money in four currencies. https://www.bitmex.com/api/explorer/."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.bitmex_answers import (
    MONEY,
    REFUSALS,
    STRATEGY_OF,
    contracts,
    error_answer,
    instant,
    multipliers,
)
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Limit, Owner
from exchanges.sandbox.model import ZERO, Market, Reason, Rejected
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import Direction, MarginMode, PositionMode, Product

D = Decimal
API = "/api/v1"
WALLET = "bitmex"
#: products that have positions
FUTURES = (Product.LINEAR, Product.INVERSE)


class BitMEXAccount(Dialect):
    family = "bitmex"
    limits = (
        Limit("requests", "requests", 120, 60, decay_per_second="2"),
        Limit("orders", "orders", 10, 1),
        Limit("public", "public", 30, 60, Owner.ADDRESS, decay_per_second="0.5"),
    )
    default_costs = {"requests": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("api-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return secrets.token_urlsafe(18), secrets.token_urlsafe(36), ""

    def authenticate(self, call: Call) -> Account:
        key, expires = self.key_of(call), call.headers.get("api-expires", "")
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        if not expires.isdigit() or int(expires) * 1000 < call.now_ms:
            raise Rejected(Reason.BAD_TIMESTAMP, str(call.now_ms // 1000))
        query, given = f"?{call.query}" if call.query else "", call.headers.get("api-signature", "").lower()
        signed = (f"{call.method}{path}{query}{expires}".encode() + call.body for path in call.signed_paths)
        wanted = (hmac.new(account.secret.encode(), each, hashlib.sha256).hexdigest() for each in signed)
        if not any(hmac.compare_digest(each.encode(), given.encode()) for each in wanted):
            raise Rejected(Reason.BAD_SIGNATURE)
        if call.method != "GET" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        words, status = REFUSALS.get(reason, ("Invalid {}", 400))
        name = "ValidationError" if reason is Reason.INSUFFICIENT else "HTTPError"
        return error_answer(words.format(detail), name, status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        seconds = exceeded.retry_after_seconds
        reply = error_answer(f"Rate limit exceeded, retry in {seconds} seconds.", "RateLimitError", 429)
        reply.headers |= {"retry-after": str(seconds), "x-ratelimit-remaining": "0"}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        told = {}
        for limit in self.limits:
            if limit.name in used:
                left = str(max(limit.capacity - used[limit.name], 0))
                if limit.name == "orders":
                    told["x-ratelimit-remaining-1s"] = left
                else:
                    told |= {"x-ratelimit-limit": str(limit.capacity), "x-ratelimit-remaining": left}
        return told

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {API}", public=True, costs={"public": 1})
    def time(self, call: Call) -> Any:
        return {"name": "BitMEX API", "version": "2.0.0", "timestamp": call.now_ms}

    @route(f"GET {API}/instrument/active", public=True, costs={"public": 1})
    def active(self, call: Call) -> Any:
        return [self._instrument(market, call) for market in self._markets()]

    @route(f"GET {API}/instrument", public=True, costs={"public": 1})
    def instrument(self, call: Call) -> Any:
        wanted = call.text("symbol", "")
        return [self._instrument(each, call) for each in self._markets() if wanted in ("", each.symbol)]

    @route(f"GET {API}/orderBook/L2", public=True, costs={"public": 1})
    def order_book(self, call: Call) -> Any:
        """What is sold first, from the highest price down."""
        market = self._market(call)
        desk, size = self.desks[market.product], contracts(market, market.max_quantity)
        prices = {"Sell": desk.ask(market), "Buy": desk.bid(market)}
        told = {"symbol": market.symbol, "size": size, "timestamp": instant(call.now_ms)}
        return [
            told | {"id": int(price * 100), "side": side, "price": price} for side, price in prices.items()
        ]

    def _markets(self) -> Iterator[Market]:
        for desk in self.desks.values():
            yield from desk.markets.values()

    def _market(self, call: Call) -> Market:
        wanted = call.text("symbol")
        found = next((market for market in self._markets() if market.symbol == wanted), None)
        if found is None:
            raise Rejected(Reason.UNKNOWN_SYMBOL, wanted)
        return found

    def _instrument(self, market: Market, call: Call) -> dict[str, Any]:
        desk, spot = self.desks[market.product], market.product is Product.SPOT
        last, ask = desk.bid(market), desk.ask(market)
        row: dict[str, Any] = {
            "symbol": market.symbol,
            "rootSymbol": market.extra["name"],
            "state": "Open",
            "typ": "IFXXXP" if spot else "FFWCSX",
            "positionCurrency": "" if spot else "USD" if market.inverse else market.extra["name"],
            "underlying": market.extra["name"],
            "quoteCurrency": market.quote,
            "settlCurrency": "" if spot else MONEY[market.settle][1],
            "maxOrderQty": contracts(market, market.max_quantity),
            "maxPrice": 1_000_000,
            "lotSize": market.extra["lot"],
            "tickSize": market.tick,
            **multipliers(market),
            "isQuanto": False,
            "isInverse": market.inverse,
            "makerFee": desk.rules.maker_fee,
            "takerFee": desk.rules.taker_fee,
            **dict.fromkeys(("lastPrice", "bidPrice", "midPrice"), last),
            "askPrice": ask,
            "timestamp": instant(call.now_ms),
        }
        return row if spot else row | {"initMargin": 1 / market.max_leverage, "markPrice": last}

    @route(f"GET {API}/wallet/assets", public=True, costs={"public": 1})
    def assets(self, call: Call) -> Any:
        common = {"currencyType": "Crypto", "enabled": True, "isMarginCurrency": True, "networks": []}
        return [
            {
                "asset": asset,
                "currency": currency,
                "majorCurrency": asset,
                "name": asset,
                "scale": scale,
                **common,
            }
            for asset, currency, scale in MONEY.values()
        ]

    # -- positions -------------------------------------------------------------------------------------

    @route(f"GET {API}/position")
    def positions(self, call: Call) -> Any:
        """All that ever were, closed ones too."""
        wanted, books = filter_of(call), [self.desks[each].book(call.account) for each in FUTURES]
        rows = [self._position(call, each) for book in books for each in book.positions.values()]
        return [row for row in rows if fits(row, wanted)]

    def _position(self, call: Call, position: Position) -> dict[str, Any]:
        market, desk = position.market, self.desks[position.market.product]
        mark, unit = desk.bid(market), 10 ** MONEY[market.settle][2]
        coins, money = position.quantity, -position.quantity * mark
        if market.inverse:
            coins, money = position.quantity / mark, -position.quantity
        leverage = desk.leverage(call.account, market)
        row = {
            "account": 1,
            "symbol": market.symbol,
            "strategy": STRATEGY_OF[position.side],
            "currency": MONEY[market.settle][1],
            "underlying": market.extra["name"],
            "quoteCurrency": market.quote,
            "initMarginReq": (1 / leverage).quantize(D("0.0001")),
            "leverage": leverage,
            "crossMargin": desk.margin_mode(call.account, market) is MarginMode.CROSS,
            "currentQty": contracts(market, position.quantity),
            "isOpen": bool(position.quantity),
            "markPrice": mark,
            "homeNotional": coins,
            "foreignNotional": money,
            "unrealisedPnl": (position.unrealised(mark) * unit).to_integral_value(),
            "avgEntryPrice": position.entry_price if position.quantity else None,
            "timestamp": instant(call.now_ms),
        }
        return {name: value for name, value in row.items() if value is not None}

    @route(f"POST {API}/position/leverage", trading=True, costs={"requests": 1, "orders": 1})
    def leverage(self, call: Call) -> Any:
        """Isolated margin; 0 is cross margin."""
        leverage = call.decimal("leverage")
        return self._setting(call, MarginMode.ISOLATED if leverage else MarginMode.CROSS, leverage)

    @route(f"POST {API}/position/crossLeverage", trading=True)
    def cross_leverage(self, call: Call) -> Any:
        return self._setting(call, None, call.decimal("crossLeverage"))

    @route(f"POST {API}/position/isolate", trading=True, costs={"requests": 1, "orders": 1})
    def isolate(self, call: Call) -> Any:
        return self._setting(call, MarginMode.ISOLATED if call.flag("enabled") else MarginMode.CROSS, ZERO)

    def _setting(self, call: Call, mode: MarginMode | None, leverage: Decimal) -> dict[str, Any]:
        """Open orders and positions do not stand in the way."""
        market, symbol = self._market(call), call.text("symbol")
        desk = self.desks[market.product]
        book = desk.book(call.account)
        if leverage:
            desk.set_leverage(call.account, symbol, leverage)
        if mode is not None:
            book.margin_modes[symbol] = mode
        side = Direction.LONG if book.position_mode is PositionMode.HEDGE else None
        return self._position(call, book.position(market, side))

    # -- account ---------------------------------------------------------------------------------------

    @route(f"GET {API}/user")
    def user(self, call: Call) -> Any:
        hedged = self.desks[Product.LINEAR].book(call.account).position_mode is PositionMode.HEDGE
        return {
            "id": 1,
            "username": "trader",
            "accountId": 1,
            **({"positionMode": "MultiWay"} if hedged else {}),
        }

    @route(f"POST {API}/user/positionMode")
    def position_mode(self, call: Call) -> Any:
        """What is not named is one-way."""
        words = {"MultiWay": PositionMode.HEDGE, "OneWay": PositionMode.ONE_WAY}
        mode = call.one_of("positionMode", words, "OneWay")
        desks = [self.desks[each] for each in FUTURES]
        if any(desk.book(call.account).open for desk in desks):
            raise Rejected(Reason.HAS_OPEN_ORDERS)
        if any(desk.book(call.account).open_positions() for desk in desks):
            raise Rejected(Reason.HAS_POSITION)
        for desk in desks:
            desk.set_position_mode(call.account, mode)
        return self.user(call)

    @route(f"GET {API}/user/wallet")
    def wallet(self, call: Call) -> Any:
        """What is in it, without what positions gain."""
        row = self.margin(call)
        names = ("account", "currency", "amount", "timestamp")
        rows = [{name: each[name] for name in names} for each in (row if isinstance(row, list) else [row])]
        return rows if isinstance(row, list) else rows[0]

    @route(f"GET {API}/user/margin")
    def margin(self, call: Call) -> Any:
        wanted = call.text("currency", "XBt")
        rows = [self._margin(call, asset) for asset in call.account.wallets[WALLET] if asset in MONEY]
        if wanted == "all":
            return rows
        found = next((row for row in rows if row["currency"] == wanted), None)
        if found is None:
            raise Rejected(Reason.BAD_PARAMETER, "currency")
        return found

    def _margin(self, call: Call, asset: str) -> dict[str, Any]:
        _, currency, decimals = MONEY[asset]
        account = call.account
        wallet, profit = account.total(WALLET, asset), account.unrealised(WALLET, asset)
        amounts = {
            **dict.fromkeys(("amount", "walletBalance"), wallet),
            "unrealisedPnl": profit,
            "marginBalance": wallet + profit,
            **dict.fromkeys(("excessMargin", "availableMargin"), account.free(WALLET, asset)),
        }
        told = {name: amount.scaleb(decimals).to_integral_value() for name, amount in amounts.items()}
        return {"account": 1, "currency": currency, **told, "timestamp": instant(call.now_ms)}

    @route(f"GET {API}/apiKey")
    def api_keys(self, call: Call) -> Any:
        may = call.account.permissions
        rights = [right for right, needs in (("order", "trade"), ("withdraw", "withdraw")) if needs in may]
        told = {"name": "flipr", "nonce": 0, "cidr": "", "permissions": rights, "enabled": True, "userId": 1}
        return [{"id": call.account.key, **told, "created": instant(call.account.created_ms)}]


def filter_of(call: Call) -> dict[str, Any]:
    try:
        found = json.loads(call.text("filter", "{}"))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Rejected(Reason.BAD_PARAMETER, "filter")
    return found


def fits(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(row.get(name) == value for name, value in wanted.items())
