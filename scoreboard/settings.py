"""Everything that an operator may set, as one typed tree; `scoreboard.settings_reader` fills and checks it.

The environment's name of `door.port` is SCOREBOARD_DOOR_PORT; in the file it is `port` under `[door]`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

PREFIX = "SCOREBOARD_"
DAY_S = 86_400


class Group(Struct, frozen=True, kw_only=True):
    """A part of the tree."""


Seconds = Annotated[float, Meta(gt=0, le=3600)]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Factor = Annotated[float, Meta(ge=1, le=1000)]
Zone = Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Berlin"])]


class Door(Group, frozen=True, kw_only=True):
    """The one port."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on; 0.0.0.0 for all")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535, description="Port for everything; 0 takes a free one")] = 8000
    connections: Annotated[Count, Meta(description="Open at once, of all kinds")] = 10_000
    connections_per_address: Annotated[Count, Meta(description="Open at once from one address")] = 2_000
    origins: Annotated[
        str,
        Meta(
            pattern=r"^$|^(\*|https?://[^\s,/]+)(\s*,\s*(\*|https?://[^\s,/]+))*$",
            examples=["https://game.example, https://www.game.example"],
            description="Whose web pages may use this server, beside those of the same host; * for all",
        ),
    ] = ""
    proxies: Annotated[
        str,
        Meta(
            max_length=4096,
            examples=["10.0.0.0/8, 2001:db8::/32"],
            description="Networks of proxies whose Forwarded and X-Forwarded-For are believed; nobody else's are",
        ),
    ] = ""
    certificate: Annotated[
        str | None,
        Meta(description="A file in PEM, the certificate first, then those that vouch for it; turns TLS on"),
    ] = None
    private_key: Annotated[
        str | None, Meta(description="Its key, in PEM without a password; nobody else may read it")
    ] = None
    behind_tls: Annotated[bool, Meta(description="Whether a proxy in front speaks TLS in place of this server")] = False
    hsts_s: Annotated[
        int,
        Meta(ge=0, le=100_000_000, description="For which browsers ask through TLS only once they did; with TLS only"),
    ] = 31_536_000
    stop_within_s: Annotated[
        float, Meta(gt=0, le=5, description="For those inside to finish when the server stops")
    ] = 4.0

    @property
    def proxy_networks(self) -> list[str]:
        """The networks of `proxies`, one by one."""
        return [each.strip() for each in self.proxies.split(",") if each.strip()]


class Stores(Group, frozen=True, kw_only=True):
    """Postgres and Redis."""

    postgres_url: Annotated[
        str | None,
        Meta(
            description="A PostgreSQL to use, or several, of which the primary is found; "
            "without it an embedded one is started under the data directory"
        ),
    ] = None
    postgres_replica_url: Annotated[
        str | None, Meta(description="Replicas of it, for what may lag: archives and findings of fraud")
    ] = None
    replica_lag_s: Annotated[
        float, Meta(ge=0.2, le=3600, description="One that may be further behind is not read from")
    ] = 5.0
    redis_url: Annotated[
        str | None,
        Meta(description="A Redis or Valkey to use, or several, with Sentinel or without; without it an embedded one"),
    ] = None
    redis_prefix: Annotated[
        str,
        Meta(
            pattern=r"^(?=.{0,64}$)[\w:.-]*(\{[\w:.-]+\}[\w:.-]*)?$",
            examples=["scoreboard: or {scoreboard}:"],
            description="Begins every key in Redis; braces lay all keys into one slot of a cluster",
        ),
    ] = "scoreboard:"
    postgres_connections: Annotated[int, Meta(ge=2, le=64, description="Connections to PostgreSQL")] = 8
    redis_connections: Annotated[int, Meta(ge=1, le=100, description="Connections to Redis")] = 4
    connect_within_s: Annotated[Seconds, Meta(description="For a connection to be made")] = 10.0
    command_within_s: Annotated[Seconds, Meta(description="For one command or transaction")] = 10.0
    clean_s: Annotated[
        float,
        Meta(
            ge=0.5,
            le=86_400,
            description="From one cleaning of PostgreSQL to the next: what is old goes, the ledger's next months come",
        ),
    ] = 3600.0


class Tokens(Group, frozen=True, kw_only=True):
    """How long proofs are good for, and whose they are."""

    access_s: Annotated[int, Meta(ge=60, le=30 * DAY_S, description="Lifetime of an access token")] = DAY_S
    refresh_s: Annotated[int, Meta(ge=60, le=400 * DAY_S, description="Lifetime of a refresh token")] = 30 * DAY_S
    refresh_grace_s: Annotated[
        int, Meta(ge=0, le=300, description="For repeating an exchange whose answer was lost")
    ] = 10
    action_s: Annotated[int, Meta(ge=1, le=3600, description="Lifetime of an action token")] = 60
    earned_s: Annotated[
        int, Meta(ge=1, le=540, description="Lifetime of an action token that was given for a proof")
    ] = 300
    issuer: Annotated[str, Meta(min_length=1, description="`iss` of access tokens")] = "scoreboard-api"
    audience: Annotated[str, Meta(min_length=1, description="`aud` of access tokens")] = "scoreboard-client"


class Limits(Group, frozen=True, kw_only=True):
    """How often one may ask."""

    enabled: Annotated[bool, Meta(description="Off is for load tests and replays")] = True
    requests_per_minute_per_address: Annotated[
        Count, Meta(description="Requests of the API from one IPv4 address or one IPv6 /64, over all workers")
    ] = 100
    requests_per_minute: Annotated[Count, Meta(description="Requests of the API that one worker serves")] = 10_000
    sign_ins_per_minute_per_address: Annotated[Count, Meta(description="Attempts to sign in from one address")] = 30
    sign_ins_per_minute_per_account: Annotated[Count, Meta(description="Attempts to sign in to one account")] = 10
    registrations_per_minute_per_address: Annotated[Count, Meta(description="New accounts from one address")] = 10
    longest_wait_s: Annotated[
        float,
        Meta(ge=0, le=86_400, description="The most that one waits who exceeds a limit again and again"),
    ] = 960.0
    tokens_per_minute: Annotated[Count, Meta(description="Action tokens for one player")] = 10
    increments_per_minute: Annotated[Count, Meta(description="Increments of one player")] = 5
    updates_per_minute: Annotated[Count, Meta(description="Score updates of one player, each for a proven action")] = 10
    restricted_per_minute: Annotated[Count, Meta(description="Of each of these for a player who is restricted")] = 1
    premium_factor: Annotated[Factor, Meta(description="What the tier `premium` multiplies a player's limits by")] = 2.0
    reputation_factor: Annotated[
        Factor,
        Meta(description="What 100 points of reputation multiply a player's limits by; -100 divide"),
    ] = 2.0
    service_rows_per_minute: Annotated[
        int, Meta(ge=1, le=100_000_000, description="Scores in batches of one service of a game")
    ] = 600_000
    live_frames_per_second: Annotated[
        Count, Meta(description="Frames of a live connection that has signed in; twice as many at once")
    ] = 1000
    live_frames_per_second_per_address: Annotated[
        Count,
        Meta(description="Live frames of one address to one worker, half as many of strangers; what is beyond waits"),
    ] = 2000


Ruled = Annotated[
    str, Meta(pattern=r"^(off|(low|medium|high|critical) (log|flag|restrict|quarantine|ban))$", examples=["high flag"])
]


class Fraud(Group, frozen=True, kw_only=True):
    """What is looked for in how players play: how bad each finding is, and what follows."""

    enabled: Annotated[bool, Meta(description="Whether players are watched at all")] = True
    forged: Annotated[Ruled, Meta(description="A good action token that nobody here signed")] = "critical ban"
    unknown_key: Annotated[Ruled, Meta(description="One that names a key that is not here")] = "medium log"
    honeypot: Annotated[Ruled, Meta(description="An action that nobody is told of")] = "critical quarantine"
    stolen: Annotated[Ruled, Meta(description="An action token of another player was used")] = "high flag"
    false_proof: Annotated[Ruled, Meta(description="A proof that the game's server did not make")] = "medium log"
    too_soon: Annotated[Ruled, Meta(description="Actions sooner or more often than they can be")] = "medium log"
    rapid: Annotated[Ruled, Meta(description="Many attempts to score in a few seconds")] = "high flag"
    hours: Annotated[Ruled, Meta(description="Scores at night")] = "medium log"
    address: Annotated[Ruled, Meta(description="Another address than last time")] = "low log"
    addresses: Annotated[Ruled, Meta(description="Many addresses in one hour")] = "medium log"
    device: Annotated[Ruled, Meta(description="Another device or program than last time")] = "low log"
    country: Annotated[Ruled, Meta(description="Another country than last time")] = "low log"
    travel: Annotated[Ruled, Meta(description="Another country than a short while ago")] = "medium log"
    gain: Annotated[Ruled, Meta(description="More points in an hour than a person makes")] = "high flag"
    pattern: Annotated[Ruled, Meta(description="Scores as regular as a machine's")] = "medium log"
    gap: Annotated[Ruled, Meta(description="An unusual time between two scores, for this player")] = "medium log"
    velocity: Annotated[Ruled, Meta(description="Unusually many points in an hour, for this player")] = "high flag"
    unusual: Annotated[Ruled, Meta(description="Plays as hardly anybody does, by the learner")] = "medium log"
    learner: Annotated[
        bool, Meta(description="Whether a learner compares players with each other; needs the extra `learner`")
    ] = False
    unusual_from: Annotated[
        float, Meta(gt=0, le=1, description="How unusual, of 1, somebody must play to be told by the learner")
    ] = 0.88
    zone: Annotated[Zone, Meta(description="Time zone of nights, from two to the end of five o'clock")] = "UTC"
    rapid_most: Annotated[int, Meta(ge=1, le=99, description="Attempts to score in ten seconds")] = 8
    gain_per_hour: Annotated[int, Meta(ge=1, le=2**53, description="Points that a person can make")] = 20_000
    countries: Annotated[
        str | None, Meta(description="A database of addresses in MaxMind's format (.mmdb), to know countries by")
    ] = None
    addresses_per_hour: Annotated[int, Meta(ge=1, le=15, description="Addresses of one player")] = 4
    again_s: Annotated[
        float, Meta(ge=1, le=DAY_S, description="Until a rule tells of the same player again, with how often")
    ] = 60.0
    restrict_s: Annotated[float, Meta(ge=1, le=400 * DAY_S, description="How long somebody stays restricted")] = 3600.0


class Captcha(Group, frozen=True, kw_only=True):
    """Where answers to captchas are judged, of players who are restricted; without an address nobody is asked."""

    url: Annotated[
        str | None,
        Meta(
            examples=["https://captcha.example/siteverify"],
            description="Where the provider of captchas judges answers; without it nobody is asked for one",
        ),
    ] = None
    secret: Annotated[str | None, Meta(description="By which the provider knows this server")] = None


class Keys(Group, frozen=True, kw_only=True):
    """How keys take each other's place."""

    settle_s: Annotated[
        float, Meta(ge=2, le=86_400, description="Until a new key signs, so that every worker has read it by then")
    ] = 30.0
    rotate_days: Annotated[
        float, Meta(ge=0, le=3650, description="Age in days at which a key that signs is rotated by itself; 0: never")
    ] = 30.0


class Personal(Group, frozen=True, kw_only=True):
    """What is known of persons."""

    strangers_days: Annotated[
        int, Meta(ge=1, le=3650, description="From where strangers came can be read for so many days in the audit")
    ] = 30
    keys_held: Annotated[Count, Meta(description="Players whose keys are held in memory, 250 bytes each")] = 50_000


class Passwords(Group, frozen=True, kw_only=True):
    """What a sign-in costs."""

    rounds: Annotated[int, Meta(ge=4, le=16, description="Cost of bcrypt; one more doubles it")] = 12
    concurrency: Annotated[int, Meta(ge=1, le=64, description="Hashed at once, a core each")] = 1
    waiting: Annotated[int, Meta(ge=0, le=10_000, description="Waiting for their turn; the next is refused")] = 64
    share: Annotated[
        float, Meta(gt=0, le=1, description="So much of these places one address, or one account, may take")
    ] = 0.25
    kept: Annotated[
        int, Meta(ge=0, le=10_000, description="More places, for accounts at addresses where they signed in before")
    ] = 16


class Sessions(Group, frozen=True, kw_only=True):
    """How soon a session that was ended on one worker is over on all."""

    listen_s: Annotated[
        float, Meta(ge=0.05, le=2, description="From one look in Redis whether a session was ended to the next")
    ] = 0.5
    look_s: Annotated[
        float, Meta(ge=0.05, le=25, description="The same in PostgreSQL, which holds while Redis does not answer")
    ] = 10.0


class Following(Group, frozen=True, kw_only=True):
    """How a worker hears what the others commit."""

    look_s: Annotated[
        float,
        Meta(
            ge=0.05,
            le=10,
            description="From one look in PostgreSQL for what was not heard through Redis to the next",
        ),
    ] = 0.4


class Board(Group, frozen=True, kw_only=True):
    """The live table."""

    public: Annotated[
        bool, Meta(description="Whether /api/v1 shows boards and players also to those who have not signed in")
    ] = True
    tick_s: Annotated[float, Meta(ge=0.05, le=60, description="Least time between two updates of a board")] = 1.0
    ping_s: Annotated[float, Meta(ge=1, le=600, description="Silence before a live connection is asked")] = 25.0


class Socketio(Group, frozen=True, kw_only=True):
    """Clients of Socket.IO."""

    ping_interval_s: Annotated[float, Meta(ge=1, le=600, description="From one ping of the server to the next")] = 25.0
    ping_timeout_s: Annotated[float, Meta(ge=1, le=600, description="For any sign of life after a ping")] = 30.0
    connect_within_s: Annotated[
        float, Meta(ge=1, le=60, description="For a client to say who it is, or that it is nobody")
    ] = 10.0
    unconnected: Annotated[Count, Meta(description="Sessions at once in which nobody has said that yet")] = 1_000
    unconnected_per_address: Annotated[Count, Meta(description="Those of one address")] = 200


class BoardZones(Group, frozen=True, kw_only=True):
    """The boards of days, weeks (from Monday) and months."""

    daily_zone: Annotated[Zone, Meta(description="Time zone in which a day ends")] = "UTC"
    weekly_zone: Annotated[Zone, Meta(description="Time zone in which a week ends")] = "UTC"
    monthly_zone: Annotated[Zone, Meta(description="Time zone in which a month ends")] = "UTC"

    @property
    def zones(self) -> dict[str, str]:
        """The zone of each of these settings."""
        names = ("daily_zone", "weekly_zone", "monthly_zone")
        return {name: getattr(self, name) for name in names}


class Logs(Group, frozen=True, kw_only=True):
    """What is written to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least severity that is written")
    ] = "info"
    format: Annotated[
        Literal["auto", "json", "console"], Meta(description="auto: for people on a terminal, otherwise JSON")
    ] = "auto"


class Settings(Group, frozen=True, kw_only=True):
    """The whole tree; `load` makes it."""

    data_dir: Annotated[str, Meta(min_length=1, description="Where everything is kept")] = ".data"
    workers: Annotated[int, Meta(ge=1, le=64, description="Equal processes on the one port")] = 1
    renewable: Annotated[
        bool, Meta(description="With one worker, too, a parent (75 MB) that can replace it while it serves")
    ] = False
    door: Door = field(default_factory=Door)
    stores: Stores = field(default_factory=Stores)
    tokens: Tokens = field(default_factory=Tokens)
    limits: Limits = field(default_factory=Limits)
    fraud: Fraud = field(default_factory=Fraud)
    captcha: Captcha = field(default_factory=Captcha)
    keys: Keys = field(default_factory=Keys)
    personal: Personal = field(default_factory=Personal)
    passwords: Passwords = field(default_factory=Passwords)
    sessions: Sessions = field(default_factory=Sessions)
    following: Following = field(default_factory=Following)
    board: Board = field(default_factory=Board)
    boards: BoardZones = field(default_factory=BoardZones)
    socketio: Socketio = field(default_factory=Socketio)
    logs: Logs = field(default_factory=Logs)
