"""The one port: accepts, reads the head within bounds, and hands each connection to who speaks its language.

`FrontDoor` stands here and not in a library's accept loop, because what one client sends must cost only that client.
"""

from scoreboard.door.front_door import FrontDoor, Handler
from scoreboard.door.handler import HypercornHandler, load_config
from scoreboard.door.head import RequestHead
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import DoorObserver, Drop, Journal
from scoreboard.door.proxies import Proxies
from scoreboard.door.rounds import Rounds

__all__ = [
    "DoorLimits",
    "DoorObserver",
    "Drop",
    "FrontDoor",
    "Handler",
    "HypercornHandler",
    "Journal",
    "Proxies",
    "RequestHead",
    "Rounds",
    "load_config",
]
