"""Peak memory of running processes, as the kernel counts it."""

from __future__ import annotations

from pathlib import Path

from flipr.processes import Processes


def peaks_mb(processes: Processes) -> dict[str, float]:
    """Largest resident size so far, in MB of a million bytes, by process. Linux only: elsewhere nothing."""
    found = {}
    for name in processes.names():
        status = Path(f"/proc/{processes.pid(name)}/status")
        if status.exists():
            found[name] = round(_peak_kib(status.read_text()) * 1024 / 1e6, 1)
    return found


def _peak_kib(status: str) -> int:
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1])
