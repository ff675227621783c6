"""Pages of deliveries: the list, one of them, and the part of it that changes while it is working."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from accounts.families import families
from accounts.models import Hook
from accounts.pages.access import members, whose
from accounts.samples import curl_for, sample_for
from execution.models import Order
from webhooks import addressbook, history, present, replies
from webhooks.error_codes import CODES, GROUPS
from webhooks.models import Delivery, DeliveryStatus
from webhooks.phrasebook import CHAPTERS
from webhooks.waterfall import bars

PAGE = 50
#: how much of a line is shown before the word an error points at
LEAD = 28


@require_safe
@members
def deliveries(request: HttpRequest) -> HttpResponse:
    user = whose(request)
    present.settle(user)
    page = history.page(user, request.GET.dict(), PAGE)
    context = {
        "deliveries": page.deliveries,
        "next": page.next,
        "hooks": Hook.objects.of(user),
        "statuses": list(DeliveryStatus),
        "chosen": {name: request.GET.get(name, "") for name in ("hook", "status", "before")},
    }
    return render(request, "webhooks/deliveries.html", context)


@require_safe
@members
def delivery(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "webhooks/delivery.html", _context(_own(request, public_id)))


@require_safe
@members
def delivery_part(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "webhooks/parts/delivery_outcome.html", _context(_own(request, public_id)))


def _own(request: HttpRequest, public_id: str) -> Delivery:
    rows = Delivery.objects.of(whose(request)).select_related("user", "hook", "duplicate_of")
    return get_object_or_404(rows, public_id=public_id)


def _context(row: Delivery) -> dict[str, Any]:
    orders = present.orders_of(row)
    results, timings = present.results_of(orders)
    if orders:
        present.settle_one(row, replies.status_of(results))
    error = _shown_error(row.error, row.body)
    parts = [
        {"order": order, "result": result | {"error": _shown_error(result["error"], row.body)}}
        for order, result in zip(orders, results, strict=True)
    ]
    return {
        "delivery": row,
        "error": error,
        "parts": parts,
        "working": row.status == DeliveryStatus.WORKING,
        "waterfalls": _waterfalls(row, orders, timings),
        "repeats": row.duplicates.order_by("public_id")[:20],
    }


def _shown_error(error: dict[str, Any] | None, text: str) -> dict[str, Any] | None:
    """With the place in the message cut so that it can be seen without scrolling."""
    if not error:
        return None
    shown = replies.error_of(error, text)
    if "show" in shown and (hidden := shown["column"] - LEAD) > 1:
        line, carets = shown["show"].split("\n")
        shown["show"] = f"…{line[hidden:]}\n {carets[hidden:]}"
    return shown


def _waterfalls(row: Delivery, orders: list[Order], timings: list[dict[str, float]]) -> list[dict[str, Any]]:
    """One per job: parallel jobs have their own times."""
    own = {step: row.timing_ms[step] for step in ("parsed", "queued", "replied") if step in row.timing_ms}
    jobs = {order.job: order for order in orders}
    drawn = [
        {"order": order, "bars": bars(own | timing)}
        for order, timing in zip(jobs.values(), timings, strict=True)
        if timing
    ]
    if drawn or len(row.timing_ms) < 2:
        return drawn
    return [{"order": None, "bars": bars(row.timing_ms)}]


@require_safe
def syntax(request: HttpRequest) -> HttpResponse:
    """The language in short."""
    return render(request, "webhooks/syntax.html", {"chapters": CHAPTERS})


@require_safe
def programs(request: HttpRequest) -> HttpResponse:
    """What a webhook takes and answers, and the REST API."""
    context = {
        "options": addressbook.OPTIONS,
        "answers": addressbook.ANSWERS,
        "groups": addressbook.GROUPS,
        "exchanges": list(families()),
        "answer": json.dumps(addressbook.ANSWER, indent=2, ensure_ascii=False),
        "post": curl_for(sample_for(None).trade, f"{settings.PUBLIC_URL}/webhook/…?wait=15"),
        "call": f"curl -H 'Authorization: Bearer flipr_…' {settings.PUBLIC_URL}/api/orders/",
    }
    return render(request, "webhooks/programs.html", context)


def error_codes(request: HttpRequest) -> HttpResponse:
    return render(
        request, "webhooks/error_codes.html", {"groups": [(group[0].group, group) for group in GROUPS]}
    )


def error_code(request: HttpRequest, code: str) -> HttpResponse:
    """The page an answer's `docs` points to."""
    entry = CODES.get(code)
    status = 200 if entry else 404
    return render(request, "webhooks/error_code.html", {"code": code, "entry": entry}, status=status)
