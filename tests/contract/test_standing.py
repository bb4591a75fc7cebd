from __future__ import annotations

from actors.ports import (
    Act,
    BannedUser,
    Committed,
    EventKind,
    PlayerStanding,
    ProfileChange,
    ScoreFact,
    StandingChange,
    Stood,
    UnknownUser,
    UserId,
)
from tests.contract.making import HERE, NOW_US, World, act, again, as_it_stands, uuid_of, write


async def scored(world: World, user_id: UserId, points: int = 1) -> ScoreFact:
    """One score more."""
    [outcome] = await world.scores.commit([write(user_id, points=points)])
    assert isinstance(outcome, Committed)
    return outcome.fact


async def test_nothing_is_imposed_on_who_is_new(world: World) -> None:
    """A stranger has no standing at all."""
    ann, nobody = await world.player("Ann"), UserId(uuid_of(4711))
    assert {ann: PlayerStanding()} == await world.standing.standings([ann, nobody])
    assert UnknownUser() == await world.standing.change_standing(nobody, StandingChange(banned=True), act())


async def test_what_a_change_does_not_name_stays(world: World) -> None:
    """Each is imposed and lifted by itself."""
    ann = await world.player("Ann")
    await world.stand(ann, flagged=True, tier="premium", reputation=-3)
    await world.stand(ann, restricted_until_us=NOW_US)
    stood = await world.stand(ann, flagged=False, quarantined=True)
    before = PlayerStanding(flagged=True, restricted_until_us=NOW_US, tier="premium", reputation=-3)
    after = PlayerStanding(quarantined=True, restricted_until_us=NOW_US, tier="premium", reputation=-3)
    assert (before, after) == (stood.before, stood.after)
    lifted = await world.stand(ann, restricted_until_us=None, quarantined=False)
    assert {ann: lifted.after} == await world.standing.standings([ann])
    assert PlayerStanding(tier="premium", reputation=-3) == lifted.after


async def test_hiding_a_player_is_a_fact_with_the_next_version_and_the_same_score(world: World) -> None:
    """So the boards take it in its turn, whenever it comes; nothing that hides or shows nobody makes a version."""
    ann = await world.player("Ann")
    fact = as_it_stands(await scored(world, ann, 7))
    flagged = await world.stand(ann, flagged=True)
    hidden = await world.stand(ann, quarantined=True)
    banned = await world.stand(ann, banned=True)
    still = await world.stand(ann, quarantined=False)
    shown = await world.stand(ann, banned=False)
    assert fact == flagged.fact
    assert fact._replace(version=fact.version + 1, hidden=True) == hidden.fact == banned.fact == still.fact
    assert fact._replace(version=fact.version + 2) == shown.fact


async def test_an_act_counts_once_and_is_answered_the_same(world: World) -> None:
    """Also when others came between; so it may be asked again when nobody knows whether it was done."""
    ann = await world.player("Ann")
    asked = (ann, StandingChange(banned=True), act())
    first = await world.standing.change_standing(*asked)
    await world.stand(ann, banned=False)
    second = await world.standing.change_standing(*asked)
    assert isinstance(first, Stood)
    assert isinstance(second, Stood)
    assert (first.before, first.after) == (second.before, second.after)
    assert {ann: PlayerStanding()} == await world.standing.standings([ann])
    assert not second.fact.hidden
    assert len(await world.audit.events(user_id=ann)) == 2


async def test_a_change_and_its_record_are_one(world: World) -> None:
    """Who, when, from where, why; what was before, and what is now. Also one that changes nothing."""
    ann = await world.player("Ann")
    asked = act(EventKind.CONSEQUENCE, "Seven gains in one second.")
    stood = await world.standing.change_standing(ann, StandingChange(flagged=True), asked)
    await world.stand(ann, flagged=True)
    second, first = await world.audit.events(user_id=ann)
    assert isinstance(stood, Stood)
    assert (asked.event_id, EventKind.CONSEQUENCE, "STANDING_CHANGED") == (first.event_id, first.kind, first.what)
    assert ("operator", ann, NOW_US, NOW_US, HERE) == (
        first.done_by,
        first.user_id,
        first.at_us,
        first.until_us,
        first.source,
    )
    assert ("Seven gains in one second.", "request-1", 1) == (first.why, first.request_id, first.times)
    told: dict[str, dict[str, object]] = dict(first.details)  # type: ignore[arg-type]
    assert (False, True) == (told["before"]["flagged"], told["after"]["flagged"])
    assert second.details["before"] == second.details["after"]


async def test_who_is_quarantined_scores_as_ever_and_is_told_to_be_hidden(world: World) -> None:
    """Alone, in a batch, and when the same comes again. Who is banned does not score."""
    ann, bob = await world.player("Ann"), await world.player("Bob")
    one = write(ann)
    [before] = await world.scores.commit([one])
    await world.stand(ann, quarantined=True)
    outcomes = await world.scores.commit([write(ann), write(bob), write(ann)])
    [known] = await world.scores.commit([one])
    judged = await world.scores.commit([again(one), write(ann), write(bob)])
    told = [(outcome.fact.user_id, outcome.fact.hidden) for outcome in outcomes if isinstance(outcome, Committed)]
    assert isinstance(before, Committed)
    assert [(ann, True), (bob, False), (ann, True)] == told
    assert isinstance(known, Committed)
    assert (False, True, True) == (before.fact.hidden, known.again, known.fact.hidden)
    assert [True, False] == [outcome.fact.hidden for outcome in judged if isinstance(outcome, Committed)]
    await world.stand(ann, banned=True)
    assert [BannedUser()] == await world.scores.commit([write(ann)])


async def test_what_a_hidden_player_changes_or_repeats_stays_hidden(world: World) -> None:
    """A change of profile, and the first answer of a key."""
    ann = await world.player("Ann")
    keyed = write(ann, "key")
    await world.scores.commit([keyed])
    await world.stand(ann, quarantined=True)
    changed = await world.profiles.change_profile(ann, ProfileChange(country="DE"))
    [repeated] = await world.scores.commit([again(keyed)])
    assert isinstance(changed, ScoreFact)
    assert (True, "DE") == (changed.hidden, changed.country)
    assert repeated.fact.hidden  # type: ignore[union-attr]


async def test_odd_text_is_recorded_as_far_as_it_can_be(world: World) -> None:
    """Zero bytes and lone surrogates never keep a ban from being imposed."""
    ann = await world.player("Ann")
    odd = Act(act().event_id, NOW_US, EventKind.ACT, "user:\0x", "because\0 of \ud800", HERE)
    stood = await world.standing.change_standing(ann, StandingChange(banned=True, tier="go\0ld"), odd)
    assert isinstance(stood, Stood)
    assert stood.after.banned
