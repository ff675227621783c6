"""`python -m tests.chaos storm|load|soak`: proves, figures on the way, and exits 0 only when nothing was found."""

from __future__ import annotations

import argparse
import os
import sys

from tests.chaos.servers import breakable


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("what", choices=("storm", "load", "soak"))
    parser.add_argument("--commands", type=int, default=int(os.environ.get("CHAOS_COMMANDS", "3000")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CHAOS_SEED", "0")) or None)
    parser.add_argument("--ids", action="store_true", help="every message has an id")
    parser.add_argument("--only", default="", help="these venues: Kraken,OKX_F")
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    with breakable() as servers:
        import django

        django.setup()
        from tests.chaos import run  # the settings have to be known before

        if asked.what == "storm":
            only = [name for name in asked.only.split(",") if name]
            return run.storm(servers, asked.commands, asked.seed, only, ids=asked.ids)
        if asked.what == "load":
            return run.load(asked.commands)
        return run.soak(asked.minutes)


if __name__ == "__main__":
    sys.exit(main())
