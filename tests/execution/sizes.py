"""The same sizes on every product: where others count bitcoin, a contract margined in coins counts contracts of money.

Tests think in bitcoin; 0.01 is 100 contracts here, whatever one of them is worth.
"""

from decimal import Decimal
from typing import Any

from exchanges.types import Product
from exchanges.venue import Venue

CONTRACTS = 10_000


def written(kind: type[Venue], size: str) -> str:
    """As a message to that venue has it."""
    if kind.product is not Product.INVERSE:
        return size
    return f"{Decimal(size) * CONTRACTS:f}".rstrip("0").rstrip(".") if "." in size else size


def counted(kind: type[Venue], row: dict[str, Any]) -> Decimal:
    """The size of an order or position that the sandbox lists."""
    quantity = Decimal(row["quantity"]) * Decimal(row["contract_size"])
    return quantity / CONTRACTS if kind.product is Product.INVERSE else quantity
