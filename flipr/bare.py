"""The short way to a view: no session, no log-in, no CSRF, no response processing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import Http404, HttpRequest
from django.urls import ResolverMatch, resolve


class BareViews:
    """First in MIDDLEWARE: a view that carries the attribute `bare = True` is called at once.

    Everything below in the list costs a webhook time and gives it nothing. Such a view answers for
    itself: it must not use `request.user` or the session, and raises no Http404."""

    # Not sync_capable: below stands middleware that blocks, and Django would run this one in its thread as well;
    # every webhook that waits for an exchange would then hold a lane (flipr.asgi).
    sync_capable = False
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._async = iscoroutinefunction(get_response)
        if self._async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """The response, or under ASGI a coroutine that gives it."""
        match = _bare(request)
        if match is None:
            return self._get_response(request)
        return (_call_async if self._async else _call)(match, request)


def _call(match: ResolverMatch, request: HttpRequest) -> Any:
    view = async_to_sync(match.func) if iscoroutinefunction(match.func) else match.func
    return view(request, *match.args, **match.kwargs)


async def _call_async(match: ResolverMatch, request: HttpRequest) -> Any:
    view = match.func if iscoroutinefunction(match.func) else sync_to_async(match.func)
    return await view(request, *match.args, **match.kwargs)


def _bare(request: HttpRequest) -> ResolverMatch | None:
    try:
        match = resolve(request.path_info)
    except Http404:
        return None  # the way through the middleware answers it
    if not getattr(match.func, "bare", False):
        return None
    request.resolver_match = match
    return match
