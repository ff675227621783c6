"""Clients that cannot live in this process, in one of their own: one JSON line asks, one answers.

Some packages disturb others when they are imported: `bitmex` puts its own ccxt in the place of ccxt. Such a client gets
a file in `clients/`, which imports it and ends in `serve(open)`; `open(words)` makes the object that is asked. Here,

    client = Elsewhere("tests.exchanges.clients.bitmex", {"apiKey": "..."})
    client.create_order("BTC/USDT", "market", "buy", 0.1)

calls that object's methods with what JSON can say. What they raise comes back as `Raised`. This module
imports nothing of ours and no client, so that it is the same on both sides.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]


class Raised(Exception):
    """`names` are those of the class raised over there and of its bases, the nearest first."""

    def __init__(self, names: list[str], said: str) -> None:
        super().__init__(f"{names[0]}: {said}")
        self.names = names


class Elsewhere:
    """Ends with `close`, or with the process that started it (its input ends then)."""

    def __init__(self, module: str, words: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )
        try:
            self.reopen(words)
        except BaseException:
            self.close()
            raise

    def reopen(self, words: Mapping[str, Any]) -> None:
        """Another client in the same process."""
        self._ask({"open": words})

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *values, **named: self._ask({"call": method, "values": values, "named": named})

    def _ask(self, question: Mapping[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the client's process ended with {self._process.wait()}")
        answer = json.loads(line)
        if "raised" in answer:
            raise Raised(answer["raised"], answer["said"])
        return answer["answer"]

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def serve(open_client: Callable[[Any], Any]) -> None:
    """Over there: answer until the input ends. What a client prints goes to stderr, not between the answers."""
    out, sys.stdout = sys.stdout, sys.stderr
    client = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "open" in question:
                client = open_client(question["open"])
                found = None
            else:
                found = getattr(client, question["call"])(*question["values"], **question["named"])
            answer = {"answer": found}
        except Exception as error:  # noqa: BLE001 - whatever a client raises is an answer here
            names = [kind.__name__ for kind in type(error).__mro__]
            answer = {"raised": names, "said": str(error)}
        out.write(json.dumps(answer, default=str) + "\n")
        out.flush()
