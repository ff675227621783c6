"""Phemex as its clients see it: spot in scaled whole numbers, USDT perpetuals in decimals, one host for both. Documented
at https://phemex-docs.github.io/ (read 2026-11-22)."""

from __future__ import annotations

import uuid
from decimal import Decimal

from exchanges.sandbox.dialects.phemex_markets import LINEAR, SPOT, PhemexMarkets
from exchanges.sandbox.dialects.phemex_orders import ENDS
from exchanges.sandbox.dialects.phemex_perpetual import PhemexPerpetualOrders
from exchanges.sandbox.dialects.phemex_spot import PhemexSpotOrders
from exchanges.sandbox.model import ClientIds, Rules
from exchanges.types import OrderStatus, Product

D = Decimal


class _Phemex(PhemexMarkets, PhemexSpotOrders, PhemexPerpetualOrders):
    """Both products answer at one address."""


def _rules(name: str, wallet: str, fees: tuple[str, str]) -> Rules:
    return Rules(
        maker_fee=D(fees[0]),
        taker_fee=D(fees[1]),
        wallet=wallet,
        client_ids=ClientIds.FOREVER,
        cancels_instead=frozenset(ENDS),
        unfilled=OrderStatus.CANCELLED,
        order_id=lambda number: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}")),
        default_leverage=D(10),
    )


class PhemexSpot(_Phemex):
    name, product, markets = "Phemex", Product.SPOT, SPOT
    rules = _rules("phemex spot", "spot", ("0.001", "0.001"))


class PhemexLinear(_Phemex):
    name, product, markets = "Phemex_F", Product.LINEAR, LINEAR
    rules = _rules("phemex perpetual", "contract", ("0.0001", "0.0006"))
