"""WOO X through ccxt, spot and perpetuals, in the shapes of https://docs.woox.io (read 2026-11-22)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import (
    AuthRefused,
    ExchangeError,
    NotSent,
    OrderNotFound,
    OutcomeUnknown,
    Refused,
    Throttled,
    Unsupported,
    WouldTrigger,
)
from exchanges.generic.venue import GenericVenue
from exchanges.symbols import InstrumentTable
from exchanges.types import (
    Balance,
    Direction,
    Environment,
    Instrument,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)
from tests.exchanges.generic.wire import KEYS, Exchange, opened

TOKEN = "01HZZZZZZZZZZZZZZZZZZZZZZZ"
ORDER, ALGO = "/v3/trade/order", "/v3/trade/algoOrder"


def market(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": symbol.split("_")[1],
        "quoteAsset": "USDT",
        "quoteMin": "0",
        "quoteMax": "200000",
        "quoteTick": "0.1",
        "baseMin": "0.0001",
        "baseMax": "200",
        "baseTick": "0.0001",
        "minNotional": "1",
    }


def order(**changed: Any) -> dict[str, Any]:
    return {
        "orderId": 60780315704,
        "clientOrderId": 0,
        "symbol": "PERP_BTC_USDT",
        "side": "BUY",
        "quantity": 0.0123,
        "amount": None,
        "type": "MARKET",
        "status": "FILLED",
        "price": None,
        "executed": 0.0123,
        "averageExecutedPrice": 50000.12345678901234,
        "totalFee": 0.3,
        "feeAsset": "USDT",
        "reduceOnly": False,
        "createdTime": "1752049062.496",
        "positionSide": "BOTH",
    } | changed


def good(data: Any) -> dict[str, Any]:
    return {"success": True, "data": data, "timestamp": 1752049062496}


def book() -> dict[str, Any]:
    return {"bids": [{"price": "49999.9", "quantity": "1"}], "asks": [{"price": "50000.1", "quantity": "1"}]}


@pytest.fixture
def woo() -> Exchange:
    markets = [market(name) for name in ("SPOT_BTC_USDT", "PERP_BTC_USDT", "PERP_ETH_USDT")]
    future = {"symbol": "PERP_BTC_USDT", "markPrice": "50001", "24hClose": "50000", "24hOpen": "49000"}
    return Exchange(
        {
            ("GET", "/v3/public/instruments"): good({"rows": markets}),
            ("GET", "/v3/public/systemInfo"): good({"status": 0, "msg": "ok"}),
            ("GET", "/v3/public/futures"): good({"rows": [future]}),
            ("GET", "/v3/public/orderbook"): good(book()),
            ("POST", ORDER): good({"orderId": 60780315704, "clientOrderId": 7, "type": "MARKET"}),
            ("GET", ORDER): good(order()),
        }
    )


@pytest.fixture
def venue(woo: Exchange) -> GenericVenue:
    return opened("woo", Product.LINEAR, woo)


@pytest.fixture
def btc(venue: GenericVenue) -> Instrument:
    return InstrumentTable(venue.instruments()).find("BTCUSDT")


def asked(instrument: Instrument, kind: OrderType = OrderType.MARKET, **more: Any) -> OrderRequest:
    usual: dict[str, Any] = {"side": Side.BUY, "quantity": Decimal("0.0123")}
    return OrderRequest(instrument, "4611686018427387904", type=kind, **usual | more)


# -- what is sent and read ---------------------------------------------------------------------------------


def test_only_markets_of_the_product_are_listed(venue: GenericVenue, btc: Instrument) -> None:
    assert {each.symbol for each in venue.instruments()} == {"PERP_BTC_USDT", "PERP_ETH_USDT"}
    assert (btc.symbol, btc.tick, btc.step) == ("PERP_BTC_USDT", Decimal("0.1"), Decimal("0.0001"))
    assert btc.min_notional == 1


def test_spot_and_futures_share_one_load_of_the_markets(woo: Exchange, venue: GenericVenue) -> None:
    venue.instruments()
    opened("woo", Product.SPOT, woo).instruments()
    assert len(woo.sent("GET", "/v3/public/instruments")) == 1


def test_an_order_is_signed_by_ccxt_and_sent_by_our_transport(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    report = venue.place(KEYS, asked(btc))
    (request,) = woo.sent("POST", ORDER)
    assert request.headers["user-agent"] == "flipr"
    assert request.headers["x-api-key"] == KEYS.key
    assert request.headers["x-api-signature"]
    sent = woo.body("POST", ORDER)
    assert (sent["symbol"], sent["side"], sent["type"]) == ("PERP_BTC_USDT", "BUY", "MARKET")
    assert (sent["quantity"], sent["clientOrderId"]) == ("0.0123", "4611686018427387904")
    assert (report.exchange_id, report.acknowledged_only) == ("60780315704", True)


def test_numbers_are_read_exactly(woo: Exchange, venue: GenericVenue, btc: Instrument) -> None:
    told = json.dumps(good(order(averageExecutedPrice="PRICE"))).replace('"PRICE"', "50000.12345678901234")
    woo.answers["GET", ORDER] = httpx.Response(200, text=told)
    report = venue.fetch(KEYS, btc, OrderRef("7", "60780315704"))
    assert report.average_price == Decimal("50000.12345678901234")
    assert (report.status, report.filled) == (OrderStatus.FILLED, Decimal("0.0123"))
    assert report.fee is not None
    assert report.fee.amount == Decimal("0.3")


def test_a_client_id_is_a_whole_number_there(venue: GenericVenue) -> None:
    name = venue.client_id(TOKEN)
    assert int(name) < 2**63
    assert name == venue.client_id(TOKEN) != venue.client_id(TOKEN[::-1])


def test_a_stop_becomes_a_waiting_order_that_only_reduces(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    rows = [{"orderId": "1578938", "clientOrderId": "0", "algoType": "STOP", "quantity": "0.0123"}]
    woo.answers["POST", ALGO] = good({"rows": rows})
    stop = asked(btc, OrderType.STOP, side=Side.SELL, trigger_price=Decimal(49000), reduce_only=True)
    report = venue.place(KEYS, stop)
    sent = woo.body("POST", ALGO)
    assert (sent["algoType"], sent["triggerPrice"], sent["reduceOnly"]) == ("STOP", "49000", True)
    assert (report.exchange_id, report.status) == ("1578938", OrderStatus.OPEN)


def test_a_stop_that_was_crossed_is_refused_before_it_is_sent(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    """The trigger has no direction there: it would wait for the other side."""
    with pytest.raises(WouldTrigger):
        venue.place(KEYS, asked(btc, OrderType.STOP, side=Side.SELL, trigger_price=Decimal(51000)))
    assert woo.sent("POST", ALGO) == []


def test_balances_and_positions(woo: Exchange, venue: GenericVenue, btc: Instrument) -> None:
    holding = [{"token": "USDT", "holding": 12.5, "frozen": 2.5, "availableBalance": 10}]
    woo.answers["GET", "/v3/asset/balances"] = good({"holding": holding})
    row = {
        "symbol": "PERP_BTC_USDT",
        "holding": "-0.1",
        "averageOpenPrice": "50000.1",
        "markPrice": "50001",
        "estLiqPrice": "0",
        "timestamp": 1752500555823,
        "marginMode": "CROSS",
        "leverage": 10,
        "positionSide": "BOTH",
    }
    woo.answers["GET", "/v3/futures/positions"] = good({"positions": [row, row | {"holding": "0"}]})
    assert venue.balances(KEYS) == {"USDT": Balance("USDT", Decimal("12.5"), Decimal(10))}
    (position,) = venue.positions(KEYS)
    assert (position.symbol, position.direction) == ("PERP_BTC_USDT", Direction.SHORT)
    assert (position.quantity, position.entry_price) == (Decimal("0.1"), Decimal("50000.1"))
    assert position.liquidation_price is None


# -- what it cannot do -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"position_side": Direction.LONG},
        {"quantity": None, "quote_quantity": Decimal(100)},
        {
            "kind": OrderType.STOP,
            "trigger_price": Decimal(60000),
            "trigger_by": TriggerBy.MARK,
        },
    ],
)
def test_what_ccxt_lacks_is_refused_before_anything_is_sent(
    more: dict[str, Any], woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    before = len(woo.requests)
    with pytest.raises(Unsupported):
        venue.place(KEYS, asked(btc, **more))
    assert len(woo.requests) == before


def test_there_is_no_sandbox(woo: Exchange) -> None:
    with pytest.raises(Unsupported, match="no sandbox"):
        opened("woo", Product.LINEAR, woo, environment=Environment.SANDBOX)


# -- what may have happened --------------------------------------------------------------------------------


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("no answer", request=request)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def bad(code: int, words: str, status: int = 400) -> httpx.Response:
    return httpx.Response(status, json={"success": False, "code": code, "message": words})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (lost, OutcomeUnknown),
        (unreachable, NotSent),
        (httpx.Response(502, text="<html>Bad gateway</html>"), OutcomeUnknown),
        (httpx.Response(200, text="<html>Welcome</html>"), OutcomeUnknown),
        (httpx.Response(200, json={"success": True}), OutcomeUnknown),
        (httpx.Response(200, json={}), OutcomeUnknown),
        (httpx.Response(500, json={"success": False, "message": "?"}), OutcomeUnknown),
        (httpx.Response(504, json={}), OutcomeUnknown),
        (bad(-1002, "Unauthorized"), AuthRefused),
        (bad(-1003, "Too many requests", 429), Throttled),
        (bad(-1101, "The risk exposure for client is too high"), Refused),
        (bad(-1005, f"bad parameter near {KEYS.key} {KEYS.secret}"), Refused),
    ],
)
def test_what_became_of_an_order(
    answer: Any, kind: type[ExchangeError], woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    woo.answers["POST", ORDER] = answer
    with pytest.raises(kind) as caught:
        venue.place(KEYS, asked(btc))
    if kind is not OutcomeUnknown:
        assert not isinstance(caught.value, OutcomeUnknown)
    assert len(woo.sent("POST", ORDER)) == 1, "an order is never sent twice"
    said = f"{caught.value!r} {caught.value.message} {caught.value.exchange_message}"
    assert KEYS.secret not in said
    assert KEYS.key not in said


def test_what_fails_after_the_order_was_taken_leaves_it_unknown(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    """Whatever the second request of one call ends with, the order must not count as not sent."""
    woo.answers["GET", ORDER] = unreachable

    def twice(client: Any) -> None:
        client.v3PrivatePostTradeOrder({"symbol": "PERP_BTC_USDT"})
        client.v3PrivateGetTradeOrder({"orderId": 1})

    with pytest.raises(OutcomeUnknown):
        venue._ask(KEYS, twice, reading=False)


def test_an_unknown_state_word_is_an_unknown_outcome(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    woo.answers["GET", ORDER] = good(order(status="PONDERING"))
    with pytest.raises(OutcomeUnknown):
        venue.fetch(KEYS, btc, OrderRef("7", "60780315704"))


def listed(*rows: dict[str, Any]) -> dict[str, Any]:
    return good({"rows": list(rows), "meta": {"total": len(rows), "recordsPerPage": 25, "currentPage": 1}})


def test_an_order_whose_answer_was_lost_is_found_by_our_id(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    mine = "4611686018427387904"
    woo.answers["GET", "/v3/trade/orders"] = listed(
        order(orderId=1), order(orderId=2, clientOrderId=int(mine))
    )
    report = venue.fetch(KEYS, btc, OrderRef(mine))
    assert (report.exchange_id, report.client_id) == ("2", mine)


def test_an_order_that_is_in_no_list_does_not_stand(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    woo.answers["GET", "/v3/trade/orders"] = listed(order(clientOrderId=5))
    with pytest.raises(OrderNotFound):
        venue.fetch(KEYS, btc, OrderRef("4611686018427387904"))


def test_a_list_without_any_id_of_a_client_proves_nothing(
    woo: Exchange, venue: GenericVenue, btc: Instrument
) -> None:
    woo.answers["GET", "/v3/trade/orders"] = listed(order(clientOrderId=None))
    with pytest.raises(OutcomeUnknown):
        venue.fetch(KEYS, btc, OrderRef("4611686018427387904"))


def test_a_bought_quantity_on_spot_needs_no_reduce_only(woo: Exchange) -> None:
    spot = opened("woo", Product.SPOT, woo)
    instrument = InstrumentTable(spot.instruments()).find("BTCUSDT")
    spot.place(KEYS, asked(instrument, time_in_force=TimeInForce.GTC))
    assert woo.body("POST", ORDER)["symbol"] == "SPOT_BTC_USDT"
    with pytest.raises(Unsupported):
        spot.place(KEYS, asked(instrument, reduce_only=True))
