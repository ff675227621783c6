"""`python -m exchanges.sandbox --port 8900`: run the simulated exchanges until stopped."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys

from exchanges.sandbox.server import bound_port, listen, tls_context
from exchanges.sandbox.world import World

if sys.platform == "win32":
    from asyncio import run
else:
    from uvloop import run


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m exchanges.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port and prints it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--tls-cert", help="certificate chain, PEM")
    parser.add_argument("--tls-key", help="its private key, PEM")
    parser.add_argument(
        "--control",
        action="store_true",
        default=os.environ.get("SANDBOX_CONTROL") == "1",
        help="serve /_sandbox/ to loopback (also SANDBOX_CONTROL=1)",
    )
    asked = parser.parse_args()
    if bool(asked.tls_cert) != bool(asked.tls_key):
        parser.error("--tls-cert and --tls-key go together")
    return asked


async def serve(asked: argparse.Namespace) -> None:
    tls = tls_context(asked.tls_cert, asked.tls_key) if asked.tls_cert else None
    server = await listen(World(), asked.host, asked.port, tls=tls, controlled=asked.control)
    scheme = "https" if tls else "http"
    sys.stdout.write(f"sandbox listens on {scheme}://{asked.host}:{bound_port(server)}\n")
    sys.stdout.flush()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
            loop.add_signal_handler(number, stopped.set)
    await stopped.wait()
    server.close()  # and not wait_closed: idle keep-alive clients may stay as long as they like


def main() -> None:
    asked = options()
    try:
        run(serve(asked))
    except OSError as problem:  # the port is taken, the certificate is not there ...
        sys.exit(f"sandbox: {problem}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
