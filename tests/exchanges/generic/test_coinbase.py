"""Coinbase through ccxt, spot, in the shapes of docs.cdp.coinbase.com/api-reference/advanced-trade-api (read 2026-11-23):
each request is signed with a private key of its own."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from exchanges.errors import InsufficientFunds, OrderNotFound, OutcomeUnknown, Unsupported
from exchanges.generic.venue import GenericVenue
from exchanges.types import (
    Credentials,
    Instrument,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)
from tests.exchanges.generic.wire import Exchange, opened

ROOT = "/api/v3/brokerage"
ORDERS, LISTED, PRODUCTS = f"{ROOT}/orders", f"{ROOT}/orders/historical/batch", f"{ROOT}/market/products"
NUMBER = "52cfe5e2-0b29-4c19-a245-a6a773de5030"
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PEM = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
KEYS = Credentials("organizations/planted/apiKeys/planted", PEM)
PRODUCT = {
    "product_id": "BTC-USD",
    "price": "50000",
    "base_increment": "0.00000001",
    "quote_increment": "0.01",
    "price_increment": "0.01",
    "quote_min_size": "1",
    "quote_max_size": "150000000",
    "base_min_size": "0.00000001",
    "base_max_size": "3400",
    "status": "online",
    "trading_disabled": False,
    "product_type": "SPOT",
    "quote_currency_id": "USD",
    "base_currency_id": "BTC",
}


def placed(request: httpx.Request) -> httpx.Response:
    """Repeats the id that the order was given."""
    ours = json.loads(request.content)["client_order_id"]
    row = {"order_id": NUMBER, "product_id": "BTC-USD", "side": "BUY", "client_order_id": ours}
    return httpx.Response(200, json={"success": True, "success_response": row})


def listed(client_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "order_id": NUMBER,
        "client_order_id": client_id,
        "product_id": "BTC-USD",
        "side": "BUY",
        "status": "OPEN",
        "order_type": "LIMIT",
        "time_in_force": "GOOD_UNTIL_CANCELLED",
        "created_time": "2026-11-22T20:00:00.123456Z",
        "filled_size": "0",
        "average_filled_price": "0",
        "total_fees": "0",
        "order_configuration": {"limit_limit_gtc": {"base_size": "0.0002", "limit_price": "20000"}},
    } | changed


@pytest.fixture
def coinbase() -> Exchange:
    def products(request: httpx.Request) -> httpx.Response:
        futures = request.url.params.get("product_type") == "FUTURE"
        return httpx.Response(200, json={"products": [] if futures else [PRODUCT]})

    return Exchange({("GET", PRODUCTS): products, ("POST", ORDERS): placed})


@pytest.fixture
def venue(coinbase: Exchange) -> GenericVenue:
    return opened("coinbase", Product.SPOT, coinbase)


@pytest.fixture
def btc(venue: GenericVenue) -> Instrument:
    (found,) = venue.instruments()
    return found


@pytest.fixture
def order(venue: GenericVenue, btc: Instrument) -> OrderRequest:
    return OrderRequest(
        btc,
        venue.client_id("01JD3X8K2MQZV7W5N9TRH4BCYE"),
        Side.BUY,
        OrderType.LIMIT,
        quantity=Decimal("0.0002"),
        price=Decimal(20000),
    )


def test_an_order_carries_our_id_and_exact_numbers(
    coinbase: Exchange, venue: GenericVenue, order: OrderRequest
) -> None:
    report = venue.place(KEYS, order)
    sent = coinbase.body("POST", ORDERS)
    assert sent["client_order_id"] == order.client_id
    terms = sent["order_configuration"]["limit_limit_gtc"]
    assert (terms["base_size"], terms["limit_price"]) == ("0.0002", "20000")
    assert (report.exchange_id, report.client_id) == (NUMBER, order.client_id)


@pytest.mark.parametrize("secret", [PEM, PEM.replace("\n", "\\n"), PEM.replace("\n", "")])
def test_a_private_key_signs_however_its_lines_were_pasted(
    coinbase: Exchange, venue: GenericVenue, order: OrderRequest, secret: str
) -> None:
    venue.place(Credentials(KEYS.key, secret), order)
    (request,) = coinbase.sent("POST", ORDERS)
    head, claims, signature = request.headers["authorization"].removeprefix("Bearer ").split(".")
    halves = decoded(signature)
    rs = (int.from_bytes(halves[:32]), int.from_bytes(halves[32:]))
    signed = f"{head}.{claims}".encode()
    PRIVATE.public_key().verify(encode_dss_signature(*rs), signed, ec.ECDSA(hashes.SHA256()))
    assert json.loads(decoded(claims))["uri"] == f"POST api.coinbase.com{ORDERS}"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_a_secret_that_is_no_private_key_is_refused_before_anything_is_sent(
    coinbase: Exchange, venue: GenericVenue, order: OrderRequest
) -> None:
    with pytest.raises(Unsupported):
        venue.place(Credentials(KEYS.key, "-----BEGIN nothing"), order)
    assert coinbase.sent("POST", ORDERS) == []


def test_an_order_whose_answer_was_lost_is_found_by_our_id(
    coinbase: Exchange, venue: GenericVenue, btc: Instrument, order: OrderRequest
) -> None:
    coinbase.answers["POST", ORDERS] = httpx.Response(502, text="bad gateway")
    with pytest.raises(OutcomeUnknown):
        venue.place(KEYS, order)
    rows = [listed("another", order_id="1"), listed(order.client_id)]
    coinbase.answers["GET", LISTED] = {"orders": rows}
    found = venue.fetch(KEYS, btc, OrderRef(order.client_id))
    assert (found.exchange_id, found.status, found.price) == (NUMBER, OrderStatus.OPEN, Decimal(20000))


def test_an_order_that_is_in_no_list_does_not_stand(
    coinbase: Exchange, venue: GenericVenue, btc: Instrument, order: OrderRequest
) -> None:
    coinbase.answers["GET", LISTED] = {"orders": [listed("another")]}
    with pytest.raises(OrderNotFound):
        venue.fetch(KEYS, btc, OrderRef(order.client_id))


def test_a_refusal_that_is_answered_well_is_told(
    coinbase: Exchange, venue: GenericVenue, order: OrderRequest
) -> None:
    failure = {"error": "INSUFFICIENT_FUND", "preview_failure_reason": "PREVIEW_INSUFFICIENT_FUND"}
    coinbase.answers["POST", ORDERS] = {"success": False, "error_response": failure}
    with pytest.raises(InsufficientFunds):
        venue.place(KEYS, order)


def test_a_stop_is_refused_because_it_could_not_be_found_again(
    coinbase: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    stop = OrderRequest(btc, "f1", Side.SELL, OrderType.STOP, quantity=Decimal(1), trigger_price=Decimal(9))
    with pytest.raises(Unsupported):
        venue.place(KEYS, stop)
    assert coinbase.sent("POST", ORDERS) == []
