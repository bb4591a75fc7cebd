"""The import law: who may know whom. `offence` judges one import and is pure."""

from __future__ import annotations

import sys

from tests.house.sources import Import

# Beside the standard library, the core may use these.
CORE_LIBRARIES = {"trio"}

# A library that belongs to one room, so that it can be replaced there.
ONLY_IN = {
    "quart": ("scoreboard.api",),
    "quart_trio": ("scoreboard.api",),
    "werkzeug": ("scoreboard.api",),
    "hypercorn": ("scoreboard.door",),
    "httptools": ("scoreboard.door",),
    "h11": ("scoreboard.door",),
    "jwt": ("scoreboard.security",),
    "trio_websocket": ("scoreboard.live", "scoreboard.client"),
    "wsproto": ("scoreboard.live",),
    "socketio": ("scoreboard.live",),
    "engineio": ("scoreboard.live",),
    "river": ("scoreboard.watch",),
    "maxminddb": ("scoreboard.watch",),
    "asyncpg": ("scoreboard.stores",),
    "redis": ("scoreboard.stores",),
    "trio_asyncio": ("scoreboard.stores",),
}

ANYTHING = ("scoreboard", "actors")
COMPOSITION = ("scoreboard.server", "scoreboard.__main__")

# Of each other the actors' rooms see only the messages: what goes in and what comes out. Who translates for clients
# also sees what clients may ask, the board as published, how boards are named, and the token
# that is passed through.
SEEN_BY_NEIGHBOURS = ("messages", "events")
SEEN_BY_TRANSLATORS = (*SEEN_BY_NEIGHBOURS, "commands", "published", "token", "scope")
CORE_ROOMS = (
    "actors.announcements",
    "actors.user",
    "actors.actions",
    "actors.service",
    "actors.ledger",
    "actors.leaderboard",
    "actors.connection",
    "actors.audit",
    "actors.fraud",
    "actors.limits",
)
TRANSLATED = tuple(f"{room}.{seen}" for room in CORE_ROOMS for seen in SEEN_BY_TRANSLATORS)
TRANSLATORS = ("actors.runtime", "actors.ports", *TRANSLATED, "scoreboard.security", "scoreboard.observe")

# The shapes that api and live share are pure: they see what is translated, and do nothing.
SHAPED = ("actors.runtime", "actors.ports", *TRANSLATED, "scoreboard.security.errors")
SHAPING_LIBRARIES = {"msgspec"}

# A program that uses the client takes that folder and these along, and nothing else of ours.
CLIENT_LIBRARIES = {"trio", "trio_websocket", "httpx"}
CLIENTS_OF_THE_API = ("scoreboard.client", "scoreboard.replay", "scoreboard.smoke")

# It runs a connection for each client, and shares pure arithmetic with the door.
SPREAD = ("scoreboard.ends", "scoreboard.leaky_buckets")
LIVE = ("scoreboard.wire", *SPREAD, "actors.connection.connection")

# What a room may import of our own, beside itself. A room that is not named imports nothing of ours but itself.
MAY_IMPORT = {
    "scoreboard.server": ANYTHING,
    "scoreboard.__main__": ANYTHING,
    "scoreboard.api": (*TRANSLATORS, "scoreboard.wire", "scoreboard.ends"),
    "scoreboard.live": (*TRANSLATORS, *LIVE),
    "scoreboard.door": SPREAD,
    "scoreboard.ends": ("scoreboard.leaky_buckets",),
    "scoreboard.wire": SHAPED,
    "scoreboard.observe": ("actors.runtime",),
    "scoreboard.replay": ("scoreboard.client",),
    "scoreboard.smoke": ("scoreboard.client",),
    "scoreboard.settings_reader": ("scoreboard.settings", "scoreboard.settings_checks"),
    "scoreboard.settings_checks": ("scoreboard.settings",),
    "scoreboard.stores": ("actors.ports",),
    "scoreboard.watch": ("actors.ports",),
    "scoreboard.rehearsal": ("actors.fraud", "actors.ports", "actors.user.limits"),
    **dict.fromkeys(CORE_ROOMS, ("actors.runtime", "actors.ports")),
}


def offence(found: Import) -> str | None:
    """The reason why this import breaks the law, or None."""
    importer = found.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    library = found.module.split(".")[0]
    if library in ANYTHING:
        return _offence_of_ours(importer, found.module)
    if any(within(importer, room) for room in (*ONLY_IN.get(library, ()), *COMPOSITION)):
        return None
    if library in ONLY_IN:
        return f"{library} only in {', '.join(ONLY_IN[library])}"
    if importer.startswith("actors") and library not in sys.stdlib_module_names | CORE_LIBRARIES:
        return "actors need only the standard library and Trio"
    if within(importer, "scoreboard.client") and library not in sys.stdlib_module_names | CLIENT_LIBRARIES:
        return "scoreboard.client needs only the standard library, Trio, trio-websocket and httpx"
    if within(importer, "scoreboard.wire") and library not in sys.stdlib_module_names | SHAPING_LIBRARIES:
        return "scoreboard.wire is pure: it needs only the standard library and msgspec"
    return None


def within(module: str, package: str) -> bool:
    """Whether a module is that package or lies in it."""
    return module == package or module.startswith(package + ".")


def room_of(module: str) -> str:
    """`scoreboard.api.routes` lies in the room `scoreboard.api`."""
    return ".".join(module.split(".")[:2])


def _offence_of_ours(importer: str, module: str) -> str | None:
    room, target = room_of(importer), room_of(module)
    if target == room:
        return None
    if target == "scoreboard.client" and room not in CLIENTS_OF_THE_API:
        return "scoreboard.client is for programs outside the server"
    if any(within(module, allowed) for allowed in MAY_IMPORT.get(room, ())):
        return None
    if room in CORE_ROOMS and target in CORE_ROOMS:
        seen = module.split(".")[2:3]
        return None if seen and seen[0] in SEEN_BY_NEIGHBOURS else f"{room} may see only the messages of {target}"
    return f"{room} may not know {'.'.join(module.split('.')[:3])}"
