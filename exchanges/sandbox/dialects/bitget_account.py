"""Bitget without the orders: keys, refusals, markets, prices, positions, settings, balances. https://www.bitget.com/api-doc/."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.admission import check_amended
from exchanges.sandbox.dialect import Dialect, route
from exchanges.sandbox.dialects.bitget_answers import (
    LIMITS,
    MARGIN,
    MIX,
    MODES,
    REFUSALS,
    SPOT,
    WINDOW_MS,
    closed_row,
    contract_row,
    costs,
    error_answer,
    found_order,
    frame,
    name_of,
    named_answer,
    signature,
    symbol_row,
    ticker_row,
)
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Exceeded
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, text
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import (
    MarginMode,
    Product,
)

D = Decimal
#: later than anything
LATEST_MS = 10**15


class BitgetAccount(Dialect):
    family = "bitget"
    limits = LIMITS
    default_costs = costs("reads")

    # -- the frame -------------------------------------------------------------------------------------

    def key_of(self, call: Call) -> str:
        return call.headers.get("access-key", "")

    def credentials(self) -> tuple[str, str, str]:
        return f"bg_{secrets.token_hex(16)}", secrets.token_hex(32), secrets.token_hex(8)

    def authenticate(self, call: Call) -> Account:
        stamp = call.headers.get("access-timestamp", "")
        if not self.key_of(call):
            raise Rejected(Reason.NO_KEY)
        if (account := self.account(self.key_of(call))) is None:
            raise Rejected(Reason.BAD_KEY)
        given = call.headers.get("access-sign", "").encode()
        signed = (f"{stamp}{call.method}{target}".encode() + call.body for target in call.targets())
        if not any(hmac.compare_digest(signature(account.secret, each), given) for each in signed):
            raise Rejected(Reason.BAD_SIGNATURE)
        if not hmac.compare_digest(account.passphrase, call.headers.get("access-passphrase", "")):
            raise Answered(error_answer(call, "40012", "apikey/password is incorrect"))
        if not stamp.isdigit() or abs(call.now_ms - int(stamp)) > WINDOW_MS:
            raise Rejected(Reason.BAD_TIMESTAMP)
        if call.method == "POST" and "trade" not in account.permissions:
            raise Rejected(Reason.NO_PERMISSION)
        return account

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.BANNED:
            return Reply(b"<html>403 Forbidden</html>", 403)
        futures, spot, words = REFUSALS.get(reason, ("40017", "40017", "Parameter verification failed {}"))
        code = spot if call.path.startswith(SPOT) else futures
        status = {Reason.INTERNAL: 500, Reason.UNKNOWN_PATH: 404, Reason.THROTTLED: 429}.get(reason, 400)
        return error_answer(call, code, words.format(detail), status)

    def throttled(self, exceeded: Exceeded, call: Call) -> Reply:
        """No Retry-After."""
        return self.refuse(Reason.BANNED if exceeded.banned else Reason.THROTTLED, "", call)

    def usage_headers(self, used: Mapping[str, int]) -> dict[str, str]:
        left = [max(limit.capacity - used[limit.name], 0) for limit in self.limits[1:] if limit.name in used]
        return {"x-mbx-used-remain-limit": str(min(left))} if left else {}

    @property
    def spot(self) -> Desk:
        return self.desks[Product.SPOT]

    @property
    def futures(self) -> Desk:
        return self.desks[Product.LINEAR]

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v2/public/time", public=True, costs={"address": 1})
    def time(self, call: Call) -> Any:
        return frame(call, {"serverTime": str(call.now_ms)})

    @route(f"GET {SPOT}/public/symbols", public=True, costs={"address": 1})
    def symbols(self, call: Call) -> Any:
        return frame(call, [symbol_row(each) for each in self._asked(call, self.spot)])

    @staticmethod
    def _asked(call: Call, desk: Desk) -> list[Market]:
        wanted = call.text("symbol", "")
        return [desk.market(wanted)] if wanted else list(desk.markets.values())

    @route(f"GET {SPOT}/public/coins", "GET /api/v2/margin/currencies", public=True, costs={"address": 1})
    def coins(self, call: Call) -> Any:
        """No chains and no margin trading here."""
        names = sorted({name for each in self.spot.markets.values() for name in (each.base, each.quote)})
        margin = call.path.endswith("currencies")
        rows = [{"coinId": str(place), "coin": name, "chains": []} for place, name in enumerate(names)]
        return frame(call, [] if margin else rows)

    @route(f"GET {MIX}/market/contracts", public=True, costs={"address": 1})
    def contracts(self, call: Call) -> Any:
        return frame(call, [contract_row(each) for each in self._product(call)])

    def _product(self, call: Call) -> list[Market]:
        """Only one of their kinds of futures is simulated."""
        return self._asked(call, self.futures) if call.text("productType").upper() == "USDT-FUTURES" else []

    @route(f"GET {SPOT}/market/tickers", public=True, costs={"address": 1})
    def spot_tickers(self, call: Call) -> Any:
        return frame(call, [ticker_row(call, self.spot, each) for each in self._asked(call, self.spot)])

    @route(f"GET {MIX}/market/tickers", f"GET {MIX}/market/ticker", public=True, costs={"address": 1})
    def futures_tickers(self, call: Call) -> Any:
        if call.path.endswith("ticker"):
            call.text("symbol")
        markets = self._product(call) if call.path.endswith("tickers") else self._asked(call, self.futures)
        return frame(call, [ticker_row(call, self.futures, each) for each in markets])

    @route(
        f"GET {SPOT}/market/orderbook",
        f"GET {SPOT}/market/merge-depth",
        f"GET {MIX}/market/orderbook",
        f"GET {MIX}/market/merge-depth",
        public=True,
        costs={"address": 1},
    )
    def depth(self, call: Call) -> Any:
        """Levels one tick apart."""
        desk = self.spot if call.path.startswith(SPOT) else self.futures
        market = desk.market(call.text("symbol"))
        limit = call.text("limit", "20")
        steps = [each * market.tick for each in range(min(int(limit), 20) if limit.isdigit() else 20)]
        levels = {
            "asks": [desk.ask(market) + step for step in steps],
            "bids": [desk.bid(market) - step for step in steps],
        }
        told = {name: [[text(price), "1000"] for price in prices] for name, prices in levels.items()}
        return frame(
            call, {**told, "ts": str(call.now_ms), "scale": text(market.tick), "precision": "scale0"}
        )

    @route(f"GET {MIX}/market/symbol-price", public=True, costs={"address": 1})
    def symbol_price(self, call: Call) -> Any:
        rows = [(each.symbol, text(self.futures.bid(each))) for each in self._product(call)]
        names = ("price", "indexPrice", "markPrice")
        return frame(
            call,
            [
                {"symbol": symbol, **dict.fromkeys(names, price), "ts": str(call.now_ms)}
                for symbol, price in rows
            ],
        )

    @route(f"GET {MIX}/market/current-fund-rate", public=True, costs={"address": 1})
    def fund_rate(self, call: Call) -> Any:
        """None is paid."""
        turn = 28_800_000
        told = {
            "fundingRate": "0",
            "fundingRateInterval": "8",
            "nextUpdate": str(call.now_ms // turn * turn + turn),
        }
        bounds = {"minFundingRate": "-0.003", "maxFundingRate": "0.003"}
        return frame(call, [{"symbol": each.symbol, **told, **bounds} for each in self._product(call)])

    @route(f"GET {MIX}/market/query-position-lever", public=True, costs={"address": 1})
    def position_levels(self, call: Call) -> Any:
        """One."""
        row = {"level": "1", "startUnit": "0", "endUnit": "1000000", "keepMarginRate": "0.004"}
        return frame(
            call,
            [
                {"symbol": each.symbol, **row, "leverage": text(each.max_leverage)}
                for each in self._product(call)
            ],
        )

    # -- which orders ----------------------------------------------------------------------------------

    @staticmethod
    def _order(call: Call, desk: Desk) -> Order | None:
        """A plain order, or what a plan became, which has only its own id."""
        order = found_order(desk, call.account, call.params)
        if order is None or not order.ticket.type.conditional:
            return order
        return order if order.live_id and call.text("orderId", "") == order.live_id else None

    @staticmethod
    def _all(call: Call, desk: Desk) -> list[Order]:
        """Newest first."""
        wanted = call.text("symbol", "")
        orders = reversed(list(desk.book(call.account).orders.values()))
        return [each for each in orders if wanted in ("", each.market.symbol)]

    def _resting(self, call: Call, desk: Desk) -> list[Order]:
        return [each for each in self._all(call, desk) if each.open and not each.waiting]

    def _plans(self, call: Call, desk: Desk, *, live: bool) -> list[Order]:
        by_id, by_client = call.text("orderId", ""), call.text("clientOid", "")
        return [
            each
            for each in self._all(call, desk)
            if each.ticket.type.conditional
            and (each.open and each.waiting) == live
            and by_id in ("", each.id)
            and (by_id or by_client in ("", each.client_id))
        ]

    def cancelled_all(self, call: Call, desk: Desk, named: Any) -> dict[str, Any]:
        """Resting orders: those named, else all (of the symbol)."""
        done: list[Any] = []
        failed: list[Any] = []
        for each in named or [{"orderId": order.live_id or order.id} for order in self._resting(call, desk)]:
            order = found_order(desk, call.account, each)
            if order is not None and order.open and not order.waiting:
                desk.cancel(call.account, order)
                done.append(named_answer(call, order)["data"])
            else:
                ids = {name: each.get(name, "") for name in ("orderId", "clientOid")}
                failed.append({**ids, "errorMsg": "Order does not exist", "errorCode": "43001"})
        return frame(call, {"successList": done, "failureList": failed})

    def replaced(self, call: Call, desk: Desk, changes: Mapping[str, Any], client_id: str) -> dict[str, Any]:
        """Cancels an order and places it again as changed, under another id; what cannot be leaves it alone."""
        order = self._order(call, desk)
        if order is None or not order.open or order.waiting:
            raise Rejected(Reason.NOT_OPEN)
        check_amended(desk, call.account, replace(order, **changes), order)
        desk.cancel(call.account, order)
        again = replace(order.ticket, **changes, client_id=client_id)
        return named_answer(call, desk.place(call.account, again))

    def changed_plan(self, call: Call, desk: Desk, trigger: str, price: str, size: str) -> dict[str, Any]:
        """By the names that its prices and its size have in the request."""
        order = found_order(desk, call.account, call.params)
        if order is None or not order.open or not order.waiting:
            raise Answered(error_answer(call, "43025", "Plan order does not exist"))
        limit = call.decimal_or_none(price) if order.price is not None else None
        numbers = {"quantity": call.decimal_or_none(size) or None, "price": limit or None}
        desk.amend(call.account, order, **numbers, trigger_price=call.decimal_or_none(trigger))
        return named_answer(call, order)

    def traded(
        self, call: Call, desk: Desk, row: Callable[[Order, Fill], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Newest first."""
        book, wanted = desk.book(call.account), call.text("orderId", "")
        start, end = call.integer("startTime", 0), call.integer("endTime", LATEST_MS)
        found = [
            (order, fill)
            for fill in reversed(book.fills)
            if call.text("symbol", fill.symbol) == fill.symbol
            and wanted in ("", fill.order_id)
            and start <= fill.time_ms <= end
            and fill.id < call.integer("idLessThan", LATEST_MS)
            and (order := book.orders.get(fill.order_id) or book.by_live_id.get(fill.order_id)) is not None
        ]
        return [row(*each) for each in found[: call.integer("limit", 100)]]

    # -- positions and account -------------------------------------------------------------------------

    @staticmethod
    def _scope(call: Call) -> None:
        if call.text("productType").upper() != "USDT-FUTURES":
            raise Rejected(Reason.BAD_PARAMETER, "productType")

    def _set_margin_mode(self, call: Call, symbol: str, mode: MarginMode) -> None:
        try:
            self.futures.set_margin_mode(call.account, symbol, mode)
        except Rejected as refused:
            if refused.reason in (Reason.HAS_POSITION, Reason.HAS_OPEN_ORDERS):
                words = "Currently holding positions or orders, the margin mode cannot be adjusted"
                raise Answered(error_answer(call, "45117", words)) from None
            raise

    @route(f"GET {MIX}/position/history-position", costs=costs("positions"))
    def position_history(self, call: Call) -> Any:
        """Newest first, a row for each fill that closed something."""
        fills = reversed(self.futures.book(call.account).fills)
        rows = [
            closed_row(self.futures, call.account, fill)
            for fill in fills
            if fill.closed and call.text("symbol", fill.symbol) == fill.symbol
        ]
        return frame(
            call,
            {"list": rows[: call.integer("limit", 20)], "endId": rows[-1]["positionId"] if rows else None},
        )

    @route("GET /api/v2/common/trade-rate", costs=costs("account"))
    def trade_rate(self, call: Call) -> Any:
        desk = self.spot if call.text("businessType", "mix") == "spot" else self.futures
        desk.market(call.text("symbol"))
        return frame(
            call, {"makerFeeRate": text(desk.rules.maker_fee), "takerFeeRate": text(desk.rules.taker_fee)}
        )

    @route(
        f"GET {MIX}/position/all-position", f"GET {MIX}/position/single-position", costs=costs("positions")
    )
    def positions(self, call: Call) -> Any:
        self._scope(call)
        wanted = call.text("symbol", "")
        held = self.futures.book(call.account).open_positions()
        found = [each for each in held if wanted in ("", each.market.symbol)]
        return frame(call, [self._position_row(call, each) for each in found])

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        desk, market = self.futures, position.market
        mark, leverage = desk.bid(market), desk.leverage(call.account, market)
        return {
            "marginCoin": "USDT",
            "symbol": market.symbol,
            "holdSide": str(position.direction),
            "marginSize": text(position.notional(position.entry_price) / leverage),
            "available": text(abs(position.quantity)),
            "locked": "0",
            "total": text(abs(position.quantity)),
            "leverage": text(leverage),
            "achievedProfits": text(position.realised),
            "openPriceAvg": text(position.entry_price),
            "marginMode": name_of(MARGIN, desk.margin_mode(call.account, market)),
            "posMode": name_of(MODES, desk.book(call.account).position_mode),
            "unrealizedPL": text(position.unrealised(mark)),
            "liquidationPrice": "0",
            "markPrice": text(mark),
            "breakEvenPrice": text(position.entry_price),
            "keepMarginRate": "0.004",
            "openDelegateSize": "0",
            "assetMode": "single",
            "autoMargin": "off",
            **dict.fromkeys(("marginRatio", "deductedFee", "totalFee", "grant"), "0"),
            **dict.fromkeys(("takeProfit", "stopLoss", "takeProfitId", "stopLossId"), ""),
            "cTime": str(position.updated_ms),
            "uTime": str(position.updated_ms),
        }

    @route(f"GET {MIX}/account/accounts", costs=costs("account"))
    def futures_accounts(self, call: Call) -> Any:
        self._scope(call)
        return frame(call, [self._futures_wallet(call.account)])

    @route(f"GET {MIX}/account/account", costs=costs("account"))
    def futures_account(self, call: Call) -> Any:
        self._scope(call)
        market = self.futures.market(call.text("symbol"))
        leverage = int(self.futures.leverage(call.account, market))
        levers = dict.fromkeys(("crossedMarginLeverage", "isolatedLongLever", "isolatedShortLever"), leverage)
        modes = {
            "marginMode": name_of(MARGIN, self.futures.margin_mode(call.account, market)),
            "posMode": name_of(MODES, self.futures.book(call.account).position_mode),
        }
        return frame(call, {**self._futures_wallet(call.account), **levers, **modes})

    def _futures_wallet(self, account: Account) -> dict[str, Any]:
        wallet = self.futures.rules.wallet
        profit, free = account.unrealised(wallet, "USDT"), text(max(account.free(wallet, "USDT"), ZERO))
        total = account.total(wallet, "USDT")
        names = ("crossedMaxAvailable", "isolatedMaxAvailable", "maxTransferOut")
        equity = dict.fromkeys(("accountEquity", "usdtEquity"), text(total + profit))
        return {
            "marginCoin": "USDT",
            "locked": "0",
            "available": text(total),
            **dict.fromkeys(names, free),
            **equity,
            "unrealizedPL": text(profit),
            "crossedUnrealizedPL": text(profit),
            **dict.fromkeys(("isolatedUnrealizedPL", "isolatedMargin", "crossedRiskRate", "coupon"), "0"),
            "crossedMargin": text(account.locked(wallet, "USDT")),
            "assetMode": "single",
        }

    @route(f"POST {MIX}/account/set-leverage", costs=costs("settings"))
    def set_leverage(self, call: Call) -> Any:
        self._scope(call)
        self.futures.set_leverage(call.account, call.text("symbol"), call.decimal("leverage"))
        return frame(call, {"symbol": call.text("symbol"), "crossMarginLeverage": call.text("leverage")})

    @route(f"POST {MIX}/account/set-margin-mode", costs=costs("settings"))
    def set_margin_mode(self, call: Call) -> Any:
        self._scope(call)
        self._set_margin_mode(call, call.text("symbol"), call.one_of("marginMode", MARGIN))
        return frame(call, {"symbol": call.text("symbol"), "marginMode": call.text("marginMode")})

    @route(f"POST {MIX}/account/set-position-mode", costs=costs("settings"))
    def set_position_mode(self, call: Call) -> Any:
        self._scope(call)
        self.futures.set_position_mode(call.account, call.one_of("posMode", MODES))
        return frame(call, {"posMode": call.text("posMode")})

    @route(f"GET {SPOT}/account/assets", costs=costs("account"))
    def assets(self, call: Call) -> Any:
        account, wallet = call.account, self.spot.rules.wallet
        rows = []
        for coin in account.wallets[wallet]:
            if call.text("coin", coin) != coin:
                continue
            total, locked = account.total(wallet, coin), account.locked(wallet, coin)
            row = {"coin": coin, "available": text(total - locked), "frozen": text(locked), "locked": "0"}
            rows.append({**row, "limitAvailable": "0", "uTime": str(call.now_ms)})
        return frame(call, rows)

    @route(f"GET {SPOT}/account/info", costs=costs("info"))
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        rights = ["stow", "coow", "cpow"] if "trade" in may else ["stor", "coor", "cpor"]
        rights += ["wwow"] if "withdraw" in may else []
        return frame(call, {"userId": "1", "ips": "", "authorities": rights, "traderType": "not_trader"})
