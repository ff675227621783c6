"""The page for programs: it names what there is, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils.html import escape

from execution.jobs import Result
from execution.results import protection_json
from webhooks import addressbook

METHODS = ("get", "post", "put", "patch", "delete")
#: what a verb of these views is called that is no entry of their `verbs`
FURTHER_VERBS = {"api_hook_verb": ("rotate",)}


def routes(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from routes(each)
        elif str(each.pattern).startswith("api/"):
            yield each


def calls(route: URLPattern) -> Iterator[tuple[str, str]]:
    view: Any = vars(route.callback)["view_class"]
    path = f"/{route.pattern}".replace("<slug:public_id>", "ID").replace("<slug:token>", "ID")
    verbs = (*getattr(view, "verbs", ()), *FURTHER_VERBS.get(route.name or "", ()))
    for method in filter(lambda name: hasattr(view, name), METHODS):
        for verb in verbs or ("",):
            yield method.upper(), path.replace("<slug:verb>", verb)


def test_every_address_of_the_api_is_told_and_no_other() -> None:
    told = [(call.method, call.path) for group in addressbook.GROUPS for call in group.calls]
    assert sorted(told) == sorted(call for route in routes(get_resolver()) for call in calls(route))


def test_the_page_is_public_and_every_page_of_the_docs_leads_to_it(db: None) -> None:
    page = Client().get(reverse("webhooks:programs")).content.decode()
    for group in addressbook.GROUPS:
        for call in group.calls:
            assert escape(call.meaning) in page
    for name in ("accounts:docs", "webhooks:syntax", "webhooks:error_codes"):
        assert f'href="{reverse("webhooks:programs")}"' in Client().get(reverse(name)).content.decode()


def shape(value: Any) -> Any:
    """Names only, and what an object in a list is made of."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def test_the_answer_that_is_shown_has_the_parts_of_a_real_one() -> None:
    legs: list[dict[str, Any]] = [
        {"kind": kind, "price": "1", "quantity": "1", "status": "open"} for kind in ("stop", "target")
    ]
    names = ("token", "command", "action", "venue", "symbol", "account", "region", "status")
    blank: dict[str, Any] = dict.fromkeys(names, "")
    real = Result(
        position=0,
        **blank,
        fee={"amount": "1", "asset": "USDT"},
        protection=protection_json("b_1", "armed", legs),
    ).as_json()
    assert shape(addressbook.ANSWER["results"]) == shape([real])
