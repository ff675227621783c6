"""What a POST brought, apart from what it means: body, options, where it came from."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict

from webhooks.bounds import BODY_LIMIT
from webhooks.models import KEY_LENGTH
from webhooks.refused import bad_option

LONGEST_WAIT = 30.0
TRUE, FALSE = {"", "1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_PREFER_WAIT = re.compile(
    r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6}(?:\.\d{1,6})?)\"?\s*(?=$|[,;])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Call:
    """One POST, as received. `body` ends one byte after the limit when it was longer."""

    user_id: str
    token: str = field(repr=False)
    body: bytes
    query: QueryDict
    prefer: str
    #: the Idempotency-Key; None without that header
    key: str | None
    source: str
    content_type: str
    received_ms: float
    started: float

    @property
    def received_at(self) -> datetime:
        return datetime.fromtimestamp(self.received_ms / 1000, UTC)

    def elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.started) * 1000, 3)

    def left_of(self, seconds: float) -> float:
        """What remains of a time that began with the receipt."""
        return max(seconds - self.elapsed_ms() / 1000, 0.0)


@dataclass(frozen=True, slots=True)
class Options:
    """`key` is the header's; the message may bring its own."""

    wait_seconds: float
    dry_run: bool
    key: str


def read(request: HttpRequest, user_id: str, token: str) -> Call:
    """From Django's request."""
    body, peer = request.read(BODY_LIMIT + 1), request.META.get("REMOTE_ADDR") or ""
    return call_of(user_id, token, body, request.META.get("QUERY_STRING", ""), request.headers, peer)


def call_of(user_id: str, token: str, body: bytes, query: str, headers: Mapping[str, str], peer: str) -> Call:
    """`headers` by case-blind name, or by lower-case name."""
    return Call(
        user_id=user_id,
        token=token,
        body=body,
        query=_query(query),
        prefer=headers.get("prefer", ""),
        key=_unquoted(headers.get("idempotency-key")),
        source=_source(peer, headers.get("x-forwarded-for", "")),
        content_type=headers.get("content-type", "")[:100],
        received_ms=time.time() * 1000,
        started=time.perf_counter(),
    )


def _unquoted(key: str | None) -> str | None:
    """`"a 1"` is the id a 1, as behind the word `id` of a message."""
    if key and len(key := key.strip()) > 1 and key[0] == key[-1] == '"':
        return key[1:-1].strip()
    return key


def _query(text: str) -> QueryDict:
    try:
        return QueryDict(text)
    except SuspiciousOperation:  # more options than Django reads: none of them can be ours alone
        return QueryDict("too-many-options")


def source_of(request: HttpRequest) -> str:
    return _source(request.META.get("REMOTE_ADDR") or "", request.headers.get("X-Forwarded-For", ""))


def _source(peer: str, forwarded: str) -> str:
    """The caller's address: the peer's, or with TRUSTED_PROXIES = n what the n-th proxy from here saw."""
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    # Fewer hops than proxies: it did not come through all of them, so what it says of itself counts nothing.
    return _address(hops[-trusted] if 0 < trusted <= len(hops) else peer)


def _address(text: str) -> str:
    """Without port, brackets and zone (PostgreSQL's inet takes none); IPv4 as such; "" when it is no address."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Address(int(address)))
    return str(address)


def options(call: Call) -> Options:
    """Raises Refused 400 for an option flipr does not know: `?dryrun=1` must not send a real order."""
    for name in call.query:
        if name not in ("wait", "dry"):
            message = f'"{name[:40]}" is not an option of a webhook'
            raise bad_option("UNKNOWN_OPTION", message, "there are ?wait=SECONDS and ?dry=1")
        if len(call.query.getlist(name)) > 1:
            raise bad_option("TWICE", f'"{name}" stands twice in the address', "leave one of the two out")
    return Options(_wait(call), _dry(call), _key(call))


def _key(call: Call) -> str:
    if call.key is None:
        return ""
    if not call.key:  # whoever sends one means that no message is carried out twice
        raise bad_option("BAD_ID", "the Idempotency-Key is empty", "give it a value, or leave the header out")
    if len(call.key) > KEY_LENGTH:
        message = f"the id is longer than {KEY_LENGTH} characters"
        raise bad_option("BAD_ID", message, "shorten the Idempotency-Key")
    return call.key


def _wait(call: Call) -> float:
    if "wait" in call.query:
        return _seconds(str(call.query["wait"]))
    # A preference may be disregarded, a wrong one too (RFC 7240, section 2).
    if preferred := _PREFER_WAIT.search(call.prefer):
        return min(float(preferred[1]), LONGEST_WAIT)
    return float(settings.HOOK_WAIT_SECONDS)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII) or float(text) > LONGEST_WAIT:
        message = f'"{text[:40]}" is not a time to wait'
        raise bad_option("BAD_WAIT", message, "write seconds from 0 to 30, for example ?wait=15")
    return float(text)


def _dry(call: Call) -> bool:
    word = str(call.query.get("dry", "no")).lower()
    if word not in TRUE | FALSE:
        raise bad_option("BAD_DRY", f'dry is 1 or 0, not "{word[:40]}"', "write ?dry=1")
    return word in TRUE
