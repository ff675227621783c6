"""ccxt's side: its clients sign and read, and hand every request to the venue instead of sending it themselves.

ccxt is imported when the first connection is opened, not before: it costs a process some 80 MB.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from exchanges.errors import NotSent, Unsupported
from exchanges.transport import Answer, Request
from exchanges.types import Credentials

#: spot and futures of one exchange share what was loaded within this time
FRESH_SECONDS = 60.0
#: what ccxt remembers of one user's account: no clone may have it from another
PERSONAL = ("accounts", "accountsById", "orders", "myTrades", "positions", "balance", "triggerOrders")

Send = Callable[[str, Request, float], Answer]
"""(origin, request, ccxt's cost) -> the answer; raises ExchangeError for a bad one."""


class Wired:
    """Stands before a class of ccxt: time and wire are ours. One object serves one call of one user."""

    #: set on each clone
    send: Send
    now_ms: Callable[[], int] = staticmethod(lambda: time.time_ns() // 1_000_000)
    #: ccxt's own cost of the request that comes next
    weight: float = 1.0

    def milliseconds(self) -> int:
        return self.now_ms()

    def seconds(self) -> int:
        return self.now_ms() // 1000

    def microseconds(self) -> int:
        return self.now_ms() * 1000

    def throttle(self, cost: float | None = None) -> None:
        """Waiting is the gate's affair: ccxt only tells what the request costs."""
        self.weight = 1.0 if cost is None else float(cost)

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if body is not None and not isinstance(body, str):
            raise Unsupported("ccxt sends this as a form with parts, which is not spoken here")
        parts = urlsplit(url)
        request = Request(
            method,
            parts.path or "/",
            parts.query,
            (body or "").encode(),
            {str(name): str(value) for name, value in dict(headers or {}).items()},
        )
        return self.send(f"{parts.scheme}://{parts.netloc}", request, self.weight).data

    def judged(self, request: Request, answer: Answer) -> Exception | None:
        """What ccxt makes of an answer: one of its exceptions, or None for a good one. It is not shown the query,
        because its messages repeat the address and the query is signed."""
        text = json.dumps(answer.data)
        where = (answer.status, "", request.path, request.method, dict(answer.headers), text, answer.data)
        ccxt: Any = self
        try:
            settled = ccxt.handle_errors(*where, {}, None)
            if answer.status >= 400 and not settled:
                ccxt.handle_http_status_code(answer.status, "", request.path, request.method, text)
        except base_error() as error:
            return error
        return None


def base_error() -> type[Exception]:
    found: type[Exception] = module().BaseError
    return found


@cache
def module() -> Any:
    """Raises Unsupported where the extra is not installed."""
    try:
        return importlib.import_module("ccxt")
    except ImportError:
        raise Unsupported('ccxt is not installed: install flipr with its extra "generic"') from None


@cache
def _class_of(name: str) -> Any:
    return type(f"{name}_wired", (Wired, getattr(module(), name)), {})


def opened(name: str, product: str, *, testnet: bool) -> Any:
    """A client of one exchange, without user and wire. Numbers come out as text, exactly as they came in."""
    client = _class_of(name)({"number": str, "enableRateLimit": True, "enableLastHttpResponse": False})
    if testnet:
        client.set_sandbox_mode(True)
    client.has["fetchCurrencies"] = False  # a request more, often a signed one, for what no order needs
    client.options["defaultType"] = product
    client.options["defaultSubType"] = "linear"
    #: ByBit's word for "I know that it finds the last 500 orders only"
    client.options["fetchOrder"] = {**(client.options.get("fetchOrder") or {}), "acknowledged": True}
    client.session = None
    return client


def clone(
    client: Any,
    keys: Credentials | None,
    *,
    uid: bool,
    send: Send,
    now_ms: Callable[[], int],
    options: dict[str, Any] | None = None,
) -> Any:
    """The same client for one call of one user. It shares the markets with all, and `options`, where ccxt notes what
    it finds out about an account, with the user's other calls."""
    fresh = copy.copy(client)
    fresh.options = copy.deepcopy(client.options) if options is None else options
    for name in PERSONAL:
        if hasattr(fresh, name):
            setattr(fresh, name, None)
    fresh.send, fresh.now_ms = send, now_ms
    if keys is not None:
        fresh.apiKey, fresh.secret = keys.key, in_lines(keys.secret)
        setattr(fresh, "uid" if uid else "password", keys.passphrase)
    return fresh


def in_lines(secret: str) -> str:
    """A private key is handed out in a JSON file, where its line breaks are written as "\\n" (Coinbase)."""
    return secret.replace("\\n", "\n") if secret.startswith("-----BEGIN") else secret


def plain(data: Any) -> Any:
    """Fractions as text: ccxt reads text exactly, and takes a Decimal for no number at all."""
    if isinstance(data, Decimal):
        return f"{data:f}"
    if isinstance(data, list):
        return [plain(each) for each in data]
    if isinstance(data, Mapping):
        return {name: plain(value) for name, value in data.items()}
    return data


class Notes:
    """What ccxt found out about accounts (which kind it is, its id), so that it is not asked again at each order."""

    def __init__(self, *, seconds: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock = seconds, clock
        self._lock = threading.Lock()
        self._held: dict[bytes, tuple[float, dict[str, Any]]] = {}

    def of(self, keys: Credentials, fresh: Mapping[str, Any]) -> dict[str, Any]:
        """The options kept for this key; new ones made of `fresh`, and dropped a while after."""
        name = hashlib.sha256(f"{keys.key} {keys.secret} {keys.passphrase}".encode()).digest()
        with self._lock:
            now = self._clock()
            self._held = {key: each for key, each in self._held.items() if now - each[0] < self._seconds}
            if name not in self._held:
                self._held[name] = (now, copy.deepcopy(dict(fresh)))
            return self._held[name][1]


class Shelf:
    """The markets of each exchange, loaded once for all its products in this process. One that is slow to answer
    keeps nobody else waiting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)
        self._loaded: dict[tuple[str, str], tuple[float, Any]] = {}

    def fill(self, client: Any, address: str, load: Callable[[], Any], *, fresh: bool) -> None:
        """Give `client` the markets. `load` returns a client that has just read them; with `fresh`, those of
        another product count only if they are new."""
        name = (str(client.id), address)
        with self._locks[name]:
            held = self._loaded.get(name)
            if held is None or (fresh and self._clock() - held[0] > FRESH_SECONDS):
                held = self._loaded[name] = (self._clock(), load())
        client.set_markets_from_exchange(held[1])

    def forget(self) -> None:
        self._loaded.clear()


shelf = Shelf()


def lost(request: Request) -> NotSent:
    return NotSent(f"ccxt wanted to send {request.method} {request.path} to an address that is not known")
