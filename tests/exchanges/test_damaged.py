"""Every good answer of the fixtures once more, damaged: as another thing altogether, and with each of its fields missing,
null or of another kind. What comes of it is an error of our tree or what it would have been, never a crash and never
another order, position or balance.

A field that an exchange documents as optional, or whose loss nobody can see, is listed with its reason in the fixture
file of the exchange: `"optional": {"Venue action path": "why"}`, the path without the numbers of its rows.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from exchanges.errors import ExchangeError, OutcomeUnknown
from exchanges.registry import venues
from exchanges.transport import Answer, Request, Transport, read
from exchanges.types import Balance, Fill, KeyInfo, Position, Report
from tests.exchanges.contract import act, case, changed, fixture, fixture_file, open_venue, response
from tests.exchanges.test_contract import BATCH, FILLS, REQUIRED

#: what `place_many` reads are the answers that `place` reads
ACTIONS = (
    "place",
    "protect",
    "cancel",
    "fetch",
    "open_orders",
    "balances",
    "positions",
    "position_mode",
    "set_leverage",
    "key_info",
    "fills",
)
#: what the cases do that only some venues have
OTHERS = {BATCH: "place_many", FILLS: "fills"}
NOTHING = "[]"
#: instead of a whole answer
BODIES: tuple[Any, ...] = ("<html>Welcome</html>", "", "null", "42", "true", '"done"', "{}", "[{}]", NOTHING)
LONG = 10
SETTINGS = ("cancel", "set_leverage")
#: what has to stay what it was
KEPT: Mapping[type, tuple[str, ...]] = {
    Report: ("status", "quantity", "filled", "type", "trigger_price"),
    Position: ("direction", "quantity"),
    Balance: ("total", "free"),
    Fill: ("exchange_id", "client_id", "side", "quantity", "price", "at"),
}


class Crash(str):
    """An error that is not of our tree."""

    __slots__ = ()


class Answers(Transport):
    """An exchange that gives prepared answers in order, and none after the last. Answers are read as ever, but no request
    is made of what is asked: of the fifty thousand questions here that alone would take half the time."""

    def __init__(self, bodies: list[dict[str, Any]]) -> None:
        self.base_url = "https://exchange.test"
        self.left = iter(bodies)

    def send(self, request: Request) -> Answer:
        if (body := next(self.left, None)) is None:
            raise OutcomeUnknown("nothing more")
        return read(response(body))


def good_cases(name: str, action: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Those in which everything goes well, each script of answers once."""
    known = set[str]()
    for wanted in fixture(name)["cases"]:
        found, required = case(name, wanted) or {}, REQUIRED.get(wanted)
        does = found.get("do") or (required.do[0] if required else OTHERS[wanted])
        if does != action or not found.get("exchange") or "raises" in found or (required and required.raises):
            continue
        script = json.dumps([found["exchange"], found.get("order")])
        if script not in known:
            known.add(script)
            yield wanted, found


def holes(body: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, holder, place) of everything inside. Of a long list only the first row; and none of several words or
    numbers, for without one there is one less."""
    if isinstance(body, list):
        plain = {type(each) for each in body} in ({str}, {int})
        rows = len(body) > LONG and all(isinstance(each, dict | list) for each in body)
        places = [] if plain else list(enumerate(body))[: 1 if rows else None]
    else:
        places = list(body.items()) if isinstance(body, dict) else []
    for place, value in places:
        row = isinstance(body, list) and isinstance(value, dict | list)
        under = path if row else f"{path}.{place}"
        yield under.lstrip("."), body, place
        yield from holes(value, under)


def instead(holder: Any, place: Any) -> tuple[Any, ...]:
    """What may stand there; ... for its absence. A table of things by their names may have one less."""
    value, found = holder[place], list[Any]()
    if isinstance(holder, dict) and not all(isinstance(each, dict) for each in holder.values()):
        found.append(...)
    if value is not None:
        found.append(None)
    if isinstance(value, dict):
        return *found, 42, []
    return (*found, 42, {}) if isinstance(value, list) and value else tuple(found)


def damaged(answer: dict[str, Any], known: set[str]) -> Iterator[str]:
    """What was done to an answer, while it is so. `known`: what was done before, and is not done again."""
    whole = answer.get("body")
    if answer.get("status", 200) >= 400 or isinstance(whole, str):
        return
    for body in BODIES:
        answer["body"] = body
        if body != json.dumps(whole) and body not in known:
            yield body
    answer["body"] = whole
    known |= set(BODIES)
    for path, holder, place in holes(whole):
        if (hole := f"{path} {place} {json.dumps(holder)}") not in known:
            known.add(hole)
            yield from _damaged_at(path, holder, place)


def _damaged_at(path: str, holder: Any, place: Any) -> Iterator[str]:
    kept = holder.copy()
    for value in instead(holder, place):
        if value is ...:
            del holder[place]
        else:
            holder[place] = value
        yield f"{path} {'missing' if value is ... else json.dumps(value)}"
        holder.clear()
        holder.extend(kept) if isinstance(holder, list) else holder.update(kept)


def outcome_of(name: str, action: str, found: dict[str, Any], bodies: list[dict[str, Any]]) -> Any:
    try:
        return act(open_venue(name, Answers(bodies), found.get("environment", "live")), name, action, found)
    except ExchangeError as error:
        return error
    except Exception as error:  # noqa: BLE001  what a reader must never let out
        return Crash(f"{type(error).__name__}: {error}")


def differs(good: Any, told: Any) -> str:
    """What is not as it was; an error is no difference."""
    if isinstance(told, ExchangeError) or (isinstance(told, Report) and told.acknowledged_only):
        return ""  # what is only acknowledged is asked for
    if type(told) is not type(good):
        return str(told)
    if isinstance(good, KeyInfo):
        return "cannot withdraw" if good.can_withdraw and told.can_withdraw is False else ""
    if isinstance(good, Mapping):
        if good.keys() != told.keys():
            return f"names {sorted(told)}"
        good, told = list(good.values()), list(told.values())
    if isinstance(good, list | tuple):
        if len(good) != len(told):
            return f"{len(told)} instead of {len(good)}"
        return next(filter(None, map(differs, good, told)), "")
    kept = [each for each in KEPT.get(type(good), ()) if getattr(good, each) != getattr(told, each)]
    if kept:
        return f"{kept[0]} is {getattr(told, kept[0])}"
    return "" if type(good) in KEPT or good == told else str(told)


def damages(name: str, action: str) -> dict[str, str]:
    """What changes a result, and how."""
    changing, known = dict[str, str](), defaultdict[str, set[str]](set)
    for wanted, found in good_cases(name, action):
        steps = json.loads(json.dumps(found["exchange"]))
        answers = [step["answer"] for step in steps]
        good = outcome_of(name, action, found, answers)
        assert not isinstance(good, ExchangeError | Crash), f"{wanted}: {good}"
        for step in steps:
            asked = f"{step['request']['path']} {found.get('order', {}).get('type')}"
            for what in damaged(step["answer"], known[asked]):
                told = outcome_of(name, action, found, answers)
                if what not in changing and (change := changed_by(what, action, good, told)):
                    changing[what] = f"{wanted}: {change}"
    return changing


def changed_by(what: str, action: str, good: Any, told: Any) -> str:
    if what in BODIES and action in SETTINGS:
        return "" if isinstance(told, ExchangeError) else str(told or "taken for done")
    if what == NOTHING and isinstance(told, list | Mapping):
        return ""  # a list of nothing says that there is nothing
    return differs(good, told)


def optional(name: str, action: str) -> set[str]:
    start = f"{venues()[name].name} {action} "
    listed: dict[str, str] = fixture_file(venues()[name].exchange).get("optional", {})
    return {key.removeprefix(start) for key in listed if key.startswith(start)}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", venues())
def test_what_a_damaged_answer_leads_to_is_an_error_or_no_other_result(name: str, action: str) -> None:
    told = damages(name, action)
    assert {
        what: told.get(what, "is listed, and changes nothing")
        for what in told.keys() ^ optional(name, action)
    } == {}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("binance_f", "leverage"),
        ("binance_c", "leverage"),
        ("okx_f", "data.0.lever"),
        ("okx_c", "data.0.lever"),
        ("blofin_f", "data.leverage"),
        ("htx_f", "data.lever_rate"),
    ],
)
def test_another_leverage_than_was_asked_for_is_not_taken_for_it(name: str, path: str) -> None:
    found = case(name, "set leverage") or {}
    *before, last = [step["answer"] for step in found["exchange"]]
    answers = [*before, last | {"body": changed(last["body"], path, "3")}]
    with pytest.raises(OutcomeUnknown):
        act(open_venue(name, Answers(answers)), name, "set_leverage", found)


@pytest.mark.parametrize("body", [each for each in BODIES if each != NOTHING])
@pytest.mark.parametrize("name", venues())
def test_cancelling_all_is_not_done_while_every_answer_is_broken(name: str, body: str) -> None:
    venue = open_venue(name, lambda request: response({"body": body}))
    with pytest.raises(ExchangeError):
        act(venue, name, "cancel_all", {})
