"""What a check found, in words: nothing dangerous may read like a plain fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.findings import Finding, findings
from accounts.models import Account


def found(**facts: object) -> dict[str, Finding]:
    return {finding.title: finding for finding in findings(Account(key_facts={"can_trade": True} | facts))}


def test_before_the_first_check_there_is_nothing_to_say():
    assert findings(Account()) == []


@pytest.mark.parametrize(
    ("fact", "title", "levels"),
    [
        ("can_trade", "Trading", {True: "good", False: "bad", None: ""}),
        ("can_withdraw", "Withdrawal", {True: "bad", False: "good", None: ""}),
        ("ip_locked", "Address lock", {True: "good", False: "wait", None: ""}),
    ],
)
def test_each_right_is_judged(fact: str, title: str, levels: dict[bool | None, str]):
    assert {value: found(**{fact: value})[title].level for value in levels} == levels


def test_the_right_to_withdraw_comes_with_advice():
    assert "Switch it off" in found(can_withdraw=True)["Withdrawal"].advice
    assert "Make sure that it is off" in found(can_withdraw=None)["Withdrawal"].advice


@pytest.mark.parametrize(("days", "level"), [(-1, "bad"), (3, "wait"), (100, "")])
def test_an_expiry_is_judged_by_how_near_it_is(days: int, level: str):
    when = timezone.now() + timedelta(days=days)
    assert found(expires=when.isoformat())["Expires"].level == level


def test_an_expiry_is_a_date_people_read():
    assert found(expires=datetime(2190, 1, 2, tzinfo=UTC).isoformat())["Expires"].text == "2 January 2190"


def test_position_mode_and_each_venue_are_told():
    told = found(
        position_mode="one_way", venues={"Binance": "", "Binance_F": "Futures are off."}, note="VIP 3"
    )
    assert told["Position mode"].text == "One-way"
    assert told["Binance"].level == "good"
    assert (told["Binance_F"].text, told["Binance_F"].level) == ("Futures are off.", "bad")
    assert told["The exchange says"].text == "VIP 3"


def test_insisting_does_not_make_the_right_to_withdraw_harmless():
    finding = findings(Account(key_facts={"can_withdraw": True}, withdrawal_accepted=True))[1]
    assert (finding.text, finding.level) == ("Allowed, as you insist", "bad")
