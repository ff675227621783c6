"""What the benchmark talks to besides flipr: sandboxes with and without TLS, the delaying proxy, a certificate."""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchanges.types import Credentials
from flipr.embedded import free_ports
from flipr.processes import Processes
from tests.bench.proxy import Counts

DELAY_MS = 15.0
ROUND_TRIP_MS = 2 * DELAY_MS
READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the sandbox. `context()` is what a client needs to trust it, made anew; `counts()` what a proxy
    on the way has seen."""

    name: str
    url: str
    context: Callable[[], ssl.SSLContext | bool]
    counts: Callable[[], Counts] = Counts
    distant: bool = False


@contextmanager
def ways(directory: Path) -> Iterator[list[Way]]:
    """The same exchanges on plain loopback, over TLS, and over TLS from 30 ms away."""
    plain, secure, far, counts = free_ports(4)
    certificate, key = self_signed(directory)
    children = Processes(_quiet)
    try:
        _start(children, "plain", f"python -m exchanges.sandbox --control --port {plain}")
        tls = f"--tls-cert {certificate} --tls-key {key}"
        _start(children, "secure", f"python -m exchanges.sandbox --control --port {secure} {tls}")
        delayed = f"--port {far} --counts-port {counts} --to 127.0.0.1:{secure} --delay-ms {DELAY_MS}"
        _start(children, "far", f"python -m tests.bench.proxy {delayed}")
        for port in (plain, secure, far, counts):
            _await_port(port)

        def trusting() -> ssl.SSLContext:
            context = httpx.create_ssl_context()  # what a client has by default, and our certificate
            context.load_verify_locations(certificate)
            return context

        yield [
            Way("loopback", f"http://127.0.0.1:{plain}", httpx.create_ssl_context),
            Way("tls", f"https://127.0.0.1:{secure}", trusting),
            Way("far", f"https://127.0.0.1:{far}", trusting, lambda: _counts(counts), distant=True),
        ]
    finally:
        children.stop()


def self_signed(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox of a benchmark")])
    now = datetime.now(UTC)
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, encryption_algorithm=serialization.NoEncryption()
    )
    paths = directory / "certificate.pem", directory / "key.pem"
    for path, content in zip(paths, (certificate.public_bytes(pem), private), strict=True):
        path.write_bytes(content)
    return paths


def keep_alive(url: str, context: ssl.SSLContext | bool = True) -> http.client.HTTPConnection:
    """The plainest client there is: one socket of the standard library."""
    parts = urlsplit(url)
    assert parts.hostname
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=40)
    assert isinstance(context, ssl.SSLContext)
    return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=40, context=context)


def control(
    url: str, name: str, body: Mapping[str, Any], context: ssl.SSLContext | bool = True
) -> dict[str, Any]:
    """A word to the sandbox itself."""
    answer = httpx.post(f"{url}/_sandbox/{name}", json=body, verify=context)
    answer.raise_for_status()
    return dict(answer.json())


def open_key(url: str, exchange: str, context: ssl.SSLContext | bool = True) -> Credentials:
    opened = control(url, "accounts", {"exchange": exchange}, context)
    return Credentials(opened["key"], opened["secret"], opened["passphrase"])


def _start(children: Processes, name: str, command: str) -> None:
    children.start(name, command, os.environ)


def _quiet(name: str, line: str) -> None:
    """What the sandboxes print is not for the table."""


def _await_port(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {READY_SECONDS:g} s")


def _counts(port: int) -> Counts:
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as told:
        return Counts(**json.loads(told.read()))
