"""Pages of deliveries and orders: the owner sees them, nobody else does."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from execution.models import Bracket, Order, Transition
from tests.webhooks.conftest import ORDER, Caller, Trader, settle
from tests.webhooks.region import Region, all_filled, nothing
from webhooks.error_codes import CODES
from webhooks.models import Delivery, DeliveryStatus


@pytest.fixture
def delivery(caller: Caller, owner: Trader, region: Region) -> Delivery:
    """One that is done, with its order as a worker would have written it."""
    caller.post(owner.path)
    bracket = Bracket.objects.create(
        user=owner.user,
        account=owner.account,
        venue="Binance_F",
        region="tokyo",
        symbol="BTCUSDT",
        instrument="BTCUSDT",
        direction="long",
        token="T" * 26,
        status="armed",
        legs=[
            {"kind": "stop", "price": "49000.10", "quantity": "0.01", "status": "open", "exchange_id": "71"},
            {"kind": "target", "number": 1, "price": "52500.1", "quantity": "0.01", "status": "open"},
        ],
    )
    Order.objects.update(
        status="filled",
        quantity=Decimal("0.01"),
        filled=Decimal("0.01"),
        average_price=Decimal("50000.1"),
        bracket=bracket,
        timing_ms={"queued": 1, "claimed": 2, "sent": 3},
    )
    return owner.latest()


@pytest.fixture
def dry(delivery: Delivery) -> Order:
    """The same as a dry run, as a worker tells one."""
    sent = {"method": "POST", "path": "/fapi/v1/order", "params": {"symbol": "BTCUSDT", "side": "BUY"}}
    Order.objects.update(status="dry_run", bracket=None, would_send=[sent])
    return Order.objects.get()


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


PAGES = ["/deliveries/{delivery}/", "/deliveries/{delivery}/part/", "/orders/{order}/"]
LISTS = ["/deliveries/", "/orders/"]
API = ["/api/deliveries/{delivery}/", "/api/orders/{order}/"]
API_LISTS = ["/api/deliveries/", "/api/orders/"]


def address(pattern: str, delivery: Delivery) -> str:
    return pattern.format(delivery=delivery.public_id, order=Order.objects.get().token)


@pytest.mark.parametrize("pattern", PAGES + API)
def test_owner_sees_it_and_a_stranger_does_not(
    owner: Trader, stranger: Trader, delivery: Delivery, pattern: str
) -> None:
    where = address(pattern, delivery)

    assert owner.browser().get(where).status_code == 200
    assert stranger.browser().get(where).status_code == 404


@pytest.mark.parametrize("where", LISTS + API_LISTS)
def test_list_holds_ones_own_only(owner: Trader, stranger: Trader, delivery: Delivery, where: str) -> None:
    assert "BTCUSDT" in owner.browser().get(where).content.decode()

    answer = stranger.browser().get(where)
    assert answer.status_code == 200
    assert "BTCUSDT" not in answer.content.decode()


@pytest.mark.parametrize(
    ("where", "code"), [*((each, 200) for each in LISTS), *((each, 400) for each in API_LISTS)]
)
def test_strange_questions_are_answered(owner: Trader, where: str, code: int) -> None:
    query = "?hook=%00&status=%00a&venue=%00&symbol=%F0%9F%92%A9&before=%00"

    assert owner.browser().get(where + query).status_code == code


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ("/api/orders/?statsu=open", "statsu"),
        ("/api/orders/?status=opened", "status"),
        ("/api/orders/?before=01JUNKNOWN", "before"),
        ("/api/orders/?hook=h", "hook"),
        ("/api/deliveries/?status=filled", "status"),
        ("/api/deliveries/?venue=Binance_F", "venue"),
        ("/api/differences/?acount=a", "acount"),
        ("/api/hooks/?page=2", "page"),
        ("/api/orders/?status=open&status=filled", "status"),
    ],
)
def test_a_program_is_not_shown_what_it_did_not_ask_for(owner: Trader, where: str, field: str) -> None:
    answer = owner.browser().get(where)

    assert (answer.status_code, list(answer.json())) == (400, [field])


@pytest.mark.parametrize("pattern", PAGES + LISTS)
def test_pages_ask_to_log_in(owner: Trader, delivery: Delivery, pattern: str) -> None:
    answer = Client().get(address(pattern, delivery))

    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


@pytest.mark.parametrize("pattern", API + API_LISTS)
def test_api_asks_to_log_in(owner: Trader, delivery: Delivery, pattern: str) -> None:
    assert Client().get(address(pattern, delivery)).status_code in (401, 403)


@pytest.mark.parametrize("pattern", PAGES + LISTS + API + API_LISTS)
def test_nothing_can_be_changed(owner: Trader, delivery: Delivery, pattern: str) -> None:
    where = address(pattern, delivery)

    assert owner.browser().post(where).status_code == 405
    assert owner.browser().delete(where).status_code == 405


@pytest.mark.parametrize("pattern", PAGES + LISTS + API + API_LISTS)
def test_no_page_shows_a_secret(owner: Trader, delivery: Delivery, pattern: str) -> None:
    content = owner.browser().get(address(pattern, delivery)).content.decode()

    assert owner.token not in content
    assert owner.account.sealed not in content
    assert owner.hook.token_digest not in content


def test_delivery_shows_message_order_protection_and_times(owner: Trader, delivery: Delivery) -> None:
    shown = text_of(owner.browser().get(f"/deliveries/{delivery.public_id}/"))

    for part in (
        ORDER,
        "Done",
        "0.01 of 0.01 at 50000.1",
        "Armed",
        "49000.1",
        "52500.1",
        "Sent to the exchange",
    ):
        assert part in shown, part


def test_delivery_that_does_not_parse_shows_the_place(caller: Caller, owner: Trader) -> None:
    caller.post(owner.path, "BTCUSDT on Binance_F market lnog 0.01 <script>")

    answer = owner.browser().get(f"/deliveries/{owner.latest().public_id}/")

    assert "Did you mean &quot;long&quot;?" in answer.content.decode()
    assert "^^^^" in answer.content.decode()
    assert "<script>" not in answer.content.decode()


def test_working_delivery_is_watched_until_it_is_settled(
    caller: Caller, owner: Trader, region: Region
) -> None:
    region.answer = nothing
    caller.post(owner.path + "?wait=0")
    part = f"/deliveries/{owner.latest().public_id}/part/"

    assert f'data-watch="{part}"' in owner.browser().get(part).content.decode()
    Order.objects.update(status="filled")
    assert "data-watch" not in owner.browser().get(part).content.decode()
    assert owner.latest().status == DeliveryStatus.DONE


def test_duplicate_links_to_the_first(caller: Caller, owner: Trader, region: Region) -> None:
    caller.post(owner.path, f"id a {ORDER}")
    caller.post(owner.path, f"id a {ORDER}")
    settle()
    second, first = Delivery.objects.all()

    assert (
        f"/deliveries/{first.public_id}/"
        in owner.browser().get(f"/deliveries/{second.public_id}/").content.decode()
    )


def test_list_settles_what_workers_have_finished(caller: Caller, owner: Trader, region: Region) -> None:
    region.answer = nothing
    caller.post(owner.path + "?wait=0")
    settle()
    Order.objects.update(status="filled")

    owner.browser().get("/deliveries/")

    assert owner.latest().status == DeliveryStatus.DONE


def test_list_narrows_by_status_and_hook(
    caller: Caller, owner: Trader, stranger: Trader, delivery: Delivery
) -> None:
    caller.post(owner.path, "nonsense")
    settle()
    browser = owner.browser()

    assert "nonsense" not in browser.get("/deliveries/?status=done").content.decode()
    assert "nonsense" in browser.get("/deliveries/?status=refused").content.decode()
    assert "nonsense" in browser.get(f"/deliveries/?hook={owner.hook.public_id}").content.decode()
    assert "nonsense" not in browser.get(f"/deliveries/?hook={stranger.hook.public_id}").content.decode()


@pytest.mark.parametrize(("where", "size"), [("/deliveries/", 50), ("/api/deliveries/", 100)])
def test_list_goes_on_where_the_page_before_ended(owner: Trader, where: str, size: int) -> None:
    count = size + 3
    Delivery.objects.bulk_create(
        Delivery(user=owner.user, hook=owner.hook, body=f"message-{number}-", status="refused", error={})
        for number in range(count)
    )
    browser = owner.browser()

    first = browser.get(where).content.decode()
    last = Delivery.objects.all()[size - 1].public_id
    second = browser.get(f"{where}?before={last}").content.decode()

    seen = [set(re.findall(r"message-(\d+)-", page)) for page in (first, second)]
    assert [len(each) for each in seen] == [size, 3]
    assert seen[0] | seen[1] == {str(number) for number in range(count)}
    assert last in first


def test_orders_go_on_where_the_page_before_ended(caller: Caller, owner: Trader, region: Region) -> None:
    region.answer = all_filled
    for _ in range(3):
        caller.post(owner.path, " ".join([ORDER] * 20))
    browser = owner.browser()

    first = browser.get("/orders/").content.decode()
    second = browser.get("/orders/?before=" + re.findall(r"before=(\w+)", first)[0]).content.decode()

    seen = [re.findall(r"/orders/([0-9A-Z]{26})/", page) for page in (first, second)]
    assert [len(each) for each in seen] == [50, 10]
    assert len(set(seen[0] + seen[1])) == 60


def test_api_shows_the_answer_of_the_webhook(owner: Trader, delivery: Delivery) -> None:
    told = owner.browser().get(f"/api/deliveries/{delivery.public_id}/").json()

    assert (told["id"], told["status"], told["http_status"]) == (delivery.public_id, "done", 200)
    assert told["answer"]["results"][0]["protection"]["stop"]["price"] == "49000.1"


def test_api_shows_an_order_as_a_result(owner: Trader, delivery: Delivery) -> None:
    told = owner.browser().get(f"/api/orders/{Order.objects.get().token}/").json()

    assert (told["delivery"], told["average_price"], told["quantity"]) == (
        delivery.public_id,
        "50000.1",
        "0.01",
    )


def test_a_dry_run_shows_what_would_be_sent_and_claims_no_fill(owner: Trader, dry: Order) -> None:
    page = text_of(owner.browser().get(f"/orders/{dry.token}/"))
    assert "POST /fapi/v1/order side = BUY symbol = BTCUSDT" in page
    assert "Would fill 0.01 of 0.01" in page
    assert "50000.1" not in text_of(owner.browser().get("/orders/"))


def test_home_shows_what_is_looked_after_until_it_is_over(
    owner: Trader, stranger: Trader, delivery: Delivery
) -> None:
    Bracket.objects.update(quantity=Decimal("0.03"), closed=Decimal("0.01"))
    shown = "Long 0.02 BTCUSDT on Binance_F main Sandbox Stop 49000.1 · target 52500.1 Protected"
    assert shown in text_of(owner.browser().get("/"))
    assert "Looked after now" not in text_of(stranger.browser().get("/"))
    Bracket.objects.update(status="done")
    assert "Looked after now" not in text_of(owner.browser().get("/"))


@pytest.mark.parametrize("model", ["webhooks/delivery", "execution/order", "execution/bracket"])
def test_support_may_look_and_not_change(owner: Trader, delivery: Delivery, model: str) -> None:
    owner.user.is_staff = owner.user.is_superuser = True
    owner.user.save()
    browser = owner.browser()
    row = {"webhooks/delivery": delivery, "execution/order": Order.objects.get()}.get(
        model, Bracket.objects.get()
    )

    assert browser.get(f"/admin/{model}/").status_code == 200
    page = browser.get(f"/admin/{model}/{row.pk}/change/")
    assert page.status_code == 200
    assert owner.account.sealed not in page.content.decode()
    assert browser.post(f"/admin/{model}/{row.pk}/change/", {}).status_code == 403
    assert browser.get(f"/admin/{model}/add/").status_code == 403


def as_support(owner: Trader) -> Client:
    User.objects.filter(pk=owner.user.pk).update(is_staff=True, is_superuser=True)
    return owner.browser()


def test_support_reads_what_became_of_an_order_and_why(owner: Trader, delivery: Delivery) -> None:
    order, bracket = Order.objects.get(), Bracket.objects.get()
    told = {"by": "worker tokyo", "why": "the exchange <confirmed> it"}
    Transition.objects.create(order=order, before="working", after="not_sent", **told)
    error = {"code": "NOT_ENOUGH", "message": "needed 5", "hint": "", "exchange_code": "-2019"}
    Order.objects.update(error=error | {"exchange_message": "Margin is insufficient."})
    Transition.objects.create(bracket=bracket, before="pending", after="armed", by="supervision")

    page = as_support(owner).get(f"/admin/execution/order/{order.pk}/change/").content.decode()

    assert "order: working → not sent, by worker tokyo: the exchange &lt;confirmed&gt; it" in page
    assert "NOT_ENOUGH: needed 5 (the exchange said: -2019 Margin is insufficient.)" in page
    assert "protection: pending → armed, by supervision" in page
    assert f'href="/admin/webhooks/delivery/?q={delivery.public_id}"' in page
    there = as_support(owner).get(f"/admin/webhooks/delivery/{delivery.pk}/change/").content.decode()
    assert f'href="/admin/execution/order/{order.pk}/change/">entry BTCUSDT on Binance_F (filled)' in there
    assert f"{order.created_at:%Y-%m-%d %H:%M:%S}" in page
    assert "0.01<" in page
    assert "0.0100" not in page


def test_support_reads_the_legs_of_a_bracket_with_their_ids(owner: Trader, delivery: Delivery) -> None:
    page = as_support(owner).get(f"/admin/execution/bracket/{Bracket.objects.get().pk}/change/")
    assert "stop : 0.01 at 49000.1, open (71)" in text_of(page)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("order", "x-entry-1"),
        ("order", "{account}"),
        ("bracket", "71"),
        ("bracket", "{account}"),
    ],
)
def test_support_finds_it_by_what_users_have(
    owner: Trader, stranger: Trader, delivery: Delivery, model: str, words: str
) -> None:
    """The client id of an order, the exchange's id of a stop, an account."""
    Order.objects.update(client_id="x-entry-1", account=owner.account)
    asked = {"q": words.format(account=owner.account.public_id)}
    found = as_support(owner).get(f"/admin/execution/{model}/", asked).context["cl"].result_list
    assert [row.user for row in found] == [owner.user]
    asked = {"q": "x-entry-2"}
    assert not as_support(owner).get(f"/admin/execution/{model}/", asked).context["cl"].result_list


# -- error codes -----------------------------------------------------------------------------------------


def test_error_pages_need_no_log_in(db: None) -> None:
    assert "UNKNOWN_SIDE" in Client().get("/docs/errors/").content.decode()
    assert CODES["STALE"].meaning in Client().get("/docs/errors/STALE").content.decode()
    assert Client().get("/docs/errors/STALE/").status_code == 200


def test_unknown_code_is_not_found(db: None) -> None:
    answer = Client().get("/docs/errors/<b>")

    assert answer.status_code == 404
    assert "<b>" not in answer.content.decode()
