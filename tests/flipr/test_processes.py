import os
import re
import shlex
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from flipr.processes import Processes, procfile

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "s",
    "WEB_KEYS": "w",
    "TOKEN_DIGEST_KEY_FILE": "/t",
    "VAULT_PRIVATE_KEYS": "p",
    "VAULT_PRIVATE_KEYS_FILE": "/p",
}
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


@pytest.fixture
def lines():
    return defaultdict(list)


@pytest.fixture
def processes(lines):
    running = Processes(lambda name, line: lines[name].append(line))
    yield running
    running.stop()


def python(script: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(script)}"


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_the_procfile_has_every_process_of_the_service():
    assert list(procfile()) == ["web", "worker-eu", "worker-tokyo", "worker-singapore", "beat", "sandbox"]


def test_lines_arrive_under_the_name_of_their_process(processes, lines):
    processes.start("one", python("print('first'); print('second')"), os.environ)
    until(processes.ended)
    processes.stop("one")
    assert lines == {"one": ["first", "second"]}


def test_the_environment_is_used_in_the_command(processes, lines):
    processes.start("one", "echo ${WORD:-nothing}", {"WORD": "given", "PATH": os.environ["PATH"]})
    until(lambda: lines["one"])
    assert lines["one"] == ["given"]


def test_an_end_is_noticed_with_its_status(processes):
    processes.start("one", python("raise SystemExit(3)"), os.environ)
    until(processes.ended)
    assert processes.ended() == {"one": 3}


def test_a_process_that_ignores_the_request_to_end_is_killed(processes, lines, monkeypatch):
    monkeypatch.setattr("flipr.processes.STOP_SECONDS", 0.2)
    processes.start("one", python(STUBBORN), os.environ)
    until(lambda: lines["one"])
    pid = processes.pid("one")
    processes.stop()
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal at the parent's death")
def test_children_of_a_killed_parent_end_too(tmp_path):
    script = (
        "import os, threading\n"
        "from flipr.processes import Processes\n"
        "children = Processes(lambda name, line: None)\n"
        "children.start('one', 'sleep 60', os.environ)\n"
        "print(children.pid('one'), flush=True)\n"
        "threading.Event().wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not Path(f"/proc/{pid}").exists() or ") Z " in Path(f"/proc/{pid}/stat").read_text())


def known_to(name: str) -> set[str]:
    """Which of the secrets a process of the Procfile gets to see: its line, with `env` for its program."""
    head, _, _ = re.split(r"(uvicorn|celery)", procfile()[name], maxsplit=1)
    seen = subprocess.run(
        ["sh", "-c", f"{head} env"], env=SECRETS, capture_output=True, text=True, check=True
    )
    return {line.partition("=")[0] for line in seen.stdout.splitlines()} & SECRETS.keys() - {"PATH"}


def test_only_workers_can_open_exchange_keys():
    assert known_to("web") == known_to("beat") == {"SECRET_KEY", "WEB_KEYS", "TOKEN_DIGEST_KEY_FILE"}


@pytest.mark.parametrize("region", ["eu", "tokyo", "singapore"])
def test_workers_cannot_open_hook_tokens(region):
    assert known_to(f"worker-{region}") == {"SECRET_KEY", "VAULT_PRIVATE_KEYS", "VAULT_PRIVATE_KEYS_FILE"}
