"""The demo as a new user runs it: a process, a directory of its own, free ports."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from flipr.demo import hung_up, main
from flipr.embedded import free_ports

ROOT = Path(__file__).resolve().parents[2]
TAKEN_FROM_US = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "WEB_KEYS",
    "TOKEN_DIGEST_KEY",
    "VAULT_PUBLIC_KEY",
    "VAULT_PRIVATE_KEYS",
)

Demo = subprocess.Popen[str]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for what is left through /proc")


def until(true: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a place like a checkout, for the samples of the README."""
    return tmp_path_factory.mktemp("demo") / ".local"


@pytest.fixture(scope="module")
def start(local: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start_demo(**variables: str) -> Demo:
        web, sandbox = free_ports(2)
        kept = {name: value for name, value in os.environ.items() if name not in TAKEN_FROM_US}
        values = kept | {"LOCAL_DIR": str(local), "PORT": str(web), "SANDBOX_PORT": str(sandbox)} | variables
        local.mkdir(exist_ok=True)
        with (local / "output").open("w") as output:
            line = [sys.executable, "-m", "flipr.demo"]
            started.append(
                subprocess.Popen(line, env=values, cwd=ROOT, stdout=output, stderr=output, text=True)
            )
        return started[-1]

    yield start_demo
    for demo in started:
        demo.kill()
        demo.wait()


def summary(local: Path, demo: Demo) -> dict[str, str]:
    """What the demo says once it is up."""

    def read() -> dict[str, str]:
        assert demo.poll() is None, (local / "output").read_text()
        return json.loads((local / "demo.json").read_text()) if (local / "demo.json").exists() else {}

    return dict(until(read, 180))


def left_over(local: Path) -> list[str]:
    """Command lines of the processes that were started for this directory."""
    mark, found = str(local).encode(), []
    for process in Path("/proc").iterdir():
        try:
            if (
                process.name.isdecimal()
                and mark in (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            ):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue  # it ended meanwhile, or it is not ours to read
    return found


def test_once_trades_in_every_region_and_leaves_nothing_running(local, start):
    demo = start(ONCE="1")
    assert demo.wait(120) == 0, (local / "output").read_text()
    output = (local / "output").read_text()
    for line in ("Binance_F (tokyo)", "ByBit_F (singapore)", "Kraken_F (eu)"):
        assert f"{line}: opened, protected, closed; the exchange agrees." in output
    assert left_over(local) == []


@pytest.fixture(scope="module")
def running(local: Path, start: Callable[..., Demo]) -> tuple[Demo, dict[str, str], dict[str, str]]:
    """A later start in the same directory: the process, and the summaries before and now."""
    before = json.loads((local / "demo.json").read_text())
    (local / "demo.json").unlink()
    demo = start()
    return demo, before, summary(local, demo)


def test_the_next_start_has_the_same_hook_and_password(running):
    _, before, now = running
    assert now["webhook"].partition("/webhook/")[2] == before["webhook"].partition("/webhook/")[2]
    assert now["password"] == before["password"]


def test_keys_sealed_by_an_earlier_start_still_trade(running):
    _, _, now = running
    message = "BTCUSDT on Kraken_F market long 0.01 sl off 2%"
    answer = httpx.post(now["webhook"], content=message, params={"wait": 15}, timeout=30)
    assert (answer.status_code, answer.json()["status"]) == (200, "done")


def test_support_of_the_demo_sees_the_admin_pages(running):
    _, _, now = running
    with httpx.Client(base_url=now["dashboard"], follow_redirects=True) as browser:
        browser.get("/user/login/")
        form = {"login": now["support"], "password": now["password"]}
        browser.post("/user/login/", data=form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        assert "Orders" in browser.get("/admin/").text


def sample(language: str) -> str:
    """The first sample of the README in this language under "A first trade"."""
    section = (ROOT / "README.md").read_text().partition("## A first trade")[2]
    return section.partition(f"```{language}\n")[2].partition("```")[0]


def test_the_python_sample_of_the_readme_trades(local, running):
    line = [sys.executable, "-c", sample("python")]
    done = subprocess.run(line, cwd=local.parent, capture_output=True, text=True, check=False)
    assert (done.stdout.split()[0], done.stdout.split()[2]) == ("done", "armed"), done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_sample_of_the_readme_trades(running):
    _, _, now = running
    values = {"PATH": os.environ["PATH"], "WEBHOOK": now["webhook"]}
    done = subprocess.run(["sh", "-c", sample("sh")], env=values, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["status"] == "done", done.stdout


@pytest.mark.parametrize(("make", "ends"), [(os.openpty, True), (os.pipe, False)], ids=["terminal", "pipe"])
def test_a_closed_terminal_ends_the_demo_and_a_closed_pipe_does_not(make: Callable[[], Any], ends: bool):
    reader, writer = make()
    assert not hung_up(writer)
    os.close(reader)
    assert hung_up(writer) == ends
    os.close(writer)


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ({"PORT": "http"}, "PORT is 'http': write a whole number."),
        ({"SANDBOX_PORT": "99999"}, "SANDBOX_PORT is '99999': write 65535 or less."),
        (dict.fromkeys(("PORT", "SANDBOX_PORT"), str(free_ports(1)[0])), "PORT and SANDBOX_PORT are both"),
    ],
)
def test_ports_that_make_no_sense_are_told_in_a_line(
    ports: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    for name, value in ports.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert main() == 1
    assert told in capsys.readouterr().out


def test_what_is_secret_is_for_its_owner_only(local, running):
    private = ("demo.json", "keys/keys.json", "demo/sandbox-keys.json", "demo/password")
    assert {(local / name).stat().st_mode & 0o777 for name in private} == {0o600}


def test_a_second_demo_in_the_same_checkout_says_that_one_is_running(local, running, start):
    second = start()
    assert second.wait(60) == 1
    assert "is in use" in (local / "output").read_text()
    assert running[0].poll() is None


def test_ctrl_c_ends_everything(local, running):
    demo, _, _ = running
    demo.send_signal(signal.SIGINT)
    assert demo.wait(60) == 0
    assert left_over(local) == []


def test_a_port_that_was_asked_for_and_is_taken_is_named(local, start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        demo = start(PORT=str(taken.getsockname()[1]))
        assert demo.wait(30) == 1
    assert "PORT=" in (local / "output").read_text()
