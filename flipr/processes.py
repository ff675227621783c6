"""The processes of the Procfile as children: started, read line by line, and ended with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from flipr import child

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 15.0

Output = Callable[[str, str], None]


def procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """Name -> command line, in the order of the file."""
    lines = (line.partition(":") for line in path.read_text().splitlines() if line.strip())
    return {name.strip(): command.strip() for name, _, command in lines}


class Processes:
    """Children by name. `output` is called with the name and each line, from one thread per child."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._running: dict[str, tuple[subprocess.Popen[str], threading.Thread]] = {}

    def start(self, name: str, command: str, environment: Mapping[str, str]) -> None:
        """A shell command, as in a Procfile. Start from the main thread: the child dies with its parent thread."""
        path = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", os.defpath)])
        line = child.command(["/bin/sh", "-c", f"exec {command}"], death_signal=signal.SIGTERM)
        process = subprocess.Popen(  # noqa: S603  (our own Procfile)
            line,
            env={**environment, "PATH": path, "PYTHONUNBUFFERED": "1"},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C is ours to pass on, in order
        )
        reader = threading.Thread(
            target=self._read, args=(name, process), name=f"output of {name}", daemon=True
        )
        reader.start()
        self._running[name] = process, reader

    def ended(self) -> dict[str, int]:
        """Exit status by name of those that are not running any more."""
        found = {name: process.poll() for name, (process, _) in self._running.items()}
        return {name: status for name, status in found.items() if status is not None}

    def names(self) -> list[str]:
        return list(self._running)

    def pid(self, name: str) -> int:
        return self._running[name][0].pid

    def stop(self, *names: str) -> None:
        """End these, or all: politely, then for good after STOP_SECONDS."""
        chosen = [self._running.pop(name) for name in names or tuple(self._running)]
        for process, _ in chosen:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process, reader in chosen:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            reader.join()
            assert process.stdout is not None
            process.stdout.close()

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._output(name, line.rstrip("\n"))
