"""SIGHUP: read the configuration again, and give what may change to the daemon that runs."""

from __future__ import annotations

import logging
from collections.abc import Callable

from wharf.daemon import logs
from wharf.daemon.configuration import Configuration, changes, reloaded
from wharf.daemon.serve import Running
from wharf.daemon.settings import SETTINGS
from wharf.daemon.values import shown
from wharf.errors import WharfError

_log = logging.getLogger(__name__)


class Reloading:
    """The configuration in force, and how to read it again."""

    def __init__(self, configuration: Configuration, read: Callable[[], Configuration]) -> None:
        self._configuration = configuration
        self._read = read

    async def __call__(self, running: Running) -> None:
        """Take what changed; when anything is wrong with it, nothing changes and the log says why."""
        try:
            new = self._read()
            taken, kept = changes(self._configuration, new)
            chosen = reloaded(self._configuration, new)
            await running.reload(chosen.engine_options(), attributes(chosen))
        except WharfError as error:
            _log.error("reloading the configuration failed, the old one stays: %s", error)  # one line
            return
        self._configuration = chosen
        logs.set_level(chosen.level)
        _log.info("reloaded the configuration: %s", ", ".join(taken) or "nothing has changed")
        if kept:
            _log.warning("these settings need another start: %s", ", ".join(kept))


def attributes(configuration: Configuration) -> dict[str, str]:
    """Return the settings in force that can be reloaded, as the event tells them."""
    return {
        each.name: shown(configuration.values[each.name]) for each in SETTINGS if each.name in configuration.values
    }
