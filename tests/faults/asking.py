"""REST as a client asks that is not put off: what is not answered goes out again."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.line import Answer, Cut, Line
from tests.faults.load import Load
from tests.faults.players import Player

#: So long an answer is waited for.
ANSWER_S = 8.0


class NotSignedIn(Cut):
    """A worker does not believe the session, and gives no other one."""


class Asking:
    """REST on a connection that is opened again when it is lost, at whichever worker accepts."""

    def __init__(self, who: Player | str, load: Load) -> None:
        self._who, self._load = who, load
        self._line: Line | None = None

    @property
    def _token(self) -> str:
        return self._who.token if isinstance(self._who, Player) else self._who

    async def once(self, path: str, body: object, **headers: str) -> Answer:
        """One try. Raises Cut."""
        try:
            if self._line is None:
                self._line = await Line.to(self._load.port)
            shown = self._token
            known = {"Authorization": f"Bearer {shown}", **headers}
            answer = await self._line.ask("POST", path, body, within_s=ANSWER_S, **known)
            if answer.status == 401:
                if isinstance(self._who, Player) and shown == self._who.token:  # not renewed by somebody else meanwhile
                    self._load.wonder_at(self._who, answer.body)
                if isinstance(self._who, str) and self._load.clock.is_even():
                    self._load.journal.wonder(f"the token of a service was refused: {answer.body!r}")
                await self._sign_in(self._line, answer)
        except Cut as error:
            self.hang_up()
            self._load.journal.lose(self._name, error)
            raise
        if answer.headers.get("connection", "").lower() == "close":
            self.hang_up()
        return answer

    @property
    def _name(self) -> str:
        return f"rest {self._who.name}" if isinstance(self._who, Player) else "batches"

    async def _sign_in(self, line: Line, answer: Answer) -> None:
        """The session is of no more use at this worker. Raises Cut: the request is as if it were lost."""
        renewed = isinstance(self._who, Player) and await self._load.renewed(self._who, line)
        self._load.journal.note("signs in", who=self._name, why=str(answer.body), renewed=renewed)
        raise Cut("signed in anew") if renewed else NotSignedIn(f"{answer.body!r}")

    async def until_answered(
        self, path: str, body: object, trying: Callable[[], None] = lambda: None, **headers: str
    ) -> Answer | None:
        """Something that may be asked again and again; `trying` is called each time. None when it is late for that."""
        while True:
            trying()
            try:
                answer = await self.once(path, body, **headers)
            except Cut as error:
                if self._load.enough and isinstance(error, NotSignedIn):
                    return None
                await self._load.pause()
                continue
            if answer.status < 500 and answer.status != 429:
                return answer
            self._load.journal.note("not now", who=self._name, path=path, status=answer.status, body=str(answer.body))
            await self._load.pause()

    def hang_up(self) -> None:
        """Close the connection."""
        if self._line is not None:
            self._line.hang_up()
            self._line = None
