"""An exchange that only ccxt opens, from the message to the end of its protection. ByBit Indonesia has no file here and
speaks ByBit's dialect, so that the sandbox can be its counterparty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts import flows
from accounts.families import family, region_of
from accounts.models import Account
from exchanges import registry
from exchanges.generic.client import shelf
from exchanges.pool import Pool
from exchanges.registry import venue_class
from exchanges.transport import Transport
from exchanges.types import Credentials, Environment
from execution import book, keycheck, warm
from execution.rejection import Rejection

VENUE = "ByBitID_F"


@pytest.fixture
def desk(make_desk: Callable[..., Any]) -> Iterator[Any]:
    """A trader whose key of ByBit Indonesia opens an account of the sandbox's ByBit."""
    shelf.forget()
    desk = make_desk(families=())
    given = desk.sandbox.account("bybit")
    keys = Credentials(given["key"], given["secret"])
    desk.accounts["bybitid"] = flows.add_account(desk.user, "bybitid", "main", Environment.LIVE, keys)
    desk.keys["bybitid"] = given["key"]
    pool = Pool(make_transport=lambda url, **_: Transport(desk.sandbox.venue("ByBit_F")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(book, "pool", lambda: pool)
        yield desk
    pool.close()
    shelf.forget()


def orders(desk: Any) -> list[dict[str, Any]]:
    found = desk.sandbox.state("ByBit_F", desk.keys["bybitid"])["orders"]
    return [order for order in found if order["status"] == "open"]


def test_an_entry_is_protected_and_its_target_ends_the_stop(desk: Any) -> None:
    result = desk.one(f"BTCUSDT on {VENUE} market long 0.1 sl off 2% tp off 5%")
    assert (result["status"], result["error"]) == ("filled", None)
    assert float(result["average_price"]) == 50000.1
    assert result["protection"]["status"] == "armed"
    assert len(orders(desk)) == 2
    desk.sandbox.price("BTC/USDT", "52600")
    desk.supervise(3)
    state = desk.sandbox.state("ByBit_F", desk.keys["bybitid"])
    assert orders(desk) == []
    assert [each for each in state["positions"] if float(each["quantity"])] == []
    assert desk.bracket().status == "done"


def test_limit_cancel_and_close_work_too(desk: Any) -> None:
    assert desk.one(f"BTCUSDT on {VENUE} long 0.1 at 40000")["status"] == "open"
    assert desk.one(f"BTCUSDT on {VENUE} cancel all")["error"] is None
    assert orders(desk) == []
    desk.one(f"BTCUSDT on {VENUE} market long 0.1")
    assert desk.one(f"BTCUSDT on {VENUE} close 100%")["status"] == "filled"


def test_a_key_is_checked_and_its_rights_are_not_guessed(desk: Any) -> None:
    account: Account = desk.accounts["bybitid"]
    keycheck.check(account.public_id)
    account.refresh_from_db()
    assert account.status == "verified"
    assert account.facts.can_withdraw is None
    assert "does not tell what a key may do" in account.facts.note
    assert account.key_facts["venues"] == {"ByBitID_F": "", "ByBitID": ""}


def test_its_workers_are_those_of_the_region_that_was_configured(desk: Any, settings: Any) -> None:
    kind = venue_class(VENUE)
    assert region_of(kind) == "eu"
    settings.GENERIC_REGION = "tokyo"
    assert region_of(kind) == "tokyo"
    assert (VENUE, Environment.LIVE) in warm.used_venues("tokyo")
    settings.EXCHANGE_REGIONS = settings.EXCHANGE_REGIONS | {"bybitid": "singapore"}
    assert region_of(kind) == "singapore"
    assert region_of(venue_class("ByBit_F")) == "singapore"


def test_there_is_no_sandbox_for_it(settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:9000"
    assert Environment.SANDBOX in family("bybit").environments
    assert Environment.SANDBOX not in family("bybitid").environments


def test_without_the_extra_its_name_is_refused_at_its_word(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "installed", lambda: False)
    with pytest.raises(Rejection) as refused:
        desk.send(f"BTCUSDT on {VENUE} market long 0.1")
    assert (refused.value.code, refused.value.message) == ("NOT_YET", f"{VENUE} cannot be traded yet")
