"""Caches that travel: what one engine did, another does not do again; what is wrong with one is not believed."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from tests.fakes.client_store import FakeStore
from tests.root.engine.buildkit.conftest import Client, Run, Told, connected
from tests.root.registry import PROGRAM, registry

import wharf
from wharf.spec.buildkit import control_pb2 as pb
from wharf.storage.layout import DataRoot, run_root_of

TEXT = """FROM busybox AS one
RUN echo first > /r
COPY f /f
RUN cat /f > /g
FROM busybox
COPY --from=one /g /g
RUN echo last > /l
"""
STEPS = {"RUN echo first > /r", "COPY f /f", "RUN cat /f > /g", "COPY --from=one /g /g", "RUN echo last > /l"}
Body = Callable[[wharf.Engine], Awaitable[None]]


Caches = Sequence[tuple[str, dict[str, str]]]


async def build(client: Client, *, to: Caches = (), sources: Caches = ()) -> tuple[dict[str, str], Told]:
    client.fake.folders["context"] = {"f": b"content"}
    request = client.request(TEXT)
    request.Cache.Exports.extend(pb.CacheOptionsEntry(Type=kind, Attrs=attributes) for kind, attributes in to)
    if sources:
        entries = [{"Type": kind, "Attrs": attributes} for kind, attributes in sources]
        request.FrontendAttrs["cache-imports"] = json.dumps(entries)
    following = asyncio.ensure_future(client.follow(request.Ref))
    try:
        response = await client.solve(request)
    finally:
        told = await following
    return response, told


def done(told: Told) -> set[str]:
    """Return the steps that were done, and not taken from anywhere."""
    return {
        step for step in STEPS for name, vertex in told.vertices.items() if name.endswith(step) and not vertex.cached
    }


def error_of(told: Told, start: str) -> str:
    return next(vertex.error for name, vertex in told.vertices.items() if name.startswith(start))


@pytest.fixture
def elsewhere(stocked: Path, tmp_path: Path) -> Callable[[Body], None]:
    """Run a body on an engine with a root of its own, which knows nothing of the other's."""

    def run(body: Body) -> None:
        root = tmp_path / "elsewhere"
        subprocess.run(["cp", "-a", stocked, root], check=True)

        async def main() -> None:
            async with wharf.Engine(root) as engine:
                await body(engine)
                assert [*DataRoot(root).ingest.iterdir(), *(root / "content/ingest").iterdir()] == []

        try:
            asyncio.run(main())
        finally:
            shutil.rmtree(root)
            shutil.rmtree(run_root_of(root).path, ignore_errors=True)

    return run


def test_nothing_is_done_again_with_a_folder_of_another_engine(
    builds: Run, elsewhere: Callable[[Body], None], tmp_path: Path
) -> None:
    store = FakeStore(tmp_path / "stores", "min", "max")
    told: dict[str, str] = {}

    async def here(engine: wharf.Engine) -> None:
        async with connected(engine, more=store.methods()) as client:
            response, first = await build(client, to=[("local", {"dest": "max", "mode": "max"})])
            assert done(first) == STEPS
            told["max"] = json.loads(response["cache.manifest"])["digest"]
            again, second = await build(client, to=[("local", {"dest": "min", "compression": "zstd"})])
            assert done(second) == set()
            told["min"] = json.loads(again["cache.manifest"])["digest"]
            told["image"] = response["containerimage.config.digest"]
            both, _ = await build(
                client,
                to=[("local", {"dest": "max", "mode": "max"}), ("local", {"dest": "min", "compression": "zstd"})],
            )
            each = [json.loads(both[f"cache.manifest/{folder}"])["digest"] for folder in ("max", "min")]
            assert each == [told["max"], told["min"]]
            assert not [name for name in (*response, *again) if name.startswith("cache.manifest/")]

    builds(here)
    kept = {name: json.loads(store.path(name, told[name]).read_text()) for name in ("min", "max")}
    assert {name: len(one["layers"]) for name, one in kept.items()} == {"max": 5, "min": 3}  # two are the same

    async def there(engine: wharf.Engine) -> None:
        async with connected(engine, more=store.methods()) as client:
            for name in ("min", "max"):
                response, third = await build(client, sources=[("local", {"src": name, "digest": told[name]})])
                assert done(third) == set()
                assert response["containerimage.config.digest"] == told["image"]
                await engine.images.remove("made")
                await engine.builds.prune({})

    elsewhere(there)


def test_an_image_brings_its_own_cache(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            await build(client, to=[("inline", {})])
            assert await engine.builds.prune({}) != {"CachesDeleted": [], "SpaceReclaimed": 0}
            _, told = await build(client, sources=[("registry", {"ref": "made"})])
            assert done(told) == set()

    builds(body)


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
def test_a_registry_keeps_a_cache(builds: Run, elsewhere: Callable[[Body], None], tmp_path: Path) -> None:
    with registry(tmp_path / "registry") as host:

        async def here(engine: wharf.Engine) -> None:
            async with connected(engine) as client:
                to = {"ref": f"{host}/cache:1", "mode": "max", "image-manifest": "false"}
                await build(client, to=[("registry", to), ("registry", {"ref": f"{host}/cache:2"})])

        async def there(engine: wharf.Engine) -> None:
            async with connected(engine) as client:
                for tag in ("1", "2"):
                    _, told = await build(client, sources=[("registry", {"ref": f"{host}/cache:{tag}"})])
                    assert done(told) == set()
                    await engine.images.remove("made")
                    await engine.builds.prune({})
                _, told = await build(client, sources=[("registry", {"ref": f"{host}/none"})])
                assert done(told) == STEPS
                assert "manifest unknown" in error_of(told, "importing cache manifest")

        builds(here)
        elsewhere(there)


def test_a_cache_that_lies_is_told_of_and_not_believed(builds: Run, tmp_path: Path) -> None:
    store = FakeStore(tmp_path / "stores", "c")

    async def body(engine: wharf.Engine) -> None:
        async with connected(engine, more=store.methods()) as client:
            response, _ = await build(client, to=[("local", {"dest": "c"})])
            manifest = json.loads(response["cache.manifest"])["digest"]
            top = json.loads(store.path("c", manifest).read_text())
            last = top["layers"][-1]["digest"]
            original = store.path("c", last).read_bytes()
            source = [("local", {"src": "c", "digest": manifest})]
            for spoilt, said in (
                (gzip.compress(b"other bytes"), "corrupt archive|other bytes|longer"),
                (original[:-1], "corrupt archive|other bytes"),
                (original + b"x" * 100, "longer than"),
            ):
                store.path("c", last).write_bytes(spoilt)
                await engine.images.remove("made")
                await engine.builds.prune({})
                _, told = await build(client, sources=source)
                assert done(told) == STEPS
                problem = error_of(told, "importing cache layers")
                assert any(word in problem for word in said.split("|")), problem
            store.path("c", top["config"]["digest"]).write_bytes(b"{}")
            _, told = await build(client, sources=source)
            assert "other bytes" in error_of(told, "importing cache manifest")

    builds(body)


def test_a_cache_that_cannot_be_written_fails_the_build_unless_it_need_not_be(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        async with connected(engine) as client:
            with pytest.raises(Exception, match="Content/Write not supported by the client"):
                await build(client, to=[("local", {"dest": "c"})])
            response, told = await build(client, to=[("local", {"dest": "c", "ignore-error": "true"})])
            assert "not supported by the client" in error_of(told, "exporting cache")
            assert "containerimage.digest" in response

    builds(body)
