"""What the server says, and what follows from it for boards, subscriptions and the sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scoreboard.client.board import Verdict, apply_diff, apply_full
from scoreboard.client.channels import has_board, is_personal
from scoreboard.client.errors import AGAIN_CODES, EXPIRY_CODES, SIGN_IN_CODES, ScoreboardError
from scoreboard.client.line import AUTHENTICATE, Line
from scoreboard.client.watch import Channel, News


class Frames:
    """Decides at once, without waiting.

    Args:
        channels: What is watched, by name.
        on_error: Hears of what nobody waits for.
        renew: Called when the sign-in has ended.
        introduced: Called when the server knows who we are.
    """

    def __init__(
        self,
        channels: dict[str, Channel],
        on_error: Callable[[ScoreboardError], None],
        renew: Callable[[ScoreboardError], None],
        introduced: Callable[[Line], None],
    ) -> None:
        self._channels = channels
        self._on_error = on_error
        self._renew = renew
        self._introduced = introduced

    def __repr__(self) -> str:
        return f"<Frames of {', '.join(self._channels) or 'no channel'}>"

    def subscribe(self, line: Line, channel: Channel) -> None:
        """Ask for a channel; what is personal is asked for once the server knows who we are."""
        if is_personal(channel.name) and AUTHENTICATE in line.awaited:
            return
        if has_board(channel.name):
            line.expect(channel.name)
        radius = {} if channel.radius is None else {"radius": channel.radius}
        line.say("subscribe", {"channel": channel.name, **radius})

    def subscribe_personal(self, line: Line) -> None:
        """Anew after each new token."""
        line.awaited.pop(AUTHENTICATE, None)
        for channel in list(self._channels.values()):
            if is_personal(channel.name):
                self.subscribe(line, channel)

    def forgotten(self, line: Line, channel: Channel) -> None:
        """Its answer is not waited for."""
        if channel.name in line.awaited:
            line.settle(channel.name)

    def heard(self, line: Line, event: str, data: Mapping[str, Any]) -> None:
        """A frame that answers no command. What we do not understand is let pass: a newer server may say more."""
        if event == "authenticated":
            return self._introduced(line)
        if event == "error":
            return self._refused(line, data)
        channel = self._channels.get(str(data.get("channel")))
        if channel is None:
            return None
        if event == "leaderboard.update":
            return self._full(line, channel, data)
        if event == "leaderboard.diff":
            return self._diff(line, channel, data)
        return channel.tell(News(event, data))

    def _full(self, line: Line, channel: Channel, data: Mapping[str, Any]) -> None:
        verdict, view = apply_full(channel.view, data)
        if verdict is Verdict.BEHIND:
            # A full update that is damaged will not get better by asking the same server again at once.
            return line.lose()
        channel.accept(view)
        return line.settle(channel.name)

    def _diff(self, line: Line, channel: Channel, data: Mapping[str, Any]) -> None:
        if channel.name in line.awaited:
            return
        verdict, view = apply_diff(channel.view, data)
        if verdict is Verdict.APPLIED:
            channel.accept(view)
        elif verdict is Verdict.BEHIND:
            self.subscribe(line, channel)

    def _refused(self, line: Line, data: Mapping[str, Any]) -> None:
        """An error that names no command answers a sign-in or a subscription, or says that the sign-in has ended."""
        code = str(data.get("code"))
        known = f"ACCESS_{code}" if code in EXPIRY_CODES else code
        error = ScoreboardError(known, str(data.get("message", "")))
        answers_sign_in = "channel" not in data and AUTHENTICATE in line.awaited and code in SIGN_IN_CODES
        if code in EXPIRY_CODES or answers_sign_in:
            return self._renew(error)
        if code in AGAIN_CODES:
            return None
        first = next((name for name in line.awaited if name != AUTHENTICATE), "")
        channel = self._channels.pop(str(data.get("channel", first)), None)
        if channel is None:
            return self._on_error(error)
        channel.end(error)
        return self.forgotten(line, channel)
