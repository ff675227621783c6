"""What HTX's API older than v5 answers: its words, and one function per shape. No calls, no decisions.
https://huobiapi.github.io/docs/usdt_swap/v1/en/ (read 2026-11-23 in ccxt 4.4.100, whose comments quote the answers)."""

from __future__ import annotations

from typing import Any

from exchanges.sandbox.dialects.htx_futures_answers import plain_number
from exchanges.sandbox.model import Market, Order
from exchanges.sandbox.wire import Call
from exchanges.types import OrderStatus


def ok(call: Call, data: Any) -> dict[str, Any]:
    return {"status": "ok", "data": data, "ts": call.now_ms}


def algo_kind(order: Order) -> str:
    """Of an algo order that has not fired, or the plain order it became; "" for an order that never waited."""
    return str(order.ticket.extra.get("algo", ""))


def waits_as(order: Order) -> str:
    """Its kind until it fires; from then on it is a plain order."""
    return algo_kind(order) if order.waiting else ""


def name_of(order: Order) -> dict[str, Any]:
    own = order.client_id
    told: dict[str, Any] = {"order_id": int(plain_number(order)), "order_id_str": plain_number(order)}
    return told | (
        {"client_order_id": int(own) if own.isdigit() else own} if own and not algo_kind(order) else {}
    )


def contract_words(market: Market) -> dict[str, Any]:
    told = {"symbol": market.base, "contract_code": market.symbol, "pair": market.symbol}
    return told | {"contract_type": "swap", "business_type": "swap", "trade_partition": market.quote}


def account_words(market: Market) -> dict[str, Any]:
    told = {"symbol": market.base, "contract_code": market.symbol}
    return told | {"margin_mode": "isolated", "margin_account": market.symbol}


def state_number(order: Order) -> int:
    """3 stands, 4 stands filled in part, 5 cancelled filled in part, 6 filled, 7 cancelled."""
    if order.open:
        return 4 if order.filled else 3
    if order.status is OrderStatus.FILLED:
        return 6
    return 5 if order.filled else 7
