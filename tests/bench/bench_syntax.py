"""How many messages a second one core reads: `python -m tests.bench.bench_syntax [--json]`.

CPU time of this process, so that other work on the machine changes little; the best and the median of
several rounds. Nothing is kept between two messages but the look-ups of symbols and exchanges, as in service.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from webhooks.syntax import BadCommand, parse

AIM = 20_000
ONE_LINE = "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%"
EXAMPLES = Path(__file__).parents[1] / "webhooks" / "data" / "examples.json"
WRONG = Path(__file__).parents[1] / "webhooks" / "data" / "wrong.json"


def texts(path: Path) -> list[str]:
    return [case["text"] for case in json.loads(path.read_text(encoding="utf-8"))]


def read_all(messages: list[str]) -> None:
    for message in messages:
        try:
            parse(message)
        except BadCommand:
            continue


def rates(messages: list[str], rounds: int, count: int) -> list[float]:
    """Messages per second of each round, slowest first."""
    repeats = max(count // len(messages), 1)
    found = []
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(repeats):
            read_all(messages)
        found.append(repeats * len(messages) / (time.process_time() - begin))
    return sorted(found)


def measure(rounds: int = 15, count: int = 2000) -> dict[str, dict[str, int]]:
    cases = {"one line": [ONE_LINE], "40 examples": texts(EXAMPLES), "20 wrong messages": texts(WRONG)}
    read_all([text for each in cases.values() for text in each])  # warm: imports, patterns, look-ups
    result = {}
    for name, messages in cases.items():
        found = rates(messages, rounds, count)
        result[name] = {"median": round(statistics.median(found)), "best": round(found[-1])}
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    found = measure()
    if arguments.json:
        print(
            json.dumps({"unit": "messages per second, one core", "aim": {"one line": AIM}, "results": found})
        )
        return
    print(f"{'messages per second on one core':<34}{'median':>10}{'best':>10}")
    for name, rate in found.items():
        print(f"{name:<34}{rate['median']:>10,}{rate['best']:>10,}")
    print(f"aim for one line: {AIM:,}")


if __name__ == "__main__":
    main()
