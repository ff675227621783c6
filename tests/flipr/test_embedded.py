"""Real servers in directories of their own; the processes that own them are killed here in every way."""

import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import redis

from flipr import child, cluster
from flipr.embedded import Embedded, EmbeddedError, servers

ROOT = Path(__file__).resolve().parents[2]

# Runs servers in the directory it is given, prints their addresses, and waits.
OWNER = """
import sys, threading
from pathlib import Path
from flipr.embedded import servers
with servers(Path(sys.argv[1]), fast=True) as addresses:
    print(addresses.database_url, addresses.redis_url, flush=True)
    threading.Event().wait()
"""


def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def server_pids(directory: Path) -> list[int]:
    """PostgreSQL's and Redis's own pids, from the files that they write."""
    files = (directory / "postgres" / "postmaster.pid", directory / "redis.pid")
    return [int(file.read_text().split()[0]) for file in files]


@pytest.fixture
def owner(tmp_path):
    """Starts a process that owns servers in a directory; ends what is left of it."""
    started = []

    def start(directory: Path = tmp_path) -> tuple[subprocess.Popen[str], list[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", OWNER, str(directory)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().split()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_both_servers_answer_with_their_data_in_the_directory_only(tmp_path):
    with servers(tmp_path, fast=True) as addresses:
        with psycopg.connect(addresses.database_url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        with redis.Redis.from_url(addresses.redis_url) as client:
            kept = client.config_get("dir")["dir"]
            assert client.ping()
    assert row == (str(tmp_path / "postgres"),)
    assert kept == str(tmp_path)


def test_nobody_enters_without_the_password(tmp_path):
    with servers(tmp_path, fast=True) as addresses:
        for url in (addresses.database_url, addresses.redis_url):
            assert "@127.0.0.1:" in url
        host = addresses.database_url.partition("@")[2]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(f"postgresql://flipr:guess@{host}")
        door = addresses.redis_url.partition("@")[2]
        with redis.Redis.from_url(f"redis://{door}") as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()


def test_what_was_written_is_there_at_the_next_start(tmp_path):
    for statement in ("CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('still here')"):
        with servers(tmp_path) as addresses, psycopg.connect(addresses.database_url) as connection:
            connection.execute(statement)
        with servers(tmp_path) as addresses, redis.Redis.from_url(addresses.redis_url) as client:
            client.set("kept", "too")
    with servers(tmp_path) as addresses, psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)
        with redis.Redis.from_url(addresses.redis_url) as client:
            assert client.get("kept") == b"too"


def test_two_directories_side_by_side_do_not_meet(tmp_path):
    with servers(tmp_path / "a", fast=True) as first, servers(tmp_path / "b", fast=True) as second:
        assert first.database_url != second.database_url
        with redis.Redis.from_url(first.redis_url) as client:
            client.set("mine", "1")
        with redis.Redis.from_url(second.redis_url) as client:
            assert client.get("mine") is None


def test_a_directory_in_use_is_refused(tmp_path, owner):
    owner()
    with pytest.raises(EmbeddedError, match="in use"):
        Embedded(tmp_path).open()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start cleans up")
def test_servers_end_with_their_parent_however_it_ends(tmp_path, owner, number):
    process, _ = owner()
    pids = server_pids(tmp_path)
    assert all(map(alive, pids))
    process.send_signal(number)
    process.wait()
    until(lambda: not any(map(alive, pids)))


def test_the_next_start_works_at_once_after_a_kill(tmp_path, owner):
    process, _ = owner()
    process.kill()
    process.wait()
    with servers(tmp_path, fast=True) as addresses, psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_left_over_is_ended_and_its_pid_file_removed(tmp_path):
    script = "import signal, time; signal.signal(signal.SIGQUIT, signal.SIG_DFL); print('up', flush=True); time.sleep(60)"
    line = [sys.executable, "-c", script, "left-over-mark"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as left_over:
        assert left_over.stdout is not None
        left_over.stdout.readline()
        (tmp_path / "pid").write_text(f"{left_over.pid}\n/elsewhere\n")
        cluster.end_left_over(tmp_path / "pid", "left-over-mark")
        assert left_over.wait() == -signal.SIGQUIT
    assert not (tmp_path / "pid").exists()


def test_a_stranger_with_a_left_over_number_is_not_touched(tmp_path):
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    cluster.end_left_over(tmp_path / "pid", "a mark that we do not carry")
    assert not (tmp_path / "pid").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to be")
def test_root_runs_postgresql_as_nobody(tmp_path):
    with servers(tmp_path, fast=True):
        pid, _ = server_pids(tmp_path)
        assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to be")
def test_a_closed_home_directory_above_is_no_obstacle_and_stays_closed(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    with (
        servers(home / "checkout", fast=True) as addresses,
        psycopg.connect(addresses.database_url) as connection,
    ):
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to be")
def test_files_closed_to_others_can_be_read_and_run_by_the_child_only_where_told(tmp_path):
    # as in a checkout made under umask 077; `test` asks access(2), as initdb does
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    program = closed / "program"
    program.write_text("#!/bin/sh\necho ran as $(id -u)\n")
    program.chmod(0o700)
    script = f"test -x {program} && {program}"
    for reads, said in (((program,), f"ran as {pwd.getpwnam('nobody').pw_uid}\n"), ((), "")):
        line = child.command(
            ["/bin/sh", "-c", script], death_signal=signal.SIGTERM, user=child.unprivileged(), reads=reads
        )
        assert subprocess.run(line, capture_output=True, text=True, check=False).stdout == said


def test_a_server_that_cannot_start_says_why(tmp_path):
    with servers(tmp_path, fast=True):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedError, match="no_such_setting"), servers(tmp_path, fast=True):
        pass


def test_a_command_gets_servers_and_keys_and_its_status_is_passed_on():
    script = "import os, sys; sys.exit(7 if os.environ['DATABASE_URL'] and os.environ['WEB_KEYS'] else 1)"
    done = subprocess.run(
        [sys.executable, "-m", "flipr.embedded", sys.executable, "-c", script], cwd=ROOT, check=False
    )
    assert done.returncode == 7
