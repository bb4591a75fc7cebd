"""What this room refuses. Each text may be shown to whoever asked, unless its class says otherwise."""

from __future__ import annotations


class SecurityError(Exception):
    """Root of what this room raises."""


class PrivateFileRefused(SecurityError):
    """A file or folder of what is private cannot be used. The sentence names it and is for the operator only."""


class KeysOfAnother(SecurityError):
    """The folder of keys is not that of the database. The sentence says what to do and is for the operator only."""


class TokenRefused(SecurityError):
    """The access token is no proof of anything; `code` is what a client may act on.

    These are not the codes of action tokens: a client that sees one must know which of its two tokens is meant.
    """

    code = "ACCESS_TOKEN_INVALID"


class TokenExpired(TokenRefused):
    """It was ours once; a new one is needed."""

    code = "ACCESS_TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The access token has expired")


class TokenRevoked(TokenRefused):
    """It is ours and in time, but its session has been ended."""

    code = "ACCESS_TOKEN_REVOKED"

    def __init__(self) -> None:
        super().__init__("The session of this access token has ended")


class TokenInvalid(TokenRefused):
    """It was not made by us, or was changed. `reason` is for the log; the sender is told nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__("The access token is not valid")
        self.reason = reason


class WrongKind(TokenRefused):
    """It is good, but not for this: a player's token where a service's is needed, or the other way round."""

    code = "FORBIDDEN"


class TicketRefused(SecurityError):
    """The ticket lets nobody in; a new one is needed."""


class ServiceRefused(SecurityError):
    """The service cannot be made; the sentence says why."""


class NameRefused(SecurityError):
    """A user name or an e-mail address breaks a rule, which the sentence says. `field` names what it was."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class PasswordRefused(SecurityError):
    """A password that cannot be hashed; the sentence says why and never holds the password."""


class HashingBusy(SecurityError):
    """Too many passwords wait to be hashed; nothing was checked. Ask again after `retry_after_s`."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too many sign-ins at once, please try again in a moment")
        self.retry_after_s = retry_after_s
