"""What Phemex trades and at what prices: coins, pairs, perpetuals, tickers, books. Spot is told in scaled whole numbers,
perpetuals in decimals. https://phemex-docs.github.io/ (read 2026-11-22)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.phemex_frame import PhemexFrame, ok
from exchanges.sandbox.model import ZERO, Market, text
from exchanges.sandbox.wire import Call
from exchanges.types import Product

D = Decimal
#: prices and amounts of spot are shifted by so many decimals
SCALE = 8
#: base, its number, tick and step of the perpetual, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", 1, "0.1", "0.001", "0.01", "0.000001"),
    ("ETH", 4, "0.01", "0.01", "0.01", "0.00001"),
    ("XRP", 5, "0.0001", "0.1", "0.0001", "0.1"),
    ("LTC", 10, "0.01", "0.1", "0.01", "0.001"),
    ("SOL", 60, "0.01", "0.1", "0.01", "0.001"),
    ("DOGE", 48, "0.00001", "1", "0.00001", "1"),
)
NUMBERS = {"USDT": 3} | {base: number for base, number, *_ in COINS}


def _market(base: str, product: Product, tick: str, step: str) -> Market:
    spot = product is Product.SPOT
    return Market(
        f"{'s' if spot else ''}{base}USDT",
        base,
        "USDT",
        product,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(10 if spot else 1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
    )


SPOT = tuple(_market(base, Product.SPOT, tick, step) for base, _, _, _, tick, step in COINS)
LINEAR = tuple(_market(base, Product.LINEAR, tick, step) for base, _, tick, step, _, _ in COINS)


class PhemexMarkets(PhemexFrame):
    @route("GET /public/time", public=True)
    def time(self, call: Call) -> Any:
        return ok({"serverTime": call.now_ms})

    @route("GET /public/products", public=True)
    def products(self, call: Call) -> Any:
        return ok(
            {
                "currencies": [_currency_row(name) for name in NUMBERS],
                "products": [_spot_row(each) for each in self.spot.markets.values()],
                "perpProductsV2": [_perpetual_row(each) for each in self.linear.markets.values()],
            }
        )

    @route("GET /exchange/public/cfg/v2/products", "GET /cfg/v2/products", public=True)
    def older_products(self, call: Call) -> Any:
        """With the coin-margined ones, of which there are none, and their limits."""
        none = dict.fromkeys(
            ("riskLimits", "leverages", "riskLimitsV2", "leveragesV2", "leverageMargins"), ()
        )
        return ok(self.products(call)["data"] | none | {"ratioScale": 8})

    @route("GET /v1/exchange/public/products", public=True)
    def coin_margined(self, call: Call) -> Any:
        """None of them is simulated."""
        return ok([])

    @route("GET /md/spot/ticker/24hr", "GET /v1/md/spot/ticker/24hr", public=True)
    def spot_ticker(self, call: Call) -> Any:
        return _told(self._spot_ticker(call, self.spot.market(call.text("symbol"))))

    @route("GET /md/spot/ticker/24hr/all", "GET /v1/md/spot/ticker/24hr/all", public=True)
    def spot_tickers(self, call: Call) -> Any:
        return _told([self._spot_ticker(call, each) for each in self.spot.markets.values()])

    def _spot_ticker(self, call: Call, market: Market) -> dict[str, Any]:
        last = scaled(self.spot.bid(market))
        day = dict.fromkeys(("highEp", "lowEp", "openEp", "lastEp", "bidEp"), last)
        return {"symbol": market.symbol, **day, "askEp": scaled(self.spot.ask(market)), **_day(call)}

    @route(
        *(f"GET {version}/md/{name}" for version in ("", "/v1") for name in ("orderbook", "fullbook")),
        public=True,
    )
    def spot_book(self, call: Call) -> Any:
        market = self.spot.market(call.text("symbol"))
        bid, ask = scaled(self.spot.bid(market)), scaled(self.spot.ask(market))
        return _told({"book": {"asks": [[ask, 10**10]], "bids": [[bid, 10**10]]}, **_snapshot(call, market)})

    @route("GET /md/v2/orderbook", public=True)
    def book(self, call: Call) -> Any:
        market = self.linear.market(call.text("symbol"))
        bid, ask = text(self.linear.bid(market)), text(self.linear.ask(market))
        levels = {"asks": [[ask, "1000"]], "bids": [[bid, "1000"]]}
        return _told({"orderbook_p": levels, **_snapshot(call, market)})

    @route("GET /md/v2/ticker/24hr", "GET /md/v3/ticker/24hr", public=True)
    def ticker(self, call: Call) -> Any:
        return _told(self._ticker(call, self.linear.market(call.text("symbol"))))

    @route("GET /md/v2/ticker/24hr/all", "GET /md/v3/ticker/24hr/all", public=True)
    def tickers(self, call: Call) -> Any:
        return _told([self._ticker(call, each) for each in self.linear.markets.values()])

    def _ticker(self, call: Call, market: Market) -> dict[str, Any]:
        last, new = text(self.linear.bid(market)), call.path.startswith("/md/v3")
        names = "lastRp bidRp indexRp markRp" if new else "closeRp indexPriceRp markPriceRp"
        prices = dict.fromkeys((*names.split(), "highRp", "lowRp", "openRp"), last)
        prices |= {"askRp": text(self.linear.ask(market))} if new else {}
        return {"symbol": market.symbol, **prices, "fundingRateRr": "0.0001", **_day(call)}


def _told(result: Any) -> dict[str, Any]:
    return {"error": None, "id": 0, "result": result}


def scaled(value: Decimal | None) -> int:
    return int((value or ZERO).scaleb(SCALE))


def _day(call: Call) -> dict[str, Any]:
    return {"timestamp": call.now_ms * 1_000_000, "turnoverEv": 0, "volumeEv": 0}


def _snapshot(call: Call, market: Market) -> dict[str, Any]:
    told = {"depth": 30, "sequence": call.now_ms, "timestamp": call.now_ms * 1_000_000}
    return {"symbol": market.symbol, **told, "type": "snapshot"}


def _currency_row(name: str) -> dict[str, Any]:
    row = {"currency": name, "name": name, "code": NUMBERS[name], "valueScale": SCALE, "status": "Listed"}
    return row | {"minValueEv": 1, "maxValueEv": 5_000_000_000_000_000_000, "assetsPrecision": 8}


def _spot_row(market: Market) -> dict[str, Any]:
    tick, step, base = text(market.tick), text(market.step), market.base
    return {
        "symbol": market.symbol,
        "type": "Spot",
        "displaySymbol": f"{base} / {market.quote}",
        "baseCurrency": base,
        "quoteCurrency": market.quote,
        "priceScale": SCALE,
        "ratioScale": 8,
        "baseTickSize": f"{step} {base}",
        "baseTickSizeEv": scaled(market.step),
        "quoteTickSize": f"{tick} {market.quote}",
        "quoteTickSizeEv": scaled(market.tick),
        "minOrderValue": f"{text(market.min_notional)} {market.quote}",
        "minOrderValueEv": scaled(market.min_notional),
        "maxBaseOrderSize": f"{text(market.max_quantity)} {base}",
        "maxBaseOrderSizeEv": scaled(market.max_quantity),
        "maxOrderValue": f"5,000,000 {market.quote}",
        "defaultTakerFee": "0.001",
        "defaultMakerFee": "0.001",
        "status": "Listed",
        "listTime": 1_589_338_800_000,
    }


def _perpetual_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "type": "PerpetualV2",
        "displaySymbol": f"{market.base} / {market.quote}",
        "contractUnderlyingAssets": market.base,
        "baseCurrency": market.base,
        "quoteCurrency": market.quote,
        "settleCurrency": market.quote,
        "tickSize": text(market.tick),
        "priceScale": 0,
        "ratioScale": 0,
        "qtyStepSize": text(market.step),
        "minOrderValueRv": text(market.min_notional),
        "maxOrderQtyRq": text(market.max_quantity),
        "defaultLeverage": "-10",
        "maxLeverage": int(market.max_leverage),
        "status": "Listed",
        "listTime": 1_668_225_600_000,
    }
