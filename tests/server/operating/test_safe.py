"""The folder of a backup: it is there when it is whole, and says when it is not what it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from scoreboard.server.operating.keeping import require_free
from scoreboard.server.operating.safe import FILES, copy_files, differences, growing, opened, put_files, seal
from scoreboard.stores.backup import BackupError, Contents
from scoreboard.stores.embedded_errors import DataDirectoryBusy
from scoreboard.stores.embedded_home import sole_use

CONTENTS = Contents(3, 7, "123", 5, 7, 5, 1, 3, 0, 4, 2, 24)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with stores that are not copied."""
    home = tmp_path / "data"
    for name in ("keys/jwt-1.key", "acts/one", "postgres/cluster/x", "valkey/data/y", "workers/lock"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(name)
    return home


def made(data: Path, to: Path) -> Path:
    """A whole one."""
    with growing(to) as folder:
        copy_files(data, folder / FILES)
        seal(folder, CONTENTS)
    return to


def names(folder: Path) -> set[str]:
    """All files in it."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_backup_has_the_files_of_a_server_and_not_those_of_its_stores(data: Path, tmp_path: Path) -> None:
    """For nobody else's eyes; and they come back as they were."""
    copy = made(data, tmp_path / "a" / "copy")
    assert {"manifest.json", "files/keys/jwt-1.key", "files/acts/one"} == names(copy)
    assert {0o700} == {each.stat().st_mode & 0o777 for each in (copy, copy / FILES, copy / FILES / "keys")}
    assert [] == differences(opened(copy), CONTENTS)
    put_files(copy, tmp_path / "other")
    assert {"keys/jwt-1.key", "acts/one"} == names(tmp_path / "other")


def test_a_key_that_came_or_went_while_it_was_made_is_in_it(data: Path, tmp_path: Path) -> None:
    """Either may be needed for what the database held in between."""
    with growing(tmp_path / "copy") as folder:
        copy_files(data, folder / FILES)
        (data / "keys/jwt-1.key").rename(data / "keys/jwt-2.key")
        copy_files(data, folder / FILES)
        assert {"jwt-1.key", "jwt-2.key"} == names(folder / FILES / "keys")


def test_nothing_is_left_of_what_failed_and_what_was_left_by_one_that_was_killed_goes(tmp_path: Path) -> None:
    """Twice at once is told, and harms neither."""
    with pytest.raises(OSError, match="no space"), growing(tmp_path / "copy") as folder:
        (folder / "half").write_text("half")
        raise OSError("no space")
    assert [] == list(tmp_path.iterdir())
    (tmp_path / "copy.unfinished" / "files").mkdir(parents=True)
    (tmp_path / "copy.unfinished" / "half").write_text("of before")
    with growing(tmp_path / "copy") as folder:
        assert {"lock"} == names(folder)
        with pytest.raises(DataDirectoryBusy), growing(tmp_path / "copy"):
            pass
        (folder / "whole").write_text("whole")
    assert ({"whole"}, ["copy"]) == (names(tmp_path / "copy"), [each.name for each in tmp_path.iterdir()])


def test_a_backup_that_is_damaged_is_told_by_the_name_of_what_is_wrong(data: Path, tmp_path: Path) -> None:
    """A file that was changed, or is missing; another format; no backup at all."""
    copy = made(data, tmp_path / "copy")
    key = copy / FILES / "keys/jwt-1.key"
    key.write_text("other")
    with pytest.raises(BackupError, match=r"jwt-1\.key is not what it was"):
        opened(copy)
    key.unlink()
    with pytest.raises(BackupError, match=r"jwt-1\.key is missing"):
        opened(copy)
    told = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(told | {"format": 9}))
    with pytest.raises(BackupError, match="is of format 9"):
        opened(copy)
    (copy / "manifest.json").write_text("{")
    with pytest.raises(BackupError, match="cannot be read"):
        opened(copy)
    with pytest.raises(BackupError, match="is no backup"):
        opened(data)


def test_what_is_other_than_it_was_is_told_in_sentences(data: Path, tmp_path: Path) -> None:
    """With both numbers."""
    told = opened(made(data, tmp_path / "copy"))
    assert ["spent tokens: 5 in the backup, 4 restored"] == differences(told, replace(CONTENTS, spent_tokens=4))


def test_a_directory_that_is_used_or_has_anything_in_it_is_not_written_over(data: Path, tmp_path: Path) -> None:
    """One that is empty, or not there, may be taken."""
    require_free(tmp_path / "new")
    (tmp_path / "new").mkdir()
    require_free(tmp_path / "new")
    with pytest.raises(BackupError, match="has something in it already"):
        require_free(data)
    with sole_use(data / "workers"), pytest.raises(BackupError, match="is in use by process"):
        require_free(data)
