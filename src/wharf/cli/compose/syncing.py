"""What changes of files are brought into containers, and by whom: ``watch``, and `up` with --watch or its menu."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from wharf.cli.command import Session
from wharf.cli.compose.carry import carry_out
from wharf.cli.compose.images import have_images
from wharf.cli.compose.up import Convergence
from wharf.compose import identity
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.hooks import run_in
from wharf.compose.execute.observe import containers, image_id, observe
from wharf.compose.execute.steps import Steps
from wharf.compose.execute.watching import Tree
from wharf.compose.model.hooks import Trigger
from wharf.compose.plan import sync, verbs
from wharf.compose.plan.images import Need
from wharf.compose.plan.sync import Change, Work
from wharf.errors import WharfError

Say = Callable[[str], None]


class Syncing:
    """Brings changes of files into one project's containers."""

    def __init__(
        self, session: Session, work: Convergence, services: Sequence[str], say: Say, *,
        quiet: bool = False, prune: bool = True,
    ) -> None:  # fmt: skip
        """Prepare.

        Args:
            session: Of the command line.
            work: The project, and how it converges.
            services: Only these; none: all.
            say: Told what is done, a line each.
            quiet: Build without output.
            prune: Remove the images whose place a rebuild takes, unless something else has them.
        """
        self._session = session
        self._work = work
        self._say = say
        self._quiet = {"build"} if quiet else set()
        self._prune = prune
        self._services = services
        self.triggers: list[tuple[str, Trigger]] = [
            (name, trigger) for name, trigger in sync.triggers(work.project) if not services or name in services
        ]

    def tree(self) -> Tree:
        """Begin to follow the files."""
        return Tree({trigger.path: os.path.isdir(trigger.path) for _, trigger in self.triggers})

    def initial(self) -> None:
        """Bring what there is where ``initial_sync`` asks for it.

        Raises:
            WharfError: it could not be brought.
        """
        paths = [trigger.path for _, trigger in self.triggers if trigger.initial_sync]
        for change in self._meant([p for path in paths for p in _below(path)]):
            self._do(change)

    def heed(self, paths: set[str]) -> None:
        """Bring what changed; a failure is told and does not end the watching: the next change may mend it."""
        for change in self._meant(sorted(paths)):
            try:
                self._do(change)
            except (WharfError, OSError) as error:  # of the engine, or of a file here
                self._say(f"ERROR: {change.service}: {error}")

    def _meant(self, paths: Sequence[str]) -> list[Work]:
        works = sync.plan_sync(self._work.project, paths)
        return [work for work in works if not self._services or work.service in self._services]

    def _do(self, change: Work) -> None:
        work = self._work
        if change.action == "rebuild":
            self._say(f'Rebuilding service "{change.service}" after changes were detected...')
            self._rebuild(change.service)
            return
        there = [one for one in containers(work.engine, work.project.name) if one.service == change.service]
        if change.changes:
            self._say(f'Syncing service "{change.service}" after {len(change.changes)} changes were detected')
            for one in there:
                copy(work.engine, one.id, change.changes)
        if change.action == "sync+exec":
            for one in there:
                run_in(work.engine, work.project.services[change.service], one.id, change.trigger.exec)
        elif change.action.endswith("restart"):
            observed = observe(work.engine, work.project.name)
            plan = verbs.plan_verb(verbs.RESTART, observed, {}, [change.service])
            carry_out(self._session, plan, Steps(work.engine, work.project, observed))

    def _rebuild(self, service: str) -> None:
        work = self._work
        name = identity.image_name(work.project, work.project.services[service])
        before = image_id(work.engine, name)
        needs = [Need("build", name, service, "its files changed")]
        have_images(self._session, work.engine, work.project, needs, quiet=self._quiet)
        work.present[name] = image_id(work.engine, name)
        plan, observed = work.planned()
        carry_out(self._session, plan, Steps(work.engine, work.project, observed))
        if self._prune and before and before != work.present[name]:
            with suppress(WharfError):  # another name or container has it, and it stays
                work.engine.images.remove(before)


class Watcher:
    """Follows files on a thread of its own, until it is stopped."""

    def __init__(
        self, syncing: Syncing, say: Say, meanwhile: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        """Prepare; changes are brought within ``meanwhile``."""
        self._syncing = syncing
        self._say = say
        self._meanwhile = meanwhile
        self._tree: Tree | None = None
        self._thread: threading.Thread | None = None

    @property
    def watching(self) -> bool:
        """Whether files are followed."""
        return self._tree is not None

    @property
    def useful(self) -> bool:
        """Whether there is something to follow."""
        return bool(self._syncing.triggers)

    def start(self) -> None:
        """Begin; what ``initial_sync`` asks for is there when it returns.

        Raises:
            WharfError: it could not be brought.
        """
        self._tree = tree = self._syncing.tree()
        with self._meanwhile():
            self._syncing.initial()
        self._say("Watch enabled")
        self._thread = threading.Thread(target=self._follow, args=(tree,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; a change that is being brought is brought to its end."""
        tree, self._tree = self._tree, None
        if tree is None:
            return
        tree.stop()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        tree.close()

    def _follow(self, tree: Tree) -> None:
        try:
            for batch in tree.batches():
                with self._meanwhile():
                    self._syncing.heed(batch)
        except (WharfError, OSError) as error:  # the engine has gone, or the kernel watches no more files
            self._say(f"ERROR: files are followed no more: {error}")


def _below(path: str) -> list[str]:
    return [path, *(os.path.join(at, name) for at, _, names in os.walk(path) for name in names)]


def copy(engine: Engine, container: str, changes: Sequence[Change]) -> None:
    """Bring files into a container, and take away there what is no more here.

    Raises:
        WharfError: the container does not take it.
        OSError: a file cannot be read; nothing is brought.
    """
    out = io.BytesIO()
    gone: list[str] = []
    count = 0
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for change in changes:
            try:
                count += _add(tar, change)
            except FileNotFoundError:
                gone.append(change.target)
    if count:
        engine.containers.extract(container, "/", [out.getvalue()])
    if gone:
        _remove(engine, container, gone)


def _add(tar: tarfile.TarFile, change: Change) -> int:
    """Add a file with what is in it at one moment, for it may be written to meanwhile; return how many were added."""
    entry = tar.gettarinfo(change.path, change.target.lstrip("/"))
    if entry is None:  # a socket: an archive has none
        return 0
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if not entry.isreg():
        tar.addfile(entry)
        return 1
    with open(change.path, "rb") as file:
        content = file.read()
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
    return 1


def _remove(engine: Engine, container: str, paths: Sequence[str]) -> None:
    made = engine.execs.create(container, {"Cmd": ["rm", "-rf", "--", *paths], "User": "0"})
    engine.execs.start_detached(made)
