"""What of Bitunix the contract cases cannot show: waiting for a list that lags, nonces, and the documented example."""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from exchanges.errors import NothingToReduce, NotSent, OutcomeUnknown
from exchanges.limits import Priority
from exchanges.types import OrderRef, OrderRequest, OrderStatus
from exchanges.venue import Call
from exchanges.venues.bitunix import PAGES, BitunixFutures, LegName
from tests.exchanges.clients.bitunix import Bitunix, make_sign
from tests.exchanges.contract import NOW_MS, credentials, instrument, open_venue, order

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "signing-vectors.json").read_text())
STOP = {"side": "sell", "type": "stop", "quantity": "0.01", "trigger_price": "49000", "reduce_only": True}
RECORD: dict[str, str | None] = {
    "id": "7",
    "positionId": "1",
    "symbol": "BTCUSDT",
    "slPrice": "49000",
    "slQty": "0.01",
}
RECORD |= {"slOrderType": "MARKET", "tpPrice": None, "tpQty": None, "tpOrderType": None}
POSITION = {"positionId": "1", "symbol": "BTCUSDT", "side": "LONG", "positionMode": "ONE_WAY", "qty": "0.01"}


class Losing:
    """An exchange whose answers to new records are lost. `lists`: what its list of records shows, look by look; None is
    an answer that cannot be read. `late`: looks at the positions that show none yet."""

    def __init__(self, *lists: list[Any] | None, late: int = 0) -> None:
        self.lists, self.placed, self.waits, self.late = list(lists), 0, list[float](), late

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.placed += 1
            raise httpx.ReadTimeout("lost", request=request)
        rows: list[Any] | None = [] if self.late else [POSITION]
        self.late = max(self.late - 1, 0)
        if request.url.path.endswith("tpsl/get_pending_orders"):
            rows = self.lists.pop(0)
        if rows is None:
            return httpx.Response(502)
        return httpx.Response(200, json={"code": 0, "data": rows, "msg": "Success"})


def opened(exchange: Losing) -> BitunixFutures:
    venue = open_venue("bitunix_f", exchange)
    assert isinstance(venue, BitunixFutures)
    venue.pause = exchange.waits.append
    return venue


def stop() -> OrderRequest:
    return order("bitunix_f", STOP)


def test_a_stop_whose_answer_was_lost_is_found_once_the_list_shows_it() -> None:
    exchange = Losing([], None, [RECORD])
    report = opened(exchange).place(credentials("bitunix_f"), stop())
    assert (report.exchange_id, report.status, exchange.placed) == ("7:sl:long", "open", 1)
    assert exchange.waits == [0.0, 0.0, 0.2, 0.5]


def test_a_position_that_shows_late_is_protected() -> None:
    exchange = Losing([RECORD], late=2)
    report = opened(exchange).place(credentials("bitunix_f"), stop())
    assert (report.exchange_id, exchange.placed) == ("7:sl:long", 1)
    assert exchange.waits == [0.0, 0.2, 0.5, 0.0]


def test_without_a_position_there_is_nothing_to_protect() -> None:
    exchange = Losing(late=99)
    with pytest.raises(NothingToReduce):
        opened(exchange).place(credentials("bitunix_f"), stop())
    assert exchange.placed == 0


def test_closing_goes_before_opening() -> None:
    words = {"side": "sell", "type": "market", "quantity": "0.01"}
    venue = opened(Losing())
    asked = [order("bitunix_f", words | {"reduce_only": closes}) for closes in (True, False)]
    assert [venue.place_call(each).priority for each in asked] == [Priority.PROTECT, Priority.ENTRY]


def test_a_stop_that_no_list_shows_was_not_sent() -> None:
    exchange = Losing([], [], [], [])
    with pytest.raises(NotSent):
        opened(exchange).place(credentials("bitunix_f"), stop())
    assert (exchange.placed, exchange.lists) == (1, [])


def test_a_stop_stays_unknown_where_no_list_can_be_read() -> None:
    exchange = Losing(None, None, None, None)
    with pytest.raises(OutcomeUnknown):
        opened(exchange).place(credentials("bitunix_f"), stop())
    assert exchange.placed == 1


@pytest.mark.parametrize(
    "other",
    [
        {"slPrice": "48999"},
        {"slQty": "0.02"},
        {"positionId": "2"},
        {"slOrderType": "LIMIT", "slOrderPrice": "48900"},
        {"ctime": NOW_MS - 60_000},
        {"tpPrice": "52000", "tpQty": "0.01", "tpOrderType": "MARKET"},
    ],
    ids=str,
)
def test_another_record_is_never_taken_for_the_lost_one(other: dict[str, Any]) -> None:
    exchange = Losing(*[[RECORD | other]] * 4)
    with pytest.raises(NotSent):
        opened(exchange).place(credentials("bitunix_f"), stop())


def test_no_two_requests_share_a_nonce() -> None:
    venue, call = opened(Losing()), Call("GET", "/api/v1/futures/account", {"marginCoin": "USDT"})
    nonces = {venue.sign(call, credentials("bitunix_f"), NOW_MS).headers["nonce"] for _ in range(50)}
    assert len(nonces) == 50
    assert {len(each) for each in nonces} == {32}


def test_query_parameters_are_signed_in_the_order_of_their_names() -> None:
    venue, keys = opened(Losing()), credentials("bitunix_f")
    request = venue.sign(Call("GET", "/api/v1/futures/trade/x", {"uid": "200", "id": "1"}), keys, NOW_MS)
    inner = f"{request.headers['nonce']}{NOW_MS}{keys.key}id1uid200"
    outer = hashlib.sha256(inner.encode()).hexdigest() + keys.secret
    assert request.headers["sign"] == hashlib.sha256(outer.encode()).hexdigest()
    assert request.query == "uid=200&id=1"


def test_an_awkward_value_is_signed_as_it_is_and_sent_as_one_value() -> None:
    venue, keys = opened(Losing()), credentials("bitunix_f")
    request = venue.sign(Call("GET", "/api/v1/futures/trade/x", {"clientId": "a b&c=ü"}), keys, NOW_MS)
    inner = f"{request.headers['nonce']}{NOW_MS}{keys.key}clientIda b&c=ü"
    outer = hashlib.sha256(inner.encode()).hexdigest() + keys.secret
    assert request.headers["sign"] == hashlib.sha256(outer.encode()).hexdigest()
    assert dict(parse_qsl(request.query)) == {"clientId": "a b&c=ü"}


@pytest.mark.parametrize("number", ["123", "123:sl", "123:xx:long", "123:sl:sideways", ""])
def test_what_is_not_the_id_of_a_leg_is_not_read_as_one(number: str) -> None:
    assert LegName.read(number) is None


def test_the_reference_client_signs_the_documented_example() -> None:
    """It is ours, so its signature is worth something only because of this."""
    for vector in (each for each in VECTORS if each["exchange"] == "bitunix"):
        query = dict(part.split("=") for part in vector["query"].split("&") if part)
        made = make_sign(
            vector["nonce"], str(vector["timestamp"]), vector["key"], query, vector["body"], vector["secret"]
        )
        assert made == vector["expected_headers_or_signature"]["sign"]
    client = Bitunix("11111111111111111", "22222222222222222")
    client.fixed = ("33333333333333333", 1747104711262)
    prepared = client.prepare("GET", "account", {"marginCoin": "USDT"})
    assert prepared["headers"]["sign"] == "40e87256554e263e39201a3979469b7fbb640d1c7c41759abf5c6a18f937f922"


def test_a_history_longer_than_it_is_read_tells_nothing_of_what_is_not_found() -> None:
    """An order of unknown outcome may be on a later page: it is not told to be gone."""
    asked = list[str]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        rows = [{"orderId": f"{len(asked)}-{number}", "clientId": "other"} for number in range(100)]
        data: Any = rows if request.url.path.endswith("pending/list") else {"data": rows, "total": "9999"}
        return httpx.Response(200, json={"code": "0", "msg": "result.success", "data": data})

    venue, ref = open_venue("bitunix", answer), OrderRef("f01jd3x8k2mqzv7w5n9trh4bcye")
    with pytest.raises(OutcomeUnknown, match="more orders of a day"):
        venue.fetch(credentials("bitunix"), instrument("bitunix"), ref)
    assert len(asked) == 1 + PAGES


def fired(seconds_ago: int) -> BitunixFutures:
    """A record whose stop fired, and nothing that came of it: no trade, no order."""
    ended = RECORD | {"triggerTime": str(NOW_MS - seconds_ago * 1000)}

    def answer(request: httpx.Request) -> httpx.Response:
        data: Any = {"orderList": [], "tradeList": [], "total": "0"}
        if request.url.path.endswith("tpsl/get_history_orders"):
            data |= {"orderList": [ended], "total": "1"}
        elif request.url.path.endswith("tpsl/get_pending_orders"):
            data = []
        return httpx.Response(200, json={"code": 0, "data": data, "msg": "Success"})

    venue = open_venue("bitunix_f", answer)
    assert isinstance(venue, BitunixFutures)
    return venue


def test_a_stop_that_just_fired_is_not_known_yet() -> None:
    with pytest.raises(OutcomeUnknown, match="does not tell yet"):
        fired(seconds_ago=5).fetch(
            credentials("bitunix_f"), instrument("bitunix_f"), OrderRef("", "7:sl:long", True)
        )


def test_a_stop_that_fired_into_no_position_did_nothing() -> None:
    report = fired(seconds_ago=30).fetch(
        credentials("bitunix_f"), instrument("bitunix_f"), OrderRef("", "7:sl:long", True)
    )
    assert report.status is OrderStatus.CANCELLED
    assert not report.filled
