"""What a user is told without having asked, by e-mail. Each notice is one function, so that other ways to tell can
join here."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from accounts.models import Account

log = logging.getLogger(__name__)


def key_refused(account: Account, reason: str, *, positions: Sequence[str] = ()) -> None:
    """The exchange does not take this key any more. `positions` are guarded through it: "BTCUSDT on Binance_F"."""
    context = {
        "account": account,
        "reason": reason,
        "positions": positions,
        "url": settings.PUBLIC_URL + reverse("accounts:account", args=[account.public_id]),
    }
    _mail(
        account.user.email, f"flipr: {account.title} refuses your key {account.label}", "key_refused", context
    )


def key_may_withdraw(account: Account) -> None:
    """A key that was at work got the right to withdraw: nothing new is traded with it."""
    context = {
        "account": account,
        "url": settings.PUBLIC_URL + reverse("accounts:account", args=[account.public_id]),
    }
    _mail(
        account.user.email,
        f"flipr: your {account.title} key {account.label} may withdraw",
        "key_may_withdraw",
        context,
    )


def no_stop(account: Account, position: str, why: str, *, tries: bool, using: str, url: str) -> None:
    """A position ("long 0.01 BTCUSDT on Binance_F") stands without its stop. `tries`: flipr goes on trying to place it;
    `using`: how a message about it begins."""
    context = {
        "account": account,
        "position": position,
        "why": why,
        "tries": tries,
        "using": using,
        "url": url,
    }
    _mail(account.user.email, f"flipr: {position} has no stop", "no_stop", context)


def no_end(address: str, what: str, command: str, why: str, *, asks: bool, url: str) -> None:
    """Nobody knows whether an order for `what` ("BTCUSDT on Binance_F") was carried out. `asks`: flipr goes on asking."""
    context = {"command": command, "why": why, "asks": asks, "url": url}
    _mail(address, f"flipr: what became of an order for {what} is not known", "no_end", context)


def _mail(address: str, subject: str, name: str, context: dict[str, object]) -> None:
    """A mail server that is away must not stop what the notice is about: the pages say the same."""
    text = render_to_string(f"accounts/email/{name}.txt", context)
    try:
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [address])
    except (OSError, SMTPException) as error:
        log.warning("the notice %s could not be sent: %s", name, type(error).__name__)
