"""What the caller gets to read: the shapes of http.md, from refusals, orders and outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from execution.amounts import Span
from execution.results import delivery_status
from webhooks.error_codes import CODES
from webhooks.models import Delivery
from webhooks.refused import FORBIDDEN, Refused
from webhooks.syntax.errors import docs_address, located

HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    # the token is in the address: it must not travel on from a browser
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is bytes."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

    def all_headers(self, content: bytes) -> dict[str, str]:
        return HEADERS | {"Content-Length": str(len(content))} | dict(self.headers)

    def as_response(self) -> HttpResponse:
        content = self.content()
        return HttpResponse(content, status=self.status, headers=self.all_headers(content))


def refusal(refused: Refused, delivery: Delivery | None = None) -> Reply:
    """No results, but a top-level error."""
    body: dict[str, Any] = {"ok": False, "status": "rejected"}
    if delivery:
        body |= {"delivery": delivery.public_id, "duplicate": False}
    error = error_of(refused.error, delivery.body if delivery else "")
    return Reply(refused.status, body | {"error": error}, refused.headers)


def outcome(
    delivery: Delivery, results: list[dict[str, Any]], timing_ms: Mapping[str, float], result_url: str = ""
) -> Reply:
    """The results of a delivery that was carried out, or is being."""
    status = status_of(results)
    body: dict[str, Any] = {
        "ok": status in ("done", "working"),
        "delivery": delivery.public_id,
        "status": status,
        "duplicate": False,
        "results": [_complete(result, delivery.body) for result in results],
        "timing_ms": dict(timing_ms),
    }
    if status == "working":
        body["result_url"] = result_url
    return Reply(_http_status(status, results), body)


def status_of(results: Iterable[Mapping[str, Any]]) -> str:
    """The delivery's `status`; of each result `status` and `error` are read."""
    results = list(results)
    troubled = any(result["error"] and result["status"] != "skipped" for result in results)
    return delivery_status((result["status"] for result in results), troubled=troubled)


def as_duplicate(first: Reply) -> Reply:
    """The first result once more: 200 whatever it was, 202 while it is not known."""
    status = 202 if first.body["status"] == "working" else 200
    return Reply(status, {**first.body, "duplicate": True})


def as_look(present: Reply) -> Reply:
    """Asking worked, whatever became of the orders."""
    return Reply(202 if present.body["status"] == "working" else 200, present.body)


def _http_status(status: str, results: list[dict[str, Any]]) -> int:
    if status == "working":
        return 202
    if status != "rejected":
        return 200
    codes = {(result["error"] or {}).get("code") for result in results}
    return 403 if codes <= FORBIDDEN else 422


def _complete(result: dict[str, Any], text: str) -> dict[str, Any]:
    return result | {"error": error_of(result["error"], text)} if result["error"] else result


def error_of(error: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The whole `error` object: pointing into the message where its place is known, with a remedy and with its page."""
    shown = {**dict.fromkeys(("code", "message", "hint", "exchange_code", "exchange_message")), **error}
    if not shown["hint"] and (known := CODES.get(error["code"])):
        shown["hint"] = known.remedy
    if "line" in error and "show" not in error:
        span = Span(error["line"], error["column"], error["length"])
        shown |= located(text, span, error["code"], error["message"], shown["hint"])
    return shown | {"docs": docs_address(settings.PUBLIC_URL, error["code"])}


def merged_timing(own: Mapping[str, float], others: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """`own` from the web tier, the rest from the jobs. Of several jobs the last one to reach a step counts: the
    delivery is as far as its slowest part."""
    merged: dict[str, float] = {}
    for timing in others:
        for step, at in timing.items():
            merged[step] = max(at, merged.get(step, 0.0))
    merged = {**own, **merged}
    return {step: merged[step] for step in STEPS if step in merged}


#: the waterfall, in order
STEPS = ("parsed", "queued", "claimed", "sent", "acknowledged", "filled", "protected", "replied")
