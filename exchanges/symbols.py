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
_DECORATION = re.compile(r"(?:[-_.:/]?(?:SWAP|PERPETUAL|PERP|PF|SPOT)|\.P)$")
_PREFIX = re.compile(r"^(?:PF|PI|SPOT|PERP)_")
#: KuCoin's futures end in M: XBTUSDTM
_MARGINED = re.compile(r"(?<=USDT|USDC)M$")


def common_asset(asset: str) -> str:
    """An asset in the spelling all venues share: XBT -> BTC."""
    asset = asset.upper()
    return ASSET_ALIASES.get(asset, asset)


def plain(symbol: str) -> str:
    """Only letters and digits of the pair: `BINANCE:BTC/USDT.P`, `btc-usdt-swap` -> BTCUSDT."""
    text = _undecorated(symbol.strip().upper())
    before, _, after = text.rpartition(":")
    if "/" in before:  # BTC/USDT:USDT names a settlement currency last, BINANCE:BTCUSDT an exchange first
        after = before.rpartition(":")[2]
    return re.sub(r"[^A-Z0-9]", "", _PREFIX.sub("", _undecorated(after)))


def _undecorated(text: str) -> str:
    previous = ""
    while text != previous:
        previous, text = text, _DECORATION.sub("", text)
    return text


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
        """The instrument meant by `symbol`. On futures a missing dollar quote falls back to the nearest one
        (USDT, USDC, USD), a base alone (`BTC-PERP`) too. Raises UnknownSymbol naming the nearest spellings."""
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
        return next((self._by_pair[name] for name in _spellings(pair) if name in self._by_pair), None)

    def _unknown(self, symbol: str, pair: str, venue: str) -> str:
        near = self.suggest(pair)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        return f'"{symbol}" is not traded on {venue}{hint}'

    def suggest(self, pair: str, count: int = 3) -> list[str]:
        """The nearest spellings, best first."""
        return difflib.get_close_matches(plain(pair), list(self._by_pair), n=count, cutoff=0.6)


def _names(instrument: Instrument) -> Iterator[str]:
    """What is traded by the thousand is called kPEPE on one exchange and 1000PEPE on the others."""
    base, quote = common_asset(instrument.base), common_asset(instrument.quote)
    yield base + quote
    if instrument.base[0] == "k" and instrument.base[1:].isupper():
        yield f"1000{base[1:]}{quote}"


def _spellings(pair: str) -> Iterator[str]:
    """The pair as written, then with the common names of its assets, then without a futures mark."""
    for written in dict.fromkeys((pair, _MARGINED.sub("", pair))):
        for start in _starts(written):
            yield start
            for alias, common in ASSET_ALIASES.items():
                if start.endswith(alias):
                    yield start[: -len(alias)] + common


def _starts(pair: str) -> Iterator[str]:
    yield pair
    for alias, common in ASSET_ALIASES.items():
        if pair.startswith(alias):
            yield common + pair[len(alias) :]


def _other_dollars(pair: str, futures: bool) -> Iterator[str]:
    if not futures or not pair:
        return  # on spot the quote currency is somebody's money: no substitution
    for asked in DOLLARS:
        if pair.endswith(asked) and len(pair) > len(asked):
            base = pair[: -len(asked)]
            yield from (base + other for other in DOLLARS if other != asked)
            return
    yield from (pair + dollar for dollar in DOLLARS)
