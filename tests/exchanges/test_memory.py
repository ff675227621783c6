"""What a venue keeps of keys stays bounded."""

from __future__ import annotations

import pytest

from exchanges import memory
from exchanges.memory import Memory


def test_a_full_memory_forgets_and_keeps_what_came_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED", 3)
    kept = Memory[int, str]()
    for number in range(4):
        kept[number] = "seen"
    assert list(kept) == [3]


def test_what_is_known_already_pushes_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "REMEMBERED", 2)
    kept = Memory[str, int]({"one": 1, "two": 2})
    kept["two"] = 3
    assert kept == {"one": 1, "two": 3}
