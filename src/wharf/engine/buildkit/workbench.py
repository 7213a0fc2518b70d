"""What the jobs of one engine share."""

from __future__ import annotations

from dataclasses import dataclass, field

from wharf.build.operations.exec import Commands
from wharf.build.operations.selection import Digests
from wharf.build.operations.store import Store
from wharf.build.session.kept import KeptContexts
from wharf.build.solver.cache import Cache
from wharf.build.solver.solver import Workshop
from wharf.engine.builds.readings import Readings
from wharf.engine.builds.runner import StepRunner
from wharf.engine.context import Context
from wharf.spec.engine_api.container import HostConfig


@dataclass(frozen=True, slots=True)
class Workbench:
    """The engine, the cache, and the contexts of earlier builds."""

    context: Context
    store: Store
    cache: Cache
    digests: Digests
    kept: KeptContexts
    readings: Readings = field(default_factory=Readings)

    def workshop(self, limits: HostConfig) -> Workshop:
        """Return what solvers need; ``limits`` are those of every command."""
        commands = Commands(self.store, StepRunner(self.context, limits), self.context.data, self.context.run)
        return Workshop(self.store, self.cache, commands, self.digests)
