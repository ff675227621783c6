"""The same order through our venue and through ccxt: both must send the same thing.

For each intent of the table below, the request our venue builds and the one ccxt builds (caught where it would leave;
clocks stand still, markets come from the contract fixture, nothing is sent) agree in method, host, path and
parameters, and our `sign` over ccxt's own parameters gives ccxt's signature.

To add an exchange write `differential/<exchange>.py` with

    def client(name) -> ccxt exchange                   configured for that venue, without markets
    def resign(venue, caught, keys) -> (ours, theirs)   our authentication over ccxt's parameters, and ccxt's

and, where ccxt's unified call needs other words, any of

    def market(name, words) -> words                    ccxt's market record, completed
    def ccxt_order(name, order, call) -> call           a `CcxtOrder` changed
    def prepared(venue, order) -> order                 the order as `place` hands it to `place_call`, where the
                                                        venue asks the exchange something first
    settings = {case: [ccxt call, ...]}                 what ccxt calls to send each request that changes something in
                                                        the fixture's case of this name: a leverage or margin mode
                                                        is set. A call is (method, value, further parameters)
    fills = {name: ccxt call}                           what ccxt calls for the first question of the fixture's case
                                                        "fills": (method, its arguments after the symbol)
    batch_signatures = {name: reason}                   venues whose batch ccxt signs in another way, and how
    def sent(name, market, call) -> {"url", "method", "headers", "body"}
                                                        instead of `client`, where the reference is no ccxt of this
                                                        process: what it would send for the `CcxtOrder` on the market
                                                        (ccxt's record). `elsewhere.py` gives it a process of its own
    def sent_setting(name, market, method, value, params)   the same for one call of `settings`

Differences that are meant stand in the venue's part of `fixtures/<exchange>.json`; one that does not occur, or
one that is not listed, fails:

    "differences": [{"intents": ["stop*"], "part": "workingType", "ours": "CONTRACT_PRICE", "theirs": null,
                     "reason": "we say the default"}],
    "refused": {"market*fok": "why our venue refuses this before sending"}

`part` is a parameter, or "method", "host", "path"; `ours`/`theirs`: null when absent, "*" for any value. The parameters
named in `auth_params` are compared by `resign` only.

The settings of leverage and margin mode are compared as orders are: what the venue reads before it writes is answered by
the contract fixture, and the intent is the name of the case. Whether the parameters stand in the body is a part too.

So is the question for fills, whose intent is "fills".

Where both can place several orders with one request, the intent "batch" is two orders to sell; a part of its second one is
named "orders.1.price", and "orders.*.price" is that part of each.
"""

from __future__ import annotations

import fnmatch
import functools
import importlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import ModuleType
from typing import Any, NoReturn

import httpx
import pytest

from exchanges.errors import Unsupported
from exchanges.registry import venues
from exchanges.types import (
    Direction,
    Environment,
    Instrument,
    MarginMode,
    OrderRequest,
    OrderType,
    Product,
    Side,
    TimeInForce,
    TriggerBy,
)
from exchanges.venue import Call, Features, Venue, plain_number
from tests.exchanges.contract import (
    NOW_MS,
    Script,
    Settings,
    act,
    case,
    credentials,
    fixture,
    instrument,
    open_venue,
    seen,
)

TOKEN = "01JD3X8K2MQZV7W5N9TRH4BCYE"
OTHER_TOKEN = "01JD3X8K2MQZV7W5N9TRH4BCYF"
BATCH, FILLS = "batch", "fills"
FINE = Decimal("0.00000001")
SMALLEST_NUMBER_OF_INTENTS = 25

BUY: dict[str, Any] = {"side": Side.BUY, "quantity": Decimal("0.5")}
SELL: dict[str, Any] = {"side": Side.SELL, "quantity": Decimal("0.5")}
MARKET: dict[str, Any] = {"type": OrderType.MARKET}
LIMIT: dict[str, Any] = {"type": OrderType.LIMIT, "price": Decimal(50000)}
STOP: dict[str, Any] = {"type": OrderType.STOP, "trigger_price": Decimal(49000)}
TAKE: dict[str, Any] = {"type": OrderType.TAKE_PROFIT, "trigger_price": Decimal(52000)}
STOP_LIMIT: dict[str, Any] = STOP | {"type": OrderType.STOP_LIMIT, "price": Decimal(48900)}
TAKE_LIMIT: dict[str, Any] = TAKE | {"type": OrderType.TAKE_PROFIT_LIMIT, "price": Decimal(51900)}
IOC, FOK, POST = {"time_in_force": TimeInForce.IOC}, {"time_in_force": TimeInForce.FOK}, {"post_only": True}
REDUCE, MARK = {"reduce_only": True}, {"trigger_by": TriggerBy.MARK}
OF_LONG, OF_SHORT = {"position_side": Direction.LONG}, {"position_side": Direction.SHORT}
ISOLATED, CROSS = {"margin_mode": MarginMode.ISOLATED}, {"margin_mode": MarginMode.CROSS}
FIVE, TEN = {"leverage": Decimal(5)}, {"leverage": Decimal("1E+1")}

INTENTS: dict[str, dict[str, Any]] = {
    "market buy": BUY | MARKET,
    "market sell": SELL | MARKET,
    "market buy by quote": {"side": Side.BUY, "quote_quantity": Decimal("100.25")} | MARKET,
    "limit buy": BUY | LIMIT,
    "limit sell": SELL | LIMIT,
    "limit buy ioc": BUY | LIMIT | IOC,
    "limit sell ioc": SELL | LIMIT | IOC,
    "limit buy fok": BUY | LIMIT | FOK,
    "limit sell fok": SELL | LIMIT | FOK,
    "limit buy post": BUY | LIMIT | POST,
    "limit sell post": SELL | LIMIT | POST,
    "stop buy": BUY | STOP,
    "stop sell": SELL | STOP,
    "stop limit buy": BUY | STOP_LIMIT,
    "stop limit sell": SELL | STOP_LIMIT,
    "take profit buy": BUY | TAKE,
    "take profit sell": SELL | TAKE,
    "take profit limit buy": BUY | TAKE_LIMIT,
    "take profit limit sell": SELL | TAKE_LIMIT,
    "market buy of the smallest quantity": BUY | MARKET | {"quantity": FINE},
    "market sell with trailing zeros": SELL | MARKET | {"quantity": Decimal("10.500")},
    "market buy of thousands": BUY | MARKET | {"quantity": Decimal("1E+4")},
    "market sell of thousands": SELL | MARKET | {"quantity": Decimal("2E+4")},
    "market sell of one": SELL | MARKET | {"quantity": Decimal(1)},
    "limit buy of one": BUY | LIMIT | {"quantity": Decimal("1.0")},
    "limit buy of thousands": BUY | LIMIT | {"quantity": Decimal("1E+4")},
    "limit buy at a whole price": BUY | LIMIT | {"price": Decimal("5E+4")},
    "limit sell with trailing zeros": SELL
    | LIMIT
    | {"quantity": Decimal("10.500"), "price": Decimal("50000.00")},
    "limit sell at the smallest price": SELL | LIMIT | {"price": FINE},
    "limit buy with awkward decimals": BUY
    | LIMIT
    | {"quantity": Decimal("123456.7890"), "price": Decimal("0.01234567")},
    "limit sell of many digits": SELL
    | LIMIT
    | {"quantity": Decimal("7654321.12345678"), "price": Decimal("987654.3")},
    "market sell of the smallest quantity": SELL | MARKET | {"quantity": FINE},
    "market buy with trailing zeros": BUY | MARKET | {"quantity": Decimal("10.500")},
    "market sell of many digits": SELL | MARKET | {"quantity": Decimal("7654321.12345678")},
    "market buy by a whole quote": {"side": Side.BUY, "quote_quantity": Decimal("1E+3")} | MARKET,
    "limit buy of the smallest quantity": BUY | LIMIT | {"quantity": FINE},
    "limit sell of thousands": SELL | LIMIT | {"quantity": Decimal("1E+4")},
    "limit sell of one": SELL | LIMIT | {"quantity": Decimal("1.0")},
    "limit buy of many digits": BUY
    | LIMIT
    | {"quantity": Decimal("7654321.12345678"), "price": Decimal("987654.3")},
    "limit sell with awkward decimals": SELL
    | LIMIT
    | {"quantity": Decimal("123456.7890"), "price": Decimal("0.01234567")},
    "limit buy below one": BUY | LIMIT | {"price": Decimal("0.50")},
    "limit sell of a million": SELL | LIMIT | {"quantity": Decimal(1), "price": Decimal("1E+6")},
    "market sell under another id": SELL | MARKET | {"token": OTHER_TOKEN},
    "limit buy under another id": BUY | LIMIT | {"token": OTHER_TOKEN},
    "stop sell with awkward decimals": SELL
    | STOP
    | {"quantity": Decimal("0.00012300"), "trigger_price": FINE * 7},
    "take profit limit with awkward decimals": SELL
    | TAKE_LIMIT
    | {"price": Decimal("51900.10"), "trigger_price": Decimal("5.2E+4")},
    "market sell reduce": SELL | MARKET | REDUCE,
    "market buy reduce": BUY | MARKET | REDUCE,
    "limit sell reduce": SELL | LIMIT | REDUCE,
    "limit sell post reduce": SELL | LIMIT | POST | REDUCE,
    "limit sell ioc reduce": SELL | LIMIT | IOC | REDUCE,
    "stop sell reduce": SELL | STOP | REDUCE,
    "stop buy reduce": BUY | STOP | REDUCE,
    "stop limit sell reduce": SELL | STOP_LIMIT | REDUCE,
    "take profit sell reduce": SELL | TAKE | REDUCE,
    "take profit buy reduce": BUY | TAKE | REDUCE,
    "take profit limit sell reduce": SELL | TAKE_LIMIT | REDUCE,
    "stop sell reduce by mark": SELL | STOP | REDUCE | MARK,
    "take profit sell reduce by mark": SELL | TAKE | REDUCE | MARK,
    "market buy at isolated leverage": BUY | MARKET | ISOLATED | FIVE,
    "limit sell at isolated leverage": SELL | LIMIT | ISOLATED | TEN,
    "market sell at cross leverage": SELL | MARKET | CROSS | TEN,
    "limit buy at cross leverage": BUY | LIMIT | CROSS | FIVE,
    "market sell reduce of isolated margin": SELL | MARKET | REDUCE | ISOLATED,
    "stop sell reduce of isolated margin": SELL | STOP | REDUCE | ISOLATED,
    "take profit limit sell reduce of cross margin": SELL | TAKE_LIMIT | REDUCE | CROSS,
    "hedge open long": BUY | MARKET | OF_LONG,
    "hedge open short": SELL | MARKET | OF_SHORT,
    "hedge close long": SELL | MARKET | OF_LONG | REDUCE,
    "hedge close short": BUY | MARKET | OF_SHORT | REDUCE,
    "hedge limit long": BUY | LIMIT | OF_LONG,
    "hedge stop of long": SELL | STOP | OF_LONG | REDUCE,
    "hedge take profit of short": BUY | TAKE | OF_SHORT | REDUCE,
}


def wanted(features: Features, intent: Mapping[str, Any]) -> bool:
    """Whether the features of a venue promise this intent at all."""
    return all(
        (
            features.conditional or not intent["type"].conditional,
            features.market_by_quote or "quote_quantity" not in intent,
            features.reduce_only or "reduce_only" not in intent,
            features.hedge_mode or "position_side" not in intent,
            features.leverage or not {"leverage", "margin_mode"} & intent.keys(),
        )
    )


# -- ccxt, caught before it sends --------------------------------------------------------------------------


class Caught(Exception):
    """What ccxt would have sent."""

    def __init__(self, url: str, method: str, headers: Mapping[str, str] | None, body: str | None) -> None:
        super().__init__(url)
        self.url, self.method, self.headers, self.body = url, method, dict(headers or {}), body or ""

    @property
    def request(self) -> httpx.Request:
        return httpx.Request(self.method, self.url, content=self.body)


@dataclass(frozen=True)
class CcxtOrder:
    type: str
    side: str
    amount: str | None
    price: str | None
    params: dict[str, Any] = field(default_factory=dict)


def catch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> NoReturn:
    raise Caught(url, method, headers, body)


@functools.cache
def adapter(exchange: str) -> ModuleType:
    module = f"tests.exchanges.differential.{exchange}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        pytest.fail(f"there is no tests/exchanges/differential/{exchange}.py")


@functools.cache
def client(name: str) -> Any:
    """The ccxt client of a venue with one market and a clock that stands still."""
    module, keys = adapter(venues()[name].exchange), credentials(name)
    exchange = module.client(venues()[name].name)
    exchange.apiKey, exchange.secret, exchange.password = keys.key, keys.secret, keys.passphrase
    exchange.fetch = catch
    exchange.milliseconds = lambda: NOW_MS
    exchange.nonce = lambda: NOW_MS
    exchange.enableRateLimit = False
    exchange.set_markets([exchange.safe_market_structure(market_of(name))])
    return exchange


def market_of(name: str) -> dict[str, Any]:
    module, words = adapter(venues()[name].exchange), market_words(traded(name))
    completed: dict[str, Any] = (
        module.market(venues()[name].name, words) if hasattr(module, "market") else words
    )
    return completed


@functools.cache
def traded(name: str) -> Instrument:
    """The fixture's instrument with steps so fine that ccxt rounds nothing."""
    return replace(instrument(name), tick=FINE, step=FINE)


def market_words(traded: Instrument) -> dict[str, Any]:
    spot = traded.product is Product.SPOT
    pair = f"{traded.base}/{traded.quote}"
    return {
        "id": traded.symbol,
        "symbol": pair if spot else f"{pair}:{traded.settle}",
        "base": traded.base,
        "quote": traded.quote,
        "settle": None if spot else traded.settle,
        "baseId": traded.base,
        "quoteId": traded.quote,
        "settleId": None if spot else traded.settle,
        "type": "spot" if spot else "swap",
        "spot": spot,
        "margin": False,
        "swap": not spot,
        "future": False,
        "option": False,
        "contract": not spot,
        "linear": None if spot else traded.product is Product.LINEAR,
        "inverse": None if spot else traded.product is Product.INVERSE,
        "contractSize": None if spot else float(traded.contract_size),
        "active": True,
        "precision": {"amount": float(traded.step), "price": float(traded.tick)},
        "limits": {},
        "info": {},
    }


def number(value: Decimal | None) -> str | None:
    return None if value is None else plain_number(value)


def unified(name: str, order: OrderRequest) -> CcxtOrder:
    """Our order in ccxt's unified words."""
    limit = order.price is not None
    params: dict[str, Any] = {"clientOrderId": order.client_id}
    if order.type in (OrderType.STOP, OrderType.STOP_LIMIT):
        params["stopLossPrice"] = number(order.trigger_price)
    if order.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT):
        params["takeProfitPrice"] = number(order.trigger_price)
    if order.time_in_force is not TimeInForce.GTC:
        params["timeInForce"] = order.time_in_force.upper()
    params |= {"postOnly": True} if order.post_only else {}
    params |= {"reduceOnly": True} if order.reduce_only else {}
    params |= {"hedged": True} if order.position_side else {}
    if order.margin_mode and venues()[name].features.mode_per_order:
        params["marginMode"] = str(order.margin_mode)
    params |= {"cost": number(order.quote_quantity)} if order.quote_quantity else {}
    amount = order.quote_quantity if order.quantity is None else order.quantity
    return CcxtOrder(
        "limit" if limit else "market", str(order.side), number(amount), number(order.price), params
    )


def theirs(name: str, order: OrderRequest) -> Caught:
    module, call = adapter(venues()[name].exchange), unified(name, order)
    if hasattr(module, "ccxt_order"):
        call = module.ccxt_order(venues()[name].name, order, call)
    if hasattr(module, "sent"):
        return Caught(**module.sent(venues()[name].name, market_of(name), call))
    exchange = client(name)
    symbol = next(iter(exchange.markets))
    with pytest.raises(Caught) as caught:
        exchange.create_order(symbol, call.type, call.side, call.amount, call.price, call.params)
    return caught.value


# -- the comparison ----------------------------------------------------------------------------------------


def nothing_is_sent(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} {request.url}")


def request_of(venue: Venue, name: str, order: OrderRequest) -> httpx.Request:
    return sent_by(venue, name, venue.place_call(order))


def sent_by(venue: Venue, name: str, call: Call) -> httpx.Request:
    request = venue.sign(call, credentials(name), NOW_MS)
    hosts = venue.hosts[call.host] if call.host else venue.base_urls
    return httpx.Request(request.method, hosts[Environment.LIVE] + request.target, content=request.body)


def parts(request: httpx.Request, name: str) -> dict[str, Any]:
    """A request as one flat table, the authentication left out."""
    told = seen(request, fixture(name)["auth_params"])
    params = told.pop("params")
    return told | (params if isinstance(params, dict) else {"body": params})


def order_of(name: str, intent: str) -> OrderRequest:
    kind = venues()[name]
    words = dict(INTENTS[intent])
    client_id = kind.client_id(words.pop("token", TOKEN))
    order = OrderRequest(instrument=traded(name), client_id=client_id, **words)
    if kind.product is Product.INVERSE and order.quantity:
        order = replace(order, quantity=order.quantity / FINE)  # contracts are whole
    if not hasattr(module := adapter(kind.exchange), "prepared"):
        return order
    prepared: OrderRequest = module.prepared(open_venue(name, nothing_is_sent), order)
    return prepared


def differences(name: str, intent: str) -> dict[str, tuple[Any, Any]]:
    """What differs between the two requests: part -> (ours, theirs)."""
    order, venue = order_of(name, intent), open_venue(name, nothing_is_sent)
    ours = parts(request_of(venue, name, order), name)
    other = parts(theirs(name, order).request, name)
    return {
        part: (ours.get(part), other.get(part))
        for part in {**ours, **other}
        if ours.get(part) != other.get(part)
    }


def batch_of(name: str) -> list[OrderRequest]:
    """The second reduces where there is something to reduce."""
    first, kind = order_of(name, "limit sell"), venues()[name]
    other = order_of(name, "limit sell reduce" if kind.features.reduce_only else "limit sell post")
    return [first, replace(other, client_id=kind.client_id(OTHER_TOKEN), price=Decimal(51000))]


def their_batch(name: str) -> Caught:
    exchange, module = client(name), adapter(venues()[name].exchange)
    symbol, calls = next(iter(exchange.markets)), []
    for order in batch_of(name):
        call = unified(name, order)
        if hasattr(module, "ccxt_order"):
            call = module.ccxt_order(venues()[name].name, order, call)
        words = {"type": call.type, "side": call.side, "amount": call.amount, "price": call.price}
        calls.append({"symbol": symbol, "params": call.params, **words})
    with pytest.raises(Caught) as caught:
        exchange.create_orders(calls)
    return caught.value


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Every value by the way that leads to it; JSON within a parameter is looked into."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = json.loads(value)
    if not isinstance(value, dict | list):
        return {name: value}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return {
        way: each
        for key, inner in pairs
        for way, each in flat(inner, f"{name}.{key}" if name else str(key)).items()
    }


def batch_differences(name: str) -> dict[str, tuple[Any, Any]]:
    venue = open_venue(name, nothing_is_sent)
    calls = [call for call in venue.place_calls(batch_of(name)) if isinstance(call, Call)]
    ours = flat(parts(sent_by(venue, name, venue.batch_call(calls)), name))
    other = flat(parts(their_batch(name).request, name))
    return {
        part: (ours.get(part), other.get(part))
        for part in {**ours, **other}
        if ours.get(part) != other.get(part)
    }


# -- leverage and margin mode ------------------------------------------------------------------------------


def writes(name: str, wanted_case: str) -> list[httpx.Request]:
    """What our venue sends to change a setting, addressed to the exchange itself; what it only reads is left out
    (on Hyperliquid a read is a POST to /info)."""
    found = case(name, wanted_case)
    assert found is not None, f'{name}: there is no case "{wanted_case}"'
    script = Script(found.get("exchange", []), [])
    act(open_venue(name, script), name, "set_leverage", found)
    return [addressed(name, each) for each in script.raw if each.method != "GET" and each.url.path != "/info"]


def addressed(name: str, request: httpx.Request) -> httpx.Request:
    """What a script was asked, as it would go to the exchange itself."""
    kind = venues()[name]
    hosts = {f"{host}.exchange.test": addresses for host, addresses in kind.hosts.items()}
    base = hosts.get(request.url.host, kind.base_urls)[Environment.LIVE]
    return httpx.Request(request.method, base + request.url.raw_path.decode(), content=request.content)


def settings_of(name: str) -> Settings:
    found: Settings = getattr(adapter(venues()[name].exchange), "settings", {})
    return found if venues()[name].features.leverage else {}


def their_setting(name: str, method: str, value: Any, params: dict[str, Any]) -> Caught:
    module = adapter(venues()[name].exchange)
    if hasattr(module, "sent_setting"):
        return Caught(**module.sent_setting(venues()[name].name, market_of(name), method, value, params))
    exchange = client(name)
    with pytest.raises(Caught) as caught:
        getattr(exchange, method)(value, next(iter(exchange.markets)), dict(params))
    return caught.value


def setting_differences(name: str, wanted_case: str) -> list[dict[str, tuple[Any, Any]]]:
    """Of each request that is sent, in their order."""
    pairs = zip(writes(name, wanted_case), settings_of(name)[wanted_case], strict=True)
    told = []
    for our_request, call in pairs:
        request = their_setting(name, *call).request
        ours, other = (
            parts(each, name) | {"has a body": bool(each.content)} for each in (our_request, request)
        )
        told.append(
            {
                part: (ours.get(part), other.get(part))
                for part in {**ours, **other}
                if ours.get(part) != other.get(part)
            }
        )
    return told


# -- fills -------------------------------------------------------------------------------------------------


def questions(name: str) -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = getattr(adapter(venues()[name].exchange), "fills", {})
    return found


def our_question(name: str) -> httpx.Request:
    found = case(name, FILLS)
    assert found is not None, f'{name}: there is no case "{FILLS}"'
    script = Script(found["exchange"], [])
    act(open_venue(name, script), name, "fills", found)
    return addressed(name, script.raw[0])


def their_question(name: str) -> Caught:
    exchange, (method, *arguments) = client(name), questions(name)[venues()[name].name]
    with pytest.raises(Caught) as caught:
        getattr(exchange, method)(next(iter(exchange.markets)), *arguments)
    return caught.value


def question_differences(name: str) -> dict[str, tuple[Any, Any]]:
    ours, other = (parts(each, name) for each in (our_question(name), their_question(name).request))
    return {
        part: (ours.get(part), other.get(part))
        for part in {**ours, **other}
        if ours.get(part) != other.get(part)
    }


def listed(name: str, intent: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for place, each in enumerate(fixture(name).get("differences", [])):
        if any(fnmatch.fnmatchcase(intent, pattern) for pattern in each["intents"]):
            yield place, each


def allowed_by(name: str, intent: str, part: str, pair: tuple[Any, Any]) -> int | None:
    of_each = re.sub(r"\.\d+(?=\.|$)", ".*", part)
    for place, each in listed(name, intent):
        same = all(each[side] in ("*", value) for side, value in zip(("ours", "theirs"), pair, strict=True))
        if each["part"] in (part, of_each) and same:
            return place
    return None


def refusal(name: str, intent: str) -> str:
    refused = fixture(name).get("refused", {})
    return next((pattern for pattern in refused if fnmatch.fnmatchcase(intent, pattern)), "")


def has_batches(name: str) -> bool:
    """Whether the reference is a ccxt that places several orders at once."""
    return not hasattr(adapter(venues()[name].exchange), "sent") and bool(client(name).has["createOrders"])


NAMES = list(venues())
PROMISED = [
    (name, intent) for name in NAMES for intent in INTENTS if wanted(venues()[name].features, INTENTS[intent])
]
COMPARED = [(name, intent) for name, intent in PROMISED if not refusal(name, intent)]
BATCHED = [
    name for name in NAMES if venues()[name].features.batch and not refusal(name, BATCH) and has_batches(name)
]
SETTINGS = [(name, wanted_case) for name in NAMES for wanted_case in settings_of(name)]
ASKED = [name for name in NAMES if venues()[name].name in questions(name)]
REFUSED = [(name, intent) for name, intent in PROMISED if refusal(name, intent)]


@pytest.mark.parametrize(("name", "intent"), COMPARED)
def test_both_clients_send_the_same(name: str, intent: str) -> None:
    found = differences(name, intent)
    unlisted = {part: pair for part, pair in found.items() if allowed_by(name, intent, part, pair) is None}
    assert unlisted == {}, "(ours, theirs), neither equal nor listed with a reason in the fixture"


@pytest.mark.parametrize("name", BATCHED)
def test_both_clients_send_the_same_batch(name: str) -> None:
    found = batch_differences(name)
    unlisted = {part: pair for part, pair in found.items() if allowed_by(name, BATCH, part, pair) is None}
    assert unlisted == {}, "(ours, theirs), neither equal nor listed with a reason in the fixture"


@pytest.mark.parametrize("name", BATCHED)
def test_our_signature_of_their_batch_is_theirs(name: str) -> None:
    venue = open_venue(name, nothing_is_sent)
    module = adapter(venue.exchange)
    ours, other = module.resign(venue, their_batch(name), credentials(name))
    assert other, "ccxt sent no authentication"
    reason = getattr(module, "batch_signatures", {}).get(venue.name, "")
    assert (ours == other) is not bool(reason)


@pytest.mark.parametrize(("name", "wanted_case"), SETTINGS)
def test_both_clients_set_leverage_and_margin_mode_alike(name: str, wanted_case: str) -> None:
    for found in setting_differences(name, wanted_case):
        unlisted = {
            part: pair for part, pair in found.items() if allowed_by(name, wanted_case, part, pair) is None
        }
        assert unlisted == {}, "(ours, theirs), neither equal nor listed with a reason in the fixture"


@pytest.mark.parametrize(("name", "wanted_case"), SETTINGS)
def test_our_signature_of_their_setting_is_theirs(name: str, wanted_case: str) -> None:
    venue = open_venue(name, nothing_is_sent)
    for call in settings_of(name)[wanted_case]:
        ours, other = adapter(venue.exchange).resign(venue, their_setting(name, *call), credentials(name))
        assert other, "ccxt sent no authentication"
        assert ours == other


@pytest.mark.parametrize("name", ASKED)
def test_both_clients_ask_for_fills_alike(name: str) -> None:
    found = question_differences(name)
    unlisted = {part: pair for part, pair in found.items() if allowed_by(name, FILLS, part, pair) is None}
    assert unlisted == {}, "(ours, theirs), neither equal nor listed with a reason in the fixture"
    ours, other = adapter(venues()[name].exchange).resign(
        open_venue(name, nothing_is_sent), their_question(name), credentials(name)
    )
    assert other, "ccxt sent no authentication"
    assert ours == other


@pytest.mark.parametrize("name", [name for name in NAMES if venues()[name].features.leverage])
def test_what_sets_a_leverage_is_compared(name: str) -> None:
    """Unless the venue has nothing to set."""
    assert bool(settings_of(name)) is bool(writes(name, "set leverage"))


@pytest.mark.parametrize(("name", "intent"), COMPARED)
def test_our_signature_of_their_request_is_theirs(name: str, intent: str) -> None:
    caught = theirs(name, order_of(name, intent))
    venue = open_venue(name, nothing_is_sent)
    ours, other = adapter(venue.exchange).resign(venue, caught, credentials(name))
    assert other, "ccxt sent no authentication"
    assert ours == other


@pytest.mark.parametrize("name", NAMES)
def test_a_listed_refusal_is_refused_before_sending(name: str) -> None:
    venue = open_venue(name, nothing_is_sent)
    for intent in (intent for each, intent in REFUSED if each == name):
        with pytest.raises(Unsupported):
            venue.place_call(order_of(name, intent))


@pytest.mark.parametrize("name", NAMES)
def test_the_table_is_long_enough(name: str) -> None:
    assert sum(1 for each, _ in COMPARED if each == name) >= SMALLEST_NUMBER_OF_INTENTS


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_difference_occurs_and_has_a_reason(name: str) -> None:
    occurring = (
        {
            allowed_by(name, intent, part, pair)
            for each, intent in COMPARED
            if each == name
            for part, pair in differences(name, intent).items()
        }
        | {
            allowed_by(name, BATCH, part, pair)
            for part, pair in (batch_differences(name) if name in BATCHED else {}).items()
        }
        | {
            allowed_by(name, FILLS, part, pair)
            for part, pair in (question_differences(name) if name in ASKED else {}).items()
        }
    )
    occurring |= {
        allowed_by(name, wanted_case, part, pair)
        for wanted_case in settings_of(name)
        for found in setting_differences(name, wanted_case)
        for part, pair in found.items()
    }
    for place, each in enumerate(fixture(name).get("differences", [])):
        assert place in occurring, f"no longer a difference: {each}"
        assert len(each["reason"]) > 10
    patterns = {refusal(name, intent) for each, intent in REFUSED if each == name}
    assert patterns == set(fixture(name).get("refused", {}))
