"""rewrite-timestamp: the same context, built twice on data roots that know nothing of each other, is the same."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.buildkit_client import FakeClient
from tests.root.engine.buildkit.conftest import Client, Run, connected
from tests.root.engine.buildkit.test_to_client import Taker

import wharf
from wharf.build.session.filesend import METHOD
from wharf.spec.buildkit import control_pb2 as pb

EPOCH = 1_700_000_000
TEXT = (
    "FROM busybox\nWORKDIR /w\nCOPY f /f\n"
    "RUN mkdir -p d/e; echo run > d/e/f; ln d/e/f d/link; ln -s f d/e/s; mkfifo p; touch -t 200101010101 old; rm /f\n"
)


async def build(client: Client, kind: str, **attributes: str) -> dict[str, str]:
    client.fake.folders["context"] = {"f": b"x"}
    request = client.request(TEXT)
    request.FrontendAttrs["build-arg:SOURCE_DATE_EPOCH"] = str(EPOCH)
    del request.Exporters[:]
    request.Exporters.append(pb.Exporter(Type=kind, Attrs=attributes))
    return await client.solve(request)


def layers(archive: bytes) -> Iterator[tarfile.TarInfo]:
    """Everything in the layers that are no base image's."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        manifest = json.load(tar.extractfile("manifest.json") or io.BytesIO())[0]
        config = json.load(tar.extractfile(manifest["Config"]) or io.BytesIO())
        assert {one["created"] for one in (config, *config["history"][1:])} == {"2023-11-14T22:13:20Z"}
        for name in manifest["Layers"][1:]:
            with tarfile.open(fileobj=tar.extractfile(name)) as layer:
                yield from layer.getmembers()


def test_two_engines_make_the_same_image_of_the_same_context(builds: Run, root: Path, tmp_path: Path) -> None:
    async def made(engine: wharf.Engine) -> tuple[str, str, bytes, bytes]:
        taker = Taker()
        async with connected(engine, FakeClient(), more={METHOD: taker.take}) as client:
            stored = await build(client, "image", name="made", **{"rewrite-timestamp": "true"})
            archived = await build(client, "oci", name="made", **{"rewrite-timestamp": "true"})
            archive, taker.data = taker.data, b""
            await build(client, "tar")
        assert archived["containerimage.digest"] == stored["containerimage.digest"]
        ran = await engine.run("made", ["stat", "-c", "%Y %h", "/w/d/e/f", "/w/d", "/w/old"])
        assert ran.stdout.split()[::2] == [b"1700000000", b"1700000000", b"978310860"]
        return stored["containerimage.digest"], stored["containerimage.config.digest"], archive, taker.data

    async def body(engine: wharf.Engine) -> None:
        first = await made(engine)
        async with wharf.Engine(tmp_path / "fresh") as other:
            second = await made(other)
        assert second == first
        entries = {entry.name: entry for entry in layers(first[2])}
        assert max(entry.mtime for entry in entries.values()) == EPOCH
        assert entries["w/old"].mtime < EPOCH
        assert (entries["w/d/link"].islnk(), entries["w/d/e/s"].issym(), entries["w/p"].isfifo()) == (
            True,
            True,
            True,
        )
        assert ".wh.f" in entries
        with tarfile.open(fileobj=io.BytesIO(first[3])) as tree:
            assert {entry.mtime for entry in tree.getmembers()} == {EPOCH}

    subprocess.run(["cp", "-a", root, tmp_path / "fresh"], check=True)
    builds(body)


def test_without_an_epoch_times_stay_and_the_user_is_told(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            request = client.request("FROM busybox\nRUN echo > /f\n")
            request.Exporters[0].Attrs["rewrite-timestamp"] = "true"
            following = asyncio.ensure_future(client.follow(request.Ref))
            await client.solve(request)
            assert (await following).warnings == [
                "rewrite-timestamp is specified, but no source-date-epoch was found"
            ]

    builds(body)
