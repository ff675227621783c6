"""The example messages and the wrong messages of the language, word for word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webhooks.syntax import BadCommand, parse
from webhooks.syntax.errors import text_lines

DATA = Path(__file__).parent / "data"
EXAMPLES = json.loads((DATA / "examples.json").read_text(encoding="utf-8"))
WRONG = json.loads((DATA / "wrong.json").read_text(encoding="utf-8"))


def number(case):
    return str(case["number"])


@pytest.mark.parametrize("case", EXAMPLES, ids=number)
def test_example_means_its_canonical_text(case):
    assert str(parse(case["text"])) == case["canonical"]


@pytest.mark.parametrize("case", EXAMPLES, ids=number)
def test_example_survives_its_canonical_text(case):
    message = parse(case["text"])
    assert parse(str(message)) == message


@pytest.mark.parametrize("case", EXAMPLES, ids=number)
def test_example_is_the_same_in_any_case(case):
    in_capitals = parse(case["text"].upper())
    assert str(in_capitals).lower() == case["canonical"].lower()
    assert parse(case["text"].lower()).blocks[0].venue == in_capitals.blocks[0].venue


@pytest.mark.parametrize("case", EXAMPLES, ids=number)
def test_example_is_the_same_on_several_lines(case):
    if "//" not in case["text"]:
        assert parse(case["text"].replace(" ", "\n")) == parse(case["text"])


@pytest.mark.parametrize("case", WRONG, ids=number)
def test_wrong_message_gets_its_error(case):
    with pytest.raises(BadCommand) as caught:
        parse(case["text"])
    error = caught.value.as_error("https://flipr.example/")
    for field in ("code", "line", "column", "length", "token", "message", "hint"):
        assert error[field] == case[field], field
    assert error["docs"] == f"https://flipr.example/docs/errors/{case['code']}"


@pytest.mark.parametrize("case", WRONG, ids=number)
def test_wrong_message_is_shown_with_carets_under_the_word(case):
    with pytest.raises(BadCommand) as caught:
        parse(case["text"])
    line = text_lines(case["text"])[case["line"] - 1]
    assert caught.value.show == f"{line}\n{case['carets']}"
    under = line[len(case["carets"]) - case["length"] : len(case["carets"])]
    assert under == case["token"]
