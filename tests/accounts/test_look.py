"""Text can be told from what it stands on, in the light and in the dark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = (Path(settings.BASE_DIR) / "static" / "flipr.css").read_text()
#: https://www.w3.org/TR/WCAG22/#contrast-minimum and #non-text-contrast
TEXT, LINE = 4.5, 3.0
ON_PLAIN = [(ink, on) for ink in ("ink", "ink-soft", "accent") for on in ("ground", "surface", "sunken")]
ON_THEIR_OWN = [(level, f"{level}-soft") for level in ("good", "bad", "wait", "accent")]
ON_A_CARD = [(level, "surface") for level in ("good", "bad", "wait")]
PAIRS = [*ON_PLAIN, *ON_THEIR_OWN, *ON_A_CARD, ("accent-ink", "accent")]


def palette(scheme: str) -> dict[str, str]:
    """The dark one names what differs."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)[:2]
    told = light if scheme == "light" else light + dark
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", told))


def luminance(colour: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(scheme: str) -> None:
    colours = palette(scheme)
    weak = {f"{ink} on {on}": contrast(colours[ink], colours[on]) for ink, on in PAIRS}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < TEXT} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_field_shows_where_it_ends(scheme: str) -> None:
    colours = palette(scheme)
    assert min(contrast(colours["line-field"], colours[on]) for on in ("ground", "surface")) >= LINE
