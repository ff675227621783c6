"""KuCoin spot as its clients see it: refusals come with HTTP 200 and a `code`; "sync" orders tell how they stand;
a stop order is a record of its own that freezes nothing and goes on, once triggered, as a plain order under another
id. Documented at https://www.kucoin.com/docs-new/."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.kucoin_classic import (
    PLAIN,
    KuCoinClassic,
    is_record,
    order_row,
    standing,
)
from exchanges.sandbox.dialects.kucoin_frame import (
    LARGEST_BATCH,
    RECORD,
    RISES,
    ok,
    page,
)
from exchanges.sandbox.model import Market, Order, Reason, Rejected, Rules, text
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus, Product

D = Decimal
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.1", "0.00000001"),
    ("ETH", "0.01", "0.0000001"),
    ("SOL", "0.001", "0.0001"),
    ("XRP", "0.00001", "0.0001"),
    ("DOGE", "0.00001", "0.0001"),
    ("LTC", "0.001", "0.000001"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    least = D(step) * 1000
    return Market(f"{base}-{coin}", base, coin, Product.SPOT, D(tick), D(step), least, min_notional=D("0.1"))


class KuCoinSpot(KuCoinClassic):
    name, product = "KuCoin", Product.SPOT
    markets = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))
    default_costs = {"spot": 2}
    rules = Rules(
        maker_fee=D("0.001"),
        taker_fee=D("0.001"),
        buy_fee_in_base=False,
        wallet="trade",
        conditional_holds=False,
        refuses_crossed_triggers=False,
        new_id_on_trigger=True,
        cancels_instead=frozenset({Reason.POST_ONLY, Reason.NOT_FILLABLE}),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: f"67111a7c{number:016x}",
        max_waiting_orders=20,
    )

    # -- plain orders ----------------------------------------------------------------------------------

    @route("POST /api/v1/hf/orders", "POST /api/v1/hf/orders/sync", trading=True, costs={"spot": 1})
    def place(self, call: Call) -> Any:
        order = self.desk.place(call.account, self._ticket(call, None))
        told: dict[str, Any] = {"orderId": order.id, "clientOid": order.client_id}
        if call.path.endswith("sync"):
            told |= standing(order) | {"orderTime": call.now_ms, "matchTime": call.now_ms}
        return ok(told)

    @route(
        "POST /api/v1/hf/orders/multi/sync", "POST /api/v1/hf/orders/multi", trading=True, costs={"spot": 1}
    )
    def place_batch(self, call: Call) -> Any:
        """Limit orders of one symbol. What is refused is told in words only, without its id."""
        orders = call.params.get("orderList")
        if not isinstance(orders, list) or not 0 < len(orders) <= LARGEST_BATCH:
            raise Rejected(Reason.BAD_PARAMETER, "size of the list")
        for name in ("type", "symbol"):
            wanted = "limit" if name == "type" else orders[0].get(name)
            if any(each.get(name) != wanted for each in orders):
                raise Rejected(Reason.BAD_PARAMETER, name)
        told = self.each(call, orders, "/api/v1/hf/orders/sync", self.place)
        return ok(
            [
                {**each["data"], "success": True}
                if "data" in each
                else {"success": False, "failMsg": each["msg"]}
                for each in told
            ]
        )

    @route("GET /api/v1/hf/orders/{orderId}", "GET /api/v1/hf/orders/client-order/{clientOid}")
    def order(self, call: Call) -> Any:
        call.text("symbol")
        found = self._plain(call)
        return ok(order_row(found) if found else None)

    @route(
        "DELETE /api/v1/hf/orders/{orderId}",
        "DELETE /api/v1/hf/orders/sync/{orderId}",
        "DELETE /api/v1/hf/orders/client-order/{clientOid}",
        "DELETE /api/v1/hf/orders/sync/client-order/{clientOid}",
        trading=True,
        costs={"spot": 1},
    )
    def cancel(self, call: Call) -> Any:
        call.text("symbol")
        order = self.desk.cancel(call.account, self._plain(call))
        named = {name: value for name, value in call.parts.items() if value}
        return ok(named | (standing(order) if "/sync/" in call.path else {}))

    @route("POST /api/v1/hf/orders/alter", trading=True, costs={"spot": 3})
    def alter(self, call: Call) -> Any:
        """Another order in its place, under the same client id. docs-new/rest/spot-trading/orders/modify-order"""
        call.text("symbol")
        order = self._plain(call)
        given = {"price": call.decimal_or_none("newPrice"), "quantity": call.decimal_or_none("newSize")}
        changes = {name: number for name, number in given.items() if number is not None}
        if not changes:
            raise Rejected(Reason.BAD_PARAMETER, "newPrice and newSize")
        return ok(
            {"newOrderId": (placed := self.replaced(call, order, changes)).id, "clientOid": placed.client_id}
        )

    @route("DELETE /api/v1/hf/orders/cancelAll", trading=True, costs={"spot": 30})
    def cancel_every(self, call: Call) -> Any:
        ended = self.cancelled(call, waiting=False)
        return ok({"succeedSymbols": sorted({order.market.symbol for order in ended}), "failedSymbols": []})

    @route("DELETE /api/v1/hf/orders/cancel/{orderId}", trading=True)
    def cancel_part(self, call: Call) -> Any:
        call.text("symbol")
        order, size = self._plain(call), call.decimal("cancelSize")
        if order is None or not order.open:
            raise Rejected(Reason.NOT_OPEN)
        if size < order.remaining:
            self.desk.amend(call.account, order, quantity=order.quantity - size)
        else:
            self.desk.cancel(call.account, order)
        return ok({"orderId": call.text("orderId"), "cancelSize": text(size)})

    @route("GET /api/v1/hf/orders/active")
    def active(self, call: Call) -> Any:
        call.text("symbol")
        return ok([order_row(order) for order in self.open_of(call, waiting=False)])

    @route("GET /api/v1/hf/orders/active/page")
    def active_page(self, call: Call) -> Any:
        """As kucoin-universal-sdk 1.3.2, KuCoin's own client, asks (GetOpenOrdersByPageReq)."""
        rows = self.active(call)["data"]
        named = {"currentPage": call.text("pageNum", "1"), "pageSize": call.text("pageSize", "20")}
        return ok(page(call.asking(**named), rows))

    @route("GET /api/v1/hf/orders/active/symbols")
    def active_symbols(self, call: Call) -> Any:
        return ok({"symbols": sorted({order.market.symbol for order in self.open_of(call, waiting=False)})})

    @route("GET /api/v1/hf/orders/done")
    def done(self, call: Call) -> Any:
        symbol = call.text("symbol")
        ended = [
            order_row(order)
            for order in reversed(self.desk.book(call.account).orders.values())
            if not order.open and order.market.symbol == symbol and (order.live_id or not is_record(order))
        ]
        return ok({"lastId": 0, "items": ended[: call.integer("limit", 20)]})

    @route("DELETE /api/v1/hf/orders", trading=True)
    def cancel_all(self, call: Call) -> Any:
        call.text("symbol")
        self.cancelled(call, waiting=False)
        return ok("success")

    # -- stop orders -----------------------------------------------------------------------------------

    @route("POST /api/v1/stop-order", trading=True)
    def place_stop(self, call: Call) -> Any:
        market, trigger = self.desk.market(call.text("symbol")), call.decimal("stopPrice")
        word = "entry" if trigger > self.desk.bid(market) else "loss"
        order = self.desk.place(call.account, self._ticket(call, call.one_of("stop", RISES, word)))
        return ok({"orderId": RECORD + order.id, "clientOid": order.client_id})

    @route("GET /api/v1/stop-order", costs={"spot": 8})
    def stops(self, call: Call) -> Any:
        return ok(page(call, [_stop_row(order) for order in self.open_of(call, waiting=True)]))

    @route("GET /api/v1/stop-order/{orderId}", costs={"spot": 3})
    def stop(self, call: Call) -> Any:
        found = self._waiting(call)
        return ok(_stop_row(found) if found else None)

    @route("GET /api/v1/stop-order/queryOrderByClientOid", costs={"spot": 3})
    def stop_by_client_id(self, call: Call) -> Any:
        found = self._waiting(call)
        return ok([_stop_row(found)] if found else [])

    @route("DELETE /api/v1/stop-order/{orderId}", trading=True, costs={"spot": 3})
    def cancel_stop(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [RECORD + self._end_stop(call).id]})

    @route("DELETE /api/v1/stop-order/cancelOrderByClientOid", trading=True, costs={"spot": 5})
    def cancel_stop_by_client_id(self, call: Call) -> Any:
        ended = self._end_stop(call)
        return ok({"cancelledOrderId": RECORD + ended.id, "clientOid": ended.client_id})

    @route("DELETE /api/v1/stop-order/cancel", trading=True, costs={"spot": 3})
    def cancel_stops(self, call: Call) -> Any:
        return ok({"cancelledOrderIds": [RECORD + order.id for order in self.cancelled(call, waiting=True)]})

    def _waiting(self, call: Call) -> Order | None:
        order_id, client_id = call.text("orderId", ""), call.text("clientOid", "")
        found = self.desk.order(call.account, order_id=order_id.removeprefix(RECORD), client_id=client_id)
        return found if found and is_record(found) and order_id in ("", RECORD + found.id) else None

    def _end_stop(self, call: Call) -> Order:
        found = self._waiting(call)
        if found is None or not found.waiting:
            raise Rejected(Reason.NOT_OPEN)
        return self.desk.cancel(call.account, found)

    # -- account ---------------------------------------------------------------------------------------

    @route("GET /api/v1/accounts", costs={"management": 5})
    def accounts(self, call: Call) -> Any:
        kind, wallet, wanted = call.text("type", "trade"), self.rules.wallet, call.text("currency", "")
        rows = []
        for coin, total in call.account.wallets[wallet].items() if kind.startswith("trade") else ():
            if wanted not in ("", coin):
                continue
            free = call.account.free(wallet, coin)
            amounts = {"balance": text(total), "available": text(free), "holds": text(total - free)}
            rows.append({"id": f"account-{coin.lower()}", "currency": coin, "type": kind, **amounts})
        return ok(rows)

    @route("GET /api/v1/accounts/{accountId}", costs={"management": 5})
    def account_of(self, call: Call) -> Any:
        coin = call.text("accountId").removeprefix("account-").upper()
        (row,) = [each for each in self.accounts(call)["data"] if each["currency"] == coin] or [None]
        if row is None:
            raise Rejected(Reason.BAD_PARAMETER, "accountId")
        return ok({name: row[name] for name in ("currency", "balance", "available", "holds")})

    @route("GET /api/v1/base-fee", "GET /api/v1/trade-fees")
    def fees(self, call: Call) -> Any:
        rates = {"takerFeeRate": text(self.rules.taker_fee), "makerFeeRate": text(self.rules.maker_fee)}
        if call.path.endswith("base-fee"):
            return ok(rates)
        return ok(
            [{"symbol": self.desk.market(each).symbol, **rates} for each in call.text("symbols").split(",")]
        )

    @route("GET /api/v1/user/api-key", costs={"management": 20})
    def key_info(self, call: Call) -> Any:
        may = call.account.permissions
        rights = ["General", *(["Spot", "Futures"] if "trade" in may else [])]
        rights += ["Transfer"] if "withdraw" in may else []
        info = {"remark": "sandbox", "apiVersion": 3, "permission": ",".join(rights), "ipWhitelist": ""}
        return ok({"apiKey": call.account.key, "uid": 1, "isMaster": True, **info})

    @route("GET /api/v3/margin/symbols", "GET /api/v1/isolated/symbols", costs={"public": 3})
    def no_margin(self, call: Call) -> Any:
        return ok({"timestamp": call.now_ms, "items": []} if "margin" in call.path else [])

    @route("GET /api/v1/hf/accounts/opened")
    def opened(self, call: Call) -> Any:
        return ok(True)


# -- how things are written --------------------------------------------------------------------------------


def _stop_row(order: Order) -> dict[str, Any]:
    """Failed at its trigger, it never became a plain order. Fields as kucoin-universal-sdk 1.3.2, KuCoin's own client, has
    them (GetStopOrderByOrderIdResp), but for the user's id."""
    status = "NEW" if order.waiting and order.open else "TRIGGERED" if order.live_id else "CANCELLED"
    if order.status is OrderStatus.REJECTED:
        status = "FAIL"
    return {
        "id": RECORD + order.id,
        "clientOid": order.client_id,
        "symbol": order.market.symbol,
        "status": status,
        "type": "market" if order.price is None else "limit",
        "side": order.side.value,
        "price": None if order.price is None else text(order.price, 20),
        "size": text(order.quantity, 20),
        "funds": None,
        "timeInForce": order.ticket.extra["timeInForce"],
        "stp": None,
        **PLAIN,
        "cancelAfter": -1,
        "postOnly": order.ticket.post_only,
        "domainId": "kucoin",
        "tradeSource": "USER",
        "tradeType": "TRADE",
        "takerFeeRate": text(KuCoinSpot.rules.taker_fee),
        "makerFeeRate": text(KuCoinSpot.rules.maker_fee),
        "orderTime": order.created_ms * 1_000_000,
        "feeCurrency": order.market.quote,
        "createdAt": order.created_ms,
        "stop": "entry" if order.ticket.trigger_rises else "loss",
        "stopTriggerTime": order.triggered_ms,
        "stopPrice": text(order.trigger_price, 20),
    }
