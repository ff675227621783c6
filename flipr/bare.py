"""The short way to a view: no session, no log-in, no CSRF, no response processing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch, resolve

GetResponse = Callable[[HttpRequest], Any]


class BareViews:
    """First in MIDDLEWARE: a view that carries the attribute `bare = True` is called at once.

    Everything below in the list costs a webhook time and gives it nothing. Such a view answers for
    itself: it must not use `request.user` or the session, and raises no Http404."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if iscoroutinefunction(self):
            return self._respond_async(request)
        if (match := _bare(request)) is None:
            return self.get_response(request)
        return match.func(request, *match.args, **match.kwargs)

    async def _respond_async(self, request: HttpRequest) -> HttpResponseBase:
        if (match := _bare(request)) is None:
            return await self.get_response(request)
        view = match.func if iscoroutinefunction(match.func) else sync_to_async(match.func)
        return await view(request, *match.args, **match.kwargs)


def _bare(request: HttpRequest) -> ResolverMatch | None:
    try:
        match = resolve(request.path_info)
    except Http404:
        return None
    if not getattr(match.func, "bare", False):
        return None
    request.resolver_match = match
    return match
