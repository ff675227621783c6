import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_variable_of_the_settings_is_explained():
    read = set(re.findall(r'env_[a-z]+\("([A-Z_]+)"', (ROOT / "flipr" / "settings.py").read_text()))
    assert read
    assert {name for name in read if f"`{name}`" not in README} == set()


def test_every_file_that_is_linked_exists():
    targets = re.findall(r"\]\(([^)#:]+)\)", README + (ROOT / "CONTRIBUTING.md").read_text())
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_path_that_contributing_names_exists():
    named = re.findall(
        r"`((?:flipr|accounts|webhooks|exchanges|execution|tests|templates|static)/[\w./]*)`",
        (ROOT / "CONTRIBUTING.md").read_text(),
    )
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []
