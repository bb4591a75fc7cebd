from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scoreboard.security.keyfiles import KeyFile
from scoreboard.security.rotation import CLOCK_SKEW_S, Standing, standing

SETTLE_S, LIVES_S = 30.0, 300.0


def key(number: int, made_s: float) -> KeyFile:
    """A file that nobody reads."""
    return KeyFile(Path(f"k-{number}.key"), number, made_s)


def at(now_s: float, *made: float) -> tuple[list[int], list[int]]:
    """The numbers of those believed (the first signs) and of those rotated out; keys are told from the first on."""
    found = standing(files_of(*made), now_s=now_s, settle_s=SETTLE_S, lives_s=LIVES_S)
    return [file.number for file in found.believed], [file.number for file in found.rotated_out]


def files_of(*made: float) -> list[KeyFile]:
    """The newest first."""
    return [key(number, made_s) for number, made_s in enumerate(made, 1)][::-1]


def test_a_new_key_is_believed_at_once_and_signs_when_it_has_settled() -> None:
    """By then every worker has read it, so nobody sees a token under a key that it does not know."""
    assert ([1], []) == at(1000, 1000)
    assert ([1, 2], []) == at(1029, 0, 1000)
    assert ([2, 1], []) == at(1030, 0, 1000)


def test_a_key_that_signs_no_more_is_believed_until_its_last_token_has_expired() -> None:
    """Counted from the moment in which the next one signs, with room for clocks that differ."""
    end_s = 1000 + SETTLE_S + LIVES_S + CLOCK_SKEW_S
    assert ([2, 1], []) == at(end_s - 1, 0, 1000)
    assert ([2], [1]) == at(end_s, 0, 1000)


def test_keys_made_soon_after_one_another_take_their_turns() -> None:
    """Two rotations within a lifetime leave three that are believed."""
    assert ([2, 3, 1], []) == at(1130, 0, 1000, 1101)
    assert ([3, 2, 1], []) == at(1131, 0, 1000, 1101)
    assert ([3], [2, 1]) == at(1101 + SETTLE_S + LIVES_S + CLOCK_SKEW_S, 0, 1000, 1101)


def test_a_folder_without_keys_stands_for_nothing() -> None:
    """Who reads it says so."""
    assert Standing((), ()) == standing([], now_s=0, settle_s=1, lives_s=1)


def test_files_that_were_all_written_at_once_are_all_believed() -> None:
    """As after they were copied back: the oldest signs for a moment, and the rest follows."""
    assert ([1, 3, 2], []) == at(2000, 2000, 2000, 2000)
    assert ([3, 2, 1], []) == at(2030, 2000, 2000, 2000)


moments = st.lists(st.integers(0, 2000).map(float), min_size=1, max_size=5)


@given(moments, st.integers(0, 3000), st.integers(0, int(LIVES_S)), st.integers(-60, 0))
def test_what_a_worker_signs_another_believes_for_as_long_as_it_lives(
    made: list[float], signed_s: int, age_s: int, behind_s: int
) -> None:
    """Whatever the files and their times, and also if the clocks differ: no honest token meets a rotation."""
    signer = standing(files_of(*made), now_s=signed_s + behind_s, settle_s=SETTLE_S, lives_s=LIVES_S).believed[0]
    later = standing(files_of(*made), now_s=float(signed_s + age_s), settle_s=SETTLE_S, lives_s=LIVES_S)
    assert signer in later.believed
