"""What an entry filled is protected, whatever the exchange tells of the fill."""

from decimal import Decimal as D

import pytest

from exchanges import transport

FILLS = ("/fills", "/executions")


@pytest.fixture
def no_prices(monkeypatch, impatient):
    """Kraken tells that an order filled, and of no fill at what price."""
    send = transport.Transport.send

    def sent(line, request):
        answer = send(line, request)
        if request.path.endswith(FILLS):
            for name in ("fills", "elements"):
                if name in answer.data:
                    answer.data[name] = []
        return answer

    monkeypatch.setattr(transport.Transport, "send", sent)


def stops(desk):
    return [
        (D(each["trigger_price"]), D(each["quantity"]))
        for each in desk.open_orders("Kraken_F", "kraken_futures")
    ]


@pytest.mark.usefixtures("no_prices")
def test_a_fill_whose_price_is_not_told_is_protected_from_the_price_that_was_asked_for(desk):
    desk.sandbox.fault("drop_after", venue="Kraken_F", path="sendorder", rate=1, count=1)
    result = desk.one("BTCUSDT on Kraken_F limit long 0.01 @ 50100 sl off 2%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert "does not tell the price of the fill" in result["protection"]["note"]
    assert "measured from 50100" in result["protection"]["note"]
    assert stops(desk) == [(D(49098), D("0.01"))]
    desk.supervise(2)
    assert stops(desk) == [(D(49098), D("0.01"))]


@pytest.mark.usefixtures("no_prices")
def test_a_later_fill_whose_price_is_not_told_is_protected_too(desk):
    assert desk.one("BTCUSDT on Kraken_F limit long 0.01 @ 49000 sl off 2%")["status"] == "open"
    desk.sandbox.price("BTC/USDT", "48900")
    desk.supervise(2)
    assert stops(desk) == [(D(48020), D("0.01"))]
    assert "measured from 49000" in desk.bracket().note
