"""MEXC contracts as their clients see them: counted in contracts, refusals with HTTP 200 and `success: false`, plan
orders without ids of the caller, and TP/SL records that hang on a position. Documented at
https://www.mexc.com/api-docs/futures/."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.mexc_frame import MEXCFrame
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, Rejected, Rules, Ticket, fine
from exchanges.sandbox.wire import Answered, Call, Reply
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

D = Decimal
#: 1 open long, 2 close short, 3 open short, 4 close long: side and whether it closes
SIDES = {"1": (Side.BUY, False), "2": (Side.BUY, True), "3": (Side.SELL, False), "4": (Side.SELL, True)}
#: limit or not, time in force, post-only
TYPES = {
    "1": (True, TimeInForce.GTC, False),
    "2": (True, TimeInForce.GTC, True),
    "3": (True, TimeInForce.IOC, False),
    "4": (True, TimeInForce.FOK, False),
    "5": (False, TimeInForce.GTC, False),
    "6": (False, TimeInForce.GTC, False),
}
MARGIN = {"1": MarginMode.ISOLATED, "2": MarginMode.CROSS}
MARGIN_NUMBERS = {mode: int(number) for number, mode in MARGIN.items()}
MODES = {"1": PositionMode.HEDGE, "2": PositionMode.ONE_WAY}
RISES = {"1": True, "2": False}
TRENDS = {"1": TriggerBy.LAST, "2": TriggerBy.MARK, "3": TriggerBy.INDEX}
STATES = {OrderStatus.OPEN: 2, OrderStatus.FILLED: 3, OrderStatus.CANCELLED: 4, OrderStatus.REJECTED: 5}
CONDITIONAL = {
    (True, False): OrderType.STOP,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}
TOO_MUCH = "The take-profit and stop-loss order volume is more than the holding positions can be liquidated"
GONE = {"success": False, "code": 5002, "message": "The Stop-Limit order does not exist or has closed"}
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


class MEXCFutures(MEXCFrame):
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

    # -- orders ----------------------------------------------------------------------------------------

    @route(
        "POST /api/v1/private/order/create",
        "POST /api/v1/private/order/submit",
        trading=True,
        costs={"create": 1},
    )
    def place(self, call: Call) -> Any:
        """An id of the caller that was used before gives the order back that has it. The older address tells its
        number alone."""
        client_id, older = call.text("externalOid", ""), call.path.endswith("submit")
        if len(client_id) > 32:
            raise Answered(
                Reply({"success": False, "code": 2030, "message": "External order ID is too long"})
            )
        if client_id and (known := self.desk.order(call.account, client_id=client_id)) is not None:
            return ok(known.id if older else {"orderId": known.id, "ts": call.now_ms})
        ticket = self._ticket(call, call.one_of("type", TYPES), None, client_id)
        ticket = replace(ticket, attached=tuple(self._attached(call, ticket)))
        self._take_margin(call, ticket)
        order = self.desk.place(call.account, ticket)
        return ok(order.id if older else {"orderId": order.id, "ts": call.now_ms})

    def _attached(self, call: Call, entry: Ticket) -> Iterator[Ticket]:
        """One record of its stop and its target, for as much as it opens, from the first fill on."""
        if entry.exits or entry.reduce_only:
            return
        record, side, market = self.desk.number(), entry.side.opposite, self.desk.market(entry.symbol)
        for name, by in (("stopLoss", "lossTrend"), ("takeProfit", "profitTrend")):
            trigger, stop = call.decimal_or_none(f"{name}Price"), name == "stopLoss"
            if not trigger:
                continue
            rises, last = stop == (side is Side.BUY), entry.price or self.desk.bid(market)
            if (trigger <= last) if rises else (trigger >= last):
                raise Rejected(Reason.WOULD_TRIGGER)
            yield Ticket(
                entry.symbol,
                side,
                CONDITIONAL[stop, False],
                quantity=entry.quantity,
                trigger_price=trigger,
                trigger_by=call.one_of(by, TRENDS, "1"),
                rises=rises,
                reduce_only=entry.position_side is None,
                position_bound=True,
                position_side=entry.position_side,
                link=f"record {record}",
                extra={"record": record, "type": "5", "side": "2" if side is Side.BUY else "4"},
            )

    @route("POST /api/v1/private/order/submit_batch", trading=True, costs={"create": 1})
    def place_batch(self, call: Call) -> Any:
        """Each is answered for itself."""
        orders = call.params.get("")
        told = self.each(call, orders, "/api/v1/private/order/create", self.place)
        rows = []
        for order, answer in zip(orders or (), told, strict=True):
            row = {
                "externalOid": order.get("externalOid") or "",
                "errorMsg": answer.get("message", "success"),
            }
            done = {"orderId": answer["data"]["orderId"]} if answer["success"] else {}
            rows.append(row | done | {"errorCode": answer["code"]})
        return ok(rows)

    @route("POST /api/v1/private/order/change_limit_order", trading=True, costs={"create": 1})
    def change(self, call: Call) -> Any:
        order = self.desk.amend(
            call.account,
            self._plain(call.account, call.text("orderId")),
            quantity=call.decimal_or_none("vol"),
            price=call.decimal_or_none("price"),
        )
        return ok({"orderId": order.id, "ts": call.now_ms})

    @route(
        "POST /api/v1/private/planorder/place",
        "POST /api/v1/private/planorder/place/v2",
        trading=True,
        costs={"plan": 1},
    )
    def place_plan(self, call: Call) -> Any:
        if call.text("executeCycle") not in ("1", "2"):
            raise Answered(Reply({"success": False, "code": 3003, "message": "Executive cycle error"}))
        ticket = self._ticket(call, call.one_of("orderType", TYPES), call.one_of("triggerType", RISES), "")
        self._take_margin(call, ticket)
        return ok(self.desk.place(call.account, ticket).id)

    def _ticket(
        self, call: Call, kind: tuple[bool, TimeInForce, bool], rises: bool | None, client_id: str
    ) -> Ticket:
        (side, closes), (limit, time_in_force, post_only) = call.one_of("side", SIDES), kind
        hedged = self._hedged(call)
        plain = OrderType.LIMIT if limit else OrderType.MARKET
        opened = side.opposite if closes else side
        return Ticket(
            call.text("symbol"),
            side,
            plain if rises is None else CONDITIONAL[rises == (side is Side.BUY), limit],
            quantity=call.decimal("vol"),
            price=call.decimal("price") if limit else None,
            trigger_price=None if rises is None else call.decimal("triggerPrice"),
            trigger_by=TriggerBy.LAST if rises is None else call.one_of("trend", TRENDS),
            rises=rises,
            time_in_force=time_in_force,
            post_only=post_only,
            reduce_only=(closes or call.flag("reduceOnly")) and not hedged,
            position_side=(Direction.LONG if opened is Side.BUY else Direction.SHORT) if hedged else None,
            client_id=client_id,
            extra={"type": call.text("type" if rises is None else "orderType"), "side": call.text("side")},
        )

    def _hedged(self, call: Call) -> bool:
        """The mode an order names must be the account's; one that names none is taken for it."""
        mode = self.desk.book(call.account).position_mode
        if call.text("positionMode", "") and call.one_of("positionMode", MODES) is not mode:
            raise Rejected(Reason.POSITION_MODE)
        return mode is PositionMode.HEDGE

    def _take_margin(self, call: Call, ticket: Ticket) -> None:
        """An order that opens sets margin mode and leverage; with a position the mode is the position's."""
        mode, book = call.one_of("openType", MARGIN), self.desk.book(call.account)
        market = self.desk.market(ticket.symbol)
        if any(each.market is market for each in book.open_positions()):
            if self.desk.margin_mode(call.account, market) is not mode:
                words = "There is only one cross or isolated in the same direction"
                raise Answered(Reply({"success": False, "code": 2027, "message": words}))
        elif not ticket.reduces:
            book.margin_modes[market.symbol] = mode
        if ticket.reduces:
            return
        if (leverage := call.decimal_or_none("leverage")) is not None:
            self.desk.set_leverage(call.account, ticket.symbol, leverage)
        elif mode is MarginMode.ISOLATED:
            raise Rejected(Reason.LEVERAGE)

    @route(
        "GET /api/v1/private/order/get/{orderId}", "GET /api/v1/private/order/external/{symbol}/{externalOid}"
    )
    def order(self, call: Call) -> Any:
        order_id, client_id = call.text("orderId", ""), call.text("externalOid", "")
        found = self._plain(call.account, order_id, client_id)
        if found is None or call.text("symbol", found.market.symbol) != found.market.symbol:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(self._order_row(call.account, found))

    def _plain(self, account: Account, order_id: str, client_id: str = "") -> Order | None:
        """By the number among plain orders: that of a triggered one is its second."""
        found = self.desk.order(account, order_id=order_id, client_id=client_id)
        if found is None or (_conditional(found) and (not found.live_id or order_id != found.live_id)):
            return None
        return found

    @route("GET /api/v1/private/order/batch_query")
    def several(self, call: Call) -> Any:
        ids = call.text("order_ids", call.text("orderIds", "")).split(",")
        found = [self._plain(call.account, each) for each in ids if each]
        return ok([self._order_row(call.account, each) for each in found if each is not None])

    @route("GET /api/v1/private/order/deal_details/{orderId}")
    def deals_of_order(self, call: Call) -> Any:
        found = self._plain(call.account, call.text("orderId"))
        return ok([self._deal_row(found, fill) for fill in found.fills] if found else [])

    @route("GET /api/v1/private/order/list/order_deals", "GET /api/v1/private/order/list/order_deals/v3")
    def deals(self, call: Call) -> Any:
        """Newest first."""
        symbol, account = call.text("symbol", ""), call.account
        since, until = call.integer("start_time", 0), call.integer("end_time", call.now_ms)
        rows = [
            self._deal_row(order, fill)
            for fill in reversed(self.desk.book(account).fills)
            if symbol in ("", fill.symbol)
            and since <= fill.time_ms <= until
            and (order := self.desk.order(account, order_id=fill.order_id)) is not None
        ]
        return ok(page(call, rows))

    @staticmethod
    def _deal_row(order: Order, fill: Fill) -> dict[str, Any]:
        return {
            "id": str(fill.id),
            "symbol": fill.symbol,
            "side": int(order.ticket.extra["side"]),
            "vol": fill.quantity,
            "price": fill.price,
            "fee": fill.fee,
            "feeCurrency": fill.fee_asset,
            "profit": fill.realised,
            "category": 1,
            "orderId": order.live_id or order.id,
            "timestamp": fill.time_ms,
            "positionMode": 2 if fill.position_side is None else 1,
            "taker": not fill.maker,
        }

    @route(
        "GET /api/v1/private/order/list/open_orders", "GET /api/v1/private/order/list/open_orders/{symbol}"
    )
    def open_orders(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if each.open and not each.waiting]
        return ok(page(call, [self._order_row(call.account, each) for each in found]))

    @route("GET /api/v1/private/order/list/history_orders")
    def history(self, call: Call) -> Any:
        found = [each for each in self._listed(call) if not _conditional(each) or each.live_id]
        return ok(page(call, [self._order_row(call.account, each) for each in found]))

    def _listed(self, call: Call) -> Iterator[Order]:
        """Newest first."""
        symbol = call.text("symbol", "")
        for order in reversed(self.desk.book(call.account).orders.values()):
            if symbol in ("", order.market.symbol):
                yield order

    @route("POST /api/v1/private/order/cancel", trading=True, costs={"cancels": 1})
    def cancel(self, call: Call) -> Any:
        """One result for each, whatever becomes of it."""
        return ok([self._cancelled(call, str(order_id)) for order_id in call.params[""]])

    def _cancelled(self, call: Call, order_id: str) -> dict[str, Any]:
        found = self._plain(call.account, order_id)
        if found is None:
            return {"orderId": order_id, "errorCode": 2040, "errorMsg": "order not exist"}
        if not found.open:
            return {"orderId": order_id, "errorCode": 2041, "errorMsg": "order state cannot be cancelled"}
        self.desk.cancel(call.account, found)
        return {"orderId": order_id, "errorCode": 0, "errorMsg": "success"}

    @route("POST /api/v1/private/order/cancel_with_external", trading=True, costs={"cancels": 1})
    def cancel_named(self, call: Call) -> Any:
        found = self._plain(call.account, "", call.text("externalOid"))
        if found is None or found.market.symbol != call.text("symbol"):
            raise Rejected(Reason.UNKNOWN_ORDER)
        self.desk.cancel(call.account, found)
        return ok({"symbol": found.market.symbol, "externalOid": found.client_id})

    @route("POST /api/v1/private/order/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.open and not each.waiting])

    def _clear(self, call: Call, orders: list[Order]) -> dict[str, Any]:
        for order in orders:
            if order.open:
                self.desk.cancel(call.account, order)
        return {"success": True, "code": 0}

    # -- plan orders -----------------------------------------------------------------------------------

    @route("GET /api/v1/private/planorder/list/orders")
    def plans(self, call: Call) -> Any:
        wanted = call.text("states", "")
        rows = [self._plan_row(call.account, each) for each in self._listed(call) if _is_plan(each)]
        return ok(page(call, [row for row in rows if wanted == "" or str(row["state"]) in wanted.split(",")]))

    @route("POST /api/v1/private/planorder/cancel", trading=True, costs={"cancels": 1})
    def cancel_plans(self, call: Call) -> Any:
        """A bare success, whether or not one of them was still there."""
        found = [self.desk.order(call.account, order_id=str(each["orderId"])) for each in call.params[""]]
        return self._clear(call, [each for each in found if each is not None and each.open and each.waiting])

    @route("POST /api/v1/private/planorder/change_price", trading=True, costs={"plan": 1})
    def change_plan(self, call: Call) -> Any:
        found = self.desk.order(call.account, order_id=call.text("orderId"))
        if found is None or not (found.open and found.waiting and _is_plan(found)):
            raise Answered(Reply(GONE))
        price = call.decimal_or_none("price") if found.price is not None else None
        self.desk.amend(call.account, found, price=price or None, trigger_price=call.decimal("triggerPrice"))
        return {"success": True, "code": 0}

    @route("POST /api/v1/private/planorder/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all_plans(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.waiting and _is_plan(each)])

    # -- TP/SL records ---------------------------------------------------------------------------------

    @route("POST /api/v1/private/stoporder/place", trading=True, costs={"pair": 1})
    def place_pair(self, call: Call) -> Any:
        position = self._position_of(call)
        record = self.desk.number()
        legs = [
            self._leg(call, position, name, record)
            for name in ("stopLoss", "takeProfit")
            if call.decimal_or_none(f"{name}Price")
        ]
        if not legs:
            words = "The take-price and the stop-loss price cannot be none at the same time"
            raise Answered(Reply({"success": False, "code": 5001, "message": words}))
        self._check_volume(call, position)
        self.desk.place_linked(call.account, legs)
        return ok(record)

    def _leg(self, call: Call, position: Position, name: str, record: int) -> Ticket:
        trigger, stop = call.decimal(f"{name}Price"), name == "stopLoss"
        side, last = position.direction.exit_side, self.desk.bid(position.market)
        rises = stop == (side is Side.BUY)
        if (trigger <= last) if rises else (trigger >= last):
            raise Rejected(Reason.WOULD_TRIGGER)
        limit = call.text(f"{name}Type", "0") == "1"
        return Ticket(
            position.market.symbol,
            side,
            CONDITIONAL[stop, limit],
            quantity=call.decimal("vol"),
            price=call.decimal(f"{name}OrderPrice") if limit else None,
            trigger_price=trigger,
            trigger_by=call.one_of("lossTrend" if stop else "profitTrend", TRENDS),
            rises=rises,
            reduce_only=position.side is None,
            position_bound=True,
            position_side=position.side,
            link=f"record {record}",
            extra={
                "record": record,
                "position": self._number_of(call.account, position),
                "type": "1" if limit else "5",
            }
            | {"side": "2" if side is Side.BUY else "4"},
        )

    def _check_volume(self, call: Call, position: Position) -> None:
        """Together the records of a position must not ask for more than it has."""
        number = self._number_of(call.account, position)
        records = {
            each.ticket.link: each.quantity
            for each in self.desk.book(call.account).open.values()
            if "record" in each.ticket.extra and self._position_number(call.account, each) == number
        }
        if sum(records.values(), call.decimal("vol")) > abs(position.quantity):
            raise Answered(Reply({"success": False, "code": 5004, "message": TOO_MUCH}))

    @route("GET /api/v1/private/stoporder/open_orders")
    def pairs(self, call: Call) -> Any:
        return ok([row for row in self._pair_rows(call) if row["state"] == 1])

    @route("GET /api/v1/private/stoporder/list/orders")
    def ended_pairs(self, call: Call) -> Any:
        wanted = call.text("is_finished", "")
        rows = self._pair_rows(call)
        return ok(page(call, [row for row in rows if wanted in ("", str(row["isFinished"]))]))

    @route("POST /api/v1/private/stoporder/cancel", trading=True, costs={"cancels": 1})
    def cancel_pairs(self, call: Call) -> Any:
        numbers = {int(each["stopPlanOrderId"]) for each in call.params[""]}
        found = [
            each for each in self._listed(call) if each.waiting and each.ticket.extra.get("record") in numbers
        ]
        if not any(each.open for each in found):
            raise Answered(Reply(GONE))
        return self._clear(call, found)

    @route("POST /api/v1/private/stoporder/change_plan_price", trading=True, costs={"pair": 1})
    def change_pair(self, call: Call) -> Any:
        """Only prices of legs that it has."""
        number = call.integer("stopPlanOrderId")
        legs = [
            e for e in self._listed(call) if e.open and e.waiting and e.ticket.extra.get("record") == number
        ]
        if not legs:
            raise Answered(Reply(GONE))
        for leg in legs:
            trigger = call.decimal_or_none("stopLossPrice" if _stops(leg) else "takeProfitPrice")
            self.desk.amend(call.account, leg, trigger_price=trigger or None)
        return {"success": True, "code": 0}

    @route("POST /api/v1/private/stoporder/cancel_all", trading=True, costs={"cancels": 1})
    def cancel_all_pairs(self, call: Call) -> Any:
        return self._clear(call, [each for each in self._listed(call) if each.waiting and not _is_plan(each)])

    def _pair_rows(self, call: Call) -> list[dict[str, Any]]:
        """Newest first, one for each record."""
        legs: dict[int, list[Order]] = {}
        for order in self._listed(call):
            if (record := order.ticket.extra.get("record")) is not None:
                legs.setdefault(record, []).append(order)
        return [self._pair_row(call.account, each) for each in legs.values()]

    # -- how orders are written ------------------------------------------------------------------------

    def _order_row(self, account: Account, order: Order) -> dict[str, Any]:
        fees = sum(order.fees().values(), ZERO)
        position = self.desk.position(account, order)
        maker = bool(order.fills) and order.fills[0].maker
        return self._common(account, order) | {
            "orderId": order.live_id or order.id,
            "positionId": self._number_of(account, position) if position.quantity else 0,
            "price": order.price or order.average_price or ZERO,
            "category": 1,
            **dict.fromkeys(("orderMargin", "usedMargin"), ZERO),
            "orderType": int(order.ticket.extra["type"]),
            "dealAvgPrice": order.average_price or ZERO,
            "dealVol": order.filled,
            "takerFee": ZERO if maker else fees,
            "makerFee": fees if maker else ZERO,
            "profit": sum((fill.realised for fill in order.fills), ZERO),
            "feeCurrency": order.market.quote,
            "state": STATES[order.status],
            "externalOid": order.client_id,
        }

    def _common(self, account: Account, order: Order) -> dict[str, Any]:
        return {
            "symbol": order.market.symbol,
            "positionId": 0,
            "vol": order.quantity,
            "leverage": self.desk.leverage(account, order.market),
            "side": int(order.ticket.extra["side"]),
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, order.market)],
            "errorCode": 2005 if order.status is OrderStatus.REJECTED else 0,
            "createTime": order.created_ms,
            "updateTime": order.updated_ms,
            "positionMode": 2 if order.ticket.position_side is None else 1,
            "reduceOnly": order.ticket.reduce_only,
        }

    def _plan_row(self, account: Account, order: Order) -> dict[str, Any]:
        placed = {"orderId": int(order.live_id)} if order.live_id else {}
        return (
            self._common(account, order)
            | placed
            | {
                "id": order.id,
                "triggerPrice": order.trigger_price,
                "price": order.price or ZERO,
                "triggerType": 1 if order.ticket.trigger_rises else 2,
                "state": _plan_state(order),
                "executeCycle": 168,
                "trend": _trend(order),
                "orderType": int(order.ticket.extra["type"]),
            }
        )

    def _pair_row(self, account: Account, legs: list[Order]) -> dict[str, Any]:
        fired = next((leg for leg in legs if leg.live_id), None)
        first = fired or legs[0]
        state = _plan_state(first)
        if state == 2 and first.reason == "position_closed":
            state = 4
        row = self._common(account, first) | {
            "id": first.ticket.extra["record"],
            "orderId": 0,
            "positionId": self._position_number(account, first),
            "state": state,
            "triggerSide": 0 if fired is None else 2 if _stops(fired) else 1,
            "positionType": 1 if first.side is Side.SELL else 2,
            "realityVol": first.filled,
            "placeOrderId": int(first.live_id) if fired else None,
            "isFinished": int(state != 1),
            "volType": 1,
            "profitLossVolType": "SAME",
        }
        for leg in legs:
            name = "stopLoss" if _stops(leg) else "takeProfit"
            row |= {f"{name}Price": leg.trigger_price, f"{name}Type": int(leg.price is not None)}
            row[f"{name}OrderPrice"] = leg.price or ZERO
            row["lossTrend" if _stops(leg) else "profitTrend"] = _trend(leg)
        return row

    # -- positions -------------------------------------------------------------------------------------

    @route("GET /api/v1/private/position/open_positions")
    def positions(self, call: Call) -> Any:
        symbol, held = call.text("symbol", ""), self.desk.book(call.account).open_positions()
        found = [each for each in held if symbol in ("", each.market.symbol)]
        return ok([self._position_row(call.account, each) for each in found])

    def _position_row(self, account: Account, position: Position) -> dict[str, Any]:
        market, leverage = position.market, self.desk.leverage(account, position.market)
        margin = position.notional(position.entry_price) / leverage
        return {
            "positionId": self._number_of(account, position),
            "symbol": market.symbol,
            "positionType": 1 if position.direction is Direction.LONG else 2,
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, market)],
            "state": 1,
            "holdVol": abs(position.quantity),
            "frozenVol": ZERO,
            "closeVol": ZERO,
            "holdAvgPrice": position.entry_price,
            "openAvgPrice": position.entry_price,
            "closeAvgPrice": ZERO,
            "liquidatePrice": ZERO,
            "oim": margin,
            "im": margin,
            "holdFee": ZERO,
            "realised": position.realised,
            "leverage": leverage,
            "createTime": position.updated_ms,
            "updateTime": position.updated_ms,
            "autoAddIm": False,
        }

    def _number_of(self, account: Account, position: Position) -> int:
        """That of the fill that opened it: a position that was closed comes back under another number."""
        held, number = ZERO, 0
        for fill in self.desk.book(account).fills:
            if (fill.symbol, fill.position_side) == (position.market.symbol, position.side):
                before, signed = held, fill.quantity if fill.side is Side.BUY else -fill.quantity
                held += signed
                if not before or (held and (held > 0) != (before > 0)):
                    number = fill.id
        return number

    def _position_number(self, account: Account, leg: Order) -> int:
        """Of the position that a leg hangs on; one that came with its entry hangs on what that opened."""
        known: int | None = leg.ticket.extra.get("position")
        return self._number_of(account, self.desk.position(account, leg)) if known is None else known

    def _position_of(self, call: Call) -> Position:
        wanted = call.integer("positionId")
        for position in self.desk.book(call.account).open_positions():
            if self._number_of(call.account, position) == wanted:
                return position
        raise Rejected(Reason.REDUCE_ONLY)

    @route("GET /api/v1/private/position/list/history_positions")
    def closed_positions(self, call: Call) -> Any:
        """Newest first."""
        symbol = call.text("symbol", "")
        rows = [self._closed_row(call.account, fills) for fills in self._closed(call.account)]
        return ok(page(call, [row for row in reversed(rows) if symbol in ("", row["symbol"])]))

    def _closed(self, account: Account) -> Iterator[list[Fill]]:
        """The fills of each position from the one that opened it to the one that closed it. One that turns over is not
        taken apart: the fill that turns it closes it and opens another."""
        open_fills: dict[tuple[str, Direction | None], list[Fill]] = {}
        held: dict[tuple[str, Direction | None], Decimal] = {}
        for fill in self.desk.book(account).fills:
            slot = (fill.symbol, fill.position_side)
            before = held.get(slot, ZERO)
            held[slot] = before + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
            open_fills.setdefault(slot, []).append(fill)
            if before and (not held[slot] or (held[slot] > 0) != (before > 0)):
                yield open_fills.pop(slot)
                if held[slot]:
                    open_fills[slot] = [fill]

    def _closed_row(self, account: Account, fills: list[Fill]) -> dict[str, Any]:
        first, market = fills[0], self.desk.market(fills[0].symbol)
        opened, closed = (
            _average([e for e in fills if (e.side is first.side) is same]) for same in (True, False)
        )
        return {
            "positionId": first.id,
            "symbol": market.symbol,
            "positionType": 1 if first.side is Side.BUY else 2,
            "openType": MARGIN_NUMBERS[self.desk.margin_mode(account, market)],
            "state": 3,
            "closeVol": sum((e.quantity for e in fills if e.side is not first.side), ZERO),
            **dict.fromkeys(("holdVol", "frozenVol", "liquidatePrice", "oim", "im", "holdFee"), ZERO),
            **dict.fromkeys(("holdAvgPrice", "openAvgPrice", "newOpenAvgPrice"), opened),
            **dict.fromkeys(("closeAvgPrice", "newCloseAvgPrice"), closed),
            **dict.fromkeys(("realised", "closeProfitLoss"), sum((e.realised for e in fills), ZERO)),
            "fee": sum((e.fee for e in fills), ZERO),
            "leverage": self.desk.leverage(account, market),
            "createTime": first.time_ms,
            "updateTime": fills[-1].time_ms,
            "autoAddIm": False,
        }

    @route("POST /api/v1/private/position/close_all", trading=True, costs={"create": 1})
    def close_all(self, call: Call) -> Any:
        """At market."""
        for position in self.desk.book(call.account).open_positions():
            side = position.direction.exit_side
            ticket = Ticket(
                position.market.symbol,
                side,
                OrderType.MARKET,
                quantity=abs(position.quantity),
                reduce_only=position.side is None,
                position_side=position.side,
                extra={"type": "5", "side": "2" if side is Side.BUY else "4"},
            )
            self.desk.place(call.account, ticket)
        return {"success": True, "code": 0}

    @route("GET /api/v1/private/position/leverage")
    def leverages(self, call: Call) -> Any:
        market = self.desk.market(call.text("symbol"))
        mode = MARGIN_NUMBERS[self.desk.margin_mode(call.account, market)]
        row = {"level": 1, "imr": 1 / market.max_leverage, "mmr": 1 / market.max_leverage / 2}
        row |= {"openType": mode, "leverage": self.desk.leverage(call.account, market)}
        return ok([row | {"positionType": 1}, row | {"positionType": 2}])

    @route("POST /api/v1/private/position/change_leverage", costs={"cancels": 1})
    def change_leverage(self, call: Call) -> Any:
        """Of an open position by its number; else of a market, with its margin mode."""
        leverage = call.decimal("leverage")
        if call.text("positionId", ""):
            self.desk.set_leverage(call.account, self._position_of(call).market.symbol, leverage)
            return ok(None)
        market, mode = self.desk.market(call.text("symbol")), call.one_of("openType", MARGIN)
        call.one_of("positionType", {"1": Direction.LONG, "2": Direction.SHORT})
        if self.desk.margin_mode(call.account, market) is not mode:
            self.desk.set_margin_mode(call.account, market.symbol, mode)
        self.desk.set_leverage(call.account, market.symbol, leverage)
        return ok(None)

    @route("GET /api/v1/private/position/position_mode")
    def position_mode(self, call: Call) -> Any:
        return ok(1 if self.desk.book(call.account).position_mode is PositionMode.HEDGE else 2)

    @route("POST /api/v1/private/position/change_position_mode", costs={"cancels": 1})
    def change_position_mode(self, call: Call) -> Any:
        mode = call.one_of("positionMode", MODES)
        if self.desk.book(call.account).position_mode is not mode:
            self.desk.set_position_mode(call.account, mode)
        return {"success": True, "code": 0}

    @route("GET /api/v1/private/account/asset/{currency}")
    def asset(self, call: Call) -> Any:
        return ok(
            next((row for row in self.assets(call)["data"] if row["currency"] == call.text("currency")), None)
        )

    @route("GET /api/v1/private/account/assets")
    def assets(self, call: Call) -> Any:
        account, wallet = call.account, self.rules.wallet
        rows = []
        for coin, total in account.wallets[wallet].items():
            free, profit = account.free(wallet, coin), account.unrealised(wallet, coin)
            amounts = {
                "equity": total + profit,
                "availableBalance": free,
                "unrealized": profit,
                "bonus": ZERO,
            }
            held = {"cashBalance": total, "frozenBalance": total - free, "positionMargin": ZERO}
            rows.append({"currency": coin, **amounts, **held})
        return ok(rows)


def ok(data: Any) -> dict[str, Any]:
    return {"success": True, "code": 0, "data": data}


def page(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    number, size = call.integer("page_num", 1), call.integer("page_size", 20)
    return rows[(number - 1) * size : number * size]


def _average(fills: list[Fill]) -> Decimal:
    whole = sum((each.quantity for each in fills), ZERO)
    return fine(sum((each.quantity * each.price for each in fills), ZERO) / whole) if whole else ZERO


def _conditional(order: Order) -> bool:
    return order.ticket.type.conditional


def _is_plan(order: Order) -> bool:
    return _conditional(order) and "record" not in order.ticket.extra


def _stops(order: Order) -> bool:
    return order.ticket.type in (OrderType.STOP, OrderType.STOP_LIMIT)


def _trend(order: Order) -> int:
    return next(int(number) for number, by in TRENDS.items() if by is order.ticket.trigger_by)


def _plan_state(order: Order) -> int:
    """1 waits, 2 cancelled, 3 executed, 5 could not be placed."""
    if order.waiting and order.open:
        return 1
    if order.status is OrderStatus.REJECTED:
        return 5
    return 3 if order.live_id else 2


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
