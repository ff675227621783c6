"""Bitunix' spot as its clients see it: refused placements that say success, client ids that are kept and open nothing, and
silence about orders that do not exist.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.bitunix_frame import COINS, LONGEST_LIST, BitunixFrame, dated
from exchanges.sandbox.meter import Limit, Owner
from exchanges.sandbox.model import (
    ZERO,
    ClientIds,
    Fill,
    Market,
    Order,
    Reason,
    Rules,
    Ticket,
    decimals_of,
    text,
)
from exchanges.sandbox.wire import Call, Reply
from exchanges.types import OrderStatus, OrderType, Product, Side

D = Decimal
SPOT_PATH = "/api/spot/v1/"
SPOT_SIDES = {"1": Side.SELL, "2": Side.BUY}
SPOT_SIDE_OF = {side: int(number) for number, side in SPOT_SIDES.items()}
#: told in an answer that says success; of these only the first was seen by others
PLACING = {
    Reason.INSUFFICIENT: ("10034", "余额不足"),
    Reason.QUANTITY_STEP: ("10058", "volume precision error"),
}
SPOT_REFUSALS = {
    Reason.NO_KEY: ("100004", "result.api.key.not.found"),
    Reason.BAD_KEY: ("100004", "result.api.key.not.found"),
    Reason.BAD_SIGNATURE: ("100005", "result.api.parameter.sign.illegal"),
    Reason.BAD_TIMESTAMP: ("100008", "result.request.time.expired"),
    Reason.NO_PERMISSION: ("110033", "OPEN_API_KEY_NO_AUTHORITY"),
    Reason.THROTTLED: ("110041", "too fast"),
    Reason.BANNED: ("110041", "too fast"),
}


def _pair(base: str, tick: str, step: str) -> Market:
    return Market(f"{base}USDT", base, "USDT", Product.SPOT, D(tick), D(step), D(step), min_notional=D(10))


class BitunixSpot(BitunixFrame):
    """What was seen live of it is told at the top of the venue's file. The documentation's word for the volume of market
    orders (what a buy spends) is taken here."""

    name, product = "Bitunix", Product.SPOT
    markets = tuple(_pair(*coin) for coin in COINS)
    limits = (
        Limit("market", "market", 10, 1, Owner.ADDRESS),
        *(Limit(name, name, 10, 1) for name in ("create", "cancel")),
        Limit("reads", "reads", 20, 1),
    )
    rules = Rules(
        maker_fee=D("0.0008"),
        taker_fee=D("0.001"),
        wallet="spot",
        client_ids=ClientIds.REUSABLE,
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(2_105_000_000_000_000_000 + number),
    )

    def writes(self, call: Call) -> bool:
        """Lists are asked for with POST too."""
        return call.path.startswith((f"{SPOT_PATH}order/place_order", f"{SPOT_PATH}order/cancel"))

    def refuse(self, reason: Reason, detail: str, call: Call) -> Reply:
        if reason is Reason.UNKNOWN_PATH:
            return Reply(b"404 page not found", 404)
        if reason in PLACING:
            code, words = PLACING[reason]
            told = {"orderId": None, "placeStatus": 0, "placeCode": code, "placeMsg": words}
            return Reply(_done(told))
        if reason in (Reason.INTERNAL, Reason.MAINTENANCE):
            return Reply(b"Service Unavailable", 500 if reason is Reason.INTERNAL else 503)
        code, words = SPOT_REFUSALS.get(reason, ("2", "result.parameter.error"))
        return Reply({"code": code, "msg": words, "data": None, "success": False})

    # -- public ----------------------------------------------------------------------------------------

    @route(f"GET {SPOT_PATH}common/coin_pair/list", public=True, costs={"market": 1})
    def pairs(self, call: Call) -> Any:
        return _done([_spot_pair_row(number, each) for number, each in enumerate(self.markets)])

    @route(f"GET {SPOT_PATH}market/last_price", public=True, costs={"market": 1})
    def last_price(self, call: Call) -> Any:
        return dated(call, _done(text(self.desk.bid(self._market(call)))))

    @route(f"GET {SPOT_PATH}market/depth", public=True, costs={"market": 1})
    def depth(self, call: Call) -> Any:
        market = self._market(call)
        bid, ask = text(self.desk.bid(market)), text(self.desk.ask(market))
        return _done({"asks": [{"price": ask, "volume": "1000"}], "bids": [{"price": bid, "volume": "1000"}]})

    def _market(self, call: Call) -> Market:
        return self.desk.market(call.text("symbol").upper())

    # -- orders ----------------------------------------------------------------------------------------

    @route(f"POST {SPOT_PATH}order/place_order", trading=True, costs={"create": 1})
    def place(self, call: Call) -> Any:
        side = call.one_of("side", SPOT_SIDES)
        kind = call.one_of("type", {"1": OrderType.LIMIT, "2": OrderType.MARKET})
        spends = kind is OrderType.MARKET and side is Side.BUY
        volume = call.decimal("volume")
        ticket = Ticket(
            self._market(call).symbol,
            side,
            kind,
            quantity=None if spends else volume,
            quote_quantity=volume if spends else None,
            price=call.decimal("price") if kind is OrderType.LIMIT else None,
            client_id=call.text("clientId", ""),
        )
        order = self.desk.place(call.account, ticket)
        echo = {name: call.params.get(name) for name in ("side", "type", "volume", "price", "symbol")}
        return _done(echo | {"orderId": order.id, "placeStatus": 1, "placeCode": None, "placeMsg": None})

    @route(f"POST {SPOT_PATH}order/place_order/batch", trading=True, costs={"create": 1})
    def place_several(self, call: Call) -> Any:
        """Each is answered like one alone."""
        told = self.each(call, call.params.get("orderList"), f"{SPOT_PATH}order/place_order", self.place)
        return _done([each["data"] for each in told])

    @route(f"POST {SPOT_PATH}order/cancel", trading=True, costs={"cancel": 1})
    def cancel(self, call: Call) -> Any:
        """What does not stand is answered like the rest."""
        for each in call.params["orderIdList"]:
            order = self.desk.order(call.account, order_id=str(each.get("orderId") or "none"))
            if order is not None and order.open and order.market.symbol == each.get("symbol"):
                self.desk.cancel(call.account, order)
        return _done(None)

    @route(f"GET {SPOT_PATH}order/detail", costs={"reads": 1})
    def detail(self, call: Call) -> Any:
        order = self.desk.order(call.account, order_id=call.text("orderId"))
        return _done(None if order is None else _spot_row(order))

    @route(f"POST {SPOT_PATH}order/pending/list", costs={"reads": 1})
    def pending(self, call: Call) -> Any:
        return _done([_spot_row(each) for each in self._listed(call) if each.open])

    @route(f"POST {SPOT_PATH}order/history/page", costs={"reads": 1})
    def history(self, call: Call) -> Any:
        since = datetime.fromisoformat(call.text("startTime", "1970-01-01T00:00:00Z"))
        since_ms = int(since.timestamp() * 1000)
        rows = [
            _spot_row(each) for each in self._listed(call) if not each.open and each.created_ms >= since_ms
        ]
        page, size = call.integer("page", 1), min(call.integer("pageSize", 10), LONGEST_LIST)
        return _done({"data": rows[(page - 1) * size : page * size], "total": str(len(rows))})

    @route(f"POST {SPOT_PATH}order/deal/list", costs={"reads": 1})
    def deals(self, call: Call) -> Any:
        symbol, number = self._market(call).symbol, call.text("orderId")
        fills = [each for each in self.desk.book(call.account).fills if each.order_id == number]
        return _done([_deal_row(each) for each in fills if each.symbol == symbol])

    def _listed(self, call: Call) -> list[Order]:
        """Newest first."""
        market = self._market(call)
        found = self.desk.book(call.account).orders.values()
        return [order for order in reversed(found) if order.market is market]

    @route(f"GET {SPOT_PATH}user/account", costs={"reads": 1})
    def wallet(self, call: Call) -> Any:
        """Numbers, and null where there is nothing."""
        rows = []
        for coin, total in call.account.wallets[self.rules.wallet].items():
            free = call.account.free(self.rules.wallet, coin)
            rows.append({"coin": coin, "balance": free, "balanceLocked": total - free})
        return _done(rows or None)


def _done(data: Any) -> dict[str, Any]:
    """On spot the code is text."""
    return {"code": "0", "msg": "result.success", "data": data, "success": True}


def _spot_row(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    match order.status:
        case OrderStatus.OPEN:
            status = 3 if order.filled else 1
        case OrderStatus.FILLED:
            status = 2
        case _:
            status = 7 if order.filled else 4
    asked = order.quantity if ticket.quote_quantity is None else ticket.quote_quantity
    return {
        "orderId": order.id,
        "clientId": order.client_id or None,
        "symbol": order.market.symbol,
        "base": order.market.base,
        "quote": order.market.quote,
        "side": SPOT_SIDE_OF[order.side],
        "type": 1 if ticket.type is OrderType.LIMIT else 2,
        "price": text(order.price) if order.price is not None else "0",
        "volume": text(asked),
        "leftVolume": text((order.quantity or ZERO) - order.filled) if order.open else "0",
        "dealVolume": text(order.filled),
        "dealAmount": text(order.quote_filled),
        "status": status,
        "ctime": _iso(order.created_ms),
        "utime": _iso(order.updated_ms),
    }


def _deal_row(fill: Fill) -> dict[str, Any]:
    return {
        "id": str(fill.id),
        "orderId": fill.order_id,
        "price": text(fill.price),
        "volume": text(fill.quantity),
        "fee": text(fill.fee),
        "feeCoin": fill.fee_asset,
        "role": 1 if fill.maker else 2,
        "ctime": _iso(fill.time_ms),
    }


def _iso(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _spot_pair_row(number: int, market: Market) -> dict[str, Any]:
    return {
        "id": number + 1,
        "symbol": market.symbol.lower(),
        "base": market.base.lower(),
        "quote": market.quote.lower(),
        "basePrecision": decimals_of(market.step),
        "quotePrecision": decimals_of(market.tick),
        "precisions": [text(market.tick), text(market.tick * 10)],
        "minVolume": text(market.min_quantity),
        "minPrice": text(market.min_notional),
        "minBuyPriceOffset": "-0.8",
        "maxSellPriceOffset": "50",
        "isOpen": 1,
    }
