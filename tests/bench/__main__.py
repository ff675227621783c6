"""`python -m tests.bench [--json] [--quick]`: how fast flipr is, against the sandbox, on this machine."""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench.run import FULL, QUICK, run
from tests.bench.table import as_json, as_text


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--quick", action="store_true", help="a few of everything: shows that it works")
    asked = parser.parse_args()
    found = run(QUICK if asked.quick else FULL, lambda line: print(line, file=sys.stderr))
    print(json.dumps(as_json(found), indent=2) if asked.json else as_text(found))


if __name__ == "__main__":
    main()
