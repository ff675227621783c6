"""`manage.py parse`: a message on standard input, JSON on standard output, the exit status says which."""

from __future__ import annotations

import io
import json
import sys

import pytest
from django.core.management import call_command


@pytest.fixture
def run(monkeypatch, capsys):
    """The command with a body on its standard input: its exit status and what it printed."""

    def run(body: bytes):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))
        status: object = 0
        try:
            call_command("parse")
        except SystemExit as end:
            status = end.code
        return status, json.loads(capsys.readouterr().out)

    return run


def test_a_message_is_printed_with_its_canonical_text(run):
    status, printed = run(b"btc/usdt.p on binance_f buy 0.010 sl2%")
    assert status == 0
    assert printed["ok"] is True
    assert printed["canonical"] == "BTCUSDT on Binance_F market long 0.01 sl off 2%"


def test_commands_are_printed_with_decimals_as_text_and_durations_in_seconds(run):
    status, printed = run(
        b"id a1 sent 2026-02-07T10:15:00Z valid 30s once 500ms dry run "
        b"ETHUSDT, BTCUSDT on OKX_FT using main limit long 0.50 at 2500 post expire 10m"
    )
    assert status == 0
    assert printed["options"] == {
        "id": "a1", "sent": "2026-02-07T10:15:00Z", "valid": 30, "once": 0.5, "dry_run": True,
    }  # fmt: skip
    assert printed["commands"] == [
        {
            "command": "ETHUSDT, BTCUSDT on OKX_FT using main limit long 0.5 at 2500 post expire 10m",
            "symbols": ["ETHUSDT", "BTCUSDT"],
            "venue": "OKX_FT",
            "accounts": ["main"],
            "steps": [
                {
                    "step": "entry",
                    "text": "limit long 0.5 at 2500 post expire 10m",
                    "kind": "limit",
                    "direction": "long",
                    "size": {"unit": "base", "value": "0.5"},
                    "price": {"price": "2500"},
                    "options": {"post": True, "expire": 600},
                }
            ],
        }
    ]


def test_a_wrong_message_is_printed_as_the_error_of_the_webhook(run, settings):
    settings.PUBLIC_URL = "https://flipr.example"
    status, printed = run(b"BTCUSDT on Binance_F market lnog 0.01")
    assert status == 1
    assert printed == {
        "ok": False,
        "status": "rejected",
        "error": {
            "code": "UNKNOWN_SIDE",
            "line": 1,
            "column": 29,
            "length": 4,
            "token": "lnog",
            "message": '"lnog" is not a side',
            "hint": 'did you mean "long"?',
            "expected": ["long", "short", "buy", "sell"],
            "show": f"BTCUSDT on Binance_F market lnog 0.01\n{' ' * 28}^^^^",
            "docs": "https://flipr.example/docs/errors/UNKNOWN_SIDE",
        },
    }


def test_bytes_that_are_no_text_are_an_error_too(run):
    status, printed = run(b"BTCUSDT on Binance_F \xff\xfe")
    assert status == 1
    assert printed["error"]["code"] == "NOT_TEXT"
    assert printed["error"]["column"] == 22
