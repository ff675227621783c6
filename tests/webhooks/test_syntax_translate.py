"""Messages of other services in Smart Syntax: in the hint of the refusal, and readable as they stand."""

from __future__ import annotations

import json

import pytest

from webhooks.syntax import BadCommand, parse
from webhooks.syntax.translate import from_json, from_text

HINT = "in Smart Syntax this is: "

TEXTS = [
    # Alertatron
    ("MyKeys(BTCUSDT) { market(side=buy, amount=50%); }", "BTCUSDT on Binance_F using MyKeys market long 50%"),
    (
        "MyKeys(XBTUSD) {\n  cancel(which=all);\n  market(side=sell, amount=0.1);\n  stopOrder(offset=2%);\n  takeProfit(offset=5%);\n}\n#bot",
        "XBTUSD on Binance_F using MyKeys cancel all market short 0.1 sl off 2% tp off 5%",
    ),
    ("K(ETHUSDT) { limit(side=buy, amount=10%%, offset=@2500); wait(30s); market(position=0); }",
     "ETHUSDT on Binance_F using K limit long 10% free at 2500 wait 30s go flat"),
    ("K(ETHUSDT) { market(position=-2); } K2(BTCUSDT) { exchangeSettings(leverage=5); market(side=buy, amount=50%p); }",
     "ETHUSDT on Binance_F using K go short 2\nBTCUSDT on Binance_F using K2 lev 5x market long 50% pos"),
    # Autoview
    ("e=bybit s=btcusdt b=long q=5% t=market", "BTCUSDT on ByBit_F market long 5%"),
    ("e=kraken s=ethusd b=short q=0.5 t=post fp=2500 l=3 sl=2% ftp=2000 a=main",
     "ETHUSD on Kraken_F using main limit short 0.5 at 2500 post lev 3x sl off 2% tp at 2000"),
    ("s=btcusdt c=position b=long q=50%\ns=btcusdt c=order d=1",
     "BTCUSDT on Binance_F close long 50%\ndry run BTCUSDT on Binance_F cancel all"),
    # whook
    ("myKucoinA ETH/USDT buy 300$ x3", "ETH/USDT on Binance_F using myKucoinA market long 900$ lev 3x"),
    ("ETH/USDT position -50 x3 myKucoinA", "ETH/USDT on Binance_F using myKucoinA go short 50 lev 3x"),
    ("myKucoinA ETH/USD close 33.33%", "ETH/USD on Binance_F using myKucoinA close 33.33%"),
    ("a1 ETH/USDT buy 0.5 limit:my2:1012", "ETH/USDT on Binance_F using a1 limit long 0.5 at 1012 tag my2"),
    ("ETHUSDT cancel:all\nBTCUSDT sell 10%", "ETHUSDT on Binance_F cancel all\nBTCUSDT on Binance_F market short 10% margin"),
    ("ETHUSDT cancel:my2", "ETHUSDT on Binance_F cancel id my2"),
    # WunderTrading
    ("EXIT-ALL_BINANCE_FUTURES_BTCUSDT_Bot_5M_abc", "BTCUSDT on Binance_F close 100%"),
    ("EXIT-LONG_OKX_SPOT_ETHUSDT_Bot", "ETHUSDT on OKX close long 100%"),
]  # fmt: skip

TV_HUB = {
    "exchange": "binance-futures", "pair": "BTCUSDT", "apiKey": "main", "token": "SECRET", "isBuy": True,
    "unitsType": "percent", "unitsPercent": 5, "leverage": 10, "marginType": "isolated",
    "stopLossType": "percent", "stopLossPercent": 1.5, "targetAmountInPercent": True,
    "targets": [{"takeProfitPercent": 1.0, "amount": 50}, {"takeProfitPercent": 2, "amount": 50}],
}  # fmt: skip
THREE_COMMAS = {
    "secret": "SECRET", "max_lag": "300", "timestamp": "2026-02-07T10:15:00Z", "trigger_price": "60000",
    "tv_exchange": "BYBIT", "tv_instrument": "BTCUSDT.P", "action": "buy", "bot_uuid": "1-2",
    "strategy_info": {"market_position": "long", "market_position_size": "0.02"},
    "order": {"amount": "0.01", "currency_type": "base"},
}  # fmt: skip
TRADERS_POST = {
    "ticker": "BTCUSD", "action": "buy", "quantity": 1, "quantityType": "percent_of_equity",
    "takeProfit": {"percent": 10}, "stopLoss": {"type": "stop", "stopPrice": 58000},
}  # fmt: skip
WUNDER = {
    "code": "ENTER-LONG_BINANCE_BTCUSDT_Bot_5M_abc", "orderType": "market", "amountPerTradeType": "percents",
    "amountPerTrade": 0.25, "leverage": 5, "stopLoss": {"priceDeviation": 0.02},
    "takeProfits": [{"priceDeviation": 0.01, "portfolio": 0.5}, {"priceDeviation": 0.03, "portfolio": 0.5}],
}  # fmt: skip

BODIES = [
    ({"symbol": "BTCUSDT", "side": "buy", "qty": 0.01}, "BTCUSDT on Binance_F market long 0.01"),
    ({"exchange": "bybit", "ticker": "ETHUSDT.P", "action": "sell", "quantity": "5%", "leverage": "3x"},
     "ETHUSDT.P on ByBit_F market short 5% lev 3x"),
    ({"exchange": "kraken-spot", "symbol": "BTC/USD", "side": "buy", "amount": "100 usd"}, "BTC/USD on Kraken market long 100$"),
    ({"symbol": "BTCUSDT", "side": "buy", "type": "limit", "price": 60000, "size": 1, "sl": 58000, "tp": "5%"},
     "BTCUSDT on Binance_F limit long 1 at 60000 sl at 58000 tp off 5%"),
    ({"symbol": "BTCUSDT", "action": "close_long"}, "BTCUSDT on Binance_F close long 100%"),
    ({"symbol": "BTCUSDT", "action": "exit"}, "BTCUSDT on Binance_F close 100%"),
    ({"message": "BTCUSDT on Binance_F go flat"}, "BTCUSDT on Binance_F go flat"),
    ([{"symbol": "BTCUSDT", "side": "buy", "qty": 1}, {"symbol": "ETHUSDT", "side": "sell", "qty": 2}],
     "BTCUSDT on Binance_F market long 1\nETHUSDT on Binance_F market short 2"),
    (TV_HUB, "BTCUSDT on Binance_F using main market long 5% lev 10x isolated sl off 1.5% tp1 off 1% for 50% tp2 off 2% for 50%"),
    ({"exchange": "binance", "pair": "BTCUSDT", "isBuy": True, "units": 0.01, "unitsType": "absolute"},
     "BTCUSDT on Binance market long 0.01"),
    (THREE_COMMAS, "BTCUSDT.P on ByBit_F go long 0.02"),
    ({"message_type": "bot", "bot_id": 1, "email_token": "x", "pair": "USDT_BTC", "action": "close_at_market_price"},
     "BTCUSDT on Binance_F close 100%"),
    ({"tv_instrument": "BTCUSDT", "action": "exit_short", "bot_uuid": "x"}, "BTCUSDT on Binance_F close short 100%"),
    (TRADERS_POST, "BTCUSD on Binance_F market long 1% sl at 58000 tp off 10%"),
    (WUNDER, "BTCUSDT on Binance_F market long 25% lev 5x sl off 2% tp1 off 1% for 50% tp2 off 3% for 50%"),
]  # fmt: skip


def hint(text: str) -> str:
    with pytest.raises(BadCommand) as caught:
        parse(text)
    return caught.value.hint


@pytest.mark.parametrize(("text", "expected"), TEXTS, ids=[each[0][:30] for each in TEXTS])
def test_text_of_another_service_is_translated_in_the_hint(text, expected):
    assert hint(text) == HINT + expected


@pytest.mark.parametrize(("body", "expected"), BODIES, ids=[each[1][:40] for each in BODIES])
def test_json_of_another_service_is_translated_in_the_hint(body, expected):
    assert hint(json.dumps(body)) == HINT + expected


@pytest.mark.parametrize("expected", [each[1] for each in (*TEXTS, *BODIES)])
def test_translation_is_smart_syntax(expected):
    assert parse(expected).blocks


def test_json_is_refused_as_not_text():
    with pytest.raises(BadCommand) as caught:
        parse(json.dumps(TV_HUB))
    assert caught.value.code == "NOT_TEXT"
    assert (caught.value.line, caught.value.column) == (1, 1)


def test_tokens_in_a_json_body_are_not_repeated_in_the_error():
    for body in (TV_HUB, THREE_COMMAS):
        with pytest.raises(BadCommand) as caught:
            parse(json.dumps(body))
        assert "SECRET" not in json.dumps(caught.value.as_error())


def test_a_missing_size_is_named_and_not_invented():
    assert (
        from_json({"tv_instrument": "BTCUSDT", "action": "enter_long"})
        == "BTCUSDT on Binance_F market long SIZE"
    )
    assert from_text("ENTER-SHORT_BYBIT_FUTURES_ETHUSDT_x") == "ETHUSDT on ByBit_F market short SIZE"


def test_a_template_becomes_a_template():
    body = {
        "ticker": "{{ticker}}",
        "action": "{{strategy.order.action}}",
        "contracts": "{{strategy.order.contracts}}",
    }
    assert (
        from_json(body)
        == "{{ticker}} on Binance_F market {{strategy.order.action}} {{strategy.order.contracts}}"
    )


def test_quoted_message_is_to_be_sent_without_quotes():
    assert hint('"BTCUSDT on Binance_F go flat"') == "leave the quotes out: BTCUSDT on Binance_F go flat"


@pytest.mark.parametrize(
    "text",
    ["{", "[1, 2", "[]", "{}", "[" * 9000, '{"a": NaN}', '{"a": 1e999999999}', f'{{"a": {"9" * 5000}}}', "<html>", '{"ok": true}'],
)  # fmt: skip
def test_unknown_json_and_markup_get_an_example(text):
    assert (
        hint(text) == "send the command alone, for example: BTCUSDT on Binance_F market long 0.01 sl off 2%"
    )


@pytest.mark.parametrize(
    "body",
    [
        {"symbol": "BTC\u0000USDT", "side": "buy", "qty": 1},
        {"symbol": "BTCUSDT", "side": "sideways", "qty": 1},
        {"symbol": "BTCUSDT", "exchange": "mtgox", "side": "buy", "qty": 1},
        {"symbol": ["BTCUSDT"], "side": "buy", "qty": 1},
        {"symbol": "BTCUSDT", "side": "buy on Binance close all", "qty": 1},
        {"code": "ENTER-LONG"},
        [1, 2],
        [{"symbol": "BTCUSDT", "side": "buy", "qty": 1}, {"symbol": "?"}],
        7,
        None,
    ],
)
def test_what_is_not_known_is_not_translated(body):
    assert from_json(body) is None


@pytest.mark.parametrize(
    "text",
    [
        "MyKeys(BTCUSDT) { fancy(side=buy); }",
        "MyKeys(BTCUSDT) { market(side=buy, amount=1, hidden=true); }",
        "MyKeys(BTCUSDT) { market(side=buy, amount=1) and more }",
        "MyKeys(BTCUSDT) { market(side=buy, amount=1); } trailing words",
        "e=bybit s=btcusdt b=long q=1 t=limit",
        "e=mtgox s=btcusdt b=long q=1",
        "BTCUSDT market long 0.01",
        "BTCUSDT buy",
        "hello world",
        "",
    ],
)
def test_text_that_is_not_known_is_not_translated(text):
    assert from_text(text) is None


@pytest.mark.parametrize("value", [0, -1, "NaN", "1e400", True, None, "x" * 1000])
def test_odd_numbers_are_no_sizes(value):
    found = from_json({"symbol": "BTCUSDT", "side": "buy", "qty": value})
    assert found in (None, "BTCUSDT on Binance_F market long SIZE")
