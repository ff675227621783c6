"""Pages of hooks: create one, copy its URL, rotate, switch, delete."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import flows
from accounts.forms import HookForm, HookSettingsForm
from accounts.models import Account, Hook
from accounts.pages.access import accepted, members, members_just_now, own_hook, whose
from accounts.samples import curl_for, sample_for


@require_safe
@members
def listed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/hooks.html", {"hooks": Hook.objects.of(whose(request))})


@members
def add(request: HttpRequest) -> HttpResponse:
    form = HookForm(request.POST or None)
    saved: list[Hook] = []
    if request.method == "POST" and accepted(
        form, lambda: saved.append(flows.create_hook(whose(request), **form.cleaned_data)[0])
    ):
        return redirect("accounts:hook_url", saved[0].public_id)
    return render(request, "accounts/hook_add.html", {"form": form})


@require_safe
@members
def detail(request: HttpRequest, public_id: str) -> HttpResponse:
    hook = own_hook(request, public_id)
    previous_works = hook.previous_until is not None and hook.previous_until > timezone.now()
    return render(request, "accounts/hook.html", {"hook": hook, "previous_works": previous_works})


@require_safe
@members_just_now
def url(request: HttpRequest, public_id: str) -> HttpResponse:
    """The URL with its token, and messages to use with it."""
    hook = own_hook(request, public_id)
    account = Account.objects.of(whose(request)).order_by("-is_default", "created").first()
    sample, url = sample_for(account, hook.name), flows.hook_url(hook, flows.show_token(hook))
    curl = {"trade": curl_for(sample.trade, url), "close": curl_for(sample.close, url)}
    context = {"hook": hook, "url": url, "sample": sample, "curl": curl, "account": account}
    return render(request, "accounts/hook_url.html", context)


@members
def change(request: HttpRequest, public_id: str) -> HttpResponse:
    hook = own_hook(request, public_id)
    form = HookSettingsForm.of(hook, request.POST or None)

    def act() -> None:
        asked = form.cleaned_data
        flows.change_hook(
            hook, name=asked["name"], stop_policy=asked["stop_policy"], allowed_sources=form.sources()
        )

    if request.method == "POST" and accepted(form, act):
        messages.success(request, "Saved.")
        return redirect("accounts:hook", public_id)
    return render(request, "accounts/hook_change.html", {"form": form, "hook": hook})


@members
def rotate(request: HttpRequest, public_id: str) -> HttpResponse:
    hook = own_hook(request, public_id)
    if request.method == "POST":
        if "now" in request.POST:
            flows.rotate_hook_token(hook, grace=flows.NO_GRACE)
        else:
            flows.rotate_hook_token(hook)
        return redirect("accounts:hook_url", public_id)
    return render(request, "accounts/hook_rotate.html", {"hook": hook})


@require_POST
@members
def enable(request: HttpRequest, public_id: str) -> HttpResponse:
    flows.enable_hook(own_hook(request, public_id))
    return redirect("accounts:hook", public_id)


@require_POST
@members
def disable(request: HttpRequest, public_id: str) -> HttpResponse:
    flows.disable_hook(own_hook(request, public_id))
    return redirect("accounts:hook", public_id)


@members
def delete(request: HttpRequest, public_id: str) -> HttpResponse:
    hook = own_hook(request, public_id)
    if request.method == "POST":
        flows.delete_hook(hook)
        messages.success(request, f"{hook.name} was deleted; its URL no longer works.")
        return redirect("accounts:hooks")
    return render(request, "accounts/hook_delete.html", {"hook": hook})
