from __future__ import annotations

from collections.abc import Callable

from tests.root.engine.builds.conftest import Body, build

import wharf

Run = Callable[[Body], None]


def test_an_image_says_how_it_was_made(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, 'FROM busybox\nENV a=1\nRUN touch /x\nCMD ["y"]', labels={"l": "1"})
        config = engine.builds._context.images.resolve("made").config

        assert [line["created_by"] for line in config["history"][1:]] == [
            "ENV a=1",
            "RUN /bin/sh -c touch /x # buildkit",
            'CMD ["y"]',
        ]
        assert [line.get("empty_layer", False) for line in config["history"][1:]] == [True, False, True]
        assert len(config["rootfs"]["diff_ids"]) == 2
        assert config["config"]["Labels"] == {"l": "1"}
        assert config["created"] == config["history"][-1]["created"]

    builds(body)


def test_an_epoch_makes_the_same_image_twice(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        text = "FROM busybox\nARG SOURCE_DATE_EPOCH\nWORKDIR /w\nCOPY f /f\n"
        images = []
        for _ in range(2):
            await build(engine, text, {"f": "1"}, nocache=True, buildargs={"SOURCE_DATE_EPOCH": "1700000000"})
            images.append(engine.builds._context.images.resolve("made").config)

        assert images[0]["created"] == "2023-11-14T22:13:20Z"
        assert images[0]["history"] == images[1]["history"]

    builds(body)


def test_an_image_can_have_no_layers(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, "FROM scratch\nLABEL a=b")

        assert engine.builds._context.images.resolve("made").config["rootfs"]["diff_ids"] == []

    builds(body)


def test_a_build_is_told_of_as_the_images_creation(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        await build(engine, "FROM busybox\nLABEL a=b")
        image_id = (await engine.images.inspect("made")).get("Id")
        events = engine.system.events(since="0", until="0s", filters={"type": ["image"]})
        seen = [event.get("Action") async for event in events if (event.get("Actor") or {}).get("ID") == image_id]

        assert seen == ["create", "tag"]

    builds(body)
