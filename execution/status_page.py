"""The public status page: `/status` for people, `/status.json` for programs. No log-in, no user's data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from exchanges.types import Environment
from execution.status import Status, VenueStatus, latest
from execution.traffic import MINUTES, Minute

#: of the drawing of one hour: a bar a minute, and its height for the slowest
BAR, HEIGHT = 10, 40
#: the drawing's full height is this many milliseconds at least, so that small differences stay small
SCALE_MS = 200.0
REGION_NAMES = {"eu": "Europe", "tokyo": "Tokyo", "singapore": "Singapore"}
ENVIRONMENTS = {Environment.LIVE: "", Environment.TESTNET: "Test net", Environment.SANDBOX: "Sandbox"}
HEADLINES = {
    "operational": "Everything works",
    "degraded": "Some things work worse than they should",
    "maintenance": "An exchange is under maintenance",
    "down": "Something does not work",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute of an hour's drawing. `kind`: good, bad (calls in trouble), or none (no calls)."""

    x: int
    y: int
    height: int
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """One venue as the page shows it."""

    venue: VenueStatus
    environment: str
    region: str
    since: datetime | None
    p50_ms: float | None
    p95_ms: float | None
    bars: tuple[Bar, ...]


@require_safe
@vary_on_headers("Accept")
@cache_control(public=True, max_age=3)
def status(request: HttpRequest) -> HttpResponse:
    """HTML, or JSON for who asks for it."""
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse(latest.get().as_json())
    return render(request, "execution/status.html", _context(latest.get()))


@require_safe
@cache_control(public=True, max_age=3)
def status_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(latest.get().as_json())


@require_safe
@cache_control(public=True, max_age=3)
def status_now(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes."""
    return render(request, "execution/parts/status_now.html", _context(latest.get()))


def _context(found: Status) -> dict[str, Any]:
    rows = [_row(each) for each in found.venues]
    return {
        "state": found.state.value,
        "headline": HEADLINES[found.state],
        "at": _time(found.at_ms),
        "rows": [row for row in rows if row.venue.verdict.state != "quiet"],
        "quiet": [row.venue.name for row in rows if row.venue.verdict.state == "quiet"],
        "regions": [
            {
                "name": REGION_NAMES.get(each.name, each.name),
                "verdict": each.verdict(found.at_ms),
                "status": each,
                "supervised": _time(each.supervised_ms),
                "ago": _ago(each.supervised_ms, found.at_ms),
            }
            for each in found.regions
        ],
    }


def _row(venue: VenueStatus) -> Row:
    return Row(
        venue,
        ENVIRONMENTS[venue.environment],
        REGION_NAMES.get(venue.region, venue.region),
        _time(venue.verdict.since_ms),
        venue.hour.percentile_ms(50),
        venue.hour.percentile_ms(95),
        tuple(_bars(venue.minutes)),
    )


def _bars(minutes: tuple[Minute, ...]) -> Iterator[Bar]:
    times = [minute.percentile_ms(95) or 0.0 for minute in minutes]
    scale = max([SCALE_MS, *times])
    for place, (minute, ms) in enumerate(zip(minutes, times, strict=True), MINUTES - len(minutes)):
        kind = "none" if not minute.calls else "bad" if minute.troubled else "good"
        height = max(round(ms / scale * HEIGHT), 2) if kind != "bad" else HEIGHT
        yield Bar(place * BAR, HEIGHT - height, height, kind)


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)


def _ago(ms: int | None, now_ms: int) -> str:
    if ms is None:
        return "not seen"
    seconds = max((now_ms - ms) // 1000, 0)
    return "a moment ago" if seconds < 3 else f"{seconds} s ago"
