import base64
import json

from flipr.keys import kept_private, new_keys, stored_keys


def test_every_secret_of_a_new_set_is_new():
    first, second = new_keys(), new_keys()
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_symmetric_keys_have_256_bits():
    keys = new_keys()
    assert len(base64.b64decode(keys["TOKEN_DIGEST_KEY"])) == 32
    assert len(base64.b64decode(keys["WEB_KEYS"].partition(":")[2])) == 32


def test_a_stored_set_stays_the_same_and_private(tmp_path):
    directory = tmp_path / "keys"
    assert stored_keys(directory) == stored_keys(directory)
    (path,) = directory.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text()).keys() == new_keys().keys()


def test_what_is_kept_is_made_once(tmp_path):
    made = iter(["first", "second"])
    assert kept_private(tmp_path / "word", lambda: next(made)) == "first"
    assert kept_private(tmp_path / "word", lambda: next(made)) == "first"
