"""What holds for every text and for every message."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from execution.message import Message
from tests.webhooks.strategies import (
    damaged_messages,
    foreign_bodies,
    foreign_json,
    foreign_texts,
    header_mixes,
    messages,
    odd_messages,
    word_mixes,
)
from webhooks.syntax import BadCommand, parse, parse_bytes
from webhooks.syntax.errors import storable, text_lines
from webhooks.syntax.translate import from_json

many = settings(derandomize=True, deadline=None, max_examples=500)


def parsed(text: str) -> Message | BadCommand:
    try:
        return parse(text)
    except BadCommand as error:
        return error


@many
@given(st.text(max_size=200))
@example("")
@example("on")
@example("on on on")
@example(", on Binance")
@example("BTCUSDT on")
@example("{" * 5000)
@example("[" * 16000)
@example("9" * 16000)
@example('"' + "9" * 16000)
@example("\ud800 on Binance buy 1")
def test_any_text_is_a_message_or_a_bad_command(text):
    assert isinstance(parsed(text), Message | BadCommand)


@many
@given(word_mixes)
def test_any_mix_of_words_is_a_message_or_a_bad_command(text):
    assert isinstance(parsed(text), Message | BadCommand)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(odd_messages())
@example(["BTCUSDT on Binance_F market long 1e-10 tp1 off 1% for 1e17 tp2 off 2%"])
@example(["BTCUSDT on Binance_F market long 1e-20 tp1 off 1% for 1e20 tp2 off 2% for 1e20"])
def test_a_message_with_any_number_in_it_is_a_message_or_a_bad_command(texts):
    for text in texts:
        assert isinstance(parsed(text), Message | BadCommand)


@many
@given(foreign_json | foreign_texts)
@example('{"symbol": "BTCUSDT", "side": "buy", "qty": 1e9999999}')
@example("e=bybit s=btcusdt b=long q=1e9999999% t=market")
def test_whatever_is_meant_for_another_service_is_refused_as_a_bad_command(text):
    assert isinstance(parsed(text), BadCommand)


@many
@given(foreign_bodies)
def test_any_body_is_translated_or_not_known(body):
    assert isinstance(from_json(body), str | None)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(damaged_messages())
def test_a_damaged_message_is_refused_or_has_one_canonical_text(text):
    found = parsed(text)
    if isinstance(found, Message):
        assert parse(str(found)) == found
        assert str(parse(str(found))) == str(found)


@many
@given(header_mixes)
def test_what_parses_from_a_mix_of_words_has_one_canonical_text(text):
    found = parsed(text)
    if isinstance(found, Message):
        assert parse(str(found)) == found
        assert str(parse(str(found))) == str(found)


@many
@given(header_mixes)
def test_every_error_points_into_the_text_and_is_plain_json(text):
    found = parsed(text)
    if isinstance(found, BadCommand):
        line = text_lines(text)[found.line - 1]
        assert 1 <= found.column <= len(line) + 1
        assert storable(line)[found.column - 1 :].startswith(found.token)
        shown, carets = found.show.split("\n")
        assert len(shown) == len(line)
        assert carets == " " * (found.column - 1) + "^" * found.length
        assert json.loads(json.dumps(found.as_error("https://flipr.example")))["code"] == found.code
        assert found.message
        assert found.hint


@many
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_a_bad_command(body):
    try:
        assert isinstance(parse_bytes(body), Message)
    except BadCommand as error:
        assert error.http_status in (400, 413, 422)  # noqa: PT017


@settings(derandomize=True, deadline=None, max_examples=200)
@given(messages())
def test_canonical_text_says_the_same(message):
    text = str(message)
    assert parse(text) == message
    assert str(parse(text)) == text


@pytest.mark.parametrize("text", ["x" * 20_000, "BTCUSDT on Binance buy 1 " * 600])
def test_long_messages_are_refused_before_they_are_read(text):
    with pytest.raises(BadCommand) as caught:
        parse(text)
    assert caught.value.code in ("MESSAGE_TOO_LONG", "TOO_MANY")
