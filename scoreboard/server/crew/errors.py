"""Why several workers cannot serve together; the sentence is for the operator."""

from __future__ import annotations


class CrewError(Exception):
    """Root of what the parent of workers, or a worker that has none, ends with."""


class NobodyServes(CrewError):
    """Workers failed again and again, and none is left that serves."""


class NoParent(CrewError):
    """A worker was started by hand, or its parent is gone."""


class NotReady(CrewError):
    """A worker that was to take another one's place does not serve; says why."""


class WorkerFailed(CrewError):
    """A worker ended otherwise than in good order; says how."""
