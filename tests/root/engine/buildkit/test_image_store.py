from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import pytest
from tests.root.engine.buildkit.conftest import Client, Run, connected
from tests.root.registry import PROGRAM, registry

import wharf
from wharf.errors import NotFound
from wharf.images.registry.credentials import ANONYMOUS
from wharf.rpc.call import Call
from wharf.rpc.methods import unary
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit.auth_pb2 import CredentialsRequest, CredentialsResponse
from wharf.spec.buildkit.control_pb2 import SolveRequest


def test_an_image_has_all_its_names_and_none_is_needed(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN true\n")
            request.Exporters[0].Attrs["name"] = "one,two:3"
            response = await client.solve(request)
            assert response["image.name"] == "docker.io/library/one:latest,docker.io/library/two:3"
            assert (await engine.images.inspect("two:3"))["Id"] == response["containerimage.digest"]

            request = client.request("FROM busybox\nRUN echo nameless\n")
            request.Exporters[0].Attrs.clear()
            response = await client.solve(request)
            assert (await engine.images.inspect(response["containerimage.digest"]))["RepoTags"] == []

    builds(body)


def test_without_exporters_a_build_is_done_and_makes_no_image(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo done\n")
            del request.Exporters[:]
            assert await client.solve(request) == {}
            with pytest.raises(NotFound):
                await engine.images.inspect("made")
            assert (await client.build("FROM busybox\nRUN echo done\n"))[1].cached()[-1].endswith("RUN echo done")

    builds(body)


def test_what_the_store_cannot_do_is_refused_before_anything_is_done(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            for name, value, said in (
                ("hologram", "true", "option hologram"),
                ("compression", "lz4", "unsupported layer compression type lz4"),
                ("name", "a@sha256:" + "0" * 64, "digest reference"),
            ):
                request = client.request("FROM busybox\nRUN exit 1\n")
                request.Exporters[0].Attrs[name] = value
                with pytest.raises(CallFailed, match=said):
                    await client.solve(request)

    builds(body)


def test_layers_can_be_kept_so_that_their_files_can_be_fetched_one_by_one(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo hi > /f\n")
            request.Exporters[0].Attrs.update({"compression": "estargz", "force-compression": "true"})
            await client.solve(request)
            await client.solve(request)
            record = engine.builds._context.images.resolve("made")
            notes = [one["annotations"] for one in record.manifest["layers"]]
            assert all(note["containerd.io/snapshot/stargz/toc.digest"].startswith("sha256:") for note in notes)
            container = await engine.containers.create({"Image": "made", "Cmd": ["cat", "/f"]})
            await engine.containers.start(container["Id"])
            assert (await (await engine.containers.wait(container["Id"])))["StatusCode"] == 0
            await engine.containers.remove(container["Id"])

    builds(body)


CROSS = """FROM --platform=$BUILDPLATFORM busybox AS one
ARG TARGETARCH
RUN echo $TARGETARCH > /for
FROM scratch
COPY --from=one /for /for
"""


def test_one_image_is_for_several_platforms(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request(CROSS, platform="linux/amd64,linux/arm64")
            request.Exporters[0].Attrs.update({"annotation-index.k": "v", "annotation-manifest[linux/arm64].m": "n"})
            response = await client.solve(request)
            descriptor = json.loads(base64.b64decode(response["containerimage.descriptor"]))
            assert descriptor["digest"] == response["containerimage.digest"]
            images = engine.builds._context.images
            arm = images.resolve("made", "linux/arm64")
            assert (arm.config["architecture"], arm.manifest["annotations"]) == ("arm64", {"m": "n"})
            assert images.resolve("made", "linux/amd64").config["architecture"] == "amd64"

    builds(body)


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
def test_images_are_pushed_by_their_digest_and_without_being_kept(builds: Run, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        with registry(tmp_path / "registry") as host:
            async with connected(engine) as client:
                ways = {f"{host}/digest": {"push-by-digest": "true"}, f"{host}/tag:1": {"store": "false"}}
                for name, more in ways.items():
                    request = client.request(CROSS, platform="linux/amd64,linux/arm64")
                    request.Exporters[0].Attrs.update({"name": name, "push": "true", "compression": "zstd", **more})
                    response = await client.solve(request)
                    with pytest.raises(NotFound):
                        await engine.images.inspect(name)
                    where = f"{name}@{response['containerimage.digest']}" if "digest" in name else name
                    found = await engine.builds._context.images.transfers.distribution(where, credentials=ANONYMOUS)
                    assert len(found["Platforms"]) == 2
                with pytest.raises(NotFound):
                    await engine.builds._context.images.transfers.distribution(
                        f"{host}/digest", credentials=ANONYMOUS
                    )
            assert [image["RepoTags"] for image in await engine.images.list()] == [["busybox:latest"]]

    builds(body)


HTPASSWD = "me:$2b$04$4WUHZpzOx9ivgT.QbWQ4fu57yBrpOfdqpMNd8xlmpKSlfQGmW.X2C\n"  # secret


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
def test_a_registry_is_shown_who_the_client_is(builds: Run, tmp_path: Path) -> None:
    asked: list[str] = []

    async def credentials(request: CredentialsRequest, call: Call) -> CredentialsResponse:
        asked.append(request.Host)
        return CredentialsResponse(Username="me", Secret="secret")  # of the test

    async def body(engine: wharf.Engine) -> None:
        (tmp_path / "htpasswd").write_text(HTPASSWD)
        guard = {"htpasswd": {"realm": "ours", "path": str(tmp_path / "htpasswd")}}
        with registry(tmp_path / "registry", auth=guard) as host:
            auth = {"/moby.filesync.v1.Auth/Credentials": unary(CredentialsRequest, credentials)}
            async with connected(engine) as stranger:
                with pytest.raises(CallFailed, match=r"401|no basic auth|authentication required"):
                    await stranger.solve(_pushed(stranger, f"{host}/a:1", "FROM busybox\nRUN true\n"))
            async with connected(engine, more=auth) as client:
                await client.solve(_pushed(client, f"{host}/a:1", "FROM busybox\nRUN true\n"))
                await engine.images.remove(f"{host}/a:1")
                await client.solve(_pushed(client, f"{host}/b:1", f"FROM {host}/a:1\nRUN true\n"))
            assert set(asked) == {host}

    builds(body)


def _pushed(client: Client, name: str, text: str) -> SolveRequest:
    request = client.request(text)
    request.Exporters[0].Attrs.update({"name": name, "push": "true"})
    return request
