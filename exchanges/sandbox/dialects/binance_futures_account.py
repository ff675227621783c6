"""Binance futures without the orders (addresses as USD-M has them): markets, prices, settings, balances, positions, trades.

Sources (read 2026-11-22): developers.binance.com/docs/derivatives/usds-margined-futures (account/rest-api/
Account-Information-V3, trade/rest-api/Position-Information-V2 and V3, error-code).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance_frame import COMMON, Binance, Words, eight, worded
from exchanges.sandbox.dialects.binance_markets import FUTURES_MARKETS, futures_symbol
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    Fill,
    Market,
    Reason,
    Rejected,
    Rules,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call
from exchanges.types import (
    Direction,
    MarginMode,
    PositionMode,
    Product,
    Side,
)

FUTURES: Words = {
    **COMMON,
    Reason.PRICE_TICK: (400, -4014, "Price not increased by tick size."),
    Reason.TRIGGER_TICK: (400, -4014, "Price not increased by tick size."),
    Reason.PRECISION: (400, -1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_STEP: (400, -1111, "Precision is over the maximum defined for this asset."),
    Reason.MIN_QUANTITY: (400, -4003, "Quantity less than or equal to zero."),
    Reason.MAX_QUANTITY: (400, -4005, "Quantity greater than max quantity."),
    Reason.MIN_NOTIONAL: (
        400,
        -4164,
        "Order's notional must be no smaller than {} (unless you choose reduce only).",
    ),
    Reason.DUPLICATE: (400, -4116, "ClientOrderId is duplicated."),
    Reason.INSUFFICIENT: (400, -2019, "Margin is insufficient."),
    Reason.REDUCE_ONLY: (400, -2022, "ReduceOnly Order is rejected."),
    Reason.POSITION_MODE: (400, -4061, "Order's position side does not match user's setting."),
    Reason.WOULD_TRIGGER: (400, -2021, "Order would immediately trigger."),
    Reason.POST_ONLY: (
        400,
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Reason.NOT_FILLABLE: (
        400,
        -5021,
        "Due to the order could not be filled immediately, the FOK order has been rejected.",
    ),
    Reason.STOP_REFUSED: (400, -4045, "Reach max stop order limit."),
    Reason.TOO_MANY_ORDERS: (400, -2025, "Reach max open order limit."),
    Reason.CLOSE_POSITION_EXISTS: (
        400,
        -4130,
        "An open stop or take profit order with GTE and closePosition in the direction is existing.",
    ),
    Reason.ENDPOINT: (
        400,
        -4120,
        "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
    ),
    Reason.LEVERAGE: (400, -4028, "Leverage {} is not valid"),
}
_MARGIN_TYPES = {
    "ISOLATED": MarginMode.ISOLATED,
    "CROSSED": MarginMode.CROSS,
    "CROSS": MarginMode.CROSS,
}


def weights(root: str) -> dict[str, int]:
    """Of requests that name no symbol."""
    listed = {"openOrders": 40, "openAlgoOrders": 40, "ticker/bookTicker": 5, "premiumIndex": 10}
    return {f"{root}/v1/{name}": weight for name, weight in listed.items()}


class FuturesAccount(Binance):
    """All of the venue but its orders."""

    product = Product.LINEAR
    words = FUTURES
    #: what may be margin, as far as there is money of it
    assets: ClassVar[tuple[str, ...]] = ("USDT", "USDC", "BTC", "ETH", "BNB")
    markets = FUTURES_MARKETS
    rules = Rules(
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        wallet="futures",
        new_id_on_trigger=True,
        flat_cancels_resting=True,
        flat_cancels_waiting=False,
        amending_to_filled_cancels=True,
        max_open_orders=200,
    )
    #: both kinds of futures draw on one limit
    metered_as = "binance futures"
    limits = (
        Limit("used-weight-1m", "weight", 2400, 60, Owner.ADDRESS, ban_after=20, ban_seconds=120),
        Limit("order-count-10s", "orders", 300, 10),
        Limit("order-count-1m", "orders_minute", 1200, 60),
    )
    weight_of_all = weights("/fapi")
    #: what the one step of leverage is bound to
    bracket: ClassVar[Mapping[str, int]] = {"notionalCap": 40_000_000, "notionalFloor": 0}

    # -- market data -------------------------------------------------------------------------------------

    @route("GET /fapi/v1/ping", public=True)
    def ping(self, call: Call) -> Any:
        return {}

    @route("GET /fapi/v1/time", public=True)
    def time(self, call: Call) -> Any:
        return {"serverTime": call.now_ms}

    @route("GET /fapi/v1/exchangeInfo", public=True)
    def exchange_info(self, call: Call) -> Any:
        limits = (
            ("REQUEST_WEIGHT", "MINUTE", 1, 2400),
            ("ORDERS", "MINUTE", 1, 1200),
            ("ORDERS", "SECOND", 10, 300),
        )
        return {
            "timezone": "UTC",
            "serverTime": call.now_ms,
            "futuresType": "U_MARGINED",
            "rateLimits": [
                {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
                for kind, interval, number, limit in limits
            ],
            "exchangeFilters": [],
            "assets": [
                {"asset": asset, "marginAvailable": True, "autoAssetExchange": "0"}
                for asset in ("USDT", "USDC")
            ],
            "symbols": [futures_symbol(market) for market in self.markets],
        }

    @route("GET /fapi/v1/ticker/bookTicker", public=True, costs={"weight": 2})
    def book_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, [{**row, "time": call.now_ms} for row in self.tickers(call)])

    @route("GET /fapi/v1/ticker/price", "GET /fapi/v2/ticker/price", public=True)
    def price_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, [{**row, "time": call.now_ms} for row in self.prices(call)])

    @route("GET /fapi/v1/ticker/24hr", public=True)
    def day_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, self.days(call))

    @route("GET /fapi/v1/depth", public=True, costs={"weight": 5})
    def depth(self, call: Call) -> Any:
        return {**self.depth_of(call), "E": call.now_ms, "T": call.now_ms}

    @route("GET /fapi/v1/premiumIndex", public=True)
    def premium_index(self, call: Call) -> Any:
        rows = [
            {
                "symbol": market.symbol,
                "markPrice": eight(self.desk.bid(market)),
                "indexPrice": eight(self.desk.bid(market)),
                "estimatedSettlePrice": eight(self.desk.bid(market)),
                "lastFundingRate": "0.00010000",
                "interestRate": "0.00010000",
                "nextFundingTime": (call.now_ms // 28_800_000 + 1) * 28_800_000,
                "time": call.now_ms,
            }
            for market in self.symbol_or_all(call)
        ]
        return self.one_or_all(call, rows)

    # -- settings ----------------------------------------------------------------------------------------

    @route("POST /fapi/v1/leverage", trading=True)
    def set_leverage(self, call: Call) -> Any:
        market, leverage = self.symbol(call), call.integer("leverage")
        self.desk.set_leverage(call.account, market.symbol, Decimal(leverage))
        return {"symbol": market.symbol, "leverage": leverage, "maxNotionalValue": "40000000"}

    @route("POST /fapi/v1/marginType", trading=True)
    def set_margin_type(self, call: Call) -> Any:
        market, mode = self.symbol(call), call.one_of("marginType", _MARGIN_TYPES)
        try:
            self.desk.set_margin_mode(call.account, market.symbol, mode)
        except Rejected as refused:
            raise worded(refused.reason, _MARGIN_WORDS) from None
        return {"code": 200, "msg": "success"}

    @route("GET /fapi/v1/positionSide/dual", costs={"weight": 30})
    def position_mode(self, call: Call) -> Any:
        return {"dualSidePosition": self._hedged(call.account)}

    @route("POST /fapi/v1/positionSide/dual", trading=True)
    def set_position_mode(self, call: Call) -> Any:
        mode = PositionMode.HEDGE if call.flag("dualSidePosition") else PositionMode.ONE_WAY
        try:
            self.desk.set_position_mode(call.account, mode)
        except Rejected as refused:
            raise worded(refused.reason, _MODE_WORDS) from None
        return {"code": 200, "msg": "success"}

    @route("GET /fapi/v1/symbolConfig", costs={"weight": 5})
    def symbol_config(self, call: Call) -> Any:
        return [
            {
                "symbol": market.symbol,
                "marginType": _margin_word(self.desk.margin_mode(call.account, market)),
                "isAutoAddMargin": False,
                "leverage": int(self.desk.leverage(call.account, market)),
                "maxNotionalValue": "40000000",
            }
            for market in self.symbol_or_all(call)
        ]

    @route("GET /fapi/v1/accountConfig", costs={"weight": 5})
    def account_config(self, call: Call) -> Any:
        return {
            "feeTier": 0,
            "canTrade": "trade" in call.account.permissions,
            "canDeposit": True,
            "canWithdraw": "withdraw" in call.account.permissions,
            "dualSidePosition": self._hedged(call.account),
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    @route("GET /fapi/v1/multiAssetsMargin", costs={"weight": 30})
    def multi_assets(self, call: Call) -> Any:
        return {"multiAssetsMargin": False}

    @route("POST /fapi/v1/multiAssetsMargin", trading=True)
    def set_multi_assets(self, call: Call) -> Any:
        """Off, and stays so."""
        raise worded(
            Reason.HAS_POSITION if call.flag("multiAssetsMargin") else Reason.NOT_MODIFIED, _ASSETS_WORDS
        )

    @route("GET /fapi/v1/commissionRate", costs={"weight": 20})
    def commission_rate(self, call: Call) -> Any:
        rates = {"makerCommissionRate": self.rules.maker_fee, "takerCommissionRate": self.rules.taker_fee}
        return {"symbol": self.symbol(call).symbol, **{name: text(rate, 6) for name, rate in rates.items()}}

    @route("GET /fapi/v1/leverageBracket")
    def leverage_brackets(self, call: Call) -> Any:
        return [
            {
                "symbol": market.symbol,
                "brackets": [
                    {
                        "bracket": 1,
                        "initialLeverage": int(market.max_leverage),
                        **self.bracket,
                        "maintMarginRatio": Decimal("0.004"),
                        "cum": 0,
                    }
                ],
            }
            for market in self.symbol_or_all(call)
        ]

    # -- account -----------------------------------------------------------------------------------------

    @route("GET /fapi/v2/balance", "GET /fapi/v3/balance", costs={"weight": 5})
    def balance(self, call: Call) -> Any:
        return [
            {
                "accountAlias": call.account.fingerprint,
                "asset": asset,
                "balance": eight(total),
                "crossWalletBalance": eight(total),
                "crossUnPnl": eight(call.account.unrealised(self.rules.wallet, asset)),
                "availableBalance": eight(max(call.account.free(self.rules.wallet, asset), ZERO)),
                "maxWithdrawAmount": eight(max(call.account.free(self.rules.wallet, asset), ZERO)),
                "marginAvailable": True,
                "updateTime": call.now_ms,
            }
            for asset, total in self._assets(call.account)
        ]

    @route("GET /fapi/v2/account", "GET /fapi/v3/account", costs={"weight": 5})
    def account_info(self, call: Call) -> Any:
        assets = [self._asset(call.account, asset, total) for asset, total in self._assets(call.account)]
        sums = {
            f"total{name[0].upper()}{name[1:]}": eight(sum((Decimal(row[name]) for row in assets), ZERO))
            for name in _SUMMED
        }
        available = sum((Decimal(row["availableBalance"]) for row in assets), ZERO)
        return {
            "feeTier": 0,
            "canTrade": "trade" in call.account.permissions,
            "canDeposit": True,
            "canWithdraw": "withdraw" in call.account.permissions,
            "multiAssetsMargin": False,
            "updateTime": 0,
            **sums,
            "availableBalance": eight(available),
            "maxWithdrawAmount": eight(available),
            "assets": assets,
            "positions": [
                {
                    **self._position(call.account, position),
                    "unrealizedProfit": eight(position.unrealised(self.desk.bid(position.market))),
                    "maintMargin": eight(_maintenance(position, self.desk.bid(position.market))),
                    "leverage": text(self.desk.leverage(call.account, position.market)),
                    "isolated": self.desk.margin_mode(call.account, position.market) is MarginMode.ISOLATED,
                }
                for position in self._positions(call.account, self.desk.markets.values())
                if position.quantity or call.path.startswith("/fapi/v2")
            ],
        }

    def _assets(self, account: Account) -> list[tuple[str, Decimal]]:
        return [
            (asset, total)
            for asset, total in account.wallets[self.rules.wallet].items()
            if asset in self.assets
        ]

    def _asset(self, account: Account, asset: str, total: Decimal) -> dict[str, Any]:
        profit = account.unrealised(self.rules.wallet, asset)
        free = max(account.free(self.rules.wallet, asset), ZERO)
        held = [each for each in self.desk.book(account).open_positions() if each.market.settle == asset]
        margin = sum((self._margin(account, each) for each in held), ZERO)
        kept = sum((_maintenance(each, self.desk.bid(each.market)) for each in held), ZERO)
        locked = account.locked(self.rules.wallet, asset)
        return {
            "asset": asset,
            "walletBalance": eight(total),
            "unrealizedProfit": eight(profit),
            "marginBalance": eight(total + profit),
            "maintMargin": eight(kept),
            "initialMargin": eight(locked),
            "positionInitialMargin": eight(margin),
            "openOrderInitialMargin": eight(max(locked - margin, ZERO)),
            "crossWalletBalance": eight(total),
            "crossUnPnl": eight(profit),
            "availableBalance": eight(free),
            "maxWithdrawAmount": eight(free),
            "marginAvailable": True,
            "updateTime": self.desk.now_ms(),
        }

    @route("GET /fapi/v1/positionRisk", "GET /fapi/v2/positionRisk", costs={"weight": 5})
    def position_risk_v2(self, call: Call) -> Any:
        """Every symbol, with a position or without; V3 lists only what there is."""
        return [
            {**self._risk(call.account, each), "maxNotionalValue": "40000000"}
            for each in self._positions(call.account, self.symbol_or_all(call))
        ]

    def _risk(self, account: Account, position: Position) -> dict[str, Any]:
        market, mark = position.market, self.desk.bid(position.market)
        isolated = self.desk.margin_mode(account, market) is MarginMode.ISOLATED
        return {
            **self._position(account, position),
            "markPrice": eight(mark),
            "unRealizedProfit": eight(position.unrealised(mark)),
            "liquidationPrice": "0",
            "leverage": text(self.desk.leverage(account, market)),
            "marginType": "isolated" if isolated else "cross",
            "isAutoAddMargin": "false",
        }

    @route("GET /fapi/v3/positionRisk", costs={"weight": 5})
    def position_risk_v3(self, call: Call) -> Any:
        rows = []
        for position in self._positions(call.account, self.symbol_or_all(call)):
            market, mark = position.market, self.desk.bid(position.market)
            if not position.quantity:
                continue
            rows.append(
                {
                    **self._position(call.account, position),
                    "markPrice": eight(mark),
                    "unRealizedProfit": eight(position.unrealised(mark)),
                    "liquidationPrice": "0",
                    "marginAsset": market.settle,
                    "maintMargin": eight(_maintenance(position, mark)),
                    "openOrderInitialMargin": "0",
                    "adl": 1,
                    "bidNotional": "0",
                    "askNotional": "0",
                }
            )
        return rows

    def _positions(self, account: Account, markets: Any) -> list[Position]:
        book = self.desk.book(account)
        sides: tuple[Direction | None, ...] = (None,)
        if book.position_mode is PositionMode.HEDGE:
            sides = (Direction.LONG, Direction.SHORT)
        return [book.position(market, side) for market in markets for side in sides]

    def _margin(self, account: Account, position: Position) -> Decimal:
        mark = self.desk.bid(position.market)
        return position.notional(mark) / self.desk.leverage(account, position.market)

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        market, mark = position.market, self.desk.bid(position.market)
        margin = self._margin(account, position)
        isolated = self.desk.margin_mode(account, market) is MarginMode.ISOLATED and position.quantity
        return {
            "symbol": market.symbol,
            "positionSide": (position.side or "both").upper(),
            "positionAmt": text(position.quantity, decimals_of(market.step)),
            "entryPrice": text(position.entry_price),
            "breakEvenPrice": text(position.entry_price),
            "notional": eight(position.quantity * mark),
            "isolatedMargin": eight(margin) if isolated else "0",
            "isolatedWallet": eight(margin) if isolated else "0",
            "initialMargin": eight(margin),
            "positionInitialMargin": eight(margin),
            "updateTime": position.updated_ms,
        }

    def _hedged(self, account: Account) -> bool:
        return self.desk.book(account).position_mode is PositionMode.HEDGE

    @route("GET /fapi/v1/userTrades", costs={"weight": 5})
    def user_trades(self, call: Call) -> Any:
        market, order_id = self.symbol(call), call.text("orderId", "")
        rows = [
            {
                **self._worth(market, fill),
                "symbol": fill.symbol,
                "id": fill.id,
                "orderId": int(fill.order_id),
                "side": fill.side.upper(),
                "price": text(fill.price),
                "qty": text(fill.quantity),
                "realizedPnl": eight(fill.realised),
                "commission": eight(fill.fee),
                "commissionAsset": fill.fee_asset,
                "time": fill.time_ms,
                "positionSide": (fill.position_side or "both").upper(),
                "buyer": fill.side is Side.BUY,
                "maker": fill.maker,
            }
            for fill in self.desk.book(call.account).fills[-1000:]
            if fill.symbol == market.symbol and order_id in ("", fill.order_id)
        ]
        return self.windowed(call, rows, first="fromId", key="id")

    def _worth(self, market: Market, fill: Fill) -> dict[str, Any]:
        return {"quoteQty": text(market.value(fill.quantity, fill.price))}


_SUMMED = (
    "initialMargin",
    "maintMargin",
    "walletBalance",
    "unrealizedProfit",
    "marginBalance",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "crossWalletBalance",
    "crossUnPnl",
)
_MARGIN_WORDS: Words = {
    Reason.NOT_MODIFIED: (400, -4046, "No need to change margin type."),
    Reason.HAS_OPEN_ORDERS: (400, -4047, "Margin type cannot be changed if there exists open orders."),
    Reason.HAS_POSITION: (400, -4048, "Margin type cannot be changed if there exists position."),
}
_ASSETS_WORDS: Words = {
    Reason.NOT_MODIFIED: (400, -4171, "No need to change Multi-Assets mode."),
    Reason.HAS_POSITION: (400, -4168, "Unable to adjust to Multi-Assets mode."),
}
_MODE_WORDS: Words = {
    Reason.NOT_MODIFIED: (400, -4059, "No need to change position side."),
    Reason.HAS_OPEN_ORDERS: (400, -4067, "Position side cannot be changed if there exists open orders."),
    Reason.HAS_POSITION: (400, -4068, "Position side cannot be changed if there exists position."),
}


def _margin_word(mode: MarginMode) -> str:
    return "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED"


def _maintenance(position: Position, mark: Decimal) -> Decimal:
    return position.notional(mark) * Decimal("0.004")
