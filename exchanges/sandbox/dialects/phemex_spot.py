"""Orders, trades and wallets of Phemex spot: prices and amounts are whole numbers. https://phemex-docs.github.io/ (read
2026-11-22)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialect import route
from exchanges.sandbox.dialects.phemex_frame import OTHERS, SPOT_ORDER, ok, page
from exchanges.sandbox.dialects.phemex_markets import NUMBERS, SCALE, scaled
from exchanges.sandbox.dialects.phemex_orders import (
    LIMITS,
    SIDES,
    TYPES,
    PhemexOrders,
    cancel_all_of,
    execution_row,
    manner,
    open_of,
    order_row,
    status_of,
)
from exchanges.sandbox.model import ZERO, Fill, Order, Reason, Rejected, Ticket
from exchanges.sandbox.wire import Call
from exchanges.types import TriggerBy

D = Decimal


class PhemexSpotOrders(PhemexOrders):
    @route("POST /spot/orders", "PUT /spot/orders/create", trading=True, costs=SPOT_ORDER)
    def place_spot(self, call: Call) -> Any:
        kind = call.text("ordType", "Limit")
        by_quote = call.one_of("qtyType", {"ByBase": False, "ByQuote": True})
        ticket = Ticket(
            call.text("symbol"),
            call.one_of("side", SIDES),
            call.one_of("ordType", TYPES, "Limit"),
            quantity=None if by_quote else _plain(call, "baseQtyEv"),
            quote_quantity=_plain(call, "quoteQtyEv") if by_quote else None,
            price=_plain(call, "priceEp") if kind in LIMITS else None,
            trigger_price=_plain(call, "stopPxEp") if TYPES[kind].conditional else None,
            **manner(call, "trigger", {"ByLastPrice": TriggerBy.LAST}),
        )
        return ok(_spot_order(self.spot.place(call.account, ticket), placing=True))

    @route("PUT /spot/orders", trading=True, costs=SPOT_ORDER)
    def amend_spot(self, call: Call) -> Any:
        amounts = [name for name in ("baseQtyEv", "baseQtyEV") if call.text(name, "")]
        changed = self.spot.amend(
            call.account,
            self._named(call, self.spot),
            quantity=_plain(call, amounts[0]) if amounts else None,
            price=_plain(call, "priceEp") if call.text("priceEp", "") else None,
            trigger_price=_plain(call, "stopPxEp") if call.text("stopPxEp", "") else None,
        )
        return ok(_spot_order(changed))

    @route("DELETE /spot/orders", trading=True, costs={"address": 1, "spotorder": 2})
    def cancel_spot(self, call: Call) -> Any:
        return ok(_spot_order(self.spot.cancel(call.account, self._named(call, self.spot))))

    @route("DELETE /spot/orders/all", trading=True, costs={"address": 1, "spotorder": 2})
    def cancel_all_spot(self, call: Call) -> Any:
        return ok(cancel_all_of(call, self.spot))

    @route("GET /spot/orders", costs=SPOT_ORDER)
    def open_spot(self, call: Call) -> Any:
        return ok({"rows": [_spot_order(each) for each in open_of(call, self.spot)]})

    @route("GET /spot/orders/active", costs=SPOT_ORDER)
    def open_spot_one(self, call: Call) -> Any:
        order = self._named(call, self.spot)
        if order is None or not order.open:
            raise Rejected(Reason.UNKNOWN_ORDER)
        return ok(_spot_order(order))

    @route("GET /exchange/spot/order", "GET /api-data/spots/orders", costs=OTHERS)
    def ended_spot(self, call: Call) -> Any:
        """Newest first."""
        market = self.spot.market(call.text("symbol"))
        known = reversed(list(self.spot.book(call.account).orders.values()))
        found = [_spot_order(each, history=True) for each in known if each.market is market and not each.open]
        return ok(page(call, found))

    @route("GET /exchange/spot/order/trades", "GET /api-data/spots/trades", costs=OTHERS)
    def spot_trades(self, call: Call) -> Any:
        market, book = self.spot.market(call.text("symbol")), self.spot.book(call.account)
        found = [each for each in reversed(book.fills) if each.symbol == market.symbol]
        return ok(page(call, [_spot_trade(book.orders[each.order_id], each) for each in found]))

    @route("GET /api-data/spots/orders/by-order-id", costs=OTHERS)
    def history_spot(self, call: Call) -> Any:
        order = self._named(call, self.spot)
        return ok({"total": 1, "rows": [_spot_order(order, history=True)] if order else []})

    @route("GET /spot/wallets", costs=OTHERS)
    def wallets(self, call: Call) -> Any:
        held, wanted = call.account.wallets[self.spot.wallet], call.text("currency", "")
        return ok(
            [
                {
                    "currency": coin,
                    "balanceEv": scaled(call.account.total(self.spot.wallet, coin)),
                    "lockedTradingBalanceEv": scaled(self.spot.locked(call.account, coin)),
                    "lockedWithdrawEv": 0,
                    "lastUpdateTimeNs": call.now_ms * 1_000_000,
                }
                for coin in held
                if coin in NUMBERS and wanted in ("", coin)
            ]
        )


def _plain(call: Call, name: str) -> Decimal:
    return D(call.integer(name)).scaleb(-SCALE)


def _spot_order(order: Order, *, placing: bool = False, history: bool = False) -> dict[str, Any]:
    """A fee names its coin by number in the history."""
    filled, value = (ZERO, ZERO) if placing else (order.filled, order.quote_filled)
    by_quote = order.ticket.quote_quantity is not None
    coin, fee = next(iter(order.fees().items()), (order.market.quote, ZERO))
    amount = "Value" if history else "Qty"
    return {
        **order_row(order, placing=placing, history=history),
        "ordType": order.ticket.extra["ordType"],
        "qtyType": "ByQuote" if by_quote else "ByBase",
        "baseQtyEv": str(scaled(ZERO if by_quote else order.quantity)),
        "quoteQtyEv": scaled(order.ticket.quote_quantity),
        "priceEp": scaled(order.price),
        "stopPxEp": scaled(order.trigger_price),
        f"cumBase{amount}Ev": scaled(filled),
        f"cumQuote{amount}Ev": scaled(value),
        "avgPriceEp": 0 if placing else scaled(order.average_price),
        "cumFeeEv": 0 if placing else scaled(fee),
        "feeCurrency": str(NUMBERS[coin]) if history else coin,
        "createTimeNs": order.created_ms * 1_000_000,
    }


def _spot_trade(order: Order, fill: Fill) -> dict[str, Any]:
    return execution_row(order, fill, "execId") | {
        "qtyType": "ByBase" if order.ticket.quote_quantity is None else "ByQuote",
        "priceEP": scaled(order.price or fill.price),
        "baseQtyEv": scaled(order.quantity),
        "quoteQtyEv": scaled(order.ticket.quote_quantity),
        "stopPxEp": scaled(order.trigger_price),
        "execPriceEp": scaled(fill.price),
        "execBaseQtyEv": scaled(fill.quantity),
        "execQuoteQtyEv": scaled(fill.quantity * fill.price),
        "leavesBaseQtyEv": scaled(order.remaining),
        "execFeeEv": scaled(fill.fee),
        "feeCurrency": fill.fee_asset,
        "ordStatus": status_of(order),
        "stopDirection": "UNSPECIFIED",
        "execInst": "None",
    }
