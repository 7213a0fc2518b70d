"""Runs a plan: each operation as soon as what it needs is done, several at once; the first failure stops the rest."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Literal

from wharf.compose.plan.operations import Operation, Plan

Step = Callable[[Operation], None]
Report = Callable[[Operation, Literal["start", "done", "failed"]], None]
WORKERS = 16


def execute(plan: Plan, step: Step, report: Report, *, workers: int = WORKERS) -> None:
    """Run the plan's operations.

    Args:
        plan: What to do; an operation's number is above those of what it needs.
        step: Does one operation; called from several threads.
        report: Told of each; from this thread.
        workers: So many at once.

    Raises:
        WharfError: the first failure; what had begun by then is finished first, nothing more is begun.
    """
    missing = {operation.number: len(operation.needs) for operation in plan}
    after: dict[int, list[Operation]] = {}
    for operation in plan:
        for need in operation.needs:
            after.setdefault(need, []).append(operation)
    ready = [operation for operation in plan if not operation.needs]
    running: dict[Future[None], Operation] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="compose") as pool:
        while ready or running:
            for operation in ready:
                report(operation, "start")
                running[pool.submit(step, operation)] = operation
            ready = []
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                operation = running.pop(future)
                error = future.exception()
                report(operation, "done" if error is None else "failed")
                failure = failure or error
                for other in after.get(operation.number, ()):
                    missing[other.number] -= 1
                    if not missing[other.number] and failure is None:
                        ready.append(other)
            if failure is not None:
                ready = []
    if failure is not None:
        raise failure
