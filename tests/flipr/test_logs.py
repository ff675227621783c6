import logging

import pytest

from flipr.logs import LineFormatter, MaskTokens, masked

TOKEN = "planted0token1planted2token3planted4token5"
PATH = f"/webhook/u1/{TOKEN}"


def line(*, name="flipr", level=logging.INFO, message="", args=(), exc_info=None, **extra):
    record = logging.LogRecord(name, level, __file__, 1, message, args, exc_info)
    vars(record).update(extra)
    MaskTokens().filter(record)
    return LineFormatter().format(record)


@pytest.mark.parametrize("tail", ["", "/", "/d_123", "?wait=3"])
def test_a_hook_token_is_masked_wherever_the_path_ends(tail):
    assert masked(f"POST {PATH}{tail} 200") == f"POST /webhook/u1/***{tail} 200"


def test_a_token_in_the_arguments_of_a_record_is_masked():
    # the shape of uvicorn's access log
    written = line(
        message='%s - "%s %s HTTP/%s" %d', args=("127.0.0.1:1", "POST", f"{PATH}?wait=3", "1.1", 200)
    )
    assert TOKEN not in written
    assert '"POST /webhook/u1/***?wait=3 HTTP/1.1" 200' in written


def test_a_token_in_a_traceback_is_masked():
    try:
        raise RuntimeError(f"no answer from {PATH}")
    except RuntimeError as error:
        written = line(message="failed", exc_info=(type(error), error, error.__traceback__))
    assert TOKEN not in written
    assert "RuntimeError: no answer from /webhook/u1/***" in written


def test_a_record_is_one_line_even_with_a_traceback_and_line_breaks():
    try:
        raise RuntimeError("first\nsecond")
    except RuntimeError as error:
        written = line(message="a\nb\r", exc_info=(type(error), error, error.__traceback__))
    assert len(written.splitlines()) == 1


def test_a_record_tells_when_how_bad_where_and_what():
    when, level, where, rest = line(name="execution.place", message="placed", delivery="d_1").split(" ", 3)
    assert when.endswith("Z")
    assert (level, where, rest) == ("INFO", "execution.place", "placed delivery=d_1")


def test_what_a_library_attaches_to_a_record_stays_out():
    # Celery attaches task arguments as `data`, Django the request
    written = line(message="failed", data={"args": "planted"}, request="planted", status_code=500)
    assert "planted" not in written
    assert written.endswith("failed status_code=500")


def test_a_request_body_is_never_logged(client, caplog):
    with caplog.at_level(logging.DEBUG):
        client.post(f"/no/such/page{PATH}", data="BTCUSDT planted", content_type="text/plain")
    assert caplog.records
    assert not [each for each in caplog.records if "planted" in line(message=each.getMessage())]
