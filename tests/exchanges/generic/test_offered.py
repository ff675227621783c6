"""Which exchanges ccxt opens, and when it is imported."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import ccxt
import pytest

from exchanges import registry
from exchanges.errors import ExchangeError
from exchanges.facts import facts_of
from exchanges.generic.catalog import ENTRIES, LEFT_OUT, entries_of, left_out_of
from exchanges.generic.client import base_error, clone, opened
from exchanges.generic.entry import LeftOut
from exchanges.generic.ids import FORMS
from exchanges.generic.offered import offered
from exchanges.generic.survey import BROKEN, KEYS, PARTS, _market, survey, written
from exchanges.generic.venue import GenericVenue
from exchanges.names import EXCHANGES, exchange_name
from exchanges.registry import catalogue, every_venue, venue_class, venues
from exchanges.transport import Answer
from exchanges.types import Environment, Product

ROOT = Path(__file__).resolve().parents[3]


def test_the_catalogue_is_what_the_installed_ccxt_says() -> None:
    assert survey() == (list(ENTRIES), LEFT_OUT), (
        "run `python -m exchanges.generic.survey > exchanges/generic/catalog.json`"
    )


def test_what_is_printed_is_read_again_as_it_was() -> None:
    told = written(ENTRIES, LEFT_OUT)
    assert (entries_of(told), left_out_of(told)) == (ENTRIES, LEFT_OUT)


def test_an_exchange_is_opened_or_left_out_for_one_reason() -> None:
    left_out = [name for names in LEFT_OUT.values() for name in names]
    opened_ones = [entry.id for entry in ENTRIES]
    assert len({*left_out, *opened_ones}) == len(left_out) + len(opened_ones)
    assert {*left_out, *opened_ones, *PARTS} == set(ccxt.exchanges)
    assert "hyperliquid" in LEFT_OUT[LeftOut.CREDENTIALS]


def test_a_word_that_no_product_has_is_not_passed_over() -> None:
    with pytest.raises(TypeError, match="leveraged"):
        entries_of(written(ENTRIES[:1], {}).replace('"ioc"', '"leveraged"'))


def test_an_exchange_with_a_file_of_its_own_is_never_generic() -> None:
    native = {kind.exchange for kind in venues().values()}
    assert {"bybit", "okx"} <= {entry.id for entry in ENTRIES}
    assert not native & {kind.exchange for kind in catalogue().values()}
    assert all(venue_class(name) is kind for name, kind in venues().items())
    assert not set(venues()) & set(catalogue())


def test_names_come_after_the_native_ones() -> None:
    assert venue_class("woo_f").product is Product.LINEAR
    assert venue_class("WOO").product is Product.SPOT
    assert list(every_venue())[: len(venues())] == list(venues())
    with pytest.raises(KeyError):
        venue_class("Mt_Gox")


def test_without_the_extra_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "installed", lambda: False)
    assert every_venue() == venues()
    with pytest.raises(KeyError):
        venue_class("WOO_F")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_exchange_is_found_by_its_id_and_by_its_title(entry: object) -> None:
    for name in (entry.id, entry.title, entry.name, entry.name.upper()):  # type: ignore[attr-defined]
        found = exchange_name(name)
        assert found is not None
        assert found.lower() == entry.name.lower() or found in EXCHANGES  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", offered(()).values(), ids=lambda kind: kind.name)
def test_a_generic_venue_tells_that_it_is_one(kind: type[GenericVenue]) -> None:
    facts = facts_of(kind)
    assert facts["native"] is False
    assert facts["protection"] != "linked pair"
    assert facts["features"]["hedge_mode"] is False
    assert Environment.LIVE in kind.base_urls
    assert all(url.startswith("https://") for url in kind.base_urls.values())
    assert any("Generic" in quirk for quirk in kind.guide.quirks)
    assert any("withdrawal" in step for step in kind.guide.key_steps)
    assert kind.name.endswith("_F") == (kind.product is Product.LINEAR)


def sent_id(kind: type[GenericVenue], client_id: str) -> list[str]:
    """What stands in ccxt's request of an order where our id was given."""
    made: list[str] = []

    def sign(path: str, api: Any, method: str, params: Any = None, *rest: Any) -> dict[str, Any]:
        made.extend(re.findall(rf"[\w-]*{client_id}[\w-]*", str(params)))
        return {"url": "https://nowhere.invalid/", "method": method, "headers": {}, "body": None}

    product = "spot" if kind.product is Product.SPOT else "swap"
    client = clone(
        opened(kind.entry.id, product, testnet=False),
        KEYS,
        uid=True,
        send=lambda origin, request, weight: Answer(200, {}, {}),
        now_ms=lambda: 1_700_000_000_000,
    )
    client.password, client.sign = KEYS.passphrase, sign
    with contextlib.suppress(base_error(), ExchangeError, *BROKEN):
        client.create_order(
            _market(client, product), "limit", "sell", "1", "100", {kind.entry.id_param: client_id}
        )
    return made


@pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.name)
def test_our_id_is_sent_as_it_is_and_found_again_by_that(kind: type[GenericVenue]) -> None:
    client_id = kind.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE")
    assert client_id == kind.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE") != kind.client_id("0" * 26)
    assert len(client_id) <= 36
    assert set(sent_id(kind, client_id)) == {client_id}


def test_ids_have_the_form_their_exchange_takes() -> None:
    token = "01JD3X8K2MQZV7W5N9TRH4BCYE"
    assert int(FORMS["backpack"](token)) < 2**32
    assert int(FORMS["bullish"](token)) < 2**63
    assert uuid.UUID(FORMS["coinbaseexchange"](token)).version == 4
    assert FORMS["gateeu"](token) == f"t-{token}"
    assert set(FORMS) <= {entry.id for entry in ENTRIES}


def test_ccxt_is_not_imported_before_it_is_used() -> None:
    """It would cost every worker some 80 MB and a third of a second."""
    code = "import sys; from exchanges.registry import every_venue; every_venue(); sys.exit('ccxt' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
