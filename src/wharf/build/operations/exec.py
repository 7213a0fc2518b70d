"""Run a command on a layer: its root, what is mounted into it, and what of it is kept.

How a process is started, confined and connected is the engine's: it hands a :class:`Runner` in.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from wharf.build.graph.operations import Exec
from wharf.build.operations.mounting import Mounting, Offers, Site, entered
from wharf.build.operations.results import Layers, Result, Tree, Unfinished
from wharf.build.operations.store import Draft, Recorder, Store
from wharf.errors import InvalidArgument, WharfError
from wharf.spec.oci_runtime import Mount
from wharf.spec.shim_messages import RootfsMount
from wharf.storage.layout import DataRoot, RunRoot

Output = Callable[[int, bytes], None]
"""Takes what a command writes: the stream (1 or 2) and the bytes."""


class CommandFailed(WharfError):
    """A command ended with an exit code that is no success."""

    def __init__(self, args: Sequence[str], exit_code: int) -> None:
        super().__init__(f'process "{" ".join(args)}" did not complete successfully: exit code: {exit_code}')
        self.arguments = tuple(args)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Step:
    """What a runner needs to know of a command."""

    id: str
    folder: Path  # the OCI bundle
    root: list[RootfsMount]
    operation: Exec
    env: Sequence[str]
    mounts: list[Mount] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wreck:
    """What a command that failed leaves, to be looked at: by the number of each of its mounts, None for nothing."""

    operation: Exec
    before: Sequence[Tree | None]
    after: Sequence[Tree | None]


Wrecked = Callable[[Wreck, AsyncExitStack], None]
"""Takes what a failed command leaves, and what removes it."""


class Runner(Protocol):
    """Starts commands."""

    async def run(self, step: Step, output: Output) -> int:
        """Run a command to its end and return its exit code; killed when cancelled.

        Raises:
            InvalidArgument: it cannot be executed.
            WharfError: it could not be set up.
        """


class Commands:
    """Runs commands, each on a draft of its own."""

    def __init__(self, store: Store, runner: Runner, data: DataRoot, run_root: RunRoot) -> None:
        self._store = store
        self._runner = runner
        self._mounting = Mounting(data, store)
        self._run_root = run_root

    async def run(
        self,
        operation: Exec,
        inputs: Sequence[Result],
        records: Mapping[int, Recorder],
        *,
        offers: Offers,
        output: Output,
        environment: Sequence[str] = (),
        wrecked: Wrecked | None = None,
    ) -> dict[int, Layers]:
        """Run a command and keep what it wrote, by output.

        Args:
            operation: the command.
            inputs: what its mounts refer to.
            records: enters each output.
            offers: the client's secrets and agents.
            output: takes what it writes.
            environment: more variables, which do not count for the cache.
            wrecked: takes what it leaves when it fails; without it nothing is left.

        Raises:
            CommandFailed: its exit code is no success.
            InvalidArgument: it cannot be executed, or a mount of it is impossible.
        """
        async with AsyncExitStack() as held:
            async with self.prepared(operation, inputs, offers, held, environment) as prepared:
                try:
                    exit_code = await self._runner.run(prepared.step, output)
                    if exit_code not in (operation.exit_codes or (0,)):
                        raise CommandFailed(operation.args, exit_code)
                except WharfError:
                    if wrecked is not None:
                        wreck = await self._wreck(operation, inputs, prepared.drafts, held)
                        wrecked(wreck, held.pop_all())
                    raise
            return await self._keep(prepared.drafts, records)

    @asynccontextmanager
    async def prepared(
        self,
        operation: Exec,
        inputs: Sequence[Tree],
        offers: Offers,
        held: AsyncExitStack,
        environment: Sequence[str] = (),
    ) -> AsyncIterator[Prepared]:
        """Make a command's root and mounts; what it is lent goes at the end, what it writes with ``held``.

        Raises:
            InvalidArgument: a mount of it is impossible.
        """
        root = operation.mounts[0]
        base = inputs[root.input] if root.input >= 0 else Layers()
        if root.target != "/" or not isinstance(base, Layers | Unfinished):
            raise InvalidArgument("the first mount of a command must be its root, made of layers")
        step_id = secrets.token_hex(32)
        draft = await entered(held, self._store.draft(base))
        async with AsyncExitStack() as lent:
            site = Site(lent, held, inputs, draft, self._run_root.build / step_id, offers)
            mounted = await self._mounting.prepare(operation, site)
            await asyncio.to_thread(draft.bundle.mkdir)
            env = [*operation.env, *environment, *mounted.environment]
            root_mount = await asyncio.to_thread(self._store.root_of, draft)
            step = Step(step_id, draft.bundle, [root_mount], operation, env, mounted.mounts)
            yield Prepared(step, {root.output: draft, **mounted.outputs})

    async def _keep(self, drafts: Mapping[int, Draft], records: Mapping[int, Recorder]) -> dict[int, Layers]:
        return {
            index: await asyncio.to_thread(self._store.keep, draft, records[index])
            for index, draft in drafts.items()
            if index >= 0
        }

    async def _wreck(
        self, operation: Exec, inputs: Sequence[Result], drafts: Mapping[int, Draft], held: AsyncExitStack
    ) -> Wreck:
        before = [inputs[mount.input] if mount.input >= 0 else None for mount in operation.mounts]
        after: list[Tree | None] = list(before)
        for number, mount in enumerate(operation.mounts):
            if (number == 0 or mount.output >= 0) and mount.output in drafts:
                after[number] = await entered(held, self._store.left(drafts[mount.output]))
        return Wreck(operation, before, after)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command that can be run, and what it writes to, by output."""

    step: Step
    drafts: Mapping[int, Draft]
