"""Reading `SYMBOL on EXCHANGE using ACCOUNTS`, and saying what is wrong where one should stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NoReturn

from exchanges.names import EXCHANGES, PRODUCT_NAMES, exchange_name, name_key
from exchanges.symbols import in_coins, in_dollars, plain
from exchanges.types import Product
from execution.amounts import Span
from execution.message import VenueName
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.errors import BadCommand, nearest, quoted, shortened
from webhooks.syntax.lexer import COMMA, END, HEADER, SPACE
from webhooks.syntax.words import EXAMPLE, EXAMPLE_HEADER, MARKETS, VOCABULARY

MAX_SYMBOLS = 50
MAX_ACCOUNTS = 20
_MAX_NAME = 60
_RAW = re.compile(rf'[^;|,"“{SPACE}]+')
_SYMBOL = re.compile(r"[^\W_][\w/.:-]*")
_PREFIX = re.compile(r"^[A-Z][A-Z0-9_]*:")
#: a dated future has no other name than the exchange's own
_DATED = re.compile(r"[-_.][0-9]{6}$|[-_][0-9]{1,2}[A-Z]{3}[0-9]{2}\b")
#: what ByBit calls its markets against USDC; elsewhere a coin alone, which the exchange's list knows
_COIN_PERP = re.compile(r"[A-Z0-9]+(?<!USD)(?<!USDT)(?<!USDC)PERP")
_LOOKS_LIKE_PAIR = re.compile(r"[A-Z0-9:/_-]{2,}(?:USDT?|USDC|EUR|BTC|ETH)(?:[.:_-]?\w+)?", re.IGNORECASE)
#: a longer message is not repeated in a hint
_LONGEST_ECHO = 100
_DELAYED_HINT = "TradingView marks delayed data with _DLY: write the name of the exchange instead"
#: names of an exchange's own contracts margined in coins, which elsewhere mean any perpetual
_OWN_IN_COINS = {"Deribit": re.compile(r"(?:DERIBIT:)?(?:BTC|ETH)-PERPETUAL")}
_MARKET_MARKS = ("_F", "_S", "_C", "_M", "_FT", "_ST", "_CT")
_MARKET_HINT = "use _F for futures, _S for spot, _C for coin-margined"

# -- symbols -------------------------------------------------------------------------------------------


def common_symbol(written: str) -> str | None:
    """The spelling all exchanges share (`BINANCE:BTC/USDT.P` -> BTCUSDT), None when it is no symbol.

    Names that only one exchange knows (dated futures, BTCPERP, names beyond ASCII) and those of contracts margined in
    coins stay as written.
    """
    return _common_symbol(written) if len(written) <= _MAX_NAME else None  # long ones would fill the cache


@lru_cache(maxsize=4096)
def _common_symbol(written: str) -> str | None:
    if not _SYMBOL.fullmatch(written):
        return None
    if not written.isascii():
        return written
    symbol = written.upper()
    if _DATED.search(symbol) or in_coins(symbol):
        return _PREFIX.sub("", symbol)
    if _COIN_PERP.fullmatch(name := _PREFIX.sub("", symbol)):
        return name
    symbol = plain(written)
    while (shorter := plain(symbol)) != symbol:
        symbol = shorter
    symbol = re.sub(r"^XBT(?=.)", "BTC", symbol)
    known = symbol.lower() in VOCABULARY or not any(map(str.isalpha, symbol))
    return None if known else symbol


def read_symbols(c: Cursor) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """`BTCUSDT`, `BTCUSDT, ETHUSDT` or `*` (no symbols), and the word `on`."""
    symbols: list[str] = []
    spans: list[Span] = []
    while True:
        first = c.i
        written = c.raw(_RAW)
        if written == "*" and not symbols and c.kind == "on":
            spans.append(c.value_span(first))
            break
        symbols.append(_symbol(c, written, first, symbols))
        spans.append(c.value_span(first))
        if not c.take(COMMA):
            break
    if len(symbols) > MAX_SYMBOLS:
        raise c.error_at(
            spans[MAX_SYMBOLS],
            "TOO_MANY",
            f"a block takes {MAX_SYMBOLS} symbols at most",
            "split the message",
        )
    if not c.take("on"):
        raise c.error(
            "MISSING_EXCHANGE", f"the exchange is missing before {c.here()}", f"write {EXAMPLE_HEADER}"
        )
    return tuple(symbols), tuple(spans)


def _symbol(c: Cursor, written: str, first: int, others: list[str]) -> str:
    symbol = common_symbol(written)
    if symbol is None:
        raise _bad_symbol(c, written, first)
    if symbol in others:
        raise c.error("TWICE", f"{symbol} stands twice", "leave one of the two out", first, c.i - 1)
    return symbol


def _bad_symbol(c: Cursor, written: str, first: int) -> BadCommand:
    message = f"{quoted(written)} is not a symbol" if written else "a symbol is missing"
    return c.error("BAD_SYMBOL", message, f"write a pair, for example {EXAMPLE_HEADER}", first, c.i - 1)


# -- exchanges -----------------------------------------------------------------------------------------


def read_venue(c: Cursor) -> VenueName:
    """The word behind `on`: an exchange and the mark of one of its markets."""
    first = c.i
    if c.at_known_word():
        what = "is missing at the end" if c.kind == END else f"is missing before {c.here()}"
        raise c.error(
            "MISSING_EXCHANGE",
            f"the exchange {what}",
            f"write for example {EXAMPLE_HEADER}",
            expected=EXCHANGES,
        )
    written = c.raw(_RAW)
    found = _venue(written)
    if found is None:
        _unknown_venue(c, written, first)
    exchange, product, testnet = found
    return VenueName(exchange, product, testnet, c.value_span(first))


def _venue(written: str) -> tuple[str, Product, bool] | None:
    return _known_venue(written) if len(written) <= _MAX_NAME else None


@lru_cache(maxsize=4096)
def _known_venue(written: str) -> tuple[str, Product, bool] | None:
    name, mark_sign, mark = written.rpartition("_")
    if mark_sign and not mark:
        return None  # half of a mark: it is not for us to say that spot is meant
    exchange = exchange_name(name) if mark_sign else None
    if exchange is None:
        exchange, mark = exchange_name(written), ""
    market = MARKETS.get(mark.lower())
    return (exchange, *market) if exchange is not None and market is not None else None


def _unknown_venue(c: Cursor, written: str, first: int) -> NoReturn:
    name, _, mark = written.rpartition("_")
    if name and (exchange := exchange_name(name)):
        message = f"{quoted('_' + mark)} is not a market of {exchange.lower()}"
        hint = _DELAYED_HINT if mark.upper() in ("DL", "DLY") else _MARKET_HINT
        raise c.error("UNKNOWN_MARKET", message, hint, first, c.i - 1, _MARKET_MARKS)
    message = f"{quoted(written)} is not a known exchange"
    raise c.error("UNKNOWN_EXCHANGE", message, _exchange_hint(written), first, c.i - 1, EXCHANGES)


def _exchange_hint(written: str) -> str:
    name, sign, mark = written.rpartition("_")
    if mark.lower() not in MARKETS or not sign:
        name, sign, mark = written, "", ""
    if found := PRODUCT_NAMES.get(name_key(written)):
        return f'did you mean "{found}"?'
    if near := nearest(name, EXCHANGES):
        return f'did you mean "{near}{sign}{mark.upper()}"?'
    return f"known are {', '.join(EXCHANGES)}"


def check_contracts(c: Cursor, spans: Sequence[Span], venue: VenueName) -> None:
    """A name that only one kind of contract has is not traded as the other. Raises BadCommand."""
    if venue.product is Product.INVERSE:
        for span in spans:
            if in_dollars(c.at(span)):
                raise _other_contract(c, span, venue, "settled in dollars", "_F")
    elif venue.product is Product.LINEAR and venue.exchange in _OWN_IN_COINS:
        for span in spans:
            if _OWN_IN_COINS[venue.exchange].fullmatch(c.at(span).upper()):
                raise _other_contract(c, span, venue, "margined in coins", "_C")


def _other_contract(c: Cursor, span: Span, venue: VenueName, what: str, mark: str) -> BadCommand:
    written, other = c.at(span), f"{venue.exchange}{mark}{'T' if venue.testnet else ''}"
    message = f"{quoted(written)} is a contract {what}, and {venue} is not for those"
    return c.error_at(span, "OTHER_CONTRACT", message, f"write {written} on {other}")


# -- accounts ------------------------------------------------------------------------------------------


def read_accounts(c: Cursor) -> tuple[tuple[str, ...], tuple[Span, ...]]:
    """The names behind `using` and where they stand, or nothing when it does not stand here."""
    if not c.take("using"):
        return (), ()
    names: list[str] = []
    spans: list[Span] = []
    while True:
        first = c.i
        name = c.name("using")
        if name.lower() in (other.lower() for other in names):  # accounts are found without regard to case
            raise c.error("TWICE", f"{quoted(name)} stands twice", "leave one of the two out", first, c.i - 1)
        names.append(name)
        spans.append(c.value_span(first))
        if len(names) > MAX_ACCOUNTS:
            raise c.error(
                "TOO_MANY", f"a block takes {MAX_ACCOUNTS} accounts at most", "split the message", first
            )
        if not c.take(COMMA):
            return tuple(names), tuple(spans)


# -- where a header should stand -----------------------------------------------------------------------


def refuse_no_header(c: Cursor) -> NoReturn:
    """The message does not begin with a header: find out what the sender meant."""
    if c.kinds[c.i + c.chunk_length(c.i)] == "on":
        first = c.i
        raise _bad_symbol(c, c.raw(_RAW), first)
    if (at := missing_on(c)) is not None:
        refuse_missing_on(c, at)
    message = "the message must begin with SYMBOL on EXCHANGE"
    start = c.text_of(c.i, c.i) and c.text[c.starts[c.i] :]
    fits = (
        len(start) <= _LONGEST_ECHO and start.isprintable() and HEADER not in c.kinds and c.kind in VOCABULARY
    )
    example = f"{EXAMPLE_HEADER} {start}" if fits else EXAMPLE
    raise c.error("NO_HEADER", message, f"begin with the symbol, for example: {example}")


def missing_on(c: Cursor) -> int | None:
    """The index of the token where `on` should stand, when this looks like a header without it."""
    if c.at_known_word():
        return None
    second = c.i + c.chunk_length(c.i)
    third = second + c.chunk_length(second)
    if _venue(c.chunk(second)) is not None or _venue(c.chunk(third)) is not None:
        return second
    first = c.chunk(c.i)
    return second if len(first) <= _MAX_NAME and _LOOKS_LIKE_PAIR.fullmatch(first) else None


def refuse_missing_on(c: Cursor, at: int) -> NoReturn:
    symbol = shortened(c.chunk(c.i))
    venue = next(
        (each for each in (c.chunk(at), c.chunk(at + c.chunk_length(at))) if _venue(each)), "Binance_F"
    )
    message = f'expected the word "on", found {quoted(c.chunk(at)) if c.chunk(at) else "the end"}'
    last = at + c.chunk_length(at) - 1
    raise c.error("MISSING_ON", message, f"write {symbol} on {venue}", at, max(last, at), expected=("on",))
