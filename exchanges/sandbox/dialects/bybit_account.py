"""Bybit without the orders: keys, refusals, markets, prices, positions, settings, balances. One host for spot and perpetuals
of both kinds, told apart by `category`; errors come with HTTP 200 and a `retCode`. https://bybit-exchange.github.io/docs/v5/."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.bybit_answers import (
    CATEGORIES,
    INDEX,
    INDEX_OF,
    LEGS,
    MARGIN,
    MODES,
    REFUSALS,
    WORD,
    attached_of,
    closed_row,
    closing_fills,
    frame,
    legs_of,
    page,
    perpetual_row,
    risk_row,
    spot_row,
    ticker_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded, Owner
from exchanges.sandbox.model import ZERO, Order, Reason, Rejected, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import (
    Direction,
    MarginMode,
    OrderType,
    PositionMode,
    Product,
)

D = Decimal
WEEK_MS = 7 * 86_400_000
#: a sum in dollars -> what it adds up of each coin
TOTALS = {
    "totalEquity": "equity",
    "totalWalletBalance": "walletBalance",
    "totalMarginBalance": "equity",
    "totalPerpUPL": "unrealisedPnl",
    "totalInitialMargin": "totalPositionIM",
    "totalMaintenanceMargin": "totalPositionMM",
}


class BybitAccount(Dialect):
    family = "bybit"
    default_costs = {"address": 1}

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("x-bapi-api-key", "")

    def authenticate(self, call: Call) -> Account:
        key, stamp = self.key_of(call), call.headers.get("x-bapi-timestamp", "")
        if not key:
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(key)) is None:
            raise Rejected(Reason.BAD_KEY)
        window = call.headers.get("x-bapi-recv-window", "5000")
        head = f"{stamp}{key}{window if 'x-bapi-recv-window' in call.headers else ''}"
        given = call.headers.get("x-bapi-sign", "").lower().encode()
        readings = [f"{head}{query}".encode() + call.body for query in (call.query, unquote(call.query))]
        if not any(hmac.compare_digest(_signature(account.secret, each), given) for each in readings):
            raise Rejected(Reason.BAD_SIGNATURE, readings[0].decode("utf-8", "replace"))
        if not (stamp.isdigit() and window.isdigit()):
            raise Rejected(Reason.BAD_TIMESTAMP, stamp)
        if not call.now_ms - int(window) <= int(stamp) < call.now_ms + 1000:
            raise Rejected(Reason.BAD_TIMESTAMP, f"req_timestamp[{stamp}],server_timestamp[{call.now_ms}]")
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.BANNED:
            return Reply(b"403 Forbidden: access too frequent", 403)
        futures, spot, words = REFUSALS.get(reason, (10001, 170130, "params error: {} invalid"))
        try:
            code = spot if call.params.get("category") == "spot" else futures
        except Rejected:
            code = futures
        if reason is Reason.WOULD_TRIGGER:
            code, words = self._crossed(call)
        if reason is Reason.NOT_MODIFIED and call.path.endswith("switch-mode"):
            code = 110025
        status = {Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404}.get(reason, 200)
        return Reply(frame(call, {}, code, words.format(detail)), status)

    @staticmethod
    def _crossed(call: Call) -> tuple[int, str]:
        if call.path.endswith("trading-stop"):
            return 10001, "StopLoss or TakeProfit lies on the wrong side of base_price"
        if call.text("triggerDirection", "2") == "1":
            return 110092, "expect Rising, but trigger_price <= current"
        return 110093, "expect Falling, but trigger_price >= current"

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After: the moment of the reset, and an address shut out gets a page."""
        reply = self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)
        reset_ms = call.now_ms + 1000 * exceeded.retry_after_seconds
        reply.headers |= {"X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": str(reset_ms)}
        return reply

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        for limit in self.limits:
            if limit.owner is Owner.ACCOUNT and limit.name in used:
                left = max(limit.capacity - used[limit.name], 0)
                return {"X-Bapi-Limit": str(limit.capacity), "X-Bapi-Limit-Status": str(left)}
        return {}

    def _desk(self, call: Call) -> Desk:
        return self.desks[call.one_of("category", CATEGORIES)]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /v5/market/time", public=True)
    def time(self, call: Call) -> Any:
        return frame(call, {"timeSecond": str(call.now_ms // 1000), "timeNano": str(call.now_ms * 1_000_000)})

    @route("GET /v5/market/instruments-info", public=True)
    def instruments(self, call: Call) -> Any:
        category = call.text("category")
        if category not in CATEGORIES or call.text("status", "Trading") != "Trading":
            return frame(call, page(call, [], 1000))
        describe = spot_row if category == "spot" else perpetual_row
        wanted = call.text("symbol", "")
        rows = [describe(each) for each in self._desk(call).markets.values() if wanted in ("", each.symbol)]
        if wanted and not rows:
            raise Rejected(Reason.UNKNOWN_SYMBOL, wanted)
        return frame(call, page(call, rows, 500))

    @route("GET /v5/market/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        desk, wanted = self._desk(call), call.text("symbol", "")
        markets = [desk.market(wanted)] if wanted else list(desk.markets.values())
        return frame(call, page(call, [ticker_row(desk, market) for market in markets], 1000))

    @route("GET /v5/market/orderbook", public=True)
    def book(self, call: Call) -> Any:
        """Levels one tick apart."""
        desk, market = self._desk(call), self._desk(call).market(call.text("symbol"))
        steps = [each * market.tick for each in range(min(call.integer("limit", 25), 25))]
        sides = {
            "b": [desk.bid(market) - step for step in steps],
            "a": [desk.ask(market) + step for step in steps],
        }
        levels = {name: [[text(price), "1000"] for price in prices] for name, prices in sides.items()}
        numbers = {"ts": call.now_ms, "u": call.now_ms, "seq": call.now_ms, "cts": call.now_ms}
        return frame(call, {"s": market.symbol, **levels, **numbers})

    @route("GET /v5/market/risk-limit", public=True)
    def risk_limits(self, call: Call) -> Any:
        desk, wanted = self._desk(call), call.text("symbol", "")
        rows = [risk_row(each) for each in desk.markets.values() if wanted in ("", each.symbol)]
        return frame(call, page(call, rows, 500))

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /v5/position/list", costs={"address": 1, "reads": 1})
    def positions(self, call: Call) -> Any:
        desk, book = self._desk(call), self._desk(call).book(call.account)
        if symbol := call.text("symbol", ""):
            sides = (Direction.LONG, Direction.SHORT) if book.position_mode is PositionMode.HEDGE else (None,)
            found = [book.position(desk.market(symbol), side) for side in sides]
        else:
            inverse = desk is self.desks[Product.INVERSE]
            coin = call.text("settleCoin", "") if inverse else call.text("settleCoin")
            found = [each for each in book.open_positions() if coin in ("", each.market.settle)]
        return frame(call, page(call, [self._position_row(call, each) for each in found], 20))

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        desk, market = self._desk(call), position.market
        mark, leverage = desk.bid(market), desk.leverage(call.account, market)
        held = WORD[position.direction.entry_side] if position.quantity else ""
        orders = {name: self._whole(call.account, desk, position, name) for name in LEGS}
        prices = {name: text(order.trigger_price) if order else "" for name, order in orders.items()}
        return {
            "positionIdx": INDEX_OF[position.side],
            "symbol": market.symbol,
            "side": held,
            "size": text(abs(position.quantity)),
            "avgPrice": text(position.entry_price),
            "positionValue": text(position.notional(position.entry_price)),
            "tradeMode": 0,
            "positionStatus": "Normal",
            "leverage": text(leverage),
            "markPrice": text(mark),
            "liqPrice": "",
            "bustPrice": "",
            "positionIM": text(position.notional(position.entry_price) / leverage),
            "positionMM": "0",
            "tpslMode": "Full",
            **prices,
            "trailingStop": "0",
            "riskId": 1,
            "riskLimitValue": "2000000",
            "autoAddMargin": 0,
            "adlRankIndicator": 0,
            "isReduceOnly": False,
            "curRealisedPnl": text(position.realised),
            "positionBalance": text(position.notional(position.entry_price) / leverage),
            **dict.fromkeys(("sessionAvgPrice", "mmrSysUpdatedTime", "leverageSysUpdatedTime"), ""),
            "seq": position.updated_ms,
            "unrealisedPnl": text(position.unrealised(mark)) if held else "",
            "cumRealisedPnl": text(position.realised),
            "createdTime": str(position.updated_ms),
            "updatedTime": str(position.updated_ms),
        }

    @route("POST /v5/position/set-leverage", costs={"address": 1, "settings": 1})
    def set_leverage(self, call: Call) -> Any:
        if call.decimal("buyLeverage") != call.decimal("sellLeverage"):
            raise Rejected(Reason.LEVERAGE, "buy and sell differ")
        if not self._desk(call).set_leverage(call.account, call.text("symbol"), call.decimal("buyLeverage")):
            raise Rejected(Reason.NOT_MODIFIED, "leverage")
        return frame(call, {})

    @route("POST /v5/position/switch-mode", costs={"address": 1, "settings": 1})
    def switch_mode(self, call: Call) -> Any:
        desk, mode = self._desk(call), call.one_of("mode", MODES)
        if mode is PositionMode.HEDGE and desk is self.desks[Product.INVERSE]:
            raise Rejected(Reason.BAD_PARAMETER, "mode")
        desk.set_position_mode(call.account, mode)
        return frame(call, {})

    @route("POST /v5/position/trading-stop", trading=True, costs={"address": 1, "settings": 1})
    def trading_stop(self, call: Call) -> Any:
        """Stop and target of an open position, as a whole (in the place of those it had) or for a part of it."""
        desk, side = self._desk(call), call.one_of("positionIdx", INDEX, "0")
        book, market = desk.book(call.account), desk.market(call.text("symbol"))
        if (book.position_mode is PositionMode.HEDGE) != (side is not None):
            raise Rejected(Reason.POSITION_MODE)
        position = book.position(market, side)
        if not position.quantity:
            return Reply(frame(call, {}, 10001, "can not set tp/sl/ts for zero position"))
        if call.one_of("tpslMode", {"Full": True, "Partial": False}, "Full"):
            return self._stop_all(call, desk, position)
        tickets = legs_of(call, position.direction.exit_side, side, desk.bid(market))
        if not tickets or len({ticket.quantity for ticket in tickets}) > 1:
            raise Rejected(Reason.BAD_PARAMETER, "slSize and tpSize")
        if any(ticket.quantity and ticket.quantity > abs(position.quantity) for ticket in tickets):
            return Reply(frame(call, {}, 110058, "Insufficient number of remaining position size"))
        desk.place_linked(call.account, tickets)
        return frame(call, {})

    def _stop_all(self, call: Call, desk: Desk, position: Position) -> Any:
        """A price of 0 takes away what there is; without a price it stays."""
        given = {name: call.decimal_or_none(name) for name in LEGS}
        had = {name: self._whole(call.account, desk, position, name) for name in LEGS}
        stood = {name: order.trigger_price if order else ZERO for name, order in had.items()}
        if all(price in (None, stood[name]) for name, price in given.items()):
            return Reply(frame(call, {}, 34040, "not modified"))
        entry, last = position.direction.entry_side, desk.bid(position.market)
        tickets = attached_of(call, entry, position.side, last, spot=False)
        for ticket in tickets:
            desk.check(call.account, ticket)
        for name, price in given.items():
            if price is not None and (order := had[name]) is not None:
                desk.cancel(call.account, order)
        for ticket in tickets:
            desk.place(call.account, ticket)
        return frame(call, {})

    @staticmethod
    def _whole(account: Account, desk: Desk, position: Position, name: str) -> Order | None:
        """The stop or target of a whole position."""
        stop = name == "stopLoss"
        found = [
            order
            for order in desk.book(account).open.values()
            if order.ticket.close_position
            and order.ticket.position_bound
            and order.market is position.market
            and order.ticket.position_side is position.side
            and (order.ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT)) is stop
        ]
        return found[-1] if found else None

    @route("GET /v5/position/closed-pnl", costs={"address": 1, "reads": 1})
    def closed_profit(self, call: Call) -> Any:
        """A row for each order that closed something, newest first. bybit-exchange.github.io/docs/v5/position/close-pnl, read
        2026-11-23: its example tells four fills of an order in one row and takes the fees of both ways off the profit."""
        desk, (start, end) = self._desk(call), window(call)
        closings = ((order, closing_fills(order)) for order in desk.book(call.account).orders.values())
        found = [
            (fills, closed_row(order, fills, desk.leverage(call.account, order.market)))
            for order, fills in closings
            if fills
            and call.text("symbol", order.market.symbol) == order.market.symbol
            and start <= fills[0].time_ms <= end
        ]
        found.sort(key=lambda pair: pair[0][0].id, reverse=True)
        return frame(call, page(call, [row for _, row in found], 50))

    @route("POST /v5/position/switch-isolated", "POST /v5/position/set-tpsl-mode", costs={"address": 1})
    def not_unified(self, call: Call) -> Any:
        return frame(call, {}, 100028, "unified account is forbidden")

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /v5/account/wallet-balance", costs={"address": 1, "reads": 1})
    def wallet(self, call: Call) -> Any:
        if call.text("accountType") != "UNIFIED":
            raise Rejected(Reason.BAD_PARAMETER, "accountType")
        wanted = {coin for coin in call.text("coin", "").split(",") if coin}
        coins = [
            self._coin_row(call.account, coin)
            for coin in call.account.wallets[self.rules.wallet]
            if not wanted or coin in wanted
        ]
        totals = {
            name: text(sum((D(row[part]) * D(row["price"]) for row in coins), ZERO), 8)
            for name, part in TOTALS.items()
        }
        free = sum((D(row["free"]) * D(row["price"]) for row in coins), ZERO)
        rates = {"accountType": "UNIFIED", "accountIMRate": "0", "accountMMRate": "0", "accountLTV": "0"}
        for row in coins:
            del row["price"], row["free"]
        return frame(
            call, {"list": [{**rates, **totals, "totalAvailableBalance": text(free, 8), "coin": coins}]}
        )

    def _coin_row(self, account: Account, coin: str) -> dict[str, Any]:
        wallet, spot = self.rules.wallet, self.desks[Product.SPOT]
        futures = (self.desks[Product.LINEAR], self.desks[Product.INVERSE])
        total, open_profit = account.total(wallet, coin), account.unrealised(wallet, coin)
        price = self._dollars(coin)
        margins = [
            each.notional(each.entry_price) / desk.leverage(account, each.market)
            for desk in futures
            for each in desk.book(account).open_positions()
            if each.market.settle == coin
        ]
        return {
            "coin": coin,
            "equity": text(total + open_profit),
            "walletBalance": text(total),
            "price": text(price),
            "free": text(account.free(wallet, coin)),
            "usdValue": text((total + open_profit) * price),
            "locked": text(spot.locked(account, coin)),
            "totalOrderIM": text(sum((desk.locked(account, coin) for desk in futures), -sum(margins, ZERO))),
            "totalPositionIM": text(sum(margins, ZERO)),
            "totalPositionMM": "0",
            "unrealisedPnl": text(open_profit),
            "availableToWithdraw": "",
            "availableToBorrow": "",
            **dict.fromkeys(
                ("borrowAmount", "spotBorrow", "accruedInterest", "bonus", "spotHedgingQty"), "0"
            ),
            "cumRealisedPnl": "0",
            "marginCollateral": True,
            "collateralSwitch": True,
        }

    def _dollars(self, coin: str) -> Decimal:
        """What a coin is worth."""
        market = self.desks[Product.SPOT].markets.get(f"{coin}USDT")
        return self.desks[Product.SPOT].bid(market) if market else D(coin in ("USDT", "USDC", "USD"))

    @route("GET /v5/account/fee-rate", costs={"address": 1, "reads": 1})
    def fee_rates(self, call: Call) -> Any:
        desk, wanted = self._desk(call), call.text("symbol", "")
        rates = {"takerFeeRate": text(desk.rules.taker_fee), "makerFeeRate": text(desk.rules.maker_fee)}
        rows = [{"symbol": each, **rates} for each in ([wanted] if wanted else desk.markets)]
        return frame(call, {"list": rows})

    @route("GET /v5/account/info", costs={"address": 1, "reads": 1})
    def account_info(self, call: Call) -> Any:
        modes = self.desks[Product.LINEAR].book(call.account).margin_modes
        word = next(name for name, mode in MARGIN.items() if mode is modes.get("", MarginMode.CROSS))
        return frame(call, {"unifiedMarginStatus": 6, "marginMode": word, "isMasterTrader": False})

    @route("POST /v5/account/set-margin-mode", costs={"address": 1, "settings": 1})
    def set_margin_mode(self, call: Call) -> Any:
        """Of the whole account."""
        modes = self.desks[Product.LINEAR].book(call.account).margin_modes
        modes[""] = call.one_of("setMarginMode", MARGIN)
        return frame(call, {"reasons": []})

    @route("GET /v5/user/query-api", costs={"address": 1, "settings": 1})
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        trades = ["Order", "Position"] if "trade" in may else []
        rights = {
            "ContractTrade": trades,
            "Spot": ["SpotTrade"] if trades else [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if "withdraw" in may else [])],
            "Derivatives": ["DerivativesTrade"] if trades else [],
        }
        info = {"readOnly": 0 if trades else 1, "permissions": rights, "ips": ["*"], "uta": 1, "unified": 0}
        return frame(call, {"apiKey": call.account.key, "expiredAt": "2099-01-01T00:00:00Z", **info})

    @route("GET /v5/asset/coin/query-info")
    def coins(self, call: Call) -> Any:
        names = sorted(
            {
                coin
                for desk in self.desks.values()
                for each in desk.markets.values()
                for coin in (each.base, each.quote)
            }
        )
        return frame(call, {"rows": [{"name": name, "coin": name, "chains": []} for name in names]})


def window(call: Call) -> tuple[int, int]:
    """From `startTime` to `endTime`: 7 days at most, the last ones unless told otherwise. So say the pages
    order/order-list, order/execution and position/close-pnl of bybit-exchange.github.io/docs/v5, read 2026-11-23."""
    start, end = call.integer("startTime", 0), call.integer("endTime", 0)
    if start and end and not 0 <= end - start <= WEEK_MS:
        raise Rejected(Reason.BAD_PARAMETER, "endTime")
    end = end or (start + WEEK_MS if start else call.now_ms)
    return start or end - WEEK_MS, end


def _signature(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
