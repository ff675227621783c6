"""What messages mean: the values that reach execution."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.names import EXCHANGES
from exchanges.types import Direction, MarginMode, PositionMode, Product, TimeInForce, TriggerBy
from execution.amounts import Level, Offset, OffsetUnit, Size, SizeUnit, Span
from execution.commands import (
    Cancel,
    CancelWhat,
    Close,
    Condition,
    Entry,
    EntryKind,
    Go,
    Iceberg,
    If,
    Ladder,
    LadderKind,
    LadderShape,
    Protect,
    Reverse,
    Setting,
    Twap,
    Wait,
)
from execution.message import Notify, VenueName
from execution.terms import AfterTime, BreakEven, Options, Protection, StopLoss, TakeProfit, Trail
from webhooks.syntax import parse

LONG, SHORT = Direction.LONG, Direction.SHORT


def steps(words: str) -> Any:
    """The steps of one block on Binance_F."""
    return parse(f"BTCUSDT on Binance_F {words}").blocks[0].steps


def step(words: str) -> Any:
    (found,) = steps(words)
    return found


def percent(value: str) -> Offset:
    return Offset(Decimal(value), OffsetUnit.PERCENT)


def off(value: str) -> Level:
    return Level(offset=percent(value))


def at(value: str) -> Level:
    return Level(price=Decimal(value))


def base(value: str) -> Size:
    return Size(SizeUnit.BASE, Decimal(value))


# -- entries -------------------------------------------------------------------------------------------


def test_market_entry_with_stop_and_target():
    assert step("market long 0.01 sl off 2% tp off 5%") == Entry(
        EntryKind.MARKET,
        LONG,
        base("0.01"),
        protection=Protection(StopLoss(off("2")), (TakeProfit(off("5"), 1),)),
    )


def test_side_alone_is_a_market_order_and_with_a_price_a_limit_order():
    assert step("buy 1").kind is EntryKind.MARKET
    assert step("buy 1 at 5") == Entry(EntryKind.LIMIT, LONG, base("1"), at("5"))
    assert step("sell 1 off 1%") == Entry(EntryKind.LIMIT, SHORT, base("1"), off("1"))


def test_stop_limit_entry_has_trigger_and_limit():
    assert step("stop long 1 at 65000 limit at 65050") == Entry(
        EntryKind.STOP, LONG, base("1"), at("65000"), at("65050")
    )


def test_limit_behind_a_stop_entry_with_a_side_is_the_next_entry():
    first, second = steps("stop long 1 at 65000 limit short 2 at 70000")
    assert first.limit is None
    assert (second.kind, second.direction) == (EntryKind.LIMIT, SHORT)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("0.01", base("0.01")),
        ("1e-3", base("0.001")),
        (".5", base("0.5")),
        ("$100", Size(SizeUnit.QUOTE, Decimal(100))),
        ("100$", Size(SizeUnit.QUOTE, Decimal(100))),
        ("100 $", Size(SizeUnit.QUOTE, Decimal(100))),
        ("$ 100 usdt", Size(SizeUnit.QUOTE, Decimal(100), "usdt")),
        ("100usdc", Size(SizeUnit.QUOTE, Decimal(100), "usdc")),
        ("5%", Size(SizeUnit.PERCENT, Decimal(5))),
        ("5 % equity", Size(SizeUnit.PERCENT_EQUITY, Decimal(5))),
        ("5% free", Size(SizeUnit.PERCENT_FREE, Decimal(5))),
        ("5%margin", Size(SizeUnit.PERCENT_MARGIN, Decimal(5))),
        ("5% pos", Size(SizeUnit.PERCENT_POSITION, Decimal(5))),
        ("5c", Size(SizeUnit.CONTRACTS, Decimal(5))),
        ("5 contracts", Size(SizeUnit.CONTRACTS, Decimal(5))),
        ("max", Size(SizeUnit.MAX)),
        ("all", Size(SizeUnit.ALL)),
        ("250%", Size(SizeUnit.PERCENT, Decimal(250))),
    ],
)
def test_size_in_every_spelling(written, size):
    assert step(f"market long {written} sl off 2%").size == size


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("risk 1%", Size(SizeUnit.RISK_PERCENT, Decimal(1))),
        ("risk1%", Size(SizeUnit.RISK_PERCENT, Decimal(1))),
        ("risk 50$", Size(SizeUnit.RISK_QUOTE, Decimal(50))),
        ("risk $50", Size(SizeUnit.RISK_QUOTE, Decimal(50))),
        ("risk 50 usdt", Size(SizeUnit.RISK_QUOTE, Decimal(50), "usdt")),
    ],
)
def test_risk_size_with_a_stop(written, size):
    assert step(f"market long {written} sl off 2%").size == size


@pytest.mark.parametrize(
    ("glued", "spaced"),
    [
        ("buy 1 sl2% tp5%", "buy 1 sl off 2 % tp off 5 %"),
        ("buy 1 sl off2% tp off5%", "buy 1 sl off 2% tp off 5%"),
        ("limit long 0.01@60000 sl@58000 tp@66000", "limit long 0.01 at 60000 sl at 58000 tp at 66000"),
        ("buy1 sl58000 tp66000", "buy 1 sl at 58000 tp at 66000"),
        ("buy $100 x10", "buy 100$ lev 10x"),
        ("buy 100$ 10 x", "buy 100$ lev 10x"),
        ("market long 0.01 x10 sl 2%", "market long 0.01 lev 10x sl off 2%"),
        ("go long 0.01 X10", "go long 0.01 lev 10x"),
        ("buy 100$ leverage10", "buy 100$ lev 10x"),
        ("buy 1 tp1@66000 for50% tp2 off4% for rest",
         "buy 1 tp1 at 66000 for 50% tp2 off 4% for rest"),
        ("buy 1 tp 1 off 2% tp 2 off 4%", "buy 1 tp1 off 2% tp2 off 4%"),
        ("buy 1 sl off 2% tp3R", "buy 1 sl off 2% tp off 3 R"),
        ("buy 1; sl off 2% | tp off 5%;", "buy 1 sl off 2% tp off 5%"),
        ("BUY 1 SL Off 2% Tp OFF 5%", "buy 1 sl off 2% tp off 5%"),
        ("buy\u00a01\u200b sl\u3000off\t2%", "buy 1 sl off 2%"),
        ("buy 1 // sl off 2%\ntp off 5%", "buy 1 tp off 5%"),
        ("go-0.5", "go short 0.5"),
        ("close50%", "close 50%"),
        ("wait1s close all", "wait 1s close 100%"),
        ("buy 1 sl off 50ticks", "buy 1 sl off 50 ticks"),
    ],
)  # fmt: skip
def test_glued_forms_mean_what_the_spaced_ones_mean(glued, spaced):
    assert steps(glued) == steps(spaced)


# -- protection ----------------------------------------------------------------------------------------


def test_bare_number_is_a_price_and_bare_percent_an_offset():
    assert step("sl 61000 tp 5%").protection == Protection(StopLoss(at("61000")), (TakeProfit(off("5")),))


def test_targets_are_numbered_by_place_or_by_their_digit():
    assert [each.number for each in step("buy 1 tp 5 tp 6 tp 7").protection.targets] == [1, 2, 3]
    assert [each.number for each in step("buy 1 tp3 5 tp1 6").protection.targets] == [3, 1]


def test_leg_takes_size_trigger_and_limit_in_any_order():
    expected = StopLoss(off("2"), Size(SizeUnit.PERCENT, Decimal(50)), TriggerBy.MARK, off("0.1"))
    assert step("buy 1 sl off 2% trigger mark limit off 0.1% for 50%").protection.stop == expected
    assert step("buy 1 sl off 2% for 50% limit off 0.1% trigger mark").protection.stop == expected


def test_limit_of_a_leg_may_stand_at_its_trigger():
    assert step("sl off 2% limit off 0").protection.stop.limit == Level(
        offset=Offset(Decimal(0), OffsetUnit.QUOTE)
    )


def test_for_with_a_duration_belongs_to_the_order_and_not_to_its_stop():
    entry = step("chase long 1 sl off 2% for 60s then market")
    assert entry.protection.stop.size is None
    assert entry.options == Options(duration=timedelta(seconds=60), then=AfterTime.MARKET)


def test_trail_and_break_even():
    found = step("buy 1 sl off 2% tp off 5% trail 1.5% after 3% be after tp1 plus 0.1%").protection
    assert found.trail == Trail(percent("1.5"), off("3"))
    assert found.break_even == BreakEven(after_target=1, plus=percent("0.1"))
    assert step("breakeven now").protection.break_even == BreakEven()
    assert step("be after 61000").protection.break_even == BreakEven(after=at("61000"))


def test_removed_stop_and_targets_have_no_level():
    assert step("sl none tp2 none").protection == Protection(StopLoss(None), (TakeProfit(None, 2),))


def test_targets_are_removed_all_or_by_number():
    assert step("tp none").protection.targets == (TakeProfit(None, 0),)
    assert step("tp1 none").protection.targets == (TakeProfit(None, 1),)
    assert [str(step("tp none")), str(step("tp1 none"))] == ["tp none", "tp1 none"]


def test_protection_without_an_order_acts_on_the_position():
    assert step("sl off 1%") == Protect(Protection(StopLoss(off("1"))))


def test_protection_behind_a_partial_close_acts_on_the_position():
    close, protect = steps("close 50% sl 61000")
    assert close == Close(None, Size(SizeUnit.PERCENT, Decimal(50)))
    assert protect == Protect(Protection(StopLoss(at("61000"))))


def test_protection_behind_a_pause_acts_on_the_position():
    entry, _, protect = steps("buy 1 wait 5s sl off 1%")
    assert not entry.protection
    assert isinstance(protect, Protect)


# -- positions -----------------------------------------------------------------------------------------


def test_close_in_its_forms():
    assert step("close") == Close()
    assert step("close all") == Close()
    assert step("close long all") == Close(LONG)
    assert step("close short 25% at 66000") == Close(SHORT, Size(SizeUnit.PERCENT, Decimal(25)), at("66000"))
    assert step("close 0.5 off 1%") == Close(None, base("0.5"), off("1"))


def test_reverse_in_its_forms():
    assert step("reverse") == Reverse()
    assert step("flip to short 0.5 10x") == Reverse(SHORT, base("0.5"), options=Options(leverage=Decimal(10)))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("go long 0.02", Go(LONG, base("0.02"))),
        ("go sell 5%", Go(SHORT, Size(SizeUnit.PERCENT, Decimal(5)))),
        ("go flat 0", Go(None)),
        ("go flat 0.0", Go(None)),
        ("go flat", Go(None)),
        ("go -0.5", Go(SHORT, base("0.5"))),
        ("go −0.5", Go(SHORT, base("0.5"))),
        ("go 0.5", Go(LONG, base("0.5"))),
        ("go 1e-05", Go(LONG, base("0.00001"))),
        ("go 0", Go(None)),
        ("go -0", Go(None)),
    ],
)
def test_go_states_the_wanted_position(template, expected):
    assert step(template) == expected


def test_protection_behind_go_flat_is_accepted_and_means_nothing():
    assert step("go flat 0 sl off 2% tp off 3R be after tp1") == Go(None)
    assert step("go flat 0 sl at NaN tp off NaN%") == Go(None)


def test_values_that_mean_something_behind_go_flat_are_still_checked():
    with pytest.raises(Exception, match="NOT_A_NUMBER"):
        steps("go flat 0 sl at NaN lev NaN")
    with pytest.raises(Exception, match="NOT_A_NUMBER"):
        steps("go flat 0 market long 1 sl at NaN")


def test_cancel_in_its_forms():
    assert step("cancel") == Cancel()
    assert step("cancel entries short tag b1") == Cancel(CancelWhat.ENTRIES, SHORT, "b1")
    assert step("cancel id x-1") == Cancel(client_id="x-1")


def test_side_and_size_behind_cancel_are_the_next_entry():
    assert steps("cancel all buy 100$") == (
        Cancel(),
        Entry(EntryKind.MARKET, LONG, Size(SizeUnit.QUOTE, Decimal(100))),
    )


# -- algorithms ----------------------------------------------------------------------------------------


def test_ladder_and_its_other_names():
    expected = Ladder(LadderKind.LADDER, SHORT, base("1"), at("5"), off("3"), 5, LadderShape.FALLING)
    assert step("ladder short 1 from 5 to 3% in 5 orders falling") == expected
    assert step("scale short 1 from 5 to 3% in 5 falling") == expected
    assert step("pingpong short 1 from 5 to 3% in 5 gap 2 ticks endless") == Ladder(
        LadderKind.PINGPONG, SHORT, base("1"), at("5"), off("3"), 5,
        gap=Offset(Decimal(2), OffsetUnit.TICKS), endless=True,
    )  # fmt: skip


def test_slices():
    assert step("twap long 1 over 30m in 10 orders") == Twap(LONG, base("1"), timedelta(minutes=30), 10)
    assert step("iceberg long 1 show 0.1 @ 5") == Iceberg(LONG, base("1"), base("0.1"), Decimal(5))


# -- settings, options and flow ------------------------------------------------------------------------


def test_settings_attach_to_the_order_on_their_left_or_stand_alone():
    assert step("10x isolated hedge mode") == Setting(
        Options(leverage=Decimal(10), margin_mode=MarginMode.ISOLATED, position_mode=PositionMode.HEDGE)
    )
    setting, entry = steps("lev 5 buy 1 cross oneway")
    assert setting == Setting(Options(leverage=Decimal(5)))
    assert entry.options == Options(margin_mode=MarginMode.CROSS, position_mode=PositionMode.ONE_WAY)


def test_order_options():
    assert step("buy 1 at 5 post reduce gtc expire 10m then cancel tag a").options == Options(
        post=True,
        reduce=True,
        time_in_force=TimeInForce.GTC,
        expire=timedelta(minutes=10),
        then=AfterTime.CANCEL,
        tag="a",
    )


def test_flow():
    assert steps("if not position wait 500ms buy 1")[:2] == (
        If(Condition.POSITION, negated=True),
        Wait(timedelta(milliseconds=500)),
    )
    assert steps("if no orders buy 1")[0] == If(Condition.ORDERS, negated=True)


# -- headers and message options -----------------------------------------------------------------------


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_every_exchange_is_known_in_any_case(exchange):
    for written in (exchange, exchange.lower(), exchange.upper()):
        assert parse(f"BTCUSDT on {written} buy 1").blocks[0].venue == VenueName(exchange)


@pytest.mark.parametrize(
    ("written", "venue"),
    [
        ("binance_f", VenueName("Binance", Product.LINEAR)),
        ("Binance_S", VenueName("Binance")),
        ("OKX_C", VenueName("OKX", Product.INVERSE)),
        ("Kraken_M", VenueName("Kraken", Product.MARGIN)),
        ("ByBit_FT", VenueName("ByBit", Product.LINEAR, testnet=True)),
        ("ByBit_st", VenueName("ByBit", testnet=True)),
        ("huobi_f", VenueName("HTX", Product.LINEAR)),
        ("gate.io", VenueName("Gate")),
        ("gateio_F", VenueName("Gate", Product.LINEAR)),
        ("okex", VenueName("OKX")),
        ("WOOX_F", VenueName("WOO", Product.LINEAR)),
        ("crypto.com", VenueName("CryptoCom")),
        ("Crypto_com_F", VenueName("CryptoCom", Product.LINEAR)),
    ],
)
def test_exchange_with_its_market_mark_and_other_names(written, venue):
    assert parse(f"BTCUSDT on {written} buy 1").blocks[0].venue == venue


@pytest.mark.parametrize(
    "written",
    ["BTCUSDT", "btcusdt", "BTC/USDT", "BTC-USDT-SWAP", "BTC_USDT", "BTCUSDT.P", "BINANCE:BTCUSDT.P",
     "XBTUSDT", "BTC/USDT:USDT", "BTCUSDTPERP", "BTC-USDT.P"],
)  # fmt: skip
def test_symbol_in_any_spelling(written):
    assert parse(f"{written} on Binance_F buy 1").blocks[0].symbols == ("BTCUSDT",)


@pytest.mark.parametrize(
    "written",
    ["1000PEPEUSDT", "1INCHUSDT", "BTCUSDT_251226", "BTC-26DEC25", "币安人生USDT", "PF_XBTUSD", "tDUSK:BTC", "DOGE:USD",
     "BTCPERP"],
)  # fmt: skip
def test_symbol_that_only_one_exchange_has(written):
    expected = {"PF_XBTUSD": "BTCUSD", "tDUSK:BTC": "DUSKBTC", "DOGE:USD": "DOGEUSD"}.get(written, written)
    assert parse(f"{written} on Binance_F buy 1").blocks[0].symbols == (expected,)


def test_symbols_accounts_and_every_symbol():
    block = parse('BTCUSDT,ETHUSDT , SOLUSDT on ByBit_F using main, "my sub", s3 buy 1').blocks[0]
    assert block.symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    assert block.accounts == ("main", "my sub", "s3")
    assert parse("* on OKX_F close all").blocks[0].symbols == ()


def test_a_header_ends_the_block_before_it_wherever_it_stands():
    message = parse("BTCUSDT on Binance_F buy 1 sl off 2%;ETH/USDT on OKX sell 2\nXRPUSDT on Gate close")
    assert [str(block) for block in message.blocks] == [
        "BTCUSDT on Binance_F market long 1 sl off 2%",
        "ETHUSDT on OKX market short 2",
        "XRPUSDT on Gate close 100%",
    ]


def test_message_options_may_stand_anywhere():
    message = parse(
        "paper BTCUSDT on Binance_F market long 0.01 id tv-42 sl off 2% sent 2026-02-07T10:15:00Z "
        'once 60s tp off 5% dry note "first // try" valid 30s notify telegram'
    )
    assert message.id == "tv-42"
    assert message.sent == datetime(2026, 2, 7, 10, 15, tzinfo=UTC)
    assert (message.valid, message.once) == (timedelta(seconds=30), timedelta(seconds=60))
    assert message.dry_run
    assert message.paper
    assert message.note == "first // try"
    assert message.notify is Notify.TELEGRAM
    assert str(message.blocks[0]) == "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%"


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('id "BTCUSDT-Long Entry-2026-02-07T10:15:00Z"', "BTCUSDT-Long Entry-2026-02-07T10:15:00Z"),
        ("id a;b|c", "a;b|c"),
        ("id abc;", "abc"),
        ("id “Long Entry”", "Long Entry"),
        ("id 42", "42"),
        ("id http://x", "http://x"),
    ],
)
def test_names(written, name):
    message = parse(f"{written} BTCUSDT on Binance_F buy 1")
    assert message.id == name
    assert parse(str(message)) == message


def test_time_with_an_offset_is_kept_in_utc():
    assert str(parse("sent 2026-02-07T12:15:00.5+02:00 BTCUSDT on OKX buy 1")).startswith(
        "sent 2026-02-07T10:15:00.500000Z\n"
    )


def test_the_standard_tradingview_template_serves_entries_and_exits():
    template = (
        '{ticker} on Binance_F go {side} {size} sl off 2%\nid "{ticker}-{order}-{time}" sent {time} valid 30s'
    )
    filled = {"ticker": "BTCUSDT.P", "time": "2026-02-07T10:15:00Z"}
    entry = parse(template.format(side="long", size="0.02", order="Long Entry", **filled))
    leave = parse(template.format(side="flat", size="0", order="Close entry(s) order Long Entry", **filled))
    assert str(entry.blocks[0]) == "BTCUSDT on Binance_F go long 0.02 sl off 2%"
    assert str(leave.blocks[0]) == "BTCUSDT on Binance_F go flat"
    assert entry.id != leave.id


# -- places --------------------------------------------------------------------------------------------


def words_at(text: str, *spans: Span) -> list[str]:
    lines = text.split("\n")
    return [lines[span.line - 1][span.column - 1 : span.column - 1 + span.length] for span in spans]


def test_every_value_remembers_the_word_it_came_from():
    text = (
        "dry run\nBTC-USDT.P, ETHUSDT on Binance_F using main limit sell 5% margin at 60000 10x tag a\n"
        "sl off 2% trigger mark tp1 @66000 for 50% trail off 1.5% be after tp1 plus 0.1% valid 30s\n"
        "sent 2026-02-07T10:15:00Z wait 1s if flat close long 25% cancel sl"
    )
    message = parse(text)
    block: Any = message.blocks[0]
    entry, wait, guard, close, cancel = block.steps
    found = entry.protection
    assert words_at(text, message.spans["dry_run"], message.spans["valid"]) == ["dry", "valid"]
    assert words_at(text, *block.symbol_spans, block.span) == ["BTC-USDT.P", "ETHUSDT", "BTC-USDT.P"]
    assert words_at(text, block.venue.span, entry.span, entry.side_span) == ["Binance_F", "limit", "sell"]
    assert words_at(text, entry.size.span, entry.price.span) == ["5% margin", "60000"]
    assert words_at(text, entry.options.spans["leverage"], entry.options.spans["tag"]) == ["10", "tag"]
    assert words_at(text, found.stop.span, found.stop.level.span, found.stop.level.offset.span) == [
        "sl",
        "2%",
        "2%",
    ]
    assert words_at(text, found.targets[0].span, found.targets[0].level.span) == ["tp1", "66000"]
    assert words_at(text, found.targets[0].size.span, found.trail.span) == ["50%", "trail"]
    assert words_at(text, found.trail.offset.span, found.break_even.span) == ["1.5%", "be"]
    assert words_at(text, found.break_even.plus.span) == ["0.1%"]
    assert words_at(text, wait.span, guard.span, close.span, close.size.span, cancel.span) == [
        "wait", "if", "close", "25%", "cancel",
    ]  # fmt: skip


def test_spans_do_not_take_part_in_comparisons():
    assert parse("BTCUSDT on OKX buy 1") == parse("\n\n  BTCUSDT   on OKX\n buy 1")
