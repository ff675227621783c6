"""Hyperliquid's markets in the sandbox, and which prices they take.

The book moves in the steps a price has at the start; what lies between two of them waits for the next."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from exchanges.sandbox.model import Market, Reason, Rejected
from exchanges.types import Product

D = Decimal
#: base, decimals of a quantity, greatest leverage, steps at the start of the perpetual and of the pair
COINS = (
    ("BTC", 5, 40, "1", "1"),
    ("ETH", 4, 25, "0.1", "0.1"),
    ("SOL", 2, 20, "0.01", "0.01"),
    ("XRP", 0, 20, "0.00001", "0.00001"),
    ("DOGE", 0, 10, "0.00001", "0.00001"),
    ("LTC", 2, 10, "0.001", "0.001"),
)


def _market(
    base: str, quote: str, symbol: str, product: Product, digits: int, tick: str, asset: int, **more: Any
) -> Market:
    finest = D(1).scaleb(digits - (8 if product is Product.SPOT else 6))
    step, extra = D(1).scaleb(-digits), {"asset": asset, "digits": digits, "finest": finest}
    return Market(
        symbol,
        base,
        quote,
        product,
        D(tick),
        step,
        min_quantity=step,
        min_notional=D(10),
        extra=extra,
        **more,
    )


PERPETUALS = tuple(
    _market(base, "USDC", base, Product.LINEAR, digits, tick, place, max_leverage=D(most))
    for place, (base, digits, most, tick, _) in enumerate(COINS)
)
#: against USDC, then bitcoin against USDT0
SPOT = (
    *(
        _market(base, "USDC", f"@{142 + place}", Product.SPOT, digits, tick, 10_142 + place)
        for place, (base, digits, _, _, tick) in enumerate(COINS)
    ),
    _market("BTC", "USDT", "@200", Product.SPOT, 5, "1", 10_200),
)


def check_digits(price: Decimal, market: Market) -> None:
    """Five significant digits, or a whole number; and never more decimals than the asset allows."""
    digits = len(price.normalize().as_tuple().digits)
    whole = price == price.to_integral_value()
    if price <= 0 or price % market.extra["finest"] or not (whole or digits <= 5):
        raise Rejected(Reason.PRICE_TICK, str(price))


def on_grid(price: Decimal, market: Market, *, up: bool) -> Decimal:
    steps = (price / market.tick).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return max(steps, D(1)) * market.tick
