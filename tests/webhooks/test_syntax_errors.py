"""What each kind of mistake is called, where it points and what is suggested."""

from __future__ import annotations

import gzip

import pytest

from execution.amounts import Span
from execution.commands import Entry
from execution.models import Order
from webhooks.syntax import BadCommand, located, parse, parse_bytes

HEADER = "BTCUSDT on Binance_F "


def refusal(text: str) -> BadCommand:
    with pytest.raises(BadCommand) as caught:
        parse(text)
    return caught.value


# The column counts from the first word behind the header.
MISTAKES = [
    # numbers and sizes
    ("market long -0.5", "SIZE_NEGATIVE", 13, "-0.5", "write 0.5"),
    ("market long 1e999999", "NUMBER_OUT_OF_RANGE", 13, "1e999999", "at most 28 digits"),
    ("market long 1e30", "NUMBER_OUT_OF_RANGE", 13, "1e30", "at most 28 digits"),
    ("market long 0.00000000000000000000000000001", "NUMBER_OUT_OF_RANGE", 13, None, "at most 28 digits"),
    ("market long 60,000.5", "COMMA_IN_NUMBER", 13, "60,000.5", "write 60000.5"),
    ("market long 1,000,000", "COMMA_IN_NUMBER", 13, "1,000,000", "write 1000000"),
    ("market long ٣", "NOT_A_NUMBER", 13, "٣", "write 3"),
    ("market long ０.０１", "NOT_A_NUMBER", 13, "０.０１", "write 0.01"),
    ("market long foo", "BAD_SIZE", 13, "foo", "for example 0.01, 100$, 5% or risk 1%"),
    ("market long rest", "BAD_SIZE", 13, "rest", "for example 0.01"),
    ("market long 10x", "MISSING_SIZE", 13, "10", "for example 0.01"),
    ("market long", "MISSING_SIZE", 12, "", "for example 0.01"),
    ("market long @ 5", "MISSING_SIZE", 13, "@", "for example 0.01"),
    ("market long 0.01 BTC", "UNKNOWN_UNIT", 18, "BTC", "a plain number of base units"),
    ("market long 60k", "UNKNOWN_UNIT", 15, "k", "write 60000"),
    ("market long 3 contract", "UNKNOWN_UNIT", 15, "contract", "write 3 contracts"),
    ("market long 0.01 sl off 2pct", "UNKNOWN_UNIT", 26, "pct", "write 2%"),
    ("market long 100€", "UNKNOWN_UNIT", 16, "€", "or money with $"),
    ("market long 5% magin", "UNKNOWN_WORD", 16, "magin", 'did you mean "margin"?'),
    ("market long -$100", "SIZE_NEGATIVE", 13, "-$100", "write $100"),
    ("market long 1_000", "NOT_A_NUMBER", 13, "1_000", "numbers are written 0.01"),
    ("market long 1'000", "NOT_A_NUMBER", 13, "1'000", "numbers are written 0.01"),
    ("market long 0，5", "NOT_A_NUMBER", 13, "0，5", "numbers are written 0.01"),
    ("sl off 1/2%", "NOT_A_NUMBER", 8, "1/2%", "numbers are written 0.01"),
    ("sl off 2％", "STRAY_WORD", 9, "％", "write %"),
    ("market long #", "BAD_SIZE", 13, "#", "for example 0.01"),
    ("sl at #", "NOT_A_NUMBER", 7, "#", "numbers are written 0.01"),
    ("lev #", "NOT_A_NUMBER", 5, "#", "numbers are written 0.01"),
    ("market long 1 # my note", "STRAY_WORD", 15, "#", "a comment is written //"),
    ("market long 1// my note", "STRAY_WORD", 14, "//", "a comment is written //"),
    ("market long 0.01 x 10", "MISSING_SIZE", 13, "0.01", "for example 0.01"),
    ("market long 150% free", "OVER_100_PERCENT", 13, "150% free", "100% is all of it"),
    ("market long 101% margin", "OVER_100_PERCENT", 13, "101% margin", "100% is all of it"),
    ("market long risk 101% sl off 2%", "OVER_100_PERCENT", 13, "risk 101%", "100% is all of it"),
    ("market long risk 1 sl off 2%", "BAD_SIZE", 13, "risk 1", "write risk 1% or risk 50$"),
    ("close 0%", "SIZE_ZERO", 7, "0%", "write how much to close"),
    ("close max", "BAD_SIZE", 7, "max", "for example"),
    ("market long 0.01 tp off 2% for 150%", "OVER_100_PERCENT", 32, "150%", "100% is the whole order"),
    # sides
    ("market 0.01", "MISSING_SIDE", 8, "0.01", "write long or short"),
    ("market", "MISSING_SIDE", 7, "", "write long or short"),
    ("stop loss 2%", "UNKNOWN_SIDE", 6, "loss", "for a stop loss write sl off 2%"),
    ("go 5%", "MISSING_SIDE", 4, "5%", "write go long 5% or go short 5%"),
    # prices and levels
    ("sl of 2%", "NOT_A_NUMBER", 4, "of", 'did you mean "off"?'),
    ("sl below 58000", "NOT_A_NUMBER", 4, "below", "write for example sl off 2%"),
    ("limit long 0.01 sl off 2%", "MISSING_PRICE", 17, "sl", "write for example at 60000"),
    ("stop long 0.01", "MISSING_PRICE", 15, "", "write for example at 60000"),
    ("limit long 0.01 2%", "PRICE_NEEDS_AT", 17, "2%", "write off 2%"),
    ("long 0.01 60000", "PRICE_NEEDS_AT", 11, "60000", "write at 60000"),
    ("close 50% 60000", "PRICE_NEEDS_AT", 11, "60000", "write at 60000"),
    ("limit long 0.01 at sl", "MISSING_PRICE", 20, "sl", "write for example at 60000"),
    ("limit long 0.01 at 0", "BAD_PRICE", 20, "0", "write for example at 60000"),
    ("limit long 0.01 at -5", "BAD_PRICE", 20, "-5", "write for example at 60000"),
    ("limit long 0.01 at 2%", "BAD_PRICE", 20, "2%", "write off 2%"),
    ("limit long 0.01 off 500$", "BAD_OFFSET", 21, "500$", "to risk money write risk 500$"),
    ("limit long 0.01 off 1R sl at 5", "BAD_OFFSET", 21, "1R", "write for example off 1%"),
    ("chase long 0.5 at 60000", "PRICE_ON_MARKET", 16, "at", "leave the price out"),
    ("market long 0.01 off 1%", "PRICE_ON_MARKET", 18, "off", "write limit instead of market"),
    # protection
    ("sl off 1% sl off 2%", "TWO_STOPS", 11, "sl", "leave one of the two out"),
    ("sl", "MISSING_LEVEL", 3, "", "write for example sl off 2%"),
    ("sl tp off 5%", "MISSING_LEVEL", 4, "tp", "write for example sl off 2%"),
    ("sl +2%", "BAD_OFFSET", 4, "+2%", "write 2%"),
    ("sl off 0%", "BAD_OFFSET", 8, "0%", "write for example 2%"),
    ("sl off 2% trigger market", "BAD_TRIGGER", 19, "market", 'did you mean "mark"?'),
    ("sl none for 50%", "STRAY_WORD", 9, "for", "write it behind the order"),
    ("sl off 1R", "R_NEEDS_STOP", 8, "1R", "write for example sl off 2%"),
    ("market long 0.01 tp off 3R", "R_NEEDS_STOP", 25, "3R", "add for example sl off 2%"),
    ("market long 0.01 sl none tp off 3R", "R_NEEDS_STOP", 33, "3R", "add for example sl off 2%"),
    ("market long 0.01 be after 1R", "R_NEEDS_STOP", 27, "1R", "add for example sl off 2%"),
    ("market long risk 1%", "RISK_NEEDS_STOP", 13, "risk 1%", "add for example sl off 2%"),
    (
        "market long risk 1% close all sl off 2%",
        "RISK_NEEDS_STOP",
        13,
        "risk 1%",
        "add for example sl off 2%",
    ),
    ("market long 1 sl off 100%", "OVER_100_PERCENT", 22, "100%", "write for example 2%"),
    ("market short 1 tp off 100%", "OVER_100_PERCENT", 23, "100%", "write for example 2%"),
    ("trail off 100%", "OVER_100_PERCENT", 11, "100%", "write for example 2%"),
    ("be tp1", "MISSING_AFTER", 4, "tp1", "write be after tp1"),
    ("be 2%", "MISSING_AFTER", 4, "2%", "write be after 2%"),
    ("be", "MISSING_AFTER", 3, "", "write be now, or be after tp1"),
    ("be after tp", "BAD_TARGET", 12, "", "write for example be after tp1"),
    ("market long 1 tp off 2% be after tp2", "BAD_TARGET", 25, "be", "add tp2"),
    ("market long 1 be after tp1", "BAD_TARGET", 15, "be", "add tp1"),
    ("tp1 off 1% tp1 off 2%", "TWO_TARGETS", 12, "tp1", "number the targets"),
    ("tp none tp2 off 2%", "TWO_TARGETS", 1, "tp", "leave tp none out"),
    ("tp10", "UNKNOWN_WORD", 1, "tp10", "targets are numbered tp1 to tp9"),
    (f"market long 1 {'tp off 2% for 1% ' * 10}", "TOO_MANY", 168, "tp", "leave some out"),
    (
        "market long 1 tp off 1% for rest tp off 2% for rest",
        "TP_OVER_100",
        34,
        "tp",
        "give the others a percent",
    ),
    ("market long 0.1 tp off 1% for 0.06 tp off 2% for 0.06", "TP_OVER_100", 36, "tp", "100% or less"),
    ("dca 4 orders every 1%", "DCA_ALONE", 1, "dca", "write it after an order"),
    ("market long 1 dca 4 orders 1%", "MISSING_EVERY", 28, "1", "write dca 4 orders every 1%"),
    ("market long 1 dca 2.5 orders every 1%", "BAD_COUNT", 19, "2.5", "write dca 5 orders"),
    ("market long 1 dca 4 every 1% grow 0x", "BAD_FACTOR", 35, "0", "write grow 1.5x"),
    # options
    ("market long 1 post", "POST_ON_MARKET", 15, "post", "write limit with a price"),
    ("go long 1 post", "POST_ON_MARKET", 11, "post", "write limit with a price"),
    ("close 50% post", "POST_ON_MARKET", 11, "post", "write limit with a price"),
    ("stop long 1 at 5 post", "POST_ON_MARKET", 18, "post", "write limit with a price"),
    ("market long 1 expire 10m", "OPTION_ON_MARKET", 15, "expire", "write limit with a price"),
    ("limit long 1 at 5 post fok", "OPTIONS_CLASH", 19, "post", "leave one of the two out"),
    ("limit long 1 at 5 expire 1m for 1m", "OPTIONS_CLASH", 29, "for", "leave one out"),
    ("limit long 1 at 5 then market", "THEN_NEEDS_FOR", 19, "then", "write for 60s then market"),
    ("limit long 1 at 5 for 1m then buy", "BAD_THEN", 31, "buy", "write market or cancel"),
    ("limit long 1 at 5 ioc gtc", "TWICE", 23, "gtc", "leave one of the two out"),
    ("market long 1 lev 5x 10x", "TWICE", 22, "10", "leave one of the two out"),
    ("market long 1 trail 1% trail 2%", "TWICE", 24, "trail", "leave one of the two out"),
    ("market long 1 be after 1% be after 2%", "TWICE", 27, "be", "leave one of the two out"),
    ("buy 1 dca 4 orders every 1% dca 2 orders every 2%", "TWICE", 29, "dca", "leave one of the two out"),
    ("market long 1 lev 0", "BAD_LEVERAGE", 19, "0", "write for example lev 10x"),
    ("market long 1 lev", "BAD_LEVERAGE", 18, "", "write for example lev 10x"),
    ("post market long 1", "STRAY_WORD", 1, "post", "write it behind the order"),
    ("cancel all post", "STRAY_WORD", 12, "post", "write it behind the order"),
    ("market long 1 tag", "MISSING_NAME", 18, "", "write for example tag main"),
    ('market long 1 tag ""', "MISSING_NAME", 19, '""', "write a name"),
    (f"market long 1 tag {'x' * 201}", "TOO_LONG", 19, None, "make it shorter"),
    # algorithms
    ("ladder long 1 from 5 in 5", "MISSING_WORD", 22, "in", "from 60000 to 58000"),
    ("ladder long 1 from 5 to 6 in 1 orders", "BAD_COUNT", 30, "1", "from 2 to 200"),
    ("ladder long 1 from 5 to 6 in 201", "BAD_COUNT", 30, "201", "from 2 to 200"),
    ("iceberg long 1 show 2 at 5", "BAD_SIZE", 21, "2", "show less than 1"),
    ("twap long 1 over", "BAD_DURATION", 17, "", "write 500ms, 30s, 10m, 2h or 1d"),
    ("twap long 1 over 0s", "BAD_DURATION", 18, "0s", "write 500ms"),
    ("twap long 1 over 0.5ms", "BAD_DURATION", 18, "0.5ms", "write 500ms"),
    ("twap long 1 over 400d", "BAD_DURATION", 18, "400d", "the longest is 365d"),
    # positions
    ("go flat 0.5", "FLAT_HAS_NO_SIZE", 9, "0.5", "write go flat"),
    ("go long 0", "SIZE_ZERO", 9, "0", "go flat"),
    ("close buy 50%", "CLOSE_SIDE", 7, "buy", "write close short 100% to leave a short"),
    ("close sl off 2%", "STRAY_WORD", 7, "sl", "close a part only"),
    ("cancel tp2", "BAD_CANCEL", 8, "tp2", "write cancel tp"),
    ("cancel entrys", "UNKNOWN_WORD", 8, "entrys", 'did you mean "entries"?'),
    # flow and words
    ("if flta market long 1", "BAD_CONDITION", 4, "flta", 'did you mean "flat"?'),
    ("if flat", "NO_COMMAND", 8, "", "add for example"),
    ("cancel all if flat", "NO_COMMAND", 19, "", "add for example"),
    ("wait 1s", "NO_COMMAND", 8, "", "add for example"),
    ("wait 2d market long 1", "BAD_DURATION", 6, "2d", "the longest is 1d"),
    ("market long 1 60000", "STRAY_WORD", 15, "60000", "a price is written at 60000"),
    ("market long 1, sl off 2%", "STRAY_WORD", 14, ",", "leave it out, or write ;"),
    ("sl off 2% equity", "STRAY_WORD", 11, "equity", "leave it out"),
    ("sl off 2% at 5", "STRAY_WORD", 11, "at", "a price stands behind the size"),
    ("market long 1 using main", "STRAY_WORD", 15, "using", "right behind the exchange"),
    ("market long 1 on", "STRAY_WORD", 15, "on", "only between a symbol and its exchange"),
    ("market long 1 stoploss 2%", "UNKNOWN_WORD", 15, "stoploss", "in Smart Syntax it is sl"),
    ("market long 1 sl=2%", "UNKNOWN_WORD", 15, "sl=2", "as in sl off 2%"),
    ("market long 1 leverage:10", "UNKNOWN_WORD", 15, "leverage:10", "leave out = and :"),
    ("sell 1 sl off 2% reduce", "OPTIONS_CLASH", 18, "reduce", "leave reduce out"),
    ("limit sell 1 at 60000 reduce tp 5%", "OPTIONS_CLASH", 23, "reduce", "write it before the order"),
    ("reverse to short reduce", "OPTIONS_CLASH", 18, "reduce", "or write close"),
    ("market long 1 reduceonly", "UNKNOWN_WORD", 15, "reduceonly", "in Smart Syntax it is reduce"),
    (f"{'cancel all ' * 51}", "TOO_MANY", None, "", "split the message"),
    (f"market long 1 tag {'x' * 65}", "TOO_LONG", 19, "x" * 65, "make it shorter"),
    (f"cancel entries tag {'x' * 65}", "TOO_LONG", 20, "x" * 65, "make it shorter"),
    ("cancel sell 5", "BAD_CANCEL", 1, "cancel sell 5", "or cancel all sell 5 to trade"),
    ("cancel long $100 sl 2%", "BAD_CANCEL", 1, "cancel long $100", "write cancel long to take back"),
    # message options
    ("buy 1 tag Long Entry", "UNKNOWN_WORD", 16, "Entry", 'in quotes: tag "Long Entry"'),
    ("buy 1 id Long Exit-2026", "UNKNOWN_WORD", 15, "Exit-2026", 'in quotes: id "Long Exit-2026"'),
    ("using my main close", "UNKNOWN_WORD", 10, "main", 'in quotes: using "my main"'),
    ("buy 1 tag Long slx 2%", "UNKNOWN_WORD", 16, "slx", 'did you mean "sl"?'),
    ("market long 1 valid 30s", "VALID_NEEDS_SENT", 15, "valid", "add sent"),
    ("sent yesterday market long 1", "BAD_TIME", 6, "yesterday", "write it like 2026-02-07T10:15:00Z"),
    ("sent 2026-02-30T10:15:00Z market long 1", "BAD_TIME", 6, None, "write it like"),
    ("sent 2026-02-07T10:15:00 market long 1", "BAD_TIME", 6, None, "write it like"),
    ("sent 0001-01-01T00:00:00+23:59 market long 1", "BAD_TIME", 6, None, "write it like"),
    ("id a market long 1 id b", "TWICE", 20, "id", "leave one of the two out"),
    ("notify fax", "BAD_NOTIFY", 8, "fax", "write telegram, email, discord or none"),
    ("note hello", "BAD_NOTE", 6, "hello", 'write note "my first breakout"'),
    ('note "hello', "UNCLOSED_QUOTE", 6, '"', "close it"),
    ("market long {{strategy.order.contracts}}", "PLACEHOLDER_NOT_FILLED", 13, None, "use a strategy alert"),
    ("sl at {{plot_0}}", "PLACEHOLDER_NOT_FILLED", 7, "{{plot_0}}", "send the message from an alert"),
    ('sl at {{plot("My stop")}}', "PLACEHOLDER_NOT_FILLED", 7, '{{plot("My stop")}}', "from an alert"),
    ('buy 1 id "{{tickr}}-1"', "PLACEHOLDER_NOT_FILLED", 11, "{{tickr}}", "did you mean ticker?"),
    ("buy 1 // {{ticker}}\nsl at {{close", "PLACEHOLDER_NOT_FILLED", None, "{{close", "from an alert"),
    ("buy \x07", "NOT_TEXT", 5, "�", "without control characters"),
]


@pytest.mark.parametrize(
    ("words", "code", "column", "token", "hint"), MISTAKES, ids=[each[0][:40] for each in MISTAKES]
)
def test_mistake_behind_the_header(words, code, column, token, hint):
    error = refusal(HEADER + words)
    assert error.code == code
    assert hint in error.hint
    if column is not None:
        assert error.column == len(HEADER) + column
    if token is not None:
        assert error.token == token


HEADER_MISTAKES = [
    ("", "EMPTY", 1, "for example: BTCUSDT on Binance_F"),
    (" \n\t// nothing here", "EMPTY", 1, "for example: BTCUSDT on Binance_F"),
    ("hello world", "NO_HEADER", 1, "begin with the symbol"),
    ("close 50%", "NO_HEADER", 1, "BTCUSDT on Binance_F close 50%"),
    ("buy BTCUSDT on Binance", "NO_HEADER", 1, "begin with the symbol"),
    ("on Binance_F buy 1", "NO_HEADER", 1, "begin with the symbol"),
    ("BTCUSDT market long 0.01", "MISSING_ON", 9, "write BTCUSDT on Binance_F"),
    ("BTCUSDT ByBit_F market long 0.01", "MISSING_ON", 9, "write BTCUSDT on ByBit_F"),
    ("BTCUSDT on ByBit_F buy 1 ETHUSDT at OKX buy 1", "MISSING_ON", 34, "write ETHUSDT on OKX"),
    ("BTCUSDT on", "MISSING_EXCHANGE", 11, "write for example BTCUSDT on Binance_F"),
    ("BTCUSDT on market long 1", "MISSING_EXCHANGE", 12, "write for example BTCUSDT on Binance_F"),
    ("BTCUSDT on on Binance", "MISSING_EXCHANGE", 12, "write for example BTCUSDT on Binance_F"),
    ("market on Binance_F long 1", "BAD_SYMBOL", 1, "write a pair"),
    ("_X on Binance_F long 1", "BAD_SYMBOL", 1, "write a pair"),
    ("0.01 on Binance_F long 1", "BAD_SYMBOL", 1, "write a pair"),
    ("BTCUSDT, on Binance_F long 1", "BAD_SYMBOL", 10, "write a pair"),
    ("BTCUSDT, BTC/USDT on Binance buy 1", "TWICE", 10, "leave one of the two out"),
    ("PERP on Binance_F long 1", "BAD_SYMBOL", 1, "write a pair"),
    (f"{'X' * 61} on Binance_F long 1", "BAD_SYMBOL", 1, "write a pair"),
    ("BTCUSDT on Krakn market long 1", "UNKNOWN_EXCHANGE", 12, 'did you mean "Kraken"?'),
    ("BTCUSDT on bybt_ft market long 1", "UNKNOWN_EXCHANGE", 12, 'did you mean "ByBit_FT"?'),
    ("BTCUSDT on krakenfutures market long 1", "UNKNOWN_EXCHANGE", 12, 'did you mean "Kraken_F"?'),
    ("BTCUSDT on binanceusdm buy 1", "UNKNOWN_EXCHANGE", 12, 'did you mean "Binance_F"?'),
    ("BTCUSDT on zzz buy 1", "UNKNOWN_EXCHANGE", 12, "known are Binance, ByBit, Kraken"),
    ("BTCUSDT on OKX_T buy 1", "UNKNOWN_MARKET", 12, "use _F for futures"),
    ("BTCUSDT on OKX_ buy 1", "UNKNOWN_MARKET", 12, "use _F for futures"),
    ("BTCUSDT on OKX using , buy 1", "MISSING_NAME", 22, "write for example using main"),
    ("BTCUSDT on OKX using a, a buy 1", "TWICE", 25, "leave one of the two out"),
    ("BTCUSDT on OKX BTCUSDT on ByBit buy 1", "NO_COMMAND", 15, "add for example"),
    ("* on OKX_F market long 1", "NOT_FOR_ALL", 12, "name the symbols"),
    ("* on OKX_F trail off 1%", "NOT_FOR_ALL", 12, "name the symbols"),
    ("* on OKX_F if flat close all", "NOT_FOR_ALL", 12, "name the symbols"),
    (", ".join(f"X{n}USDT" for n in range(51)) + " on OKX buy 1", "TOO_MANY", None, "split the message"),
    ("BTCUSDT on OKX using " + ",".join(f"a{n}" for n in range(21)) + " buy 1", "TOO_MANY", None, "split"),
    ("BTCUSDT on OKX buy 1 " * 21, "TOO_MANY", None, "split the message"),
    (", ".join(f"X{n}USDT" for n in range(50)) + " on OKX using a, b buy 1 sell 1 buy 1", "TOO_MANY", 1, "split the message"),
    ("BTCUSDT on OKX_F using a, b, c, d " + "cancel all " * 50 + "\nETHUSDT on OKX buy 1", "TOO_MANY", None, "split the message"),
    ("BTCUSDT on OKX using main, sub, Main buy 1", "TWICE", 33, "leave one of the two out"),
    ("x" * 16_385, "MESSAGE_TOO_LONG", 1, "split it"),
    ("é" * 8_193, "MESSAGE_TOO_LONG", 1, "split it"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "column", "hint"), HEADER_MISTAKES, ids=[each[0][:40] for each in HEADER_MISTAKES]
)
def test_mistake_in_the_header(text, code, column, hint):
    error = refusal(text)
    assert error.code == code
    assert hint in error.hint
    assert column is None or error.column == column


def test_two_hundred_results_are_one_message():
    symbols = ", ".join(f"X{number}USDT" for number in range(50))
    assert parse(f"{symbols} on OKX using a, b buy 1 sell 1").blocks


def test_twenty_blocks_are_one_message():
    assert len(parse("BTCUSDT on OKX buy 1 " * 20).blocks) == 20


def test_a_tag_may_be_as_long_as_history_keeps_it():
    longest = Order._meta.get_field("tag").max_length
    assert longest
    assert parse(f"BTCUSDT on OKX buy 1 tag {'x' * longest}").blocks


def test_a_message_of_16_kib_is_read():
    text = "BTCUSDT on Binance_F market long 1 // " + "x" * 20_000
    assert parse(text[: 16 * 1024]).blocks


def test_bytes_beyond_utf_8_are_refused_at_the_first_bad_one():
    with pytest.raises(BadCommand) as caught:
        parse_bytes("BTCUSDT on Binance_F\nsl off 2% tag é".encode("latin-1"))
    assert (caught.value.code, caught.value.line, caught.value.column) == ("NOT_TEXT", 2, 15)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("BTCUSDT on Binance buy 1".encode("utf-16"), "send UTF-8 instead of UTF-16"),
        (gzip.compress(b"BTCUSDT on Binance buy 1", mtime=0), "send the text itself, without gzip"),
    ],
)
def test_what_the_bytes_are_is_named_in_the_hint(body: bytes, hint: str):
    with pytest.raises(BadCommand) as caught:
        parse_bytes(body)
    assert caught.value.hint == hint


def test_only_what_is_understood_and_cannot_be_done_is_422():
    assert refusal(HEADER + "market long risk 1%").http_status == 422
    assert refusal(HEADER + "market lnog 1").http_status == 400
    assert refusal("x" * 20_000).http_status == 413


def test_lines_end_with_lf_crlf_or_cr():
    for end in ("\n", "\r\n", "\r"):
        error = refusal(f"BTCUSDT on Binance_F{end}market long 0.01{end}sl off -2%")
        assert (error.line, error.column) == (3, 8)
        assert error.show == "sl off -2%\n       ^^^"


def test_a_tab_counts_one_column_and_is_shown_as_one_space():
    error = refusal("BTCUSDT on Binance_F\n\tmarket\tlnog 1")
    assert (error.line, error.column) == (2, 9)
    assert error.show == " market lnog 1\n        ^^^^"


def test_characters_beyond_16_bits_count_one_column():
    error = refusal('BTCUSDT on Binance_F note "🚀🚀" market lnog 1')
    assert error.column == 39


def test_a_byte_order_mark_is_not_part_of_the_line():
    assert refusal("\ufeffmarket long 1").column == 1
    assert str(parse_bytes(b"\xef\xbb\xbfBTCUSDT on Binance buy 1")) == "BTCUSDT on Binance market long 1"


def test_error_of_a_later_stage_points_at_the_word_its_span_remembers():
    text = "BTCUSDT on Binance\r\nmarket long 0.01 lev 10x"
    (entry,) = parse(text).blocks[0].steps
    assert isinstance(entry, Entry)
    span = entry.options.spans["leverage"]
    assert located(
        text, span, "NOT_ON_SPOT", "spot has no leverage", "leave it out", "https://flipr.example"
    ) == {
        "code": "NOT_ON_SPOT",
        "message": "spot has no leverage",
        "hint": "leave it out",
        "line": 2,
        "column": 18,
        "length": 3,
        "token": "lev",
        "show": f"market long 0.01 lev 10x\n{' ' * 17}^^^",
        "docs": "https://flipr.example/docs/errors/NOT_ON_SPOT",
    }


def test_error_of_a_later_stage_without_a_span_has_no_place():
    assert located("BTCUSDT on Binance buy 1", None, "NO_ACCOUNT", "no key for Binance") == {
        "code": "NO_ACCOUNT", "message": "no key for Binance", "hint": "", "docs": "/docs/errors/NO_ACCOUNT",
    }  # fmt: skip


def test_span_of_a_length_beyond_the_line_is_harmless():
    assert located("buy", Span(1, 2, 50), "X", "x")["token"] == "uy"
