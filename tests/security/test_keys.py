from __future__ import annotations

import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.keys import KeyRing, new_rsa_pem
from tests.security.rings import fresh_ring

KEY_FILES = {"jwt-1.key", "action-1.key", "game-1.key", "master-1.key", "refresh.key", "client.key"}


def secrets_of(ring: KeyRing) -> tuple[object, ...]:
    """What makes two rings the same."""
    names = [key.kid for key in ring.signing]
    return names, ring.action_keys, ring.refresh_key, ring.game_keys, ring.client_keys


def write_private(path: Path, content: bytes) -> None:
    """A file as an operator would put it there."""
    path.touch(mode=0o600)
    path.write_bytes(content)


def test_the_first_start_makes_keys_that_the_second_one_reads(tmp_path: Path) -> None:
    """Tokens outlive a restart."""
    first = load_keys(tmp_path)
    assert KEY_FILES == {path.name for path in (tmp_path / "keys").iterdir()}
    assert secrets_of(first) == secrets_of(load_keys(tmp_path))
    assert first.signing[0].private.key_size >= 2048
    assert len(first.action_keys[0]) == len(first.refresh_key) == 32


def test_keys_lie_where_only_their_owner_may_read(tmp_path: Path) -> None:
    """Directory 0700, files 0600."""
    load_keys(tmp_path)
    folder = tmp_path / "keys"
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@pytest.mark.parametrize("name", sorted(KEY_FILES))
def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    """The sentence names the file, its mode and the command that helps."""
    load_keys(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(0o640)
    with pytest.raises(PrivateFileRefused) as refused:
        load_keys(tmp_path)
    assert all(part in str(refused.value) for part in (str(path), "mode 0640", f"chmod 600 {path}"))


def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    """Who may list or replace the files is as good as an owner."""
    load_keys(tmp_path)
    (tmp_path / "keys").chmod(0o755)
    with pytest.raises(PrivateFileRefused, match="chmod 700"):
        load_keys(tmp_path)


def test_servers_that_start_at_once_share_one_ring(tmp_path: Path) -> None:
    """Whoever comes second reads the keys of the first, and no draft is left behind."""
    with ThreadPoolExecutor(4) as pool:
        rings = list(pool.map(load_keys, [tmp_path] * 4))
    assert 1 == len({str(secrets_of(ring)) for ring in rings})
    assert KEY_FILES == {path.name for path in (tmp_path / "keys").iterdir()}


def test_a_newer_key_signs_and_the_older_one_is_still_believed(tmp_path: Path) -> None:
    """Rotation is a new file with a higher number; 10 is higher than 9. It signs when it has settled."""
    old = load_keys(tmp_path)
    write_private(tmp_path / "keys/jwt-10.key", new_rsa_pem())
    write_private(tmp_path / "keys/jwt-9.key", new_rsa_pem())
    for name in ("action-2.key", "client-1.key"):
        write_private(tmp_path / "keys" / name, b"ab" * 32)
    fresh, ring = load_keys(tmp_path), load_keys(tmp_path, now_s=time.time() + 31)
    assert old.signing[0].kid == fresh.signing[0].kid == ring.signing[2].kid
    assert {key.kid for key in fresh.signing} == {key.kid for key in ring.signing}
    for before, news, after in (
        (old.action_keys, fresh.action_keys, ring.action_keys),
        (old.client_keys, fresh.client_keys, ring.client_keys),
    ):
        assert (before[0], b"\xab" * 32) == news
        assert (b"\xab" * 32, before[0]) == after


def test_a_file_that_is_no_key_of_ours_does_not_count(tmp_path: Path) -> None:
    """Backups of an editor and drafts of a crash lie there unread."""
    ring = load_keys(tmp_path)
    for name in ("jwt-2.key~", "jwt-x.key", ".new-1", "jwt-².key"):
        write_private(tmp_path / "keys" / name, b"nonsense")
    assert secrets_of(ring) == secrets_of(load_keys(tmp_path))


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    """A key as a file holds it."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("jwt-1.key", b"nonsense", "RSA private key"),
        ("jwt-1.key", pem(ec.generate_private_key(ec.SECP256R1())), "RSA key of at least 2048"),
        ("jwt-1.key", pem(rsa.generate_private_key(65537, 1024)), "RSA key of at least 2048"),
        ("action-1.key", b"not hexadecimal", "hexadecimal"),
        ("action-1.key", b"\xff\xfe", "hexadecimal"),
        ("refresh.key", b"abcd\n", "2 bytes"),
    ],
)
def test_a_broken_key_is_refused_by_name(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    """A start with a guessable or unreadable key does not happen."""
    (tmp_path / "keys").mkdir(mode=0o700)
    write_private(tmp_path / "keys" / name, content)
    with pytest.raises(PrivateFileRefused, match=sentence) as refused:
        load_keys(tmp_path)
    assert name in str(refused.value)


def test_a_place_that_cannot_hold_keys_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "keys").touch()
    with pytest.raises(PrivateFileRefused, match="cannot be made"):
        load_keys(tmp_path)


def test_no_key_is_shown_by_repr() -> None:
    """A ring in a log line or a traceback gives nothing away."""
    ring = fresh_ring()
    assert ring.refresh_key.hex() not in repr(ring)
    assert repr(ring.refresh_key) not in repr(ring)
    assert "private" not in repr(ring)
