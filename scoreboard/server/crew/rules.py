"""The bounds of a crew."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.runtime import RestartPolicy


@dataclass(frozen=True, slots=True)
class CrewRules:
    """Bounds of the workers.

    Attributes:
        restarts: how often one may fail, and the pauses. One that fails more often is left alone for as long as these
            failures count, while others serve.
        silent_s: a worker that does not say for so long that it lives is killed. Only the parent's own waking time
            counts, so a machine that slept kills nobody.
        stuck_s: a worker that starts, and says for so long that it lives but not that it gets any further, is killed.
            It gets further while it waits for Postgres, or brings its tables up to date, and while a board comes.
        stop_within_s: for all to end in good order. Leaves time for the stores.
    """

    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    silent_s: float = 30.0
    stuck_s: float = 300.0
    stop_within_s: float = 6.0
