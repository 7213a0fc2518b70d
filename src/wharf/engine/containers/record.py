"""The record of one container: what was asked for, what became of it, and the live things that hang on it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from wharf.engine.containers.state import State
from wharf.engine.logs.delivery import Delivery
from wharf.engine.logs.sinks import Sink
from wharf.network.endpoint import Endpoint
from wharf.processes.shim import Shim
from wharf.spec.engine_api.container import ContainerConfig, HostConfig, MountPoint, NetworkingConfig
from wharf.spec.shim_messages import Attachment


@dataclass(frozen=True, slots=True)
class Specification:
    """What was asked for at create: the part of a record that changes only by rename and update."""

    config: ContainerConfig
    host_config: HostConfig
    networking: NetworkingConfig
    mounts: list[MountPoint]
    path: str  # the first word of the command line, as inspect shows it
    args: list[str]
    platform: str = "linux"
    owned: bool = False  # by a program, for one start: it goes with the engine in which it was created


@dataclass(slots=True, eq=False)
class Container:
    """One container. Only its own verbs change it, while they hold ``lock``."""

    id: str
    name: str
    created_at: str
    image_id: str
    chain_id: str
    spec: Specification
    state: State
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shim: Shim | None = None
    pending: list[tuple[Attachment, socket.socket]] = field(default_factory=list)
    """Clients that attached before the start; handed to the shim with it."""
    watchers: dict[asyncio.Future[State], Callable[[State], bool]] = field(default_factory=dict)
    restart: asyncio.Task[None] | None = None
    """The restart that the policy has scheduled."""
    restart_delay_s: float = 0.0
    monitor: asyncio.Task[None] | None = None
    """What probes its health while it runs."""
    delivery: Delivery | None = None
    """What delivers its log to another place."""
    receiver: Sink | None = None
    """Where its log goes: open, while it is being started."""
    restarts_now: int = 0
    """How many restarts that clients asked for wait for its end: with --rm it stays for their other half."""
    ailing: Shim | None = None
    """The life that is being ended because it is unhealthy."""
    steps_us: dict[str, int] = field(default_factory=dict)
    """Microseconds that each step of its last start took."""
    endpoints: list[Endpoint] = field(default_factory=list)
    """Its places in networks while it runs."""
    placed: bool = True
    """Whether it may have places in networks; known once this engine has started or released it."""
    exec_ids: list[str] = field(default_factory=list)

    @property
    def tty(self) -> bool:
        """Whether its streams are one terminal."""
        return bool(self.spec.config.get("Tty"))

    def become(self, state: State) -> None:
        """Take on ``state`` and wake who waits for it. Persisting is the registry's (``Registry.save``)."""
        self.state = state
        for future, satisfied in list(self.watchers.items()):
            if not future.done() and satisfied(state):
                future.set_result(state)

    def watch(self, satisfied: Callable[[State], bool]) -> asyncio.Future[State]:
        """Return a future that ends with the first *new* state that ``satisfied`` accepts."""
        future: asyncio.Future[State] = asyncio.get_running_loop().create_future()
        self.watchers[future] = satisfied
        future.add_done_callback(lambda f: self.watchers.pop(f, None))
        return future

    def drop_pending(self) -> None:
        """Close the connections of clients whose container did not start."""
        for _, stream in self.pending:
            stream.close()
        self.pending.clear()
