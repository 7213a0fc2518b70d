from __future__ import annotations

from collections.abc import Callable

from tests.root.engine.builds.conftest import Body, build

import wharf

Run = Callable[[Body], None]


def test_results_are_listed_and_pruned(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, "FROM busybox\nRUN echo 1 > /1\nRUN echo 2 > /2")
        assert [record["Description"] for record in await engine.builds.usage()] == [
            "[2/3] RUN echo 1 > /1",
            "[3/3] RUN echo 2 > /2",
        ]
        pruned = await engine.builds.prune({})

        assert len(pruned["CachesDeleted"]) == 2
        assert await engine.builds.usage() == []
        assert (await engine.run("made", ["cat", "/1", "/2"])).stdout == b"1\n2\n"
        await engine.images.remove("made")
        assert engine.builds._context.snapshots.total_size() == (await engine.images.inspect("busybox"))["Size"]

    builds(body)


def test_a_squashed_build_has_one_layer_on_those_it_began_with(builds: Run) -> None:
    text = """\
FROM busybox AS one
RUN echo 1 > /1 && rm /bin/vi
FROM one
RUN echo 2 > /2 && rm /1
ENV A=b
RUN echo 3 > /3
"""

    async def body(engine: wharf.Engine) -> None:
        lines = await build(engine, text, squash=True, t=["made", "also:1"])
        image = await engine.images.inspect("made")
        base = (await engine.images.inspect("busybox"))["RootFS"]["Layers"]
        layers = image["RootFS"]["Layers"]
        done = await engine.run("made", ["sh", "-c", "cat /2 /3; echo $A; ls /1 /bin/vi 2>/dev/null"])

        assert (len(layers), layers[: len(base)]) == (len(base) + 2, base)
        assert done.stdout == b"2\n3\nb\n"
        assert sorted(image["RepoTags"]) == ["also:1", "made:latest"]
        assert {"aux": {"ID": image["Id"]}} in lines
        history = await engine.images.history("made")
        assert history[0]["Comment"].startswith("merge sha256:")
        assert [step["Size"] for step in history[1:4]] == [0, 0, 0]  # of the three steps' own

    builds(body)


def test_a_squashed_build_without_layers_of_its_own_is_as_any(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, "FROM busybox\nENV A=b\n", squash=True)

        assert (await engine.run("made", ["sh", "-c", "echo $A"])).stdout == b"b\n"

    builds(body)


def test_the_same_build_names_the_image_that_it_made_before_until_that_has_gone(builds: Run) -> None:
    text = "FROM busybox\nRUN echo 1 > /1\nLABEL a=b"

    async def body(engine: wharf.Engine) -> None:
        await build(engine, text)
        first = await engine.images.inspect("made")
        await build(engine, text, t=["again"])
        await build(engine, text + "\nLABEL c=d", t=["other"])
        both, other = await engine.images.inspect("again"), await engine.images.inspect("other")

        assert both["Id"] == first["Id"] != other["Id"]
        assert sorted(both["RepoTags"]) == ["again:latest", "made:latest"]

        await engine.images.remove(first["Id"], force=True)
        await build(engine, text)
        assert (await engine.images.inspect("made"))["Id"] == first["Id"]
        assert (await engine.run("made", ["cat", "/1"])).stdout == b"1\n"

    builds(body)


def test_a_context_gives_the_same_image_again_whatever_was_built_in_between(builds: Run) -> None:
    text = "FROM busybox\nRUN --mount=type=bind,target=/c test -f /c/f\n"  # whose layer is empty

    async def body(engine: wharf.Engine) -> None:
        ids = []
        for content in ("1", "2", "1", "2"):
            await build(engine, text, {"f": content})
            ids.append((await engine.images.inspect("made"))["Id"])

        assert ids[:2] == ids[2:]
        assert ids[0] != ids[1]  # each says what it was made of

    builds(body)
