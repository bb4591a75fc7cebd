from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.leaderboard.events import BoardEvent, Channel, NewLeader, RankChange, Row, ScoreChange
from actors.leaderboard.update import Update
from actors.leaderboard.window import Window
from actors.ports import ALL_TIME, ScoreFact, UserId
from tests.leaderboard.naive import Client, NaiveBoard, fact, histories

TOP3 = Channel(ALL_TIME, 3)
NOBODY: dict[UserId, tuple[int | None, int]] = {}


class Words:
    """A wire format that keeps what it was asked to encode."""

    name = "words"

    def __init__(self) -> None:
        self.encoded: list[tuple[BoardEvent, ...]] = []

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        self.encoded.append(tuple(events))
        return f"{len(self.encoded)}".encode()


def board_of(*facts: ScoreFact) -> NaiveBoard:
    """A board that has taken in these facts."""
    board = NaiveBoard()
    for each in facts:
        board.apply(each)
    return board


def opened(board: NaiveBoard, channel: Channel = TOP3) -> Window:
    """A window on the board as it is."""
    return Window(channel, "epoch", board.rows()[: channel.size], len(board.facts), 0)


def advance(window: Window, before: NaiveBoard, after: NaiveBoard) -> Update | None:
    """One step, with the ranks of all players before and after it, and what they had before."""
    old = before.ranks()
    ranks = {user_id: (old.get(user_id), rank) for user_id, rank in after.ranks().items()}
    return window.advance(after.rows()[: window.shown.channel.size], len(after.facts), 1, ranks, scores_of(before))


def scores_of(board: NaiveBoard) -> dict[UserId, int]:
    """What everybody has."""
    return {user_id: each.score for user_id, each in board.facts.items()}


def copy(board: NaiveBoard) -> NaiveBoard:
    """The board as it is, to compare with later."""
    return NaiveBoard(dict(board.facts))


@given(st.lists(histories(steps=6), max_size=12), st.integers(1, 5))
def test_a_client_that_follows_the_diffs_always_shows_the_full_rows(steps: list[list[ScoreFact]], size: int) -> None:
    """Through players that enter, leave, rise, fall and tie; every checksum fits, and it never has to ask again."""
    board, client = NaiveBoard(), Client()
    window = opened(board, Channel(ALL_TIME, size))
    client.take(window.shown.full)
    for step in steps:
        before = copy(board)
        for each in step:
            board.apply(each)
        update = advance(window, before, board)
        if update is not None and update.diff is not None:
            client.take(update.diff)
        assert client.rows == board.rows()[:size]
        assert (client.total, client.fulls, client.asks) == (len(board.facts), 1, 0)


def test_nothing_is_said_when_nothing_visible_has_changed() -> None:
    """A move below the window stays unseen, and the version with it."""
    before = board_of(*(fact(name, 9 - n) for n, name in enumerate("abcd")))
    window, after = opened(before), copy(before)
    after.apply(fact("d", 6, 99, reached_us=1))
    assert advance(window, before, after) is None
    assert window.shown.full.version == 1


def test_a_new_player_below_the_window_changes_only_the_total() -> None:
    """The number of players is visible too."""
    before = board_of(*(fact(name, 9) for name in "abc"))
    window, after = opened(before), copy(before)
    after.apply(fact("d", 1))
    update = advance(window, before, after)
    assert update is not None
    assert update.diff is not None
    assert (update.diff.changes, update.diff.removed, update.diff.total, update.news) == ((), (), 4, ())


def test_a_diff_says_only_what_is_different() -> None:
    """Rows that changed or came as they are now, and players that left by id; from one version to the next."""
    before = board_of(fact("a", 9), fact("b", 8), fact("c", 7), fact("d", 6))
    window, after = opened(before), copy(before)
    after.apply(fact("d", 8, 99, reached_us=1))
    update = advance(window, before, after)
    assert update is not None
    assert update.diff is not None
    assert (update.diff.from_version, update.diff.to_version) == (1, 2)
    assert (update.diff.changes, update.diff.removed) == ((Row(3, UserId("d"), "D", 8, 1),), (UserId("c"),))


@given(histories(), histories(), st.integers(1, 4))
def test_the_news_are_those_of_a_plain_comparison(first: list[ScoreFact], then: list[ScoreFact], size: int) -> None:
    """Who leads anew; each player that is or was visible and has another rank; each visible one with another score."""
    before = board_of(*first)
    window, after = opened(before, Channel(ALL_TIME, size)), copy(before)
    for each in then:
        after.apply(each)
    update = advance(window, before, after)
    old, new = before.ranks(), after.ranks()
    shown = {row.user_id for row in (*before.rows()[:size], *after.rows()[:size])}
    moved = {(user_id, old.get(user_id), new[user_id]) for user_id in shown if old.get(user_id) != new[user_id]}
    news = update.news if update is not None else ()
    changes = [each for each in news if isinstance(each, RankChange)]
    assert {(each.user_id, each.old_rank, each.new_rank) for each in changes} == moved
    assert len(changes) == len(moved)
    leaders = [(each.leader, each.previous) for each in news if isinstance(each, NewLeader)]
    last, leader = (before.rows() or (None,))[0], (after.rows() or (None,))[0]
    same = leader is None or (last is not None and last.user_id == leader.user_id)
    assert leaders == ([] if same else [(leader, last)])
    scores = [
        (row.user_id, scores_of(before).get(row.user_id, 0), row.score, old.get(row.user_id), row.rank)
        for row in after.rows()[:size]
        if row.score != scores_of(before).get(row.user_id, 0)
    ]
    scored = [each for each in news if isinstance(each, ScoreChange)]
    told = [(each.user_id, each.old_score, each.new_score, each.old_rank, each.new_rank) for each in scored]
    assert scores == told


def test_a_step_is_encoded_once_and_the_same_object_is_given_to_everyone() -> None:
    """Once for those who follow, once for those who want snapshots, and once for those who were behind."""
    before = board_of(fact("a", 2), fact("b", 1))
    window, after, words = opened(before), copy(before), Words()
    after.apply(fact("b", 3))
    update = advance(window, before, after)
    assert update is not None
    assert update.step_frames(words, full=False) is update.step_frames(words, full=False)
    assert update.step_frames(words, full=True) is update.step_frames(words, full=True)
    assert update.full_frames(words) is update.full_frames(words)
    assert words.encoded == [(update.diff, *update.news), (update.full, *update.news), (update.full,)]


def test_each_wire_format_has_frames_of_its_own() -> None:
    """They are told apart by name."""
    update, words, others = opened(board_of(fact("a", 1))).shown, Words(), Words()
    others.name = "others"
    update.full_frames(words)
    update.full_frames(others)
    assert (len(words.encoded), len(others.encoded)) == (1, 1)


def test_only_who_shows_the_step_before_can_follow() -> None:
    """Another epoch, another version, or a first step without a difference need a snapshot."""
    before = board_of(fact("a", 1))
    window, after = opened(before), copy(before)
    assert not window.shown.follows("epoch", 0)
    after.apply(fact("a", 2))
    update = advance(window, before, after)
    assert update is not None
    answers = [update.follows(*at) for at in (("epoch", 1), ("epoch", 2), ("epoch", 0), ("other", 1), (None, 1))]
    assert answers == [True, False, False, False, False]


@given(st.lists(st.integers(1, 5), max_size=6))
def test_versions_rise_by_one(scores: list[int]) -> None:
    """From the version with which the window was opened."""
    board = board_of(fact("a", 0))
    window = Window(TOP3, "epoch", board.rows(), 1, 0, version=7)
    seen = [window.shown.full.version]
    for version, score in enumerate(scores, 1):
        before = copy(board)
        board.apply(fact("a", score, version))
        if advance(window, before, board) is not None:
            seen.append(window.shown.full.version)
    assert seen[0] == 7
    assert all(later - earlier == 1 for earlier, later in pairwise(seen))
