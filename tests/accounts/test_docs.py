"""The public page about the exchanges."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.families import families

DOCS = "/docs/"


@pytest.fixture
def page(db: None) -> str:
    answer = Client().get(DOCS)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize("name", sorted(families()))
def test_a_visitor_reads_how_to_make_a_key_for_each_exchange(name: str, page: str):
    family = families()[name]
    assert f'id="{name}"' in page
    for kind in family.venues:
        assert f"<code>{kind.name}</code>" in page
        for sentence in (*kind.guide.key_steps, *kind.guide.quirks, kind.guide.testnet):
            assert escape(sentence) in page


def test_what_ccxt_opens_is_marked(page: str):
    def part(name: str) -> str:
        return page.partition(f'id="{name}-title"')[2].partition("</h2>")[0]

    assert ">generic</span>" in part("woo")
    assert "generic" not in part("okx")


def test_the_regions_are_those_of_this_installation(db: None, settings):
    settings.EXCHANGE_REGIONS = dict.fromkeys(("binance", "kraken"), "singapore")
    row = Client().get(DOCS).content.decode().partition('href="#kraken"')[2].partition("</tr>")[0]
    assert "Singapore" in row


def test_the_form_for_a_key_leads_to_the_part_about_its_exchange(owner_browser: Client):
    form = owner_browser.get(reverse("accounts:account_add", args=["okx"])).content.decode()
    assert f'href="{DOCS}#okx"' in form


def test_every_page_leads_to_the_docs(owner_browser: Client, db: None):
    for browser in (owner_browser, Client()):
        assert f'href="{DOCS}"' in browser.get("/").content.decode()


def test_the_page_leads_to_the_language(page: str):
    assert f'href="{reverse("webhooks:syntax")}"' in page
