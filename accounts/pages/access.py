"""Who may see a page, and whose rows: every look-up starts from the user, a stranger's row does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, cast

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache

from accounts.models import Account, ApiToken, Hook, User

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponse]


def members(view: View[Params]) -> View[Params]:
    """For users who are logged in; never kept by a browser or a proxy."""
    return login_required(never_cache(view))


def members_just_now(view: View[Params]) -> View[Params]:
    """The same, and the password was given a moment ago: for what shows or makes a secret. Never for a form that
    carries one: allauth keeps an interrupted POST in the session."""
    return members(cast("View[Params]", reauthentication_required(view)))


def whose(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def own_account(request: HttpRequest, public_id: str) -> Account:
    return get_object_or_404(Account.objects.of(whose(request)).select_related("user"), public_id=public_id)


def own_hook(request: HttpRequest, public_id: str) -> Hook:
    return get_object_or_404(Hook.objects.of(whose(request)).select_related("user"), public_id=public_id)


def own_api_token(request: HttpRequest, public_id: str) -> ApiToken:
    return get_object_or_404(ApiToken.objects.of(whose(request)), public_id=public_id)


def accepted(form: Form, act: Callable[[], object]) -> bool:
    """Run a flow for a valid form; what it finds wrong is said beside the field."""
    if not form.is_valid():
        return False
    try:
        act()
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True
