"""What a player does on the live socket: the same as through REST, in order, bounded, and answered when durable."""

from __future__ import annotations

from dataclasses import replace

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.connection.commands import Authenticate, BadInput, Ping, RequestToken, SpendToken
from actors.connection.events import ErrorEvent, Pong
from actors.connection.scoring import MOST_UNANSWERED
from actors.user.messages import ScoreAnswer
from tests.connection.desk import ANN, HERE, points_of, running_desk
from tests.user.player import STRICT


async def test_a_token_is_spent_for_a_point(autojump_clock: MockClock) -> None:
    """Score and ranks come with the id of the command; the ledger knows where it came from."""
    async with running_desk() as desk:
        game = desk.connect()
        answer = await game.spend(7, await game.token("one"))
        assert answer == ScoreAnswer(1, 1, 1)
        assert game.ids == ["one", 7]
        assert [write.source for write, _ in desk.players.office.store.ledger] == [HERE]
        assert {("action.token", "ok"): 1, ("score.increment", "ok"): 1} == desk.counts


async def test_a_token_counts_once_however_often_it_is_presented(autojump_clock: MockClock) -> None:
    """On one socket or on many."""
    async with running_desk() as desk:
        games = [desk.connect() for _ in range(5)]
        token = await games[0].token()
        for game in games:
            for number in range(4):
                game.viewer.say.send_nowait(SpendToken(number, token))
        await wait_all_tasks_blocked()
        answers = [game.answer(number) for game in games for number in range(4)]
        assert sorted(map(str, answers)) == sorted([str(ScoreAnswer(1, 1, 1)), *["TOKEN_ALREADY_USED"] * 19])
        assert desk.points == 1


async def test_the_same_key_hears_the_first_answer_on_any_socket(autojump_clock: MockClock) -> None:
    """Marked as repeated; it counted once."""
    async with running_desk() as desk:
        game, other = desk.connect(), desk.connect()
        token = await game.token()
        first = await game.spend(1, token, "key")
        await trio.sleep(1)
        again = await other.spend(1, token, "key")
        assert (first, again) == (ScoreAnswer(1, 1, 1), ScoreAnswer(1, 1, 1, repeated=True))
        assert await other.spend(2, await other.token(), "key") == "IDEMPOTENCY_KEY_REUSED"
        assert desk.points == 1


async def test_refusals_have_the_codes_of_rest(autojump_clock: MockClock) -> None:
    """Limits are the player's own: they hold over all sockets."""
    async with running_desk(STRICT) as desk:
        game, other = desk.connect(), desk.connect()
        forged = desk.players.forged(key=b"another")
        assert await game.spend("forged", forged) == "TOKEN_INVALID"
        assert await game.spend("late", desk.players.forged(age_s=61)) == "TOKEN_EXPIRED"
        for number in range(3):
            await other.spend(number, desk.players.forged())
        assert await game.spend("many", desk.players.forged()) == "RATE_LIMITED"
        assert desk.counts["score.increment", "RATE_LIMITED"] == 1
        assert desk.points == 3


async def test_who_has_not_signed_in_is_told_how(autojump_clock: MockClock) -> None:
    """And may score once that is done; only then the transport lets it send faster."""
    async with running_desk() as desk:
        game = desk.connect(user=None)
        await game.say(RequestToken(1))
        assert game.answer(1) == "UNAUTHORIZED"
        trusted = [game.viewer.wire.trusted]
        await game.say(Authenticate("good"))
        assert [*trusted, game.viewer.wire.trusted] == [False, True]
        assert points_of(await game.spend(2, await game.token())) == 1
        assert desk.connect().viewer.wire.trusted


async def test_a_role_without_the_right_to_score_scores_nothing(autojump_clock: MockClock) -> None:
    """Neither asks for a token nor spends one; it goes on watching, and the audit hears of it."""
    async with running_desk() as desk:
        token = await desk.connect().token()
        game = desk.connect(user=replace(ANN, may_score=False))
        await game.say(RequestToken(1), SpendToken(2, token), Ping())
        assert ["FORBIDDEN", "FORBIDDEN"] == [game.answer(1), game.answer(2)]
        assert Pong(b"{}") == game.heard[-1]
        assert 0 == desk.points


async def test_a_session_that_ends_ends_the_right_to_score_at_once(autojump_clock: MockClock) -> None:
    """The socket stays: one may sign in again."""
    async with running_desk() as desk:
        game = desk.connect()
        token = await game.token()
        desk.refused = ErrorEvent("ACCESS_TOKEN_REVOKED", "It has ended.")
        await game.say(SpendToken("x", token), Ping())
        assert game.heard[1:] == [ErrorEvent("ACCESS_TOKEN_REVOKED", "It has ended.", "x"), Pong(b"{}")]
        assert desk.counts["score.increment", "ACCESS_TOKEN_REVOKED"] == 1
        assert desk.points == 0
        desk.refused = None
        assert points_of(await game.spend("y", token)) == 1


async def test_a_score_that_waits_for_the_store_holds_nothing_else_up(autojump_clock: MockClock) -> None:
    """Pings and other players are answered meanwhile."""
    async with running_desk() as desk:
        game = desk.connect()
        token = await game.token()
        desk.players.office.store.faults.delay_s = 5
        await game.say(SpendToken("slow", token), BadInput("INVALID_INPUT", "what", "odd"), Ping())
        assert game.ids == ["token", "odd"]
        await trio.sleep(6)
        assert points_of(game.answer("slow")) == 1


async def test_reading_pauses_when_too_much_is_unanswered(autojump_clock: MockClock) -> None:
    """What is not read waits with the client, whom that slows down; nothing is lost, and all comes in order."""
    async with running_desk() as desk:
        game = desk.connect()
        desk.players.office.store.faults.delay_s = 0.1
        tokens = [desk.players.forged() for _ in range(3 * MOST_UNANSWERED)]
        for number, token in enumerate(tokens):
            game.viewer.say.send_nowait(SpendToken(number, token))
        await wait_all_tasks_blocked()
        assert game.viewer.say.statistics().current_buffer_used == 2 * MOST_UNANSWERED - 1  # one is in hand
        await trio.sleep(4 * MOST_UNANSWERED)
        assert [points_of(game.answer(number)) for number in range(len(tokens))] == [*range(1, len(tokens) + 1)]
        assert game.ids == [*range(len(tokens))]


async def test_a_client_that_does_not_read_its_answers_is_read_no_more(autojump_clock: MockClock) -> None:
    """What was decided is kept for it, in order, and not more than the bound."""
    async with running_desk() as desk:
        game = desk.connect(room=2)
        for number in range(2 * MOST_UNANSWERED):
            game.viewer.say.send_nowait(RequestToken(number))
        await wait_all_tasks_blocked()
        assert game.ids == [0, 1]
        assert game.viewer.say.statistics().current_buffer_used == MOST_UNANSWERED - 3
        game.viewer.wire.read()
        await wait_all_tasks_blocked()
        assert game.ids == [*range(2 * MOST_UNANSWERED)]


async def test_what_was_taken_from_a_client_that_leaves_is_decided(autojump_clock: MockClock) -> None:
    """On a new socket the same key hears what became of it; one point, whichever came first."""
    async with running_desk() as desk:
        game = desk.connect()
        tokens = [desk.players.forged() for _ in range(5)]
        desk.players.office.store.faults.delay_s = 0.5
        await game.say(*(SpendToken(number, token, f"key {number}") for number, token in enumerate(tokens)))
        game.viewer.scope.cancel()
        await trio.sleep(60)
        assert game.ids == []
        assert desk.points == 5
        later = desk.connect()
        for number, token in enumerate(tokens):
            later.viewer.say.send_nowait(SpendToken(number, token, f"key {number}"))
        await trio.sleep(60)
        assert [points_of(later.answer(number)) for number in range(5)] == [1, 2, 3, 4, 5]
        assert all(later.answer(number).repeated for number in range(5))
        assert desk.points == 5


async def test_a_client_may_leave_while_its_answers_leave(autojump_clock: MockClock) -> None:
    """In the same moment, in either order: nothing fails."""
    async with running_desk() as desk:
        for _ in range(20):
            game = desk.connect(room=1)
            await game.say(*map(RequestToken, range(5)))
            game.viewer.wire.read()
            game.viewer.say.close()
            await game.viewer.ended.wait()
            assert game.viewer.error is None


async def test_an_answer_that_does_not_come_is_not_waited_for(autojump_clock: MockClock) -> None:
    """The client hears that it may have been done or not, once, and there is room for the next."""
    async with running_desk(within_s=3.0) as desk:
        game = desk.connect()
        desk.players.office.store.faults.delay_s = 8
        tokens = [desk.players.forged() for _ in range(2)]
        await game.say(SpendToken(0, tokens[0], "key"), SpendToken(1, tokens[1], "other"))
        await trio.sleep(2.9)
        assert game.ids == []
        await trio.sleep(30)
        assert game.ids == [0, 1]
        assert desk.points == 2  # both had been begun
        desk.players.office.store.faults.delay_s = 0
        assert points_of(await game.spend("again", tokens[0], "key")) == 1
        assert points_of(await game.spend("other", tokens[1], "other")) == 2


async def test_a_player_with_too_much_waiting_is_told_so(autojump_clock: MockClock) -> None:
    """Many sockets have more under way than may be; what did not fit was not done."""
    async with running_desk() as desk:
        games = [desk.connect() for _ in range(40)]
        desk.players.office.store.faults.delay_s = 0.01
        for game in games:
            for number in range(MOST_UNANSWERED):
                game.viewer.say.send_nowait(SpendToken(number, desk.players.forged()))
        await trio.sleep(3000)
        answers = [game.answer(number) for game in games for number in range(MOST_UNANSWERED)]
        done = [answer for answer in answers if isinstance(answer, ScoreAnswer)]
        assert sorted(answer.new_score for answer in done) == [*range(1, len(done) + 1)]
        assert {"SERVICE_UNAVAILABLE"} == {answer for answer in answers if isinstance(answer, str)}
        assert desk.points == len(done)


async def test_a_broken_way_to_the_client_ends_its_connection_and_not_the_player(autojump_clock: MockClock) -> None:
    """Whatever raises in saying an answer is raised in the connection; the score stands."""
    async with running_desk() as desk:
        game, other = desk.connect(), desk.connect()
        token = await game.token()
        game.dialect.broken = RuntimeError("the encoder failed")
        await game.say(SpendToken(1, token))
        await game.viewer.ended.wait()
        assert "the encoder failed" in repr(game.viewer.error)
        assert desk.points == 1
        assert points_of(await other.spend(1, await other.token())) == 2


async def test_only_who_scores_pays_for_it(autojump_clock: MockClock) -> None:
    """The task comes with the first scoring command, and goes when nothing is owed."""
    async with running_desk() as desk:
        game, idle = desk.connect(), desk.connect()
        await idle.say(Ping())
        await game.token()
        assert [0, 1] == [len(each.helpers.child_tasks) for each in (idle, game)]
        await trio.sleep(20)
        assert len(game.helpers.child_tasks) == 0
        assert points_of(await game.spend(2, await game.token("again"))) == 1


async def test_what_is_refused_on_the_socket_is_told_to_the_audit(autojump_clock: MockClock) -> None:
    """Its code, which command, whose, from where; also of who has not signed in. What was done is no refusal."""
    async with running_desk() as desk:
        game, stranger = desk.connect(), desk.connect(user=None)
        token = await game.token()
        await game.spend(1, token)
        await game.spend(2, token)
        stranger.viewer.say.send_nowait(RequestToken(3))
        stranger.viewer.say.send_nowait(BadInput("BAD_INPUT", "No.", None))
        await wait_all_tasks_blocked()
        assert [
            ("TOKEN_ALREADY_USED", "score.increment", ANN, HERE),
            ("UNAUTHORIZED", "action.token", None, HERE),
            ("BAD_INPUT", "live", None, HERE),
        ] == desk.denied
