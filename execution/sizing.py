"""From a written size to a quantity the exchange accepts. Pure arithmetic; rounds down, never up.

On a contract margined in coins a number is contracts, and funds are coins: equity and margin are worth what the coins
are at the present price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from exchanges.symbols import is_dollar
from exchanges.types import Balance, Direction, Instrument, Product
from execution.amounts import Size, SizeUnit
from execution.protection import HUNDRED, down, up
from execution.rejection import Rejection

#: kept back of a "max" size for fees and the move of the price until the fill
MAX_BUFFER = Decimal("0.995")

PRICED = frozenset(SizeUnit) - {
    SizeUnit.BASE,
    SizeUnit.CONTRACTS,
    SizeUnit.PERCENT_POSITION,
    SizeUnit.ALL,
    SizeUnit.REST,
}
MONEY = frozenset({SizeUnit.QUOTE, SizeUnit.RISK_QUOTE})
FUNDED = frozenset(
    {
        SizeUnit.PERCENT,
        SizeUnit.PERCENT_EQUITY,
        SizeUnit.PERCENT_FREE,
        SizeUnit.PERCENT_MARGIN,
        SizeUnit.RISK_PERCENT,
        SizeUnit.MAX,
        SizeUnit.ALL,
    }
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a size is measured against. `funds` is the balance it draws on: the settlement currency on
    futures; on spot the quote currency for buys and the base currency for sells."""

    instrument: Instrument
    direction: Direction
    price: Decimal | None = None
    funds: Balance | None = None
    leverage: Decimal = Decimal(1)
    stop: Decimal | None = None
    held: Decimal = Decimal(0)

    @property
    def spot_sell(self) -> bool:
        return self.instrument.product is Product.SPOT and self.direction is Direction.SHORT


def quantity(size: Size, basis: Basis) -> Decimal:
    """As the instrument counts, rounded down to the step. Raises Rejection when the size needs what is not there."""
    return down(exact_quantity(size, basis), basis.instrument.step)


def exact_quantity(size: Size, basis: Basis) -> Decimal:
    """The same before rounding: what a refusal should talk about."""
    return _SIZES[size.unit](size, basis)


def check_bounds(
    exact: Decimal,
    price: Decimal | None,
    instrument: Instrument,
    size: Size | None = None,
    *,
    market: bool = False,
) -> None:
    """Raises Rejection with both numbers when the exchange would refuse the quantity, rounded to its step.
    `market`: the order executes at market, for which some exchanges have a maximum of its own."""
    span = size.span if size else None
    unit, quote = instrument.unit, instrument.quote
    least = max(instrument.min_quantity, instrument.step)
    amount = down(exact, instrument.step)
    in_money = size is not None and size.unit not in (SizeUnit.BASE, SizeUnit.CONTRACTS)
    if in_money and price and instrument.notional(exact, price) < instrument.min_notional:
        amount = exact  # too little money before any rounding: these are the numbers the user knows
    if price and amount and instrument.notional(amount, price) < instrument.min_notional:
        value = instrument.notional(amount, price).quantize(Decimal("0.01"), ROUND_FLOOR)
        raise Rejection(
            "BELOW_MIN_NOTIONAL",
            f"{_text(amount)} {unit} = {_text(value)} {quote}, minimum {_text(instrument.min_notional)} {quote}",
            f"write at least {_enough(instrument, price, in_money=in_money and is_dollar(quote))}",
            span,
        )
    if amount < least:
        raise Rejection(
            "BELOW_MIN_SIZE",
            f"{_text(exact)} {unit} is below the minimum of {_text(least)} {unit}",
            f"write at least {_text(least)}",
            span,
        )
    most = greatest(instrument, market=market)
    if most is not None and amount > most:
        raise Rejection(
            "ABOVE_MAX_SIZE",
            f"{_text(amount)} {unit} is above the maximum of {_text(most)} {unit} in one order",
            "split the order",
            span,
        )


def check_spend(amount: Decimal, instrument: Instrument, size: Size) -> None:
    """BELOW_MIN_NOTIONAL for a purchase that goes to the exchange as an amount of money."""
    if amount < instrument.min_notional:
        raise Rejection(
            "BELOW_MIN_NOTIONAL",
            f"{_text(amount)} {instrument.quote}, minimum {_text(instrument.min_notional)} {instrument.quote}",
            f"write at least {_text(instrument.min_notional)}$",
            size.span,
        )


def check_currency(size: Size, instrument: Instrument) -> None:
    """OTHER_CURRENCY for an amount of dollars where the price is in something else: 1$ of ETHBTC is not 1 BTC."""
    if size.unit not in MONEY or is_dollar(instrument.quote):
        return
    instead = (
        "risk 1%" if size.unit is SizeUnit.RISK_QUOTE else f"how many {instrument.unit}, or a percentage"
    )
    raise Rejection(
        "OTHER_CURRENCY",
        f'"{size}" means dollars, and {instrument.symbol} is paid in {instrument.quote}',
        f"write {instead}",
        size.span,
    )


def greatest(instrument: Instrument, *, market: bool) -> Decimal | None:
    """What one order may have at most; None where the exchange does not say."""
    limits = [instrument.max_quantity, instrument.max_market_quantity if market else None]
    return min((limit for limit in limits if limit is not None), default=None)


def _price(basis: Basis) -> Decimal:
    if not basis.price:
        raise Rejection("NO_PRICE", f"{basis.instrument.symbol} has no price at the moment", "try again")
    return basis.price


def _funds(basis: Basis, size: Size) -> Balance:
    if basis.funds is None:
        raise Rejection(
            "NOT_ENOUGH_BALANCE", "the account holds none of the currency this order draws on", "", size.span
        )
    return basis.funds


def _value(size: Size) -> Decimal:
    assert size.value is not None
    return size.value


def _base(size: Size, _: Basis) -> Decimal:
    return _value(size)


def _quote(size: Size, basis: Basis) -> Decimal:
    return basis.instrument.worth(_value(size), _price(basis))


def _contracts(size: Size, basis: Basis) -> Decimal:
    check_contracts(size, basis.instrument)
    return basis.instrument.from_contracts(_value(size))


def check_contracts(size: Size, instrument: Instrument) -> None:
    """On spot there are none to count: 3 of them must not be 3 coins."""
    if instrument.product is Product.SPOT:
        raise Rejection(
            "NOT_ON_SPOT", "spot has no contracts", "write a quantity or an amount of money", size.span
        )


def _percent_equity(size: Size, basis: Basis) -> Decimal:
    funds = _funds(basis, size)
    part = _value(size) / HUNDRED
    if basis.spot_sell:
        return funds.total * part
    if basis.instrument.product is Product.SPOT:
        return _spot_buy(funds.free * part, funds.free, basis)
    return basis.instrument.backed_by(funds.total * part, _price(basis))


def _percent_free(size: Size, basis: Basis) -> Decimal:
    funds = _funds(basis, size)
    part = funds.free * _value(size) / HUNDRED
    if basis.spot_sell:
        return part
    return (
        _spot_buy(part, funds.free, basis)
        if basis.instrument.product is Product.SPOT
        else basis.instrument.backed_by(part, _price(basis))
    )


def _spot_buy(spend: Decimal, free: Decimal, basis: Basis) -> Decimal:
    return min(spend, free * MAX_BUFFER) / _price(basis)


def _percent_margin(size: Size, basis: Basis) -> Decimal:
    if basis.instrument.product is Product.SPOT:
        raise Rejection("NOT_ON_SPOT", "spot has no margin", "write for example 5%", size.span)
    margin = _funds(basis, size).total * _value(size) / HUNDRED
    return basis.instrument.backed_by(margin * basis.leverage, _price(basis))


def _percent_position(size: Size, basis: Basis) -> Decimal:
    if not basis.held:
        raise Rejection("NO_POSITION", "there is no position to take a part of", "", size.span)
    return basis.held * _value(size) / HUNDRED


def _risk(money: Decimal, basis: Basis, size: Size) -> Decimal:
    """`money` in quote currency. What a contract margined in coins loses is coins, worth as much as they are where the
    stop closes it: of its value the part that the price went."""
    if basis.stop is None:
        raise Rejection(
            "RISK_NEEDS_STOP",
            "a risk size needs a stop in the same order",
            "add for example sl off 2%",
            size.span,
        )
    gap = abs(_price(basis) - basis.stop)
    if not gap:
        raise Rejection(
            "STOP_WRONG_SIDE", "the stop is at the entry price: the risk has no distance", "", size.span
        )
    if basis.instrument.inverse:
        return basis.instrument.worth(money * _price(basis) / gap, _price(basis))
    return money / gap


def _risk_percent(size: Size, basis: Basis) -> Decimal:
    """Of the account's equity: coins that are lost there, at what they are worth where the stop closes."""
    part = _funds(basis, size).total * _value(size) / HUNDRED
    return _risk(part * (basis.stop or 0) if basis.instrument.inverse else part, basis, size)


def _risk_quote(size: Size, basis: Basis) -> Decimal:
    return _risk(_value(size), basis, size)


def _max(size: Size, basis: Basis) -> Decimal:
    if basis.held:
        return basis.held
    free = _funds(basis, size).free
    if basis.spot_sell:
        return free
    return basis.instrument.backed_by(free * MAX_BUFFER * basis.leverage, _price(basis))


_SIZES: dict[SizeUnit, Callable[[Size, Basis], Decimal]] = {
    SizeUnit.BASE: _base,
    SizeUnit.QUOTE: _quote,
    SizeUnit.CONTRACTS: _contracts,
    SizeUnit.PERCENT: _percent_equity,
    SizeUnit.PERCENT_EQUITY: _percent_equity,
    SizeUnit.PERCENT_FREE: _percent_free,
    SizeUnit.PERCENT_MARGIN: _percent_margin,
    SizeUnit.PERCENT_POSITION: _percent_position,
    SizeUnit.RISK_PERCENT: _risk_percent,
    SizeUnit.RISK_QUOTE: _risk_quote,
    SizeUnit.MAX: _max,
    SizeUnit.ALL: _max,
    SizeUnit.REST: _max,
}


def _enough(instrument: Instrument, price: Decimal, *, in_money: bool) -> str:
    """The smallest size that still is enough when it was rounded down to the step."""
    amount = max(
        up(instrument.worth(instrument.min_notional, price), instrument.step), instrument.min_quantity
    )
    value = instrument.notional(amount, price)
    return f"{_text(up(value, Decimal('0.01')))}$" if in_money else _text(amount)


def _text(value: Decimal) -> str:
    """At most eight decimals: a quotient has as many as fit. Never more than it is: what falls just short of a
    minimum must not read like it."""
    whole, _, decimals = format(value, "f").partition(".")
    return f"{whole}.{decimals[:8]}".rstrip("0").rstrip(".") if decimals else whole
