"""ccxt's unified answers as our values. What is missing or unknown in them is an unknown outcome, as everywhere.

Their shapes: https://docs.ccxt.com/#/README?id=order-structure and the like (read 2026-11-22). Numbers are text here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from exchanges.errors import OutcomeUnknown
from exchanges.read import as_decimal, decimal, decimal_or_none, field, nonzero, text, word
from exchanges.symbols import common_asset
from exchanges.types import (
    Balance,
    Direction,
    Fee,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Product,
    Quote,
    Report,
    Side,
)
from exchanges.venue import acknowledged

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
DIRECTIONS = {"long": Direction.LONG, "short": Direction.SHORT}
MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}
#: ccxt's "closed" means filled; what was cancelled half-way is "canceled"
STATUSES = {
    "open": OrderStatus.OPEN,
    "canceling": OrderStatus.OPEN,
    "closed": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
    "expired": OrderStatus.EXPIRED,
}
TICK_SIZE, DECIMAL_PLACES = 4, 2
ENDED = (("fetchOrders",), ("fetchCanceledAndClosedOrders",), ("fetchClosedOrders", "fetchCanceledOrders"))
METHODS = {
    "fetchOrders": "fetch_orders",
    "fetchCanceledAndClosedOrders": "fetch_canceled_and_closed_orders",
    "fetchClosedOrders": "fetch_closed_orders",
    "fetchCanceledOrders": "fetch_canceled_orders",
}


def symbol_of(instrument: Instrument) -> str:
    """ccxt's own name of a market."""
    return str(instrument.extra["ccxt"])


# -- markets -----------------------------------------------------------------------------------------------


def instruments(client: Any, product: Product) -> list[Instrument]:
    """Those whose steps ccxt tells; a market without them could not be traded in exact amounts."""
    of_product = (each for each in client.markets.values() if _is(each, product))
    found = (_instrument(each, product, client.precisionMode) for each in of_product)
    return [each for each in found if each is not None]


def of_product(client: Any, item: Mapping[str, Any], product: Product) -> bool:
    market = client.markets.get(item.get("symbol"))
    return market is not None and _is(market, product)


def _is(market: Mapping[str, Any], product: Product) -> bool:
    if product is Product.SPOT:
        return bool(market.get("spot"))
    return bool(market.get("swap") and market.get("linear"))


def _instrument(market: Mapping[str, Any], product: Product, mode: int) -> Instrument | None:
    tick = _step(market["precision"].get("price"), mode)
    step = _step(market["precision"].get("amount"), mode)
    if tick is None or step is None:
        return None
    size = decimal_or_none(market, "contractSize") or Decimal(1)
    limits = market["limits"]
    most = decimal_or_none(limits, "amount", "max")
    return Instrument(
        symbol=text(market, "id"),
        base=common_asset(text(market, "base")),
        quote=common_asset(text(market, "quote")),
        settle=common_asset(str(market.get("settle") or market["quote"])),
        product=product,
        tick=tick,
        step=step * size,
        min_quantity=(decimal_or_none(limits, "amount", "min") or Decimal(0)) * size,
        min_notional=decimal_or_none(limits, "cost", "min") or Decimal(0),
        max_quantity=most * size if most else None,
        contract_size=size,
        max_leverage=decimal_or_none(limits, "leverage", "max"),
        active=market.get("active") is not False,
        extra={"ccxt": text(market, "symbol")},
    )


def _step(told: Any, mode: int) -> Decimal | None:
    if told is None:
        return None
    number = as_decimal(told, "precision")
    if mode == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(number))
    return number if mode == TICK_SIZE and number > 0 else None


def quote(client: Any, symbol: str) -> Quote:
    """Where the ticker has no bid and ask, the order book has."""
    ticker = client.fetch_ticker(symbol)
    bid, ask = decimal_or_none(ticker, "bid"), decimal_or_none(ticker, "ask")
    if not (bid and ask):
        book = client.fetch_order_book(symbol)
        bid, ask = _best(book, "bids"), _best(book, "asks")
    last = decimal_or_none(ticker, "last") or (bid + ask) / 2
    return Quote(bid, ask, last, decimal_or_none(ticker, "markPrice"))


def _best(book: Any, side: str) -> Decimal:
    """Of an order book alone ccxt makes floats; their shortest spelling is the text that they were made of."""
    return as_decimal(str(field(book, side, 0, 0)), side)


# -- orders ------------------------------------------------------------------------------------------------


def placed(item: Any, asked: OrderRequest) -> Report:
    """The answer to placing: at least an id. It is believed where it tells of an end or of a fill."""
    report = acknowledged(asked, text(item, "id"))
    if item.get("status") not in STATUSES or asked.type.conditional:
        return report
    status, size = word(STATUSES, item, "status"), asked.instrument.contract_size
    filled = (decimal_or_none(item, "filled") or Decimal(0)) * size
    average = _average(item, filled)
    known = status.final and (average is not None or not filled)
    if status is OrderStatus.FILLED and not filled:
        known = False  # it says that it is done, and not how much of it
    return replace(report, status=status, filled=filled, average_price=average, acknowledged_only=not known)


def order(item: Any, client: Any, instrument: Instrument | None) -> Report:
    size = instrument.contract_size if instrument else _size(client, item)
    amount = decimal_or_none(item, "amount")
    filled = (decimal_or_none(item, "filled") or Decimal(0)) * size
    trigger = _trigger(item)
    status = word(STATUSES, item, "status")
    if status is OrderStatus.FILLED and not filled:
        raise OutcomeUnknown("an order is done, and what became of it is not told")
    return Report(
        exchange_id=text(item, "id"),
        client_id=str(item.get("clientOrderId") or ""),
        symbol=instrument.symbol if instrument else text(client.markets[item["symbol"]], "id"),
        side=word(SIDES, item, "side"),
        type=_type(item, trigger),
        status=status,
        quantity=None if amount is None else amount * size,
        filled=filled,
        average_price=_average(item, filled),
        price=_price(item, "price"),
        trigger_price=trigger[0] if trigger else None,
        reduce_only=bool(item.get("reduceOnly")),
        fee=_fee(item),
    )


def has_id(item: Mapping[str, Any], client_id: str) -> bool:
    """ccxt does not read every exchange's name for our id: then it stands in what the exchange itself said."""
    said = item.get("info")
    return item.get("clientOrderId") == client_id or (
        isinstance(said, Mapping) and client_id in said.values()
    )


def standing(client: Any, symbol: str | None, params: dict[str, Any]) -> list[Any]:
    """As many as the exchange lists at once. A full list may not be all there is, and is not taken for it."""
    most = _page(client)
    rows = list(client.fetch_open_orders(symbol, None, most, dict(params)))
    if most is not None and len(rows) >= most:
        raise OutcomeUnknown(f"the exchange lists {most} open orders at once, and there may be more of them")
    return rows


def _page(client: Any) -> int | None:
    """The longest list of open orders, as ccxt's table of features tells it; None where all come at once."""
    table = client.features or {}
    spot = client.options["defaultType"] == "spot"
    of_product = table.get("spot") if spot else (table.get("swap") or {}).get("linear")
    told = ((of_product or {}).get("fetchOpenOrders") or {}).get("limit")
    return int(told) if told else None


def ended(client: Any, symbol: str, params: dict[str, Any]) -> list[Any]:
    """Orders that ended lately, filled and cancelled. Raises OutcomeUnknown where the exchange does not list both."""
    for names in ENDED:
        if all(client.has.get(name) is True for name in names):
            methods = [getattr(client, METHODS[name]) for name in names]
            return [each for method in methods for each in method(symbol, None, None, dict(params))]
    raise OutcomeUnknown("the exchange does not list its ended orders: look there by hand")


def _size(client: Any, item: Any) -> Decimal:
    return decimal_or_none(client.markets[item["symbol"]], "contractSize") or Decimal(1)


def _trigger(item: Any) -> tuple[Decimal, bool] | None:
    """The price an order waits for, and whether it is a take-profit."""
    if price := _price(item, "takeProfitPrice"):
        return price, True
    price = _price(item, "stopLossPrice") or _price(item, "triggerPrice")
    return (price, False) if price else None


def _price(item: Any, name: str) -> Decimal | None:
    """0 and -1 are exchanges' words for no price."""
    found = decimal_or_none(item, name)
    return found if found is not None and found > 0 else None


def _type(item: Any, trigger: tuple[Decimal, bool] | None) -> OrderType:
    """Exchanges have names of their own for what waits: one with a price of its own becomes a limit order."""
    limit = "limit" in str(item.get("type") or "").lower()
    if trigger is None:
        return OrderType.LIMIT if limit or item.get("type") is None else OrderType.MARKET
    if trigger[1]:
        return OrderType.TAKE_PROFIT_LIMIT if limit else OrderType.TAKE_PROFIT
    return OrderType.STOP_LIMIT if limit else OrderType.STOP


def _average(item: Any, filled: Decimal) -> Decimal | None:
    return nonzero(item, "average") if filled else None


def _fee(item: Any) -> Fee | None:
    paid = item.get("fee") or {}
    cost = decimal_or_none(paid, "cost")
    return Fee(cost, common_asset(text(paid, "currency"))) if cost and paid.get("currency") else None


# -- the account -------------------------------------------------------------------------------------------


def balances(answer: Any) -> dict[str, Balance]:
    total, free = answer.get("total") or {}, answer.get("free") or {}
    found = {}
    for asset in total:
        held = decimal_or_none(total, asset)
        if held is not None:
            name = common_asset(asset)
            found[name] = Balance(name, held, decimal_or_none(free, asset) or Decimal(0))
    return found


def positions(rows: Any, client: Any) -> list[Position]:
    return [_position(row, client) for row in rows if of_product(client, row, Product.LINEAR) and _open(row)]


def _open(row: Any) -> bool:
    return bool(decimal_or_none(row, "contracts"))


def _position(row: Any, client: Any) -> Position:
    return Position(
        symbol=text(client.markets[row["symbol"]], "id"),
        direction=word(DIRECTIONS, row, "side"),
        quantity=abs(decimal(row, "contracts")) * _size(client, row),
        entry_price=decimal(row, "entryPrice"),
        mark_price=decimal_or_none(row, "markPrice"),
        leverage=decimal_or_none(row, "leverage"),
        margin_mode=MODES.get(str(row.get("marginMode"))),
        unrealised=decimal_or_none(row, "unrealizedPnl"),
        liquidation_price=nonzero(row, "liquidationPrice"),
    )
