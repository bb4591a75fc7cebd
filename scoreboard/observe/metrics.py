"""Numbers for Prometheus. Document A's four with its names, labels and buckets, and those that show where it hurts.

Labels have few values: routes as patterns, rules, reasons, kinds of actors; never a user, an address or a path.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
REQUEST_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 2, 5)
BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
COMMIT_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
#: Close together round what a tick may take of the loop, 25 ms.
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The numbers of one server, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._describe_requests()
        self._describe_actors()
        self._describe_scores()
        self._describe_others()
        self._describe_live()
        self._served: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # so that labels are looked up once
        self._sent = 0
        self._skipped = 0
        self._commands: Counts[tuple[str, str]] = Counts()
        self._turns = [0] * (len(LAG_BUCKETS) + 1)
        self._turns_s = 0.0
        self._registry.register(self)

    def render(self) -> bytes:
        """All numbers in the text format of Prometheus; `CONTENT_TYPE` goes with it."""
        return generate_latest(self._registry)

    # --- requests and connections ---

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered. `route` is the pattern (``/api/scores/user/{userId}``), or ``unmatched``."""
        method = method if method in METHODS else "other"  # a client may make up any method
        served = self._served.get((method, route, status))
        if served is None:
            labels = (method, route, str(status))
            served = self._requests.labels(*labels), self._request_seconds.labels(*labels)
            self._served[method, route, status] = served
        count, duration = served
        count.inc()
        duration.observe(seconds)

    def connection_refused(self, reason: str) -> None:
        """The door turned a connection away or cut it."""
        self._refused.labels(reason).inc()

    # --- actors ---

    def actor_began(self, actor: str) -> None:
        """An actor of this kind lives now."""
        self._actors.labels(actor).inc()

    def actor_ended(self, actor: str) -> None:
        """An actor of this kind has gone."""
        self._actors.labels(actor).dec()

    def actor_crashed(self, actor: str) -> None:
        """An incarnation failed."""
        self._crashes.labels(actor).inc()

    def mailbox_full(self, actor: str) -> None:
        """A message was not taken."""
        self._mailbox_full.labels(actor).inc()

    def message_dropped(self, actor: str, reason: str) -> None:
        """A message was dropped unbegun: ``expired``, or its actor ``stopped``."""
        self._dropped.labels(actor, reason).inc()

    # --- scores ---

    def scored(self, count: int = 1) -> None:
        """So many increments are on disk."""
        self._increments.inc(count)

    def fraud(self, rule: str, severity: str) -> None:
        """A rule found something."""
        self._fraud.labels(rule, severity).inc()

    def fraud_lost(self, count: int) -> None:
        """So many findings, habits or consequences were lost, or actions judged without habits."""
        if count:
            self._fraud_lost.inc(count)

    def proof_rejected(self, reason: str) -> None:
        """A proof of an action did not hold, for that reason."""
        self._proofs_rejected.labels(reason).inc()

    def committed(self, size: int, seconds: float) -> None:
        """A batch of that size was made durable in that time."""
        self._batch_size.observe(size)
        self._commit_seconds.observe(seconds)

    def event_log_dropped(self, count: int = 1) -> None:
        """So many facts did not reach the event log; others heal from Postgres."""
        self._log_dropped.inc(count)

    def audit_lost(self, count: int) -> None:
        """So many events did not reach the audit, for it was away for too long."""
        self._audit_lost.inc(count)

    def standing_lost(self, count: int) -> None:
        """So many players may be shown or hidden wrongly until the boards are read anew."""
        self._standing_lost.inc(count)

    # --- other workers ---

    def followed(self, way: str, facts: int) -> None:
        """So many facts of other workers came to the boards: by the event ``log``, or read from the ``store``."""
        self._followed.labels(way).inc(facts)

    def follower_lag(self, batches: int, seconds: float) -> None:
        """At a look so many batches of others had not been heard yet, and the oldest was seen so long ago."""
        self._lag_batches.set(batches)
        self._lag_seconds.set(seconds)

    def follower_healed(self, batches: int) -> None:
        """So many batches that were not heard were read from Postgres."""
        self._healed.inc(batches)

    def follower_lost(self) -> None:
        """So much was missed that all boards are read again."""
        self._read_again.inc()

    def follower_skipped(self) -> None:
        """The place in the event log was given up for its end."""
        self._log_skipped.inc()

    def follower_missed(self) -> None:
        """A look at what others committed did not succeed."""
        self._looks_missed.inc()

    # --- the live feed ---

    def follow_sockets(self, count: Callable[[], float]) -> None:
        """How many live connections there are is asked whenever the numbers are read."""
        self._sockets.set_function(count)

    def board_stepped(self) -> None:
        """A board gave a step to the audience of one channel, or the same one again."""
        self._steps.inc()

    def frames_sent(self, count: int = 1) -> None:
        """So many frames were handed to sockets. Called for every delivery, so it only adds."""
        self._sent += count

    def frames_skipped(self, count: int = 1) -> None:
        """So many frames were not sent, because the reader is behind and will get a snapshot."""
        self._skipped += count

    def session_refused(self, reason: str) -> None:
        """A session of Socket.IO could not begin, for a limit, or ended because nobody connected to it."""
        self._sessions_refused.labels(reason).inc()

    def command_answered(self, command: str, outcome: str) -> None:
        """A scoring command was answered: ``ok``, or the code of a refusal. Called for each, so it only adds."""
        self._commands[command, outcome] += 1

    # --- the event loop ---

    def loop_held(self, seconds: float) -> None:
        """One turn of the event loop took so long. Called for every turn, so it only adds."""
        self._turns[bisect_left(LAG_BUCKETS, seconds)] += 1
        self._turns_s += seconds

    def follow_log(self, lost: Callable[[], float]) -> None:
        """How many lines of the log could not be written is asked whenever the numbers are read."""
        self._log_lost.set_function(lost)

    def follow_tasks(self, count: Callable[[], float]) -> None:
        """How many tasks the event loop has is asked whenever the numbers are read."""
        self._tasks.set_function(count)

    @property
    def turns(self) -> tuple[int, ...]:
        """How many turns took at most what each of `LAG_BUCKETS` says, and more than the one before; then the rest."""
        return tuple(self._turns)

    # --- one by one ---

    def value(self, name: str, **labels: str) -> float:
        """What stands there now; 0 if nothing was counted under it yet."""
        return self._registry.get_sample_value(name, labels) or 0.0

    def values(self, name: str, label: str) -> dict[str, float]:
        """What stands there now, by one label."""
        samples = (each for family in self._registry.collect() for each in family.samples)
        return {each.labels[label]: each.value for each in samples if each.name == name}

    # --- what is counted here ---

    def collect(self) -> Iterator[Metric]:
        """What is counted in plain numbers, for the registry when it is read."""
        yield CounterMetricFamily("live_frames_sent", "Frames handed to live connections", self._sent)
        yield CounterMetricFamily("live_frames_skipped", "Frames not sent because the reader was behind", self._skipped)
        commands = CounterMetricFamily(
            "live_commands", "Scoring commands answered on live connections", labels=("command", "outcome")
        )
        for (command, outcome), count in self._commands.items():
            commands.add_metric((command, outcome), count)
        yield commands
        bounds = (*map(str, LAG_BUCKETS), "+Inf")
        buckets = list(zip(bounds, accumulate(self._turns), strict=True))
        yield HistogramMetricFamily(
            "event_loop_lag_seconds",
            "Time of one turn of the event loop, while nobody else is heard",
            buckets,
            self._turns_s,
        )

    # --- what they are ---

    def _describe_requests(self) -> None:
        labels = ("method", "route", "status_code")
        self._request_seconds = self._histogram(
            "http_request_duration_seconds", "HTTP request duration in seconds", REQUEST_BUCKETS, labels
        )
        self._requests = self._counter("http_requests_total", "HTTP requests answered", labels)
        self._refused = self._counter(
            "door_connections_refused_total", "Connections turned away or cut by the door", ("reason",)
        )

    def _describe_actors(self) -> None:
        self._actors = self._gauge("actor_live", "Actors that live now", ("actor",))
        self._crashes = self._counter("actor_crashes_total", "Incarnations that failed", ("actor",))
        self._mailbox_full = self._counter("actor_mailbox_full_total", "Messages not taken", ("actor",))
        self._dropped = self._counter("actor_messages_dropped_total", "Messages dropped unbegun", ("actor", "reason"))

    def _describe_scores(self) -> None:
        self._increments = self._counter("score_increments_total", "Total number of score increments")
        self._fraud = self._counter(
            "fraud_detections_total", "Total number of fraud detections", ("rule_name", "severity")
        )
        self._fraud_lost = self._counter("fraud_lost_total", "What the watch on fraud could not judge, keep or impose")
        self._proofs_rejected = self._counter(
            "proofs_rejected_total", "Proofs of actions that did not hold", ("reason",)
        )
        self._batch_size = self._histogram("ledger_batch_size", "Scores made durable at once", BATCH_BUCKETS)
        self._commit_seconds = self._histogram(
            "ledger_commit_seconds", "Time of one transaction of the ledger", COMMIT_BUCKETS
        )
        self._log_dropped = self._counter("event_log_dropped_total", "Facts that did not reach the event log")
        self._audit_lost = self._counter("audit_events_lost_total", "Events that did not reach the audit")
        self._standing_lost = self._counter("standing_lost_total", "Players whose standing boards may have missed")

    def _describe_others(self) -> None:
        self._followed = self._counter("follower_facts_total", "Facts of other workers told to boards", ("way",))
        self._lag_batches = self._gauge("follower_lag_batches", "Batches of other workers not heard yet, at a look")
        self._lag_seconds = self._gauge("follower_lag_seconds", "How long ago the oldest of them was seen first")
        self._healed = self._counter("follower_healed_batches_total", "Batches not heard, and read from Postgres")
        self._read_again = self._counter("follower_boards_read_again_total", "Times that too much was missed")
        self._log_skipped = self._counter("event_log_skipped_total", "Times that a place in the event log was given up")
        self._looks_missed = self._counter("follower_looks_missed_total", "Looks that Postgres did not answer")

    def _describe_live(self) -> None:
        self._log_lost = self._gauge("log_lines_lost", "Lines of the log that could not be written, since the start")
        self._tasks = self._gauge("event_loop_tasks", "Tasks of the event loop, of the server and of its connections")
        self._sockets = self._gauge("websocket_connections_active", "Number of active WebSocket connections")
        self._steps = self._counter("leaderboard_steps_total", "Steps that boards gave to audiences")
        self._sessions_refused = self._counter(
            "socketio_sessions_refused_total", "Sessions of Socket.IO turned away, or cut unconnected", ("reason",)
        )

    def _counter(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
        return Counter(name, meaning, labels, registry=self._registry)

    def _gauge(self, name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
        return Gauge(name, meaning, labels, registry=self._registry)

    def _histogram(self, name: str, meaning: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
        return Histogram(name, meaning, labels, buckets=buckets, registry=self._registry)
