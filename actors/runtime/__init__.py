"""Supervised actors on Trio: mailboxes, incarnations, restarts, keyed directories. Knows nothing of scoreboards."""

from actors.runtime.actor import Actor, AnyActor, BatchActor, PromptActor
from actors.runtime.cell import Cell
from actors.runtime.directory import Directory
from actors.runtime.errors import (
    ActorCrashed,
    ActorError,
    ActorStopped,
    AskTimeout,
    GaveUp,
    MailboxFull,
    Refusal,
    TooManyActors,
)
from actors.runtime.observer import Observer
from actors.runtime.options import CellOptions
from actors.runtime.promise import Promise
from actors.runtime.ref import Ref
from actors.runtime.request import Question, Request, current_deadline
from actors.runtime.restarts import RestartHistory, RestartPolicy
from actors.runtime.solo import running_actor
from actors.runtime.supervisor import Child, all_for_one, one_for_one

__all__ = [
    "Actor",
    "ActorCrashed",
    "ActorError",
    "ActorStopped",
    "AnyActor",
    "AskTimeout",
    "BatchActor",
    "Cell",
    "CellOptions",
    "Child",
    "Directory",
    "GaveUp",
    "MailboxFull",
    "Observer",
    "Promise",
    "PromptActor",
    "Question",
    "Ref",
    "Refusal",
    "Request",
    "RestartHistory",
    "RestartPolicy",
    "TooManyActors",
    "all_for_one",
    "current_deadline",
    "one_for_one",
    "running_actor",
]
