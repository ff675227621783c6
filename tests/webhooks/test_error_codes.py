"""The table of error codes is whole: every code that our sources can raise has its entry."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from exchanges import errors
from webhooks.error_codes import CODES, GROUPS

CODE = re.compile(r"[A-Z][A-Z0-9_]{4,}")
ROOT = Path(__file__).resolve().parents[2]

#: what a code is an argument of, here and in the languages below
RAISERS = {
    *("Rejection", "error_object", "_refused", "bad_option", "_all", "_end"),
    *("BadCommand", "located", "error", "error_at", "error_behind"),
}


def raised_codes() -> Iterator[tuple[str, str]]:
    for package in ("webhooks", "execution"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if code := _code_of(node):
                    yield code, f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def _code_of(node: ast.AST) -> str:
    """Any argument that looks like a code, in a call of something that raises one."""
    if not isinstance(node, ast.Call):
        return ""
    for argument in node.args[:3]:
        word = argument.value if isinstance(argument, ast.Constant) else ""
        if isinstance(word, str) and CODE.fullmatch(word) and _raises(node.func):
            return word
    return ""


def _raises(func: ast.expr) -> bool:
    name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
    return name in RAISERS


def test_every_code_of_the_sources_is_explained() -> None:
    found = dict(raised_codes())

    assert len(found) > 60, "the search finds nothing any more"
    assert {code: where for code, where in found.items() if code not in CODES} == {}


def test_every_kind_of_exchange_error_is_explained() -> None:
    kinds = {each.kind for each in vars(errors).values() if isinstance(each, type) and hasattr(each, "kind")}

    assert len(kinds) > 10
    assert kinds - set(CODES) == set()


def test_no_code_is_explained_twice() -> None:
    assert sum(len(group) for group in GROUPS) == len(CODES)
