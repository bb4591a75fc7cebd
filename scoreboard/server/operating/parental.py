"""What the parent of several workers does for its operator: it asks each of them, and replaces them one by one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import trio

from scoreboard.server.crew.crew import Crew
from scoreboard.server.crew.dismissal import AskToLeave
from scoreboard.server.crew.errors import NotReady
from scoreboard.server.crew.life import Life
from scoreboard.server.crew.neighbours import DRAIN, REBUILD, STATUS, WARN, ask_worker
from scoreboard.server.crew.slot import Slot
from scoreboard.server.operating.desk import Desk, Line, Say, Tell, end
from scoreboard.server.operating.farewell import BACK_S, NEXT_ONE_S, Farewell, bounded
from scoreboard.server.operating.operated import WITH_REDIS
from scoreboard.server.operating.rebuilding import WITHIN_S
from scoreboard.server.operating.renewal import NotRenewed, Recipe
from scoreboard.server.operating.report import own_version

#: It has a look at its stores; a query that is not answered takes as long again to be given up.
STATUS_WITHIN_S = 3.0
#: Beyond the time for its clients: what was begun is finished, and the process ends.
ENDED_WITHIN_S = 12.0
#: For a new worker to load its boards and to serve.
READY_WITHIN_S = 180.0


class Parental:
    """Answers at the desk of a parent, from when it has a crew.

    Args:
        desk: Where it is asked.
        sockets: Where those of its workers are.
        whole: What is true of all of them: where the server is to be found, and what it keeps.
    """

    def __init__(self, desk: Desk, sockets: Path, whole: Callable[[], dict[str, Any]]) -> None:
        self._desk = desk
        self._sockets = sockets
        self._whole = whole
        self._crew: Crew | None = None
        self._began = time.monotonic()
        desk.answers = {"status": self._status}

    def has(self, crew: Crew, recipe: Recipe, close_port: Callable[[], None]) -> None:
        """From now on there are workers, made by that recipe."""
        self._crew, self._recipe, self._close_port = crew, recipe, close_port
        self._desk.answers |= {"drain": self._drain, "reload": self._reload, "rebuild": self._rebuild}

    # --- status ---

    async def _status(self, _: Line, say: Say) -> None:
        """How all of them are. One that does not answer is told to be silent."""
        slots = [] if self._crew is None else list(self._crew.slots.values())
        workers: dict[int, dict[str, Any]] = {}
        beside: list[dict[str, Any]] = []
        async with trio.open_nursery() as nursery:
            for slot in slots:
                nursery.start_soon(self._of_worker, slot, workers)
                if slot.leaving is not None:
                    nursery.start_soon(self._of_predecessor, slot.leaving, beside)
        beside += [_process(slot.coming, "successor") for slot in slots if slot.coming is not None]
        told = {"pid": os.getpid(), "version": own_version(), "up_s": round(time.monotonic() - self._began, 1)}
        all_of_them = [workers[slot.number] for slot in slots]
        named = {"workers": all_of_them, "beside": beside, "under_way": self._desk.under_way}
        await say(end(0, **self._whole(), **told, **named))

    async def _of_predecessor(self, life: Life, beside: list[dict[str, Any]]) -> None:
        text = await ask_worker(self._sockets, life.seat, STATUS, within_s=STATUS_WITHIN_S)
        beside.append(({} if text is None else msgspec.json.decode(text)) | _process(life, "draining"))

    async def _of_worker(self, slot: Slot, workers: dict[int, dict[str, Any]]) -> None:
        known = {
            "worker": slot.number,
            "state": slot.state,
            "pid": slot.pid,
            "up_s": slot.up_s,
            "restarts": max(0, slot.restarts),
            "failures": slot.failures,
            "last": slot.last,
        }
        workers[slot.number] = known
        if slot.life is not None and slot.state in {"ready", "draining"}:
            text = await ask_worker(self._sockets, slot.life.seat, STATUS, within_s=STATUS_WITHIN_S)
            workers[slot.number] = {**known, "state": "silent"} if text is None else known | msgspec.json.decode(text)

    # --- drain ---

    async def _drain(self, asked: Line, say: Say) -> None:
        await self._desk.undertake(
            asked, say, partial(self._drain_one if asked.get("worker") else self._drain_all, asked)
        )

    async def _drain_one(self, asked: Line, tell: Tell) -> int:
        slot = self._slot_of(asked, tell)
        if slot is None:
            return 2
        if slot.state != "away":
            if not self._others_serve(slot):
                tell({"says": "no other worker serves: to end the server, drain without --worker"})
                return 1
            await self._see_off(slot, Farewell.asked(asked, BACK_S), tell)
        tell({"says": f"worker {slot.number} is away until: scoreboard reload --worker {slot.number}"})
        return 0

    async def _drain_all(self, asked: Line, tell: Tell) -> int:
        farewell, notice_s = Farewell.asked(asked, NEXT_ONE_S), bounded(float(asked.get("notice_s", 0)))
        tell({"pid": os.getpid(), "says": f"{len(self._slots)} workers"})
        if notice_s:
            tell({"says": f"goes on for {notice_s:g} s, for those who look at /ready"})
            for life in self._lives:
                await ask_worker(self._sockets, life.seat, WARN)
            await trio.sleep(notice_s)
        self._close_port()
        async with trio.open_nursery() as nursery:
            for slot in self._slots:
                nursery.start_soon(self._see_off, slot, farewell, tell)
        os.kill(os.getpid(), signal.SIGTERM)
        await trio.sleep_forever()  # until the end of the process, for which the operator waits

    # --- reload ---

    async def _reload(self, asked: Line, say: Say) -> None:
        await self._desk.undertake(asked, say, partial(self._reload_all, asked))

    async def _reload_all(self, asked: Line, tell: Tell) -> int:
        chosen = [self._slot_of(asked, tell)] if asked.get("worker") else self._slots
        farewell = Farewell.asked(asked, BACK_S)
        try:
            await self._recipe.renew(tell)
        except NotRenewed as error:
            tell({"says": f"nothing was renewed: {error}"})
            return 1
        for renewed, slot in enumerate(chosen):
            if slot is None:
                return 2
            if not await self._replace(slot, farewell, tell):
                if not renewed:
                    self._recipe.take_back()
                return 1
        return 0

    async def _replace(self, slot: Slot, farewell: Farewell, tell: Tell) -> bool:
        """A successor comes, and then the one goes that was there; whether the new one serves."""
        if slot.state != "ready":
            return await self._begin_anew(slot, farewell, tell)
        began, crew = trio.current_time(), self._the_crew
        try:
            await crew.bring_successor(slot.number, READY_WITHIN_S)
        except NotReady as error:
            tell({"says": f"worker {slot.number} stays as it is, and serves. Its successor does not: {error}"})
            return False
        tell({"says": f"worker {slot.number}: renewed, serves after {trio.current_time() - began:.1f} s"})
        began = trio.current_time()
        tell({"says": f"worker {slot.number}: its predecessor sees its clients off"})
        await crew.let_predecessor_go(slot.number, self._asking(farewell), farewell.over_s + ENDED_WITHIN_S)
        tell({"says": f"worker {slot.number}: its predecessor is gone after {trio.current_time() - began:.1f} s"})
        return True

    async def _begin_anew(self, slot: Slot, farewell: Farewell, tell: Tell) -> bool:
        """Of one that does not serve there is nothing to lose."""
        began, crew = trio.current_time(), self._the_crew
        if slot.state != "away":
            await crew.let_go(slot.number, self._asking(farewell), 0)
        crew.bring_back(slot.number)
        with trio.move_on_after(READY_WITHIN_S):
            await slot.until("ready", "failed", "left alone", "ending")
        if slot.state == "ready":
            tell({"says": f"worker {slot.number}: renewed, serves after {trio.current_time() - began:.1f} s"})
            return True
        why = slot.last if slot.state in {"failed", "left alone"} else slot.state
        tell({"says": f"worker {slot.number} does not come back: {why}; the others go on as they were"})
        return False

    # --- rebuild ---

    async def _rebuild(self, asked: Line, say: Say) -> None:
        await self._desk.undertake(asked, say, self._rebuild_all)

    async def _rebuild_all(self, tell: Tell) -> int:
        """One after the other, so that there are always workers that answer at once; Redis by the first."""
        ready = [life for life in self._lives if life.is_ready]
        for life in ready:
            words = f"{REBUILD} {WITH_REDIS}" if life is ready[0] else REBUILD
            answer = await ask_worker(self._sockets, life.seat, words, within_s=2 * WITHIN_S)
            verdict, _, said = (answer or b"no it hung up").decode().partition(" ")
            tell({"says": f"worker {life.number}: {said}"})
            if verdict != "ok":
                return 1
        if not ready:
            tell({"says": "no worker is ready, and one that starts reads all of it anyway"})
        return 0 if ready else 1

    # --- one worker ---

    async def _see_off(self, slot: Slot, farewell: Farewell, tell: Tell) -> None:
        began = trio.current_time()
        tell({"says": f"worker {slot.number}: sees its clients off"})
        await self._the_crew.let_go(slot.number, self._asking(farewell), farewell.over_s + ENDED_WITHIN_S)
        tell({"says": f"worker {slot.number}: gone after {trio.current_time() - began:.1f} s"})

    def _asking(self, farewell: Farewell) -> AskToLeave:
        async def ask_to_leave(life: Life) -> bool:
            return await ask_worker(self._sockets, life.seat, f"{DRAIN} {farewell.words}") == b"ok"

        return ask_to_leave

    def _slot_of(self, asked: Line, tell: Tell) -> Slot | None:
        slot = self._the_crew.slots.get(asked["worker"])
        if slot is None:
            tell({"says": f"there is no worker {asked['worker']}: they are 1 to {len(self._slots)}"})
        return slot

    def _others_serve(self, slot: Slot) -> bool:
        return any(other.state == "ready" for other in self._slots if other is not slot)

    @property
    def _the_crew(self) -> Crew:
        assert self._crew is not None  # noqa: S101 - nothing of this is asked before
        return self._crew

    @property
    def _lives(self) -> list[Life]:
        return [slot.life for slot in self._slots if slot.life is not None]

    @property
    def _slots(self) -> list[Slot]:
        return list(self._the_crew.slots.values())


def _process(life: Life, state: str) -> dict[str, Any]:
    """One that is there beside the present one of its number."""
    return {"worker": life.number, "state": state, "pid": life.worker.pid, "up_s": round(life.up_s, 1)}
