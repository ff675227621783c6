"""Strict readers: nothing of a bad answer becomes a default."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges import read
from exchanges.errors import OutcomeUnknown

ANSWER = {"a": [{"b": "1.50"}], "empty": "", "none": None, "yes": True, "word": "NEW"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def test_a_path_leads_through_objects_and_arrays() -> None:
    assert read.decimal(ANSWER, "a", 0, "b") == Decimal("1.5")


@pytest.mark.parametrize(
    "path", [("x",), ("a", 1), ("a", 0, "c"), ("word", 0), ("none", "b"), ("yes", 0), ("a", "b")]
)
def test_a_missing_field_is_an_unknown_outcome_that_names_it(path: tuple[str | int, ...]) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        read.field(ANSWER, *path)
    assert ".".join(str(step) for step in path) in caught.value.message


@pytest.mark.parametrize(
    "value", [True, None, 1.5, "", "abc", "NaN", "Infinity", "-inf", [], {}, Decimal("NaN")]
)
def test_what_is_not_a_finite_number_is_an_unknown_outcome(value: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read.decimal({"amount": value}, "amount")


@pytest.mark.parametrize("value", ["1e61", "-1e61", "1e-61", Decimal("1e999999999"), "0e-999999"])
def test_a_number_that_nothing_can_have_is_an_unknown_outcome(value: Any) -> None:
    """Written out, such a one would fill the memory."""
    with pytest.raises(OutcomeUnknown):
        read.decimal({"amount": value}, "amount")


@pytest.mark.parametrize("value", ["0.00000001", Decimal("0.1"), 3, "-5"])
def test_numbers_keep_every_digit(value: Any) -> None:
    assert read.decimal({"amount": value}, "amount") == Decimal(value)


@pytest.mark.parametrize("path", [("x",), ("empty",), ("none",), ("x", "y"), ("none", "y")])
def test_an_optional_number_may_be_absent(path: tuple[str, ...]) -> None:
    assert read.decimal_or_none(ANSWER, *path) is None


def test_an_optional_number_that_is_there_must_be_one() -> None:
    with pytest.raises(OutcomeUnknown):
        read.decimal_or_none(ANSWER, "word")


@pytest.mark.parametrize(
    ("value", "nonzero", "positive"),
    [
        ("1.5", "1.5", "1.5"),
        ("0.00", None, None),
        (0, None, None),
        ("-1", "-1", None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_price_that_is_not_there_may_be_told_as_0_or_below(
    value: Any, nonzero: str | None, positive: str | None
) -> None:
    answer = {"price": value}
    assert read.nonzero(answer, "price") == (None if nonzero is None else Decimal(nonzero))
    assert read.positive(answer, "price") == (None if positive is None else Decimal(positive))


@pytest.mark.parametrize("reader", [read.nonzero, read.positive])
def test_a_price_that_is_no_number_is_an_unknown_outcome(reader: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        reader(ANSWER, "word")
    assert reader(ANSWER, "x") is None


@pytest.mark.parametrize(("decimals", "step"), [("2", "0.01"), (0, "1"), ("-1", "10")])
def test_a_step_is_told_as_a_number_of_decimals(decimals: Any, step: str) -> None:
    assert read.step_of({"scale": decimals}, "scale") == Decimal(step)


def test_an_empty_list_may_come_as_null_and_may_not_be_missing() -> None:
    assert read.rows_of(ANSWER, "none") == read.rows_of(None) == []
    assert read.rows_of(ANSWER, "a") == ANSWER["a"]
    for path in ("x", "word"):
        with pytest.raises(OutcomeUnknown):
            read.rows_of(ANSWER, path)


def test_a_table_names_all_words_of_a_meaning_at_once() -> None:
    table = read.words({1: "new live", 2: "filled"}, {3: "gone"})
    assert table == {"new": 1, "live": 1, "filled": 2, "gone": 3}


def test_an_unknown_word_is_an_unknown_outcome_and_is_told_shortened() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        read.word({"NEW": 1}, {"status": "X" * 500}, "status")
    assert len(caught.value.message) < 100


def test_a_number_may_stand_for_a_word() -> None:
    assert read.word({"2": "filled"}, {"status": 2}, "status") == "filled"


@pytest.mark.parametrize("value", [None, True, [], {}, 1.5])
def test_what_is_not_text_is_an_unknown_outcome(value: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read.text({"id": value}, "id")


@pytest.mark.parametrize(
    ("value", "meant"), [(True, True), ("true", True), ("True", True), (False, False), ("false", False)]
)
def test_a_flag_comes_as_such_or_as_text(value: Any, meant: bool) -> None:
    assert read.flag({"reduceOnly": value}, "reduceOnly") is meant


@pytest.mark.parametrize("value", [None, "", "yes", 0, 1, []])
def test_what_is_neither_true_nor_false_is_an_unknown_outcome(value: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read.flag({"reduceOnly": value}, "reduceOnly")


def test_items_of_what_is_not_a_list_is_an_unknown_outcome() -> None:
    with pytest.raises(OutcomeUnknown, match="the answer is not a list"):
        read.items({"a": 1})


@given(JSON, st.lists(st.text() | st.integers(), min_size=1, max_size=3))
def test_whatever_comes_gives_a_value_or_an_unknown_outcome(data: Any, path: list[str | int]) -> None:
    for reader in (read.field, read.text, read.decimal, read.decimal_or_none, read.flag, read.items):
        try:
            reader(data, *path)
        except OutcomeUnknown:
            continue


def test_optional_text_may_be_absent_and_nothing_else() -> None:
    assert [read.text_or_none(ANSWER, name) for name in ("x", "empty", "none", "word")] == [
        None,
        None,
        None,
        "NEW",
    ]
    for name in ("yes", "a"):
        with pytest.raises(OutcomeUnknown, match=name):
            read.text_or_none(ANSWER, name)


def test_times_are_aware_whichever_way_they_are_told() -> None:
    wanted = datetime(2026, 11, 23, 7, 46, 27, 123_000, UTC)
    assert read.moment_ms({"at": "1795419987123"}, "at") == wanted
    assert read.moment_ms({"at": Decimal("1795419987.1234")}, "at", per_second=1) == wanted
    assert read.moment({"at": "2026-11-23T07:46:27.123Z"}, "at") == wanted
    assert read.moment({"at": "2026-11-23T07:46:27.123"}, "at") == wanted


@pytest.mark.parametrize("value", ["1e40", "-1e40", "soon", None])
def test_what_is_no_time_is_an_unknown_outcome(value: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read.moment_ms({"at": value}, "at")
    with pytest.raises(OutcomeUnknown):
        read.moment({"at": value}, "at")
