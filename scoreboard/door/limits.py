"""Every bound of the door, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """How much one client, one address and all of them may take. Durations are seconds, sizes are bytes.

    Of many who come at once each is waited for a little longer than the one before (`Ends`), so that they do not all
    end at once.

    Attributes:
        connections: open at once, of all kinds; a file descriptor each.
        connections_per_address: open at once from one IPv4 address or one IPv6 /64; spectators of one school or
            one office share an address.
        head_bytes: request line and headers of any request.
        head_headers: how many headers any request may have.
        head_within_s: from accepting to the end of the first head.
        write_within_s: for a write that the client does not read.
        write_bytes_per_s: what a slow client must still read, on top of `write_within_s`.
        linger_within_s: for the client to hang up after our last word, so that it can still read it.
        linger_bytes: how much of what it goes on sending is thrown away meanwhile.
        stop_within_s: for those inside to finish once the door closes.
        probes: who come when there is no place and are heard all the same, at a time: they may ask how the server is.
        probe_within_s: for such a one to say what it wants.
        accept_pause_s: after the system had no descriptor or memory for a new connection.
    """

    connections: int = 10_000
    connections_per_address: int = 2_000
    head_bytes: int = 16 * 1024
    head_headers: int = 100
    head_within_s: float = 10.0
    write_within_s: float = 20.0
    write_bytes_per_s: int = 16 * 1024
    linger_within_s: float = 2.0
    linger_bytes: int = 1024 * 1024
    stop_within_s: float = 5.0
    probes: int = 32
    probe_within_s: float = 2.0
    accept_pause_s: float = 0.5
