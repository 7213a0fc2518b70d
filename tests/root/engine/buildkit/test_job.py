from __future__ import annotations

import asyncio

import pytest
from tests.root.engine.buildkit.conftest import Run

import wharf
from wharf.build.session.sessions import Sessions
from wharf.engine.buildkit.buildkit import BuildKit
from wharf.engine.buildkit.job import Job, Jobs
from wharf.errors import Conflict, InvalidArgument, NotFound


def test_a_job_is_found_from_its_beginning_to_its_end_and_leaves_nothing(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        bench = (await BuildKit.opened(engine.builds._context, engine.builds._cache)).bench
        jobs = Jobs()
        waiting = asyncio.ensure_future(jobs.get("j"))
        await asyncio.sleep(0)
        async with Job("j", "", Sessions(), bench) as job:
            await jobs.add(job)
            assert await waiting is job
            with pytest.raises(Conflict, match="job ID j exists"):
                await jobs.add(Job("j", "", Sessions(), bench))
            with pytest.raises(NotFound, match="no session"):
                await job.session()
            with pytest.raises(InvalidArgument, match="no such ref: r"):
                job.named("r")
            (job.work / "half").mkdir()
        jobs.drop(job)
        assert job.returned.cancelled()
        assert [one async for one in job.journal.read()] == []

    builds(body)


def test_a_job_that_is_cancelled_as_it_begins_leaves_nothing(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        bench = (await BuildKit.opened(engine.builds._context, engine.builds._cache)).bench
        entering = asyncio.create_task(Job("j", "", Sessions(), bench).__aenter__())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        entering.cancel()
        await asyncio.gather(entering, return_exceptions=True)
        assert entering.cancelled()

    builds(body)
