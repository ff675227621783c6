"""The language by example: what the page shows can be pasted."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from execution import coverage
from webhooks.phrasebook import CHAPTERS, Phrase
from webhooks.syntax import parse_bytes

PHRASES = [phrase for chapter in CHAPTERS for phrase in chapter.phrases]


@pytest.mark.parametrize("phrase", PHRASES, ids=lambda phrase: phrase.message[:60])
def test_an_example_is_understood_and_carried_out(phrase: Phrase) -> None:
    coverage.check(parse_bytes(phrase.message.encode()))
    assert phrase.meaning.endswith(".")


def test_the_page_is_public_and_shows_every_example(db: None) -> None:
    answer = Client().get(reverse("webhooks:syntax"))
    assert answer.status_code == 200
    page = answer.content.decode()
    for phrase in PHRASES:
        assert escape(phrase.message) in page
