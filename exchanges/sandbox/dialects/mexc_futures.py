"""MEXC contracts as their clients see them: counted in contracts, refusals with HTTP 200 and `success: false`. Here are the
markets, their prices, and the venue.

Documented at https://www.mexc.com/api-docs/futures/. Keys, signatures and refusals are in `mexc_frame`; orders in
`mexc_futures_orders` and `mexc_futures_plans`, how they are told in `mexc_futures_answers`; positions and settings in
`mexc_futures_account`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_futures_account import ContractAccount
from exchanges.sandbox.dialects.mexc_futures_answers import ok
from exchanges.sandbox.dialects.mexc_futures_plans import ContractPlans
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ZERO, Market, Reason, Rules
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product

D = Decimal
#: base, tick, coins in a contract
COINS = (
    ("BTC", "0.1", "0.0001"),
    ("ETH", "0.01", "0.01"),
    ("SOL", "0.01", "0.1"),
    ("XRP", "0.0001", "1"),
    ("DOGE", "0.00001", "100"),
    ("LTC", "0.01", "0.1"),
)


def _contract(base: str, coin: str, tick: str, size: str) -> Market:
    most = D(1_000_000)
    return Market(
        f"{base}_{coin}",
        base,
        coin,
        Product.LINEAR,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=most,
        max_market_quantity=most,
        contract_size=D(size),
        max_leverage=D(200),
    )


class MEXCFutures(ContractPlans, ContractAccount):
    name, product = "MEXC_F", Product.LINEAR
    markets = (
        *(_contract(base, "USDT", tick, size) for base, tick, size in COINS),
        _contract("BTC", "USDC", "0.1", "0.0001"),
    )
    limits = (
        Limit("address", "address", 20, 2, Owner.ADDRESS),
        Limit("create", "create", 4, 2),
        Limit("plan", "plan", 4, 2),
        Limit("pair", "pair", 5, 2),
        Limit("cancels", "cancels", 20, 2),
        Limit("reads", "reads", 20, 2),
    )
    default_costs = {"reads": 1}
    rules = Rules(
        maker_fee=D("0.0001"),
        taker_fee=D("0.0004"),
        wallet="contract",
        refuses_crossed_triggers=False,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(264_995_729_000_000_000 + number),
    )

    # -- public ----------------------------------------------------------------------------------------

    @route("GET /api/v1/contract/ping", public=True, costs={"address": 1})
    def ping(self, call: Call) -> Any:
        return ok(call.now_ms)

    @route("GET /api/v1/contract/detail", public=True, costs={"address": 2})
    def detail(self, call: Call) -> Any:
        if symbol := call.text("symbol", ""):
            return ok(_contract_row(self.desk.market(symbol)))
        return ok([_contract_row(market) for market in self.markets])

    @route("GET /api/v1/contract/ticker", public=True, costs={"address": 1})
    def ticker(self, call: Call) -> Any:
        symbol = call.text("symbol", "")
        asked = [self.desk.market(symbol)] if symbol else self.markets
        rows = [self._ticker_row(call, each) for each in asked]
        return ok(rows[0] if symbol else rows)

    def _ticker_row(self, call: Call, market: Market) -> dict[str, Any]:
        bid, ask = self.desk.bid(market), self.desk.ask(market)
        prices = {"lastPrice": bid, "bid1": bid, "ask1": ask, "fairPrice": bid, "indexPrice": bid}
        day = {**dict.fromkeys(("volume24", "amount24", "holdVol", "riseFallRate", "riseFallValue"), ZERO)}
        day |= {"lower24Price": bid, "high24Price": ask, "fundingRate": D("0.0001")}
        return {"symbol": market.symbol, **prices, **day, "timestamp": call.now_ms}

    @route("GET /api/v1/contract/depth/{symbol}", public=True, costs={"address": 1})
    def depth(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        levels = {"asks": [[self.desk.ask(market), 1000, 1]], "bids": [[self.desk.bid(market), 1000, 1]]}
        return ok({**levels, "version": call.now_ms, "timestamp": call.now_ms})

    @route(
        "GET /api/v1/contract/fair_price/{symbol}",
        "GET /api/v1/contract/index_price/{symbol}",
        public=True,
        costs={"address": 1},
    )
    def one_price(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        name = "fairPrice" if "fair_price" in call.path else "indexPrice"
        return ok({"symbol": market.symbol, name: self.desk.bid(market), "timestamp": call.now_ms})

    @route("GET /api/v1/contract/support_currencies", public=True, costs={"address": 1})
    def currencies(self, call: Call) -> Any:
        return ok(sorted({market.quote for market in self.markets}))


def _contract_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "displayNameEn": f"{market.symbol} PERPETUAL",
        "positionOpenType": 3,
        "baseCoin": market.base,
        "quoteCoin": market.quote,
        "settleCoin": market.quote,
        "contractSize": market.contract_size,
        "minLeverage": 1,
        "maxLeverage": market.max_leverage,
        "priceUnit": market.tick,
        "volUnit": market.step,
        "minVol": market.min_quantity,
        "maxVol": market.max_quantity,
        "takerFeeRate": MEXCFutures.rules.taker_fee,
        "makerFeeRate": MEXCFutures.rules.maker_fee,
        "state": 0,
        "apiAllowed": True,
    }
