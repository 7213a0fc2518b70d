from __future__ import annotations

import asyncio

import pytest
from google.protobuf.message import Message
from tests.fakes.links import connected

from wharf.build.session.credentials import METHOD, credentials
from wharf.build.session.sessions import Greeting, Session, methods_of
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, unary
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.auth_pb2 import CredentialsRequest, CredentialsResponse

KNOWN = {
    "index.docker.io": CredentialsResponse(Username="u", Secret="p"),
    "own:5000": CredentialsResponse(Secret="token"),
}


async def _answer(request: CredentialsRequest, call: Call) -> Message:
    if request.Host == "broken":
        raise CallFailed(13, "the helper broke")
    return KNOWN.get(request.Host, CredentialsResponse())


def ask(domain: str, served: dict[str, Method], announced: list[str]) -> Credentials:
    async def body() -> Credentials:
        async with connected(served) as channel:

            async def session() -> Session:
                return Session(Greeting("s", methods=methods_of(announced)), channel)

            return await credentials(session, domain)

    return asyncio.run(body())


def test_a_client_is_asked_who_it_is_to_a_registry() -> None:
    served = {METHOD: unary(CredentialsRequest, _answer)}

    assert ask("docker.io", served, [METHOD]) == Credentials("u", "p")
    assert ask("own:5000", served, [METHOD]) == Credentials(identity_token="token")
    assert ask("other", served, [METHOD]) == ANONYMOUS


def test_a_client_that_lends_none_is_anybody() -> None:
    assert ask("docker.io", {}, []) == ANONYMOUS
    assert ask("docker.io", {}, [METHOD]) == ANONYMOUS


def test_a_client_that_fails_is_told_of() -> None:
    with pytest.raises(BaseExceptionGroup, match="unhandled") as caught:
        ask("broken", {METHOD: unary(CredentialsRequest, _answer)}, [METHOD])
    assert isinstance(caught.value.exceptions[0], CallFailed)
