"""`wharf compose watch`: follow files, and bring what changes into containers (``develop.watch``)."""

from __future__ import annotations

import sys

from wharf.cli.command import Command, Session
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.syncing import Syncing
from wharf.cli.compose.up import UP_FLAGS, Convergence
from wharf.cli.flags import Flag, Values, parse
from wharf.errors import InvalidArgument


def _watch(session: Session, values: Values, services: list[str]) -> int:
    def say(text: str) -> None:
        session.print(text)
        sys.stdout.flush()

    up, _ = parse(UP_FLAGS, ["--quiet-build"] if values.on("quiet") else [])
    work = Convergence(session, up, services)
    syncing = Syncing(session, work, services, say, quiet=values.on("quiet"), prune=values.on("prune"))
    if not syncing.triggers:
        raise InvalidArgument("none of the services has a develop.watch: nothing to follow")
    if is_dry(session, values):
        for name, trigger in syncing.triggers:
            session.print(f"service:{name}, {trigger.action}, {trigger.path} {trigger.target}".rstrip())
        return 0
    with work.engine:
        if not values.on("no-up"):
            work.carry_out(session, up)
        tree = syncing.tree()
        try:
            syncing.initial()
            say("Watch enabled")
            for batch in tree.batches():
                syncing.heed(batch)
        except KeyboardInterrupt:
            return 130
        finally:
            tree.close()
    return 0


COMMANDS = (
    Command(
        "compose watch", _watch, "Follow files, and bring what changes into containers", arguments="[SERVICE...]",
        count=(0, None),
        flags=(
            Flag("no-up", "bool", "Do not bring the project up first"),
            Flag("prune", "bool", "Remove images that rebuilds leave unused (--prune=false: no)", default=True),
            Flag("quiet", "bool", "Build without output"), DRY_RUN,
        ),
        examples=("wharf compose watch", "wharf compose watch web"),
    ),
)  # fmt: skip
