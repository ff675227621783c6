"""A place among the tokens: what stands here, going on, and pointing at it in an error."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import TypeVar

from execution.amounts import Span
from webhooks.syntax.errors import BadCommand, did_you_mean, line_starts, quoted
from webhooks.syntax.lexer import END, HEADER, SPACE, STRING, tokenize
from webhooks.syntax.placeholders import refuse_placeholder
from webhooks.syntax.words import VOCABULARY

Meaning = TypeVar("Meaning")

MAX_NAME = 200
_RAW_NAME = re.compile(rf'[^,"“{SPACE}]+')


class Cursor:
    """`kind` is the token at the cursor: a lower-case word or a mark of the lexer. `i` is its index."""

    __slots__ = ("_lines", "_named", "first_r", "i", "idle", "kind", "kinds", "starts", "text", "words")

    def __init__(self, text: str) -> None:
        tokens = tokenize(text)
        self.text = text
        self.words, self.kinds, self.starts = tokens.words, tokens.kinds, tokens.starts
        self.i = 0
        self.kind = self.kinds[0]
        #: the first offset in R of the order being read: it needs a stop in the same order
        self.first_r: Span | None = None
        #: values are read but mean nothing (protection after `go flat`), so NaN may stand for one
        self.idle = False
        #: behind which token a bare name ended, and the name with the word before it
        self._named = (-1, "")
        self._lines = line_starts(text) if "\n" in text or "\r" in text else None

    # -- what stands here ------------------------------------------------------------------------------

    @property
    def word(self) -> str:
        return self.words[self.i]

    def peek(self, ahead: int = 1) -> str:
        """The kind of a token further on, up to three."""
        return self.kinds[self.i + ahead]

    def at_end(self) -> bool:
        """Nothing more belongs to this block."""
        return self.kind in (END, HEADER)

    def at_known_word(self) -> bool:
        """A value cannot stand here any more: the next word, block or the end begins."""
        return self.kind in VOCABULARY or self.at_end()

    # -- going on --------------------------------------------------------------------------------------

    def advance(self, count: int = 1) -> None:
        self.i += count
        self.kind = self.kinds[self.i]

    def take(self, *words: str) -> bool:
        """Step over the word if it is one of these."""
        if self.kind not in words:
            return False
        self.advance()
        return True

    def choice(
        self, meanings: Mapping[str, Meaning], code: str, what: str, expected: Iterable[str] | None = None
    ) -> Meaning:
        """Step over one of some words and return what it stands for."""
        found = meanings.get(self.kind)
        if found is None:
            options = tuple(expected or meanings)
            listed = f"write {', '.join(options[:-1])} or {options[-1]}"
            if self.at_end():
                raise self.error(code, f"{what} is missing at the end", listed, expected=options)
            hint = did_you_mean(self.word, options, listed)
            raise self.error(code, f"{quoted(self.word)} is not {what}", hint, expected=options)
        self.advance()
        return found

    def raw(self, pattern: re.Pattern[str]) -> str:
        """What a pattern matches from here on, across tokens, but never into the next block's header."""
        start = self.starts[self.i]
        found = pattern.match(self.text, start)
        end = found.end() if found else start
        self.advance()
        while self.starts[self.i] < end and not self.at_end():
            self.advance()
        if self.kind == HEADER:
            end = min(end, self.starts[self.i])
        return self.text[start:end]

    def name(self, after: str, longest: int = MAX_NAME) -> str:
        """A name: one word, or anything in quotes."""
        first = self.i
        if self.kind == STRING:
            value = self.string(longest)
            if not value.strip():
                raise self.error(
                    "MISSING_NAME", f"the name after {quoted(after)} is empty", "write a name", first
                )
            return value
        if self.at_end() or not self.word[0].isalnum():
            hint = f'write for example {after} main, or {after} "two words"'
            raise self.error("MISSING_NAME", f"the name after {quoted(after)} is missing", hint)
        value = self.raw(_RAW_NAME).rstrip(";|")
        self._check_length(value, longest, first)
        self._named = (self.i, f'{after} "{value}')
        return value

    def in_quotes(self) -> str:
        """How to write the name that ended here, if the word here belongs to it too: `tag "Long Entry"`."""
        ended, name = self._named
        return f'{name} {self.chunk(self.i)}"' if ended == self.i else ""

    def string(self, longest: int) -> str:
        """The text between quotes; the cursor stands at it."""
        first, value = self.i, self.word[1:-1]
        if "{{" in value:
            refuse_placeholder(self.text, self.starts[first], self.word)
        self.advance()
        self._check_length(value, longest, first)
        return value

    def _check_length(self, value: str, longest: int, first: int) -> None:
        if len(value) > longest:
            message = f"the text has {len(value)} characters, {longest} is the most"
            raise self.error("TOO_LONG", message, "make it shorter", first)

    # -- pointing at it --------------------------------------------------------------------------------

    def span(self, index: int) -> Span:
        """The place of one token."""
        start = self.starts[index]
        if self._lines is None:
            return Span(1, start + 1, len(self.words[index]))
        return self._span(start, len(self.words[index]))

    def value_span(self, first: int) -> Span:
        """From a token up to the one before the cursor."""
        start = self.starts[first]
        last = self.i - 1
        length = self.starts[last] + len(self.words[last]) - start
        return Span(1, start + 1, length) if self._lines is None else self._span(start, length)

    def _span(self, start: int, length: int) -> Span:
        assert self._lines is not None
        line = bisect_right(self._lines, start)
        return Span(line, start - self._lines[line - 1] + 1, length)

    def error(
        self,
        code: str,
        message: str,
        hint: str = "",
        first: int | None = None,
        last: int | None = None,
        expected: Iterable[str] = (),
    ) -> BadCommand:
        """What is wrong, pointing at the token here, or from the first to the last."""
        first = self.i if first is None else first
        last = first if last is None else last
        start = self.starts[first]
        length = self.starts[last] + len(self.words[last]) - start
        return BadCommand(code, message, hint, text=self.text, start=start, length=length, expected=expected)

    def error_at(
        self, span: Span | None, code: str, message: str, hint: str = "", expected: Iterable[str] = ()
    ) -> BadCommand:
        """What is wrong, pointing at a place remembered while reading."""
        assert span is not None
        start = self._start(span)
        return BadCommand(
            code, message, hint, text=self.text, start=start, length=span.length, expected=expected
        )

    def _start(self, span: Span) -> int:
        return (self._lines or [0])[span.line - 1] + span.column - 1

    def at(self, span: Span) -> str:
        """The text that stands there."""
        start = self._start(span)
        return self.text[start : start + span.length]

    def error_behind(self, code: str, message: str, hint: str, expected: Iterable[str] = ()) -> BadCommand:
        """What is wrong, pointing behind the token before the cursor, where something is missing."""
        start = self.starts[self.i - 1] + len(self.words[self.i - 1])
        return BadCommand(code, message, hint, text=self.text, start=start, length=0, expected=expected)

    # -- the text as a person sees it ------------------------------------------------------------------

    def glued(self, index: int) -> bool:
        """No space stands between a token and the next."""
        return self.starts[index] + len(self.words[index]) == self.starts[index + 1]

    def whole_chunk(self) -> int:
        """The last token glued to the one here: together what a person sees as one word."""
        return self.i + max(self.chunk_length(self.i), 1) - 1

    def chunk_length(self, index: int) -> int:
        """How many tokens belong to the chunk that begins at a token; 0 at the end."""
        last = index
        while self.words[last] and self.words[last + 1] not in ("", ",") and self.glued(last):
            last += 1
        return last - index + 1 if self.words[index] else 0

    def chunk(self, index: int) -> str:
        """The tokens glued together that begin at a token, as written; "" at the end."""
        length = self.chunk_length(index)
        return self.text_of(index, index + length - 1) if length else ""

    def text_of(self, first: int, last: int) -> str:
        return self.text[self.starts[first] : self.starts[last] + len(self.words[last])]

    def here(self) -> str:
        """What a person sees as the word here, in quotes."""
        return "the end" if self.kind == END else quoted(self.chunk(self.i))
