"""One suite for every venue in the registry: each required case, with the exchange's own answers.

To add an exchange write `fixtures/<exchange>.json`. Nothing here changes; a missing file or case fails.

    {
      "keys": {"key": "...", "secret": "...", "passphrase": "..."},     never real ones; optional
      "auth_params": ["timestamp", "signature"],       parameters that `test_signing.py` checks, not this suite
      "venues": {
        "Binance_F": {
          "source": "where the answers come from, and when it was read",
          "instrument": "BTCUSDT",                     what the cases trade unless they say "symbol"
          "cases": {
            "place market": {
              "order": {"side": "buy", "type": "market", "quantity": "0.01"},        fields of OrderRequest
              "exchange": [                            what is asked and answered, in order and nothing else
                {"request": {"method": "POST", "path": "/fapi/v1/order", "params": {"symbol": "BTCUSDT"}},
                 "answer": {"status": 200, "headers": {}, "body": {"orderId": 1}}}
              ],
              "expect": {"exchange_id": "1"}           the decoded value: every field that is not at its default
            },
            "insufficient funds": {"order": {}, "exchange": [], "raises": "InsufficientFunds", "code": "-2019"},
            "missing field": {"like": "place market", "without": ["orderId", "status"]},
            "would trigger": {"absent": "why this exchange has no such answer"}
          }}}}

Other inputs of a case: `ref` (fields of OrderRef: fetch, cancel), `since` (fills), `orders` (place_many), `legs` {stop, target} (protect), `leverage` and
`margin_mode` (set leverage), `symbol`, `environment`. `do` names the action where `REQUIRED` leaves a choice. `like`
takes over everything but the result from another case. `without` and `replace` {path: value} change the body of the
last answer, one change at a time; `"host"` in a request names another host of the exchange. A body given as text is
sent as it is. `params` of a JSON body keep their types; form and query parameters are text.
A case that is not required may be added too: it names its action with `do`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from exchanges import errors
from exchanges.errors import ExchangeError, NotSent, OutcomeUnknown, Refused, Unsupported
from exchanges.limits import LocalGate
from exchanges.registry import venues
from exchanges.types import Environment, Fill, OrderRequest, OrderStatus, PositionMode, Product, Report
from exchanges.venue import Features, Venue
from tests.exchanges.contract import (
    FIXTURES,
    NOW_MS,
    Script,
    act,
    case,
    changed,
    credentials,
    fixture,
    in_words,
    open_venue,
    order,
    response,
)

Kind = type[Venue]


def never(kind: Kind) -> bool:
    """The case can never be absent."""
    return False


def by_reason(kind: Kind) -> bool:
    """The fixture decides and says why."""
    return True


def lacking(feature: str) -> Callable[[Kind], bool]:
    def lacks(kind: Kind) -> bool:
        return not getattr(kind.features, feature)

    return lacks


def spot(kind: Kind) -> bool:
    return kind.product is Product.SPOT


@dataclass(frozen=True)
class Required:
    """`may_lack`: whether a venue may do without the case. `holds`: what must be true of the decoded
    value whatever the fixture expects, so that a fixture cannot weaken the case."""

    do: tuple[str, ...]
    raises: str = ""
    holds: Callable[[Any], bool] | None = None
    may_lack: Callable[[Kind], bool] = never


def resting(report: Report) -> bool:
    return report.acknowledged_only or report.status is OrderStatus.OPEN


def filled(report: Report) -> bool:
    return (
        report.status is OrderStatus.FILLED
        and report.average_price is not None
        and report.average_price > 0
        and report.filled > 0
    )


def partly_filled(report: Report) -> bool:
    left = report.quantity is None or report.filled < report.quantity
    return report.filled > 0 and left and report.average_price is not None


REQUIRED: dict[str, Required] = {
    "server time": Required(("server_time",), holds=lambda ms: abs(ms - NOW_MS) < 10**12),
    "instruments": Required(
        ("instruments",), holds=lambda found: all(i.tick > 0 and i.step > 0 for i in found)
    ),
    "quote": Required(("quote",), holds=lambda quote: 0 < quote.bid <= quote.ask and quote.last > 0),
    # orders
    "place market": Required(("place",), holds=lambda report: report.status is not OrderStatus.REJECTED),
    "place limit": Required(("place",), holds=resting),
    "place stop": Required(("place",), holds=resting, may_lack=lacking("conditional")),
    "place take profit": Required(("place",), holds=resting, may_lack=lacking("conditional")),
    "acknowledged only": Required(
        ("place",), holds=lambda report: report.acknowledged_only, may_lack=by_reason
    ),
    "linked legs": Required(("protect",), holds=lambda pair: len(pair) == 2, may_lack=lacking("linked_legs")),
    "filled average price": Required(("place", "fetch"), holds=filled),
    "partial fill": Required(("place", "fetch"), holds=partly_filled),
    "cancelled": Required(("fetch",), holds=lambda report: report.status is OrderStatus.CANCELLED),
    "rejected": Required(
        ("place", "fetch"), holds=lambda report: report.status is OrderStatus.REJECTED, may_lack=by_reason
    ),
    "cancel": Required(("cancel",), holds=lambda nothing: nothing is None),
    "open orders": Required(
        ("open_orders",), holds=lambda found: all(not each.status.final for each in found)
    ),
    # refusals
    "insufficient funds": Required(("place",), "InsufficientFunds"),
    "duplicate client id": Required(("place",), "DuplicateOrder", may_lack=by_reason),
    "unknown symbol": Required(("place", "quote"), "UnknownSymbol", may_lack=by_reason),
    "order not found": Required(("fetch",), "OrderNotFound"),
    "cancel of a gone order": Required(("cancel",), "OrderNotFound"),
    "would trigger": Required(("place",), "WouldTrigger", may_lack=by_reason),
    "reduce-only refused": Required(("place",), "NothingToReduce", may_lack=by_reason),
    "rate limited": Required(("place",), "Throttled"),
    "timestamp refused": Required(("place",), may_lack=by_reason),
    "bad key": Required(("key_info",), "AuthRefused"),
    "maintenance": Required(("place",), "Maintenance", may_lack=by_reason),
    # nobody knows
    "server error": Required(("place",), "OutcomeUnknown"),
    "missing field": Required(("place", "fetch"), "OutcomeUnknown"),
    "unknown state word": Required(("place", "fetch"), "OutcomeUnknown"),
    # account
    "balances": Required(
        ("balances",), holds=lambda found: all(name == each.asset for name, each in found.items())
    ),
    "position long": Required(
        ("positions",), holds=lambda found: found[0].direction == "long", may_lack=spot
    ),
    "position short": Required(
        ("positions",), holds=lambda found: found[0].direction == "short", may_lack=spot
    ),
    "no position": Required(("positions",), holds=lambda found: found == [], may_lack=spot),
    "position mode one-way": Required(
        ("position_mode",), holds=lambda mode: mode is PositionMode.ONE_WAY, may_lack=lacking("hedge_mode")
    ),
    "position mode hedge": Required(
        ("position_mode",), holds=lambda mode: mode is PositionMode.HEDGE, may_lack=lacking("hedge_mode")
    ),
    "set leverage": Required(("set_leverage",), may_lack=lacking("leverage")),
    "set leverage not modified": Required(("set_leverage",), may_lack=by_reason),
    "key without withdrawal": Required(
        ("key_info",), holds=lambda info: info.can_withdraw is False, may_lack=by_reason
    ),
    "key with withdrawal": Required(
        ("key_info",), holds=lambda info: info.can_withdraw is True, may_lack=by_reason
    ),
}

#: required of venues with `features.batch`
BATCH = "batch with one refused"

#: required of venues with `features.fills`
FILLS = "fills"

#: what a broken proxy, a half-written answer or a changed API may send instead of an answer
BROKEN = {
    "html": {"status": 200, "body": "<html>Welcome</html>"},
    "bad gateway": {"status": 502, "body": "<html>502 Bad Gateway</html>"},
    "gateway time-out": {"status": 504, "body": ""},
    "cut off": {"status": 200, "body": '{"orderId": 12'},
    "empty": {"status": 200, "body": ""},
    "null": {"status": 200, "body": "null"},
    "empty object": {"status": 200, "body": "{}"},
    "a number": {"status": 200, "body": "42"},
    "a list of nothing known": {"status": 200, "body": '[{"unexpected": true}]'},
    "server error in JSON": {"status": 500, "body": "{}"},
}
READ_BY = ("place market", "cancelled", "open orders", "balances", "instruments", "quote")
NAMES = list(venues())


def extra_cases() -> list[tuple[str, str]]:
    required = {*REQUIRED, BATCH, FILLS}
    return [(name, wanted) for name in NAMES for wanted in fixture(name)["cases"] if wanted not in required]


def wanted_case(name: str, wanted: str) -> dict[str, Any]:
    found = case(name, wanted)
    if found is None:
        pytest.fail(f'{venues()[name].name}: no case "{wanted}" in fixtures/{venues()[name].exchange}.json')
    return found


def action_of(found: dict[str, Any], required: Required | None) -> str:
    choice = required.do if required else (found.get("do", ""),)
    action = found.get("do", choice[0])
    assert action in choice, f"this case is about {' or '.join(choice)}, not {action}"
    return str(action)


def variants(found: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The scripts of a case: one, or one per change of the last answer's body."""
    steps = found["exchange"]
    changes = [(path, None, True) for path in found.get("without", [])]
    changes += [(path, value, False) for path, value in found.get("replace", {}).items()]
    if not changes:
        return [steps]
    body = steps[-1]["answer"]["body"]
    bodies = [changed(body, path, value, remove=remove) for path, value, remove in changes]
    return [[*steps[:-1], steps[-1] | {"answer": steps[-1]["answer"] | {"body": each}}] for each in bodies]


def run(name: str, found: dict[str, Any], required: Required | None) -> None:
    for steps in variants(found):
        script = Script(steps, fixture(name)["auth_params"])
        venue = open_venue(name, script, found.get("environment", "live"))
        raises = (required.raises if required else "") or found.get("raises", "")
        if raises:
            refused(venue, name, found, action_of(found, required), raises)
        else:
            answered(venue, name, found, required)
        assert script.seen == script.wanted


def answered(venue: Venue, name: str, found: dict[str, Any], required: Required | None) -> None:
    value = act(venue, name, action_of(found, required), found)
    assert in_words(value) == found["expect"]
    if required and required.holds:
        assert required.holds(value), f"{value} is not what this case is about"


def refused(venue: Venue, name: str, found: dict[str, Any], action: str, raises: str) -> None:
    with pytest.raises(ExchangeError) as caught:
        act(venue, name, action, found)
    error = caught.value
    assert isinstance(error, getattr(errors, raises)), f"{type(error).__name__}: {error.message}"
    assert error.code == found.get("code", error.code)
    assert error.retry_after == found.get("retry_after", error.retry_after)
    keys = credentials(name)
    said = f"{error!r} {error.message} {error.exchange_message}"
    assert not any(secret in said for secret in (keys.key, keys.secret, keys.passphrase) if secret)


def test_there_is_a_fixture_file_for_every_exchange_and_no_other() -> None:
    held = {path.stem for path in FIXTURES.glob("*.json")} - {"signing-vectors"}
    assert held == {kind.exchange for kind in venues().values()}


@pytest.mark.parametrize("name", NAMES)
def test_fixtures_say_where_they_come_from(name: str) -> None:
    assert len(fixture(name).get("source", "")) > 20


@pytest.mark.parametrize("wanted", REQUIRED)
@pytest.mark.parametrize("name", NAMES)
def test_required_case(name: str, wanted: str) -> None:
    found, required = wanted_case(name, wanted), REQUIRED[wanted]
    if "absent" in found:
        assert required.may_lack(venues()[name]), f'"{wanted}" may not be absent here'
        assert len(found["absent"]) > 10, "say why it is absent"
        return
    run(name, found, required)


@pytest.mark.parametrize(("name", "wanted"), extra_cases())
def test_extra_case(name: str, wanted: str) -> None:
    run(name, wanted_case(name, wanted), None)


# -- what holds for every venue without a fixture ----------------------------------------------------------


def steps_of(name: str, wanted: str) -> list[dict[str, Any]]:
    return list(wanted_case(name, wanted)["exchange"])


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("wanted", READ_BY)
@pytest.mark.parametrize("name", NAMES)
def test_a_broken_answer_is_an_unknown_outcome(name: str, wanted: str, broken: str) -> None:
    """Whichever of the answers is broken; and nothing is sent twice to mend it."""
    found = wanted_case(name, wanted)
    steps = found["exchange"]
    for place, step in enumerate(steps):
        script = Script(
            [*steps[:place], step | {"answer": BROKEN[broken]}, *steps[place + 1 :]],
            fixture(name)["auth_params"],
        )
        with pytest.raises(OutcomeUnknown):
            act(open_venue(name, script), name, action_of(found, REQUIRED[wanted]), found)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (httpx.ConnectError, NotSent),
        (httpx.ReadTimeout, OutcomeUnknown),
        (httpx.RemoteProtocolError, OutcomeUnknown),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_lost_connection_is_told_apart_and_not_tried_again(
    name: str, failure: type[httpx.TransportError], expected: type[ExchangeError]
) -> None:
    calls = []

    def lose(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise failure("lost", request=request)

    with pytest.raises(expected):
        act(open_venue(name, lose), name, "place", wanted_case(name, "place market"))
    assert len(calls) == 1


# -- batches -----------------------------------------------------------------------------------------------

TELL_FILLS = [name for name in NAMES if venues()[name].features.fills]


def told_apart(name: str) -> Callable[[list[Fill]], bool]:
    """By our id where the features say so, else by the exchange's number."""
    named = venues()[name].features.fills_named

    def holds(fills: list[Fill]) -> bool:
        return any(each.client_id if named else each.exchange_id for each in fills)

    return holds


@pytest.mark.parametrize("name", TELL_FILLS)
def test_fills_tell_their_order(name: str) -> None:
    run(name, wanted_case(name, FILLS), Required(("fills",), holds=told_apart(name)))


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", TELL_FILLS)
def test_fills_that_cannot_be_read_are_not_none(name: str, broken: str) -> None:
    found = wanted_case(name, FILLS)
    script = Script([found["exchange"][0] | {"answer": BROKEN[broken]}], fixture(name)["auth_params"])
    with pytest.raises(OutcomeUnknown):
        act(open_venue(name, script), name, "fills", found)


IN_BATCHES = [name for name in NAMES if venues()[name].features.batch]


@pytest.mark.parametrize("name", IN_BATCHES)
def test_one_order_of_a_batch_is_refused_and_the_others_are_taken(name: str) -> None:
    run(name, wanted_case(name, BATCH), Required(("place_many",), holds=taken_and_refused))


def taken_and_refused(told: list[Report | ExchangeError]) -> bool:
    return {isinstance(each, Report) for each in told} == {True, False}


def many(name: str, count: int) -> list[OrderRequest]:
    words = wanted_case(name, "place limit")["order"]
    named = venues()[name].client_id
    return [order(name, words | {"client_id": named(f"{number:026}")}) for number in range(count)]


def prepared(name: str, then: Any) -> Any:
    """`then`, after what a venue asks before it places an order: answered as in "place limit"."""
    first = iter(steps_of(name, "place limit")[:-1])

    def answer(request: httpx.Request) -> httpx.Response:
        step = next(first, None)
        found: httpx.Response = response(step["answer"]) if step else then(request)
        return found

    return answer


@pytest.mark.parametrize(
    ("failure", "expected"), [(httpx.ConnectError, NotSent), (httpx.ReadTimeout, OutcomeUnknown)]
)
@pytest.mark.parametrize("name", IN_BATCHES)
def test_a_lost_batch_is_lost_for_each_of_its_orders_and_not_sent_again(
    name: str, failure: type[httpx.TransportError], expected: type[ExchangeError]
) -> None:
    calls = []

    def lose(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        raise failure("lost", request=request)

    told = open_venue(name, prepared(name, lose)).place_many(credentials(name), many(name, 2))
    assert [type(each) for each in told] in ([expected] * 2, [errors.Unreachable] * 2)
    assert len(calls) == 1


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("name", IN_BATCHES)
def test_a_broken_answer_to_a_batch_leaves_each_of_its_orders_unknown(name: str, broken: str) -> None:
    calls = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return response(BROKEN[broken])

    told = open_venue(name, prepared(name, answer)).place_many(credentials(name), many(name, 2))
    assert [type(each) for each in told] == [OutcomeUnknown] * 2
    assert len(calls) == 1


@pytest.mark.parametrize("name", IN_BATCHES)
def test_a_batch_refused_as_a_whole_refuses_each_of_its_orders(name: str) -> None:
    refusal = response(steps_of(name, "rate limited")[-1]["answer"])
    venue = open_venue(name, prepared(name, lambda request: refusal))
    told = venue.place_many(credentials(name), many(name, 2))
    assert [type(each) for each in told] == [errors.Throttled] * 2


@pytest.mark.parametrize("name", IN_BATCHES)
def test_more_orders_than_a_batch_takes_go_out_in_several(name: str) -> None:
    calls, largest = [], venues()[name].features.batch

    def lose(request: httpx.Request) -> httpx.Response:
        calls.append(request.content + request.url.query)
        raise httpx.ReadTimeout("lost", request=request)

    venue, orders = open_venue(name, prepared(name, lose)), many(name, 2 * largest)
    leaping = itertools.count(0, 1000)
    venue.gate = LocalGate(clock=lambda: float(next(leaping)))
    told = venue.place_many(credentials(name), orders)
    assert [type(each) for each in told] == [OutcomeUnknown] * len(orders)
    named = [[each for each in orders if each.client_id.encode() in call] for call in calls]
    assert named == [orders[:largest], orders[largest:]]


@pytest.mark.parametrize("name", NAMES)
def test_after_a_rate_refusal_nothing_more_is_sent(name: str) -> None:
    found = wanted_case(name, "rate limited")
    script = Script(found["exchange"], fixture(name)["auth_params"])
    venue = open_venue(name, script)
    with pytest.raises(errors.Throttled):
        act(venue, name, "place", found)
    with pytest.raises(NotSent) as caught:
        act(venue, name, "place", found)
    assert caught.value.code == "RATE_LIMIT"
    assert len(script.seen) == len(found["exchange"])


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "absent" not in (case(name, "timestamp refused") or {})]
)
def test_a_clock_refusal_measures_the_clock(name: str) -> None:
    found = wanted_case(name, "timestamp refused")
    script = Script(found["exchange"], fixture(name)["auth_params"])
    venue = open_venue(name, script)
    act(venue, name, "place", found)
    assert venue.clock.measured
    first, last = script.raw[0], script.raw[-1]
    assert (first.url.raw_path, first.headers, first.content) != (
        last.url.raw_path,
        last.headers,
        last.content,
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_the_features_deny_is_refused_before_sending(name: str) -> None:
    features, script = venues()[name].features, Script([], [])
    venue = open_venue(name, script)
    for words in denied(features):
        with pytest.raises(Unsupported):
            venue.place(credentials(name), order(name, words))
    assert script.seen == []


def denied(features: Features) -> list[dict[str, Any]]:
    market: dict[str, Any] = {"side": "sell", "type": "market", "quantity": "1"}
    found: list[dict[str, Any]] = []
    if not features.reduce_only:
        found.append(market | {"reduce_only": True})
    if not features.hedge_mode:
        found.append(market | {"position_side": "long"})
    if not features.market_by_quote:
        found.append({"side": "buy", "type": "market", "quote_quantity": "100"})
    if not features.conditional:
        found.append(market | {"type": "stop", "trigger_price": "100"})
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if spot(venues()[name])])
def test_spot_has_no_positions_and_asks_nothing_for_them(name: str) -> None:
    script = Script([], [])
    assert open_venue(name, script).positions(credentials(name)) == []
    assert script.seen == []


@pytest.mark.parametrize("name", [name for name in NAMES if Environment.TESTNET in venues()[name].base_urls])
def test_what_has_a_test_net_lists_its_instruments_there_and_takes_orders(name: str) -> None:
    listed, placed = wanted_case(name, "instruments"), wanted_case(name, "place limit")
    script = Script(listed["exchange"], fixture(name)["auth_params"])
    assert act(open_venue(name, script, "testnet"), name, "instruments", listed) != []
    asked = list[httpx.Request]()

    def lose(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise httpx.ReadTimeout("lost", request=request)

    with pytest.raises((NotSent, OutcomeUnknown)):
        act(open_venue(name, lose, "testnet"), name, "place", placed)
    assert asked


@pytest.mark.parametrize("name", NAMES)
def test_client_ids_are_deterministic_and_keep_tokens_apart(name: str) -> None:
    kind = venues()[name]
    first, second = kind.client_id("01jd3x8k2mqzv7w5n9trh4bcye"), kind.client_id("01jd3x8k2mqzv7w5n9trh4bcyf")
    assert first != second
    assert first == kind.client_id("01jd3x8k2mqzv7w5n9trh4bcye")


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_error_is_of_our_tree(name: str) -> None:
    for code, kind in venues()[name].errors.items():
        assert issubclass(kind, Refused | OutcomeUnknown | NotSent), code
