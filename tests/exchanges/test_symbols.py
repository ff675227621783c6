"""One symbol in every spelling people write."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import UnknownSymbol
from exchanges.symbols import InstrumentTable, common_asset, plain
from exchanges.types import Instrument, Product


def instrument(
    symbol: str, base: str, quote: str, product: Product = Product.LINEAR, *, active: bool = True
) -> Instrument:
    return Instrument(
        symbol, base, quote, quote, product, tick=Decimal("0.1"), step=Decimal("0.001"), active=active
    )


def futures(*more: Instrument) -> InstrumentTable:
    names = ("BTC", "ETH", "1000PEPE", "DOGE", "BCH", "PERP", "USTC", "SPELL")
    return InstrumentTable([instrument(f"{base}USDT", base, "USDT") for base in names] + list(more))


def spot() -> InstrumentTable:
    return InstrumentTable(
        [
            instrument("BTCUSDT", "BTC", "USDT", Product.SPOT),
            instrument("ETHBTC", "ETH", "BTC", Product.SPOT),
            instrument("BTCEUR", "BTC", "EUR", Product.SPOT),
        ]
    )


@pytest.mark.parametrize(
    "written",
    [
        "BTCUSDT",
        "btcusdt",
        " BTCUSDT ",
        "BTC/USDT",
        "BTC-USDT",
        "BTC_USDT",
        "BTCUSDT.P",
        "btcusdt.p",
        "BTCUSDTPERP",
        "BTCUSDT_PERP",
        "BTCUSDT-PERPETUAL",
        "BTC-USDT-SWAP",
        "BTC_USDT_SWAP",
        "BINANCE:BTCUSDT",
        "BINANCE:BTCUSDT.P",
        "BYBIT:BTC/USDT:USDT",
        "BTC/USDT:USDT",
        "BTCUSDT:PERP",
        "PERP_BTC_USDT",
        "PF_XBTUSD",
        "PF_XBTUSDT",
        "XBTUSDT",
        "XBTUSD",
        "XBT/USD",
        "BTCUSD",
        "BTCUSDC",
        "BTCUSDC.P",
        "BTCUST",
        "XBTUST",
        "XBTUSDTM",
        "KUCOIN:XBTUSDTM",
        "BTC-PERP",
        "BTC-PERPETUAL",
        "BTC",
        "xbt",
    ],
)
def test_one_instrument_is_found_by_any_spelling(written: str) -> None:
    assert futures().find(written).symbol == "BTCUSDT"


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("1000PEPEUSDT", "1000PEPEUSDT"),
        ("1000pepe/usdt", "1000PEPEUSDT"),
        ("kPEPE", "1000PEPEUSDT"),
        ("HYPERLIQUID:kPEPE/USDC", "1000PEPEUSDT"),
        ("XDGUSD", "DOGEUSDT"),
        ("BCCUSDT", "BCHUSDT"),
        ("PERPUSDT", "PERPUSDT"),
        ("PERPUSDT.P", "PERPUSDT"),
        ("SPELLUSDT", "SPELLUSDT"),
        ("USTCUSDT", "USTCUSDT"),
    ],
)
def test_names_that_look_like_decoration_stay_whole(written: str, symbol: str) -> None:
    assert futures().find(written).symbol == symbol


def test_the_quote_asked_for_comes_before_its_neighbours() -> None:
    table = futures(instrument("BTCUSDC", "BTC", "USDC"), instrument("BTCUSD_P", "BTC", "USD"))
    assert table.find("BTCUSDC").symbol == "BTCUSDC"
    assert table.find("BTC/USD").symbol == "BTCUSD_P"


def test_the_nearest_dollar_is_usdt_then_usdc_then_usd() -> None:
    coins, dollars = instrument("SOLUSDC", "SOL", "USDC"), instrument("PF_SOLUSD", "SOL", "USD")
    assert InstrumentTable([dollars, coins]).find("SOLUSDT").symbol == "SOLUSDC"
    assert InstrumentTable([dollars]).find("SOLUSDT").symbol == "PF_SOLUSD"


@pytest.mark.parametrize("written", ["BTCUSD", "BTCUSDC", "BTC", "ETHUSDT", "BTC-PERP"])
def test_spot_substitutes_no_quote_currency(written: str) -> None:
    with pytest.raises(UnknownSymbol):
        spot().find(written)


def test_spot_knows_aliases_and_separators() -> None:
    assert spot().find("eth/xbt").symbol == "ETHBTC"
    assert spot().find("KRAKEN:XBTEUR").symbol == "BTCEUR"
    assert spot().find("XXBTZEUR").symbol == "BTCEUR"
    assert spot().find("XETHXXBT").symbol == "ETHBTC"


def long_names() -> InstrumentTable:
    """As Bitfinex writes them, in its order."""
    listed = (("t1INCH:USD", "1INCH", "USD"), ("tDUSK:BTC", "DUSK", "BTC"), ("tAVAX:UST", "AVAX", "USDT"))
    more = (("tDOGE:USD", "DOGE", "USD"), ("tDOGE:UST", "DOGE", "USDT"), ("tDOGE:BTC", "DOGE", "BTC"))
    return InstrumentTable([instrument(*each, Product.SPOT) for each in (*listed, *more)])


@pytest.mark.parametrize("written", ["BTC", "USD", "UST", "USDT", "BITFINEX:BTC", "BITFINEX:USD"])
def test_what_a_long_name_is_quoted_in_is_no_name_of_it(written: str) -> None:
    with pytest.raises(UnknownSymbol):
        long_names().find(written)


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("tDOGE:USD", "tDOGE:USD"),
        ("DOGE:USD", "tDOGE:USD"),
        ("tdoge:ust", "tDOGE:UST"),
        ("DOGE:USDT", "tDOGE:UST"),
        ("BITFINEX:DOGE:USD", "tDOGE:USD"),
        ("BITFINEX:DOGEUSD", "tDOGE:USD"),
        ("tDOGE:BTC", "tDOGE:BTC"),
    ],
)
def test_a_long_name_is_found_by_all_of_it(written: str, symbol: str) -> None:
    assert long_names().find(plain(written)).symbol == symbol
    assert long_names().find(written).symbol == symbol


@pytest.mark.parametrize(
    "written", ["BTCUSDT_240329", "BTC-29MAR24", "PEPEUSDT", "USDT", "", ":", "---", ".P", "PERP.P"]
)
def test_what_is_not_traded_is_not_guessed(written: str) -> None:
    with pytest.raises(UnknownSymbol):
        futures().find(written)


def test_the_error_names_the_nearest_spellings_and_the_venue() -> None:
    with pytest.raises(UnknownSymbol) as caught:
        futures().find("PEPEUSDT", "Binance_F")
    assert "1000PEPEUSDT" in caught.value.message
    assert "Binance_F" in caught.value.message


def test_a_trading_instrument_comes_before_a_delisted_one() -> None:
    table = InstrumentTable(
        [instrument("OLD", "BTC", "USDT", active=False), instrument("NEW", "BTC", "USDT")]
    )
    assert table.find("BTCUSDT").symbol == "NEW"


def test_a_report_is_matched_by_the_exchange_spelling_only() -> None:
    table = InstrumentTable([instrument("XXBTZUSD", "XBT", "USD")])
    assert table.by_symbol("xxbtzusd") is table.instruments[0]
    assert table.by_symbol("BTCUSD") is None


def test_assets_have_one_common_spelling() -> None:
    assert [common_asset(each) for each in ("xbt", "XDG", "USDT", "eth")] == ["BTC", "DOGE", "USDT", "ETH"]


@given(st.text(max_size=40))
def test_any_text_is_found_or_unknown(text: str) -> None:
    assert plain(text).isalnum() or plain(text) == ""
    try:
        futures().find(text)
    except UnknownSymbol:
        return


@pytest.mark.parametrize("written", ["1000PEPEUSDT", "1000PEPEUSDT.P", "kPEPE", "KPEPE/USDC", "1000PEPE"])
def test_what_is_traded_by_the_thousand_is_found_by_either_name(written: str) -> None:
    thousands = InstrumentTable([instrument("kPEPE", "kPEPE", "USDC"), instrument("KAS", "KAS", "USDC")])
    assert thousands.find(written).symbol == "kPEPE"


@pytest.mark.parametrize("base", ["1000SHIB", "SHIB1000", "kSHIB"])
@pytest.mark.parametrize("written", ["1000SHIBUSDT.P", "SHIB1000USDT", "shib1000"])
def test_a_thousand_stands_before_its_coin_or_behind_it(base: str, written: str) -> None:
    table = InstrumentTable([instrument(f"{base}USDT", base, "USDT"), instrument("SHIBUSDC", "SHIB", "USDC")])
    assert table.find(written).base == base


@pytest.mark.parametrize("written", ["PEPEUSDT", "1000ASUSDC", "AS1000USDC"])
def test_a_coin_is_never_taken_for_a_thousand_of_it(written: str) -> None:
    thousands = InstrumentTable([instrument("kPEPE", "kPEPE", "USDC"), instrument("KAS", "KAS", "USDC")])
    with pytest.raises(UnknownSymbol):
        thousands.find(written)


# -- contracts margined in coins -----------------------------------------------------------------------------


def margined_in_coins() -> InstrumentTable:
    return InstrumentTable(
        [
            instrument("BTCUSD", "BTC", "USD", Product.INVERSE),
            instrument("ETHUSD", "ETH", "USD", Product.INVERSE),
        ]
    )


@pytest.mark.parametrize(
    "written",
    [
        *(
            "BTCUSD",
            "XBTUSD",
            "btcusd",
            "BTC/USD",
            "BTC/USD:BTC",
            "BTC-USD-SWAP",
            "BTCUSD.P",
            "BITMEX:XBTUSD.P",
        ),
        *("PI_XBTUSD", "BTCUSD_PERP", "BTCUSD_DMCBL", "BTC-PERPETUAL", "BTC", "BTCUSDT", "BTCUSDT.P"),
    ],
)
def test_a_contract_margined_in_coins_is_found_by_any_spelling(written: str) -> None:
    assert margined_in_coins().find(written).symbol == "BTCUSD"


@pytest.mark.parametrize(
    "written",
    [
        *("PF_XBTUSD", "BTC/USDT:USDT", "BTC/USD:USD", "BTC-USDT-SWAP", "BTC-USDC-SWAP", "BTCUSDT_UMCBL"),
        *("BTC_USDC-PERPETUAL", "XBTUSDTM", "KUCOIN:XBTUSDTM", "BTCF0:USTF0", "BTC:USTF0", "tBTCF0:USTF0"),
    ],
)
def test_the_name_of_a_contract_settled_in_dollars_is_not_traded_in_coins(written: str) -> None:
    with pytest.raises(UnknownSymbol, match="settled in dollars, which ByBit_C does not trade"):
        margined_in_coins().find(written, "ByBit_C")


@pytest.mark.parametrize("written", ["FI_XBTUSD_261225", "BTC/USD:BTC-261225", "BTCUSDZ26", "BTC-25DEC26"])
def test_a_dated_contract_margined_in_coins_is_not_taken_for_a_perpetual(written: str) -> None:
    with pytest.raises(UnknownSymbol):
        margined_in_coins().find(written)
