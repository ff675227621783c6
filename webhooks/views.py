"""The webhook's addresses inside Django: a delivery's result, and a no to everything that is no webhook.

Commands are taken in by `webhooks.door` before they come here; `receive` is for servers that speak WSGI."""

from __future__ import annotations

import asyncio

from django.http import HttpRequest, HttpResponse

from webhooks import accept, intake, present, reception, refused, replies, threads, throttle
from webhooks.accept import PASSING
from webhooks.models import Delivery
from webhooks.reception import ACCEPT_SECONDS
from webhooks.refused import Refused
from webhooks.replies import Reply


async def receive(request: HttpRequest, user_id: str, token: str) -> HttpResponse:
    """POST /webhook/{user_id}/{token}: the body is the command."""
    if request.method != "POST":
        return replies.refusal(refused.wrong_method("POST")).as_response()
    handled = await reception.begin(intake.read(request, user_id, token))
    reception.note(handled, handled.reply.status)
    return handled.reply.as_response()


async def result(request: HttpRequest, user_id: str, token: str, delivery: str) -> HttpResponse:
    """GET /webhook/{user_id}/{token}/{delivery}: the present result, in the shape of the answer."""
    if request.method not in ("GET", "HEAD"):
        return replies.refusal(refused.wrong_method("GET")).as_response()
    try:
        reply = await asyncio.wait_for(
            threads.run(_look, intake.source_of(request), user_id, token, delivery), ACCEPT_SECONDS
        )
    except Refused as no:
        reply = replies.refusal(no)
    except (*PASSING, TimeoutError):
        reply = replies.refusal(refused.busy())
    return reply.as_response()


def _look(source: str, user_id: str, token: str, public_id: str) -> Reply:
    throttle.admit_look(source)
    hook = accept.find_hook(user_id, token)
    wanted = Delivery.objects.of(hook.user).filter(hook=hook, public_id=public_id)
    delivery = wanted.select_related("user", "duplicate_of__user").first()
    if delivery is None:
        raise refused.no_such_hook()
    reply = replies.as_look(present.reply_for(delivery, present.result_url(user_id, token, public_id)))
    present.settle_one(delivery, reply.body["status"])
    return reply


async def nowhere(request: HttpRequest, **_: str) -> HttpResponse:
    """Whatever else begins with /webhook/ answers like an unknown hook."""
    return replies.refusal(refused.no_such_hook()).as_response()


# no session, no log-in, no CSRF: the token in the address is all
for _view in (receive, result, nowhere):
    setattr(_view, "bare", True)  # noqa: B010  (functions have no such attribute for mypy)
