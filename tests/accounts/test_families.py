"""What keys can be added, read from the venues; and the messages offered for them."""

from __future__ import annotations

import pytest

from accounts.families import FIELD_TITLES, families, family
from accounts.models import Account
from accounts.samples import curl_for, sample_for
from exchanges.registry import every_venue
from exchanges.types import Environment


def test_every_venue_is_opened_by_exactly_one_family():
    opened = [venue for one in families().values() for venue in one.venues]
    assert sorted(venue.name for venue in opened) == sorted(venue.name for venue in every_venue().values())


@pytest.mark.parametrize("name", sorted(families()))
def test_every_family_can_be_shown_as_a_form(name: str):
    one = family(name)
    assert set(one.fields) <= set(FIELD_TITLES)
    assert {venue.key_fields for venue in one.venues} == {one.fields}
    assert one.title[0].isupper()


def test_futures_come_first_and_keys_apart_have_names_apart():
    assert family("binance").venue_names() == ("Binance_F", "Binance", "Binance_C")
    assert (family("kraken").title, family("kraken_futures").title) == ("Kraken", "Kraken Futures")


def test_exchanges_that_ccxt_opens_come_last():
    native = [one.native for one in families().values()]
    assert native == sorted(native, reverse=True)
    assert not family("woo").native
    assert (family("woo").title, family("woo").venue_names()) == ("WOO", ("WOO_F", "WOO"))


def test_the_test_net_is_written_with_a_t():
    assert family("binance").venue_names(Environment.TESTNET) == ("Binance_FT", "Binance_ST", "Binance_CT")


def test_the_sandbox_is_offered_where_one_runs(settings):
    settings.SANDBOX_URL = ""
    assert Environment.SANDBOX not in family("binance").environments
    settings.SANDBOX_URL = "http://127.0.0.1:9000"
    assert Environment.SANDBOX in family("binance").environments


def test_an_environment_is_offered_with_those_venues_only_that_have_it(settings):
    settings.SANDBOX_URL = ""
    for one in families().values():
        for environment in one.environments:
            having = [venue for venue in one.venues if environment in venue.base_urls]
            assert len(one.venue_names(environment)) == len(having) > 0
    assert family("bingx").venue_names(Environment.TESTNET) == ("BingX_FT",)


def account(exchange: str, **fields: object) -> Account:
    return Account(
        **{"exchange": exchange, "label": "main", "environment": "live", "is_default": True} | fields
    )


def test_a_sample_names_the_account_only_when_it_must():
    assert sample_for(account("bybit")).trade == "BTCUSDT on ByBit_F market long 0.01 sl off 2% tp off 5%"
    assert (
        "on ByBit_F using sub1 market" in sample_for(account("bybit", label="sub1", is_default=False)).trade
    )


def test_a_spot_sample_buys():
    assert sample_for(account("kraken")).trade.startswith("BTCUSDT on Kraken market buy")


def test_without_an_account_the_sample_is_the_first_of_the_language():
    assert sample_for(None).trade == "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%"
    assert sample_for(account("no longer supported")).venue == "Binance_F"


def test_a_strategy_sample_keeps_its_placeholders():
    strategy = sample_for(None).strategy
    assert strategy.startswith("{{ticker}} on Binance_F go {{strategy.market_position}}")
    assert 'id "{{ticker}}-{{strategy.order.id}}-{{timenow}}"' in strategy


def test_the_id_of_a_strategy_begins_with_the_name_of_its_hook():
    strategy = sample_for(None, 'my "first" {{bot}}').strategy
    assert 'id "my first bot-{{ticker}}-{{strategy.order.id}}-{{timenow}}"' in strategy


def test_a_curl_command_quotes_the_message():
    assert curl_for("BTCUSDT on Binance_F close 100%", "https://x/webhook/a/b") == (
        "curl -d 'BTCUSDT on Binance_F close 100%' 'https://x/webhook/a/b'"
    )


def test_fields_are_called_what_the_exchange_calls_them():
    assert family("okx").titles == ("API key", "API secret", "Passphrase")
    assert family("hyperliquid").titles == ("Account address", "Private key of the API wallet")
