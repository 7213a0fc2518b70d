from __future__ import annotations

import io
import json
import tarfile

import pytest
from tests.root.engine.buildkit.conftest import Client, Run, connected

import wharf
from wharf.build.session.filesend import METHOD
from wharf.rpc.call import Call
from wharf.rpc.methods import decoded
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.buildkit.filesync_pb2 import BytesMessage

TEXT = "FROM scratch\nCOPY <<X /d/file\nhi\nX\n"


class Taker:
    """A client's end of an exporter: keeps what comes."""

    def __init__(self) -> None:
        self.data = b""

    async def take(self, call: Call) -> None:
        async for message in call.messages():
            self.data += decoded(BytesMessage, message).data


async def export(client: Client, kind: str, **attributes: str) -> dict[str, str]:
    request = client.request(TEXT)
    del request.Exporters[:]
    request.Exporters.append(pb.Exporter(Type=kind, Attrs=attributes))
    return await client.solve(request)


def test_results_reach_the_client_as_archives(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        taker = Taker()
        async with connected(engine, more={METHOD: taker.take}) as client:
            await export(client, "tar")
            with tarfile.open(fileobj=io.BytesIO(taker.data)) as tar:
                assert tar.getnames() == ["d", "d/file"]
            for kind in ("oci", "docker"):
                taker.data = b""
                response = await export(client, kind, name="x/y:1")
                with tarfile.open(fileobj=io.BytesIO(taker.data)) as tar:
                    index = json.load(tar.extractfile("index.json") or io.BytesIO())
                    docker = json.load(tar.extractfile("manifest.json") or io.BytesIO())
                assert index["manifests"][0]["digest"] == response["containerimage.digest"]
                assert docker[0]["RepoTags"] == ["x/y:1"]
            names = [image["RepoTags"] for image in await engine.images.list(all=True)]
            assert all("x/y:1" not in (one or []) for one in names)
            assert len(names) == 1

    builds(body)


CROSS = """FROM busybox AS one
ARG TARGETARCH
RUN mkdir /d && echo $TARGETARCH > /d/$TARGETARCH && touch /d/$NAME
FROM scratch
COPY --from=one /d /d
"""


def test_several_platforms_share_one_archive_where_no_file_is_in_both(builds: Run) -> None:
    text = CROSS.replace("FROM busybox", "FROM --platform=$BUILDPLATFORM busybox")

    async def body(engine: wharf.Engine) -> None:
        taker = Taker()

        async def exported(text: str) -> None:
            taker.data = b""
            request = client.request(text, platform="linux/arm64,linux/amd64")
            del request.Exporters[:]
            request.Exporters.append(pb.Exporter(Type="tar", Attrs={"platform-split": "false"}))
            await client.solve(request)

        async with connected(engine, more={METHOD: taker.take}) as client:
            await exported(text.replace("$NAME", "$TARGETARCH"))
            with tarfile.open(fileobj=io.BytesIO(taker.data)) as tar:
                assert tar.getnames() == ["d", "d/amd64", "d/arm64"]
            with pytest.raises(CallFailed, match="cannot overwrite d/same from linux_amd64 with linux_arm64"):
                await exported(text.replace("$NAME", "same"))
            assert taker.data == b""

    builds(body)


def test_what_the_client_cannot_take_or_is_not_supported_is_refused_by_name(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(CallFailed, match="FileSend/DiffCopy not supported by the client"):
                await export(client, "tar")
            for kind, name, value in (
                ("local", "hologram", "1"),
                ("oci", "push", "true"),
            ):
                with pytest.raises(CallFailed, match=f"{name}.*not supported"):
                    await export(client, kind, **{name: value})
            with pytest.raises(CallFailed, match='invalid local exporter mode "move"'):
                await export(client, "local", mode="move")
            with pytest.raises(CallFailed, match="FileSend/DiffCopy not supported by the client"):
                await export(client, "local", mode="delete")

    builds(body)
