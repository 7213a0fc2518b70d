"""Jobs are numbers to be squared: ``work`` takes jobs, ``put N`` adds some, ``done`` tells the result."""

from __future__ import annotations

import os
import socket
import sys

import redis

JOBS, DONE = "jobs", "done"


def work(queue: redis.Redis) -> None:
    """Take jobs, one after the other, for ever."""
    while True:
        _, job = queue.blpop([JOBS])
        queue.hset(DONE, job, f"{int(job) ** 2} {socket.gethostname()}")
        print(f"did {int(job)}")


def put(queue: redis.Redis, count: int) -> None:
    """Add jobs."""
    queue.rpush(JOBS, *range(count))


def done(queue: redis.Redis) -> None:
    """Tell how much was done, and by how many workers."""
    results = [value.decode().split() for value in queue.hgetall(DONE).values()]
    workers = {worker for _, worker in results}
    print(
        f"{len(results)} jobs done by {len(workers)} workers; the squares' sum is {sum(int(r) for r, _ in results)}"
    )


def main(verb: str, *arguments: str) -> None:
    """Do what the command line says."""
    queue = redis.Redis(os.environ["QUEUE"])
    {"work": work, "put": put, "done": done}[verb](queue, *map(int, arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
