"""`Authorization: Bearer flipr_...` for programs. A browser's session works beside it, with CSRF protection."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import flows
from accounts.models import User


class BearerToken(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, None] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        user = flows.find_api_user(token.strip())
        if user is None:
            raise AuthenticationFailed("This API token is not known.")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
