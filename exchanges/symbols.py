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
#: what exchanges quote prices in that is worth a dollar: there `100$` is an amount of it
WORTH_A_DOLLAR = frozenset(
    {
        *(
            *DOLLARS,
            "ZUSD",
            "FDUSD",
            "BUSD",
            "TUSD",
            "USDP",
            "PAX",
            "GUSD",
            "HUSD",
            "PYUSD",
            "DAI",
            "USDE",
            "USDD",
        ),
        *(
            "USDG",
            "USDH",
            "USDQ",
            "USDR",
            "USDS",
            "USD1",
            "RLUSD",
            "AUSD",
            "XUSD",
            "BFUSD",
            "FRXUSD",
            "SUSD",
            "USDB",
        ),
    }
)
_DECORATION = re.compile(r"(?:[-_.:/]?(?:SWAP|PERPETUAL|PERP|PF|SPOT)|\.P|_(?:UMCBL|CMCBL|DMCBL|SPBL))$")
_PREFIX = re.compile(r"^(?:PF|PI|SPOT|PERP)_")
#: KuCoin's futures end in M: XBTUSDTM
_MARGINED = re.compile(r"(?<=USDT|USDC)M$")
#: Kraken's own names of its oldest pairs: XXBTZUSD, XETHXXBT
_OLDEST = re.compile(r"^X([A-Z]{3})(?:Z(?=USD|EUR|GBP|JPY|CAD|AUD)|X(?=XBT|ETH))(?=[A-Z]{3}$)")
#: what is traded by the thousand: 1000SHIB on most exchanges, kSHIB, SHIB1000 on ByBit
_THOUSAND = re.compile(r"(?:1000|k)([A-Z][A-Z0-9]*)|([A-Z]+)1000")
#: Bitfinex' derivatives: tBTCF0:USTF0, written BTC:USTF0 or BTCF0USTF0 too
_FUNDED = re.compile(r"(?:\w+:)?(\w+?)(?:(?:F0)?:|F0)(\w+)F0")
#: Hyperliquid's kPEPE is 1000PEPE elsewhere; nobody else writes a small k before capitals
_KILO = re.compile(r"^((?:\w+:)?)k(?=[A-Z]{2}[^a-z]*$)")
#: Bitfinex' long names: tDOGE:USD. Its small letter is nobody's prefix
_LONG = re.compile(r"^t([A-Z0-9]+):([A-Z0-9]+)$")
#: alone behind a colon they are what a pair is quoted in, not a coin behind the name of an exchange
_MONEY = frozenset({*DOLLARS, "UST", "UDC", "EUR", "GBP", "JPY"})
#: names that only contracts margined in coins have: Kraken's PI_XBTUSD and FI_XBTUSD_241227, OKX' BTC-USD-SWAP, Binance'
#: BTCUSD_PERP, Bitget's BTCUSD_DMCBL, and BTC/USD:BTC
_IN_COINS = re.compile(
    r"^(?:\w+:)?(?:[PF]I_\w+|\w+-USD-SWAP|\w*[A-Z0-9]USD_PERP|\w+_DMCBL|(\w+)/\w+:\1(?:-\w+)?)$"
)
#: names that only contracts settled in dollars have: Kraken's PF_XBTUSD, OKX' BTC-USDT-SWAP, Bitget's BTCUSDT_UMCBL,
#: KuCoin's XBTUSDTM, Deribit's BTC_USDC-PERPETUAL, BTC/USDT:USDT, and Bitfinex' BTCF0:USTF0
_IN_DOLLARS = re.compile(
    r"^(?:\w+:)?(?:PF_\w+|\w+-USD[TC]-SWAP|\w+_[UC]MCBL|\w+USD[TC]M|\w+_USD[TC]-PERPETUAL"
    r"|\w+/\w+:USD[TC]?(?:-\w+)?|T?\w+F0:?\w+F0|\w+:\w+F0)$"
)
#: dated ones: FI_XBTUSD_261225, BTC/USD:BTC-261225
_DATED = re.compile(r"^(?:\w+:)?(?:FI_\w+|\w+/\w+:\w+-\w+)$")


def common_asset(asset: str) -> str:
    """An asset in the spelling all venues share: XBT -> BTC."""
    asset = asset.upper()
    return ASSET_ALIASES.get(asset, asset)


def is_dollar(asset: str) -> bool:
    return common_asset(asset) in WORTH_A_DOLLAR


def plain(symbol: str) -> str:
    """Only letters and digits of the pair: `BINANCE:BTC/USDT.P`, `btc-usdt-swap` -> BTCUSDT."""
    text = _KILO.sub(r"\g<1>1000", _LONG.sub(r"\1\2", symbol.strip()))
    text = _undecorated(text.upper())
    if derivative := _FUNDED.fullmatch(text):
        text = "".join(derivative.groups())
    before, _, after = text.rpartition(":")
    if "/" in before:  # BTC/USDT:USDT names a settlement currency last, BINANCE:BTCUSDT an exchange first
        after = before.rpartition(":")[2]
    elif before and after in _MONEY:
        after = before.rpartition(":")[2] + after
    return re.sub(r"[^A-Z0-9]", "", _PREFIX.sub("", _undecorated(after)))


def in_coins(symbol: str) -> bool:
    """Whether only a contract margined in coins is called so: none in dollars is meant by it."""
    return _IN_COINS.match(symbol.strip().upper()) is not None


def _undecorated(text: str) -> str:
    previous = ""
    while text != previous:
        previous, text = text, _DECORATION.sub("", text)
    return text


def in_dollars(symbol: str) -> bool:
    """Whether only a contract settled in dollars is called so: none margined in coins is meant by it."""
    return _IN_DOLLARS.match(symbol.strip().upper()) is not None


def _dated(symbol: str) -> bool:
    return _DATED.match(symbol.strip().upper()) is not None


class InstrumentTable:
    """A venue's instruments, searched by spelling. Built once per refresh, read by every order."""

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self.instruments = tuple(instruments)
        self._by_pair: dict[str, Instrument] = {}
        self._by_symbol: dict[str, Instrument] = {}
        #: what other exchanges would write: with the small letter that Bitfinex (tBTCUST) and Phemex (sBTCUSDT) have before
        #: a pair, and just without it; and with a thousand at the other end
        self._by_marked: dict[str, Instrument] = {}
        for instrument in self.instruments:
            self._by_symbol.setdefault(instrument.symbol.upper(), instrument)
            for name in _names(instrument):
                if not (held := self._by_pair.get(name)) or (instrument.active and not held.active):
                    self._by_pair[name] = instrument
                if _marked(instrument):
                    mark, rest = instrument.symbol[0].upper(), plain(instrument.symbol[1:].replace(":", ""))
                    for written in (mark + name, rest):
                        self._by_marked.setdefault(written, instrument)
            for written in _thousands(instrument):
                self._by_marked.setdefault(written, instrument)

    def __len__(self) -> int:
        return len(self.instruments)

    def by_symbol(self, symbol: str) -> Instrument | None:
        """By the exchange's own spelling: what reports and positions carry."""
        return self._by_symbol.get(symbol.upper())

    def find(self, symbol: str, venue: str = "this venue") -> Instrument:
        """The instrument meant by `symbol`. On futures a missing dollar quote falls back to the nearest one
        (USDT, USDC, USD), a base alone (`BTC-PERP`) too; never for a contract margined in coins. Raises UnknownSymbol,
        naming the nearest spellings. On a venue of those any dollar means the one they are quoted in, unless the name
        is that of a contract settled in dollars."""
        found = self.meant(symbol)
        if found is None:
            raise UnknownSymbol(self._unknown(symbol, plain(symbol), venue))
        return found

    def meant(self, symbol: str) -> Instrument | None:
        """The same without a word on what is nearest, which takes long to find."""
        exact = self._by_symbol.get(symbol.upper())
        if exact is not None:
            return exact
        names = () if self._another_kind(symbol) else self._pairs_of(plain(symbol))
        return next((found for name in names if (found := self._find_pair(name)) is not None), None)

    def missing(self, symbol: str, venue: str) -> str:
        """Why `find` does not find it, in words."""
        if in_coins(symbol) and not self._in_coins:
            return f'"{symbol}" is a contract margined in coins, which {venue} does not trade'
        if in_dollars(symbol) and self._in_coins:
            return f'"{symbol}" is a contract settled in dollars, which {venue} does not trade'
        return f'"{symbol}" is not traded on {venue}'

    def _another_kind(self, symbol: str) -> bool:
        return (in_dollars(symbol) or _dated(symbol)) if self._in_coins else in_coins(symbol)

    def _pairs_of(self, pair: str) -> Iterator[str]:
        yield pair
        for written in dict.fromkeys((pair, *_spellings(pair))):
            yield from _other_dollars(written, self._any_futures)

    @cached_property
    def _any_futures(self) -> bool:
        return any(each.product is Product.LINEAR for each in self.instruments) or self._in_coins

    @cached_property
    def _in_coins(self) -> bool:
        return any(each.inverse for each in self.instruments)

    def _find_pair(self, pair: str) -> Instrument | None:
        for names in (self._by_pair, self._by_marked):
            if (found := next((names[name] for name in _spellings(pair) if name in names), None)) is not None:
                return found
        return None

    def _unknown(self, symbol: str, pair: str, venue: str) -> str:
        near = self.suggest(pair)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        return f"{self.missing(symbol, venue)}{hint}"

    def suggest(self, pair: str, count: int = 3) -> list[str]:
        """The nearest spellings, best first."""
        return difflib.get_close_matches(plain(pair), list(self._by_pair), n=count, cutoff=0.6)


def _marked(instrument: Instrument) -> bool:
    mark, rest = instrument.symbol[:1], instrument.symbol[1:]
    return mark.islower() and rest[:1].isupper() and rest.startswith(instrument.base)


def _names(instrument: Instrument) -> Iterator[str]:
    """What is traded by the thousand is called kPEPE on one exchange and 1000PEPE on the others."""
    base, quote = common_asset(instrument.base), common_asset(instrument.quote)
    yield base + quote
    if instrument.base[0] == "k" and instrument.base[1:].isupper():
        yield f"1000{base[1:]}{quote}"


def _thousands(instrument: Instrument) -> Iterator[str]:
    if found := _THOUSAND.fullmatch(instrument.base):
        coin, quote = found[1] or found[2], common_asset(instrument.quote)
        yield from (f"1000{coin}{quote}", f"{coin}1000{quote}")


def _spellings(pair: str) -> Iterator[str]:
    """The pair as written, then with the common names of its assets, then without a futures mark or old letters."""
    for written in dict.fromkeys((pair, _MARGINED.sub("", pair), _OLDEST.sub(r"\1", pair))):
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
