"""Text to tokens: words, numbers, signs and quoted names, with the place of each.

A token is spread over parallel lists, because making an object for each would cost more than the rest of
the lexer. `kinds` holds the lower-case word, or one of the marks below for what is not a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from webhooks.syntax.errors import BadCommand
from webhooks.syntax.placeholders import refuse_placeholders
from webhooks.syntax.words import EXAMPLE, GLUED

#: a control character, which no text may hold: no word is ever taken for this mark
NUMBER = "\x00number"
STRING = '"'
COMMA = ","
#: the first symbol of a `SYMBOL on EXCHANGE`: it ends whatever stands before it
HEADER = "\x00header"
END = ""

#: white space of any alphabet, and the invisible characters that copying from a page brings along
SPACE = r"\s\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_CHUNK = re.compile(
    rf"""([^\W\d]+)(?=[;|,{SPACE}]|$)                  # a plain word
       | ([0-9]+(?:\.[0-9]+)?)(?=[;|{SPACE}]|$)        # a plain number
       | ([0-9]+(?:\.[0-9]+)?)%(?=[;|{SPACE}]|$)       # a plain percent
       | (?<![^{SPACE}])(//)[^\r\n]*                 # a comment
       | "[^"\r\n]*" | “[^”"\r\n]*” | [,"“] | [^;|,"“{SPACE}]+
    """,
    re.VERBOSE,
)
_WORD, _NUMBER, _PERCENT, _COMMENT = 1, 2, 3, 4
_PARTS = re.compile(
    rf"""(?P<number>[-+−]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)
      | [@$%*]
      | tp(?=@|\$|[-+−]|[0-9.]+(?:%|r$|ticks?$)|[0-9]{{3}}|[0-9]*\.[0-9])
      | (?:{"|".join(sorted(GLUED, key=len, reverse=True))})(?=[@$]|[-+−]?\.?[0-9])
      | (?:(?![@$%]).)+""",
    re.IGNORECASE | re.VERBOSE,
)
#: more than an amount with its unit: 1000PEPEUSDT but not 10x
_LIKE_SYMBOL = re.compile(r"(?![0-9.]+[a-z]{0,2}$)[^\W_][\w/.:-]*|\*", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(slots=True)
class Tokens:
    """`words` as written, `kinds` to compare, `starts` as offsets into `text`; closed by three END tokens."""

    text: str
    words: list[str]
    kinds: list[str]
    starts: list[int]


def tokenize(text: str) -> Tokens:
    """Raises BadCommand for an empty text, control characters, placeholders and unclosed quotes."""
    if not text.isprintable():
        _refuse_control_characters(text)
    if "{{" in text:
        refuse_placeholders(text)
    tokens = Tokens(text, [], [], [])
    _read(tokens)
    if not tokens.words:
        hint = f"for example: {EXAMPLE}"
        raise BadCommand("EMPTY", "the message is empty", hint, text=text, start=0, length=0)
    _close(tokens)
    return tokens


def _read(tokens: Tokens) -> None:
    """Most chunks are a plain word, number or percent and need no second look."""
    words, kinds, starts = tokens.words, tokens.kinds, tokens.starts
    for match in _CHUNK.finditer(tokens.text):
        form = match.lastindex
        word = match.group()
        if form == _WORD:
            kind = word.lower()
            if kind == "on":
                _mark_header(tokens)
            words.append(word)
            kinds.append(kind)
            starts.append(match.start())
        elif form == _NUMBER:
            words.append(word)
            kinds.append(NUMBER)
            starts.append(match.start())
        elif form == _PERCENT:
            words += (word[:-1], "%")
            kinds += (NUMBER, "%")
            starts += (match.start(), match.end() - 1)
        elif form != _COMMENT:
            _read_chunk(tokens, word, match.start())


def _mark_header(tokens: Tokens) -> None:
    """Mark where the symbols before an `on` begin: what could not be one stays outside."""
    words, kinds, starts = tokens.words, tokens.kinds, tokens.starts
    first = None
    last = len(words) - 1
    while last >= 0 and (kinds[last] != COMMA or first is None):
        if kinds[last] == COMMA:  # a comma right before `on`: the list is not finished
            last -= 1
            continue
        begin = _chunk_begin(tokens, last)
        symbol = tokens.text[starts[begin] : starts[last] + len(words[last])]
        if kinds[begin] in ("on", HEADER) or not _LIKE_SYMBOL.fullmatch(symbol):
            break
        first = begin
        last = begin - 2 if begin and kinds[begin - 1] == COMMA else -1
    if first is not None:
        kinds[first] = HEADER


def _chunk_begin(tokens: Tokens, last: int) -> int:
    """The first of the tokens glued to one: what was one word in the text."""
    begin = last
    while begin and tokens.starts[begin - 1] + len(tokens.words[begin - 1]) == tokens.starts[begin]:
        if tokens.kinds[begin - 1] == COMMA:
            break
        begin -= 1
    return begin


def _read_chunk(tokens: Tokens, chunk: str, start: int) -> None:
    """A chunk that is no plain word: quoted, a number, or words and numbers glued together."""
    if chunk[0] in '"“':
        if len(chunk) == 1:
            hint = 'close it with another " on the same line'
            raise BadCommand("UNCLOSED_QUOTE", "the quote is not closed", hint, text=tokens.text, start=start)
        _add(tokens, chunk, STRING, start)
        return
    if chunk == COMMA:
        _add(tokens, chunk, COMMA, start)
        return
    for part in _PARTS.finditer(chunk):
        word = part.group()
        _add(tokens, word, NUMBER if part.lastgroup else word.lower(), start + part.start())


def _add(tokens: Tokens, word: str, kind: str, start: int) -> None:
    tokens.words.append(word)
    tokens.kinds.append(kind)
    tokens.starts.append(start)


def _close(tokens: Tokens) -> None:
    """Readers look up to three tokens ahead without asking whether there are any."""
    end = tokens.starts[-1] + len(tokens.words[-1])
    tokens.words += ("", "", "")
    tokens.kinds += (END, END, END)
    tokens.starts += (end, end, end)


def _refuse_control_characters(text: str) -> None:
    if found := _CONTROL.search(text):
        message = f"this hook takes plain text: the character U+{ord(found.group()):04X} is not text"
        hint = "send the message as UTF-8 text without control characters"
        raise BadCommand("NOT_TEXT", message, hint, text=text, start=found.start())
