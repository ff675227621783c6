"""What HTX spot answers: pairs, refusals, and one function per shape. No calls, no decisions.
https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.dialects.htx_frame import algo_state
from exchanges.sandbox.ledger import Account
from exchanges.sandbox.model import ZERO, Fill, Market, Order, Reason, decimals_of, text
from exchanges.types import OrderStatus, Product

D = Decimal
REFUSALS = {
    Reason.THROTTLED: ("rate-too-many-requests", "exceeded rate limit"),
    Reason.BANNED: ("rate-too-many-requests", "exceeded rate limit"),
    Reason.MAINTENANCE: ("system-maintenance", "System is in maintenance!"),
    Reason.INTERNAL: ("gateway-internal-error", "Failed to load data. Try again later."),
    Reason.UNKNOWN_SYMBOL: ("base-symbol-error", "The symbol is invalid"),
    Reason.PRICE_TICK: ("order-orderprice-precision-error", "order price precision error"),
    Reason.TRIGGER_TICK: ("order-orderprice-precision-error", "stop price precision error"),
    Reason.QUANTITY_STEP: ("order-orderamount-precision-error", "order amount precision error"),
    Reason.MIN_QUANTITY: ("order-limitorder-amount-min-error", "limit order amount error"),
    Reason.MAX_QUANTITY: ("order-limitorder-amount-max-error", "limit order amount error"),
    Reason.MIN_NOTIONAL: ("order-value-min-error", "Order total cannot be lower than: {}"),
    Reason.DUPLICATE: ("invalid-client-order-id", "The client order id is duplicated"),
    Reason.INSUFFICIENT: ("account-frozen-balance-insufficient-error", "trade account balance is not enough"),
    Reason.WOULD_TRIGGER: (
        "order-stop-order-hit-trigger",
        "Orders that are triggered immediately are not supported.",
    ),
    Reason.UNKNOWN_ORDER: ("base-record-invalid", "record invalid"),
    Reason.NOT_OPEN: ("order-orderstate-error", "the order state is error"),
}
#: base, tick and step of the pair; quoted in USDT
COINS = (
    ("BTC", "0.01", "0.000001"),
    ("ETH", "0.01", "0.0001"),
    ("SOL", "0.001", "0.0001"),
    ("XRP", "0.00001", "0.01"),
    ("DOGE", "0.000001", "0.01"),
    ("LTC", "0.01", "0.0001"),
)


def _pair(base: str, coin: str, tick: str, step: str) -> Market:
    symbol = f"{base}{coin}".lower()
    return Market(symbol, base, coin, Product.SPOT, D(tick), D(step), D(step), min_notional=D(5))


MARKETS = (*(_pair(base, "USDT", *steps) for base, *steps in COINS), _pair("BTC", "USDC", *COINS[0][1:]))


def ok(data: Any) -> dict[str, Any]:
    return {"status": "ok", "data": data}


def number_of(account: Account) -> str:
    return str(int(account.fingerprint, 16) % 1_000_000_000)


def is_algo(order: Order) -> bool:
    return bool(order.ticket.extra.get("algo"))


def _type(order: Order) -> str:
    """As it was placed; of an algo order, what it became."""
    kind = f"{order.side}-{'market' if order.price is None else 'limit'}"
    return str(order.ticket.extra.get("type", kind))


def _state(order: Order) -> str:
    if order.open:
        return "created" if order.waiting else "partial-filled" if order.filled else "submitted"
    if order.status is OrderStatus.FILLED:
        return "filled"
    return "partial-canceled" if order.filled else "canceled"


def symbol_row(market: Market) -> dict[str, Any]:
    least, most = market.min_quantity, D(1_000_000)
    return {
        "base-currency": market.base.lower(),
        "quote-currency": market.quote.lower(),
        "price-precision": decimals_of(market.tick),
        "amount-precision": decimals_of(market.step),
        "value-precision": 8,
        "symbol-partition": "main",
        "symbol": market.symbol,
        "state": "online",
        "min-order-amt": least,
        "max-order-amt": most,
        "min-order-value": market.min_notional,
        "limit-order-min-order-amt": least,
        "limit-order-max-order-amt": most,
        "sell-market-min-order-amt": least,
        "sell-market-max-order-amt": most,
        "buy-market-max-order-value": most,
        "api-trading": "enabled",
        "tags": "",
    }


def batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    """https://www.htx.com/en-us/support/900000072826/: a number, or why there is none."""
    named = {"client-order-id": order.get("client-order-id")}
    if answer["status"] == "ok":
        return {"order-id": int(answer["data"]), **named}
    return named | {name: answer[name] for name in ("err-code", "err-msg")}


def order_row(account: Account, order: Order, prefix: str) -> dict[str, Any]:
    market = order.market
    filled = {
        "amount": text(order.filled),
        "cash-amount": text(order.quote_filled),
        "fees": text(sum(order.fees().values(), ZERO)),
    }
    amount = order.ticket.quote_quantity
    waited = {"stop-price": text(order.trigger_price), "operator": order.ticket.extra.get("operator")}
    return {
        "id": int(order.live_id or order.id) if is_algo(order) else int(order.id),
        "symbol": market.symbol,
        "account-id": int(number_of(account)),
        "client-order-id": "" if is_algo(order) else order.client_id,
        "amount": text(order.quantity if amount is None else amount, 18),
        "price": text(order.price, 18),
        "created-at": order.created_ms,
        "type": _type(order),
        **{f"{prefix}-{name}": value for name, value in filled.items()},
        "finished-at": 0 if order.open else order.updated_ms,
        "source": "spot-api",
        "state": _state(order),
        "canceled-at": 0 if order.open or order.status is OrderStatus.FILLED else order.updated_ms,
        **(waited if waited["operator"] else {}),
    }


def match_row(order: Order, fill: Fill) -> dict[str, Any]:
    return {
        "id": fill.id,
        "symbol": fill.symbol,
        "order-id": int(fill.order_id),
        **dict.fromkeys(("match-id", "trade-id"), fill.id),
        "price": text(fill.price),
        "created-at": fill.time_ms,
        "type": _type(order),
        "filled-amount": text(fill.quantity),
        "filled-fees": text(fill.fee),
        "filled-points": "0.0",
        "fee-currency": fill.fee_asset.lower(),
        "fee-deduct-currency": "",
        "fee-deduct-state": "done",
        "role": "maker" if fill.maker else "taker",
        "source": "spot-api",
    }


def algo_row(order: Order) -> dict[str, Any]:
    limit, value = order.price is not None, order.ticket.extra["value"]
    state = algo_state(order, ("created", "triggered", "canceled", "rejected"))
    return {
        "symbol": order.market.symbol,
        "source": "api",
        "clientOrderId": order.client_id,
        "orderSide": order.side.value,
        "orderType": "limit" if limit else "market",
        "timeInForce": order.ticket.time_in_force.value if limit else "ioc",
        "stopPrice": text(order.trigger_price),
        "orderOrigTime": order.created_ms,
        "lastActTime": order.updated_ms,
        "orderStatus": state,
        **({"orderPrice": text(order.price)} if limit else {}),
        **({"orderValue": value} if value else {"orderSize": text(order.quantity)}),
        **({"orderId": order.live_id} if state == "triggered" else {}),
        **({"errCode": 2002, "errMessage": str(order.reason)} if state == "rejected" else {}),
    }
