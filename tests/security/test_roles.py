"""Who may act on whom."""

from __future__ import annotations

import pytest

from scoreboard.security.roles import ADMIN, MODERATOR, PREMIUM, ROLES, USER, beyond, may_act_on, permissions_of


@pytest.mark.parametrize(
    ("actor", "others"),
    [
        (ADMIN, {USER, PREMIUM, MODERATOR}),
        (MODERATOR, {USER, PREMIUM}),
        (PREMIUM, {USER}),
        (USER, set()),
        ("of yesterday", set()),
    ],
)
def test_one_acts_on_lesser_roles_only(actor: str, others: set[str]) -> None:
    """Not on equals, and not at all in a role that is unknown."""
    assert others == {role for role in ROLES if may_act_on(actor, role)}
    assert set(ROLES) - others == set(beyond(actor))


@pytest.mark.parametrize("actor", [ADMIN, MODERATOR])
def test_a_role_that_is_unknown_is_out_of_nobodys_reach(actor: str) -> None:
    """It has no permission, so whoever has it can be given another."""
    assert may_act_on(actor, "of yesterday")
    assert () == permissions_of("of yesterday")
