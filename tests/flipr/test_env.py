import pytest
from django.core.exceptions import ImproperlyConfigured

from flipr.env import env_bool, env_float, env_int, env_list, env_map, env_secret, env_str


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("NAME", "  ")
    assert env_str("NAME", "else") == "else"
    assert env_int("NAME", 3) == 3


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("FALSE", False)])
def test_a_switch_is_read_in_any_usual_word(monkeypatch, text, value):
    monkeypatch.setenv("SWITCH", text)
    assert env_bool("SWITCH", not value) is value


def test_numbers_lists_and_maps_are_read(monkeypatch):
    monkeypatch.setenv("WAIT", "2.5")
    assert env_float("WAIT", 0, least=2.5, most=2.5) == 2.5
    monkeypatch.setenv("HOSTS", "a.example, b.example,")
    monkeypatch.setenv("WHERE", "BitMEX=tokyo, okx=eu")
    assert env_float("WAIT", 0) == 2.5
    assert env_list("HOSTS") == ("a.example", "b.example")
    assert env_map("WHERE") == {"bitmex": "tokyo", "okx": "eu"}


@pytest.mark.parametrize(
    ("read", "text", "remedy"),
    [
        (lambda: env_bool("WRONG", False), "maybe", "write 1 or 0"),
        (lambda: env_int("WRONG", 0), "ten", "write a whole number"),
        (lambda: env_float("WRONG", 0), "2,5", "write a number"),
        (lambda: env_float("WRONG", 0), "nan", "write a number that has an end"),
        (lambda: env_float("WRONG", 0), "-inf", "write a number that has an end"),
        (lambda: env_float("WRONG", 0, least=0.5), "0.4", "write 0.5 or more"),
        (lambda: env_int("WRONG", 1, least=1), "0", "write 1 or more"),
        (lambda: env_int("WRONG", 1, most=65_535), "65536", "write 65535 or less"),
        (lambda: env_map("WRONG"), "okx:eu", "key=value"),
    ],
)
def test_a_wrong_value_names_the_variable_the_value_and_the_remedy(monkeypatch, read, text, remedy):
    monkeypatch.setenv("WRONG", text)
    with pytest.raises(ImproperlyConfigured) as raised:
        read()
    assert str(raised.value).startswith(f"WRONG is '{text}'")
    assert remedy in str(raised.value)


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("from the file\n")
    monkeypatch.setenv("SECRET_FILE", str(tmp_path / "secret"))
    assert env_secret("SECRET") == "from the file"


def test_a_secret_given_twice_is_an_error_without_the_secret(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text("planted-1")
    monkeypatch.setenv("SECRET", "planted-2")
    monkeypatch.setenv("SECRET_FILE", str(tmp_path / "secret"))
    with pytest.raises(ImproperlyConfigured, match="SECRET_FILE") as raised:
        env_secret("SECRET")
    assert "planted" not in str(raised.value)


@pytest.mark.parametrize("content", [None, "", b"\xff\xfe\x00"])
def test_a_secret_file_that_cannot_serve_is_named(monkeypatch, tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    monkeypatch.setenv("SECRET_FILE", str(path))
    with pytest.raises(ImproperlyConfigured, match="SECRET_FILE points to"):
        env_secret("SECRET")
