"""Whether, and when, a container that ended starts again. Pure."""

from __future__ import annotations

from typing import Final

from wharf.spec.engine_api.container import RestartPolicy

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 60.0
STEADY_S: Final = 10.0
"""A container that ran this long has settled: the delay starts over (docs, "Start containers automatically")."""


def restarts_unhealthy(policy: RestartPolicy, *, restart_count: int) -> bool:
    """Return whether the policy restarts a container that has become unhealthy."""
    most = policy.get("MaximumRetryCount") or 0
    return policy.get("Name") == "unhealthy" and (most == 0 or restart_count < most)


def wants_restart(
    policy: RestartPolicy, *, exit_code: int, restart_count: int, stopped_by_user: bool, ailing: bool = False
) -> bool:
    """Return whether the policy restarts a container that has just ended.

    ``ailing``: it was ended because it was unhealthy. Its exit code then says nothing.
    """
    match policy.get("Name") or "no":
        case "always" | "unless-stopped":
            return not stopped_by_user
        case "on-failure" | "unhealthy":
            most = policy.get("MaximumRetryCount") or 0
            return not stopped_by_user and (exit_code != 0 or ailing) and (most == 0 or restart_count < most)
        case _:
            return False


def wants_start_with_engine(policy: RestartPolicy, *, was_alive: bool, stopped_by_user: bool) -> bool:
    """Return whether a container without a process is started when the engine starts."""
    match policy.get("Name") or "no":
        case "always":
            return was_alive or stopped_by_user
        case "unless-stopped":
            return was_alive and not stopped_by_user
        case "on-failure" | "unhealthy":
            return was_alive
        case _:
            return False


def next_delay_s(previous_s: float, *, ran_s: float) -> float:
    """Return how long to wait: twice the last delay, from the beginning when the container had settled."""
    if previous_s == 0 or ran_s >= STEADY_S:
        return FIRST_DELAY_S
    return min(previous_s * 2, LONGEST_DELAY_S)
