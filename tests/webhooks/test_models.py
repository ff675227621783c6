"""Delivery ids."""

from __future__ import annotations

from webhooks.models import new_delivery_id


def test_ids_sort_by_time() -> None:
    ids = [new_delivery_id(ms) for ms in (1, 1_700_000_000_000, 1_790_000_000_000, 1_790_000_000_001)]

    assert ids == sorted(ids)


def test_ids_of_one_moment_differ_in_most_of_their_characters() -> None:
    ids = {new_delivery_id(1_790_000_000_000) for _ in range(1000)}

    assert len(ids) == 1000
    assert len({each[-16:] for each in ids}) == 1000
    assert {len(each) for each in ids} == {28}
