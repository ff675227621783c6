"""The user's own settings: e-mail, password, tokens for programs."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import flows
from accounts.forms import ApiTokenForm
from accounts.models import ApiToken
from accounts.pages.access import accepted, members, members_just_now, own_api_token, whose


@require_safe
@members
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/settings.html", {"api_tokens": ApiToken.objects.of(whose(request))})


@members_just_now
def api_token_add(request: HttpRequest) -> HttpResponse:
    """Answers the POST with the token itself: it is not kept, so no later page could show it."""
    form = ApiTokenForm(request.POST or None)
    made: list[str] = []
    if request.method == "POST" and accepted(
        form, lambda: made.append(flows.create_api_token(whose(request), **form.cleaned_data)[1])
    ):
        use = f'curl -H "Authorization: Bearer {made[0]}" {request.build_absolute_uri(reverse("accounts:api_accounts"))}'
        return render(request, "accounts/api_token_made.html", {"token": made[0], "use": use})
    return render(request, "accounts/api_token_add.html", {"form": form})


@require_POST
@members
def api_token_delete(request: HttpRequest, public_id: str) -> HttpResponse:
    row = own_api_token(request, public_id)
    flows.delete_api_token(row)
    messages.success(request, f"{row.name} was deleted; programs that use it are locked out.")
    return redirect("accounts:settings")
