"""KuCoin futures as their clients see them: contracts of `multiplier` coins, BTC is XBT, placing only acknowledges,
and an order names the margin mode its symbol is set to. Documented at https://www.kucoin.com/docs-new/."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_frame import SIDES, TIMES, TYPES, KuCoinFrame, kind_of, ok, page
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import (
    ZERO,
    AttachWhen,
    Fill,
    Market,
    Order,
    Reason,
    Rejected,
    Rules,
    Ticket,
    text,
)
from exchanges.sandbox.wire import Answered, Call, Reply
from exchanges.types import Direction, MarginMode, OrderStatus, PositionMode, Product, Side, TriggerBy

D = Decimal
MARGIN = {mode.upper(): mode for mode in MarginMode}
DIRECTIONS = {"BOTH": None, "LONG": Direction.LONG, "SHORT": Direction.SHORT}
DIRECTION_WORDS = {direction: name for name, direction in DIRECTIONS.items()}
POSITION_MODES = {"0": PositionMode.ONE_WAY, "1": PositionMode.HEDGE}
RISES = {"up": True, "down": False}
TRIGGERS = {"TP": TriggerBy.LAST, "MP": TriggerBy.MARK, "IP": TriggerBy.INDEX}
TRIGGER_WORDS = {by: name for name, by in TRIGGERS.items()}
LARGEST_BATCH = 20
OTHER_MARGIN_MODE = "The order's margin mode does not match the selected one. Please switch and try again."
OTHER_POSITION_MODE = "Your order's position mode does not match the one of your account."
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


class KuCoinFutures(KuCoinFrame):
    name, product = "KuCoin_F", Product.LINEAR
    markets = (
        *(_contract(base, "USDT", tick, size) for base, tick, size in COINS),
        _contract("BTC", "USDC", "0.1", "0.001"),
    )
    default_costs = {"futures": 2}
    rules = Rules(
        maker_fee=D("0.0002"),
        taker_fee=D("0.0006"),
        wallet="contract",
        refuses_crossed_triggers=False,
        cancels_instead=frozenset({Reason.POST_ONLY}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(236_655_147_000_000_000 + number),
        default_leverage=D(1),
    )

    # -- public ----------------------------------------------------------------------------------------

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

    # -- orders ----------------------------------------------------------------------------------------

    @route("POST /api/v1/orders", trading=True)
    def place(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self._take_margin(call, ticket)
        try:
            order = self.desk.place(call.account, ticket)
        except Rejected as refused:
            if refused.reason is not Reason.POSITION_MODE:
                raise
            code = "330012" if ticket.position_side is None else "330011"
            raise Answered(Reply({"code": code, "msg": OTHER_POSITION_MODE})) from None
        return ok({"orderId": order.id, "clientOid": order.client_id})

    @route("POST /api/v1/orders/multi", trading=True, costs={"futures": 20})
    def place_batch(self, call: Call) -> Any:
        orders = call.params.get("")
        if isinstance(orders, list) and not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        told = self.each(call, orders, "/api/v1/orders", self.place)
        return ok([_batch_row(*each) for each in zip(orders or (), told, strict=True)])

    @route("POST /api/v1/st-orders", trading=True)
    def place_with_stops(self, call: Call) -> Any:
        """An order that brings stop and target along. docs-new/rest/futures-trading/orders/add-take-profit-and-stop-loss-order"""
        return self.place(call)

    @route("POST /api/v1/orders/test", trading=True)
    def test(self, call: Call) -> Any:
        ticket = self._ticket(call)
        self.desk.check(call.account, ticket)
        return ok({"orderId": self.rules.order_id(self.desk.number()), "clientOid": ticket.client_id})

    @staticmethod
    def _attached(call: Call, side: Side) -> tuple[Ticket, ...]:
        """What reduces the position when the price has risen or fallen so far."""
        names = {True: "triggerStopUpPrice", False: "triggerStopDownPrice"}
        return tuple(
            Ticket(
                call.text("symbol"),
                side.opposite,
                kind_of(limit=False, stop=rises == (side is Side.SELL)),
                quantity=call.decimal("size"),
                trigger_price=call.decimal(name),
                trigger_by=call.one_of("stopPriceType", TRIGGERS, "TP"),
                rises=rises,
                reduce_only=True,
                position_side=call.one_of("positionSide", DIRECTIONS, "BOTH"),
                extra={"timeInForce": "GTC"},
            )
            for rises, name in names.items()
            if call.decimal_or_none(name)
        )

    def _closed(self, call: Call) -> Position:
        """What an order closes as a whole; who asks for that need not tell its side and size."""
        symbol, side = call.text("symbol"), call.one_of("positionSide", DIRECTIONS, "BOTH")
        position = self.desk.book(call.account).position(self.desk.market(symbol), side)
        if not position.quantity:
            raise Rejected(Reason.REDUCE_ONLY)
        return position

    def _ticket(self, call: Call) -> Ticket:
        market = self.desk.market(call.text("symbol"))
        limit = call.one_of("type", TYPES)
        rises = call.one_of("stop", RISES) if call.text("stop", "") else None
        close, quantity = call.flag("closeOrder"), call.decimal_or_none("size")
        default = (
            self._closed(call).direction.exit_side.value if close and not call.text("side", "") else None
        )
        side = call.one_of("side", SIDES, default)
        if close and rises is None:
            quantity = abs(self._closed(call).quantity)
        if (coins := call.decimal_or_none("qty")) is not None:
            quantity = coins / market.contract_size
        if quantity is None and not close:
            raise Rejected(Reason.MISSING_PARAMETER, "size")
        if call.text("timeInForce", "GTC") not in ("GTC", "IOC"):
            raise Rejected(Reason.BAD_PARAMETER, "timeInForce")
        return Ticket(
            market.symbol,
            side,
            kind_of(limit=limit, stop=None if rises is None else rises == (side is Side.BUY)),
            quantity=quantity,
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("stopPrice"),
            trigger_by=call.one_of("stopPriceType", TRIGGERS, "TP"),
            rises=rises,
            time_in_force=call.one_of("timeInForce", TIMES, "GTC"),
            post_only=call.flag("postOnly"),
            reduce_only=call.flag("reduceOnly"),
            close_position=close,
            position_side=call.one_of("positionSide", DIRECTIONS, "BOTH"),
            client_id=call.text("clientOid"),
            attached=self._attached(call, side) if call.path.endswith("st-orders") else (),
            attach_when=AttachWhen.FULL,
            extra={"timeInForce": call.text("timeInForce", "GTC")},
        )

    def _take_margin(self, call: Call, ticket: Ticket) -> None:
        """The mode must be the symbol's; isolated margin takes its leverage from the order that opens."""
        mode = call.one_of("marginMode", MARGIN, "ISOLATED")
        if mode is not self._mode(call.account, ticket.symbol):
            raise Answered(Reply({"code": "330005", "msg": OTHER_MARGIN_MODE}))
        if mode is MarginMode.ISOLATED and not ticket.reduces:
            leverage = call.decimal("leverage")
            if leverage != int(leverage):
                raise Rejected(Reason.LEVERAGE, str(leverage))
            self.desk.set_leverage(call.account, ticket.symbol, leverage)

    def _mode(self, account: Account, symbol: str) -> MarginMode:
        return self.desk.book(account).margin_modes.setdefault(symbol, MarginMode.ISOLATED)

    @route("GET /api/v1/orders/{orderId}", "GET /api/v1/orders/byClientOid", costs={"futures": 5})
    def order(self, call: Call) -> Any:
        found = self._found(call)
        if found is None:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._order_row(call.account, found))

    def _found(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("clientOid", "")
        return self.desk.order(call.account, order_id=order_id, client_id=client_id)

    @route("DELETE /api/v1/orders/{orderId}", trading=True, costs={"futures": 1})
    def cancel(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [self.desk.cancel(call.account, self._found(call)).id]})

    @route("DELETE /api/v1/orders/multi-cancel", trading=True, costs={"futures": 20})
    def cancel_several(self, call: Call) -> Any:
        """As kucoin-universal-sdk 1.3.2, KuCoin's own client, has it; what `code` and `msg` say it does not tell."""
        by_id = call.params.get("orderIdsList") or []
        by_name = [each.get("clientOid") for each in call.params.get("clientOidsList") or []]
        if not by_id and not by_name:
            raise Rejected(Reason.MISSING_PARAMETER, "orderIdsList")
        found = [(each, self.desk.order(call.account, order_id=str(each))) for each in by_id]
        found += [(each, self.desk.order(call.account, client_id=str(each))) for each in by_name]
        rows = []
        for name, order in found:
            told = {"orderId": order.id if order else name, "clientOid": order.client_id if order else None}
            if order is not None and order.open:
                self.desk.cancel(call.account, order)
                rows.append({**told, "code": "200", "msg": "success"})
            else:
                rows.append({**told, "code": "100004", "msg": "Order is in not cancelable state"})
        return ok(rows)

    @route("DELETE /api/v1/orders/client-order/{clientOid}", trading=True, costs={"futures": 1})
    def cancel_by_client_id(self, call: Call) -> Any:
        """Plain orders only."""
        found, symbol = self._found(call), call.text("symbol")
        if found is None or found.waiting or found.market.symbol != symbol:
            raise Rejected(Reason.NOT_OPEN)
        return ok({"clientOid": self.desk.cancel(call.account, found).client_id})

    @route("DELETE /api/v1/orders", "DELETE /api/v3/orders", trading=True, costs={"futures": 10})
    def cancel_all(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [order.id for order in self.cancelled(call, waiting=False)]})

    @route("DELETE /api/v1/stopOrders", trading=True, costs={"futures": 15})
    def cancel_stops(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [order.id for order in self.cancelled(call, waiting=True)]})

    @route("GET /api/v1/orders")
    def orders(self, call: Call) -> Any:
        found, wanted = self.open_of(call, waiting=False), call.text("status", "active")
        if wanted == "done":
            symbol, known = call.text("symbol", ""), reversed(self.desk.book(call.account).orders.values())
            found = [each for each in known if not each.open and symbol in ("", each.market.symbol)]
        return ok(page(call, [self._order_row(call.account, order) for order in found]))

    @route("GET /api/v1/recentDoneOrders", costs={"futures": 5})
    def recent(self, call: Call) -> Any:
        known, symbol = reversed(self.desk.book(call.account).orders.values()), call.text("symbol", "")
        ended = [each for each in known if not each.open and symbol in ("", each.market.symbol)]
        return ok([self._order_row(call.account, order) for order in ended[:1000]])

    @route("GET /api/v1/fills", "GET /api/v1/recentFills", costs={"futures": 5})
    def fills(self, call: Call) -> Any:
        rows = [self._fill_row(call.account, *each) for each in self.traded(call)]
        return ok(rows[:1000] if call.path.endswith("recentFills") else page(call, rows))

    def _fill_row(self, account: Account, order: Order, fill: Fill) -> dict[str, Any]:
        closes = fill.closed > 0
        return {
            "symbol": fill.symbol,
            "tradeId": str(fill.id),
            "orderId": fill.order_id,
            "side": fill.side.value,
            "liquidity": "maker" if fill.maker else "taker",
            "forceTaker": False,
            "price": text(fill.price),
            "size": int(fill.quantity),
            "value": text(order.market.value(fill.quantity, fill.price)),
            "fee": text(fill.fee),
            "openFeePay": text(ZERO if closes else fill.fee),
            "closeFeePay": text(fill.fee if closes else ZERO),
            "feeRate": text(self.rules.maker_fee if fill.maker else self.rules.taker_fee),
            "fixFee": "0",
            "feeCurrency": fill.fee_asset,
            "settleCurrency": order.market.quote,
            "orderType": "market" if order.price is None else "limit",
            "tradeType": "trade",
            "displayType": "market" if order.price is None else "limit",
            "stop": "",
            "subTradeType": None,
            "marginMode": self._mode(account, fill.symbol).upper(),
            "positionSide": DIRECTION_WORDS[fill.position_side],
            "tradeTime": fill.time_ms * 1_000_000,
            "createdAt": fill.time_ms,
        }

    @route("GET /api/v1/openOrderStatistics", costs={"futures": 10})
    def open_statistics(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        told: dict[str, Any] = {"settleCurrency": market.quote}
        for side in Side:
            found = [each for each in self.open_of(call, waiting=False) if each.side is side]
            size, name = sum((each.remaining for each in found), ZERO), side.value.title()
            cost = sum((market.value(each.remaining, each.price or ZERO) for each in found), ZERO)
            told |= {f"openOrder{name}Size": int(size), f"openOrder{name}Cost": text(cost)}
        return ok(told)

    @route("GET /api/v1/stopOrders", costs={"futures": 6})
    def stops(self, call: Call) -> Any:
        waiting = self.open_of(call, waiting=True)
        return ok(page(call, [self._order_row(call.account, order) for order in waiting]))

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        ticket, waits = order.ticket, order.trigger_price is not None
        return {
            "id": order.id,
            "clientOid": order.client_id,
            "symbol": order.market.symbol,
            "type": "market" if order.price is None else "limit",
            "side": order.side.value,
            "price": text(order.price),
            "size": None if ticket.close_position and order.waiting else int(order.quantity),
            "value": text(order.quantity * order.market.contract_size * (order.price or ZERO)),
            "dealValue": text(order.quote_filled),
            "dealSize": int(order.filled),
            "filledSize": int(order.filled),
            "filledValue": text(order.quote_filled),
            "avgDealPrice": text(order.average_price),
            "stop": ("up" if ticket.trigger_rises else "down") if waits else "",
            "stopPriceType": TRIGGER_WORDS[ticket.trigger_by] if waits else "",
            "stopTriggered": order.triggered_ms is not None,
            "stopPrice": text(order.trigger_price) if waits else None,
            "timeInForce": ticket.extra["timeInForce"],
            "postOnly": ticket.post_only,
            "leverage": text(self.desk.leverage(account, order.market)),
            "closeOrder": ticket.close_position,
            "reduceOnly": ticket.reduce_only,
            "marginMode": self._mode(account, order.market.symbol).upper(),
            "positionSide": DIRECTION_WORDS[ticket.position_side],
            "settleCurrency": order.market.quote,
            "isActive": order.open,
            "status": "open" if order.open else "done",
            "cancelExist": not order.open and order.status is not OrderStatus.FILLED,
            "createdAt": order.created_ms,
            "updatedAt": order.updated_ms,
            "endAt": None if order.open else order.updated_ms,
            "orderTime": order.created_ms * 1_000_000,
        }

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /api/v1/positions")
    def positions(self, call: Call) -> Any:
        book = self.desk.book(call.account)
        return ok([self._position_row(call, each) for each in book.open_positions()])

    @route("GET /api/v2/position")
    def positions_of(self, call: Call) -> Any:
        held, symbol = self.desk.book(call.account).open_positions(), call.text("symbol")
        return ok([self._position_row(call, each) for each in held if each.market.symbol == symbol])

    @route("GET /api/v1/history-positions")
    def position_history(self, call: Call) -> Any:
        """Newest first, a row for each fill that closed something."""
        rows = [self._closed_row(call.account, fill) for _, fill in self.traded(call) if fill.closed]
        return ok(page(call, rows))

    def _closed_row(self, account: Account, fill: Fill) -> dict[str, Any]:
        market, fee = self.desk.market(fill.symbol), fill.fee * fill.closed / fill.quantity
        return {
            "closeId": str(fill.id),
            "userId": "1",
            "symbol": fill.symbol,
            "settleCurrency": market.quote,
            "leverage": text(self.desk.leverage(account, market)),
            "type": "CLOSE_LONG" if fill.side is Side.SELL else "CLOSE_SHORT",
            "side": "LONG" if fill.side is Side.SELL else "SHORT",
            "pnl": text(fill.realised - fee),
            "realisedGrossCost": text(-fill.realised),
            "realisedGrossCostNew": text(-fill.realised),
            "withdrawPnl": "0",
            "tradeFee": text(fee),
            "fundingFee": "0",
            "openTime": fill.time_ms,
            "closeTime": fill.time_ms,
            "openPrice": text(fill.opened_at(market)),
            "closePrice": text(fill.price),
            "marginMode": self._mode(account, fill.symbol).upper(),
        }

    @route("GET /api/v1/position")
    def position(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return ok(self._position_row(call, self.desk.book(call.account).position(market, None)))

    def _position_row(self, call: Call, position: Position) -> dict[str, Any]:
        market, account = position.market, call.account
        mark, mode = self.desk.bid(market), self._mode(account, market.symbol)
        leverage = self.desk.leverage(account, market)
        cost = position.notional(position.entry_price)
        return {
            "id": f"position-{market.symbol}",
            "symbol": market.symbol,
            "crossMode": mode is MarginMode.CROSS,
            "marginMode": mode.upper(),
            "positionSide": DIRECTION_WORDS[position.side],
            "leverage": leverage,
            "realLeverage": leverage,
            "currentQty": int(position.quantity),
            "currentTimestamp": call.now_ms,
            "isOpen": bool(position.quantity),
            "markPrice": mark,
            "markValue": position.notional(mark),
            "posCost": cost,
            "posInit": cost / leverage,
            "posMargin": cost / leverage,
            "unrealisedPnl": position.unrealised(mark),
            "realisedPnl": position.realised,
            "avgEntryPrice": position.entry_price,
            "liquidationPrice": ZERO,
            "settleCurrency": market.quote,
            "isInverse": False,
        }

    # -- settings and money ----------------------------------------------------------------------------

    @route("GET /api/v2/position/getMarginMode")
    def margin_mode(self, call: Call) -> Any:
        symbol = self.desk.market(call.text("symbol")).symbol
        return ok({"symbol": symbol, "marginMode": self._mode(call.account, symbol).upper()})

    @route("POST /api/v2/position/changeMarginMode")
    def change_margin_mode(self, call: Call) -> Any:
        """Refused while orders or a position stand; the mode it has already is no refusal."""
        symbol, mode = call.text("symbol"), call.one_of("marginMode", MARGIN)
        if self._mode(call.account, symbol) is not mode:
            self.desk.set_margin_mode(call.account, symbol, mode)
        return ok({"symbol": symbol, "marginMode": mode.upper()})

    @route("POST /api/v2/changeCrossUserLeverage")
    def change_leverage(self, call: Call) -> Any:
        self.desk.set_leverage(call.account, call.text("symbol"), call.decimal("leverage"))
        return ok(True)

    @route("GET /api/v2/getCrossUserLeverage")
    def cross_leverage(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        return ok({"symbol": market.symbol, "leverage": text(self.desk.leverage(call.account, market))})

    @route("GET /api/v2/getMaxOpenSize")
    def max_size(self, call: Call) -> Any:
        """What the free money buys at the price and leverage given."""
        market, account = self.desk.market(call.text("symbol")), call.account
        free = max(account.free(self.rules.wallet, market.quote), ZERO) * call.decimal("leverage")
        size = int(free / market.value(D(1), call.decimal("price")))
        return ok({"symbol": market.symbol, "maxBuyOpenSize": size, "maxSellOpenSize": size})

    @route("GET /api/v1/trade-fees")
    def fees(self, call: Call) -> Any:
        rates = {"takerFeeRate": text(self.rules.taker_fee), "makerFeeRate": text(self.rules.maker_fee)}
        return ok({"symbol": self.desk.market(call.text("symbol")).symbol, **rates})

    @route("GET /api/v2/position/getPositionMode")
    def position_mode(self, call: Call) -> Any:
        hedged = self.desk.book(call.account).position_mode is PositionMode.HEDGE
        return ok({"positionMode": int(hedged)})

    @route("POST /api/v2/position/switchPositionMode")
    def switch_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", POSITION_MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return ok({"positionMode": int(mode is PositionMode.HEDGE)})

    @route("GET /api/v1/account-overview", costs={"futures": 5})
    def overview(self, call: Call) -> Any:
        account, coin, wallet = call.account, call.text("currency", "XBT"), self.rules.wallet
        total, open_profit = account.total(wallet, coin), account.unrealised(wallet, coin)
        return ok(
            {
                "currency": coin,
                "accountEquity": total + open_profit,
                "marginBalance": total,
                "unrealisedPNL": open_profit,
                "availableBalance": account.free(wallet, coin),
                "frozenFunds": ZERO,
            }
        )


def _batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.kucoin.com/docs/rest/futures-trading/orders/place-multiple-orders"""
    told = answer.get("data") or {"orderId": None, "clientOid": order.get("clientOid")}
    return {
        **told,
        "symbol": order.get("symbol"),
        "code": answer["code"],
        "msg": answer.get("msg", "success"),
    }
