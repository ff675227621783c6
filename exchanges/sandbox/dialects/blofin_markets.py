"""What BloFin trades and at what prices: perpetuals, tickers, books. https://docs.blofin.com/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.blofin_frame import BloFinFrame, frame
from exchanges.sandbox.model import Market, text
from exchanges.sandbox.wire import Call
from exchanges.types import Product

D = Decimal
#: base, tick, coins per contract, lot and smallest order in contracts
COINS = (
    ("BTC", "0.1", "0.001", "0.1"),
    ("ETH", "0.01", "0.01", "0.1"),
    ("SOL", "0.01", "1", "0.1"),
    ("XRP", "0.0001", "10", "0.1"),
    ("DOGE", "0.00001", "100", "0.1"),
    ("LTC", "0.01", "1", "0.01"),
)
MOST = D(10_000_000)
SWAPS = tuple(
    Market(
        symbol=f"{base}-USDT",
        base=base,
        quote="USDT",
        product=Product.LINEAR,
        tick=D(tick),
        step=D(lot),
        min_quantity=D(lot),
        max_quantity=MOST,
        max_market_quantity=MOST / 10,
        contract_size=D(size),
        max_leverage=D(125),
    )
    for base, tick, size, lot in COINS
)


class BloFinMarkets(BloFinFrame):
    @route("GET /api/v1/market/instruments", public=True)
    def instruments(self, call: Call) -> Any:
        return frame([_market_row(each) for each in self._asked(call)])

    @route("GET /api/v1/market/tickers", public=True)
    def tickers(self, call: Call) -> Any:
        return frame([self._ticker(each, call.now_ms) for each in self._asked(call)])

    @route("GET /api/v1/market/mark-price", public=True)
    def mark_price(self, call: Call) -> Any:
        rows = [
            {"instId": each.symbol, **dict.fromkeys(("indexPrice", "markPrice"), text(self.desk.bid(each)))}
            for each in self._asked(call)
        ]
        return frame([row | {"ts": str(call.now_ms)} for row in rows])

    @route("GET /api/v1/market/books", public=True)
    def book(self, call: Call) -> Any:
        market = self.desk.market(call.text("instId"))
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return frame([{"asks": [[ask, "1000"]], "bids": [[bid, "1000"]], "ts": str(call.now_ms)}])

    def _asked(self, call: Call) -> list[Market]:
        wanted = call.text("instId", "")
        return [self.desk.market(wanted)] if wanted else list(self.desk.markets.values())

    def _ticker(self, market: Market, now_ms: int) -> dict[str, Any]:
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        sizes = dict.fromkeys(("lastSize", "askSize", "bidSize", "vol24h", "volCurrency24h"), "1000")
        days = dict.fromkeys(("open24h", "high24h", "low24h"), bid)
        prices = {"last": bid, "bidPrice": bid, "askPrice": ask}
        return {"instId": market.symbol, **prices, **sizes, **days, "ts": str(now_ms)}


def _market_row(market: Market) -> dict[str, Any]:
    return {
        "instId": market.symbol,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "settleCurrency": market.quote,
        "contractValue": text(market.contract_size),
        "listTime": "1638333031000",
        "expireTime": "0",
        "maxLeverage": text(market.max_leverage),
        "minSize": text(market.min_quantity),
        "lotSize": text(market.step),
        "tickSize": text(market.tick),
        "instType": "SWAP",
        "contractType": "linear",
        "maxLimitSize": text(market.max_quantity),
        "maxMarketSize": text(market.max_market_quantity),
        "state": "live",
    }
