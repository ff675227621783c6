"""`/_sandbox/...`: prices, accounts, their age, state, faults, limits, reset. For tests and the demo; loopback only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from exchanges.sandbox.dialect import Dialect
from exchanges.sandbox.faults import Fault
from exchanges.sandbox.ledger import Account, Position
from exchanges.sandbox.model import Order, Rejected, text
from exchanges.sandbox.wire import Call, Reply
from exchanges.sandbox.world import World
from exchanges.types import PositionMode

PREFIX = "/_sandbox/"


def control(world: World, call: Call) -> Reply:
    """The answer to one control request; 400 with words when it makes no sense."""
    action = _ACTIONS.get((call.method, call.path))
    if action is None:
        return Reply({"error": "no such control"}, 404)
    try:
        return Reply(action(world, call))
    except (ValueError, KeyError, TypeError, InvalidOperation, Rejected) as problem:
        return Reply({"error": f"{type(problem).__name__}: {problem}"}, 400)


def _prices(world: World, call: Call) -> Any:
    for pair, price in call.body_params.items():
        base, slash, quote = pair.partition("/")
        number = Decimal(str(price))
        if not slash or not number.is_finite() or number <= 0:
            raise ValueError(f"{pair}: {price} is not a price")
        world.set_price(base, quote, number)
    return {pair: text(price) for pair, price in world.prices.all().items()}


def _accounts(world: World, call: Call) -> Any:
    asked = call.body_params
    credentials = None
    if asked.get("key"):
        credentials = (str(asked["key"]), str(asked["secret"]), str(asked.get("passphrase", "")))
    balances = asked.get("balances")
    account = world.open_account(
        str(asked["exchange"]),
        credentials=credentials,
        balances=None if balances is None else {name: Decimal(str(each)) for name, each in balances.items()},
        position_mode=PositionMode(asked.get("position_mode", "one_way")),
        permissions=frozenset(asked.get("permissions", ("read", "trade"))),
    )
    return {
        "exchange": asked["exchange"],
        "key": account.key,
        "secret": account.secret,
        "passphrase": account.passphrase,
        "fingerprint": account.fingerprint,
    }


def _age(world: World, call: Call) -> Any:
    """{"exchange": "okx", "key": ..., "seconds": 7200}: what an account did was done so much earlier."""
    account = world.accounts[str(call.body_params["exchange"])][str(call.body_params["key"])]
    for book in account.books.values():
        book.age(int(call.body_params["seconds"]) * 1000)
    return {"ok": True}


def _faults(world: World, call: Call) -> Any:
    """{} clears."""
    if not call.body_params:
        world.faults.clear()
    else:
        world.faults.add(Fault.read(call.body_params))
    return {"ok": True}


def _limits(world: World, call: Call) -> Any:
    """{"enforce": false}: for benchmarks, which want to see the caller's limits, not these."""
    world.meter.enforce = bool(call.body_params["enforce"])
    return {"ok": True}


def _reset(world: World, _call: Call) -> Any:
    world.reset()
    return {"ok": True}


def _state(world: World, call: Call) -> Any:
    name, key = call.text("venue").lower(), call.text("key", "")
    if (venue := world.venues.get(name)) is None:
        raise ValueError(f"{name} is not a venue")
    known = world.accounts[venue.family]
    if key and key not in known:
        raise ValueError(f"{venue.family} has no such key")
    accounts = [known[key]] if key else list(known.values())
    shown = [_account_state(venue, account, named=not key) for account in accounts]
    wanted = {account.fingerprint for account in accounts}
    return {
        "orders": sorted(
            (row for each in shown for row in each["orders"]), key=lambda row: int(row["created"])
        ),
        "positions": [row for each in shown for row in each["positions"]],
        "balances": shown[0]["balances"] if key else {each["key"]: each["balances"] for each in shown},
        "calls": [
            {
                "number": each.number,
                "key": each.key,
                "method": each.method,
                "path": each.path,
                "params": {name: str(value) for name, value in each.params.items()},
                "time_ms": each.time_ms,
                "received_ns": each.received_ns,
                "fault": each.fault,
            }
            for each in world.calls
            if each.venue == venue.name and (each.key in wanted or not key)
        ],
        "failed_ms": [
            each.time_ms
            for each in world.failed
            if each.venue == venue.name and (each.key in wanted or not each.key or not key)
        ],
    }


def _account_state(venue: Dialect, account: Account, *, named: bool) -> dict[str, Any]:
    desk, wallet = venue.desk, venue.rules.wallet
    book = desk.book(account)
    mark = {"key": account.fingerprint} if named else {}
    return {
        "key": account.fingerprint,
        "orders": [{**mark, **order_row(order)} for order in book.orders.values()],
        "positions": [
            {**mark, **position_row(each, desk.bid(each.market))} for each in book.open_positions()
        ],
        "balances": {
            asset: {"total": text(total), "free": text(account.free(wallet, asset))}
            for asset, total in account.wallets[wallet].items()
        },
    }


def order_row(order: Order) -> dict[str, Any]:
    ticket = order.ticket
    return {
        "id": order.id,
        "live_id": order.live_id,
        "client_id": order.client_id,
        "symbol": order.market.symbol,
        "side": ticket.side,
        "type": ticket.type,
        "status": order.status,
        "waiting": order.waiting,
        "triggered": order.triggered_ms is not None,
        "contract_size": text(order.market.of_contract),
        "quantity": text(order.quantity),
        "filled": text(order.filled),
        "average_price": None if order.average_price is None else text(order.average_price),
        "price": None if order.price is None else text(order.price),
        "trigger_price": None if order.trigger_price is None else text(order.trigger_price),
        "reduce_only": ticket.reduces,
        "close_position": ticket.close_position,
        "position_side": ticket.position_side,
        "link": ticket.link,
        "reason": order.reason,
        "fees": {asset: text(amount) for asset, amount in order.fees().items()},
        "created": str(order.sequence),
        "created_ms": order.created_ms,
        "triggered_ms": order.triggered_ms,
        "updated_ms": order.updated_ms,
    }


def position_row(position: Position, mark: Decimal) -> dict[str, Any]:
    return {
        "symbol": position.market.symbol,
        "direction": position.direction,
        "contract_size": text(position.market.of_contract),
        "quantity": text(abs(position.quantity)),
        "entry_price": text(position.entry_price),
        "mark_price": text(mark),
        "unrealised": text(position.unrealised(mark)),
        "realised": text(position.realised),
        "hedge": position.side is not None,
    }


_ACTIONS: Mapping[tuple[str, str], Callable[[World, Call], Any]] = {
    ("POST", "/_sandbox/prices"): _prices,
    ("POST", "/_sandbox/accounts"): _accounts,
    ("POST", "/_sandbox/age"): _age,
    ("GET", "/_sandbox/state"): _state,
    ("POST", "/_sandbox/faults"): _faults,
    ("POST", "/_sandbox/limits"): _limits,
    ("POST", "/_sandbox/reset"): _reset,
}
