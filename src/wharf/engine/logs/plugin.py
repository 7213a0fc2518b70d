"""A log plugin: what it is asked (docker docs, "Docker log driver plugins"), and where it finds what it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wharf.errors import WharfError
from wharf.plugins.calls import Address, call, streamed

KIND: Final = "LogDriver"
CAPABILITY: Final = "logdriver"
_STOP_S: Final = 5

Info = Mapping[str, object]
"""What a plugin is told of a container: ``logger.Info`` of moby, by its fields' names."""


@dataclass(frozen=True, slots=True)
class LogPlugin:
    """One log plugin. Its methods block."""

    name: str  # as containers name it
    address: Address
    folder: Path  # where its streams are made
    seen_as: str  # that folder, as the plugin sees it

    def start(self, stream: str, info: Info) -> None:
        """Have it read a stream.

        Raises:
            Unavailable: it does not answer.
            WharfError: it refuses, in its own words.
        """
        self._call("StartLogging", self.address, {"File": f"{self.seen_as}/{stream}", "Info": info})

    def stop(self, stream: str) -> None:
        """Have it read no more of a stream; it gets little time, for somebody waits. Raises as :meth:`start`."""
        self._call("StopLogging", replace(self.address, timeout_s=_STOP_S), {"File": f"{self.seen_as}/{stream}"})

    def reads(self) -> bool:
        """Return whether logs can be read back from it; a plugin that does not know the question cannot."""
        try:
            told = self._call("Capabilities", self.address, {})
        except WharfError:
            return False
        inner = told.get("Cap")  # moby's spelling; the documentation has the flag outside
        return (inner if isinstance(inner, dict) else told).get("ReadLogs") is True

    @contextmanager
    def read(
        self, info: Info, config: Mapping[str, object]
    ) -> Iterator[tuple[Callable[[int], bytes], Callable[[], None]]]:
        """Yield how to read a container's log as it comes, and how to end that from another thread."""
        asked = {"Info": info, "Config": config}
        with streamed(self._what, self.address, f"/{KIND}.ReadLogs", asked) as reading:
            yield reading

    @property
    def _what(self) -> str:
        return f"log plugin {self.name}"

    def _call(self, method: str, address: Address, document: Mapping[str, object]) -> dict[str, Any]:
        return call(self._what, address, f"/{KIND}.{method}", document)
