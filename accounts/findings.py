"""What the last check of a key found, worded for its owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Account

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `level`: good, wait (worth a change), bad (stops trading) or empty (a plain fact)."""

    title: str
    text: str
    level: str = ""
    advice: str = ""


def findings(account: Account) -> list[Finding]:
    facts = account.facts
    if not account.key_facts:
        return []
    found = [
        _trade(facts.can_trade),
        _withdraw(facts.can_withdraw, insisted=account.withdrawal_accepted),
        _address(facts.ip_locked),
    ]
    if facts.expires:
        found.append(_expiry(facts.expires))
    if account.position_mode:
        found.append(Finding("Position mode", account.position_mode.replace("_", "-").capitalize()))
    found += [_venue(name, wrong) for name, wrong in account.key_facts.get("venues", {}).items()]
    if facts.note:
        found.append(Finding("The exchange says", facts.note))
    return found


def _trade(allowed: bool | None) -> Finding:
    if allowed is None:
        return Finding("Trading", "The exchange does not tell")
    if allowed:
        return Finding("Trading", "Allowed", "good")
    return Finding(
        "Trading", "Not allowed", "bad", "Allow trading for this key on the exchange, then check again."
    )


def warnings_of(account: Account) -> list[Finding]:
    """What is worth a change, or stops trading."""
    return [each for each in findings(account) if each.level in {"wait", "bad"}]


def _withdraw(allowed: bool | None, *, insisted: bool) -> Finding:
    if allowed is None:
        return Finding(
            "Withdrawal", "The exchange does not tell", "", "Make sure that it is off: flipr never needs it."
        )
    if allowed:
        advice = "Switch it off on the exchange, or make another key without it: flipr never needs it."
        return Finding("Withdrawal", "Allowed, as you insist" if insisted else "Allowed", "bad", advice)
    return Finding("Withdrawal", "Not allowed", "good")


def _address(locked: bool | None) -> Finding:
    if locked is None:
        return Finding("Address lock", "The exchange does not tell")
    if locked:
        return Finding("Address lock", "On", "good")
    return Finding(
        "Address lock", "Off", "wait", "A key that works from our addresses only is useless to a thief."
    )


def _expiry(when: datetime) -> Finding:
    day = date_format(when, "j F Y")
    if when <= timezone.now():
        return Finding("Expires", f"Expired on {day}", "bad", "Replace the key.")
    if when - timezone.now() < SOON:
        return Finding("Expires", day, "wait", "Make a new key before that day and replace this one.")
    return Finding("Expires", day)


def _venue(name: str, wrong: str) -> Finding:
    return Finding(name, wrong or "Works", "bad" if wrong else "good")
