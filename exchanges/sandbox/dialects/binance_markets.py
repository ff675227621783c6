"""Binance's markets in the sandbox, and how exchangeInfo describes them: typical steps and minima as of 2026."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialects.binance_frame import eight
from exchanges.sandbox.model import ZERO, Market, decimals_of, text
from exchanges.types import OrderType, Product

SPOT_TYPES = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "STOP_LOSS": OrderType.STOP,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
MARKET_TYPES = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT}
ALGO_TYPES = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
#: base, quote, tick, step, least notional
_SPOT = (
    ("BTC", "USDT", "0.01", "0.00001", "5"),
    ("ETH", "USDT", "0.01", "0.0001", "5"),
    ("SOL", "USDT", "0.01", "0.001", "5"),
    ("XRP", "USDT", "0.0001", "0.1", "5"),
    ("DOGE", "USDT", "0.00001", "1", "1"),
    ("LTC", "USDT", "0.01", "0.001", "5"),
    ("BTC", "USDC", "0.01", "0.00001", "5"),
    ("ETH", "USDC", "0.01", "0.0001", "5"),
    ("SOL", "USDC", "0.01", "0.001", "5"),
    ("XRP", "USDC", "0.0001", "0.1", "5"),
    ("DOGE", "USDC", "0.00001", "1", "1"),
    ("LTC", "USDC", "0.01", "0.001", "5"),
    ("ETH", "BTC", "0.00001", "0.0001", "0.0001"),
)
#: base, quote, tick, price decimals, step, least notional, greatest leverage
_FUTURES = (
    ("BTC", "USDT", "0.10", 2, "0.001", "100", 125),
    ("ETH", "USDT", "0.01", 2, "0.001", "20", 125),
    ("SOL", "USDT", "0.0100", 4, "0.01", "5", 100),
    ("XRP", "USDT", "0.0001", 4, "0.1", "5", 75),
    ("DOGE", "USDT", "0.000010", 6, "1", "5", 75),
    ("LTC", "USDT", "0.01", 2, "0.001", "20", 75),
    ("BTC", "USDC", "0.1", 1, "0.001", "100", 125),
    ("ETH", "USDC", "0.01", 2, "0.001", "20", 100),
    ("SOL", "USDC", "0.0100", 4, "0.01", "5", 100),
    ("XRP", "USDC", "0.0001", 4, "0.1", "5", 75),
    ("DOGE", "USDC", "0.000010", 6, "1", "5", 75),
    ("LTC", "USDC", "0.01", 2, "0.001", "20", 75),
)
#: margined in their coin: base, tick, price decimals, dollars in a contract, greatest leverage
_INVERSE = (
    ("BTC", "0.1", 1, 100, 125),
    ("ETH", "0.01", 2, 10, 100),
    ("SOL", "0.001", 3, 10, 50),
    ("XRP", "0.0001", 4, 10, 75),
    ("DOGE", "0.00001", 5, 10, 50),
    ("LTC", "0.01", 2, 10, 75),
)


SPOT_MARKETS = tuple(
    Market(
        symbol=base + quote,
        base=base,
        quote=quote,
        product=Product.SPOT,
        tick=Decimal(tick),
        step=Decimal(step),
        min_quantity=Decimal(step),
        min_notional=Decimal(notional),
        max_quantity=Decimal(9_000_000),
        max_market_quantity=Decimal(3_000_000),
    )
    for base, quote, tick, step, notional in _SPOT
)
FUTURES_MARKETS = tuple(
    Market(
        symbol=base + quote,
        base=base,
        quote=quote,
        product=Product.LINEAR,
        tick=Decimal(tick),
        step=Decimal(step),
        min_quantity=Decimal(step),
        min_notional=Decimal(notional),
        max_quantity=Decimal(10_000_000) if Decimal(step) >= Decimal("0.1") else Decimal(1000),
        max_market_quantity=Decimal(1_000_000) if Decimal(step) >= Decimal("0.1") else Decimal(120),
        max_leverage=Decimal(leverage),
        extra={"decimals": decimals},
    )
    for base, quote, tick, decimals, step, notional, leverage in _FUTURES
)
INVERSE_MARKETS = tuple(
    Market(
        symbol=f"{base}USD_PERP",
        base=base,
        quote="USD",
        product=Product.INVERSE,
        tick=Decimal(tick),
        step=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(1_000_000),
        max_market_quantity=Decimal(60_000),
        contract_size=Decimal(dollars),
        max_leverage=Decimal(leverage),
        extra={"decimals": decimals},
    )
    for base, tick, decimals, dollars, leverage in _INVERSE
)


def spot_symbol(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(SPOT_TYPES),
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def _filters(market: Market) -> list[dict[str, Any]]:
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": eight(market.tick),
            "maxPrice": "1000000.00000000",
            "tickSize": eight(market.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": eight(market.min_quantity),
            "maxQty": eight(market.max_quantity),
            "stepSize": eight(market.step),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": eight(ZERO),
            "maxQty": eight(market.max_market_quantity),
            "stepSize": eight(ZERO),
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(market.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]


def futures_symbol(market: Market) -> dict[str, Any]:
    decimals = market.extra["decimals"]
    return {
        "symbol": market.symbol,
        "pair": market.symbol.partition("_")[0],
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.settle,
        "pricePrecision": decimals,
        "quantityPrecision": decimals_of(market.step),
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": text(market.tick, decimals),
                "maxPrice": "4529764",
                "tickSize": text(market.tick, decimals),
            },
            _lot("LOT_SIZE", market, market.max_quantity),
            _lot("MARKET_LOT_SIZE", market, market.max_market_quantity),
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 100},
            {"filterType": "MIN_NOTIONAL", "notional": text(market.min_notional)},
        ],
        "orderTypes": [*MARKET_TYPES, *ALGO_TYPES],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def inverse_symbol(market: Market) -> dict[str, Any]:
    """developers.binance.com/docs/derivatives/coin-margined-futures/market-data/rest-api/Exchange-Information"""
    row = futures_symbol(market)
    rules = [each for each in row.pop("filters") if each["filterType"] != "MIN_NOTIONAL"]
    return {
        **row,
        "contractStatus": row.pop("status"),
        "contractSize": int(market.contract_size),
        "equalQtyPrecision": 4,
        "filters": rules,
    }


def _lot(name: str, market: Market, greatest: Decimal) -> dict[str, Any]:
    return {
        "filterType": name,
        "minQty": text(market.min_quantity),
        "maxQty": text(greatest),
        "stepSize": text(market.step),
    }
