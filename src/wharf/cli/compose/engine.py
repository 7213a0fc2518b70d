"""The engine of a session, for several threads."""

from __future__ import annotations

from wharf.cli.command import Session
from wharf.client.client import Client
from wharf.compose.execute.engine import Engine


def engine_of(session: Session) -> Engine:
    """Return the session's engine; the default one is started where it does not run."""
    version = session.client.version
    return Engine(lambda: Client(session.host, version=version, tls=session.tls))
