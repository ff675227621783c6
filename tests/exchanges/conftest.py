"""The sandbox as a real process on a free loopback port: one per test run, reset before each test."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Sandbox:
    """`url` is the root below which every venue has its lower-case name."""

    url: str
    http: httpx.Client = field(repr=False)

    def venue(self, name: str) -> str:
        return f"{self.url}/{name.lower()}"

    def price(self, pair: str, price: Any) -> None:
        self._post("prices", {pair: str(price)})

    def account(self, exchange: str, **options: Any) -> dict[str, str]:
        """key, secret, passphrase, fingerprint of a new account of a key family."""
        found: dict[str, str] = self._post("accounts", {"exchange": exchange, **options})
        return found

    def age(self, exchange: str, key: str, seconds: int) -> None:
        """So much time has passed since all that the account did."""
        self._post("age", {"exchange": exchange, "key": key, "seconds": seconds})

    def fault(self, fault: str, **options: Any) -> None:
        self._post("faults", {"fault": fault, **options})

    def no_faults(self) -> None:
        self._post("faults", {})

    def enforce_limits(self, enforce: bool) -> None:
        self._post("limits", {"enforce": enforce})

    def state(self, venue: str, key: str = "") -> dict[str, Any]:
        answer = self.http.get("/_sandbox/state", params={"venue": venue, "key": key})
        assert answer.status_code == 200, answer.text
        state: dict[str, Any] = answer.json()
        return state

    def reset(self) -> None:
        self._post("reset", {})

    def _post(self, action: str, data: dict[str, Any]) -> Any:
        answer = self.http.post(f"/_sandbox/{action}", json=data)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "exchanges.sandbox", "--port", "0", "--control"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            with httpx.Client(base_url=url, timeout=10) as http:
                yield Sandbox(url, http)
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    sandbox_process.reset()
    return sandbox_process
