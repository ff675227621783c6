"""JSON bodies of other services: TradingView Hub, 3Commas, TradersPost, WunderTrading and the common
`{"symbol", "side", "qty"}`.

Sources (read 2026-11-22): https://www.tv-hub.org/docs/trade-command/,
https://help.3commas.io/en/articles/9374557-signal-bot-json-file-for-strategy-type,
https://docs.traderspost.io/docs/core-concepts/signals/webhooks,
https://wundertrading.com/docs/mcp/tools/place_strategy_trade.
"""

from __future__ import annotations

import re
from typing import Any

from webhooks.syntax.translate import write

_MAX_COMMANDS = 20
_CODE = re.compile(
    r"(ENTER|EXIT)-(LONG|SHORT|ALL)_([A-Za-z]+)(?:_(FUTURES|SPOT))?_([A-Z0-9/.-]+)(?:_|$)", re.IGNORECASE
)
_SIZE_KINDS = {
    "fixed_quantity": "{}", "base": "{}", "absolute": "{}", "contracts": "{} contracts",
    "dollar_amount": "$", "quote": "$", "$": "$",
    "percent_of_equity": "%", "percent": "%",
    "percent_of_position": "{}% pos", "position_percent": "{}% pos", "margin_percent": "{}% margin",
    "risk_dollar_amount": "risk {}$", "risk_percent": "risk {}%",
}  # fmt: skip
_EXITS = {
    "exit": "", "close": "", "flat": "", "flatten": "", "closeall": "", "closeatmarketprice": "",
    "exitlong": "long ", "closelong": "long ", "exitshort": "short ", "closeshort": "short ",
}  # fmt: skip

Body = dict[str, Any]


def from_json(value: Any) -> str | None:
    """The Smart Syntax for a JSON body whose shape is known."""
    if isinstance(value, list) and 0 < len(value) <= _MAX_COMMANDS:
        found = [from_json(each) for each in value if isinstance(each, dict)]
        return "\n".join(filter(None, found)) if found and all(found) and len(found) == len(value) else None
    if isinstance(value, str):
        return _command(value)
    return _from_body(_flat(value)) if isinstance(value, dict) else None


def _flat(value: Body) -> Body:
    """Keys without case and separators: stopLoss, stop_loss and StopLoss are one."""
    return {
        re.sub(r"[^a-z0-9]", "", str(key).lower()): part for key, part in value.items() if part is not None
    }


def _command(text: Any) -> str | None:
    """A text that is Smart Syntax already, wrapped in JSON."""
    return text.strip() if isinstance(text, str) and re.search(r"\w\s+on\s+\w", text, re.IGNORECASE) else None


def _from_body(body: Body) -> str | None:
    for key in ("message", "text", "content", "command", "alert", "alertmessage", "comment"):
        if found := _command(body.get(key)):
            return found
    if isinstance(body.get("code"), str) and (code := _CODE.match(body["code"])):
        return _from_code(code, body)
    return _generic(body)


def _get(body: Body, *keys: str) -> Any:
    """The first of some fields that says something."""
    return next((body[key] for key in keys if body.get(key) not in (None, "", 0, False)), None)


def _generic(body: Body) -> str | None:
    """Every service but for WunderTrading names symbol, side and size in much the same way."""
    exchange = _get(body, "exchange", "tvexchange", "venue", "broker")
    derivatives = "" if exchange in ("binance", "coinbase") and "isbuy" in body else "_F"
    venue = write.venue(exchange, derivatives) if exchange else write.DEFAULT_VENUE
    symbol = _get(body, "symbol", "ticker", "pair", "tvinstrument", "instrument", "market")
    steps = _exit_steps(body) or _entry_steps(body)
    account = body.get("apikey") if "isbuy" in body or "isclose" in body else _get(body, "account")
    return write.message(_symbol(symbol), venue, steps, account)


def _symbol(value: Any) -> str | None:
    """3Commas writes the quote first: USDT_BTC."""
    quote, _, base = str(value).partition("_")
    swapped = base and quote.upper() in ("USDT", "USDC", "USD", "BTC", "EUR")
    return write.symbol(f"{base}{quote}" if swapped else value) if value else None


# -- entries and exits ---------------------------------------------------------------------------------


def _action(body: Body) -> str:
    action = _get(body, "action", "side", "order", "signal", "direction", "orderaction")
    return str(action).lower() if isinstance(action, str) else ""


def _exit_steps(body: Body) -> list[str]:
    action = re.sub(r"[^a-z]", "", _action(body))
    if body.get("isclose") is True or action in _EXITS:
        return [f"close {_EXITS.get(action, '')}100%"]
    return ["cancel all"] if action in ("cancel", "cancelall") else []


def _entry_steps(body: Body) -> list[str]:
    strategy = body.get("strategyinfo")
    if isinstance(strategy, dict) and (wanted := _position(_flat(strategy))):
        return [wanted]
    side = _side(body)
    if side is None:
        return []
    kind = str(_get(body, "ordertype", "type", "entrytype") or "").lower()
    price = (
        write.level(_get(body, "limitprice", "price") or "")
        if "limit" in kind or body.get("islimit")
        else None
    )
    entry = f"limit {side} {_size(body)} {price}" if price else f"market {side} {_size(body)}"
    return [entry, *_settings(body), *_protection(body)]


def _position(strategy: Body) -> str | None:
    side, size = strategy.get("marketposition"), write.number(strategy.get("marketpositionsize"))
    if side == "flat":
        return "go flat"
    return f"go {write.side(side)} {size}" if write.side(side) and size else None


def _side(body: Body) -> str | None:
    if body.get("isbuy") is True or body.get("issell") is True:
        return "long" if body.get("isbuy") is True else "short"
    return write.side(_action(body)) or write.side(body.get("sentiment"))


def _size(body: Body) -> str:
    order = body.get("order")
    if isinstance(order, dict):
        order = _flat(order)
        kind = _SIZE_KINDS.get(str(order.get("currencytype", "base")))
        found = write.size(order.get("amount"), kind) if kind else None
    else:
        kind = _SIZE_KINDS.get(
            str(_get(body, "quantitytype", "unitstype", "sizetype") or "base").lower(), "{}"
        )
        value = _get(
            body, "quantity", "qty", "amount", "size", "units", "contracts", "volume", "unitspercent"
        )
        found = write.size(value, "" if kind == "{}" else kind)
    return found or write.UNKNOWN_SIZE


def _settings(body: Body) -> list[str]:
    leverage = write.number(str(_get(body, "leverage") or "").lower().strip("x"))
    mode = str(_get(body, "margintype", "marginmode") or "").lower()
    return ([f"lev {leverage}x"] if leverage else []) + ([mode] if mode in ("cross", "isolated") else [])


# -- protection ----------------------------------------------------------------------------------------


def _protection(body: Body) -> list[str]:
    stop = _distance(body, "stoploss", "sl")
    target = _distance(body, "takeprofit", "tp")
    trail = _flat(body["stoploss"]).get("trailpercent") if isinstance(body.get("stoploss"), dict) else None
    steps = [f"sl {stop}"] if stop else []
    steps += [f"tp {target}"] if target else _targets(body)
    if trail and (found := write.number(trail)):
        steps.append(f"trail off {found}%")
    return steps


def _distance(body: Body, *names: str) -> str | None:
    for name in names:
        value = body.get(name)
        if isinstance(value, dict):
            part = _flat(value)
            price = _get(part, "stopprice", "limitprice", "price")
            return write.level(price) if price else write.level(part.get("percent") or "", percent=True)
        if percent := _get(body, f"{name}percent", f"{name}percentage", f"{name}pct"):
            return write.level(percent, percent=True)
        if price := _get(body, f"{name}price", name):
            return write.level(price)
    return None


def _targets(body: Body) -> list[str]:
    """A list of targets with their parts, as TradingView Hub writes it."""
    targets = body.get("targets")
    if not isinstance(targets, list):
        return []
    steps = []
    for place, target in enumerate(targets[:9], 1):
        part = _flat(target) if isinstance(target, dict) else {}
        where = write.level(part.get("takeprofitpercent") or "", percent=True)
        where = where or write.level(part.get("takeprofitprice") or "")
        share = write.number(part.get("amount"))
        if where:
            steps.append(
                f"tp{place} {where}"
                + (f" for {share}%" if share and body.get("targetamountinpercent") else "")
            )
    return steps


# -- WunderTrading -------------------------------------------------------------------------------------


def _from_code(code: re.Match[str], body: Body) -> str | None:
    action, side, exchange, market, symbol = code.groups()
    venue = write.venue(f"{exchange}-{market or 'futures'}")
    if action.upper() == "EXIT":
        what = "" if side.upper() == "ALL" else f"{side.lower()} "
        return write.message(write.symbol(symbol), venue, [f"close {what}100%"])
    entry = f"market {side.lower()} {_wunder_size(body)}"
    return write.message(write.symbol(symbol), venue, [entry, *_settings(body), *_deviations(body)])


def _wunder_size(body: Body) -> str:
    amount, kind = body.get("amountpertrade"), str(body.get("amountpertradetype", "base"))
    if kind == "percents":
        percent = write.number(amount, 100)
        return f"{percent}%" if percent else write.UNKNOWN_SIZE
    return write.size(amount, _SIZE_KINDS.get(kind, "{}")) or write.UNKNOWN_SIZE


def _deviations(body: Body) -> list[str]:
    """Distances as parts of one: 0.05 is 5%."""
    stop, steps = body.get("stoploss"), []
    if isinstance(stop, dict) and (found := write.number(_flat(stop).get("pricedeviation"), 100)):
        steps.append(f"sl off {found}%")
    targets = body.get("takeprofits")
    for place, target in enumerate(targets[:9] if isinstance(targets, list) else [], 1):
        part = _flat(target) if isinstance(target, dict) else {}
        where, share = write.number(part.get("pricedeviation"), 100), write.number(part.get("portfolio"), 100)
        if where:
            steps.append(f"tp{place} off {where}%" + (f" for {share}%" if share else ""))
    return steps


def from_code(text: str) -> str | None:
    """The code alone, as WunderTrading alerts without JSON send it."""
    code = _CODE.match(text.strip())
    return _from_code(code, {}) if code else None
