"""One symbol in any spelling a trader types, found among a venue's instruments."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from exchanges.errors import UnknownSymbol
from exchanges.types import Instrument, Product

#: exchange's own asset names -> the common one (Kraken's XBT/XDG, BitMEX' XBt, Bitfinex' UST, old BCC)
ASSET_ALIASES = {"XBT": "BTC", "XDG": "DOGE", "BCC": "BCH", "XXBT": "BTC", "USDT0": "USDT", "UST": "USDT"}
DOLLARS = ("USDT", "USDC", "USD")
_DECORATION = re.compile(r"(?:[-_.:/]?(?:SWAP|PERPETUAL|PERP|PF|SPOT)|\.P|\.PERP)$")
_PREFIX = re.compile(r"^(?:PF|PI|SPOT|PERP)_")


def common_asset(asset: str) -> str:
    """An asset in the spelling all venues share: XBT -> BTC."""
    asset = asset.upper()
    return ASSET_ALIASES.get(asset, asset)


def plain(symbol: str) -> str:
    """Only letters and digits of the pair: `BINANCE:BTC/USDT.P`, `btc-usdt-swap` -> BTCUSDT."""
    text = symbol.upper()
    before, colon, after = text.partition(":")
    if colon:  # BINANCE:BTCUSDT names an exchange first, BTC/USDT:USDT a settlement currency last
        text = before if "/" in before else after
    text = _PREFIX.sub("", text)
    previous = ""
    while text != previous:
        previous, text = text, _DECORATION.sub("", text)
    return re.sub(r"[^A-Z0-9]", "", text)


class InstrumentTable:
    """A venue's instruments, searched by spelling. Built once per refresh, read by every order."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments = tuple(instruments)
        self._by_pair: dict[str, Instrument] = {}
        self._by_symbol: dict[str, Instrument] = {}
        for instrument in self.instruments:
            self._by_symbol.setdefault(instrument.symbol.upper(), instrument)
            for name in _names(instrument):
                if not (held := self._by_pair.get(name)) or (instrument.active and not held.active):
                    self._by_pair[name] = instrument

    def __len__(self) -> int:
        return len(self.instruments)

    def by_symbol(self, symbol: str) -> Instrument | None:
        """By the exchange's own spelling: what reports and positions carry."""
        return self._by_symbol.get(symbol.upper())

    def find(self, symbol: str, venue: str = "this venue") -> Instrument:
        """The instrument meant by `symbol`. On futures a missing dollar quote falls back to the nearest
        one (USDT, USDC, USD). Raises UnknownSymbol naming the nearest spellings."""
        exact = self._by_symbol.get(symbol.upper())
        if exact is not None:
            return exact
        pair = plain(symbol)
        for name in (pair, *_other_dollars(pair, self._any_futures)):
            if (found := self._find_pair(name)) is not None:
                return found
        raise UnknownSymbol(self._unknown(symbol, pair, venue))

    @cached_property
    def _any_futures(self) -> bool:
        return any(each.product is Product.LINEAR for each in self.instruments)

    def _find_pair(self, pair: str) -> Instrument | None:
        if (found := self._by_pair.get(pair)) is not None:
            return found
        for alias, common in ASSET_ALIASES.items():
            if pair.startswith(alias) and (found := self._by_pair.get(common + pair[len(alias) :])):
                return found
            if pair.endswith(alias) and (found := self._by_pair.get(pair[: -len(alias)] + common)):
                return found
        return None

    def _unknown(self, symbol: str, pair: str, venue: str) -> str:
        near = self.suggest(pair)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        return f'"{symbol}" is not traded on {venue}{hint}'

    def suggest(self, pair: str, count: int = 3) -> list[str]:
        """The nearest spellings, best first."""
        return difflib.get_close_matches(plain(pair), list(self._by_pair), n=count, cutoff=0.6)


def _names(instrument: Instrument) -> Iterator[str]:
    base, quote = common_asset(instrument.base), common_asset(instrument.quote)
    yield base + quote


def _other_dollars(pair: str, futures: bool) -> Iterator[str]:
    if not futures:
        return  # on spot the quote currency is somebody's money: no substitution
    for asked in DOLLARS:
        if pair.endswith(asked) and len(pair) > len(asked):
            base = pair[: -len(asked)]
            yield from (base + other for other in DOLLARS if other != asked)
            return
