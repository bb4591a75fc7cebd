from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.replay.entries import Account, Counted, Entry, Header, Joined, Sent, decode, encode, recall
from scoreboard.replay.errors import JournalError
from scoreboard.replay.journal import Journal

HEADER = Header("run", "http://127.0.0.1:8000", "2015-16", "English Premier League", "sha256:1")
TOKEN = {"userId": "user_1", "timestamp": 1733097600000, "nonce": "f4", "signature": "a1"}

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
ENTRIES: st.SearchStrategy[Entry] = st.one_of(
    st.builds(Account, TEXTS, TEXTS, TEXTS),
    st.builds(Joined, TEXTS, TEXTS),
    st.builds(Sent, st.integers(0, 2000), TEXTS, st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=4)),
    st.builds(Counted, st.integers(0, 2000)),
)


def written(*entries: Entry) -> bytes:
    """The bytes of a journal with these entries."""
    return b"".join(map(encode, (HEADER, *entries)))


@given(ENTRIES)
def test_an_entry_is_one_line_and_reads_back_the_same(entry: Entry) -> None:
    """Nothing that a server or a file says breaks the form of the journal."""
    line = encode(entry)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == entry


@given(st.lists(ENTRIES, max_size=20), st.data())
def test_a_journal_cut_anywhere_says_what_its_whole_lines_say(entries: list[Entry], data: st.DataObject) -> None:
    """A death in the middle of a write costs the line that was being written, no more."""
    raw = written(*entries)
    cut = data.draw(st.integers(0, len(raw)))
    memory, kept = recall(raw[:cut], "journal")

    assert kept == raw[:cut].rfind(b"\n") + 1
    assert memory == recall(raw[:kept], "journal")[0]


def test_what_was_sent_is_in_doubt_until_it_is_counted() -> None:
    """The last try of a point is the one to go on with."""
    first, second = Sent(4, "key-a", TOKEN), Sent(4, "key-b", TOKEN)
    memory, _ = recall(written(Sent(3, "key", TOKEN), Counted(3), first, second), "journal")

    assert memory.counted == {3}
    assert memory.pending == {4: second}


def test_a_new_journal_is_private(tmp_path: Path) -> None:
    """It holds passwords: nobody else may read it."""
    with Journal.open(tmp_path / "journal", HEADER):
        assert stat.S_IMODE((tmp_path / "journal").stat().st_mode) == 0o600


def test_every_entry_is_in_the_file_when_write_returns(tmp_path: Path) -> None:
    """No buffer of ours stands between an entry and the operating system."""
    with Journal.open(tmp_path / "journal", HEADER) as journal:
        journal.write(Sent(1, "key", TOKEN))
        assert (tmp_path / "journal").read_bytes() == written(Sent(1, "key", TOKEN))


def test_a_torn_last_line_is_dropped_and_the_journal_goes_on_behind_it(tmp_path: Path) -> None:
    """What is appended later starts on a line of its own."""
    path = tmp_path / "journal"
    path.write_bytes(written(Counted(1)) + encode(Counted(2))[:-3])
    with Journal.open(path, HEADER) as journal:
        assert journal.memory.counted == {1}
        journal.write(Counted(3))

    assert path.read_bytes() == written(Counted(1), Counted(3))


def test_a_torn_header_begins_the_journal_anew(tmp_path: Path) -> None:
    """A death within the very first write leaves nothing behind that matters."""
    path = tmp_path / "journal"
    path.write_bytes(encode(HEADER)[:-9])
    Journal.open(path, HEADER).close()

    assert path.read_bytes() == encode(HEADER)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (Header("other", "http://127.0.0.1:9000", "2015-16", "English Premier League", "sha256:1"), "the url http"),
        (
            Header("other", HEADER.url, "2014-15", "English Premier League", "sha256:1"),
            "the season 2015-16, not for 2014",
        ),
        (Header("other", HEADER.url, "2015-16", "Serie A", "sha256:1"), "the division English Premier League, not for"),
        (
            Header("other", HEADER.url, "2015-16", "English Premier League", "sha256:2"),
            "The file's matches are not those",
        ),
    ],
)
def test_a_journal_of_another_replay_is_refused_unchanged(tmp_path: Path, changed: Header, said: str) -> None:
    """What differs, where, and what to do."""
    path = tmp_path / "journal"
    path.write_bytes(written(Counted(1)) + b"torn")
    with pytest.raises(JournalError) as caught:
        Journal.open(path, changed)

    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "--journal" in str(caught.value)
    assert path.read_bytes() == written(Counted(1)) + b"torn"


@pytest.mark.parametrize(
    "raw",
    [
        b"[\n" + b'{"date": "2015-08-08"}\n',
        b"a line without end",
        b"\n",
        written() + b"damaged\n" + encode(Counted(2)),
        written() + b'{"entry":"counted","point":"2"}\n',
        written() + b'{"entry":"counted","point":true}\n',
        written() + b'{"entry":"counted"}\n',
        written() + b'{"entry":"miracle"}\n',
        written() + encode(HEADER),
        encode(Counted(1)),
    ],
)
def test_a_file_that_is_no_whole_journal_is_refused_unchanged(tmp_path: Path, raw: bytes) -> None:
    """A wrong --journal never costs somebody a file, and damage is not read over."""
    path = tmp_path / "journal"
    path.write_bytes(raw)
    with pytest.raises(JournalError, match=r"Line \d of .* is not a line of a replay's journal"):
        Journal.open(path, HEADER)

    assert path.read_bytes() == raw


def test_two_replays_cannot_share_a_journal(tmp_path: Path) -> None:
    """Both would play the same points."""
    with Journal.open(tmp_path / "journal", HEADER):
        with pytest.raises(JournalError, match="Another replay is using"):
            Journal.open(tmp_path / "journal", HEADER)

    Journal.open(tmp_path / "journal", HEADER).close()


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    """The operating system's reason reaches the person."""
    with pytest.raises(JournalError, match=r"cannot be opened \(No such file or directory\)"):
        Journal.open(tmp_path / "missing" / "journal", HEADER)


def test_after_a_failed_write_nothing_more_is_written() -> None:
    """A full disk may tear a line, and a line behind a torn one would make the journal unreadable."""
    with Path("/dev/full").open("ab", buffering=0) as full:
        journal = Journal(Path("full"), full.fileno(), recall(written(), "full")[0])
        for said in ("cannot be written", "could not be written before"):
            with pytest.raises(JournalError, match=said):
                journal.write(Counted(1))

    assert journal.memory.counted == set()


def test_a_journal_shows_how_far_it_is(tmp_path: Path) -> None:
    """The repr is for people."""
    with Journal.open(tmp_path / "journal", HEADER) as journal:
        journal.write(Sent(1, "key", TOKEN), Sent(2, "key", TOKEN), Counted(1))
        assert repr(journal) == f"<Journal {tmp_path / 'journal'} counted=1 pending=1>"
