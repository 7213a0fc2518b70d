"""Health checks: what is asked for, and what a probe's result means (Dockerfile reference, "HEALTHCHECK"). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from wharf.spec.engine_api.container import ContainerConfig, HealthConfig

Status = Literal["starting", "healthy", "unhealthy"]

INTERVAL_NS: Final = 30_000_000_000
TIMEOUT_NS: Final = 30_000_000_000
START_INTERVAL_NS: Final = 5_000_000_000
RETRIES: Final = 3
KEPT_RESULTS: Final = 5
KEPT_OUTPUT_BYTES: Final = 4096
HEALTHY, COULD_NOT_RUN = 0, -1
_SHELL: Final = ("/bin/sh", "-c")


@dataclass(frozen=True, slots=True)
class Check:
    """A check with nothing left out; times in nanoseconds."""

    command: tuple[str, ...]
    interval_ns: int = INTERVAL_NS
    timeout_ns: int = TIMEOUT_NS
    start_period_ns: int = 0
    start_interval_ns: int = START_INTERVAL_NS
    retries: int = RETRIES

    def pause_ns(self, health: Health, since_start_ns: int) -> int:
        """Return how long to wait before the next probe."""
        if health.status == "starting" and since_start_ns < self.start_period_ns:
            return self.start_interval_ns
        return self.interval_ns


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one probe; times RFC 3339."""

    start: str
    end: str
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Health:
    """How a container is; replaced as a whole."""

    status: Status = "starting"
    failing_streak: int = 0
    log: tuple[Result, ...] = ()  # the last ones, oldest first

    def begun(self) -> Health:
        """Return the health of a container that has just started: its past results stay."""
        return replace(self, status="starting", failing_streak=0)

    def after(self, result: Result, check: Check, since_start_ns: int) -> Health:
        """Return the health after one more result of a probe that began so long after the start."""
        log = (*self.log, result)[-KEPT_RESULTS:]
        if result.exit_code == HEALTHY:
            return Health("healthy", 0, log)
        if self.status == "starting" and since_start_ns < check.start_period_ns:
            return replace(self, log=log)
        streak = self.failing_streak + 1
        return Health("unhealthy" if streak >= check.retries else self.status, streak, log)

    def ended(self) -> Health:
        """Return the health of a container that runs no more: not healthy, as Docker says it."""
        return replace(self, status="unhealthy")


def check_of(config: ContainerConfig) -> Check | None:
    """Return the check that a container asks for, or None."""
    asked = config.get("Healthcheck") or {}
    test = asked.get("Test") or []
    match test[:1]:
        case ["CMD"] if len(test) > 1:
            command = tuple(test[1:])
        case ["CMD-SHELL"] if len(test) > 1:
            command = (*(config.get("Shell") or _SHELL), test[1])
        case _:
            return None
    return Check(
        command,
        asked.get("Interval") or INTERVAL_NS,
        asked.get("Timeout") or TIMEOUT_NS,
        asked.get("StartPeriod") or 0,
        asked.get("StartInterval") or START_INTERVAL_NS,
        asked.get("Retries") or RETRIES,
    )


def merge(own: HealthConfig | None, image: HealthConfig | None) -> HealthConfig | None:
    """Return a container's check, completed from the image's."""
    if not own or not image:
        found = own or image
        return cast("HealthConfig", {k: v for k, v in found.items() if k != "Test" or v}) if found else found
    filled = {key: value for key, value in own.items() if value}
    return cast("HealthConfig", {**image, **filled})


def text(output: bytes) -> str:
    """Return a probe's output as it is kept: its beginning."""
    if len(output) <= KEPT_OUTPUT_BYTES:
        return output.decode(errors="replace")
    return output[:KEPT_OUTPUT_BYTES].decode(errors="replace") + "..."
