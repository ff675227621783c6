"""Signatures against examples from documentation and from clients we did not write.

`fixtures/signing-vectors.json` has them for many exchanges. To add an exchange write
`signing/<exchange>.py` with

    VENUES = {"spot": "Binance", "usdm": "Binance_F"}        market of a vector -> venue that signs it
    def signed(venue, vector, keys) -> {name: value}         what `venue.sign` produces, by the names that
                                                             `expected_headers_or_signature` uses

A vector whose exchange has a venue must be reproduced; one whose exchange has none yet is shown as skipped.
A market the exchange has but flipr does not trade maps to None, with the reason as a comment.
"""

from __future__ import annotations

import importlib
import json
from collections import Counter
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest

from exchanges.registry import venues
from exchanges.types import Credentials
from tests.exchanges.contract import FIXTURES, open_venue

VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "signing-vectors.json").read_text())
TRADED = {kind.exchange for kind in venues().values()}


def exchange_of(vector: Mapping[str, Any]) -> str:
    """Kraken's futures are an exchange of their own in the vectors."""
    named: str = vector["exchange"]
    return "kraken" if named == "krakenfutures" else named


def title(vector: Mapping[str, Any]) -> str:
    return f"{vector['exchange']} {vector['market']} {vector['method']} {vector['path']}"


def adapter(exchange: str) -> ModuleType:
    try:
        return importlib.import_module(f"tests.exchanges.signing.{exchange}")
    except ModuleNotFoundError as error:
        if error.name != f"tests.exchanges.signing.{exchange}":
            raise
        pytest.fail(f"{exchange} has signing vectors but no tests/exchanges/signing/{exchange}.py")


def keys_of(vector: Mapping[str, Any]) -> Credentials:
    return Credentials(vector["key"] or "", vector["secret"] or "", vector["passphrase"] or "")


def unused(request: Any) -> Any:
    raise AssertionError("signing sends nothing")


OURS = [vector for vector in VECTORS if exchange_of(vector) in TRADED]


@pytest.mark.parametrize("vector", OURS, ids=title)
def test_vector_is_reproduced(vector: dict[str, Any]) -> None:
    module = adapter(exchange_of(vector))
    assert vector["market"] in module.VENUES, f"no venue named for the market {vector['market']}"
    if (name := module.VENUES[vector["market"]]) is None:
        return
    found = module.signed(open_venue(name.lower(), unused), vector, keys_of(vector))
    expected = vector["expected_headers_or_signature"]
    assert {part: found.get(part) for part in expected} == expected


WAITING = Counter(exchange_of(vector) for vector in VECTORS if exchange_of(vector) not in TRADED)


@pytest.mark.parametrize("exchange", sorted(WAITING))
def test_vectors_wait_for_a_venue(exchange: str) -> None:
    """Shown as skipped, so that nobody takes them for proven; by the registry, so that a new venue ends it."""
    pytest.skip(f"{WAITING[exchange]} vectors wait for a venue of {exchange}")


def test_every_traded_exchange_with_vectors_signs_at_least_one() -> None:
    for exchange in sorted(TRADED & {exchange_of(vector) for vector in VECTORS}):
        module = adapter(exchange)
        markets = {vector["market"] for vector in VECTORS if exchange_of(vector) == exchange}
        assert any(module.VENUES.get(market) for market in markets), exchange
