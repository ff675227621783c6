"""Becoming a server that dies with its parent and is not root.

Run as a script (by path, standard library only), this process turns into the command it is given. Linux sends
it a signal when the parent ends, however that came about; elsewhere only an orderly end stops it, and the
next start removes what was left over."""

import ctypes
import os
import pwd
import signal
import stat
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 bits per set


def command(
    arguments: list[str],
    *,
    death_signal: signal.Signals,
    user: tuple[int, int] | None = None,
    reads: Sequence[Path] = (),
) -> list[str]:
    """The command line that ends as `arguments`.

    `user` is the uid and gid to become; when those could not reach one of the paths in `reads` (a checkout
    below a closed home directory), the child keeps the one capability that lets it."""
    uid, gid = user or (-1, -1)
    keep = user is not None and not all(map(_open_to_all, reads))
    head = [sys.executable, "-I", "-S", __file__, str(os.getpid())]
    return [*head, str(int(death_signal)), str(uid), str(gid), str(int(keep)), *arguments]


def unprivileged() -> tuple[int, int] | None:
    """Who to be instead of root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return nobody.pw_uid, nobody.pw_gid


def _open_to_all(path: Path) -> bool:
    """Whether any user could read this file, or enter this directory, and enter every directory above it."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in [path, *path.parents])


def become(parent: int, death_signal: int, uid: int, gid: int, keep: bool, arguments: list[str]) -> None:
    if uid >= 0:
        _drop_root(uid, gid, keep=keep)
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, death_signal)  # after the change of user, which forgets it
    if os.getppid() != parent:
        sys.exit("the parent ended before its server began")
    os.execv(arguments[0], arguments)  # noqa: S606  (that is the point)


def _drop_root(uid: int, gid: int, *, keep: bool) -> None:
    if keep:
        # Capabilities outlive the change of user, and count for access(2) too, which initdb asks about its files.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if keep:
        _keep_one_capability(1 << CAP_DAC_OVERRIDE)


def _keep_one_capability(mask: int) -> None:
    """Effective, permitted and inheritable, then ambient: the last one survives the exec of an ordinary file."""
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    sets = struct.pack("6I", mask, mask, mask, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _prctl(*arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:6]]
    become(numbers[0], numbers[1], numbers[2], numbers[3], bool(numbers[4]), sys.argv[6:])
