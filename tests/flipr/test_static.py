"""Warnings are errors here: Django warns when a file is streamed under ASGI."""

from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

STYLES = (Path(__file__).resolve().parents[2] / "static" / "flipr.css").read_bytes()


@pytest.mark.parametrize("ask", [Client().get, async_to_sync(AsyncClient().get)], ids=["wsgi", "asgi"])
def test_a_static_file_arrives_whole_with_its_type(ask):
    answer = ask("/static/flipr.css")
    assert answer.status_code == 200
    assert answer.content == STYLES
    assert answer["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("ask", [Client().get, async_to_sync(AsyncClient().get)], ids=["wsgi", "asgi"])
def test_a_file_that_did_not_change_is_not_sent_again(ask):
    changed = ask("/static/flipr.css")["Last-Modified"]
    again = ask("/static/flipr.css", headers={"If-Modified-Since": changed})
    assert (again.status_code, again.content) == (304, b"")


def test_a_path_cannot_leave_the_static_files():
    assert Client().get("/static/../flipr/settings.py").status_code == 404
