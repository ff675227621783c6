"""The status page in a browser, on a desktop and on a phone."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from exchanges.errors import ExchangeError, Maintenance, OutcomeUnknown
from exchanges.types import Environment
from execution import book, pulse
from execution.pulse import Pulse
from execution.status import latest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def an_hour(redis_server: str) -> None:
    """Traffic of an hour: one exchange well, one in trouble, one under maintenance; one region without workers."""
    for held in (book.breaker, book.meter):
        held.cache_clear()
    latest.forget()
    draw, now = random.Random(3), [0.0]
    meter = book.meter()
    meter._wall = lambda: now[0]
    for minute in range(60):
        now[0] = time.time() - (59 - minute) * 60
        for venue, middle in (("Binance_F", 35), ("Binance", 30), ("ByBit_F", 90), ("Kraken_F", 45)):
            for _ in range(8):
                lost = venue == "ByBit_F" and minute > 50 and draw.random() < 0.4
                error: ExchangeError | None = OutcomeUnknown("lost") if lost else None
                meter.saw(venue, Environment.LIVE, draw.lognormvariate(0, 0.4) * middle / 1000, error)
    meter.flush()
    book.breaker().saw("Binance", Environment.LIVE, 0.1, Maintenance("closed"))
    for region in ("tokyo", "singapore"):
        Pulse(region).beat(slow=True)
        pulse.round_done(region)


def test_the_page_tells_states_with_their_reasons(page: Page, live_server: Any, an_hour: None) -> None:
    page.goto(f"{live_server.url}/status")
    exchanges = page.get_by_role("region", name="Exchanges")
    expect(exchanges.get_by_role("listitem").filter(has_text="Binance_F")).to_contain_text("Operational")
    expect(exchanges.get_by_role("listitem").filter(has_text="ByBit_F")).to_contain_text("without an answer")
    expect(exchanges.get_by_text("It is under maintenance.")).to_be_visible()
    expect(exchanges.get_by_role("listitem").filter(has_text="Kraken_F")).to_contain_text("no worker near it")
    expect(page.get_by_role("region", name="flipr itself")).to_contain_text("No worker is up")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_page_follows_what_happens(page: Page, live_server: Any, an_hour: None) -> None:
    page.goto(f"{live_server.url}/status")
    europe = page.get_by_role("row").filter(has_text="Europe")
    expect(europe).to_contain_text("Down")
    Pulse("eu").beat(slow=True)
    pulse.round_done("eu")
    expect(europe).to_contain_text("Operational", timeout=15_000)
