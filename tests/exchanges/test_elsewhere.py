"""A client in a process of its own: it answers, its errors come back, and nothing of it gets in here."""

import sys

import ccxt
import pytest

from tests.exchanges.elsewhere import Elsewhere, Raised

WORDS = {"apiKey": "the-key", "secret": "the-secret", "url": "http://127.0.0.1:9"}


@pytest.fixture
def client():
    with Elsewhere("tests.exchanges.clients.bitmex", WORDS) as made:
        yield made


def test_methods_are_called_with_values_and_names(client):
    assert client.number_to_string(0.5) == "0.5"
    assert client.safe_string(dictionary={"a": "b"}, key="a") == "b"


def test_an_error_comes_back_with_its_bases(client):
    with pytest.raises(Raised) as caught:
        client.set_margin_mode("sideways", "BTC/USDT:USDT")
    assert caught.value.names[:2] == ["BadRequest", "ExchangeError"]
    assert "isolated or cross" in str(caught.value)


def test_after_an_error_it_answers_on(client):
    with pytest.raises(Raised):
        client.no_such_method()
    assert client.number_to_string(1) == "1"


def test_the_ccxt_of_this_process_stays_what_it_is(client):
    assert client.number_to_string(1) == "1"
    assert not hasattr(ccxt, "bitmex")
    assert not any(name.partition(".")[0] == "bitmex" for name in sys.modules)


def test_a_client_that_cannot_be_opened_says_why():
    with pytest.raises(Raised, match="apiKey"):
        Elsewhere("tests.exchanges.clients.bitmex", {})
