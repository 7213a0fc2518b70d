from __future__ import annotations

import pytest
from tests.root.engine.buildkit.conftest import Run, connected

import wharf
from wharf.errors import NotFound
from wharf.rpc.status import CallFailed


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
                ("push-by-digest", "true", "pushing by digest"),
                ("compression", "zstd", "option compression"),
                ("name", "a@sha256:" + "0" * 64, "digest reference"),
            ):
                request = client.request("FROM busybox\nRUN exit 1\n")
                request.Exporters[0].Attrs[name] = value
                with pytest.raises(CallFailed, match=said):
                    await client.solve(request)

    builds(body)
