"""Binance COIN-M perpetuals: contracts margined in their coin, at the addresses of USD-M under `/dapi`.

Sources: /docs/derivatives/coin-margined-futures/trade/Position-Information (read 2026-11-23 at developers.binance.me),
and ccxt 4.5.90, whose examples show accounts and orders, and which tells that the service of conditional orders is there
like on USD-M, and that orders of both kinds tell `cumQuote` and `cumBase`, of which one is 0. Positions come of all
contracts of a pair, and what was filled is told in coins. That prices of one symbol come as a list of one is unconfirmed.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import Route, route
from exchanges.sandbox.dialects.binance_frame import eight
from exchanges.sandbox.dialects.binance_futures import FuturesOrders
from exchanges.sandbox.dialects.binance_futures_account import weights
from exchanges.sandbox.dialects.binance_markets import INVERSE_MARKETS, inverse_symbol
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Fill, Market, Order, Reason, Rejected
from exchanges.sandbox.wire import Call
from exchanges.types import Product

ROOT = "/dapi"
#: what USD-M has and COIN-M has not
MISSING = (
    *("/v1/symbolConfig", "/v1/accountConfig", "/v1/multiAssetsMargin"),
    *("/v2/balance", "/v2/account", "/v2/positionRisk", "/v2/ticker", "/v3/"),
)


class BinanceInverse(FuturesOrders):
    name = "Binance_C"
    product = Product.INVERSE
    markets = INVERSE_MARKETS
    assets = tuple(market.base for market in INVERSE_MARKETS)
    rules = replace(FuturesOrders.rules, wallet="coin")
    weight_of_all = weights(ROOT)
    bracket = {"qtyCap": 1000, "qtyFloor": 0}

    @classmethod
    def find(cls, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """By the address that USD-M has for it."""
        rest = path.removeprefix(ROOT)
        if rest == path or rest.startswith(MISSING):
            return None
        return super().find(method, f"/fapi{rest}")

    @route("GET /fapi/v1/exchangeInfo", public=True)
    def exchange_info(self, call: Call) -> Any:
        told = super().exchange_info(call)
        return {
            **{name: told[name] for name in ("timezone", "serverTime", "rateLimits")},
            "exchangeFilters": [],
            "symbols": [inverse_symbol(market) for market in self.markets],
        }

    @staticmethod
    def one_or_all(_: Call, rows: list[dict[str, Any]]) -> Any:
        return [{**row, "pair": _pair(row["symbol"])} for row in rows]

    @route("GET /fapi/v1/account", costs={"weight": 5})
    def account_info(self, call: Call) -> Any:
        account = call.account
        return {
            "assets": [self._asset(account, asset, total) for asset, total in self._assets(account)],
            "positions": [
                {**self._risk(account, each), "maxQty": "1000"}
                for each in self._positions(account, self.markets)
            ],
            "canDeposit": True,
            "canTrade": "trade" in account.permissions,
            "canWithdraw": "withdraw" in account.permissions,
            "feeTier": 0,
            "updateTime": 0,
        }

    @route("GET /fapi/v1/balance")
    def balance(self, call: Call) -> Any:
        return super().balance(call)

    @route("GET /fapi/v1/positionRisk")
    def position_risk_v2(self, call: Call) -> Any:
        """Of every contract, held or not."""
        pair, coin = call.text("pair", ""), call.text("marginAsset", "")
        return [
            {**self._risk(call.account, each), "maxQty": "1000"}
            for each in self._positions(call.account, self.markets)
            if pair in ("", _pair(each.market.symbol)) and coin in ("", each.market.settle)
        ]

    @route("GET /fapi/v2/leverageBracket", "GET /fapi/v1/leverageBracket")
    def leverage_brackets(self, call: Call) -> Any:
        """The first version tells of pairs."""
        rows = super().leverage_brackets(call)
        if call.path.endswith("/v2/leverageBracket"):
            return rows
        named = [{"pair": _pair(row["symbol"]), "brackets": row["brackets"]} for row in rows]
        return [row for row in named if call.text("pair", row["pair"]) == row["pair"]]

    @route("GET /fapi/v1/depth", public=True, costs={"weight": 5})
    def depth(self, call: Call) -> Any:
        symbol = self.symbol(call).symbol
        return {**super().depth(call), "symbol": symbol, "pair": _pair(symbol)}

    def _changes(self, call: Call, order: Order) -> tuple[Decimal | None, Decimal]:
        """Either is enough: developers.binance.com/docs/derivatives/coin-margined-futures/trade/rest-api/Modify-Order (read
        2026-11-23)."""
        price, quantity = call.text("price", ""), call.text("quantity", "")
        if not price and not quantity:
            raise Rejected(Reason.MISSING_PARAMETER, "quantity")
        return (
            self._price(call, "price", order.market) if price else order.price,
            self._quantity(call, order.market) if quantity else order.quantity,
        )

    def _position(self, account: Account, position: Position) -> dict[str, Any]:
        """What it is worth is told in coins."""
        value = position.notional(self.desk.bid(position.market)).copy_sign(position.quantity)
        row = super()._position(account, position)
        del row["notional"]
        return {**row, "notionalValue": eight(value)}

    def _row(self, order: Order) -> dict[str, Any]:
        return {**super()._row(order), "pair": _pair(order.market.symbol)}

    def _cost(self, value: Decimal) -> dict[str, str]:
        return {"cumBase": eight(value), "cumQuote": "0"}

    def _worth(self, market: Market, fill: Fill) -> dict[str, Any]:
        return {
            "baseQty": eight(market.value(fill.quantity, fill.price)),
            "pair": _pair(market.symbol),
            "marginAsset": market.settle,
        }


def _pair(symbol: str) -> str:
    return symbol.partition("_")[0]
