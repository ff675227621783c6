"""BingX as its clients see it: spot and USDT perpetuals of one host. Here are the markets, their prices, and the venues.

Documented at https://bingx-api.github.io/docs/ (read 2026-11-22 from stored copies; the answers as quoted by ccxt 4.5.90
and kept in github.com/JKorf/BingX.Net). Keys, signatures and refusals are in `bingx_frame`; orders in `bingx_spot` and
`bingx_swap`, with what they share in `bingx_orders` and `bingx_answers`; positions and settings in `bingx_account`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bingx_account import BingXAccount
from exchanges.sandbox.dialects.bingx_frame import ok
from exchanges.sandbox.dialects.bingx_spot import BingXSpotOrders
from exchanges.sandbox.dialects.bingx_swap import BingXSwapOrders
from exchanges.sandbox.engine import Desk
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ClientIds, Market, Rules, decimals_of, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product

D = Decimal
#: base, tick and step of the perpetual, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.0001", "0.01", "0.000001"),
    ("ETH", "0.01", "0.01", "0.01", "0.00001"),
    ("XRP", "0.0001", "1", "0.0001", "0.1"),
    ("LTC", "0.01", "0.1", "0.01", "0.001"),
    ("SOL", "0.01", "0.1", "0.01", "0.001"),
    ("DOGE", "0.00001", "1", "0.00001", "1"),
)


def _market(base: str, product: Product, tick: str, step: str) -> Market:
    return Market(
        f"{base}-USDT",
        base,
        "USDT",
        product,
        D(tick),
        D(step),
        min_quantity=D(step),
        min_notional=D(5 if product is Product.SPOT else 2),
        max_leverage=D(125),
    )


SPOT = tuple(_market(base, Product.SPOT, tick, step) for base, _, _, tick, step in COINS)
LINEAR = tuple(_market(base, Product.LINEAR, tick, step) for base, tick, step, _, _ in COINS)


class _BingX(BingXSpotOrders, BingXSwapOrders, BingXAccount):
    # -- public ----------------------------------------------------------------------------------------

    @route("GET /openApi/swap/v2/server/time", "GET /openApi/spot/v1/server/time", public=True)
    def time(self, call: Call) -> Any:
        return ok({"serverTime": call.now_ms})

    @route("GET /openApi/spot/v1/common/symbols", public=True)
    def symbols(self, call: Call) -> Any:
        return ok({"symbols": [_spot_entry(each) for each in self.spot.markets.values()]})

    @route("GET /openApi/swap/v2/quote/contracts", public=True)
    def contracts(self, call: Call) -> Any:
        return ok([_swap_entry(each) for each in self.linear.markets.values()])

    @route("GET /openApi/cswap/v1/market/contracts", public=True)
    def coin_margined(self, call: Call) -> Any:
        """None of them is simulated."""
        return ok([])

    @route("GET /openApi/spot/v1/ticker/24hr", public=True)
    def spot_ticker(self, call: Call) -> Any:
        rows = [_ticker(self.spot, each, call) for each in _asked(call, self.spot)]
        return ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/ticker", public=True)
    def swap_ticker(self, call: Call) -> Any:
        rows = [_ticker(self.linear, each, call) | {"lastQty": "1"} for each in _asked(call, self.linear)]
        return ok(rows[0] if call.text("symbol", "") else rows)

    @route("GET /openApi/spot/v1/ticker/price", public=True)
    def spot_price(self, call: Call) -> Any:
        trade = {
            "timestamp": call.now_ms,
            "tradeId": str(call.now_ms),
            "amount": "1",
            "volume": "1",
            "type": 1,
        }
        rows = [
            {"symbol": each.symbol, "trades": [trade | {"price": text(self.spot.bid(each))}]}
            for each in _asked(call, self.spot)
        ]
        return ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/price", "GET /openApi/swap/v1/ticker/price", public=True)
    def swap_price(self, call: Call) -> Any:
        rows = [
            {"symbol": each.symbol, "price": text(self.linear.bid(each)), "time": call.now_ms}
            for each in _asked(call, self.linear)
        ]
        return ok(rows[0] if call.text("symbol", "") else rows)

    @route("GET /openApi/spot/v1/ticker/bookTicker", "GET /openApi/spot/v2/quote/bookTicker", public=True)
    def spot_best(self, call: Call) -> Any:
        rows = [_best(self.spot, each, call) for each in _asked(call, self.spot)]
        return ok(rows) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/bookTicker", public=True)
    def swap_best(self, call: Call) -> Any:
        best = _best(self.linear, self.linear.market(call.text("symbol")), call)
        names = {
            "bidPrice": "bid_price",
            "bidVolume": "bid_qty",
            "askPrice": "ask_price",
            "askVolume": "ask_qty",
        }
        return ok({"book_ticker": {names.get(name, name): value for name, value in best.items()}})

    @route("GET /openApi/spot/v1/market/depth", public=True)
    def spot_depth(self, call: Call) -> Any:
        told = _levels(self.spot, call) | {"ts": call.now_ms, "lastUpdateId": call.now_ms}
        return ok(told) | {"timestamp": call.now_ms}

    @route("GET /openApi/swap/v2/quote/depth", public=True)
    def swap_depth(self, call: Call) -> Any:
        levels = _levels(self.linear, call)
        coins = {f"{side}Coin": rows for side, rows in levels.items()}  # a contract is one coin
        return ok(levels | coins | {"T": call.now_ms})

    @route("GET /openApi/swap/v2/quote/premiumIndex", public=True)
    def premium(self, call: Call) -> Any:
        rows = [
            {"symbol": each.symbol, "lastFundingRate": "0.0001", "nextFundingTime": call.now_ms + 3_600_000}
            | dict.fromkeys(("markPrice", "indexPrice"), text(self.linear.bid(each)))
            for each in _asked(call, self.linear)
        ]
        return ok(rows[0] if call.text("symbol", "") else rows)


def _rules(wallet: str, fees: tuple[str, str]) -> Rules:
    return Rules(
        maker_fee=D(fees[0]),
        taker_fee=D(fees[1]),
        wallet=wallet,
        client_ids=ClientIds.FOREVER,
        conditional_reduce_needs_position=True,
        flat_cancels_waiting=True,
        refuses_unfillable=False,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(1_700_000_000_000_000_000 + number),
        default_leverage=D(10),
    )


#: of an address, and of a user each second
ADDRESS = (
    Limit("market", "market", 100, 10, Owner.ADDRESS),
    Limit("market_minute", "market", 500, 60, Owner.ADDRESS),
    Limit("queries", "queries", 100, 10, Owner.ADDRESS),
    Limit("orders", "orders", 200, 10, Owner.ADDRESS),
)


def _limits(**counts: int) -> tuple[Limit, ...]:
    return ADDRESS + tuple(Limit(name, name, count, 1) for name, count in counts.items())


class BingXSpot(_BingX):
    name, product, markets = "BingX", Product.SPOT, SPOT
    rules = _rules("spot", ("0.001", "0.001"))
    limits = _limits(place=5, batch=2, cancel=5, fetch=5, open=5, account=5)


class BingXLinear(_BingX):
    name, product, markets = "BingX_F", Product.LINEAR, LINEAR
    rules = _rules("perpetual", ("0.0002", "0.0005"))
    limits = _limits(
        place=10,
        batch=5,
        cancel=10,
        fetch=30,
        open=5,
        account=5,
        history=5,
        set=5,
        marginType=2,
        leverage=2,
        dual=2,
    )


# -- how things are written ------------------------------------------------------------------------------


def _asked(call: Call, desk: Desk) -> list[Market]:
    symbol = call.text("symbol", "")
    return [desk.market(symbol)] if symbol else list(desk.markets.values())


def _best(desk: Desk, market: Market, call: Call) -> dict[str, Any]:
    told = {"bidPrice": text(desk.bid(market)), "askPrice": text(desk.ask(market)), "time": call.now_ms}
    return {"symbol": market.symbol, "eventType": "bookTicker", **told, "bidVolume": "1", "askVolume": "1"}


def _levels(desk: Desk, call: Call) -> dict[str, Any]:
    market = desk.market(call.text("symbol"))
    return {"bids": [[text(desk.bid(market)), "1000"]], "asks": [[text(desk.ask(market)), "1000"]]}


def _ticker(desk: Desk, market: Market, call: Call) -> dict[str, Any]:
    last = text(desk.bid(market))
    return {
        "symbol": market.symbol,
        **dict.fromkeys(("openPrice", "highPrice", "lowPrice", "lastPrice", "bidPrice"), last),
        "askPrice": text(desk.ask(market)),
        "bidQty": "1",
        "askQty": "1",
        "volume": "0",
        "quoteVolume": "0",
        "priceChange": "0",
        "priceChangePercent": "0%",
        "openTime": call.now_ms,
        "closeTime": call.now_ms,
    }


def _spot_entry(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "minQty": 0,
        "maxQty": 0,
        "minNotional": market.min_notional,
        "maxNotional": 100_000_000,
        "status": 1,
        "tickSize": market.tick,
        "stepSize": market.step,
        "apiStateSell": True,
        "apiStateBuy": True,
        "timeOnline": 0,
        "offTime": 0,
        "maintainTime": 0,
    }


def _swap_entry(market: Market) -> dict[str, Any]:
    return {
        "contractId": "100",
        "symbol": market.symbol,
        "size": text(market.step),
        "quantityPrecision": decimals_of(market.step),
        "pricePrecision": decimals_of(market.tick),
        "tradeMinLimit": 0,
        "tradeMinQuantity": market.min_quantity,
        "tradeMinUSDT": market.min_notional,
        "maxLongLeverage": int(market.max_leverage),
        "maxShortLeverage": int(market.max_leverage),
        "currency": market.quote,
        "asset": market.base,
        "status": 1,
        "apiStateOpen": "true",
        "apiStateClose": "true",
        **dict.fromkeys(("takerFeeRate", "feeRate"), BingXLinear.rules.taker_fee),
        "triggerFeeRate": text(BingXLinear.rules.taker_fee),
        "makerFeeRate": BingXLinear.rules.maker_fee,
        "ensureTrigger": True,
        "brokerState": "false",
        **dict.fromkeys(("launchTime", "maintainTime", "offTime"), 0),
    }
