"""The landing page for visitors; for users, where they stand and what comes next."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.families import families
from accounts.models import Account, Hook
from accounts.pages.access import members, whose
from accounts.samples import Sample, sample_for


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return _dashboard(request) if request.user.is_authenticated else _landing(request)


def _landing(request: HttpRequest) -> HttpResponse:
    titles = sorted({family.title.split()[0] for family in families().values() if family.native})
    return render(request, "accounts/landing.html", {"exchanges": titles})


@members
def _dashboard(request: HttpRequest) -> HttpResponse:
    user = whose(request)
    accounts, hooks = list(Account.objects.of(user)), list(Hook.objects.of(user))
    context = {
        "accounts": accounts,
        "hooks": hooks,
        "sample": _sample(accounts),
        "traded": any(hook.last_used_at for hook in hooks),
    }
    return render(request, "accounts/home.html", context)


def _sample(accounts: list[Account]) -> Sample:
    usable = [account for account in accounts if account.usable]
    return sample_for(next(iter(usable or accounts), None))
