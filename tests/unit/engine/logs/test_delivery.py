from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from wharf.engine.logs.delivery import Delivery, Retry, Terms, Writer, cursor_of
from wharf.engine.logs.formats import Message
from wharf.errors import InvalidArgument
from wharf.spec.log_parts import read_position

TERMS = Terms(Retry(), None, one_part=False)


def _line(text: str) -> bytes:
    return json.dumps({"log": f"{text}\n", "stream": "stdout", "time": "2026-01-01T00:00:00Z"}).encode() + b"\n"


class Receiver:
    """Takes messages while it is willing; fails as it is told."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.faults: list[Exception] = []
        self.willing = asyncio.Event()
        self.willing.set()
        self.asked = asyncio.Event()
        self.closed = False

    async def open(self) -> None: ...

    async def send(self, message: Message) -> None:
        self.asked.set()
        await self.willing.wait()
        if self.faults:
            raise self.faults.pop(0)
        self.got.append(message.line)

    async def flush(self) -> None: ...

    async def end(self) -> None:
        self.closed = True


class World:
    """A log, who writes it, and who receives it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "x-json.log"
        self.receiver = Receiver()
        self.over: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.moves = 0
        self.moved = asyncio.Event()
        self.idle = asyncio.Event()
        self.is_gone = False

    def write(self, *texts: str) -> None:
        with self.path.open("ab") as file:
            file.write(b"".join(map(_line, texts)))

    def rotate(self) -> None:
        self.path.rename(f"{self.path}.1")
        self.path.touch()

    def end(self) -> None:
        self.over.set_result(None)

    def begin(self, terms: Terms = TERMS) -> Delivery:
        async def until_ended() -> object:
            self.idle.set()
            return await asyncio.shield(self.over)

        writer = Writer(
            name=lambda: "box",
            gone=lambda: self.is_gone,
            ended=self.over.done,
            until_ended=lambda: asyncio.ensure_future(until_ended()),
            moved_on=self._moved,
        )
        delivery = Delivery(self.path, self.receiver, terms, writer)
        delivery.task = asyncio.ensure_future(delivery.run())
        return delivery

    def _moved(self) -> None:
        self.moves += 1
        self.moved.set()

    @property
    def position(self) -> tuple[int, int] | None:
        return read_position(str(cursor_of(self.path)))


Run = Callable[[Callable[[World], Awaitable[None]]], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(test: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            async with asyncio.timeout(60):
                await test(World(tmp_path))

        asyncio.run(main())

    return run


async def _ended(delivery: Delivery) -> None:
    assert delivery.task is not None
    await delivery.task


def test_lines_are_delivered_and_it_is_kept_how_far(run: Run) -> None:
    async def test(world: World) -> None:
        world.write("a", "b")
        world.end()
        delivery = world.begin()
        await _ended(delivery)
        status = world.path.stat()
        assert (world.receiver.got, delivery.sent, world.receiver.closed) == (["a", "b"], 2, True)
        assert world.position == (status.st_ino, status.st_size)

        world.write("c")
        await _ended(world.begin())
        assert world.receiver.got == ["a", "b", "c"]

    run(test)


def test_the_writer_is_told_when_a_part_is_delivered_and_not_of_each_line(run: Run) -> None:
    async def test(world: World) -> None:
        world.write("a")
        world.end()
        await _ended(world.begin())
        first = world.moves  # it may have waited for what an earlier engine has saved
        world.write("b")
        await _ended(world.begin())
        again = world.moves
        world.write("c")
        world.rotate()
        world.write("d")
        await _ended(world.begin())

        assert (first, again, world.moves) == (1, 2, 4)
        assert world.position is not None
        assert world.position[0] == world.path.stat().st_ino

    run(test)


def test_a_log_of_one_part_is_told_of_each_time(run: Run) -> None:
    async def test(world: World) -> None:
        world.write("a")
        world.end()
        await _ended(world.begin(Terms(Retry(), None, one_part=True)))

        assert world.moves == 2

    run(test)


def test_a_receiver_that_fails_is_tried_again(run: Run) -> None:
    async def test(world: World) -> None:
        world.receiver.faults = [ConnectionResetError(), TimeoutError(), InvalidArgument("no certificate")]
        world.write("a", "b")
        world.end()
        await _ended(world.begin(Terms(Retry(0.001), None, one_part=False)))

        assert world.receiver.got == ["a", "b"]

    run(test)


def test_a_line_is_given_up_after_as_many_attempts_as_were_asked_for_or_when_it_can_never_be_sent(run: Run) -> None:
    async def test(world: World) -> None:
        world.receiver.faults = [ConnectionResetError()] * 3 + [OSError(errno.EMSGSIZE, "too long")]
        world.write("a", "b", "c")
        world.end()
        await _ended(world.begin(Terms(Retry(0.001, most=2), None, one_part=False)))

        assert world.receiver.got == ["c"]

    run(test)


def test_the_oldest_is_dropped_where_little_may_wait(run: Run) -> None:
    async def test(world: World) -> None:
        world.receiver.willing.clear()
        world.write("a")
        delivery = world.begin(Terms(Retry(), len(_line("a")) * 2, one_part=False))
        await world.receiver.asked.wait()
        world.write("b", "c", "d", "e")
        world.end()
        world.receiver.willing.set()
        await _ended(delivery)

        assert world.receiver.got == ["a", "d", "e"]

    run(test)


def test_it_ends_when_there_is_no_container_any_more(run: Run) -> None:
    async def test(world: World) -> None:
        world.is_gone = True
        world.write("a")
        await _ended(world.begin())

        assert world.receiver.got == []

    run(test)


def test_where_it_cannot_be_kept_how_far_lines_are_delivered_all_the_same_and_it_is_kept_later(run: Run) -> None:
    async def test(world: World) -> None:
        in_the_way = cursor_of(world.path).with_suffix(".new")
        in_the_way.mkdir()  # as a full disk, which no test fills
        world.write("a")
        delivery = world.begin()
        await world.receiver.asked.wait()
        world.write("b")
        world.receiver.asked.clear()
        await world.receiver.asked.wait()
        assert world.position is None
        in_the_way.rmdir()
        world.write("c")
        world.end()
        await _ended(delivery)

        status = world.path.stat()
        assert world.receiver.got == ["a", "b", "c"]
        assert world.position == (status.st_ino, status.st_size)

    run(test)


def test_what_could_not_be_kept_is_tried_again_though_nothing_more_is_written(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wharf.engine.logs.delivery._SAVE_AGAIN_S", 0.001)  # a writer that waits writes nothing

    async def test(world: World) -> None:
        in_the_way = cursor_of(world.path).with_suffix(".new")
        in_the_way.mkdir()
        world.write("a")
        delivery = world.begin(Terms(Retry(), None, one_part=True))
        await world.idle.wait()
        world.moved.clear()
        in_the_way.rmdir()
        await world.moved.wait()
        assert world.position is not None
        world.end()
        await _ended(delivery)

    run(test)
