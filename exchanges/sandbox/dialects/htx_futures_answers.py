"""What HTX's API v5 answers: contracts, words, refusals, and one function per shape. No calls, no decisions.
https://www.htx.com/en-us/opend/newApiPages/."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanges.sandbox.model import Market, Order, Reason
from exchanges.types import Direction, PositionMode, Product, TriggerBy

D = Decimal
POSITION_SIDES = {"both": None, "long": Direction.LONG, "short": Direction.SHORT}
POSITION_WORDS = {direction: name for name, direction in POSITION_SIDES.items()}
POSITION_MODES = {"single_side": PositionMode.ONE_WAY, "dual_side": PositionMode.HEDGE}
TRIGGERS = {"last": TriggerBy.LAST, "mark": TriggerBy.MARK}
FLAGS = {"0": False, "1": True, "false": False, "true": True}
REFUSALS = {
    Reason.THROTTLED: (429, "Too many requests"),
    Reason.BANNED: (429, "Too many requests"),
    Reason.MAINTENANCE: (503, "Service Unavailable"),
    Reason.INTERNAL: (500, "System error"),
    Reason.UNKNOWN_SYMBOL: (1013, "This contract symbol doesnt exist."),
    Reason.PRICE_TICK: (1038, "The order price exceeds the precision limit."),
    Reason.TRIGGER_TICK: (1038, "The trigger price exceeds the precision limit."),
    Reason.QUANTITY_STEP: (1040, "Incorrect order amount."),
    Reason.MIN_QUANTITY: (1040, "Incorrect order amount."),
    Reason.MAX_QUANTITY: (1041, "The order amount exceeds the limit ({}Cont)."),
    Reason.DUPLICATE: (1050, "The client order ID is duplicated."),
    Reason.INSUFFICIENT: (1047, "Insufficient margin available."),
    Reason.REDUCE_ONLY: (1048, "Insufficient close amount available."),
    Reason.LEVERAGE: (1037, "The leverage is invalid."),
    Reason.HAS_OPEN_ORDERS: (1045, "There are open orders."),
    Reason.HAS_POSITION: (1045, "There is an open position."),
    Reason.UNKNOWN_ORDER: (1017, "Order doesnt exist."),
    Reason.NOT_OPEN: (1061, "The order does not exist."),
}
#: base, tick, coins in a contract
COINS = (
    ("BTC", "0.1", "0.001"),
    ("ETH", "0.01", "0.01"),
    ("SOL", "0.001", "1"),
    ("XRP", "0.0001", "10"),
    ("DOGE", "0.00001", "100"),
    ("LTC", "0.01", "0.1"),
)


def _contract(base: str, tick: str, size: str) -> Market:
    return Market(
        f"{base}-USDT",
        base,
        "USDT",
        Product.LINEAR,
        D(tick),
        D(1),
        min_quantity=D(1),
        max_quantity=D(1_000_000),
        max_market_quantity=D(1_000_000),
        contract_size=D(size),
        max_leverage=D(200),
    )


MARKETS = tuple(_contract(*coin) for coin in COINS)


def is_algo(order: Order) -> bool:
    return "algo" in order.ticket.extra


def plain_number(order: Order) -> str:
    return order.live_id or order.id


def name_of(order: Order) -> dict[str, str]:
    """An order without a client id of its own has its number there."""
    number = plain_number(order)
    own = "" if is_algo(order) else order.client_id
    return {"order_id": number, "client_order_id": own or number}


def batch_row(order: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    named = answer.get("data") or {"order_id": "", "client_order_id": str(order.get("client_order_id", ""))}
    return {"code": answer["code"], "message": answer["message"], **named}


def contract_row(market: Market) -> dict[str, Any]:
    return {
        "symbol": market.base,
        "contract_code": market.symbol,
        "contract_size": market.contract_size,
        "price_tick": market.tick,
        "delivery_date": "",
        "delivery_time": "",
        "create_date": "20201021",
        "contract_status": 1,
        "support_margin_mode": "all",
        "business_type": "swap",
        "pair": market.symbol,
        "contract_type": "swap",
        "trade_partition": market.quote,
    }
