"""The symbols that traders copy from an exchange's site, from TradingView or from a program, as far as the instrument they
mean: through the reading of the message, and on every venue there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exchanges.errors import UnknownSymbol
from exchanges.pool import Pool
from exchanges.registry import venues
from exchanges.symbols import in_dollars
from exchanges.types import Environment, Instrument, Product
from exchanges.venue import Venue
from webhooks.syntax import BadCommand, parse
from webhooks.syntax.header import common_symbol

EVERY = sorted(venues().values(), key=lambda kind: kind.name)
FUTURES = [kind for kind in EVERY if kind.product is Product.LINEAR]
COINS = [kind for kind in EVERY if kind.product is Product.INVERSE]
SPOT = [kind for kind in EVERY if kind.product is Product.SPOT]
#: the bitcoin market against dollars that each venue has, USDT before USDC before USD
BITCOIN = {
    "Binance_F": "BTCUSDT",
    "BingX_F": "BTC-USDT",
    "BitMEX_F": "XBTUSDT",
    "Bitfinex_F": "tBTCF0:USTF0",
    "Bitget_F": "BTCUSDT",
    "Bitunix_F": "BTCUSDT",
    "BloFin_F": "BTC-USDT",
    "ByBit_F": "BTCUSDT",
    "Deribit_F": "BTC_USDC-PERPETUAL",
    "Gate_F": "BTC_USDT",
    "HTX_F": "BTC-USDT",
    "Hyperliquid_F": "BTC",
    "Kraken_F": "PF_XBTUSD",
    "KuCoin_F": "XBTUSDTM",
    "MEXC_F": "BTC_USDT",
    "OKX_F": "BTC-USDT-SWAP",
    "Phemex_F": "BTCUSDT",
    "Binance_C": "BTCUSD_PERP",
    "BitMEX_C": "XBTUSD",
    "ByBit_C": "BTCUSD",
    "Deribit_C": "BTC-PERPETUAL",
    "Kraken_C": "PI_XBTUSD",
    "OKX_C": "BTC-USD-SWAP",
    "Binance": "BTCUSDT",
    "BingX": "BTC-USDT",
    "BitMEX": "XBT_USDT",
    "Bitfinex": "tBTCUST",
    "Bitget": "BTCUSDT",
    "Bitunix": "BTCUSDT",
    "ByBit": "BTCUSDT",
    "Deribit": "BTC_USDT",
    "Gate": "BTC_USDT",
    "HTX": "btcusdt",
    "Hyperliquid": "@200",
    "Kraken": "XBTUSDT",
    "KuCoin": "BTC-USDT",
    "MEXC": "BTCUSDT",
    "OKX": "BTC-USDT",
    "Phemex": "sBTCUSDT",
}
ANYWHERE = (
    *("BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT", "BTC_USDT", "btc_usdt", "XBTUSDT", "XBT/USDT", "BTCUST"),
    *("BINANCE:BTCUSDT", "KRAKEN:XBTUSDT", "GATEIO:BTCUSDT", "CRYPTO:BTCUSDT"),
)
PERPETUAL = (
    *(
        "BTCUSDT.P",
        "BINANCE:BTCUSDT.P",
        "BYBIT:BTCUSDT.P",
        "BITMEX:XBTUSDT.P",
        "OKX:BTCUSDT.P",
        "MEXC:BTCUSDT.P",
    ),
    *("BTCUSDTPERP", "BTCUSDT-PERP", "BTCUSDT_PERP", "BTCUSDT.PERP", "BTC-USDT-PERP", "BTCUSDT-PERPETUAL"),
    *("BTC-USDT-SWAP", "BTC/USDT:USDT", "PERP_BTC_USDT", "BTCUSDT_UMCBL", "XBTUSDTM", "KUCOIN:XBTUSDTM"),
    *("BTCF0:USTF0", "BTC:USTF0", "BTCF0USTF0", "BITFINEX:BTCF0:USTF0"),
)
#: a base alone, or against another dollar: the nearest there is
NEAREST = ("BTC", "XBT", "BTC-PERP", "BTCPERP", "BTCUSD", "XBTUSD", "BTC/USD", "BTCUSD.P", "PF_XBTUSD")
#: names that say in which dollar a perpetual is settled
IN_DOLLARS = tuple(each for each in PERPETUAL if in_dollars(each))
#: names of contracts margined in coins, and of dated ones
MARGINED = ("PI_XBTUSD", "BTC-USD-SWAP", "BTCUSD_PERP", "BTCUSD_DMCBL", "BTC/USD:BTC", "OKX:BTC-USD-SWAP")
OTHERS = ("FI_XBTUSD_261225", "BTCUSDT_261225", "BTC-25DEC26", "BTC-USDT-261225")
#: on the venue itself
OWN = {
    "Bitfinex_F": ("tBTCF0:USTF0", "TBTCF0:USTF0", "tbtcf0:ustf0", "BTCF0:USTF0", "tBTCUST", "tBTCUSD"),
    "Bitfinex": ("tBTCUST", "TBTCUST", "tbtcust", "BTCUST"),
    "Phemex": ("sBTCUSDT", "SBTCUSDT", "sbtcusdt"),
    "Deribit_C": ("BTC-PERPETUAL", "btc-perpetual", "DERIBIT:BTC-PERPETUAL", "DERIBIT:BTCUSD.P", "XBTUSD"),
    "BitMEX_C": ("XBTUSD", "BITMEX:XBTUSD.P"),
    "Deribit_F": ("BTC_USDC-PERPETUAL", "BTC_USDC", "BTCUSDC", "btc_usdc-perpetual"),
    "Kraken_F": ("PF_XBTUSD", "pf_xbtusd", "XBTUSD", "KRAKEN:XBTUSD.P"),
    "Hyperliquid_F": ("BTCUSDC", "BTC-USDC", "BTC/USDC:USDC"),
    "Bitget": ("BTCUSDT_SPBL",),
}


@pytest.fixture(scope="module")
def pool(sandbox_process: Any) -> Iterator[Pool]:
    found = Pool(sandbox_url=sandbox_process.url)
    yield found
    found.close()


def found(pool: Pool, kind: type[Venue], written: str) -> Instrument:
    symbol = common_symbol(written)
    assert symbol is not None
    return pool.connection(kind.name, Environment.SANDBOX).table.find(symbol, kind.name)


def test_every_venue_is_in_the_table() -> None:
    assert {kind.name for kind in EVERY} == set(BITCOIN)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.name)
def test_the_spellings_of_a_pair_are_found_on_every_venue(pool: Pool, kind: type[Venue]) -> None:
    written = (
        BITCOIN[kind.name] if kind.name != "Hyperliquid" else "BTCUSDT",
        *ANYWHERE,
        *OWN.get(kind.name, ()),
    )
    assert {each: found(pool, kind, each).symbol for each in written} == dict.fromkeys(
        written, BITCOIN[kind.name]
    )


@pytest.mark.parametrize("kind", [*FUTURES, *SPOT], ids=lambda kind: kind.name)
def test_the_spellings_of_a_perpetual_are_found_on_every_venue(pool: Pool, kind: type[Venue]) -> None:
    assert {each: found(pool, kind, each).symbol for each in PERPETUAL} == dict.fromkeys(
        PERPETUAL, BITCOIN[kind.name]
    )


@pytest.mark.parametrize("kind", COINS, ids=lambda kind: kind.name)
def test_any_dollar_is_the_one_that_contracts_margined_in_coins_are_quoted_in(
    pool: Pool, kind: type[Venue]
) -> None:
    written = [*(each for each in PERPETUAL if each not in IN_DOLLARS), *NEAREST[:-1], *MARGINED]
    assert {each: found(pool, kind, each).symbol for each in written} == dict.fromkeys(
        written, BITCOIN[kind.name]
    )


@pytest.mark.parametrize("kind", COINS, ids=lambda kind: kind.name)
def test_a_perpetual_settled_in_dollars_is_never_traded_in_coins(pool: Pool, kind: type[Venue]) -> None:
    assert len(IN_DOLLARS) > 5
    table = pool.connection(kind.name, Environment.SANDBOX).table
    for each in (*IN_DOLLARS, "PF_XBTUSD"):
        with pytest.raises(UnknownSymbol, match="settled in dollars"):
            table.find(each, kind.name)
        with pytest.raises(BadCommand) as refused:
            parse(f"{each} on {kind.name} market long 100")
        assert refused.value.code == "OTHER_CONTRACT"
        assert refused.value.hint == f"write {each} on {kind.name.removesuffix('_C')}_F"


#: what ByBit calls its market against USDC, and the markets against dollars themselves (elsewhere it is a coin alone)
EXACT = {("ByBit_F", "BTCPERP"): "BTCPERP"}


@pytest.mark.parametrize("kind", FUTURES, ids=lambda kind: kind.name)
def test_futures_go_to_the_nearest_dollar(pool: Pool, kind: type[Venue]) -> None:
    for each in NEAREST:
        assert found(pool, kind, each).symbol == EXACT.get((kind.name, each), BITCOIN[kind.name]), each


@pytest.mark.parametrize("written", [*MARGINED, *OTHERS])
@pytest.mark.parametrize("kind", [*FUTURES, *SPOT], ids=lambda kind: kind.name)
def test_another_kind_of_contract_is_never_taken_for_a_perpetual_in_dollars(
    pool: Pool, kind: type[Venue], written: str
) -> None:
    with pytest.raises(UnknownSymbol) as caught:
        found(pool, kind, written)
    assert kind.name in caught.value.message
    assert written.rpartition(":")[2][:3] in caught.value.message


@pytest.mark.parametrize("written", ["BTC-PERPETUAL", "eth-perpetual", "DERIBIT:BTC-PERPETUAL"])
def test_the_contract_that_deribit_margins_in_its_coin_is_not_traded_as_the_one_in_dollars(
    written: str,
) -> None:
    for mark in ("", "T"):
        with pytest.raises(BadCommand, match="margined in coins") as refused:
            parse(f"{written} on Deribit_F{mark} market long 0.01")
        assert (refused.value.code, refused.value.hint) == (
            "OTHER_CONTRACT",
            f"write {written} on Deribit_C{mark}",
        )
    assert parse(f"{written} on Binance_F market long 0.01").blocks


@pytest.mark.parametrize("written", OTHERS)
@pytest.mark.parametrize("kind", COINS, ids=lambda kind: kind.name)
def test_a_dated_contract_is_never_taken_for_a_perpetual(pool: Pool, kind: type[Venue], written: str) -> None:
    with pytest.raises(UnknownSymbol):
        found(pool, kind, written)


@pytest.mark.parametrize(
    "written", ["PI_XBTUSD", "pi_ethusd", "BTC-USD-SWAP", "BTC/USD:BTC", "FI_XBTUSD_261225"]
)
def test_the_error_says_that_it_is_margined_in_coins(pool: Pool, written: str) -> None:
    for kind in FUTURES:
        with pytest.raises(UnknownSymbol, match="margined in coins"):
            found(pool, kind, written)


@pytest.mark.parametrize("written", ["tBTC/USD", "tBTCUSDT", "sBTCUSDT"])
def test_the_mark_of_one_exchange_is_no_mark_on_another(pool: Pool, written: str) -> None:
    """tBTC is a coin of its own."""
    for name in ("binance", "kraken", "gate", "okx_f"):
        with pytest.raises(UnknownSymbol):
            found(pool, venues()[name], written)
