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
        stop_within_s: for all to end in good order. Leaves time for the stores.
    """

    restarts: RestartPolicy = field(default_factory=RestartPolicy)
    silent_s: float = 30.0
    stop_within_s: float = 6.0
