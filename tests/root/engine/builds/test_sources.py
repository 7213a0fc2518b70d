from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.builds import HOST
from tests.root.engine.builds.conftest import Body

import wharf
from wharf.build.convert.options import ImageName, Options
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Vertex
from wharf.build.operations.results import Folder, Layers, Result
from wharf.engine.builds.sources import Received, Sources, repository_of
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere

Run = Callable[[Body], None]


def test_sources_are_images_and_what_a_client_sent(builds: Run, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        context = engine.builds._context
        sources = Sources(context, tmp_path, Received(tmp_path))

        async def fetch(identifier: str) -> Result:
            source = Source(identifier)
            return await sources.fetch(Vertex(source), source)

        chain = context.images.resolve("busybox").chain_id
        assert await fetch("docker-image://docker.io/library/busybox:latest") == Layers(chain)
        assert await fetch("local://context") == Folder(tmp_path)
        with pytest.raises(NotFound):
            await fetch("local://other")
        with pytest.raises(NotImplementedHere, match="kind oci-layout"):
            await fetch("oci-layout://x")
        with pytest.raises(InvalidArgument, match="could not be recognized as URL"):
            await sources.receive_remote("ftp://x", tmp_path / "c")

    builds(body)


def test_an_image_that_is_built_on_stays(builds: Run, tmp_path: Path) -> None:
    async def body(engine: wharf.Engine) -> None:
        context = engine.builds._context
        sources = Sources(context, tmp_path, Received(tmp_path))
        name = ImageName("docker.io/library/busybox:latest", HOST)
        with ExitStack() as held:
            base = await sources.base_image(name, Options(HOST, HOST), held)
            chain = context.images.resolve("busybox").chain_id
            await asyncio.wait_for(engine.images.remove("busybox"), 60)
            assert context.snapshots.exists(chain)
        assert base.digest.startswith("sha256:")
        with pytest.raises(NotFound, match="No such image: busybox:latest"):
            await sources.base_image(name, Options(HOST, HOST, resolve_mode="pull"), ExitStack())

    builds(body)


def test_a_repository_comes_with_its_history_when_the_build_says_so() -> None:
    kept, plain = (repository_of("https://h/r.git#main", keep_git=keep) for keep in (True, False))

    assert kept is not None
    assert plain is not None
    assert (kept.attribute("git.keepgitdir"), plain.attribute("git.keepgitdir")) == ("true", "")
    assert repository_of("https://h/c.tar.gz", keep_git=True) is None
