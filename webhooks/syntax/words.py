"""The words of the language and what they stand for. Data only."""

from __future__ import annotations

from datetime import timedelta

from exchanges.types import Direction, MarginMode, PositionMode, Product, TimeInForce, TriggerBy
from execution.amounts import SizeUnit
from execution.commands import CancelWhat, Condition, EntryKind, LadderKind, LadderShape
from execution.message import Notify
from execution.terms import AfterTime

EXAMPLE = "BTCUSDT on Binance_F market long 0.01 sl off 2%"
EXAMPLE_HEADER = "BTCUSDT on Binance_F"

#: mark after the exchange's name -> product and whether it is the test net
MARKETS = {
    "": (Product.SPOT, False),
    "s": (Product.SPOT, False),
    "f": (Product.LINEAR, False),
    "c": (Product.INVERSE, False),
    "m": (Product.MARGIN, False),
    "st": (Product.SPOT, True),
    "ft": (Product.LINEAR, True),
    "ct": (Product.INVERSE, True),
}

SIDES = {
    "long": Direction.LONG,
    "short": Direction.SHORT,
    "buy": Direction.LONG,
    "sell": Direction.SHORT,
}
ENTRIES = {kind.value: kind for kind in EntryKind}
LADDERS = {"ladder": LadderKind.LADDER, "scale": LadderKind.LADDER, "pingpong": LadderKind.PINGPONG}
SHAPES = {shape.value: shape for shape in LadderShape}
CANCELS = {what.value: what for what in CancelWhat}
CONDITIONS = {condition.value: condition for condition in Condition}
TRIGGERS = {by.value: by for by in (TriggerBy.MARK, TriggerBy.LAST, TriggerBy.INDEX)}
MARGIN_MODES = {mode.value: mode for mode in MarginMode}
POSITION_MODES = {"hedge": PositionMode.HEDGE, "oneway": PositionMode.ONE_WAY}
TIMES_IN_FORCE = {each.value: each for each in (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC)}
AFTER_TIME = {each.value: each for each in AfterTime}
CHANNELS = {each.value: each for each in Notify}

TARGETS = {f"tp{digit}": digit for digit in range(1, 10)}
BREAK_EVEN = ("be", "breakeven")
PROTECTION = ("sl", "tp", *TARGETS, "trail", *BREAK_EVEN, "dca")
ORDER_OPTIONS = ("post", "reduce", *TIMES_IN_FORCE, "expire", "for", "then", "tag")
SETTINGS = ("lev", "leverage", "x", *MARGIN_MODES, *POSITION_MODES)
MESSAGE_OPTIONS = ("id", "sent", "valid", "once", "dry", "paper", "note", "notify")
ORDERS = (*ENTRIES, *SIDES, *LADDERS, "twap", "iceberg", "close", "reverse", "flip", "go", "cancel")
FLOW = ("wait", "if")
STEPS = (*ORDERS, *PROTECTION, *SETTINGS, *ORDER_OPTIONS, *FLOW, *MESSAGE_OPTIONS)

CURRENCIES = ("usdt", "usdc", "usd")
PERCENT_OF = {
    "equity": SizeUnit.PERCENT_EQUITY,
    "free": SizeUnit.PERCENT_FREE,
    "margin": SizeUnit.PERCENT_MARGIN,
    "pos": SizeUnit.PERCENT_POSITION,
}
CONTRACTS = ("c", "contracts")
UNITS = ("%", "$", *CURRENCIES, "contracts")
DURATIONS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
#: what the language has for no number: an empty plot, a division by zero
NOT_NUMBERS = frozenset(
    {"nan", "-nan", "na", "n/a", "null", "undefined", "inf", "-inf", "infinity", "-infinity", "∞"}
)

#: every word with a meaning: such a word where a value should be means that the value is missing
VOCABULARY = frozenset(
    {
        *STEPS, *SHAPES, *CANCELS, *CONDITIONS, *TRIGGERS, *AFTER_TIME, *PERCENT_OF,
        *("on", "using", "at", "@", "off", "from", "to", "in", "orders", "gap", "endless", "over", "show", "flat"),
        *("all", "max", "rest", "risk", "none", "now", "after", "plus", "every", "grow", "trigger", "run", "mode"),
    }
)  # fmt: skip

#: words that may be glued to the value behind them: off2%, sl58000, x10
GLUED = (
    "off", "at", "sl", "trail", "for", "from", "to", "in", "over", "show", "after", "plus", "every", "grow", "gap",
    "leverage", "lev", "x", "risk", "wait", "expire", "valid", "once", "dca", "long", "short", "buy", "sell",
    "close", "reverse", "go", "limit",
)  # fmt: skip

#: what people type for a word of the language
OTHER_WORDS = {
    "stoploss": "sl", "stop-loss": "sl", "stop_loss": "sl", "sl:": "sl", "takeprofit": "tp", "take-profit": "tp",
    "take_profit": "tp", "tp:": "tp", "exit": "close", "flatten": "close", "enter": "market", "open": "market",
    "trailing": "trail", "postonly": "post", "post-only": "post", "post_only": "post", "maker": "post",
    "reduceonly": "reduce", "reduce-only": "reduce", "reduce_only": "reduce", "crossed": "cross", "iso": "isolated",
    "one-way": "oneway", "one_way": "oneway", "test": "dry run", "account": "using", "qty": "a size: 0.01",
    "break-even": "be", "target": "tp", "stop-limit": "stop long 0.01 at 65000 limit at 65050",
}  # fmt: skip

#: what people type for a unit
OTHER_UNITS = {
    "percent": "%", "pct": "%", "contract": " contracts", "cts": " contracts",
    "dollar": "$", "dollars": "$", "tether": " usdt",
}  # fmt: skip

#: what TradingView fills in
PLACEHOLDERS = (
    "ticker", "exchange", "open", "high", "low", "close", "volume", "time", "timenow", "interval", "syminfo.currency",
    "syminfo.basecurrency", *(f"plot_{number}" for number in range(20)),
)  # fmt: skip
STRATEGY_PLACEHOLDERS = (
    "strategy.order.action", "strategy.order.contracts", "strategy.order.price", "strategy.order.id",
    "strategy.order.comment", "strategy.order.alert_message", "strategy.position_size", "strategy.market_position",
    "strategy.market_position_size", "strategy.prev_market_position", "strategy.prev_market_position_size",
)  # fmt: skip
