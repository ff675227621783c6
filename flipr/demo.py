"""`make demo`: the whole service on this machine, trading on simulated exchanges.

Servers, keys and the demo user live under `.local`, so the next start finds the same hook. With ONCE=1 it
trades once in every region, compares the answers with what the exchanges have, and ends."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import httpx
from django.core.exceptions import ImproperlyConfigured

from exchanges.registry import venues
from flipr.cluster import ClusterError
from flipr.embedded import LOCAL, EmbeddedError, environment, free_ports
from flipr.env import env_bool, env_int, env_str
from flipr.keys import WORKERS_ONLY, keep_private, kept_private
from flipr.processes import ROOT, Processes, procfile
from flipr.regions import REGION_NAMES
from flipr.rehearsal import Rehearsal
from flipr.workers import answering

DIRECTORY = LOCAL / "demo"
SUMMARY = LOCAL / "demo.json"
SANDBOX_KEYS = DIRECTORY / "sandbox-keys.json"
#: every kind of key there is; the sandbox speaks for all native venues
EXCHANGES = tuple(dict.fromkeys(kind.key_family for kind in venues().values()))
READY_SECONDS = 180.0
WIDTH = max(map(len, procfile()))
SAMPLE = "BTCUSDT on Binance_F market long 0.01 sl off 2% tp off 5%"


class DemoError(RuntimeError):
    """The demo cannot go on; the message says why."""


class Demo:
    """One run: `values` is the environment of the processes, `children` are they."""

    def __init__(self, values: Mapping[str, str], children: Processes) -> None:
        self._values = values
        self._children = children
        self.web, self.sandbox = values["PUBLIC_URL"], values["SANDBOX_URL"]

    def bring_up(self) -> dict[str, str]:
        """Everything running and answering. Returns what `.local/demo.json` says."""
        say("Starting the exchanges, the database, and a user with keys and a hook ...")
        self._start("sandbox")
        self._until("the sandbox answers", lambda: _answers(f"{self.sandbox}/_sandbox/state?venue=Binance_F"))
        self._open_sandbox_accounts()
        prepared = self._prepare()
        say("Starting the web server, a worker per region, and beat ...")
        for name in procfile():
            if name != "sandbox":
                self._start(name)
        self._until("the web server answers", lambda: _answers(f"{self.web}/healthz"))
        self._until("every region's worker answers", self._workers_answer)
        summary = {
            "dashboard": self.web,
            "webhook": prepared["webhook"],
            "sandbox": self.sandbox,
            "email": prepared["email"],
            "password": self._values["DEMO_PASSWORD"],
            "support": prepared["support"],
        }
        keep_private(SUMMARY, json.dumps(summary, indent=2) + "\n")
        return summary

    def watch(self) -> int:
        """Until a process ends by itself, which is a failure; Ctrl-C and a closed terminal raise from here."""
        while not (ended := self._children.ended()):
            if hung_up(sys.stdout.fileno()):
                raise KeyboardInterrupt
            time.sleep(0.5)
        raise DemoError(f"Ended by itself: {', '.join(ended)}. Its last lines are above.")

    def _start(self, name: str) -> None:
        self._children.start(name, procfile()[name], self._values)

    def _until(self, what: str, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not true():
            if ended := self._children.ended():
                raise DemoError(f"Ended by itself: {', '.join(ended)}. Its last lines are above.")
            if time.monotonic() > deadline:
                raise DemoError(f"Not within {READY_SECONDS:.0f} seconds: {what}.")
            time.sleep(0.05)

    def _workers_answer(self) -> bool:
        urls = [
            self._values.get(f"BROKER_URL_{name.upper()}") or self._values["REDIS_URL"]
            for name in REGION_NAMES
        ]
        return answering(urls) >= set(REGION_NAMES)

    def _open_sandbox_accounts(self) -> None:
        """The sandbox forgets when it stops; the same keys are put back, so that ours go on to fit."""
        kept = json.loads(SANDBOX_KEYS.read_text()) if SANDBOX_KEYS.exists() else {}
        for exchange in EXCHANGES:
            wanted = {"exchange": exchange, **kept.get(exchange, {})}
            answer = httpx.post(f"{self.sandbox}/_sandbox/accounts", json=wanted)
            if answer.status_code != 200:
                raise DemoError(f"The sandbox refused an account on {exchange}: {answer.text}")
            kept[exchange] = {name: answer.json()[name] for name in ("key", "secret", "passphrase")}
        keep_private(SANDBOX_KEYS, json.dumps(kept))

    def _prepare(self) -> dict[str, str]:
        line = [sys.executable, str(ROOT / "manage.py"), "prepare_demo"]
        values = {name: value for name, value in self._values.items() if name != WORKERS_ONLY}
        done = subprocess.run(line, env=values, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise DemoError(f"The demo's user could not be made:\n{done.stdout}{done.stderr}")
        return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        return run(once=env_bool("ONCE", False))
    except (DemoError, EmbeddedError, ClusterError, ImproperlyConfigured) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 0


def run(*, once: bool) -> int:
    web, sandbox = _port("PORT", 8000), _port("SANDBOX_PORT", 8100)
    if web == sandbox:
        raise DemoError(f"PORT and SANDBOX_PORT are both {web}: choose another for one of them.")
    with environment(DIRECTORY) as base:
        values = _values(base, web, sandbox)
        os.environ.update(values)
        with _children() as children:
            demo = Demo(values, children)
            summary = demo.bring_up()
            _announce(summary)
            return Rehearsal(summary, say).run() if once else demo.watch()


def say(text: str) -> None:
    _print("demo", text)


def _print(name: str, text: str) -> None:
    with suppress(OSError):  # nobody reads any more; the processes must not wait for a reader
        for line in text.splitlines() or [""]:
            sys.stdout.write(f"{name:{WIDTH}} | {line}\n")
        sys.stdout.flush()


def hung_up(output: int) -> bool:
    """Whether the terminal was closed. It says so to what leads its session only: where that is make, it waits for us
    and passes nothing on. A pipe may lose its reader, who has seen what was to be seen."""
    ends = select.poll()
    ends.register(output, 0)
    return any(event & select.POLLHUP for _, event in ends.poll(0))


def _leave(_number: int, _frame: FrameType | None) -> None:
    """Once; what follows is the orderly end, and that is not to be interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextmanager
def _children() -> Iterator[Processes]:
    children = Processes(_print)
    try:
        yield children
    finally:
        children.stop()


def _values(base: Mapping[str, str], web: int, sandbox: int) -> dict[str, str]:
    return {
        "PYTHONWARNINGS": "ignore",  # Celery minds root; nothing comes from outside here
        "WORKER_THREADS": "8",
        **base,
        "PORT": str(web),
        "SANDBOX_PORT": str(sandbox),
        "SANDBOX_CONTROL": "1",
        "SANDBOX_URL": f"http://127.0.0.1:{sandbox}",
        "PUBLIC_URL": f"http://127.0.0.1:{web}",
        "DEMO_PASSWORD": kept_private(DIRECTORY / "password-of-the-user", lambda: secrets.token_urlsafe(9)),
        "DEMO_SANDBOX_KEYS": str(SANDBOX_KEYS),
    }


def _port(name: str, default: int) -> int:
    """The one asked for, or the default, or a free one when somebody has the default."""
    wanted = env_int(name, default, least=1, most=65_535)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            if env_str(name):
                raise DemoError(f"{name}={wanted} is taken: choose another, or leave {name} out.") from None
            return free_ports(1)[0]
    return wanted


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def _announce(summary: Mapping[str, Any]) -> None:
    say(
        f"\nflipr is up. Ctrl-C ends it.\n\n"
        f"  dashboard  {summary['dashboard']}\n"
        f"  log in     {summary['email']}  {summary['password']}\n"
        f"  support    {summary['support']}, the same password, to see {summary['dashboard']}/admin/\n"
        f"  webhook    {summary['webhook']}\n"
        f"  sandbox    {summary['sandbox']}\n\n"
        f"A first trade:\n\n  curl -d '{SAMPLE}' {summary['webhook']}\n\n"
        f"The same values are in {os.path.relpath(SUMMARY)}.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
