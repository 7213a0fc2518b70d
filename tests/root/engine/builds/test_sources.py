from __future__ import annotations

import asyncio
import http.server
import os
import tarfile
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
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


class _Undated(http.server.SimpleHTTPRequestHandler):
    """Says of archives no time."""

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Last-Modified" or not self.path.endswith(".tar"):
            super().send_header(keyword, value)

    def log_message(self, *_: object) -> None:
        pass


def test_a_remote_context_is_of_the_time_that_the_server_says_or_of_its_newest_file(
    builds: Run, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "alone").write_text("FROM scratch\n")
    os.utime(served / "alone", (1234, 1234))
    with tarfile.open(served / "c.tar", "w") as tar:
        for name, kind, time_s in (
            ("Dockerfile", tarfile.REGTYPE, 77),
            ("f", tarfile.REGTYPE, 88),
            ("d", tarfile.DIRTYPE, 99),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mtime = kind, time_s
            tar.addfile(entry)

    async def body(engine: wharf.Engine) -> None:
        sources = Sources(engine.builds._context, tmp_path, Received(tmp_path))
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Undated, directory=str(served))) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}"
            times = [await sources.receive_remote(f"{address}/{one}", tmp_path / one) for one in ("alone", "c.tar")]
            server.shutdown()
        assert times == [1234, 88]

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
    kept, plain = (repository_of("https://h/r.git#main", keep_git=one, commit_times=one) for one in (True, False))

    assert kept is not None
    assert plain is not None
    assert (kept.attribute("git.keepgitdir"), plain.attribute("git.keepgitdir")) == ("true", "")
    assert (kept.attribute("git.mtime"), plain.attribute("git.mtime")) == ("commit", "")
    assert repository_of("https://h/c.tar.gz", keep_git=True) is None
