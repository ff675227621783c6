"""Every step of the language survives the way to the worker, its places in the message included."""

import json

import pytest

from execution.commands import Step
from execution.wire import dump, load
from webhooks.syntax import parse

MESSAGES = [
    "BTCUSDT on Binance_F market long 0.01 sl off 2% tp1 off 2% for 50% tp2 off 3R for rest lev 10x isolated tag a",
    "BTCUSDT on Binance_F limit long 0.01 off 1% post expire 10m sl off 2% trigger mark limit off 0.1%",
    "BTCUSDT on Binance_F stop short 0.5 at 65000 limit at 64900",
    "BTCUSDT on Binance_F close long 25% at 66000",
    "BTCUSDT on Binance_F reverse to short risk 1% sl off 2%",
    "BTCUSDT on Binance_F go flat",
    "BTCUSDT on Binance_F cancel entries tag breakout1",
    "BTCUSDT on Binance_F sl 61000 tp none be now",
    "BTCUSDT on Binance_F lev 5x cross if not flat wait 1s market long 1",
    "BTCUSDT on Binance_F ladder long 0.1 from 60000 to 58000 in 5 orders rising sl at 57000",
    "BTCUSDT on Binance_F twap long 1 over 30m in 10 orders",
]


@pytest.mark.parametrize("text", MESSAGES)
def test_a_step_is_the_same_after_the_journey(text):
    for step in parse(text).blocks[0].steps:
        data = dump(step, Step)
        again = load(json.loads(json.dumps(data)), Step)
        assert again == step
        assert again.span == step.span
        assert dump(again, Step) == data
