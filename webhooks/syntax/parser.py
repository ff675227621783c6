"""Reading a whole message: message options and blocks, in any order."""

from __future__ import annotations

from typing import Any, NoReturn

from execution.commands import Cancel, Close, If, Protect, Step, Wait
from execution.message import Block, Message
from webhooks.syntax.cursor import Cursor
from webhooks.syntax.errors import BadCommand
from webhooks.syntax.foreign import refuse_other_formats
from webhooks.syntax.header import (
    check_contracts,
    missing_on,
    read_accounts,
    read_symbols,
    read_venue,
    refuse_missing_on,
    refuse_no_header,
)
from webhooks.syntax.lexer import END, HEADER, STRING
from webhooks.syntax.numbers import duration, utc_time
from webhooks.syntax.steps import Steps
from webhooks.syntax.translate import from_text
from webhooks.syntax.words import CHANNELS, MESSAGE_OPTIONS, VOCABULARY

MAX_BYTES = 16 * 1024
MAX_BLOCKS = 20
#: symbols x accounts x steps, over all blocks: each is a row, and a result of the answer
MAX_RESULTS = 200
MAX_NOTE = 500
_OPTIONS = frozenset(MESSAGE_OPTIONS)
_FIELDS = {"dry": "dry_run"}
#: how a body begins that is no UTF-8 -> what its sender can do
_OTHER_BYTES = {
    b"\xff\xfe": "send UTF-8 instead of UTF-16",
    b"\xfe\xff": "send UTF-8 instead of UTF-16",
    b"\x1f\x8b": "send the text itself, without gzip",
}
_FOR_ALL = (Close, Cancel, Protect, Wait)


def parse(text: str) -> Message:
    """What a message asks for. Raises BadCommand, and nothing else, when it is not Smart Syntax."""
    text = text.removeprefix("\ufeff")
    _check_length(len(text) if text.isascii() else len(text.encode(errors="surrogatepass")))
    refuse_other_formats(text)
    return _Reader(Cursor(text)).message()


def parse_bytes(body: bytes) -> Message:
    """The same for the body of a request, which must be UTF-8."""
    _check_length(len(body))
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        _refuse_bytes(body, error.start)
    return parse(text)


def _check_length(length: int) -> None:
    if length > MAX_BYTES:
        message = f"the message has {length} bytes, {MAX_BYTES} is the most"
        raise BadCommand("MESSAGE_TOO_LONG", message, "split it into several messages")


def _refuse_bytes(body: bytes, start: int) -> NoReturn:
    before = body[:start].decode()
    hint = _OTHER_BYTES.get(body[:2], "send the message as UTF-8 text")
    message = "this hook takes plain text in UTF-8"
    raise BadCommand("NOT_TEXT", message, hint, text=f"{before}\ufffd", start=len(before))


class _Reader:
    """One message on its way from tokens to values."""

    __slots__ = ("blocks", "c", "options", "results", "spans")

    def __init__(self, c: Cursor) -> None:
        self.c = c
        self.blocks: list[Block] = []
        self.results = 0
        self.options: dict[str, Any] = {}
        self.spans: dict[str, Any] = {}

    def message(self) -> Message:
        c = self.c
        while c.kind in _OPTIONS:
            self._option()
        if c.kind != HEADER:
            self._no_header()
        while c.kind == HEADER:
            if len(self.blocks) == MAX_BLOCKS:
                raise c.error("TOO_MANY", f"a message takes {MAX_BLOCKS} blocks at most", "split the message")
            self.blocks.append(self._block())
            self._count(self.blocks[-1])
        if "valid" in self.options and "sent" not in self.options:
            message = "valid says how old a message may be, and sent is missing"
            raise c.error_at(self.spans["valid"], "VALID_NEEDS_SENT", message, "add sent {{timenow}}")
        return Message(tuple(self.blocks), **self.options, spans=self.spans)

    def _no_header(self) -> NoReturn:
        try:
            refuse_no_header(self.c)
        except BadCommand as error:
            if known := from_text(self.c.text):
                error.hint = f"in Smart Syntax this is: {known}"
            raise

    def _count(self, block: Block) -> None:
        self.results += max(len(block.symbols), 1) * max(len(block.accounts), 1) * len(block.steps)
        if self.results > MAX_RESULTS:
            message = (
                f"a message leads to {MAX_RESULTS} results at most, and symbols x accounts x steps "
                f"come to {self.results} here"
            )
            raise self.c.error_at(block.span, "TOO_MANY", message, "split the message")

    # -- one block -------------------------------------------------------------------------------------

    def _block(self) -> Block:
        c = self.c
        symbols, symbol_spans = read_symbols(c)
        venue = read_venue(c)
        check_contracts(c, symbol_spans, venue)
        accounts, account_spans = read_accounts(c)
        header_end = c.i
        steps = Steps(c)
        while (kind := c.kind) not in (END, HEADER):
            if kind in _OPTIONS:
                self._option()
                continue
            if kind not in VOCABULARY and (at := self._next_header(kind)) is not None:
                refuse_missing_on(c, at)
            steps.read()
        steps.finish()
        self._check_steps(symbols, steps.done, header_end)
        return Block(
            symbols,
            venue,
            accounts,
            tuple(steps.done),
            symbol_spans[0],
            symbol_spans if symbols else (),
            account_spans,
        )

    def _next_header(self, kind: str) -> int | None:
        """Where `on` is missing in the header of a further block."""
        return missing_on(self.c) if kind[0].isalpha() else None

    def _check_steps(self, symbols: tuple[str, ...], steps: list[Step], header_end: int) -> None:
        if symbols and steps and not isinstance(steps[-1], (Wait, If)):
            return
        c = self.c
        if all(isinstance(step, (Wait, If)) for step in steps):
            what = ", ".join(symbols) or "*"
            if not steps:
                c.i = header_end
            raise c.error_behind(
                "NO_COMMAND", f"there is nothing to do for {what}", "add for example: market long 0.01"
            )
        if isinstance(steps[-1], If):
            raise c.error_behind(
                "NO_COMMAND",
                f'there is nothing to do behind "{steps[-1]}"',
                "add for example: market long 0.01",
            )
        if not symbols:
            self._check_for_all(steps)

    def _check_for_all(self, steps: list[Step]) -> None:
        for step in steps:
            trails = isinstance(step, Protect) and step.protection.trail is not None
            if trails or not isinstance(step, _FOR_ALL):
                message = (
                    "* stands for every symbol, and only close, cancel, sl, tp and be work on all of them"
                )
                raise self.c.error_at(
                    step.span, "NOT_FOR_ALL", message, "name the symbols: BTCUSDT, ETHUSDT on Binance_F"
                )

    # -- message options -------------------------------------------------------------------------------

    def _option(self) -> None:
        c = self.c
        kind = c.kind
        field = _FIELDS.get(kind, kind)
        if field in self.options:
            raise c.error("TWICE", f'"{kind}" stands twice in one message', "leave one of the two out")
        self.spans[field] = c.span(c.i)
        c.advance()
        self.options[field] = self._value(kind)

    def _value(self, kind: str) -> Any:
        c = self.c
        if kind == "id":
            return c.name("id")
        if kind == "sent":
            return utc_time(c)
        if kind == "notify":
            return c.choice(CHANNELS, "BAD_NOTIFY", "a way to be told")
        if kind == "note":
            return self._note()
        if kind in ("valid", "once"):
            return duration(c, kind)
        if kind == "dry":
            c.take("run")
        return True

    def _note(self) -> str:
        if self.c.kind != STRING:
            raise self.c.error("BAD_NOTE", "a note stands in quotes", 'write note "my first breakout"')
        return self.c.string(MAX_NOTE)
