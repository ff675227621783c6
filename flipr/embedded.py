"""PostgreSQL and Redis from wheels as child processes, for the demo, the tests and development.

`python -m flipr.embedded COMMAND...` runs a command with DATABASE_URL, REDIS_URL and keys set. Everything
lives in one directory, listens on loopback behind a password, and ends with its parent."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from flipr import child, cluster
from flipr.cluster import DATABASE, USER
from flipr.env import env_str
from flipr.keys import stored_keys
from flipr.lock import locked

START_SECONDS = 120.0
STOP_SECONDS = 20.0
PORTS = range(20_000, 32_000)
LOCAL = Path(env_str("LOCAL_DIR") or Path(__file__).resolve().parent.parent / ".local")

# What a test run does not need: surviving a power cut.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off", "max_wal_size=4GB")


class EmbeddedError(RuntimeError):
    """A server did not start; the message says why."""


@dataclass(frozen=True, slots=True)
class Servers:
    database_url: str
    redis_url: str


class Embedded:
    """Both servers of one directory. The addresses are known before `start`, so settings can be read first."""

    def __init__(self, directory: Path, *, fast: bool = False) -> None:
        self.directory = directory.resolve()
        self._fast = fast
        self._stack = ExitStack()

    def open(self) -> Servers:
        """Take the directory, fill it the first time, and choose addresses. Raises EmbeddedError when
        another process has it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self._stack.enter_context(locked(self.directory / "lock", wait=False)):
            raise EmbeddedError(f"{self.directory} is in use: another process runs its servers there.")
        self._password = cluster.prepare(self.directory, template=LOCAL / cluster.template_name())
        self._postgres_port, self._redis_port = free_ports(2)
        return Servers(
            database_url=f"postgresql://{USER}:{self._password}@127.0.0.1:{self._postgres_port}/{DATABASE}",
            redis_url=f"redis://:{self._password}@127.0.0.1:{self._redis_port}/0",
        )

    def start(self) -> None:
        """Start both and wait until they answer. Raises EmbeddedError."""
        postgres = self._start_postgres()
        redis_server = self._start_redis()
        self._wait("postgres", postgres, self._postgres_answers)
        self._wait("redis", redis_server, self._redis_answers)

    def close(self) -> None:
        self._stack.close()

    def _start_postgres(self) -> subprocess.Popen[bytes]:
        data = self.directory / "postgres"
        settings = [f"port={self._postgres_port}", "max_connections=200", *(FAST if self._fast else ())]
        arguments = [str(cluster.binary("postgres")), "-D", str(data)]
        for setting in settings:
            arguments += ["-c", setting]
        # Fast data is thrown away: stop at once. Otherwise end the sessions and write a checkpoint first.
        stop = signal.SIGQUIT if self._fast else signal.SIGINT
        user, reads = child.unprivileged(), [Path(arguments[0]), self.directory]
        return self._start(
            "postgres", child.command(arguments, death_signal=stop, user=user, reads=reads), stop
        )

    def _start_redis(self) -> subprocess.Popen[bytes]:
        """The configuration goes through standard input: a password has no place in a command line."""
        keep = "appendonly no" if self._fast else "appendonly yes\nappendfsync everysec"
        configuration = (
            f"bind 127.0.0.1\nport {self._redis_port}\nrequirepass {self._password}\n"
            f'save ""\n{keep}\ndir "{self.directory}"\npidfile "{self.directory / "redis.pid"}"\n'
        )
        cluster.end_left_over(self.directory / "redis.pid", "redis-server")
        arguments = child.command([str(cluster.redis_binary()), "-"], death_signal=signal.SIGTERM)
        process = self._start("redis", arguments, signal.SIGTERM, stdin=subprocess.PIPE)
        assert process.stdin is not None
        process.stdin.write(configuration.encode())
        process.stdin.close()
        return process

    def _start(
        self, name: str, arguments: list[str], stop: signal.Signals, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """A session of its own keeps Ctrl-C for us: the servers end last."""
        with (self.directory / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  (our own binaries)
                arguments, stdin=stdin, stdout=log, stderr=log, start_new_session=True, cwd=self.directory
            )
        self._stack.callback(_end, process, stop)
        return process

    def _wait(self, name: str, process: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if process.poll() is not None or time.monotonic() > deadline:
                log = (self.directory / f"{name}.log").read_text(errors="replace")
                raise EmbeddedError(f"The embedded {name} did not start:\n{log[-2000:]}")
            time.sleep(0.01)

    def _postgres_answers(self) -> bool:
        try:
            psycopg.connect(
                host="127.0.0.1",
                port=self._postgres_port,
                user=USER,
                password=self._password,
                dbname=DATABASE,
            ).close()
        except psycopg.OperationalError:
            return False
        return True

    def _redis_answers(self) -> bool:
        with redis.Redis(port=self._redis_port, password=self._password) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


@contextmanager
def servers(directory: Path, *, fast: bool = False) -> Iterator[Servers]:
    """Run both servers with their data under `directory`, which keeps them for the next time.

    `fast` gives up durability, for tests. Raises EmbeddedError."""
    embedded = Embedded(directory, fast=fast)
    try:
        addresses = embedded.open()
        embedded.start()
        yield addresses
    finally:
        embedded.close()


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on, from below those that the system gives to outgoing connections: a port
    chosen now is still free when its server starts a moment later."""
    with ExitStack() as held:
        return [_free_port(held) for _ in range(count)]


def _free_port(held: ExitStack) -> int:
    while True:
        port = secrets.choice(PORTS)
        probe = held.enter_context(socket.socket())
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _end(process: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    process.send_signal(stop)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def environment(directory: Path) -> Iterator[dict[str, str]]:
    """Our environment, completed by keys under `.local/keys` and servers under `directory` where it names none."""
    with ExitStack() as stack:
        values = stored_keys(LOCAL / "keys") | os.environ
        if not (values.get("DATABASE_URL") and values.get("REDIS_URL")):
            addresses = stack.enter_context(servers(directory))
            values["DATABASE_URL"] = values.get("DATABASE_URL") or addresses.database_url
            values["REDIS_URL"] = values.get("REDIS_URL") or addresses.redis_url
        yield values


def main(arguments: list[str]) -> int:
    """Run a command with everything set that it needs; the servers' data is under `.local/servers`."""
    if not arguments:
        sys.stderr.write("usage: python -m flipr.embedded COMMAND [ARGUMENT]...\n")
        return 2
    with environment(LOCAL / "servers") as values:
        return run_forwarding(arguments, values)


def run_forwarding(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; SIGTERM and Ctrl-C are passed on, so that it ends before its servers do."""
    process = subprocess.Popen(arguments, env=dict(environment))  # noqa: S603  (what the caller asked for)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: process.send_signal(received))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command as well
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
