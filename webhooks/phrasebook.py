"""The language by example, for the page `/docs/syntax/`. Each message here parses, and is carried out as it stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrase:
    message: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Chapter:
    anchor: str
    title: str
    phrases: tuple[Phrase, ...]
    text: str = ""


def _chapter(anchor: str, title: str, text: str, *phrases: tuple[str, str]) -> Chapter:
    return Chapter(anchor, title, tuple(Phrase(*each) for each in phrases), text)


CHAPTERS = (
    _chapter(
        "entries",
        "Opening",
        "buy is another word for long, sell for short. On spot, sell sells what is held.",
        (
            "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%",
            "Buy 0.01 BTC at market; stop 2 % below the price you really got, target 5 % above it.",
        ),
        (
            "BTCUSDT on Binance_F long 0.01 at 60000",
            "A limit order. It rests until it fills or is cancelled.",
        ),
        (
            "BTCUSDT on Binance_F limit long 0.01 off 1% sl off 2%",
            "A limit order 1 % below the price of this moment, with a stop from the fill.",
        ),
        (
            "BTCUSDT on Binance_F stop long 0.01 at 65000 sl off 1%",
            "Wait until the price reaches 65000, then buy at market.",
        ),
        ("BTCUSDT on Binance buy 100$", "Spot, without _F: spend 100 USDT at market."),
        (
            "ETHUSDT on OKX_F long 0.5 at 2500 post",
            "Maker only: refused where it would trade at once. Others: ioc, fok, gtc, reduce.",
        ),
    ),
    _chapter(
        "sizes",
        "How much",
        "A bare number is in coins, on every exchange, whatever it counts in; in contracts where the coin itself is the margin (_C).",
        (
            "BTCUSDT on ByBit_F market long 100$",
            "Worth 100 USDT. Where prices are in no dollar, in ETHBTC for example, dollars are refused.",
        ),
        (
            "XBTUSD on BitMEX_C market long 100 sl off 2% tp off 5%",
            "Margined in coins: 100 contracts, of 1 USD each on this exchange.",
        ),
        ("BTCUSDT on ByBit_F market long 5%", "Worth 5 % of your equity; leverage does not multiply it."),
        (
            "BTCUSDT on ByBit_F market long 5% margin 10x isolated",
            "5 % of your equity as margin, at ten times the leverage.",
        ),
        (
            "BTCUSDT on ByBit_F market long risk 1% sl off 2% tp off 3R",
            "As much as loses 1 % of your equity at the stop; target at three times the distance.",
        ),
    ),
    _chapter(
        "protection",
        "Stop loss and take profit",
        "off is a distance without a sign, at is a price. Without an entry in the block they act on the open position.",
        (
            "BTCUSDT on Binance_F market long 0.03 sl off 2% tp1 off 2% for 50% tp2 off 4% for 30% tp3 off 6% for rest",
            "Up to nine targets, each with its share.",
        ),
        (
            "BTCUSDT on Binance_F market long 0.01 sl off 2% trigger mark",
            "The mark price triggers the stop; last and index are the others.",
        ),
        (
            "BTCUSDT on Binance_F sl at 61000 tp none",
            "Move the stop of the open position, remove its targets.",
        ),
        ("BTCUSDT on Binance_F be now", "Move the stop to the entry price."),
    ),
    _chapter(
        "leaving",
        "Closing and turning",
        "",
        ("BTCUSDT on Binance_F close 50%", "Half of what is open, at market."),
        (
            "BTCUSDT on Binance_F close long 25% at 66000",
            "A quarter of the long, as a limit order that only reduces.",
        ),
        (
            "BTCUSDT on Binance_F reverse sl off 2% tp off 4%",
            "Close, and open as much on the other side, protected anew.",
        ),
        ("BTCUSDT on Binance_F cancel all", "Every open order of the symbol, stops too."),
        (
            "BTCUSDT on Binance_F cancel entries tag breakout1",
            "Entries that wait under this tag; stops stay. tag after an entry gives the name.",
        ),
        ("* on Binance_F close all cancel all", "Everything of one account."),
    ),
    _chapter(
        "strategies",
        "Strategies",
        "go states the position that is wanted: sent twice, it changes nothing, and it heals what was missed.",
        (
            "BTCUSDT on Binance_F go long 0.02 sl off 2%",
            "Buy or sell just enough to be long 0.02.",
        ),
        ("BTCUSDT on Binance_F go flat", "Leave the market."),
        ("BTCUSDT on Binance_F if flat market long 0.01 sl off 2%", "Only where there is no position."),
    ),
    _chapter(
        "several",
        "Several at once",
        "Blocks run beside each other; each gets its result. A message leads to 200 results at most: symbols x accounts x steps, over all its blocks.",
        (
            "BTCUSDT on Binance_F market long 0.01\nBTCUSDT on ByBit_F market long 0.01",
            "The same on two exchanges.",
        ),
        (
            "BTCUSDT, ETHUSDT on ByBit_F using main, sub1 market long 100$ lev 5x sl off 2%",
            "Two symbols in two accounts: four orders.",
        ),
    ),
    _chapter(
        "safety",
        "Once, in time, or not at all",
        "They may stand anywhere in the message.",
        (
            "id tv-42 sent 2026-02-07T10:15:00Z valid 30s\nBTCUSDT on Binance_F market long 0.01 sl off 2%",
            "The same id is never carried out twice, through whichever of your hooks it comes: put the strategy's name into it. Older than 30 seconds is refused, and so is sent more than 10 seconds from now.",
        ),
        ("once 60s BTCUSDT on Binance_F market long 0.01", "The same text within a minute counts as one."),
        (
            "dry run BTCUSDT on Binance_FT market long 0.01 sl off 2% // my note",
            "Shows what would be sent. _FT is the test net, and // begins a remark.",
        ),
    ),
)
