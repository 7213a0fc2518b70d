"""When sandboxes are made ahead, and when they go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from wharf.network.ahead import Ahead
from wharf.network.endpoint import Endpoint
from wharf.network.spares import EACH

_ON_FRONT = Endpoint("e", "c", "front", "front", "", "10.1.0.2", 24, "10.1.0.1", "02:42:0a:01:00:02", (), "veth1")


class Heard:
    """Notes what is asked of it."""

    def __init__(self, error: OSError | None = None) -> None:
        self.made: list[str] = []
        self.dropped: asyncio.Queue[str] = asyncio.Queue()
        self._error = error

    def make_spare(self, endpoints: Sequence[Endpoint]) -> None:
        if self._error:
            raise self._error
        self.made.append(endpoints[0].network_id)

    def drop_spares(self, network_id: str) -> None:
        self.dropped.put_nowait(network_id)


def test_starts_in_a_row_are_made_up_for_together_and_by_network() -> None:
    async def main() -> None:
        heard = Heard()
        ahead = Ahead(heard, delay_s=1000)
        for network in ("front", "front", "back"):
            ahead.behind([replace(_ON_FRONT, network_id=network)])
        assert heard.made == []
        await ahead.caught_up()
        assert sorted(heard.made) == ["back"] * EACH + ["front"] * EACH
        await ahead.aclose()

    asyncio.run(main())


def test_nothing_is_made_ahead_for_an_unusual_place() -> None:
    async def main() -> None:
        heard = Heard()
        ahead = Ahead(heard)
        ahead.behind([replace(_ON_FRONT, driver="macvlan")])
        ahead.behind([replace(_ON_FRONT, sysctls=(("net.ipv4.conf.IFNAME.forwarding", "1"),))])
        ahead.behind([_ON_FRONT, replace(_ON_FRONT, network_id="back")])
        ahead.behind([])
        await ahead.caught_up()
        assert heard.made == []

    asyncio.run(main())


def test_what_was_made_in_vain_goes() -> None:
    async def main() -> None:
        heard = Heard()
        ahead = Ahead(heard, delay_s=1000, idle_s=0)
        ahead.behind([_ON_FRONT])
        assert await heard.dropped.get() == "front"
        await ahead.aclose()

    asyncio.run(main())


def test_nothing_is_begun_after_the_end(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        heard = Heard()
        ahead = Ahead(heard, delay_s=0)
        ahead.behind([_ON_FRONT])
        await ahead.aclose()
        await asyncio.sleep(0)
        await ahead.caught_up()
        assert heard.made == []

        refused = Ahead(Heard(OSError(12, "no memory")), delay_s=0)
        refused.behind([_ON_FRONT])
        await refused.caught_up()

    asyncio.run(main())
    assert "no sandbox was made ahead for network front" in caplog.text


def test_another_loop_begins_anew() -> None:
    heard = Heard()
    ahead = Ahead(heard, delay_s=0)

    async def start() -> None:
        ahead.behind([_ON_FRONT])
        await asyncio.sleep(0)  # it is being made when the loop ends

    async def start_again() -> None:
        ahead.behind([_ON_FRONT])
        await ahead.caught_up()

    asyncio.run(start())
    asyncio.run(start_again())
    asyncio.run(ahead.aclose())
    assert heard.made[-EACH:] == ["front"] * EACH


def test_task_that_a_loop_that_has_ended_left_is_not_waited_for() -> None:
    """As when a timer is due while the loop ends."""
    ahead = Ahead(Heard(), delay_s=1000)
    ended = asyncio.new_event_loop()

    async def start() -> None:
        ahead.behind([_ON_FRONT])
        ahead._begin("front")

    ended.run_until_complete(start())
    (left,) = ahead._making
    asyncio.run(ahead.aclose())

    assert not left.done()
    left.cancel()
    ended.run_until_complete(asyncio.gather(left, return_exceptions=True))
    ended.close()
