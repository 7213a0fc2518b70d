"""A container's log read back from the plugin that keeps it (docker docs, "LogDriver.ReadLogs")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, suppress
from http.client import HTTPException
from typing import Final

from wharf.engine.containers.forward import driver_of
from wharf.engine.containers.record import Container
from wharf.engine.context import Context, log
from wharf.engine.logs.entries import Entry, Unpacker
from wharf.engine.logs.options import is_plugin
from wharf.engine.logs.plugin import Info, LogPlugin
from wharf.engine.logs.tail import Line
from wharf.engine.plugins.log_drivers import find
from wharf.errors import DataLoss, Unavailable, WharfError
from wharf.lib.timestamps import ZERO, rfc3339_nano
from wharf.plugins.threads import asked, own_thread

_CHUNK: Final = 1 << 16


async def reader(context: Context, container: Container) -> LogPlugin | None:
    """Return the plugin that reads a container's log back; None when what is here is to be read.

    One that does not answer does not keep anybody from the lines that are here.
    """
    driver, _ = driver_of(container)
    if not is_plugin(driver):
        return None
    try:
        plugin = await asked(find, context, driver)
    except WharfError as error:
        log.warning("the log of container %s is read from its file: %s", container.name, error)
        return None
    return plugin if await asked(plugin.reads) else None


def wanted(since_ns: int | None, until_ns: int | None, tail: int | None, *, follow: bool) -> Mapping[str, object]:
    """Return what is to be read, as a plugin is told (moby, ``logger.ReadConfig``). Pure."""
    return {
        "Since": ZERO if since_ns is None else rfc3339_nano(since_ns),
        "Until": ZERO if until_ns is None else rfc3339_nano(until_ns),
        "Tail": -1 if tail is None else tail,
        "Follow": follow,
    }


async def lines(plugin: LogPlugin, info: Info, config: Mapping[str, object]) -> AsyncIterator[Line]:
    """Yield what the plugin tells, as it comes.

    Raises:
        Unavailable: it does not answer, or breaks off.
        DataLoss: what it tells is no log.
    """
    unpacker = Unpacker()
    async with own_thread() as run:
        with ExitStack() as stack:
            read, abandon = await run(lambda: stack.enter_context(plugin.read(info, config)))
            try:
                while data := await run(lambda: read(_CHUNK)):
                    for entry in unpacker.feed(data):
                        yield _line(entry)
            except (OSError, HTTPException) as error:
                raise Unavailable(f"the log plugin {plugin.name} breaks off: {error}") from error
            finally:
                with suppress(OSError):  # it has hung up
                    abandon()
    if not unpacker.complete:
        raise DataLoss(f"the log plugin {plugin.name} ends within an entry")


def _line(entry: Entry) -> Line:
    source = "stderr" if entry.source == "stderr" else "stdout"
    text = entry.line.decode("utf-8", "surrogateescape")  # with its newline: a plugin's own to tell, as with Docker
    return {"log": text, "stream": source, "time": rfc3339_nano(entry.time_ns)}
