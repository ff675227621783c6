"""The machinery of the contract suite: fixture files, the scripted exchange, values in plain words.

The cases every venue must show and the format of a fixture file are at the top of `test_contract.py`.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from exchanges.clock import Clock
from exchanges.errors import ExchangeError
from exchanges.limits import LocalGate
from exchanges.registry import venues
from exchanges.transport import Transport
from exchanges.types import (
    Credentials,
    Direction,
    Environment,
    Instrument,
    Legs,
    MarginMode,
    OrderRef,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Venue, plain_number

FIXTURES = Path(__file__).parent / "fixtures"
NOW_MS = 1_700_000_000_000
ORDER_WORDS = {
    "side": Side,
    "type": OrderType,
    "time_in_force": TimeInForce,
    "trigger_by": TriggerBy,
    "position_side": Direction,
    "margin_mode": MarginMode,
}
#: calls of a ccxt client by the case of a fixture that they are held against: its method, the value, further parameters
Settings = dict[str, list[tuple[str, Any, dict[str, Any]]]]
ORDER_NUMBERS = ("quantity", "quote_quantity", "price", "trigger_price", "leverage")


# -- fixture files ---------------------------------------------------------------------------------------


@functools.cache
def fixture_file(exchange: str) -> dict[str, Any]:
    """The fixtures of one exchange; {} when it has no file (every case of its venues then fails)."""
    path = FIXTURES / f"{exchange}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def fixture(name: str) -> dict[str, Any]:
    """The part of a venue, `keys` and `auth_params` of its exchange filled in."""
    whole = fixture_file(venues()[name].exchange)
    own: dict[str, Any] = whole.get("venues", {}).get(venues()[name].name, {})
    shared = {key: whole[key] for key in ("keys", "auth_params") if key in whole}
    defaults: dict[str, Any] = {
        "keys": {"key": "the-key", "secret": "the-secret"},
        "auth_params": [],
        "cases": {},
    }
    return defaults | shared | own


def case(name: str, wanted: str) -> dict[str, Any] | None:
    """One case of a venue with what it takes over from another (`like`) filled in."""
    cases: dict[str, dict[str, Any]] = fixture(name)["cases"]
    if (found := cases.get(wanted)) is None or "like" not in found:
        return found
    base = case(name, found["like"])
    assert base is not None, f'{name}: "{wanted}" is like "{found["like"]}", which does not exist'
    taken = {
        key: value for key, value in base.items() if key not in ("expect", "raises", "code", "retry_after")
    }
    return taken | found


def changed(answer: Any, path: str, value: Any = None, *, remove: bool = False) -> Any:
    """A copy of an answer with the value at `path` ("orders.0.status") replaced or removed."""
    answer = copy.deepcopy(answer)
    holder, steps = answer, [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps[:-1]:
        holder = holder[step]
    _ = holder[steps[-1]]  # a path that leads nowhere would test nothing
    if remove:
        del holder[steps[-1]]
    else:
        holder[steps[-1]] = value
    return answer


# -- the scripted exchange -------------------------------------------------------------------------------


class Script:
    """An exchange that gives prepared answers in order and keeps what it was asked."""

    def __init__(self, steps: list[dict[str, Any]], auth_params: list[str]) -> None:
        self.steps = steps
        self.auth_params = auth_params
        self.seen: list[dict[str, Any]] = []
        self.raw: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.raw.append(request)
        self.seen.append(seen(request, self.auth_params))
        if len(self.seen) > len(self.steps):
            raise AssertionError(f"the venue asks more than the fixture answers: {self.seen[-1]}")
        return response(self.steps[len(self.seen) - 1]["answer"])

    @property
    def wanted(self) -> list[dict[str, Any]]:
        return [{"host": "", "params": {}} | step["request"] for step in self.steps]


def json_params(body: str) -> dict[str, Any]:
    """A JSON body as venues take parameters: a list is the one named ""."""
    data = json.loads(body)
    return data if isinstance(data, dict) else {"": data}


def response(answer: Mapping[str, Any]) -> httpx.Response:
    body = answer.get("body")
    content = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(
        answer.get("status", 200), headers=answer.get("headers", {}), content=content.encode()
    )


def seen(request: httpx.Request, auth_params: list[str]) -> dict[str, Any]:
    """A request in the words of the fixtures. Query and body make one table of parameters; a body that is
    a JSON array is told as it is."""
    target = urlsplit(str(request.url))
    params: Any = dict(parse_qsl(target.query, keep_blank_values=True))
    if content := request.content.decode():
        body = json.loads(content) if content[0] in "{[" else dict(parse_qsl(content, keep_blank_values=True))
        params = params | body if isinstance(body, dict) else body
    if isinstance(params, dict):
        params = {name: value for name, value in params.items() if name not in auth_params}
    host = target.hostname or ""
    return {
        "method": request.method,
        "host": "" if host == "exchange.test" else host.removesuffix(".exchange.test"),
        "path": target.path,
        "params": params,
    }


def no_waiting(seconds: float) -> None:
    raise AssertionError(f"the gate wanted to wait {seconds} s in a test")


def open_venue(name: str, wire: Any, environment: str = "live") -> Venue:
    """A venue whose every host ends in `wire`, at a standing clock, behind a gate of its own."""
    kind = venues()[name]

    def transport(host: str) -> Transport:
        if isinstance(wire, Transport):
            return wire
        return Transport(f"https://{host}", wire=httpx.MockTransport(wire))

    venue = kind(
        transport("exchange.test"),
        environment=Environment(environment),
        clock=Clock(wall=lambda: NOW_MS / 1000),
        gate=LocalGate(clock=lambda: 1000.0, sleep=no_waiting, patience_seconds=0.0),
        other_transports={host: transport(f"{host}.exchange.test") for host in kind.hosts},
    )
    if hasattr(venue, "pause"):  # those who look again after a moment
        venue.pause = lambda seconds: None
    return venue


def credentials(name: str) -> Credentials:
    return Credentials(**fixture(name)["keys"])


# -- values in plain words -------------------------------------------------------------------------------


@functools.cache
def known_instruments(name: str) -> dict[str, Instrument]:
    """What the venue reads from its own "instruments" case, by symbol."""
    found = case(name, "instruments")
    assert found is not None, f'{name}: no case "instruments" in its fixture file'
    script = Script(found["exchange"], fixture(name)["auth_params"])
    return {each.symbol: each for each in open_venue(name, script).instruments()}


def instrument(name: str, symbol: str = "") -> Instrument:
    known = known_instruments(name)
    return known[symbol or fixture(name).get("instrument", next(iter(known)))]


def order(name: str, words: Mapping[str, Any]) -> OrderRequest:
    values: dict[str, Any] = {"client_id": "f01jd3x8k2mqzv7w5n9trh4bcye", **words}
    for field, kind in ORDER_WORDS.items():
        if field in values:
            values[field] = kind(values[field])
    for field in ORDER_NUMBERS:
        if field in values:
            values[field] = Decimal(values[field])
    return OrderRequest(instrument=instrument(name, values.pop("symbol", "")), **values)


def act(venue: Venue, name: str, action: str, words: Mapping[str, Any]) -> Any:
    """Do what a case says and give back what the venue answers."""
    keys, symbol = credentials(name), words.get("symbol", "")
    match action:
        case "instruments":
            return venue.instruments()
        case "server_time":
            return venue.server_time_ms()
        case "quote":
            return venue.quote(instrument(name, symbol))
        case "place":
            return venue.place(keys, order(name, words["order"]))
        case "place_many":
            return venue.place_many(keys, [order(name, each) for each in words["orders"]])
        case "protect":
            legs = Legs(order(name, words["legs"]["stop"]), order(name, words["legs"]["target"]))
            return venue.protect(keys, legs)
        case "cancel":
            return venue.cancel(keys, instrument(name, symbol), OrderRef(**words["ref"]))
        case "cancel_all":
            return venue.cancel_all(keys, instrument(name, symbol))
        case "fetch":
            return venue.fetch(keys, instrument(name, symbol), OrderRef(**words["ref"]))
        case "fills":
            return venue.fills(keys, instrument(name, symbol), datetime.fromisoformat(words["since"]))
        case "open_orders" | "positions":
            which = instrument(name, symbol) if symbol else None
            return getattr(venue, action)(keys, which)
        case "position_mode":
            return venue.position_mode(keys, instrument(name, symbol))
        case "balances":
            return venue.balances(keys)
        case "key_info":
            return venue.key_info(keys)
        case "set_leverage":
            leverage, mode = words.get("leverage"), words.get("margin_mode")
            return venue.set_leverage(
                keys,
                instrument(name, symbol),
                Decimal(leverage) if leverage else None,
                MarginMode(mode) if mode else None,
            )
    raise AssertionError(f'no action "{action}"')


def in_words(value: Any) -> Any:
    """A decoded value as JSON would say it: numbers as text without trailing zeros, words as their value,
    records as the fields that differ from their default, an error by its class and code."""
    if isinstance(value, ExchangeError):
        return {"raises": type(value).__name__, "code": value.code}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
            if _told(value, field)
        }
        return {name: in_words(each) for name, each in told.items()}
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: in_words(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [in_words(each) for each in value]
    return str(value) if isinstance(value, str) else value


def _told(value: Any, field: dataclasses.Field[Any]) -> bool:
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return bool(default is dataclasses.MISSING or getattr(value, field.name) != default)
