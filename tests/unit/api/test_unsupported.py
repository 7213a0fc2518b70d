from __future__ import annotations

import asyncio

from tests.fakes.http import Answer, serving


def test_what_this_build_cannot_do_is_refused_by_name() -> None:
    async def run() -> Answer:
        async with asyncio.timeout(60), serving() as served:
            return await served.ask("POST", "/build/cancel?id=a")

    answer = asyncio.run(run())

    assert answer.status == 501
    assert answer.json == {"message": "cancelling a build by its id is not supported by this build of wharf"}
