"""Random messages: valid ones built from the values of the language, and mixes of its words."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from exchanges.names import EXCHANGES
from exchanges.types import Direction, MarginMode, PositionMode, Product, TimeInForce, TriggerBy
from execution import amounts, message, terms
from execution import commands as c
from webhooks.syntax.words import GLUED, STEPS, VOCABULARY

# scaled integers: many times faster to draw than `st.decimals`
positive = st.integers(1, 10**16).map(lambda value: Decimal(value).scaleb(-8))
percents = st.integers(1, 99_99).map(lambda value: Decimal(value) / 100)
durations = st.integers(1, 86_400_000).map(lambda value: timedelta(milliseconds=value))
directions = st.sampled_from(Direction)
# no control characters and no lone surrogates, and neither of the quotes
_name_letters = st.characters(blacklist_categories=("Cc", "Cs"), blacklist_characters='"“”￾￿')
names = st.text(_name_letters, min_size=1, max_size=20).filter(lambda name: name.strip() and "{{" not in name)
optional_names = st.just("") | names
symbols = st.sampled_from(
    ["BTCUSDT", "ETHUSDT", "1000PEPEUSDT", "BTCUSD", "SOLUSDC", "BTCUSDT_251226", "币安人生USDT"]
)


@cache
def maybe(strategy):
    return st.none() | strategy


@cache
def sizes(*units: amounts.SizeUnit):
    return st.one_of(*(_size(unit) for unit in units))


@cache
def _size(unit: amounts.SizeUnit):
    if unit in (amounts.SizeUnit.MAX, amounts.SizeUnit.ALL, amounts.SizeUnit.REST):
        return st.just(amounts.Size(unit))
    value = percents if "percent" in unit else positive
    currency = st.sampled_from(["", "usdt", "usdc", "usd"]) if "quote" in unit else st.just("")
    return st.builds(amounts.Size, st.just(unit), value, currency)


@cache
def offsets(*units: amounts.OffsetUnit):
    return st.one_of(*(_offset(unit) for unit in units))


@cache
def _offset(unit: amounts.OffsetUnit):
    return st.builds(
        amounts.Offset, percents if unit is amounts.OffsetUnit.PERCENT else positive, st.just(unit)
    )


PLAIN = (amounts.OffsetUnit.PERCENT, amounts.OffsetUnit.TICKS, amounts.OffsetUnit.QUOTE)
prices = st.builds(amounts.Level, price=positive)


@cache
def levels(*units: amounts.OffsetUnit):
    return prices | st.builds(amounts.Level, offset=offsets(*(units or PLAIN)))


part_sizes = sizes(amounts.SizeUnit.PERCENT, amounts.SizeUnit.PERCENT_POSITION, amounts.SizeUnit.CONTRACTS)
entry_sizes = sizes(
    *(unit for unit in amounts.SizeUnit if unit is not amounts.SizeUnit.REST and "risk" not in unit)
)
risk_sizes = sizes(amounts.SizeUnit.RISK_PERCENT, amounts.SizeUnit.RISK_QUOTE)
triggers = maybe(st.sampled_from(TriggerBy))
shares = maybe(st.integers(1, 25).map(lambda value: amounts.Size(amounts.SizeUnit.PERCENT, Decimal(value))))
target_numbers = st.lists(st.integers(1, 9), max_size=4, unique=True)
stops = st.builds(terms.StopLoss, levels(), maybe(part_sizes), triggers, maybe(levels()))
break_evens = st.sampled_from(["", "now", "target", "level"])
leverages = maybe(st.integers(1, 1000).map(Decimal))
margin_modes, position_modes = maybe(st.sampled_from(MarginMode)), maybe(st.sampled_from(PositionMode))
times_in_force, after_times = st.sampled_from(TimeInForce), maybe(st.sampled_from(terms.AfterTime))
timings = st.sampled_from(["", "expire", "duration"])


@cache
def trails(*units: amounts.OffsetUnit):
    return maybe(st.builds(terms.Trail, offsets(*units), maybe(levels(*units))))


@cache
def dcas(*units: amounts.OffsetUnit):
    return maybe(st.builds(terms.Dca, st.integers(1, 200), offsets(*units), maybe(percents)))


@st.composite
def targets(draw, units):
    numbers = draw(target_numbers)
    if draw(st.booleans()):
        return tuple(terms.TakeProfit(None, number) for number in numbers or [0])
    return tuple(
        terms.TakeProfit(
            draw(levels(*units)),
            number,
            draw(shares),
            draw(triggers),
            draw(maybe(levels())),
        )
        for number in numbers
    )


@st.composite
def protections(draw, *, alone=False, need_stop=False):
    stop = draw(stops)
    if not need_stop:
        stop = draw(st.sampled_from([stop, None, terms.StopLoss(None)]))
    units = (*PLAIN, amounts.OffsetUnit.R) if stop is not None and stop.level is not None else PLAIN
    wins = draw(targets(units))
    trail = draw(trails(*units))
    be = draw(break_evens)
    plus = draw(maybe(offsets(*units)))
    break_even = None
    numbers = [each.number for each in wins if each.level is not None]
    if be == "target" and (numbers or (alone and not wins)):
        number = draw(st.sampled_from(numbers)) if numbers else 1
        break_even = terms.BreakEven(after_target=number, plus=plus)
    elif be == "level":
        break_even = terms.BreakEven(after=draw(levels(*units)), plus=plus)
    elif be == "now":
        break_even = terms.BreakEven(plus=plus)
    dca = None if alone else draw(dcas(*units))
    return terms.Protection(stop, wins, trail, break_even, dca)


@st.composite
def options(draw, *, rests=False, settings=True):
    chosen = {
        "leverage": draw(leverages) if settings else None,
        "margin_mode": draw(margin_modes) if settings else None,
        "position_mode": draw(position_modes) if settings else None,
        "reduce": draw(st.booleans()),
        "tag": draw(optional_names),
    }
    if rests:
        chosen["post"] = draw(st.booleans())
        timed = draw(timings)
        if timed:
            chosen |= {timed: draw(durations), "then": draw(after_times)}
    elif draw(st.booleans()):
        chosen["time_in_force"] = draw(times_in_force)
    return terms.Options(**chosen)


@st.composite
def entries(draw):
    kind = draw(st.sampled_from(c.EntryKind))
    risk = draw(st.booleans())
    rests = kind in (c.EntryKind.LIMIT, c.EntryKind.CHASE)
    priced = kind in (c.EntryKind.LIMIT, c.EntryKind.STOP)
    return c.Entry(
        kind,
        draw(directions),
        draw(risk_sizes if risk else entry_sizes),
        draw(levels()) if priced else None,
        draw(maybe(levels())) if kind is c.EntryKind.STOP else None,
        draw(protections(need_stop=risk)),
        draw(options(rests=rests)),
    )


ladders = st.builds(
    c.Ladder,
    st.sampled_from(c.LadderKind),
    directions,
    entry_sizes,
    levels(),
    levels(),
    st.integers(2, 200),
    st.sampled_from(c.LadderShape),
    maybe(offsets(*PLAIN)),
    st.booleans(),
    protections(),
    options(rests=True),
)
twaps = st.builds(
    c.Twap, directions, entry_sizes, durations, maybe(st.integers(1, 200)), protections(), options(rests=True)
)
icebergs = st.builds(
    lambda direction, size, price, protection, options: c.Iceberg(
        direction, size, size, price, protection, options
    ),
    directions,
    entry_sizes,
    positive,
    protections(),
    options(rests=True),
)
closes = st.builds(
    c.Close,
    maybe(directions),
    part_sizes | sizes(amounts.SizeUnit.BASE, amounts.SizeUnit.QUOTE),
    maybe(levels()),
    options(settings=False),
)
reverses = st.builds(c.Reverse, maybe(directions), maybe(entry_sizes), protections(), options())
goes = st.builds(c.Go, directions, entry_sizes, protections(), options()) | st.builds(
    c.Go, st.none(), options=options()
)
cancels = st.builds(
    lambda what, direction, name, is_tag: c.Cancel(
        what, direction, name if is_tag else "", "" if is_tag else name
    ),
    st.sampled_from(c.CancelWhat),
    maybe(directions),
    optional_names,
    st.booleans(),
)
waits = st.builds(c.Wait, durations)
guards = st.builds(c.If, st.sampled_from(c.Condition), st.booleans())
protects = st.builds(c.Protect, protections(alone=True).filter(bool))


def without_clashes(step):
    """Nothing that reduces is protected, or is the other side."""
    if step.options.reduce and (step.protection or isinstance(step, c.Reverse)):
        return replace(step, options=replace(step.options, reduce=False))
    return step


orders = st.one_of(entries(), ladders, twaps, icebergs, reverses, goes).map(without_clashes)


@st.composite
def blocks(draw):
    steps = draw(st.lists(st.one_of(orders, closes, cancels, waits), min_size=1, max_size=4))
    steps += draw(st.just([]) | st.tuples(guards, orders).map(list))
    if all(isinstance(step, c.Wait) for step in steps):
        steps.append(draw(cancels))
    if draw(st.booleans()):  # protection of the open position needs no order on its left
        steps.insert(0, draw(protects))
    product, testnet = draw(
        st.sampled_from([(product, False) for product in Product])
        | st.sampled_from([(Product.SPOT, True), (Product.LINEAR, True)])
    )
    return message.Block(
        tuple(draw(st.lists(symbols, min_size=1, max_size=3, unique=True))),
        message.VenueName(draw(st.sampled_from(EXCHANGES)), product, testnet),
        tuple(
            draw(st.lists(names, max_size=2, unique_by=str.lower))
        ),  # few: a message has a bound on them all
        tuple(steps),
    )


@st.composite
def messages(draw):
    sent = draw(maybe(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))))  # noqa: DTZ001
    return message.Message(
        tuple(draw(st.lists(blocks(), min_size=1, max_size=3))),
        draw(optional_names),
        sent,
        draw(maybe(durations)) if sent else None,
        draw(maybe(durations)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(optional_names),
        draw(maybe(st.sampled_from(message.Notify))),
    )


_values = [
    *(
        "0.01",
        "2%",
        "5 %",
        "100$",
        "$100",
        "10x",
        "x10",
        "3R",
        "60000",
        "@60000",
        "-2%",
        "-0.5",
        "0",
        "1e-3",
        "1e999",
    ),
    *(
        "NaN",
        "30s",
        "500ms",
        "1d",
        "5 ticks",
        "0,01",
        "150%",
        "2026-02-07T10:15:00Z",
        '"a b"',
        "main",
        '"',
        "{{ticker}}",
    ),
    *(
        "BTCUSDT on Binance_F",
        "* on ByBit",
        "ETHUSDT, XBTUSD on Kraken_F",
        "on",
        ";",
        "|",
        ",",
        "// x",
        "\n",
        "\r\n",
        "\t",
    ),
    *("“q”", "\u200b", "\u00a0", "\ufeff", "\x00", "٣", "%", "$", "@", "*", "-", "Binance_X", "usdt", "c"),
    *("#", "1_000", "1，5", "€", "％"),
]
words = st.sampled_from([*sorted(VOCABULARY), *sorted(STEPS), *sorted(GLUED), *_values])
#: glued and spaced mixes of the language's own words: they reach further into the grammar than random text
word_mixes = st.lists(st.tuples(words, st.sampled_from([" ", " ", " ", " ", "", "\n"])), max_size=40).map(
    lambda pairs: "".join(word + space for word, space in pairs)
)
header_mixes = word_mixes.map(lambda text: f"BTCUSDT on Binance_F {text}")


@st.composite
def damaged_messages(draw):
    """A valid message with a few words lost, doubled, exchanged or put elsewhere."""
    parts = str(draw(messages())).split(" ")
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(parts) - 1))
        other = draw(st.integers(0, len(parts) - 1))
        change = draw(st.sampled_from(["lose", "double", "exchange", "swap", "glue"]))
        if change == "lose":
            parts[at] = ""
        elif change == "double":
            parts[at] = f"{parts[at]} {parts[at]}"
        elif change == "exchange":
            parts[at] = draw(words)
        elif change == "swap":
            parts[at], parts[other] = parts[other], parts[at]
        elif at + 1 < len(parts):
            parts[at : at + 2] = ["".join(parts[at : at + 2]), ""]
    return " ".join(parts)


# -- numbers that nobody means ---------------------------------------------------------------------------

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
odd_numbers = st.sampled_from(
    [
        *("1e9999999", "1e-9999999", "-1e9999999", "1e400", "1e20", "1e17", "1e-10", "1e-20", "9" * 28),
        *(
            "9" * 5000,
            "0." + "0" * 19 + "1",
            "0",
            "-0",
            "NaN",
            "sNaN",
            "-Infinity",
            "1_000",
            "0x10",
            "٣",
            "5.",
            ".",
        ),
    ]
) | st.builds("{}e{}".format, st.integers(-(10**30), 10**30), st.integers(-(10**7), 10**7))


_few_odd = st.lists(odd_numbers, min_size=3, max_size=3)
_chosen = st.lists(st.integers(0, 2**16 - 1), min_size=4, max_size=4)


@st.composite
def odd_messages(draw):
    """A valid message four times, with other numbers exchanged for odd ones each time: what takes long is the message."""
    text, odd = str(draw(messages())), draw(_few_odd)
    return [_exchanged(text, odd, chosen) for chosen in draw(_chosen)]


def _exchanged(text, odd, chosen):
    places = itertools.count()

    def exchange(found):
        place = next(places)
        return odd[place % len(odd)] if chosen >> place % 16 & 1 else found[0]

    return _NUMBER.sub(exchange, text)


# -- what is meant for other services --------------------------------------------------------------------

_KEYS = re.findall(
    r"\w+",
    """
    symbol ticker pair exchange side action sentiment isBuy isClose qty quantity quantityType amount units unitsType
    unitsPercent orderType price limitPrice leverage marginMode sl tp stopLoss takeProfit stopLossPercent targets
    takeProfits takeProfitPercent takeProfitPrice priceDeviation portfolio percent stopPrice trailPercent code
    amountPerTrade amountPerTradeType order currency_type strategy_info market_position market_position_size account
    message apiKey targetAmountInPercent
    """,
)
_words_of_others = st.sampled_from(
    [
        *(
            "BTCUSDT",
            "BTC/USDT",
            "buy",
            "sell",
            "long",
            "exit",
            "limit",
            "market",
            "binance",
            "kraken-spot",
            "percent",
        ),
        *(
            "percents",
            "quote",
            "risk_percent",
            "isolated",
            "5%",
            "100$",
            "@58000",
            "",
            "ENTER-LONG_BINANCE_BTCUSDT_x",
        ),
    ]
)
_plain_values = (
    _words_of_others
    | odd_numbers
    | st.booleans()
    | st.none()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=5)
)
foreign_values = st.recursive(
    _plain_values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=12,
)
foreign_bodies = st.dictionaries(st.sampled_from(_KEYS), foreign_values, max_size=10).map(
    lambda body: {"symbol": "BTCUSDT", "side": "buy"} | body
)
#: numbers in JSON are written as they come here, beyond what a float holds too
foreign_json = st.builds(
    lambda body, number: json.dumps(body).replace('"NUMBER"', number),
    foreign_bodies.map(lambda body: body | {"qty": "NUMBER"}),
    odd_numbers,
)
_FORMS = (
    "K(BTCUSDT) {{ market(side=buy, amount={}); stopOrder(offset={}%); exchangeSettings(leverage={}); }}",
    "K(BTCUSDT) {{ limit(side=sell, amount={}%%, offset=@{}); market(position=-{}); }}",
    "e=bybit s=btcusdt b=long q={}% t=limit fp={} l={} sl={}%",
    "s=btcusdt c=position b=long q={}",
    "a1 ETH/USDT buy {}$ x{} limit:my2:{}",
    "ETH/USDT position -{} x{} myKucoinA",
    "ENTER-LONG_BINANCE_BTCUSDT_Bot_{}M_{}",
)
foreign_texts = st.builds(
    lambda form, numbers: form.format(*numbers),
    st.sampled_from(_FORMS),
    st.lists(odd_numbers, min_size=4, max_size=4),
)
