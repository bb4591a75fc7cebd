"""What a board shows of a player beside the score: name, country, avatar. Kept as one text."""

from __future__ import annotations

from actors.ports import Members, ScoreFact

#: No text of the database can contain it.
_BETWEEN = "\0"


def face_of(fact: ScoreFact) -> str:
    """All three as one text, which for most players is the name alone."""
    if fact.country is None and fact.avatar is None:
        return fact.username
    return _joined(fact.username, fact.country, fact.avatar)


def faces_of(members: Members) -> list[str]:
    """The same of many players."""
    if members.countries is None and members.avatars is None:
        return list(members.usernames)
    nothing = [None] * len(members.usernames)
    countries, avatars = members.countries or nothing, members.avatars or nothing
    return [
        name if country is None and avatar is None else _joined(name, country, avatar)
        for name, country, avatar in zip(members.usernames, countries, avatars, strict=True)
    ]


def parts_of(face: str) -> tuple[str, str | None, str | None]:
    """Name, country and avatar."""
    if _BETWEEN not in face:
        return face, None, None
    username, country, avatar = face.split(_BETWEEN)
    return username, country or None, avatar or None


def _joined(username: str, country: str | None, avatar: str | None) -> str:
    return f"{username}{_BETWEEN}{country or ''}{_BETWEEN}{avatar or ''}"
