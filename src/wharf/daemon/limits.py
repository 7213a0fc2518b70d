"""The daemon's own limits: each client and each container costs it descriptors (getrlimit(2), RLIMIT_NOFILE)."""

from __future__ import annotations

import resource


def raise_open_files() -> int:
    """Let this process open as many files as it may be let; return how many it could, which containers begin with.

    As Go's programs do, dockerd for one: the soft limit is low for those that call select(2), and this does not. An
    engine inside another program leaves that program's limits alone.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft
