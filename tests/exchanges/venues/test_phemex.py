"""What only Phemex does and the contract suite cannot show: limits by group and user, prices shifted by a scale."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from exchanges.errors import ExchangeError, InvalidOrder, NotSent, OutcomeUnknown, Throttled
from exchanges.limits import LocalGate, Priority
from exchanges.types import Credentials
from exchanges.venue import Call
from tests.exchanges.contract import NOW_MS, order
from tests.exchanges.contract import open_venue as opened

KEYS, OTHER = Credentials("the-key", "the-secret"), Credentials("another-key", "another-secret")
BUY = {"side": "buy", "type": "market", "quantity": "0.01"}
PLACED = {"code": 0, "msg": "", "data": {"orderID": "1", "bizError": 0, "ordStatus": "Created"}}
BUSY = {"code": 39995, "msg": "Too many requests."}


class Answers:
    """Gives each answer once, the last one for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


class Moving:
    """A gate's clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def gate(self) -> LocalGate:
        return LocalGate(clock=lambda: self.now, sleep=self.never, patience_seconds=0.0)

    @staticmethod
    def never(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s")


def venue(wire: Answers, name: str = "phemex_f", moving: Moving | None = None) -> Any:
    made = opened(name, wire)
    made.gate = (moving or Moving()).gate()
    return made


def answered(group: str, remaining: int) -> httpx.Response:
    headers = {f"X-RateLimit-Remaining{group}": str(remaining), f"X-RateLimit-Capacity{group}": "500"}
    return httpx.Response(200, json=PLACED, headers=headers)


@pytest.mark.parametrize(("name", "group"), [("phemex_f", "-CONTRACT"), ("phemex", "-SPOTORDER")])
def test_a_group_the_headers_call_empty_is_left_alone_and_only_for_that_user(name: str, group: str) -> None:
    ours = venue(Answers(answered(group, 0), PLACED), name)
    ours.place(KEYS, order(name, BUY))
    with pytest.raises(NotSent):
        ours.place(KEYS, order(name, BUY))
    assert ours.place(OTHER, order(name, BUY)).exchange_id == "1"


def test_the_header_of_the_group_tells_when_to_come_back() -> None:
    moving = Moving()
    refusal = httpx.Response(429, json=BUSY, headers={"x-ratelimit-retry-after-CONTRACT": "12"})
    ours = venue(Answers(refusal, PLACED), moving=moving)
    with pytest.raises(Throttled) as caught:
        ours.place(KEYS, order("phemex_f", BUY))
    assert caught.value.retry_after == 12.0
    assert ours.place(OTHER, order("phemex_f", BUY)).exchange_id == "1", "the limit is that of a user"
    moving.now += 11.9
    with pytest.raises(NotSent):
        ours.place(KEYS, order("phemex_f", BUY))
    moving.now += 0.2
    assert ours.place(KEYS, order("phemex_f", BUY)).exchange_id == "1"


def test_a_refusal_of_the_address_is_asked_about_again_after_half_a_minute() -> None:
    """It may be chance: positions are not left alone for the five minutes of a shut-out because of it."""
    moving, busy = Moving(), httpx.Response(429, text="busy")
    ours = venue(Answers(busy, busy, PLACED), moving=moving)
    for _ in range(2):
        with pytest.raises(Throttled):
            ours.place(KEYS, order("phemex_f", BUY))
        moving.now += 29
        with pytest.raises(NotSent):
            ours.place(OTHER, order("phemex_f", BUY))
        moving.now += 2
    assert ours.place(OTHER, order("phemex_f", BUY)).exchange_id == "1"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_a_post_has_a_body_and_the_signature_covers_the_query_without_its_mark(method: str) -> None:
    """The expected signature was computed by openssl over the text that the documentation prescribes."""
    call = Call(method, "/g-positions/leverage", {"symbol": "BTCUSDT", "leverageRr": Decimal("-5.0")})
    request = venue(Answers(PLACED)).sign(call, KEYS, NOW_MS)
    assert (request.query, request.body) == ("symbol=BTCUSDT&leverageRr=-5", b"")
    assert request.headers["x-phemex-request-expiry"] == "1700000060"
    assert request.headers["x-phemex-request-signature"] == SIGNATURE


SIGNATURE = "6181fe545b3a841ce258e2cc2a49611e6e2f49a62b24b7985e1cd7f177c33378"


def test_the_scales_of_coins_are_read_once() -> None:
    coins = [{"currency": "USDT", "code": 3, "valueScale": 8}]
    products = {"code": 0, "msg": "", "data": {"currencies": coins, "products": [], "perpProductsV2": []}}
    held = {"currency": "USDT", "balanceEv": 100, "lockedTradingBalanceEv": 1, "lockedWithdrawEv": 2}
    wire = Answers(products, {"code": 0, "msg": "", "data": [held]})
    ours = venue(wire, "phemex")
    for _ in range(2):
        assert ours.balances(KEYS)["USDT"].free == Decimal("0.00000097")
    paths = [request.url.path for request in wire.requests]
    assert paths == ["/public/products", "/spot/wallets", "/spot/wallets"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [("Please try again later", OutcomeUnknown), ("Missing required parameter", InvalidOrder)],
)
def test_an_order_to_be_tried_again_later_is_not_called_refused(
    words: str, kind: type[ExchangeError]
) -> None:
    wire = Answers({"code": 10500, "msg": words})
    with pytest.raises(ExchangeError) as caught:
        venue(wire).place(KEYS, order("phemex_f", BUY))
    assert type(caught.value) is kind
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("words", "priority"),
    [
        (BUY, Priority.ENTRY),
        (BUY | {"reduce_only": True}, Priority.PROTECT),
        (BUY | {"type": "stop", "trigger_price": "51000"}, Priority.ENTRY),
        (BUY | {"type": "stop", "trigger_price": "51000", "reduce_only": True}, Priority.PROTECT),
    ],
)
def test_an_order_that_only_closes_goes_before_those_that_open(
    words: dict[str, Any], priority: Priority
) -> None:
    assert venue(Answers(PLACED)).place_call(order("phemex_f", words)).priority is priority
