from __future__ import annotations

from pathlib import Path

import pytest

from scoreboard.security import keymaking
from scoreboard.security.keyfolder import KeyFolder, load_keys
from scoreboard.security.personal import PersonalVault, master_id
from scoreboard.security.rotation import KeyTimes

OLD, NEW = bytes(32), b"\1" * 32
ANN, BOB = b"a" * 16, b"b" * 16


def test_a_wrapped_key_opens_under_its_name_alone() -> None:
    """Neither for another person nor changed anywhere; and what wraps it is told by a name that is not the key."""
    vault = PersonalVault(lambda: (OLD,))
    key = vault.new_key()
    master, wrapped = vault.wrap(key, ANN)
    assert key == vault.unwrap(master, wrapped, ANN)
    assert vault.unwrap(master, wrapped, BOB) is None
    assert vault.unwrap(master_id(NEW), wrapped, ANN) is None
    for place in range(len(wrapped)):
        changed = bytearray(wrapped)
        changed[place] ^= 1
        assert vault.unwrap(master, bytes(changed), ANN) is None
    assert key not in wrapped
    assert OLD.hex()[:16] != master


def test_the_newest_master_key_wraps_and_every_one_opens() -> None:
    """So a rotation takes nothing away; only one that is gone does."""
    masters = [OLD]
    vault = PersonalVault(lambda: masters)
    key = vault.new_key()
    before = vault.wrap(key, ANN)
    masters.insert(0, NEW)
    after = vault.wrap(key, ANN)
    assert (master_id(OLD), master_id(NEW)) == (before[0], after[0])
    assert key == vault.unwrap(*before, ANN) == vault.unwrap(*after, ANN)
    masters.remove(OLD)
    assert (None, key) == (vault.unwrap(*before, ANN), vault.unwrap(*after, ANN))


def test_what_was_encrypted_is_bound_to_its_place() -> None:
    """The same content is never the same twice."""
    vault = PersonalVault(lambda: (OLD,))
    key = vault.new_key()
    first, second = (vault.encrypt(key, b"here", b"one place") for _ in range(2))
    assert first != second
    assert b"here" == vault.decrypt(key, first, b"one place")
    assert vault.decrypt(key, first, b"another place") is None
    assert vault.decrypt(vault.new_key(), first, b"one place") is None


def test_texts_are_compared_by_a_hash_that_needs_the_key() -> None:
    """The same for the same; nothing to guess by for who has not the key."""
    vault = PersonalVault(lambda: ())
    assert vault.hashed(OLD, "ada@example.org") == vault.hashed(OLD, "ada@example.org")
    assert 3 == len({vault.hashed(key, text) for key, text in ((OLD, "a"), (NEW, "a"), (OLD, "b"))})


def test_without_a_master_key_nothing_is_wrapped() -> None:
    """Rather than under a key that nobody has."""
    with pytest.raises(LookupError, match="no master key"):
        PersonalVault(lambda: ()).wrap(OLD, ANN)


def test_a_new_master_key_wraps_when_all_servers_have_read_it(tmp_path: Path) -> None:
    """The one before opens for ever, until it is retired."""
    times = KeyTimes(settle_s=30.0)
    [first] = load_keys(tmp_path, times).master_keys
    folder = KeyFolder(tmp_path, times)
    made = keymaking.rotate(folder.path, "master").stat().st_ctime
    second, one = folder.read(made + 40).master_keys
    assert first == one != second
    assert (first, second) == folder.read(made + 20).master_keys
    assert (second, first) == folder.read(made + 1e9).master_keys == folder.masters(made + 1e9)
    states = {file.path.name: does for file, does in folder.states(made + 40)}
    assert ("opens", "wraps") == (states["master-1.key"], states["master-2.key"])
    keymaking.retire(folder.path, "master-1")
    assert (second,) == folder.read(made + 40).master_keys
    with pytest.raises(Exception, match="the only one of its kind"):
        keymaking.retire(folder.path, "master-2")
