from decimal import Decimal

import pytest

from exchanges.sandbox.model import Reason, Rejected, decimals_of, text
from exchanges.sandbox.wire import Call, encode


def call(query="", body=b""):
    return Call("POST", "/x", query, body, {}, "10.0.0.1", 0)


def test_decimals_are_written_as_plain_numbers():
    assert encode({"a": Decimal("1E-8"), "b": Decimal("1E+2")}) == b'{"a":0.00000001,"b":100}'


def test_text_is_escaped_and_nothing_is_lost():
    assert encode(['"\n€', None, True, 7, {}, [], ()]) == b'["\\"\\n\\u20ac",null,true,7,{},[],[]]'


def test_a_float_never_reaches_the_wire():
    with pytest.raises(TypeError):
        encode({"price": 0.1})


@pytest.mark.parametrize(
    ("number", "decimals", "written"),
    [("1E+3", None, "1000"), ("0.10", None, "0.1"), ("0", None, "0"), ("0.1", 3, "0.100"), (None, None, "0")],
)
def test_numbers_are_written_without_exponents(number, decimals, written):
    assert text(None if number is None else Decimal(number), decimals) == written


@pytest.mark.parametrize(("step", "decimals"), [("0.010", 2), ("1", 0), ("10", 0), ("1E-8", 8)])
def test_decimals_of_a_step(step, decimals):
    assert decimals_of(Decimal(step)) == decimals


def test_query_form_and_json_are_read_alike():
    assert call("a=1&b=2", b"b=3").params == {"a": "1", "b": "3"}
    assert call(body=b'{"qty": 0.1, "ok": true}').decimal("qty") == Decimal("0.1")
    assert call(body=b'{"qty": 0.1, "ok": true}').flag("ok") is True


@pytest.mark.parametrize(
    ("reason", "read"),
    [
        (Reason.MISSING_PARAMETER, lambda c: c.text("nope")),
        (Reason.MISSING_PARAMETER, lambda c: c.text("empty")),
        (Reason.MISSING_PARAMETER, lambda c: c.decimal("nope")),
        (Reason.BAD_PARAMETER, lambda c: c.decimal("word")),
        (Reason.BAD_PARAMETER, lambda c: c.decimal("nan")),
        (Reason.BAD_PARAMETER, lambda c: c.integer("word")),
        (Reason.BAD_PARAMETER, lambda c: c.flag("word")),
        (Reason.BAD_PARAMETER, lambda c: c.one_of("word", {"BUY": 1})),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(reason, read):
    with pytest.raises(Rejected) as refused:
        read(call("word=maybe&nan=NaN&empty="))
    assert refused.value.reason is reason
    assert refused.value.detail in ("nope", "empty", "word", "nan")


def test_a_body_that_is_not_json_is_refused():
    with pytest.raises(Rejected):
        _ = call(body=b'{"a":').params
