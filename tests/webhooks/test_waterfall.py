"""Bars: in order, side by side, none lost."""

from __future__ import annotations

from webhooks.waterfall import THINNEST, WIDTH, bars


def test_each_bar_begins_where_the_one_before_ended() -> None:
    drawn = bars({"replied": 100.0, "parsed": 10.0, "queued": 30.0})

    assert [(bar.x, bar.width) for bar in drawn] == [(0, 100), (100, 200), (300, 700)]
    assert [bar.took_ms for bar in drawn] == [10.0, 20.0, 70.0]


def test_a_step_too_short_to_see_is_drawn_all_the_same() -> None:
    drawn = bars({"parsed": 0.001, "queued": 1000.0, "claimed": 1000.0})

    assert [bar.width for bar in drawn] == [THINNEST, WIDTH, THINNEST]
    assert all(bar.x + bar.width <= WIDTH for bar in drawn)


def test_nothing_is_drawn_of_nothing() -> None:
    assert bars({}) == []
    assert [bar.width for bar in bars({"parsed": 0.0})] == [THINNEST]
