from __future__ import annotations

import json

import pytest
from tests.fakes.links import links
from tests.root.engine.buildkit.conftest import BRIDGE, Client, Run, connected

import wharf
from wharf.rpc.channel import Channel
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit import gateway_pb2 as gateway


async def spoken(answer: gateway.ReturnRequest) -> bytes:
    """Return what a frontend writes that asks for nothing and returns at once."""
    near, _ = links()
    call = Channel(near).open(f"{BRIDGE}Return")
    await call.send(answer.SerializeToString())
    await call.finish()
    return bytes(near.sent)


async def frontend(client: Client, script: str, said: bytes = b"", *, label: str = "") -> None:
    """Make an image ``front`` that runs a script, which may write ``/said``."""
    client.fake.folders["context"] = {"said": said}
    entry = json.dumps(["sh", "-c", script])
    request = client.request(f"FROM busybox\nCOPY said /said\n{label}ENTRYPOINT {entry}\nCMD []\n")
    request.Exporters[0].Attrs["name"] = "front"
    await client.solve(request)


def by_image(client: Client, **attributes: str) -> pb.SolveRequest:
    request = client.request("", source="front", **attributes)
    request.Frontend = "gateway.v0"
    return request


def result(**config: object) -> gateway.ReturnRequest:
    document = {"architecture": "amd64", "os": "linux", "config": config}
    answer = gateway.ReturnRequest()
    answer.result.ref.id = ""
    answer.result.metadata["containerimage.config"] = json.dumps(document).encode()
    return answer


def test_what_a_frontend_returns_is_the_image(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await frontend(client, "cat /said; cat > /dev/null", await spoken(result(Labels={"by": "front"})))
            await client.solve(by_image(client))
            assert (await engine.images.inspect("made"))["Config"]["Labels"] == {"by": "front"}

    builds(body)


def test_a_file_may_ask_for_its_frontend(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await frontend(client, "cat /said; cat > /dev/null", await spoken(result(Labels={"by": "syntax"})))
            await client.solve(client.request("# syntax=front more words\nanything at all\n"))
            assert (await engine.images.inspect("made"))["Config"]["Labels"] == {"by": "syntax"}

    builds(body)


def test_an_error_that_a_frontend_returns_ends_the_build(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            failure = gateway.ReturnRequest()
            failure.error.code, failure.error.message = 2, "I will not"
            await frontend(client, "cat /said; cat > /dev/null", await spoken(failure))
            with pytest.raises(CallFailed, match="I will not"):
                await client.solve(by_image(client))

    builds(body)


def test_a_frontend_that_dies_is_told_of_with_its_last_words_and_was_told_its_options(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            label = "LABEL moby.buildkit.frontend.network.none=true\n"
            script = "env | grep BUILDKIT_ | sort >&2; ls /sys/class/net >&2; exit 7"
            await frontend(client, script, label=label)
            with pytest.raises(CallFailed) as caught:
                await client.solve(by_image(client, filename="x.file"))
            said = str(caught.value)
            assert "the frontend docker.io/library/front:latest ended without a result, exit code: 7" in said
            assert "BUILDKIT_FRONTEND_OPT_0=filename=x.file\nBUILDKIT_FRONTEND_OPT_1=source=front\n" in said
            assert f"BUILDKIT_SESSION_ID={client.session}" in said
            assert said.endswith("\nlo")

    builds(body)


def test_a_frontend_that_speaks_another_language_is_ended(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await frontend(client, "yes hello | head -c 100000; exec sleep 1000")
            with pytest.raises(CallFailed, match="does not speak the gateway's protocol"):
                await client.solve(by_image(client))

    builds(body)


def test_an_image_without_a_program_is_no_frontend(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM scratch\nLABEL a=b\n")
            request.Exporters[0].Attrs["name"] = "front"
            await client.solve(request)
            with pytest.raises(CallFailed, match="is no frontend: it names no program"):
                await client.solve(by_image(client))

    builds(body)
