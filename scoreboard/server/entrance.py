"""The door by the settings, and what stands behind each path."""

from __future__ import annotations

from scoreboard.api.application import QUIET
from scoreboard.api.dialects import door_words
from scoreboard.door.front_door import FrontDoor
from scoreboard.door.handler import HypercornHandler, load_config
from scoreboard.door.limits import DoorLimits
from scoreboard.door.proxies import Proxies
from scoreboard.door.relay import Elsewhere, Hurry
from scoreboard.door.rounds import Rounds
from scoreboard.door.tls import Tls
from scoreboard.live.socketio import SOCKETIO_PATHS
from scoreboard.live.sse import PATH as STREAM_PATH
from scoreboard.server.collector import Portions
from scoreboard.server.feeds import Feeds
from scoreboard.server.hooks import DoorJournal
from scoreboard.server.parts import Parts
from scoreboard.server.paths import Application, requests_by_path, sockets_by_path
from scoreboard.settings import Door
from scoreboard.wire.browsers import only_secure


def make_entrance(
    parts: Parts, api: Application, feeds: Feeds, tls: Tls | None, elsewhere: Elsewhere, hurry: Hurry
) -> tuple[HypercornHandler, FrontDoor]:
    """What serves requests, and the door in front of it and of the live feeds."""
    wanted, now_us = parts.settings.door, parts.clock.now_us
    observer = DoorJournal(parts.log, parts.metrics)
    limits = _limits_of(wanted)
    constant = only_secure(wanted.hsts_s if tls is not None or wanted.behind_tls else 0)
    words, proxies = door_words(now_us, constant), Proxies(wanted.proxy_networks)
    portions, rounds = Portions(), Rounds()
    streams = {STREAM_PATH: portions.before(feeds.events)}
    http = HypercornHandler(
        requests_by_path(SOCKETIO_PATHS, feeds.socketio.application, api),
        load_config(),
        limits,
        observer,
        streams,
        words=words,
        proxies=proxies,
        elsewhere=elsewhere,
        hurry=hurry,
        constant=constant,
        rounds=rounds,
    )
    door = FrontDoor(
        http=portions.before(http),
        websocket=portions.before(sockets_by_path(SOCKETIO_PATHS, feeds.socketio.sockets, feeds.sockets)),
        limits=limits,
        observer=observer,
        streams=streams,
        words=words,
        proxies=proxies,
        tls=tls,
        elsewhere=elsewhere,
        probes=QUIET,
        rounds=rounds,
    )
    return http, door


def _limits_of(wanted: Door) -> DoorLimits:
    return DoorLimits(
        connections=wanted.connections,
        connections_per_address=wanted.connections_per_address,
        stop_within_s=wanted.stop_within_s,
    )
