"""REST: accounts and hooks. The same verbs as the pages. Keys go in and never come out; a hook's URL comes out once,
when it is made or rotated."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import resolve
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from rest_framework import serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import flows
from accounts.api_auth import BearerToken
from accounts.findings import warnings_of
from accounts.models import Account, Hook, StopPolicy, User
from exchanges.types import Credentials, Environment


class Endpoint(APIView):
    """For users, by token or session; a flow's refusal is a 400 by field."""

    authentication_classes = (BearerToken, SessionAuthentication)
    permission_classes = (IsAuthenticated,)
    #: what may stand behind the ? of the address
    parameters: ClassVar[tuple[str, ...]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        _refuse_unknown(request.query_params, (*self.parameters, "format"))
        if twice := [name for name, values in request.query_params.lists() if len(values) > 1]:
            raise serializers.ValidationError({name: ["This stands twice."] for name in twice})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, ValidationError):
            exc = serializers.ValidationError(serializers.as_serializer_error(exc))
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)

    def whose(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def check_by_token(self) -> None:
        """For answers that hold a URL which trades: to who sits at a browser, the pages show it after the password only.
        Raises PermissionDenied."""
        if not isinstance(self.request.successful_authenticator, BearerToken):
            raise PermissionDenied("This takes an API token; in a browser, use the page of the hook.")

    def account(self, public_id: str) -> Account:
        return get_object_or_404(Account.objects.of(self.whose()).select_related("user"), public_id=public_id)

    def hook(self, public_id: str) -> Hook:
        return get_object_or_404(Hook.objects.of(self.whose()).select_related("user"), public_id=public_id)


# -- accounts --------------------------------------------------------------------------------------------


class AccountAnswer(serializers.ModelSerializer[Account]):
    id = serializers.CharField(source="public_id")
    facts = serializers.JSONField(source="key_facts")
    warnings = serializers.SerializerMethodField()
    accept_withdrawal = serializers.BooleanField(source="withdrawal_accepted")

    def get_warnings(self, account: Account) -> list[dict[str, str]]:
        return [
            {"title": each.title, "text": each.text, "advice": each.advice} for each in warnings_of(account)
        ]

    class Meta:
        model = Account
        fields = (
            "id",
            "exchange",
            "label",
            "environment",
            "key_fingerprint",
            "status",
            "status_reason",
            "checked_at",
            "facts",
            "warnings",
            "accept_withdrawal",
            "opposite_signal",
            "is_default",
            "created",
        )


class NewAccount(serializers.Serializer[Any]):
    exchange = serializers.CharField(max_length=32)
    label = serializers.CharField(max_length=32)  # type: ignore[assignment]  # a field of that name, taken out by DRF
    environment = serializers.CharField(default=Environment.LIVE.value)
    key = serializers.CharField(write_only=True)
    secret = serializers.CharField(write_only=True)
    passphrase = serializers.CharField(write_only=True, default="", allow_blank=True)
    #: take the key even if it may withdraw
    accept_withdrawal = serializers.BooleanField(default=False)


class Accounts(Endpoint):
    def get(self, request: Request) -> Response:
        return Response(AccountAnswer(Account.objects.of(self.whose()), many=True).data)

    @method_decorator(sensitive_variables())
    def post(self, request: Request) -> Response:
        asked = _valid(NewAccount(data=request.data))
        keys = Credentials(asked["key"], asked["secret"], asked["passphrase"])
        account = flows.add_account(
            self.whose(),
            asked["exchange"],
            asked["label"],
            asked["environment"],
            keys,
            accept_withdrawal=asked["accept_withdrawal"],
        )
        return Response(AccountAnswer(account).data, status=status.HTTP_201_CREATED)


class OneAccount(Endpoint):
    def get(self, request: Request, public_id: str) -> Response:
        return Response(AccountAnswer(self.account(public_id)).data)

    def delete(self, request: Request, public_id: str) -> Response:
        flows.delete_account(self.account(public_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AccountHistory(Endpoint):
    """What happened to the key and what was decided about it, latest first."""

    def get(self, request: Request, public_id: str) -> Response:
        events = self.account(public_id).events.all()
        return Response([{"at": each.at, "subject": each.subject, "text": each.text} for each in events])


class AccountVerb(Endpoint):
    verbs: ClassVar[Mapping[str, Callable[[Account], object]]] = {
        "check": flows.check_again,
        "insist": flows.insist_on_key,
        "pause": flows.pause_account,
        "resume": flows.resume_account,
        "default": flows.make_default,
    }

    def post(self, request: Request, public_id: str, verb: str) -> Response:
        account = self.account(public_id)
        _verb(self.verbs, verb)(account)
        return Response(AccountAnswer(self.account(public_id)).data)


# -- hooks -----------------------------------------------------------------------------------------------


class HookAnswer(serializers.ModelSerializer[Hook]):
    id = serializers.CharField(source="public_id")

    class Meta:
        model = Hook
        fields = ("id", "name", "enabled", "stop_policy", "allowed_sources", "last_used_at", "created")


class NewHook(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    stop_policy = serializers.ChoiceField(choices=StopPolicy.choices, default=StopPolicy.CLOSE)


class Hooks(Endpoint):
    def get(self, request: Request) -> Response:
        return Response(HookAnswer(Hook.objects.of(self.whose()), many=True).data)

    def post(self, request: Request) -> Response:
        self.check_by_token()
        hook, token = flows.create_hook(self.whose(), **_valid(NewHook(data=request.data)))
        return Response(_with_url(hook, token), status=status.HTTP_201_CREATED)


class OneHook(Endpoint):
    def get(self, request: Request, public_id: str) -> Response:
        return Response(HookAnswer(self.hook(public_id)).data)

    def delete(self, request: Request, public_id: str) -> Response:
        flows.delete_hook(self.hook(public_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class HookVerb(Endpoint):
    verbs: ClassVar[Mapping[str, Callable[[Hook], object]]] = {
        "enable": flows.enable_hook,
        "disable": flows.disable_hook,
    }

    def post(self, request: Request, public_id: str, verb: str) -> Response:
        hook = self.hook(public_id)
        if verb == "rotate":
            self.check_by_token()
            return Response(_with_url(hook, flows.rotate_hook_token(hook)))
        _verb(self.verbs, verb)(hook)
        return Response(HookAnswer(hook).data)


def _with_url(hook: Hook, token: str) -> dict[str, Any]:
    return {**HookAnswer(hook).data, "url": flows.hook_url(hook, token)}


def _valid(asked: serializers.Serializer[Any]) -> dict[str, Any]:
    if isinstance(asked.initial_data, Mapping):
        _refuse_unknown(asked.initial_data, (*asked.fields, "csrfmiddlewaretoken"))
    asked.is_valid(raise_exception=True)
    return dict(asked.validated_data)


def _refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Nothing is ignored: "enviroment" must not make an account that trades live, "statsu" not show every order."""
    if unknown := [name for name in names if name not in known]:
        raise serializers.ValidationError({name: ["This is not known here."] for name in unknown})


def check_status(asked: Mapping[str, str], states: type[StrEnum]) -> None:
    """A list narrowed to a status that does not exist would say that there is nothing. Raises ValidationError."""
    if (status := asked.get("status")) and status not in list(states):
        raise serializers.ValidationError({"status": [f"It is one of {', '.join(states)}."]})


def _verb(verbs: Mapping[str, Callable[[Any], object]], name: str) -> Callable[[Any], object]:
    if name not in verbs:
        raise Http404
    return verbs[name]


# -- what else begins with /api/ -------------------------------------------------------------------------


@csrf_exempt
def nowhere(request: HttpRequest) -> HttpResponse:
    """For programs, in JSON. Without its last slash an address is told by 308, which keeps method and body: Django's
    301 makes a GET of a POST, so that a list of keys was the answer to a new one."""
    path = request.path_info
    if not path.endswith("/") and resolve(f"{path}/").func is not nowhere:
        address = request.get_full_path(force_append_slash=True)
        return HttpResponsePermanentRedirect(address, preserve_request=True)
    return JsonResponse({"detail": "Not found."}, status=404)
