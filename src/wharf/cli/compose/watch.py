"""`wharf compose watch`: follow files, and bring what changes into containers (``develop.watch``)."""

from __future__ import annotations

import io
import os
import sys
import tarfile
from collections.abc import Sequence

from wharf.cli.command import Command, Session
from wharf.cli.compose.carry import DRY_RUN, carry_out, is_dry
from wharf.cli.compose.images import have_images
from wharf.cli.compose.up import UP_FLAGS, Convergence
from wharf.cli.flags import Flag, Values, parse
from wharf.compose import identity
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.hooks import run_in
from wharf.compose.execute.observe import containers, image_id, observe
from wharf.compose.execute.steps import Steps
from wharf.compose.execute.watching import Tree
from wharf.compose.plan import sync, verbs
from wharf.compose.plan.images import Need
from wharf.compose.plan.sync import Change, Work
from wharf.errors import InvalidArgument, WharfError


def _watch(session: Session, values: Values, services: list[str]) -> int:
    up, _ = parse(UP_FLAGS, ["--quiet-build"] if values.on("quiet") else [])
    work = Convergence(session, up, services)
    followed = [(name, trigger) for name, trigger in sync.triggers(work.project) if not services or name in services]
    if not followed:
        raise InvalidArgument("none of the services has a develop.watch: nothing to follow")
    if is_dry(session, values):
        for name, trigger in followed:
            session.print(f"service:{name}, {trigger.action}, {trigger.path} {trigger.target}".rstrip())
        return 0
    with work.engine:
        if not values.on("no-up"):
            work.carry_out(session, up)
        tree = Tree({trigger.path: os.path.isdir(trigger.path) for _, trigger in followed})
        try:
            initial = [trigger.path for _, trigger in followed if trigger.initial_sync]
            for work_ in sync.plan_sync(work.project, [p for path in initial for p in _below(path)]):
                _do(session, work, work_)
            _say(session, "Watch enabled")
            for batch in tree.batches():
                for work_ in sync.plan_sync(work.project, batch):
                    if not services or work_.service in services:
                        _told(session, work, work_)
        except KeyboardInterrupt:
            return 130
        finally:
            tree.close()
    return 0


def _say(session: Session, text: str) -> None:
    session.print(text)
    sys.stdout.flush()


def _below(path: str) -> list[str]:
    return [path, *(os.path.join(at, name) for at, _, names in os.walk(path) for name in names)]


def _told(session: Session, work: Convergence, change: Work) -> None:
    """Do it; a failure is told and does not end the watching: the next change may mend it."""
    try:
        _do(session, work, change)
    except WharfError as error:
        session.warn(f"ERROR: {change.service}: {error}")


def _do(session: Session, work: Convergence, change: Work) -> None:
    if change.action == "rebuild":
        _say(session, f'Rebuilding service "{change.service}" after changes were detected...')
        _rebuild(session, work, change.service)
        return
    there = [one for one in containers(work.engine, work.project.name) if one.service == change.service]
    if change.changes:
        _say(session, f'Syncing service "{change.service}" after {len(change.changes)} changes were detected')
        for one in there:
            copy(work.engine, one.id, change.changes)
    if change.action == "sync+exec":
        for one in there:
            run_in(work.engine, work.project.services[change.service], one.id, change.trigger.exec)
    elif change.action.endswith("restart"):
        observed = observe(work.engine, work.project.name)
        plan = verbs.plan_verb(verbs.RESTART, observed, {}, [change.service])
        carry_out(session, plan, Steps(work.engine, work.project, observed))


def _rebuild(session: Session, work: Convergence, service: str) -> None:
    name = identity.image_name(work.project, work.project.services[service])
    have_images(session, work.engine, work.project, [Need("build", name, service, "its files changed")])
    work.present[name] = image_id(work.engine, name)
    plan, observed = work.planned()
    carry_out(session, plan, Steps(work.engine, work.project, observed))


def copy(engine: Engine, container: str, changes: Sequence[Change]) -> None:
    """Bring files into a container, and take away there what is no more here.

    Raises:
        WharfError: the container does not take it.
    """
    out = io.BytesIO()
    gone: list[str] = []
    count = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for change in changes:
            try:
                tar.add(change.path, change.target.lstrip("/"), recursive=False, filter=_owned_by_root)
                count += 1
            except FileNotFoundError:
                gone.append(change.target)
    if count:
        engine.containers.extract(container, "/", [out.getvalue()])
    if gone:
        _remove(engine, container, gone)


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _remove(engine: Engine, container: str, paths: Sequence[str]) -> None:
    made = engine.execs.create(container, {"Cmd": ["rm", "-rf", "--", *paths], "User": "0"})
    engine.execs.start_detached(made)


COMMANDS = (
    Command(
        "compose watch", _watch, "Follow files, and bring what changes into containers", arguments="[SERVICE...]",
        count=(0, None),
        flags=(
            Flag("no-up", "bool", "Do not bring the project up first"),
            Flag("prune", "bool", refusal="images that rebuilds leave without a name are `wharf image prune`'s"),
            Flag("quiet", "bool", "Build without output"), DRY_RUN,
        ),
        examples=("wharf compose watch", "wharf compose watch web"),
    ),
)  # fmt: skip
