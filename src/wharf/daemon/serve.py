"""The daemon's life: sockets, engine, readiness, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from wharf.api.server import ApiServer
from wharf.daemon.addresses import Address, UnixAddress
from wharf.daemon.pidfile import pidfile
from wharf.daemon.sockets import listening
from wharf.lib.version import API_VERSION, __version__

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What wharfd was told."""

    data_root: Path
    addresses: Sequence[Address]
    group: str | None
    pidfile: Path | None


OpenApi = Callable[[Path], AbstractAsyncContextManager[ApiServer]]


async def serve(options: Options, open_api: OpenApi) -> None:
    """Serve until SIGTERM or SIGINT; containers run on.

    The sockets come first, so that a client that connects while the engine starts waits instead of failing.

    Raises:
        WharfError: the engine cannot be opened, or a socket or the pid file is another's.
        OSError: a socket or the pid file cannot be made.
    """
    with ExitStack() as stack:
        if options.pidfile is not None:
            stack.enter_context(pidfile(options.pidfile))
        sockets = [stack.enter_context(listening(address, group=options.group)) for address in options.addresses]
        stopped = asyncio.Event()
        _watch_signals(stopped)
        async with open_api(options.data_root) as api:
            servers = [
                await _start(address, made, api) for address, made in zip(options.addresses, sockets, strict=True)
            ]
            _log.info("wharfd %s is ready (API %s, data root %s)", __version__, API_VERSION, options.data_root)
            await stopped.wait()
            for server in servers:
                server.close()
            _log.info("stopping: containers run on")


async def _start(address: Address, made: socket.socket, api: ApiServer) -> asyncio.Server:
    loop = asyncio.get_running_loop()
    create = loop.create_unix_server if isinstance(address, UnixAddress) else loop.create_server
    server = await create(api.protocols, sock=made)
    _log.info("listening on %s", address)
    return server


def _watch_signals(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        _log.info("received %s", number.name)
        stopped.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)  # a second one ends the process at once, which is safe at any instant

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, _log.info, "received SIGHUP: there is no configuration file to read again")
