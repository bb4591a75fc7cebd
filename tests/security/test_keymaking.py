from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from scoreboard.__main__ import main
from scoreboard.security import keyfiles
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfolder import KeyFolder, load_keys
from scoreboard.security.keymaking import register, retire, rotate, rotate_old

MONTH_S = 30 * 86_400.0
FIRST = {"jwt-1.key", "action-1.key", "game-1.key", "master-1.key", "refresh.key", "client.key"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The keys of a server that started once."""
    load_keys(tmp_path)
    return tmp_path / "keys"


def pem(private: Ed25519PrivateKey) -> bytes:
    """The half that may be told."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("kind", ["action", "client", "jwt"])
def test_a_key_that_was_rotated_in_signs_when_it_has_settled(folder: Path, kind: str) -> None:
    """And its file is private, as all are."""
    path = rotate(folder, kind)
    assert 0o600 == path.stat().st_mode & 0o777
    told = {file.path.name: does for file, does in KeyFolder(folder.parent).states(time.time())}
    later = {file.path.name: does for file, does in KeyFolder(folder.parent).states(time.time() + 31)}
    assert ("believed", "signs") == (told[path.name], later[path.name])


def test_a_game_s_keys_have_names_of_their_own(folder: Path) -> None:
    """A number belongs to the key, not to the name; what has no name takes part in nothing."""
    assert ["game-2.key", "game-arena-1.key", "game-arena-2.key"] == [
        rotate(folder, "game", name=name).name for name in ("", "arena", "arena")
    ]
    ring = load_keys(folder.parent)
    assert {"game": 2, "arena": 2} == {name: len(keys) for name, keys in ring.game_keys.items()}
    for kind, name in (("game", "A/../b"), ("game", "-"), ("action", "arena")):
        with pytest.raises(PrivateFileRefused):
            rotate(folder, kind, name=name)


def test_a_public_key_is_registered_once(folder: Path) -> None:
    """Again changes nothing; another stands beside it. What is no Ed25519 key is refused."""
    one, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    assert register(folder, "arena", pem(one)) == register(folder, "arena", pem(one))
    assert "public-arena-2.pem" == register(folder, "arena", pem(other)).name
    keys = (other.public_key().public_bytes_raw(), one.public_key().public_bytes_raw())
    assert {"arena": keys} == load_keys(folder.parent).public_keys
    rsa = generate_private_key(65537, 2048).public_key()
    for wrong in (b"nonsense", rsa.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(PrivateFileRefused):
            register(folder, "arena", wrong)


def test_a_retired_key_is_believed_no_more_and_its_number_never_comes_again(folder: Path) -> None:
    """Its file is kept under another name. What a server needs cannot be retired, nor what lies elsewhere."""
    for name, why in (("action-1", "only one"), ("game-9", "no key")):
        with pytest.raises(PrivateFileRefused, match=why):
            retire(folder, name)
    rotate(folder, "action")
    assert "action-1.key.retired" == retire(folder, "action-1").name
    assert 1 == len(load_keys(folder.parent).action_keys)
    rotate(folder, "game")
    retire(folder, "game-2.key")
    assert "game-3.key" == rotate(folder, "game").name
    for name in ("refresh.key", "client.key", "../keys/action-2", ""):
        with pytest.raises(PrivateFileRefused):
            retire(folder, name)


def test_what_is_too_old_is_rotated_by_one_worker(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that look at the same moment; and who looks later finds nothing to do."""
    now_s = time.time() + MONTH_S
    monkeypatch.setattr(keyfiles, "made_s", lambda path: now_s - MONTH_S if path.name in FIRST else now_s)
    assert rotate_old(folder, "client", now_s=now_s - 1, older_s=MONTH_S) is None
    with ThreadPoolExecutor(8) as pool:
        look = partial(rotate_old, folder, now_s=now_s, older_s=MONTH_S)
        for kind in ("action", "client", "jwt"):
            made = [path for path in pool.map(look, [kind] * 8) if path is not None]
            assert 1 == len(made), kind
    assert FIRST | {"action-2.key", "client-1.key", "jwt-2.key"} == {path.name for path in folder.iterdir()}


def test_an_operator_sees_and_changes_the_keys(tmp_path: Path) -> None:
    """Without a server; what is wrong is told in a sentence."""
    load_keys(tmp_path)

    def told(*words: str, given: bytes | None = None, status: int = 0) -> str:
        result = CliRunner().invoke(main, ["key", *words, "--data", str(tmp_path)], input=given)
        assert status == result.exit_code, result.output
        return result.output

    assert told("rotate", "jwt").strip().endswith("jwt-2.key")
    assert told("rotate", "game", "--name", "arena").strip().endswith("game-arena-1.key")
    assert told("add", "arena", "-", given=pem(Ed25519PrivateKey.generate())).strip().endswith("public-arena-1.pem")
    states = {file: does for file, does, _ in (line.split("  ") for line in told("list").splitlines())}
    assert ("signs", "believed", "signs") == (states["jwt-1.key"], states["jwt-2.key"], states["client.key"])
    assert {"game-1.key", "game-arena-1.key", "public-arena-1.pem", "action-1.key"} < set(states)
    told("retire", "game-arena-1")
    assert "game-arena-1" not in told("list")
    assert "scoreboard key list" in told("retire", "game-arena-1", status=1)
    assert "public key" in told("add", "arena", "-", given=b"nonsense", status=1)


def test_a_kind_without_keys_lists_none(tmp_path: Path) -> None:
    """As in a folder into which keys are still to be copied."""
    load_keys(tmp_path)
    for path in (tmp_path / "keys").glob("action-*.key"):
        path.unlink()
    listed = CliRunner().invoke(main, ["key", "list", "--data", str(tmp_path)])
    assert (0, True, False) == (listed.exit_code, "jwt-1.key" in listed.output, "action" in listed.output)
