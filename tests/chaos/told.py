"""What is known of a storm besides the books: what callers were told, and when something was broken."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.plan import Post


@dataclass(slots=True)
class Answer:
    """`status` 0: the connection was lost before the answer."""

    status: int
    body: dict[str, Any]
    seconds: float


@dataclass(slots=True)
class Told:
    """One post and its answers, in order: the last one is what the caller goes by."""

    post: Post
    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something was down, or (with an owner) a call of that account was hit by a fault. Seconds of the wall's clock."""

    begun: float
    until: float
    owner: tuple[int, str] | None = None
