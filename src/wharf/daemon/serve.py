"""The daemon's life: sockets, engine, readiness, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wharf.api.connection import ConnectionFactory
from wharf.daemon.activation import adopt, notify
from wharf.daemon.addresses import Address, InheritedAddress, TcpAddress
from wharf.daemon.memory import give_back_regularly
from wharf.daemon.pidfile import pidfile
from wharf.daemon.sockets import BACKLOG, listening
from wharf.daemon.tls_server import TlsServer
from wharf.engine.options import EngineOptions
from wharf.lib.version import API_VERSION, __version__

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """What wharfd was told, as far as it cannot change while it runs."""

    data_root: Path
    addresses: Sequence[Address]
    group: str | None = None
    pidfile: Path | None = None
    exec_root: Path | None = None
    tls: ssl.SSLContext | None = None
    metrics: TcpAddress | None = None
    engine: EngineOptions = EngineOptions()  # noqa: RUF009  # frozen


class Running(Protocol):
    """An engine with its front, while it runs."""

    @property
    def protocols(self) -> ConnectionFactory:
        """Makes the protocol of each connection to the API."""

    @property
    def metrics(self) -> ConnectionFactory:
        """Makes the protocol of each connection of Prometheus."""

    async def reload(self, options: EngineOptions, attributes: Mapping[str, str]) -> None:
        """Give the engine other options; ``attributes`` tell what is new."""


Open = Callable[[Options], AbstractAsyncContextManager[Running]]
Reload = Callable[[Running], Awaitable[None]]
"""Reads the configuration again and gives it to what runs."""


async def serve(options: Options, open_api: Open, reload: Reload) -> None:
    """Serve until SIGTERM or SIGINT; containers run on.

    The sockets come first, so that a client that connects while the engine starts waits instead of failing.

    Raises:
        WharfError: the engine cannot be opened, or a socket or the pid file is another's.
        OSError: a socket or the pid file cannot be made.
    """
    with ExitStack() as stack:
        if options.pidfile is not None:
            stack.enter_context(pidfile(options.pidfile))
        listeners = [(address, made) for address in options.addresses for made in _open(address, options, stack)]
        metrics = None if options.metrics is None else stack.enter_context(listening(options.metrics, group=None))
        stopped = asyncio.Event()
        _watch_signals(stopped)
        async with open_api(options) as running:
            told = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
            reloading = asyncio.create_task(_reload_when(told, reload, running))
            servers = [await _start(address, made, running.protocols, options.tls) for address, made in listeners]
            if metrics is not None and options.metrics is not None:
                servers.append(await _start(options.metrics, metrics, running.metrics, None))
            _log.info("wharfd %s is ready (API %s, data root %s)", __version__, API_VERSION, options.data_root)
            notify("READY=1")
            giving_back = asyncio.create_task(give_back_regularly())
            await stopped.wait()
            giving_back.cancel()
            reloading.cancel()
            notify("STOPPING=1")
            for server in servers:
                server.close()
            _log.info("stopping: containers run on")


async def _reload_when(told: asyncio.Event, reload: Reload, running: Running) -> None:
    """Read the configuration again for each SIGHUP, one after the other; what comes meanwhile counts once."""
    while await told.wait():
        told.clear()
        await reload(running)


def _open(address: Address, options: Options, stack: ExitStack) -> list[socket.socket]:
    if isinstance(address, InheritedAddress):
        return [stack.enter_context(made) for made in adopt(address.which)]
    return [stack.enter_context(listening(address, group=options.group))]


async def _start(
    address: Address, made: socket.socket, protocols: ConnectionFactory, tls: ssl.SSLContext | None
) -> asyncio.Server | TlsServer:
    loop = asyncio.get_running_loop()
    if made.family == socket.AF_UNIX:
        _log.info("listening on %s", address)
        return await loop.create_unix_server(protocols, sock=made, backlog=BACKLOG)
    if tls is None:
        _log.info("listening on %s", address)
        return await loop.create_server(protocols, sock=made, backlog=BACKLOG)
    _log.info("listening on %s (TLS)", address)
    return TlsServer(made, tls, protocols)


def _watch_signals(stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        _log.info("received %s", number.name)
        stopped.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)  # a second one ends the process at once, which is safe at any instant

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    # Until there is an engine to tell: the configuration was read this instant.
    loop.add_signal_handler(signal.SIGHUP, _log.info, "received SIGHUP while starting: nothing to read again yet")
