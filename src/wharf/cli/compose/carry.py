"""Carrying out a plan from the command line, or only showing it."""

from __future__ import annotations

from wharf.cli.command import Session
from wharf.cli.compose.progress import progress_of
from wharf.cli.compose.project import flags_of
from wharf.cli.flags import Flag, Values
from wharf.compose.plan.operations import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.compose.execute.steps import Steps

DRY_RUN = Flag("dry-run", "bool", "Print the plan, and do nothing")


def is_dry(session: Session, values: Values) -> bool:
    """Return whether nothing shall be done: the flag may stand before the command, too."""
    return values.on("dry-run") or flags_of(session).on("dry-run")


def carry_out(session: Session, plan: Plan, steps: Steps) -> None:
    """Do what the plan says, telling how it goes.

    Raises:
        WharfError: the first failure.
    """
    if not plan:
        return
    from wharf.compose.execute.executor import WORKERS, execute  # noqa: PLC0415  # not when nothing is to be done

    progress = progress_of(session)
    steps.tell = progress.tell
    workers = flags_of(session).number("parallel")
    execute(plan, steps, progress, workers=workers if workers > 0 else WORKERS)
