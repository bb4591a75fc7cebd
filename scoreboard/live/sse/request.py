"""Judges a request for a stream of events. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.leaderboard.events import Channel
from scoreboard.live.channels import KNOWN, WIDEST, channel_of, is_of_another, with_radius
from scoreboard.live.handshake import AMBIGUOUS, AllowOrigin, HandshakeHead, proof_in
from scoreboard.live.query import TooManyFields, fields_of
from scoreboard.live.sse.dialect import position_in
from scoreboard.live.sse.refusals import Headers, StreamRefusal, unauthorized

MAX_CHANNELS = 20
_FIELDS = ("channel", "radius", "full", "ticket", "lastEventId")
_RADIUS = re.compile("[1-9][0-9]?")
METHODS = "GET, HEAD, OPTIONS"
_ORIGIN = ("vary", "Origin")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A stream to begin: of which channels, from where on, and what proves who asks."""

    channels: tuple[Channel, ...]
    shown: Mapping[Channel, tuple[str, int]]
    full: bool
    token: str | None
    ticket: str | None


@dataclass(frozen=True, slots=True)
class Explained:
    """What a browser asks before it asks for the stream, or anybody who wonders what may be asked."""

    headers: Headers


def judge(method: str, head: HandshakeHead, allow_origin: AllowOrigin) -> Wanted | Explained | StreamRefusal:
    """What this request is to be answered; browsers' origins are asked for."""
    if not all(allow_origin(origin, head.values("host")) for origin in head.values("origin")):
        return StreamRefusal(403, "FORBIDDEN", "Pages of this origin may not use the live feed.")
    if method == "OPTIONS":
        return Explained(_explained(head))
    if method not in ("GET", "HEAD"):
        text = f"This address understands {METHODS} only."
        return StreamRefusal(405, "METHOD_NOT_ALLOWED", text, (("allow", METHODS),))
    return _wanted(head)


def shared_with(head: HandshakeHead) -> Headers:
    """The headers that let a page of another origin read the answer; for origins that are allowed."""
    origins = head.values("origin")
    return (("access-control-allow-origin", origins[0]), _ORIGIN) if len(origins) == 1 else (_ORIGIN,)


def _explained(head: HandshakeHead) -> Headers:
    allowed: Headers = (("allow", METHODS),)
    if head.values("access-control-request-method"):
        allowed += (
            ("access-control-allow-methods", METHODS),
            ("access-control-allow-headers", "authorization, cache-control, last-event-id, x-request-id"),
            ("access-control-max-age", "600"),
        )
    return allowed


def _wanted(head: HandshakeHead) -> Wanted | StreamRefusal:
    try:
        fields = fields_of(head.query)
    except TooManyFields as error:
        return StreamRefusal(400, "INVALID_INPUT", str(error))
    problem = _problem_of(fields)
    if problem is not None:
        return StreamRefusal(400, "INVALID_INPUT", problem)
    channels = _channels(fields.get("channel", []), fields.get("radius", [None])[0])
    if isinstance(channels, StreamRefusal):
        return channels
    proof = proof_in(head.values("authorization"), fields.get("ticket", []))
    if proof is None:
        return unauthorized("UNAUTHORIZED", AMBIGUOUS)
    if proof == (None, None) and any(channel.around for channel in channels):
        return unauthorized("UNAUTHORIZED", "This channel is a player's own: it needs a Bearer token or a ticket.")
    last = (fields.get("lastEventId") or head.values("last-event-id") or [""])[-1]
    full = fields.get("full") == ["true"]
    return Wanted(channels, position_in(last, channels), full, *proof)


def _problem_of(fields: Mapping[str, Sequence[str]]) -> str | None:
    unknown = [name for name in fields if name not in _FIELDS]
    if unknown:
        return f"There are only the fields {', '.join(_FIELDS)}."
    if any(len(values) > 1 for name, values in fields.items() if name not in ("channel", "ticket")):
        return "Only channel may be given more than once."
    if fields.get("full", ["true"])[0] not in ("true", "false"):
        return "full must be true or false."
    return None


def _channels(names: Sequence[str], radius: str | None) -> tuple[Channel, ...] | StreamRefusal:
    if not names:
        return StreamRefusal(400, "INVALID_INPUT", f"Say which channel: ?channel=leaderboard.top10. There are {KNOWN}.")
    if len(names) > MAX_CHANNELS:
        return StreamRefusal(400, "TOO_MANY_CHANNELS", f"A stream has {MAX_CHANNELS} channels at most.")
    if any(is_of_another(name) for name in names):
        return StreamRefusal(403, "FORBIDDEN", "What belongs to a player is shown to that player only, as player.me.")
    found = [channel_of(name) for name in names]
    if None in found:
        return StreamRefusal(400, "UNKNOWN_CHANNEL", f"There is no such channel; there are {KNOWN}.")
    channels = tuple(dict.fromkeys(channel for channel in found if channel is not None))
    if radius is None:
        return channels
    wide = [with_radius(each, int(radius)) if _RADIUS.fullmatch(radius) else None for each in channels]
    if all(each is None for each in wide):
        return StreamRefusal(400, "INVALID_INPUT", f"Only the channels around_me have a radius, from 1 to {WIDEST}.")
    return tuple(wider or each for wider, each in zip(wide, channels, strict=True))
