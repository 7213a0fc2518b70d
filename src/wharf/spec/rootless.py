"""What a rootless engine's launcher writes down of the world it has made (``<run root>/rootless/world.json``)."""

from typing import Literal, TypedDict


class World(TypedDict):
    """The namespaces of one user's engines, and what they have and lack."""

    pid: int
    """The holder: the process that keeps the namespaces."""
    uid: int
    """The user outside."""
    ids: Literal["subordinate", "single"]
    network: Literal["pasta", "slirp4netns", "none"]
    network_pid: int
    """The process that carries its packets; 0 without one."""
    lowest_port: int
    """The lowest port that a plain user may listen on."""
    cgroup_v2: str
    """Folder of the delegated unified group, as seen outside; "" when none is delegated."""
    cgroups: list[str]
    """Controllers that are delegated."""
    lacks: list[str]
    """What was wanted and is not there, each with its reason, for people."""
