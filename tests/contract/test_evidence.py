"""What every store of proofs promises."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actors.ports import Earlier, Evidence, UserId
from tests.contract.making import HERE, NOW_US, World, token_hash, write

MINUTE_US = 60_000_000


def proof(user_id: UserId, number: int, *, moment_us: int = NOW_US, action_type: str = "WIN_GAME") -> Evidence:
    """A proof of an action of its own."""
    what = (token_hash(number), user_id, action_type, f"match-{number}", 100)
    return Evidence(*what, "hmac", "game", "0123abcd", "2026-01-31T12:00:00Z", "ff" * 32, moment_us, HERE)


async def asked(
    world: World, proofs: Sequence[Evidence], since_us: int | None = None, *, grant: bool = True
) -> list[Earlier]:
    """What the store says of them; all are granted, or none."""
    heard: list[Earlier] = []

    def judge(earlier: Sequence[Earlier]) -> list[bool]:
        heard.extend(earlier)
        return [grant] * len(earlier)

    await world.evidence.settle(proofs, [since_us] * len(proofs), judge)
    return heard


async def test_what_was_granted_is_known_and_what_was_not_is_not(world: World) -> None:
    """To who proves it again."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    first = proof(ann, 1)
    assert [Earlier()] == await asked(world, [first], grant=False)
    assert [Earlier()] == await asked(world, [first])
    assert [Earlier(kept_as="WIN_GAME")] == await asked(world, [first])
    assert [Earlier()] == await asked(world, [proof(bob, 1)])


async def test_an_action_that_has_counted_is_told_whoever_proves_it(world: World) -> None:
    """By the name under which it is spent."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    spent = write(ann)
    await world.scores.commit([spent])
    again = proof(bob, 1)._replace(name=spent.token_hash)
    assert [Earlier(counted=True), Earlier()] == await asked(world, [again, proof(bob, 2)], grant=False)


async def test_earlier_actions_are_told_of_the_same_player_and_type_only(world: World) -> None:
    """The latest first, after the moment that is asked for; the action itself is none of them."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    times = [NOW_US - minutes * MINUTE_US for minutes in (3, 2, 1)]
    done = [proof(ann, number, moment_us=moment_us) for number, moment_us in enumerate(times)]
    await asked(world, [*done, proof(bob, 8), proof(ann, 9, action_type="COMPLETE_QUEST")])
    new = proof(ann, 20)
    assert [(times[2], times[1])] == [
        tuple(told.moments_us) for told in await asked(world, [new], times[0], grant=False)
    ]
    assert [Earlier()] == await asked(world, [new], None, grant=False)
    (told,) = await asked(world, [done[2]], 0, grant=False)
    assert ("WIN_GAME", (times[1], times[0])) == (told.kept_as, tuple(told.moments_us))


async def test_a_judge_who_fails_leaves_nothing(world: World) -> None:
    """All of a settling stands, or nothing."""
    ann = await world.player("Ann")

    def fail(_: Sequence[Earlier]) -> list[bool]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await world.evidence.settle([proof(ann, 1)], [None], fail)
    assert [Earlier()] == await asked(world, [proof(ann, 1)])


async def test_texts_that_no_database_holds_cost_nobody_else(world: World) -> None:
    """A proof that was signed so is kept as well as it can be."""
    ann = await world.player("Ann")
    odd = proof(ann, 1)._replace(timestamp="\0\ud800", signature="\0", action_id="\0")
    await asked(world, [odd, proof(ann, 2)])
    assert ["WIN_GAME"] * 2 == [told.kept_as for told in await asked(world, [odd, proof(ann, 2)])]


async def test_what_was_kept_of_an_action_is_told_to_who_proves_it_as_another_type(world: World) -> None:
    """And stays as it was."""
    ann = await world.player("Ann")
    await asked(world, [proof(ann, 1)])
    assert [Earlier(kept_as="WIN_GAME")] == await asked(world, [proof(ann, 1, action_type="COMPLETE_QUEST")])
    assert [Earlier(kept_as="WIN_GAME")] == await asked(world, [proof(ann, 1)])
