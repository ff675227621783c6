"""Texts of other services: Alertatron scripts, Autoview's key=value, whook's lines and WunderTrading's codes.

Sources (read 2026-11-22): https://alertatron.com/docs/automated-trading/basic-concepts,
https://autoview.com/syntax, https://github.com/germangar/whook.
"""

from __future__ import annotations

import re

from webhooks.syntax.translate import write
from webhooks.syntax.translate.bodies import from_code
from webhooks.syntax.words import VOCABULARY

_SCRIPT = re.compile(r"([\w.-]{1,60})\(([\w/.:-]{1,60})\)\s*\{([^{}]*)\}")
_CALL = re.compile(r"\b(\w{1,20})\(([^()]*)\)")
_PAIR = re.compile(r"\b(\w{1,20})\s*=\s*([^\s,]+)")
_TRADED = re.compile(r"[A-Z0-9]+[/:-]?(?:USDT|USDC|USD|EUR|BTC)(?::\w+)?(?:\.P)?", re.IGNORECASE)
_LEVERAGE = re.compile(r"x([0-9.]+)|([0-9.]+)x", re.IGNORECASE)
_VALUE = re.compile(r"(-?)([0-9.]+)([$%@]?)")
_LIMIT = re.compile(r"limit:([^:\s]+):([0-9.]+)", re.IGNORECASE)
_CANCEL = re.compile(r"cancel:(\S+)", re.IGNORECASE)
_AUTOVIEW = frozenset({"e", "s", "b", "q", "t", "a", "c", "l", "p", "fp", "sl", "tp", "fsl", "ftp", "d"})
_MAX_LINES = 20
#: no alert of these services is longer, and the patterns are not made for more
_MAX_TEXT = 4096


def from_text(text: str) -> str | None:
    """The Smart Syntax for a text whose shape is known."""
    if len(text) > _MAX_TEXT:
        return None
    return _script(text) or from_code(text) or _lines(text, _autoview) or _lines(text, _whook)


# -- Alertatron ----------------------------------------------------------------------------------------


def _script(text: str) -> str | None:
    """`MyKeys(BTCUSDT) { market(side=buy, amount=50%); }`, any number of them."""
    found = _SCRIPT.findall(text)
    left = re.sub(r"#\w+", "", _SCRIPT.sub("", text)).strip()
    if not found or left:
        return None
    blocks = [
        write.message(write.symbol(symbol), write.DEFAULT_VENUE, _calls(body), account)
        for account, symbol, body in found[:_MAX_LINES]
    ]
    return "\n".join(block for block in blocks if block) if all(blocks) else None


def _calls(body: str) -> list[str]:
    if _CALL.sub("", body).strip(" ;\r\n\t"):
        return []
    return [_call(name.lower(), arguments) or "" for name, arguments in _CALL.findall(body)]


def _call(name: str, arguments: str) -> str | None:
    given = {key.lower(): value for key, value in _PAIR.findall(arguments)}
    if name == "wait" and re.fullmatch(r"\s*[0-9]+(?:ms|[smhd])\s*", arguments):
        return f"wait {arguments.strip()}"
    if name == "cancel":
        return "cancel all" if given.get("which", "all") == "all" else None
    if name == "exchangesettings" and given.keys() == {"leverage"}:
        leverage = write.number(given["leverage"])
        return leverage and f"lev {leverage}x"
    if name in ("stoporder", "stopmarket", "takeprofit", "trailingstop"):
        return _protection(name, given)
    return _order(name, given) if name in ("market", "limit") else None


def _protection(name: str, given: dict[str, str]) -> str | None:
    if not given.keys() <= {"offset", "side", "amount", "reduceonly", "trigger"}:
        return None
    where = write.level(given.get("offset", ""))
    word = {"takeprofit": "tp", "trailingstop": "trail"}.get(name, "sl")
    return where and f"{word} {where}"


def _order(name: str, given: dict[str, str]) -> str | None:
    if not given.keys() <= {"side", "amount", "position", "offset", "price"}:
        return None
    if name == "market" and "position" in given:
        return _position(given["position"])
    side, size = write.side(given.get("side", "buy")), _alertatron_size(given.get("amount", ""))
    if name == "market":
        return f"market {side} {size}" if side and size and "offset" not in given else None
    where = write.level(given.get("price") or given.get("offset", ""))
    return f"limit {side} {size} {where}" if side and size and where else None


def _alertatron_size(amount: str) -> str | None:
    """`50%` is of the balance, `50%%` of what is free, `50%p` of the position."""
    found = re.fullmatch(r"([0-9.]+)(%%|%p|%)?", amount)
    value = found and write.number(found[1])
    of = {"%": "%", "%%": "% free", "%p": "% pos"}.get(found[2] or "", "") if found else ""
    return f"{value}{of}" if value else None


def _position(value: str) -> str | None:
    """A wanted position: its sign is the side."""
    if re.fullmatch(r"-?0+(?:\.0+)?%?", value):
        return "go flat"
    size = write.size(value.lstrip("-"))
    return f"go {'short' if value.startswith('-') else 'long'} {size}" if size else None


# -- one order a line ----------------------------------------------------------------------------------


def _lines(text: str, read: object) -> str | None:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]
    if not 0 < len(lines) <= _MAX_LINES or not callable(read):
        return None
    found = [read(line) for line in lines]
    return "\n".join(found) if all(found) else None


def _autoview(line: str) -> str | None:
    """`e=bybit s=btcusdt b=long q=5% t=market`."""
    given = {key.lower(): value for key, value in _PAIR.findall(line)}
    if not {"s"} < given.keys() <= _AUTOVIEW or _PAIR.sub("", line).strip():
        return None
    venue = write.venue(given["e"]) if "e" in given else write.DEFAULT_VENUE
    return write.message(
        write.symbol(given["s"]), venue, _autoview_steps(given), given.get("a"), dry=given.get("d") == "1"
    )


def _autoview_steps(given: dict[str, str]) -> list[str]:
    side = write.side(given.get("b", ""))
    if given.get("c"):
        what = {"position": f"close {side or ''} {given.get('q', '100%')}", "order": "cancel all"}.get(
            given["c"], ""
        )
        return [" ".join(what.split())]
    where = write.level(given.get("fp") or given.get("p", ""))
    if not side or (given.get("t", "market") in ("limit", "post") and not where):
        return []
    size = write.size(given.get("q", "")) or write.UNKNOWN_SIZE
    steps = [f"limit {side} {size} {where}" if where else f"market {side} {size}"]
    steps += ["post"] if given.get("t") == "post" and where else []
    leverage = write.number(given.get("l", ""))
    steps += [f"lev {leverage}x"] if leverage else []
    for key, word, percent in (
        ("sl", "sl", True),
        ("fsl", "sl", False),
        ("tp", "tp", True),
        ("ftp", "tp", False),
    ):
        if key in given:
            found = write.level(given[key], percent=percent)
            steps.append(f"{word} {found}" if found else "")
    return steps


def _whook(line: str) -> str | None:
    """`myKucoin ETH/USDT buy 300$ x3 limit:id7:1012`."""
    words = line.split()
    traded = next((word for word in words if _TRADED.fullmatch(word)), None)
    if traded is None or not 2 <= len(words) <= 8:
        return None
    words.remove(traded)
    leverage = next((found[1] or found[2] for word in words if (found := _LEVERAGE.fullmatch(word))), "")
    rest = [word for word in words if not _LEVERAGE.fullmatch(word)]
    command, value, account = _whook_words(rest)
    if account is not None and account.lower() in VOCABULARY:
        return None  # it is Smart Syntax with a mistake
    steps = _whook_steps(command, value, leverage, rest)
    return (
        write.message(write.symbol(traded), write.DEFAULT_VENUE, steps, account)
        if account is not None
        else None
    )


def _whook_words(words: list[str]) -> tuple[str, str, str | None]:
    """Command, value and account. The account is None when more words are left than one account."""
    commands = ("buy", "sell", "long", "short", "pos", "position", "close")
    command = next((word.lower() for word in words if word.lower() in commands), "")
    value = next((word for word in words if _VALUE.fullmatch(word)), "")
    known = (*commands, "reduce", "reduceonly")
    left = [
        word
        for word in words
        if word != value
        and word.lower() not in known
        and not _LIMIT.fullmatch(word)
        and not _CANCEL.fullmatch(word)
    ]
    return command, value, (left or [""])[0] if len(left) < 2 else None


def _whook_steps(command: str, value: str, leverage: str, words: list[str]) -> list[str]:
    if cancel := next(filter(None, map(_CANCEL.fullmatch, words)), None):
        return ["cancel all" if cancel[1].lower() == "all" else f"cancel id {cancel[1]}"]
    if command == "close":
        return [f"close {value or '100%'}"] if re.fullmatch(r"|[0-9.]+%", value) else []
    if command in ("pos", "position") and re.fullmatch(r"-?[0-9.]+", value):
        return [_position(value) or "", *_lev(leverage)]
    side, size = write.side(command), _whook_size(value, leverage)
    if not side or not size:
        return []
    limit = next(filter(None, map(_LIMIT.fullmatch, words)), None)
    entry = f"limit {side} {size} at {limit[2]} tag {limit[1]}" if limit else f"market {side} {size}"
    reduce = ["reduce"] if any(word.lower() in ("reduce", "reduceonly") for word in words) else []
    return [entry, *reduce, *_lev(leverage)]


def _lev(leverage: str) -> list[str]:
    found = write.number(leverage) if leverage else None
    return [f"lev {found}x"] if found else []


def _whook_size(value: str, leverage: str) -> str | None:
    """Money and percents are the margin there, so the position is worth leverage times as much."""
    found = _VALUE.fullmatch(value)
    amount = write.number(found[2]) if found and not found[1] else None
    if found is None or amount is None:
        return None
    if found[3] == "$":
        worth = write.number(amount, int(leverage)) if leverage.isdecimal() else amount
        return worth and f"{worth}$"
    return {"%": f"{amount}% margin", "@": f"{amount} contracts"}.get(found[3], amount)
