"""The public page about the exchanges: what can be traded where, and how to make a key for it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.exchange_table import entry_of
from accounts.families import families, region_of
from exchanges.facts import PROTECTION_MEANS


@require_safe
def exchanges(request: HttpRequest) -> HttpResponse:
    """With the regions that this installation trades from."""
    context = {
        "entries": [entry_of(each, region_of) for each in families().values()],
        "protections": PROTECTION_MEANS.items(),
    }
    return render(request, "accounts/docs.html", context)
