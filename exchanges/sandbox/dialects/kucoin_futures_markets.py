"""What KuCoin futures trade and at what prices: contracts of `multiplier` coins, BTC is XBT; tickers, books, funding, steps
of risk. https://www.kucoin.com/docs-new/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_frame import KuCoinFrame, ok
from exchanges.sandbox.model import ZERO, Market, text
from exchanges.sandbox.wire import Call
from exchanges.types import Product

D = Decimal
#: base, tick, coins in a contract
COINS = (
    ("BTC", "0.1", "0.001"),
    ("ETH", "0.01", "0.01"),
    ("SOL", "0.001", "0.1"),
    ("XRP", "0.0001", "10"),
    ("DOGE", "0.00001", "100"),
    ("LTC", "0.01", "0.1"),
)


def _contract(base: str, coin: str, tick: str, size: str) -> Market:
    name = "XBT" if base == "BTC" else base
    return Market(
        f"{name}{coin}M",
        base,
        coin,
        Product.LINEAR,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
        contract_size=D(size),
        max_leverage=D(125),
        extra={"name": name},
    )


class KuCoinFuturesMarkets(KuCoinFrame):
    markets = (
        *(_contract(base, "USDT", tick, size) for base, tick, size in COINS),
        _contract("BTC", "USDC", "0.1", "0.001"),
    )

    @route("GET /api/v1/contracts/active", public=True, costs={"public": 3})
    def contracts(self, call: Call) -> Any:
        return ok([self._contract_row(market) for market in self.markets])

    def _contract_row(self, market: Market) -> dict[str, Any]:
        price = self.desk.bid(market)
        return {
            "symbol": market.symbol,
            "rootSymbol": market.quote,
            "type": "FFWCSX",
            "expireDate": None,
            "baseCurrency": market.extra["name"],
            "quoteCurrency": market.quote,
            "settleCurrency": market.quote,
            "maxOrderQty": market.max_quantity,
            "marketMaxOrderQty": market.max_market_quantity,
            "maxPrice": D(1_000_000),
            "lotSize": 1,
            "tickSize": market.tick,
            "multiplier": market.contract_size,
            "makerFeeRate": self.rules.maker_fee,
            "takerFeeRate": self.rules.taker_fee,
            "isInverse": False,
            "isQuanto": True,
            "status": "Open",
            "markPrice": price,
            "indexPrice": price,
            "lastTradePrice": price,
            "nextFundingRateTime": 1,
            "maxLeverage": market.max_leverage,
        }

    @route("GET /api/v1/ticker", public=True, costs={"public": 2})
    def ticker(self, call: Call) -> Any:
        return ok(self._ticker_row(call, self.desk.market(call.text("symbol"))))

    def _ticker_row(self, call: Call, market: Market) -> dict[str, Any]:
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        prices = {"price": bid, "bestBidPrice": bid, "bestAskPrice": ask}
        sizes = {"size": 1, "bestBidSize": 1000, "bestAskSize": 1000}
        numbers = {"sequence": call.now_ms, "tradeId": str(call.now_ms), "ts": call.now_ms * 1_000_000}
        return {"symbol": market.symbol, "side": "buy", **numbers, **prices, **sizes}

    @route("GET /api/v1/contracts/{symbol}", public=True, costs={"public": 3})
    def contract(self, call: Call) -> Any:
        return ok(self._contract_row(self.desk.market(call.text("symbol"))))

    @route("GET /api/v1/allTickers", public=True, costs={"public": 5})
    def tickers(self, call: Call) -> Any:
        return ok([self._ticker_row(call, market) for market in self.markets])

    @route(
        "GET /api/v1/level2/snapshot",
        "GET /api/v1/level2/depth20",
        "GET /api/v1/level2/depth100",
        public=True,
        costs={"public": 3},
    )
    def level2(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        told = {"symbol": market.symbol, "sequence": call.now_ms, "ts": call.now_ms * 1_000_000}
        return ok({**told, **self.levels(call, market)})

    @route("GET /api/v1/mark-price/{symbol}/current", public=True, costs={"public": 3})
    def mark_price(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        price = self.desk.bid(market)
        times = {"granularity": 1000, "timePoint": call.now_ms}
        return ok({"symbol": market.symbol, **times, "value": price, "indexPrice": price})

    @route("GET /api/v1/funding-rate/{symbol}/current", public=True, costs={"public": 2})
    def funding_rate(self, call: Call) -> Any:
        """None is paid."""
        symbol, turn = self.desk.market(call.text("symbol")).symbol, 28_800_000
        times = {
            "granularity": turn,
            "timePoint": call.now_ms,
            "fundingTime": call.now_ms // turn * turn + turn,
        }
        return ok({"symbol": symbol, **times, "value": ZERO, "predictedValue": ZERO, "period": 1})

    @route("GET /api/v1/contracts/risk-limit/{symbol}", public=True, costs={"public": 5})
    def risk_limits(self, call: Call) -> Any:
        """One step."""
        market = self.desk.market(call.text("symbol"))
        step = {"level": 1, "minRiskLimit": 0, "maxRiskLimit": 10_000_000, "maintainMargin": D("0.004")}
        most = {"maxLeverage": market.max_leverage, "initialMargin": D(text(1 / market.max_leverage, 4))}
        return ok([{"symbol": market.symbol, **step, **most}])
