"""Who a build's client is to a registry (BuildKit, session/auth)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from wharf.build.session.sessions import Session
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.lib.reference import DEFAULT_DOMAIN, HUB_HOST
from wharf.rpc import status
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.auth_pb2 import CredentialsRequest, CredentialsResponse

METHOD: Final = "/moby.filesync.v1.Auth/Credentials"


async def credentials(session: Callable[[], Awaitable[Session]], domain: str) -> Credentials:
    """Ask the client for its name and password at a registry; anonymous when it has none, or lends none.

    Raises:
        CallFailed: the client fails.
    """
    asked = await session()
    if not asked.serves(METHOD):
        return ANONYMOUS
    request = CredentialsRequest(Host=HUB_HOST if domain == DEFAULT_DOMAIN else domain)
    try:
        answer = await asked.channel.unary(METHOD, request, CredentialsResponse)
    except CallFailed as error:
        if error.code == status.UNIMPLEMENTED:
            return ANONYMOUS
        raise
    if not answer.Username:  # the secret alone is a token that stands for the user
        return Credentials(identity_token=answer.Secret) if answer.Secret else ANONYMOUS
    return Credentials(answer.Username, answer.Secret)
