"""Checking a key against its exchange: asked for here, done by a worker of the exchange's region, recorded here.

The layer above registers who does it (`on_account_saved`), because nothing here may import it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.flows.history import note
from accounts.models import Account, AccountStatus
from exchanges.types import KeyInfo, PositionMode

Verifier = Callable[[Account], None]

MAY_WITHDRAW = (
    "This key may withdraw. Switch that right off at the exchange and check again, or make another key without it: "
    "flipr never needs it."
)

#: called after the commit that made a key new, replaced or resumed; `execution.apps` adds its own
on_account_saved: list[Verifier] = []


def ask_check(account: Account) -> None:
    """Put the account back to "being checked" and tell the verifiers once the row is committed."""
    account.status, account.status_reason = AccountStatus.UNVERIFIED, ""
    account.save(update_fields=["status", "status_reason", "updated"])
    for verifier in on_account_saved:
        transaction.on_commit(_call(verifier, account), robust=True)


@transaction.atomic
def check_again(account: Account) -> None:
    """As asked for by its owner. A paused account stays paused: resuming is another decision."""
    if account.status != AccountStatus.PAUSED:
        ask_check(account)


def record_check(
    public_id: str,
    sealed: str,
    info: KeyInfo,
    *,
    position_mode: PositionMode | None = None,
    venues: dict[str, str] | None = None,
) -> bool:
    """The key works; one that may withdraw is refused all the same, unless its owner insists. `venues`: what is
    wrong per venue name ("" = works). False: the answer came too late, for a key that was replaced or paused
    meanwhile."""
    facts = {
        "can_trade": info.can_trade,
        "can_withdraw": info.can_withdraw,
        "ip_locked": info.ip_locked,
        "expires": info.expires.isoformat() if info.expires else None,
        "note": info.note,
        "position_mode": position_mode,
        "venues": venues or {},
    }
    if info.can_withdraw and _refuse_withdrawal(public_id, sealed, facts):
        return True
    return _record(public_id, sealed, status=AccountStatus.VERIFIED, status_reason="", key_facts=facts)


def record_refusal(public_id: str, sealed: str, reason: str) -> bool:
    """The exchange does not take the key; `reason` is shown to the user."""
    return _record(public_id, sealed, status=AccountStatus.REJECTED, status_reason=reason[:300], key_facts={})


@transaction.atomic
def _refuse_withdrawal(public_id: str, sealed: str, facts: Mapping[str, object]) -> bool:
    """False when its owner insists on this key (or the answer came too late)."""
    refused = _record(
        public_id,
        sealed,
        Q(withdrawal_accepted=False),
        status=AccountStatus.REJECTED,
        status_reason=MAY_WITHDRAW,
        key_facts=facts,
    )
    if refused:
        account = Account.objects.select_related("user").get(public_id=public_id)
        note(account, "Key refused, because it may withdraw.")
    return refused


def _call(verifier: Verifier, account: Account) -> Callable[[], None]:
    """A function of its own: when it fails, Django logs its name, which a `partial` has not."""

    def tell_verifier() -> None:
        verifier(account)

    return tell_verifier


def _record(public_id: str, sealed: str, *only: Q, **changes: object) -> bool:
    now = timezone.now()
    asked = Account.objects.filter(*only, public_id=public_id, sealed=sealed).exclude(
        status=AccountStatus.PAUSED
    )
    return bool(asked.update(checked_at=now, updated=now, **changes))
