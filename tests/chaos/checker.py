"""Compares what callers were told, the database and the exchange's own books; every disagreement is a finding.

Knows nothing of flipr's code: ids are compared as they stand in the rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.chaos.books import Books, Row, intent_of
from tests.chaos.load import Posted
from tests.chaos.plan import Lane
from tests.chaos.told import Told, Trouble

KINDS = ("duplicates", "lost", "contradictions", "unprotected", "orphans")
#: nothing stands or was executed under these
NOTHING = ("rejected", "not_sent", "expired", "skipped", "nothing_to_do")
OPEN_ENDS = ("working", "unknown")
#: relative: databases and exchanges keep a different number of decimals
SAME_PRICE = Decimal("1e-9")
#: spot: what rounding to steps and fees leaves behind, in dollars
DUST = Decimal(60)
BASES = {"BTCUSDT": "BTC", "ETHUSDT": "ETH"}
STOPS = ("stop", "stop_limit")
#: a fill, the restart of what was down, the end of what ailed the exchange: so long after it a stop stands. The
#: README states it
BOUND_SECONDS = 30.0
#: and supervision has reached every account this long after the last of what went wrong
REACH_SECONDS = 5.0
#: how the sandbox names what an exchange keeps as one record with a number of its own, which holds a stop, a target or both
RECORD = "record "
#: what an exchange writes before an id of ours (Gate)
MARKS = ("t-",)


@dataclass(slots=True)
class Findings:
    found: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    figures: dict[str, object] = field(default_factory=dict)
    books: Books | None = None

    def add(self, kind: str, words: str) -> None:
        self.found[kind].append(words)

    @property
    def clean(self) -> bool:
        return not any(self.found.values())

    def as_text(self) -> str:
        lines = [f"  {name:<42}{value}" for name, value in self.figures.items()]
        lines += [f"  {kind:<42}{len(words)}" for kind, words in self.found.items()]
        return "\n".join(lines + [f"  {kind}: {each}" for kind in KINDS for each in self.found[kind]])


def check(
    told: Sequence[Told],
    books: Books,
    lanes: Sequence[Lane],
    users: Sequence[int],
    troubles: Sequence[Trouble] = (),
) -> Findings:
    """`users`: the trader numbers of the plan as the database knows them."""
    findings = Findings()
    index = _Index(books, lanes, users)
    _count(findings, told, books)
    _check_doubled_orders(findings, books)
    _check_intents(findings, told, index)
    _check_rows(findings, index)
    _check_strangers(findings, index)
    _check_brackets(findings, index, troubles)
    _check_answers(findings, told, index)
    _check_protection(findings, index)
    _check_orphans(findings, index)
    _check_bound(findings, index, troubles)
    return findings


def _unmarked(client_id: str) -> str:
    for mark in MARKS:
        client_id = client_id.removeprefix(mark)
    return client_id


class _Index:
    """The books by the names under which they refer to each other."""

    def __init__(self, books: Books, lanes: Sequence[Lane], users: Sequence[int]) -> None:
        self.books = books
        self.users = users
        self.orders: dict[tuple[int, str], dict[str, Row]] = {}
        self.links: dict[tuple[tuple[int, str], str], list[Row]] = defaultdict(list)
        self.records: dict[tuple[tuple[int, str], str], list[Row]] = defaultdict(list)
        for owner, state in books.sandbox.items():
            names = self.orders[owner] = {}
            for order in state["orders"]:
                if order["link"]:
                    self.links[owner, order["link"]].append(order)
                    if order["link"].startswith(RECORD):
                        self.records[owner, order["link"].removeprefix(RECORD)].append(order)
            for order in state["orders"]:
                for name in (
                    order["id"],
                    order["live_id"],
                    order["client_id"],
                    _unmarked(order["client_id"]),
                ):
                    if name:
                        names[name] = order
        self.rows: dict[str, list[Row]] = defaultdict(list)
        for row in books.orders:
            self.rows[row["delivery"]].append(row)
        self.intents: dict[tuple[int, int], list[Row]] = defaultdict(list)
        self.deliveries: dict[int | None, list[Row]] = defaultdict(list)
        for delivery in books.deliveries:
            if (number := intent_of(delivery["body"])) is not None:
                self.intents[delivery["user_id"], number].append(delivery)
                self.deliveries[number].append(delivery)
        self.guarded = {(users[lane.trader], lane.venue, lane.symbol): lane.stops for lane in lanes}
        self.instruments = {
            (row["user_id"], row["venue"], row["instrument"]): row["symbol"]
            for row in books.orders
            if row["instrument"]
        }

    def order_of(self, row: Row) -> Row | None:
        """The sandbox's order under the client id that was fixed for this row before anything was sent."""
        names = self.orders[row["user_id"], row["venue"]]
        return names.get(row["client_id"])

    def leg_orders(self, user: int, venue: str, leg: Row) -> list[Row]:
        """The orders a leg may be: where an exchange keeps a pair under one id, ours is that id, `:` and the leg."""
        names = self.orders[user, venue]
        whole = (leg.get("exchange_id") or "").partition(":")[0]
        if recorded := self.records.get(((user, venue), whole)):
            return recorded
        order = names.get(whole) or names.get(leg.get("client_id") or "")
        if order is None:
            return []
        return self.links[(user, venue), order["link"]] if order["link"] else [order]

    def wants_stop(self, user: int, venue: str, instrument: str) -> bool:
        symbol = self.instruments.get((user, venue, instrument), "")
        return self.guarded.get((user, venue, symbol), False)

    def executed(self, delivery: str) -> bool:
        return any(
            (order := self.order_of(row)) is not None and order["filled"] > 0 for row in self.rows[delivery]
        )


def _count(findings: Findings, told: Sequence[Told], books: Books) -> None:
    attempts = [answer for each in told for answer in each.answers]
    by_status = Counter(answer.status or "no answer" for answer in attempts)
    standing = [order for state in books.sandbox.values() for order in state["orders"]]
    findings.figures |= {
        "messages": len(told),
        "posts, resends included": len(attempts),
        "answers": ", ".join(f"{status}: {count}" for status, count in sorted(by_status.items(), key=str)),
        "deliveries": len(books.deliveries),
        "results": _tally(row["status"] for row in books.orders),
        "brackets": _tally(row["status"] for row in books.brackets),
        "orders on the exchanges": len(standing),
        "of them executed": sum(order["filled"] > 0 for order in standing),
        "positions open at the end": sum(len(state["positions"]) for state in books.sandbox.values()),
        "slowest answer, s": round(max((answer.seconds for answer in attempts), default=0.0), 2),
    }


def _tally(words: Iterator[str]) -> str:
    return ", ".join(f"{word}: {count}" for word, count in sorted(Counter(words).items()))


# --- Nothing twice ------------------------------------------------------------------------------------------


def _check_doubled_orders(findings: Findings, books: Books) -> None:
    for (user, venue), state in books.sandbox.items():
        alive = [each for each in state["orders"] if each["filled"] > 0 or each["status"] == "open"]
        names = Counter(each["client_id"] for each in alive if each["client_id"])
        for name, count in names.items():
            if count > 1:
                findings.add("duplicates", f"{count} orders {name} of user {user} on {venue}")


def _check_intents(findings: Findings, told: Sequence[Told], index: _Index) -> None:
    """One message is carried out once, however often it was sent."""
    for (user, number), deliveries in index.intents.items():
        carried = [each["public_id"] for each in deliveries if index.executed(each["public_id"])]
        if len(carried) > 1:
            findings.add("duplicates", f"message n{number} of user {user} was carried out as {carried}")
    for each in told:
        user = index.users[each.post.trader]
        accepted = {
            answer.body.get("delivery", "")
            for answer in each.answers
            if answer.status in (200, 202) and not answer.body.get("dry_run")
        }
        if len(accepted) > 1:
            findings.add("contradictions", f"message n{each.post.number} of user {user} has {accepted}")


def _check_brackets(findings: Findings, index: _Index, troubles: Sequence[Trouble]) -> None:
    """The legs of one bracket never close more than its entry opened; but where the exchange does not link them, the
    price may come to both while flipr is down."""
    out_of_reach = 0
    for bracket in index.books.brackets:
        names = index.orders[bracket["user_id"], bracket["venue"]]
        legs = {
            order["id"]: order
            for leg in bracket["legs"]
            for order in index.leg_orders(bracket["user_id"], bracket["venue"], leg)
        }
        closed = sum((order["filled"] for order in legs.values()), Decimal(0))
        entry = names.get(bracket["entry_client_id"])
        opened = max(bracket["quantity"], entry["filled"] if entry else Decimal(0))
        owner = bracket["user_id"], bracket["venue"]
        # on spot the fee leaves less to close than was bought
        sizes = {opened, bracket["quantity"]}
        if closed > opened and any(
            _out_of_reach(list(legs.values()), size, owner, troubles) for size in sizes
        ):
            out_of_reach += 1
        elif closed > opened:
            findings.add(
                "duplicates",
                f"legs of {bracket['token']} on {bracket['venue']} closed {closed} of {opened}: {sorted(legs)}",
            )

    findings.figures["both legs filled while down"] = out_of_reach


def _out_of_reach(
    legs: Sequence[Row], size: Decimal, owner: tuple[int, str], troubles: Sequence[Trouble]
) -> bool:
    """Whether those that filled after everything was closed had stood before, and filled while something was down or soon
    after."""
    filled = sorted((each for each in legs if each["filled"] > 0), key=lambda each: each["updated_ms"])
    closed, until = Decimal(0), 0
    late = []
    for leg in filled:
        if closed >= size:
            late.append(leg)
            continue
        closed, until = closed + leg["filled"], leg["updated_ms"]
    spans = [_Span(until / 1000, leg["updated_ms"] / 1000) for leg in late]
    return (
        closed == size
        and all(leg["created_ms"] < until for leg in late)
        and all(span.begun < (_last_trouble(span, owner, troubles)) for span in spans)
        and all(span.until - _last_trouble(span, owner, troubles) <= REACH_SECONDS for span in spans)
    )


# --- Nothing lost -------------------------------------------------------------------------------------------


def _check_rows(findings: Findings, index: _Index) -> None:
    """The end that history has is the end that the exchange has."""
    for row in index.books.orders:
        order = index.order_of(row)
        name = f"{row['delivery']}/{row['position']} {row['client_id']} {row['action']} on {row['venue']}"
        if row["status"] in OPEN_ENDS:
            findings.add("lost", f"{name} has no known end: {row['status']}, {row['error']}")
        elif row["delivery_status"] == "unqueued" and order is not None:
            findings.add("contradictions", f"{name}: its caller was told that nothing was sent")
        elif row["status"] in NOTHING:
            _check_nothing(findings, name, row, order)
        elif row["action"] in ("entry", "close", "reverse", "target"):
            _check_something(findings, name, row, order)


def _check_nothing(findings: Findings, name: str, row: Row, order: Row | None) -> None:
    if order is not None and (order["filled"] > 0 or order["status"] == "open"):
        findings.add(
            "lost",
            f"{name} is {row['status']} ({row['error']}), the exchange has it {order['status']}, filled {order['filled']}",
        )


def _check_something(findings: Findings, name: str, row: Row, order: Row | None) -> None:
    if order is None:
        if row["filled"] or row["status"] == "open":
            findings.add(
                "lost", f"{name} is {row['status']}, filled {row['filled']}: the exchange has no such order"
            )
        return
    if row["exchange_id"] and row["exchange_id"] not in (order["id"], order["live_id"]):
        findings.add("contradictions", f"{name} is {row['exchange_id']}, the exchange calls it {order['id']}")
    if (row["filled"] or Decimal(0)) != order["filled"]:
        findings.add("contradictions", f"{name} filled {row['filled']}, on the exchange {order['filled']}")
    elif order["filled"] and not _same(row["average_price"], order["average_price"]):
        findings.add(
            "contradictions",
            f"{name} at {row['average_price']}, on the exchange at {order['average_price']}",
        )
    resting = row["status"] == "open" or (row["status"] == "partially_filled" and row["resting"])
    if resting != (order["status"] == "open"):
        findings.add("contradictions", f"{name} is {row['status']}, on the exchange {order['status']}")


def _same(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= SAME_PRICE * max(abs(one), abs(other))


def _check_strangers(findings: Findings, index: _Index) -> None:
    """Every order that opened something belongs to a result."""
    known: dict[tuple[int, str], set[str]] = defaultdict(set)
    for row in index.books.orders:
        known[row["user_id"], row["venue"]] |= {row["client_id"], row["exchange_id"]}
    for owner, state in index.books.sandbox.items():
        spot = "_" not in owner[1]
        for order in state["orders"]:
            opens = order["side"] == "buy" if spot else not order["reduce_only"]
            named = {_unmarked(order["client_id"]), order["id"], order["live_id"]} & known[owner] - {""}
            if opens and order["filled"] > 0 and not named:
                findings.add(
                    "lost", f"order {order['id']} on {owner[1]} opened {order['filled']} for no result"
                )


# --- What callers were told -----------------------------------------------------------------------------------


def _check_answers(findings: Findings, told: Sequence[Told], index: _Index) -> None:
    for each in told:
        last = each.answers[-1]
        deliveries = index.intents[index.users[each.post.trader], each.post.number]
        if last.status not in (200, 202):
            _check_refused(findings, each, deliveries, index)
        for answer in each.answers:
            if answer.status in (200, 202, 422) and answer.body.get("results"):
                _check_told(findings, answer.body, index)


def _check_refused(findings: Findings, told: Told, deliveries: Sequence[Row], index: _Index) -> None:
    """The last word was no (or none at all): nothing may have been carried out under a clear no."""
    status = told.answers[-1].status
    if status == 0:
        findings.add("lost", f"message n{told.post.number} never got an answer, {len(told.answers)} times")
    for delivery in deliveries:
        if status and index.executed(delivery["public_id"]):
            findings.add(
                "contradictions", f"{delivery['public_id']} was answered {status}, and was carried out"
            )


def _check_told(findings: Findings, body: Mapping[str, Any], index: _Index) -> None:
    delivery = str(body["delivery"])
    rows = {row["position"]: row for row in index.rows[delivery]}
    if len(rows) != len(body["results"]):
        findings.add("lost", f"{delivery} has {len(rows)} of {len(body['results'])} results in history")
        return
    look = index.books.looks.get(delivery, {})
    if look and look["status"] == "working":
        findings.add("lost", f"{delivery} is still working, says its address")
    for position, result in enumerate(body["results"]):
        _check_result(findings, f"{delivery}/{position}", dict(result), rows[position], index)


def _check_result(findings: Findings, name: str, result: Row, row: Row, index: _Index) -> None:
    said, now = result["status"], row["status"]
    moved = {"open": ("filled", "partially_filled", "cancelled", "open"), "partially_filled": ("filled",)}
    final = said not in OPEN_ENDS
    if final and now != said and now not in moved.get(said, ()):
        findings.add("contradictions", f"{name} was answered {said}, history has {now}")
    if final and said == "filled" and not _same(Decimal(result["filled"]), row["filled"]):
        findings.add("contradictions", f"{name} was answered {result['filled']}, history has {row['filled']}")
    if final and said == "filled" and not _same(Decimal(result["average_price"]), row["average_price"]):
        findings.add(
            "contradictions", f"{name} was answered {result['average_price']}, history {row['average_price']}"
        )
    protection = result["protection"]
    if protection and protection["status"] == "armed":
        for leg in [protection["stop"], *protection["targets"]]:
            if leg and leg["status"] == "open":
                _check_leg(findings, name, leg, index.leg_orders(row["user_id"], row["venue"], leg))


def _check_leg(findings: Findings, name: str, leg: Row, orders: Sequence[Row]) -> None:
    if leg.get("error"):
        return  # the answer says itself that it was not confirmed
    if not orders:
        findings.add(
            "contradictions", f"{name} was answered a leg at {leg['price']} that the exchange never had"
        )
    elif not any(Decimal(leg["price"]) in (each["trigger_price"], each["price"]) for each in orders):
        stood = [each["trigger_price"] for each in orders]
        findings.add("contradictions", f"{name} was answered a leg at {leg['price']}, it stood at {stood}")


# --- What stands at the end -----------------------------------------------------------------------------------


def _check_protection(findings: Findings, index: _Index) -> None:
    for (user, venue), state in index.books.sandbox.items():
        if "_" not in venue:
            _check_holdings(findings, index, user, venue, state)
            continue
        for position in state["positions"]:
            if not index.wants_stop(user, venue, position["symbol"]):
                continue
            side = "sell" if position["direction"] == "long" else "buy"
            covered = _stops(state, position["symbol"], side)
            if covered < position["quantity"]:
                findings.add(
                    "unprotected",
                    f"{position['direction']} {position['quantity']} {position['symbol']} on {venue} "
                    f"of user {user} has stops for {covered}",
                )


def _check_holdings(findings: Findings, index: _Index, user: int, venue: str, state: Row) -> None:
    """Spot: what is held was bought here, for every trader begins without coins."""
    for symbol, base in BASES.items():
        held = state["balances"].get(base, Decimal(0))
        instruments = [
            name
            for (owner, where, name), written in index.instruments.items()
            if (owner, where, written) == (user, venue, symbol)
        ]
        if not instruments or not index.wants_stop(user, venue, instruments[0]):
            continue
        covered = _stops(state, instruments[0], "sell")
        price = _last_price(state, instruments[0])
        if (held - covered) * price > DUST:
            findings.add("unprotected", f"{held} {base} on {venue} of user {user} have stops for {covered}")


def _last_price(state: Row, symbol: str) -> Decimal:
    paid = [
        each["average_price"] for each in state["orders"] if each["symbol"] == symbol and each["filled"] > 0
    ]
    return paid[-1] if paid else Decimal(0)


def _stops(state: Row, symbol: str, side: str) -> Decimal:
    return sum(
        (
            order["quantity"] - order["filled"]
            for order in state["orders"]
            if order["symbol"] == symbol
            and order["side"] == side
            and order["status"] == "open"
            and order["type"] in STOPS
        ),
        Decimal(0),
    )


def _check_orphans(findings: Findings, index: _Index) -> None:
    for (user, venue), state in index.books.sandbox.items():
        held = {(each["symbol"], each["direction"]) for each in state["positions"]}
        for order in state["orders"]:
            if order["status"] != "open" or not order["reduce_only"]:
                continue
            direction = "long" if order["side"] == "sell" else "short"
            if (order["symbol"], direction) not in held:
                findings.add(
                    "orphans",
                    f"{order['type']} {order['id']} ({order['client_id']}) on {venue} of user {user} "
                    "has no position",
                )


def _check_bound(findings: Findings, index: _Index, troubles: Sequence[Trouble]) -> None:
    """Within the bound a stop stands (or the position is gone): after the fill; while something was down or the
    exchange failed, after the last of it."""
    longest, since_trouble = 0.0, 0.0
    for bracket in index.books.brackets:
        bare = _bare(index, bracket)
        if bare is None:
            continue
        owner = bracket["user_id"], bracket["venue"]
        begun = _last_trouble(bare, owner, troubles)
        longest = max(longest, bare.seconds)
        since_trouble = max(since_trouble, bare.until - begun)
        if bare.until - begun > BOUND_SECONDS:
            findings.add(
                "unprotected",
                f"{bracket['token']} on {owner[1]} of user {owner[0]} had no stop for {bare.seconds:.1f} s, "
                f"{bare.until - begun:.1f} s of them with nothing broken",
            )
    findings.figures["longest time without a stop, s"] = round(longest, 1)
    findings.figures["the same with nothing broken, s"] = round(since_trouble, 1)


@dataclass(frozen=True, slots=True)
class _Span:
    """Seconds of the sandbox's clock, which is the wall's."""

    begun: float
    until: float

    @property
    def seconds(self) -> float:
        return self.until - self.begun


def _bare(index: _Index, bracket: Row) -> _Span | None:
    """From the fill of a protected entry to the first stop after it, or to the exit where none came before."""
    owner = bracket["user_id"], bracket["venue"]
    entry = index.orders[owner].get(bracket["entry_client_id"])
    if entry is None or entry["filled"] == 0 or not index.wants_stop(*owner, entry["symbol"]):
        return None
    after = [
        order["created_ms"] if order["type"] in STOPS else order["updated_ms"]
        for order in index.books.sandbox[owner]["orders"]
        if order["symbol"] == entry["symbol"]
        and order["side"] != entry["side"]
        and order["created_ms"] >= entry["updated_ms"]
        and (order["filled"] > 0 or order["type"] in STOPS)
    ]
    return _Span(entry["updated_ms"] / 1000, min(after) / 1000) if after else None


def _last_trouble(bare: _Span, owner: tuple[int, str], troubles: Sequence[Trouble]) -> float:
    """When the last thing that went wrong in this time was over; its beginning when nothing did."""
    ends = [
        each.until
        for each in troubles
        if each.owner in (None, owner) and each.begun <= bare.until and each.until >= bare.begun
    ]
    return min(max([bare.begun, *ends]), bare.until)


# --- A burst ------------------------------------------------------------------------------------------------


def _check_not_sent(findings: Findings, posted: Posted, index: _Index) -> None:
    """Under a clear no, 503 above all, nothing was sent."""
    for delivery in index.deliveries.get(intent_of(posted.text) if posted.status else None, ()):
        if index.executed(delivery["public_id"]):
            findings.add(
                "contradictions", f"{delivery['public_id']} was answered {posted.status}, and filled"
            )


def check_load(posted: Sequence[Posted], books: Books) -> Findings:
    """Every delivery was answered, stands in history with its end, and the exchange has what history says."""
    findings = Findings()
    index = _Index(books, (), ())
    known = {row["public_id"] for row in books.deliveries}
    for each in posted:
        if each.status not in (200, 202):
            findings.add("lost", f"answered {each.status}: {each.body.get('error')}")
            _check_not_sent(findings, each, index)
        elif each.body["delivery"] not in known:
            findings.add("lost", f"{each.body['delivery']} is in no row")
        else:
            _check_told(findings, each.body, index)
    _check_doubled_orders(findings, books)
    _check_rows(findings, index)
    _check_strangers(findings, index)
    findings.figures["results"] = _tally(row["status"] for row in books.orders)
    return findings
