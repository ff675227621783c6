"""Pages of accounts: add a key, see what its check found, replace, pause, delete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST, require_safe

from accounts import flows
from accounts.families import FIELD_TITLES, Family, families, family
from accounts.findings import findings
from accounts.forms import AccountForm, AccountSettingsForm, KeyForm
from accounts.models import Account, AccountStatus
from accounts.pages.access import accepted, members, own_account, whose
from accounts.samples import sample_for

SHOWN_EVENTS = 20
USUAL_WAIT = timedelta(seconds=30)

Act = Callable[[Account], object]


@require_safe
@members
def listed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/accounts.html", {"accounts": Account.objects.of(whose(request))})


@require_safe
@members
def choose(request: HttpRequest) -> HttpResponse:
    """Which exchange the key is for."""
    found = list(families().values())
    generic = [family for family in found if not family.native]
    return render(request, "accounts/account_choose.html", {"families": found, "generic": generic})


@sensitive_post_parameters(*FIELD_TITLES)
@sensitive_variables()
@members
def add(request: HttpRequest, exchange: str) -> HttpResponse:
    opened = _family(exchange)
    form = AccountForm(opened, request.POST or None)
    saved: list[Account] = []

    def act() -> None:
        asked = form.cleaned_data
        saved.append(
            flows.add_account(
                whose(request),
                opened.name,
                asked["label"],
                asked["environment"],
                form.credentials(),
                accept_withdrawal=asked["accept_withdrawal"],
            )
        )

    if request.method == "POST" and accepted(form, act):
        return redirect("accounts:account", saved[0].public_id)
    return render(request, "accounts/account_add.html", {"form": form, "family": opened})


@require_safe
@members
def detail(request: HttpRequest, public_id: str) -> HttpResponse:
    account = own_account(request, public_id)
    opened = families().get(account.exchange)
    context = _checked(account) | {
        "sample": sample_for(account),
        "venues": opened.venue_names(account.environment) if opened else (),
        "events": account.events.all()[:SHOWN_EVENTS],
    }
    return render(request, "accounts/account.html", context)


@require_safe
@members
def status(request: HttpRequest, public_id: str) -> HttpResponse:
    """The part of the page that changes when the check is done."""
    return render(request, "accounts/parts/account_check.html", _checked(own_account(request, public_id)))


@members
def change(request: HttpRequest, public_id: str) -> HttpResponse:
    account = own_account(request, public_id)
    form = AccountSettingsForm.of(account, request.POST or None)
    if request.method == "POST" and accepted(
        form, lambda: flows.change_account(account, **form.cleaned_data)
    ):
        messages.success(request, "Saved.")
        return redirect("accounts:account", public_id)
    return render(request, "accounts/account_change.html", {"form": form, "account": account})


@sensitive_post_parameters(*FIELD_TITLES)
@sensitive_variables()
@members
def replace(request: HttpRequest, public_id: str) -> HttpResponse:
    account = own_account(request, public_id)
    form = KeyForm(_family(account.exchange), request.POST or None)

    def act() -> None:
        insists = form.cleaned_data["accept_withdrawal"]
        flows.replace_key(account, form.credentials(), accept_withdrawal=insists)

    if request.method == "POST" and accepted(form, act):
        messages.success(request, "The key was replaced and is being checked.")
        return redirect("accounts:account", public_id)
    return render(request, "accounts/account_replace.html", {"form": form, "account": account})


@require_POST
@members
def check(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, flows.check_again)


@require_POST
@members
def insist(request: HttpRequest, public_id: str) -> HttpResponse:
    """Needs its tick: a click on a button alone is not "I insist"."""
    account = own_account(request, public_id)
    if request.POST.get("accept_withdrawal"):
        flows.insist_on_key(account)
    else:
        messages.error(request, "Tick the box if you insist on a key that may withdraw.")
    return redirect("accounts:account", public_id)


@require_POST
@members
def pause(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, flows.pause_account)


@require_POST
@members
def resume(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, flows.resume_account)


@require_POST
@members
def default(request: HttpRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, flows.make_default)


@members
def delete(request: HttpRequest, public_id: str) -> HttpResponse:
    account = own_account(request, public_id)
    refused: list[str] = []
    if request.method == "POST":
        try:
            flows.delete_account(account)
        except ValidationError as error:
            refused = error.messages
        else:
            messages.success(request, f"{account.label} was deleted, and its key with it.")
            return redirect("accounts:accounts")
    return render(request, "accounts/account_delete.html", {"account": account, "refused": refused})


def _act(request: HttpRequest, public_id: str, act: Act) -> HttpResponse:
    act(own_account(request, public_id))
    return redirect("accounts:account", public_id)


def _checked(account: Account) -> dict[str, object]:
    waiting = account.status == AccountStatus.UNVERIFIED and not account.status_reason
    late = waiting and account.updated < timezone.now() - USUAL_WAIT
    found = findings(account)
    refused = account.status == AccountStatus.REJECTED and bool(account.facts.can_withdraw)
    return {"account": account, "findings": found, "waiting": waiting, "late": late, "may_withdraw": refused}


def _family(name: str) -> Family:
    try:
        return family(name)
    except KeyError:
        raise Http404 from None
