"""What is said when it was not done."""

from __future__ import annotations

import pytest

from actors.runtime import ActorCrashed, ActorError, ActorStopped, AskTimeout, MailboxFull, TooManyActors
from actors.user.refusals import RateLimited, TokenExpired
from scoreboard.security.errors import TokenRevoked
from scoreboard.wire.problems import UNAVAILABLE, problem_of


@pytest.mark.parametrize(
    ("error", "done"),
    [
        (MailboxFull("x"), False),
        (TooManyActors("x"), False),
        (AskTimeout("x"), True),
        (ActorStopped("x"), False),
        (ActorStopped("x", begun=True), True),
        (ActorCrashed("x", begun=False), False),
        (ActorCrashed("x", begun=True), True),
    ],
)
def test_the_sentence_tells_whether_it_may_have_been_done(error: ActorError, *, done: bool) -> None:
    """Only then must the same be asked again, and not something new."""
    problem = problem_of(error)
    assert problem is not None
    assert (UNAVAILABLE, 1, done) == (problem.code, problem.retry_after, "may have been done" in problem.message)


def test_a_refusal_speaks_for_itself() -> None:
    """Its code, its sentence, and its wait rounded up to whole seconds, never to none."""
    waits = [problem_of(RateLimited("Slow.", retry_after_s=seconds)) for seconds in (0.001, 2.1)]
    assert [1, 3] == [problem and problem.retry_after for problem in waits]
    problem = problem_of(TokenExpired("Too old."))
    assert problem is not None
    assert ("TOKEN_EXPIRED", "Too old.", None) == (problem.code, problem.message, problem.retry_after)


def test_a_refused_access_token_has_a_sentence() -> None:
    """With its own code: which of the two tokens is meant must be clear."""
    problem = problem_of(TokenRevoked())
    assert problem is not None
    assert ("ACCESS_TOKEN_REVOKED", "The session of this access token has ended.") == (problem.code, problem.message)


def test_nothing_is_made_up_for_an_error_of_another_kind() -> None:
    """Somebody should look at it."""
    assert problem_of(ActorError("x")) is None
