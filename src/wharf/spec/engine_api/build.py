"""The Engine API's builds: ``POST /build`` as parameters, ``POST /build/prune``."""

from typing import TypedDict


class Ulimit(TypedDict, total=False):
    """One resource limit."""

    Name: str
    Soft: int
    Hard: int


class BuildRequest(TypedDict, total=False):
    """The query of ``POST /build``, taken apart; names are the parameters'."""

    cachefrom: list[str]
    dockerfile: str
    t: list[str]
    extrahosts: list[str]  # name:address
    remote: str
    q: bool
    nocache: bool
    pull: bool
    buildargs: dict[str, str | None]
    labels: dict[str, str]
    shmsize: int
    ulimits: list[Ulimit]
    cgroupparent: str
    memory: int
    memswap: int
    cpushares: int
    cpusetcpus: str
    cpusetmems: str
    cpuperiod: int
    cpuquota: int
    networkmode: str
    platform: str
    target: str
    squash: bool
    registry_config: str  # the X-Registry-Config header: who asks which registry
    call: str  # Wharf's own: check, outline or targets; nothing is built


class CacheRecord(TypedDict, total=False):
    """One result that is kept (definitions, BuildCache)."""

    ID: str
    Parents: list[str]
    Type: str
    Description: str
    InUse: bool
    Shared: bool
    Size: int
    CreatedAt: str
    LastUsedAt: str | None
    UsageCount: int


class BuildPruneResponse(TypedDict):
    """What ``POST /build/prune`` answers."""

    CachesDeleted: list[str]
    SpaceReclaimed: int
