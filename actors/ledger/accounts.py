"""Accounts and sessions: one writer, so that a request which goes away cannot leave anything half done."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import trio

from actors.ledger.asker import StoreAsker, insist
from actors.ledger.messages import (
    ChangePassword,
    ChangeProfile,
    ChangeRole,
    EndSession,
    EndSessions,
    FindAccount,
    FindAccountOf,
    FindProfile,
    FindSessions,
    LedgerUnavailable,
    OpenSession,
    Register,
    Rotate,
    SignOut,
    TellBoards,
)
from actors.ports import (
    AccountStore,
    BannedUser,
    EmailTaken,
    NameTaken,
    NewAccount,
    OutOfReach,
    Profile,
    ProfileStore,
    Registered,
    RoleChanged,
    Rotated,
    RotationRefused,
    ScoreFact,
    SessionId,
    SignedOut,
    StoreError,
    StoreUnavailable,
    UnknownUser,
)
from actors.runtime import ActorError, Ref

#: So many new players are remembered for boards that cannot hear of them; others appear with their first score.
UNANNOUNCED = 1000

#: After so many seconds a store that was away is asked whether an account was made after all.
LOOK_AGAIN_S = 5.0

#: Why a refresh token is refused when its whole session has come to an end.
ENDED = ("reused", "revoked")

AWAY = "Accounts cannot be reached just now. Try again."
#: The store has lost its last commits in between.
LOST = "The account was made, and lost in the same moment. Try again."
NOT_SIGNED_IN = "The account exists now, but signing in did not work. Log in with your password."


class AccountsActor(StoreAsker):
    """Asks the account store. It insists by itself: a client cannot repeat a registration, whose id is made anew.

    `ledger_within_s` is how long a registration waits for the boards; those who come after it wait as long.
    `session_ended` hears of each session whose tokens must be refused from now on, whether or not somebody still waits
    for the answer; `announced` that other workers have something to hear.
    """

    def __init__(
        self,
        store: AccountStore,
        ledger: Ref,
        *,
        profiles: ProfileStore,
        session_ended: Callable[[SessionId], None] = lambda _: None,
        announced: Callable[[], None] = lambda: None,
        ledger_within_s: float = 1.0,
        store_within_s: float = 15.0,
    ) -> None:
        super().__init__(store_within_s=store_within_s, away=AWAY)
        self._store = store
        self._profiles = profiles
        self._ledger = ledger
        self._session_ended = session_ended
        self._announced = announced
        self._ledger_within_s = ledger_within_s
        self._unannounced: list[ScoreFact] = []
        self._uncertain: list[NewAccount] = []  # perhaps on disk, though the store said that it was away

    def __repr__(self) -> str:
        return f"<AccountsActor, {len(self._unannounced)} unannounced, {len(self._uncertain)} uncertain>"

    async def woken(self) -> None:
        """Tell the boards of new players of whom they could not hear before."""
        facts, self._unannounced = self._unannounced, []
        for fact in facts:
            self._announce(fact)
        accounts, self._uncertain = self._uncertain, []
        for account in accounts:
            await self._look_for(account)

    async def _answer(self, message: object) -> object:
        match message:
            case FindAccount() | FindAccountOf() | FindSessions() | FindProfile():
                return await self._look_up(message)
            case EndSession() | EndSessions() | ChangePassword():
                return await self._end_some(message)
            case ChangeRole() | SignOut():
                return await self._act(message)
            case Register():
                return await self._register(message)
            case OpenSession(session):
                return await insist(lambda: self._store.open_session(session))
            case Rotate():
                return await self._rotate(message)
            case ChangeProfile():
                return await self._change(message)
        raise TypeError(f"accounts do not understand {message!r}")

    async def _look_up(self, message: FindAccount | FindAccountOf | FindSessions | FindProfile) -> object:
        match message:
            case FindAccount(username_key):
                return await self._store.account_named(username_key)
            case FindAccountOf(user_id):
                return await self._store.account_of(user_id)
            case FindSessions(user_id, now_us):
                return await self._store.sessions(user_id, now_us=now_us)
            case FindProfile(user_id):
                return await self._profiles.profile(user_id)

    async def _end_some(self, message: EndSession | EndSessions | ChangePassword) -> object:
        """What ends sessions. Repeated after a lost answer it counts those that were left."""
        store, ended = self._store, list[SessionId]()
        match message:
            case EndSession(session_id, now_us):
                await insist(lambda: store.revoke_session(session_id, now_us=now_us))
                ended = [session_id]  # also one that had ended: whoever asks is out
            case ChangePassword(proven, hashed, spared, now_us):
                change = partial(store.change_password, proven, hashed, spared=spared, now_us=now_us)
                others = await insist(change)
                if others is None:
                    return None
                ended = others
            case EndSessions(user_id, now_us, only, spared):
                end = partial(store.end_sessions, user_id, now_us=now_us, only=only, spared=spared)
                ended = await insist(end)
        self._end(*ended)
        return len(ended)

    async def _act(self, message: ChangeRole | SignOut) -> RoleChanged | SignedOut | OutOfReach | UnknownUser:
        """What somebody in charge does. Which sessions it ended the announcements name, where nothing else does."""
        who, act, beyond = message.user_id, message.act, message.beyond
        if isinstance(message, ChangeRole):
            changed = await insist(partial(self._store.change_role, who, message.role, act, beyond=beyond))
            self._end()
            return changed
        signed_out = await insist(partial(self._store.sign_out, who, act, beyond=beyond))
        self._end(*(signed_out.sessions if isinstance(signed_out, SignedOut) else ()))
        return signed_out

    def _end(self, *sessions: SessionId) -> None:
        for session_id in sessions:
            self._session_ended(session_id)
        self._announced()

    async def _rotate(self, message: Rotate) -> Rotated | RotationRefused:
        times = {"now_us": message.now_us, "expires_us": message.expires_us, "grace_us": message.grace_us}
        outcome = await insist(partial(self._store.rotate, message.presented, message.successor, **times))
        if isinstance(outcome, RotationRefused) and outcome.session_id and outcome.reason in ENDED:
            self._end(outcome.session_id)
        return outcome

    async def _register(self, message: Register) -> Registered | NameTaken | EmailTaken:
        try:
            outcome = await insist(lambda: self._store.register(message.account))
        except (StoreUnavailable, trio.Cancelled):
            self._doubt(message.account)
            raise
        if not isinstance(outcome, Registered):
            return outcome
        await self._tell_boards(outcome.fact)
        try:
            opened = await insist(lambda: self._store.open_session(message.session))
        except StoreError as error:
            raise LedgerUnavailable(NOT_SIGNED_IN) from error
        if not opened:
            raise LedgerUnavailable(LOST)
        return outcome

    async def _change(self, asked: ChangeProfile) -> Profile | UnknownUser | BannedUser:
        """A change that the boards cannot hear of now they hear of later; until then they show what was."""
        outcome = await insist(lambda: self._profiles.change_profile(asked.user_id, asked.change))
        if not isinstance(outcome, ScoreFact):
            return outcome
        await self._tell_boards(outcome)
        return await self._profiles.profile(asked.user_id) or UnknownUser()

    def _doubt(self, account: NewAccount) -> None:
        if len(self._uncertain) < UNANNOUNCED:
            self._uncertain.append(account)
        self.wake_at = min(self.wake_at, trio.current_time() + LOOK_AGAIN_S)

    async def _look_for(self, account: NewAccount) -> None:
        """If the account was made after all, the boards shall know its player. If not, it is not made any more."""
        try:
            with trio.fail_after(self._store_within_s):
                found = await self._store.account_named(account.username_key)
                outcome = await self._store.register(account) if found and found.user_id == account.user_id else None
        except (StoreUnavailable, trio.TooSlowError):
            self._doubt(account)
            return
        if isinstance(outcome, Registered):
            self._announce(outcome.fact)

    async def _tell_boards(self, fact: ScoreFact) -> None:
        try:
            await self._ledger.ask(TellBoards(fact), within=self._ledger_within_s)
        except ActorError:
            self._announce(fact)

    def _announce(self, fact: ScoreFact) -> None:
        """Nobody waits for it any more, but the player shall appear before the first score."""
        try:
            self._ledger.tell(TellBoards(fact))
        except ActorError:
            if len(self._unannounced) < UNANNOUNCED:
                self._unannounced.append(fact)
            self.wake_at = min(self.wake_at, trio.current_time() + self._ledger_within_s)
