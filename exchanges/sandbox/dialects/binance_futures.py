"""Binance USD-M futures. Orders with a trigger live at `/fapi/v1/algoOrder`; `/fapi/v1/order` refuses them.

Sources (read 2026-11-22): developers.binance.com/docs/derivatives/usds-margined-futures (trade/rest-api/
New-Order, New-Algo-Order, Query-Algo-Order, Current-All-Algo-Open-Orders, Position-Information-V3;
account/rest-api/Account-Information-V3; error-code). A triggered algo order becomes an order with an id of
its own (`actualOrderId`); an orphan left by a closed position stays, as there.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.binance import COMMON, FORCES, SIDES, Binance, Words, eight, worded
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call
from exchanges.types import (
    Direction,
    MarginMode,
    OrderStatus,
    OrderType,
    PositionMode,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
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
MARKET_TYPES = {"MARKET": OrderType.MARKET, "LIMIT": OrderType.LIMIT}
ALGO_TYPES = {
    "STOP_MARKET": OrderType.STOP,
    "STOP": OrderType.STOP_LIMIT,
    "TAKE_PROFIT_MARKET": OrderType.TAKE_PROFIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_LIMIT,
}
_POSITION_SIDES = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
_FORCES = {**FORCES, "GTX": TimeInForce.GTC}
_WORKING = {"CONTRACT_PRICE": TriggerBy.LAST, "MARK_PRICE": TriggerBy.MARK}
_MARGIN_TYPES = {
    "ISOLATED": MarginMode.ISOLATED,
    "CROSSED": MarginMode.CROSS,
    "CROSS": MarginMode.CROSS,
}
#: base, quote, tick, price decimals, step, least notional, greatest leverage
_MARKETS = (
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


class BinanceFutures(Binance):
    name = "Binance_F"
    product = Product.LINEAR
    words = FUTURES
    markets = tuple(
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
        for base, quote, tick, decimals, step, notional, leverage in _MARKETS
    )
    rules = Rules(
        maker_fee=Decimal("0.0002"),
        taker_fee=Decimal("0.0005"),
        wallet="futures",
        new_id_on_trigger=True,
        flat_cancels_resting=True,
        flat_cancels_waiting=False,
        max_open_orders=200,
    )
    limits = (
        Limit("used-weight-1m", "weight", 2400, 60, Owner.ADDRESS, ban_after=20, ban_seconds=120),
        Limit("order-count-10s", "orders", 300, 10),
        Limit("order-count-1m", "orders", 1200, 60),
    )
    weight_of_all = {
        "/fapi/v1/openOrders": 40,
        "/fapi/v1/openAlgoOrders": 40,
        "/fapi/v1/ticker/bookTicker": 5,
        "/fapi/v1/premiumIndex": 10,
    }

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
            "symbols": [_symbol(market) for market in self.markets],
        }

    @route("GET /fapi/v1/ticker/bookTicker", public=True, costs={"weight": 2})
    def book_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, self.tickers(call))

    @route("GET /fapi/v1/ticker/price", "GET /fapi/v2/ticker/price", public=True)
    def price_ticker(self, call: Call) -> Any:
        return self.one_or_all(call, self.prices(call))

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

    @route("GET /fapi/v1/leverageBracket")
    def leverage_brackets(self, call: Call) -> Any:
        return [
            {
                "symbol": market.symbol,
                "brackets": [
                    {
                        "bracket": 1,
                        "initialLeverage": int(market.max_leverage),
                        "notionalCap": 40_000_000,
                        "notionalFloor": 0,
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
            if asset in ("USDT", "USDC", "BTC", "ETH", "BNB")
        ]

    def _asset(self, account: Account, asset: str, total: Decimal) -> dict[str, Any]:
        profit = account.unrealised(self.rules.wallet, asset)
        free = max(account.free(self.rules.wallet, asset), ZERO)
        held = [each for each in self.desk.book(account).open_positions() if each.market.quote == asset]
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
        rows = []
        for position in self._positions(call.account, self.symbol_or_all(call)):
            market, mark = position.market, self.desk.bid(position.market)
            isolated = self.desk.margin_mode(call.account, market) is MarginMode.ISOLATED
            rows.append(
                {
                    **self._position(call.account, position),
                    "markPrice": eight(mark),
                    "unRealizedProfit": eight(position.unrealised(mark)),
                    "liquidationPrice": "0",
                    "leverage": text(self.desk.leverage(call.account, market)),
                    "maxNotionalValue": "40000000",
                    "marginType": "isolated" if isolated else "cross",
                    "isAutoAddMargin": "false",
                }
            )
        return rows

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
                    "marginAsset": market.quote,
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
        return [
            {
                "symbol": fill.symbol,
                "id": fill.id,
                "orderId": int(fill.order_id),
                "side": fill.side.upper(),
                "price": text(fill.price),
                "qty": text(fill.quantity),
                "realizedPnl": eight(fill.realised),
                "quoteQty": text(fill.quantity * fill.price),
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

    # -- orders ------------------------------------------------------------------------------------------

    @route("POST /fapi/v1/order", trading=True, costs={"orders": 1})
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._order_ticket(call))
        row = self._row(order)
        if call.text("newOrderRespType", "ACK") == "ACK":
            row |= {"status": "NEW", "avgPrice": "0.00", "executedQty": "0", "cumQty": "0", "cumQuote": "0"}
        return row

    @route("POST /fapi/v1/order/test", trading=True)
    def test(self, call: Call) -> Any:
        self.desk.check(call.account, self._order_ticket(call))
        return {}

    def _order_ticket(self, call: Call) -> Ticket:
        if call.text("type") in (*ALGO_TYPES, "TRAILING_STOP_MARKET"):
            raise Rejected(Reason.ENDPOINT)
        kind = call.one_of("type", MARKET_TYPES)
        ticket = self._ticket(call, kind, "newClientOrderId")
        return replace(ticket, quantity=self._quantity(call, self.symbol(call)))

    def _ticket(self, call: Call, kind: OrderType, client_id: str) -> Ticket:
        market = self.symbol(call)
        priced = kind in (OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT)
        position_side = call.one_of("positionSide", _POSITION_SIDES, "BOTH")
        reduce_only = call.flag("reduceOnly")
        if reduce_only and self._hedged(call.account):
            raise worded(Reason.BAD_PARAMETER, _REDUCE_ONLY_WORDS)
        force = call.text("timeInForce", None if priced and kind is OrderType.LIMIT else "GTC")
        return Ticket(
            symbol=market.symbol,
            side=call.one_of("side", SIDES),
            type=kind,
            price=self._price(call, "price", market) if priced else None,
            time_in_force=call.one_of("timeInForce", _FORCES, "GTC"),
            post_only=priced and force == "GTX",
            reduce_only=reduce_only,
            position_side=position_side,
            client_id=self.client_id(call, client_id),
            extra={"type": call.text("type"), "force": force},
        )

    @staticmethod
    def _price(call: Call, name: str, market: Market) -> Decimal:
        price = call.decimal(name)
        if decimals_of(price) > market.extra["decimals"]:
            raise Rejected(Reason.PRECISION, name)
        return price

    @staticmethod
    def _quantity(call: Call, market: Market) -> Decimal:
        quantity = call.decimal("quantity")
        if decimals_of(quantity) > decimals_of(market.step):
            raise Rejected(Reason.PRECISION, "quantity")
        return quantity

    @route("GET /fapi/v1/order")
    def query(self, call: Call) -> Any:
        return self._row(self._known(call))

    @route("GET /fapi/v1/openOrder")
    def query_open(self, call: Call) -> Any:
        order = self._known(call)
        if not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._row(order)

    def _known(self, call: Call) -> Order:
        order = self._real_order(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return order

    def _real_order(self, call: Call) -> Order | None:
        """The algo service's orders are not known here before they trigger, then under their new id only."""
        order = self.named_order(call)
        if order is not None and order.ticket.type.conditional and call.text("orderId", "") != order.live_id:
            return None
        return order

    @route("GET /fapi/v1/openOrders")
    def open_orders(self, call: Call) -> Any:
        markets = self.symbol_or_all(call)
        return [
            self._row(each)
            for each in self.desk.book(call.account).open.values()
            if each.market in markets and not each.waiting
        ]

    @route("GET /fapi/v1/allOrders", costs={"weight": 5})
    def all_orders(self, call: Call) -> Any:
        market = self.symbol(call)
        rows = [
            each
            for each in self.desk.book(call.account).orders.values()
            if each.market is market and (each.live_id or not each.ticket.type.conditional)
        ]
        return [self._row(each) for each in rows[-call.integer("limit", 500) :]]

    @route("DELETE /fapi/v1/order", trading=True)
    def cancel(self, call: Call) -> Any:
        return self._row(self.desk.cancel(call.account, self._real_order(call)))

    @route("DELETE /fapi/v1/allOpenOrders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        self._cancel_where(call, waiting=False)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _cancel_where(self, call: Call, *, waiting: bool) -> None:
        market = self.symbol(call)
        for order in list(self.desk.book(call.account).open.values()):
            if order.open and order.market is market and order.waiting is waiting:
                self.desk.cancel(call.account, order)

    # -- the algo service --------------------------------------------------------------------------------

    @route("POST /fapi/v1/algoOrder", trading=True, costs={"orders": 1})
    def place_algo(self, call: Call) -> Any:
        if call.text("algoType") != "CONDITIONAL":
            raise Rejected(Reason.BAD_PARAMETER, "algoType")
        order = self.desk.place(call.account, self._algo_ticket(call))
        return self._algo_row(order)

    def _algo_ticket(self, call: Call) -> Ticket:
        market, kind = self.symbol(call), call.one_of("type", ALGO_TYPES)
        ticket = replace(
            self._ticket(call, kind, "clientAlgoId"),
            trigger_price=self._price(call, "triggerPrice", market),
            trigger_by=call.one_of("workingType", _WORKING, "CONTRACT_PRICE"),
        )
        if not call.flag("closePosition"):
            return replace(ticket, quantity=self._quantity(call, market))
        if ticket.reduce_only or call.text("quantity", ""):
            raise Rejected(Reason.BAD_PARAMETER, "closePosition")
        if self._closes_already(call.account, ticket):
            raise Rejected(Reason.CLOSE_POSITION_EXISTS)
        return replace(ticket, close_position=True)

    def _closes_already(self, account: Account, ticket: Ticket) -> bool:
        """One stop and one take-profit that close the whole position per direction."""
        stops = (OrderType.STOP, OrderType.STOP_LIMIT)
        return any(
            other.ticket.close_position
            and other.market.symbol == ticket.symbol
            and other.side is ticket.side
            and other.ticket.position_side is ticket.position_side
            and (other.ticket.type in stops) == (ticket.type in stops)
            for other in self.desk.book(account).open.values()
        )

    @route("GET /fapi/v1/algoOrder")
    def query_algo(self, call: Call) -> Any:
        order = self._algo(call)
        if order is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return self._algo_row(order)

    @route("GET /fapi/v1/openAlgoOrders")
    def open_algos(self, call: Call) -> Any:
        markets = self.symbol_or_all(call)
        return [
            self._algo_row(each)
            for each in self.desk.book(call.account).open.values()
            if each.market in markets and each.waiting
        ]

    @route("GET /fapi/v1/allAlgoOrders", costs={"weight": 5})
    def all_algos(self, call: Call) -> Any:
        market = self.symbol(call)
        rows = [
            each
            for each in self.desk.book(call.account).orders.values()
            if each.market is market and each.ticket.type.conditional
        ]
        return [self._algo_row(each) for each in rows[-call.integer("limit", 500) :]]

    @route("DELETE /fapi/v1/algoOrder", trading=True)
    def cancel_algo(self, call: Call) -> Any:
        order = self._algo(call)
        if order is not None and not order.waiting:
            order = None  # it is an order now, and cancelled as one
        self.desk.cancel(call.account, order)
        assert order is not None
        return {
            "algoId": int(order.id),
            "clientAlgoId": order.client_id,
            "code": "200",
            "msg": "success",
        }

    @route("DELETE /fapi/v1/algoOpenOrders", trading=True)
    def cancel_algos(self, call: Call) -> Any:
        self._cancel_where(call, waiting=True)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def _algo(self, call: Call) -> Order | None:
        algo_id, client_id = call.text("algoId", ""), call.text("clientAlgoId", "")
        if not algo_id and not client_id:
            raise Rejected(Reason.MISSING_PARAMETER, "algoId")
        order = self.desk.order(call.account, order_id=algo_id, client_id=client_id)
        if order is None or not order.ticket.type.conditional or algo_id not in ("", order.id):
            return None
        return order

    # -- shapes ------------------------------------------------------------------------------------------

    def _row(self, order: Order) -> dict[str, Any]:
        """An order of `/fapi/v1/order`; a triggered algo order shows as what it became."""
        ticket, market = order.ticket, order.market
        became = {
            "STOP_MARKET": "MARKET",
            "TAKE_PROFIT_MARKET": "MARKET",
            "STOP": "LIMIT",
            "TAKE_PROFIT": "LIMIT",
        }
        kind = became.get(ticket.extra["type"], ticket.extra["type"])
        return {
            "orderId": int(order.live_id or order.id),
            "symbol": market.symbol,
            "status": self.status_of(order),
            "clientOrderId": f"algo_{order.live_id}" if order.live_id else order.client_id,
            "price": text(order.price),
            "avgPrice": text(order.average_price) if order.filled else "0.00",
            "origQty": text(order.quantity, decimals_of(market.step)),
            "executedQty": text(order.filled, decimals_of(market.step)),
            "cumQty": text(order.filled, decimals_of(market.step)),
            "cumQuote": text(order.quote_filled, 5),
            "timeInForce": ticket.extra["force"],
            "type": kind,
            "reduceOnly": ticket.reduce_only,
            "closePosition": ticket.close_position,
            "side": ticket.side.upper(),
            "positionSide": (ticket.position_side or "both").upper(),
            "stopPrice": "0",
            "workingType": "CONTRACT_PRICE",
            "priceMatch": "NONE",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "goodTillDate": 0,
            "priceProtect": False,
            "origType": kind,
            "time": order.triggered_ms or order.created_ms,
            "updateTime": order.updated_ms,
        }

    def _algo_row(self, order: Order) -> dict[str, Any]:
        ticket, market = order.ticket, order.market
        mark = ticket.trigger_by is TriggerBy.MARK
        return {
            "algoId": int(order.id),
            "clientAlgoId": order.client_id,
            "algoType": "CONDITIONAL",
            "orderType": ticket.extra["type"],
            "symbol": market.symbol,
            "side": ticket.side.upper(),
            "positionSide": (ticket.position_side or "both").upper(),
            "timeInForce": ticket.extra["force"],
            "quantity": text(order.quantity, decimals_of(market.step)),
            "algoStatus": _algo_status(order),
            "actualOrderId": order.live_id,
            "actualPrice": text(order.average_price, 5),
            "triggerPrice": text(order.trigger_price, market.extra["decimals"]),
            "price": text(order.price, market.extra["decimals"]),
            "icebergQuantity": None,
            "tpTriggerPrice": "0.000",
            "tpPrice": "0.000",
            "slTriggerPrice": "0.000",
            "slPrice": "0.000",
            "tpOrderType": "",
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "workingType": "MARK_PRICE" if mark else "CONTRACT_PRICE",
            "priceMatch": "NONE",
            "closePosition": ticket.close_position,
            "priceProtect": False,
            "reduceOnly": ticket.reduce_only,
            "createTime": order.created_ms,
            "updateTime": order.updated_ms,
            "triggerTime": order.triggered_ms or 0,
            "goodTillDate": 0,
        }


def _algo_status(order: Order) -> str:
    """FINISHED says only that the order it became has ended."""
    if order.live_id and order.status is not OrderStatus.REJECTED:
        return "TRIGGERED" if order.open else "FINISHED"
    words = {OrderStatus.OPEN: "NEW", OrderStatus.CANCELLED: "CANCELED", OrderStatus.REJECTED: "REJECTED"}
    return words.get(order.status, "EXPIRED")


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
_MODE_WORDS: Words = {
    Reason.NOT_MODIFIED: (400, -4059, "No need to change position side."),
    Reason.HAS_OPEN_ORDERS: (400, -4067, "Position side cannot be changed if there exists open orders."),
    Reason.HAS_POSITION: (400, -4068, "Position side cannot be changed if there exists position."),
}
_REDUCE_ONLY_WORDS: Words = {
    Reason.BAD_PARAMETER: (400, -1106, "Parameter 'reduceonly' sent when not required."),
}


def _margin_word(mode: MarginMode) -> str:
    return "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED"


def _maintenance(position: Position, mark: Decimal) -> Decimal:
    return position.notional(mark) * Decimal("0.004")


def _symbol(market: Market) -> dict[str, Any]:
    decimals = market.extra["decimals"]
    return {
        "symbol": market.symbol,
        "pair": market.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "marginAsset": market.quote,
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
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": text(market.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [*MARKET_TYPES, *ALGO_TYPES],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _lot(name: str, market: Market, greatest: Decimal) -> dict[str, Any]:
    return {
        "filterType": name,
        "minQty": text(market.min_quantity),
        "maxQty": text(greatest),
        "stepSize": text(market.step),
    }
