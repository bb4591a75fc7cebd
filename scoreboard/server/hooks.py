"""Joins what rooms tell of themselves: the door's drops in the metrics, what the core gave up or lost in the log."""

from __future__ import annotations

from actors.actions.messages import ProofRejected
from actors.ports import ArchivedPeriod, BoardId, FraudEvent, Period, Severity, Span, StoreFault, UserId
from actors.runtime import GaveUp
from scoreboard.door.observer import Drop, Journal
from scoreboard.observe.actors import ActorWatch
from scoreboard.observe.logs import Logger
from scoreboard.observe.metrics import Metrics
from scoreboard.server.notices import Notices

#: What happens all day long and is nobody's fault; or has a line of its own, with what failed.
_EVERYDAY = frozenset({Drop.GONE, Drop.SILENT, Drop.STOPPED, Drop.FAILED})
#: That somebody who did nothing wrong was turned away.
_FULL = frozenset({Drop.FULL, Drop.ADDRESS_FULL})


class DoorJournal(Journal):
    """As the door's own, with its drops in the metrics, and a line for the first of each kind in a minute."""

    def __init__(self, log: Logger, metrics: Metrics, notices: Notices | None = None) -> None:
        super().__init__(log)
        self._logger = log
        self._metrics = metrics
        self._notices = notices or Notices()

    def dropped(self, why: Drop) -> None:
        """A connection was turned away or cut."""
        super().dropped(why)
        self._metrics.connection_refused(why.value)
        if why not in _EVERYDAY:
            say = self._logger.warning if why in _FULL else self._logger.info
            self._notices.note(why, say, "connections_refused", reason=why.value)

    def accept_failed(self, error: OSError) -> None:
        """The system gave no new connection; the door tries twice a second."""
        self._metrics.connection_refused("no_descriptor")
        self._notices.note("accept", self._logger.warning, "accept_failed", error=str(error), remedy="ulimit -n")


class CoreWatch(ActorWatch):
    """As for all actors, and what only this core has to tell."""

    def user_gave_up(self, user_id: UserId, error: GaveUp) -> None:
        """A player's actor failed again and again. It is dropped, and made anew by the player's next message."""
        self._log.error("user_actor_gave_up", user_id=user_id, exc_info=error)

    def service_gave_up(self, service: str, error: GaveUp) -> None:
        """The same of a game's service."""
        self._log.error("service_actor_gave_up", service=service, exc_info=error)

    def board_gave_up(self, board: BoardId, error: GaveUp) -> None:
        """The same of a board of a period or a country, by whoever looks next."""
        self._log.error("board_actor_gave_up", board=board, exc_info=error)

    def period_over(self, period: Period, span: Span) -> None:
        """Its pages are in the archive from now on, though late writes may still change them for a while."""
        self._log.info("period_over", period=period.value, label=span.label)

    def period_archived(self, of: ArchivedPeriod) -> None:
        """It never changes again."""
        self._log.info("period_archived", period=of.period.value, label=of.span.label, players=of.players)

    def look_missed(self, error: Exception) -> None:
        """What other workers announced was not read; the next look reads it."""
        self._log.warning("announcements_not_read", reason=repr(error))

    def proof_rejected(self, rejected: ProofRejected) -> None:
        """Somebody passed on a proof that is none, or that cannot be."""
        self._metrics.proof_rejected(rejected.reason)

    def fraud_told(self, event: FraudEvent) -> None:
        """A rule found something with a player; what follows is in the audit."""
        how = self._log.info if event.severity in (Severity.LOW, Severity.MEDIUM) else self._log.warning
        how("fraud", user_id=event.user_id, rule=event.rule, consequence=event.consequence.value, times=event.times)

    def challenges_missed(self, error: Exception) -> None:
        """Who is restricted could not be read; whoever was asked for captchas before still is."""
        self._log.warning("restricted_players_not_read", reason=repr(error))

    def limits_missed(self, error: Exception) -> None:
        """This worker's own limits hold alone for a moment."""
        self._log.warning("limits_not_shared", reason=repr(error))

    def standings_missed(self, error: Exception) -> None:
        """Players' limits are for a while as these stood before."""
        self._log.warning("standings_not_read", reason=repr(error))

    def write_rejected(self, fault: StoreFault) -> None:
        """The store calls one write a mistake of ours: its sender was refused, all others were served."""
        self._log.error("write_rejected", exc_info=fault)
