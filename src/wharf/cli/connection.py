"""A client of the engine that was asked for; the default engine is started when it does not run."""

from __future__ import annotations

from wharf.client.address import TlsFiles
from wharf.client.client import Client
from wharf.client.errors import EngineUnreachable

_ENOENT, _ECONNREFUSED = 2, 111


def connect(host: str, *, may_start: bool, version: str = "", tls: TlsFiles | None = None) -> Client:
    """Return a client that has reached its engine.

    Args:
        host: The engine's address.
        may_start: Whether an engine may be started there when none listens.
        version: The API version to speak; empty to negotiate.
        tls: How to speak TLS on tcp://; None for not at all.

    Raises:
        EngineUnreachable: nothing listens, and nothing may or could be started.
    """
    client = Client(host, version=version, tls=tls)
    try:
        client.ping() if version else client.version
    except EngineUnreachable as error:
        code = error.__cause__.errno if isinstance(error.__cause__, OSError) else 0
        if not may_start or code not in {_ENOENT, _ECONNREFUSED}:
            raise EngineUnreachable(f"{error}. Is the engine (wharfd) running?") from error
        from wharf.cli.autostart import start_engine  # noqa: PLC0415  # only where none runs

        start_engine(client)
    return client
