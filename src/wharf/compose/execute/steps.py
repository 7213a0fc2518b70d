"""One function for each kind of operation: the calls of the Engine API that it stands for."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

from wharf.client.documents import text
from wharf.compose import identity
from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.create.files import archive, injected_files
from wharf.compose.create.networking import network_document, volume_document
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.hooks import pre_start_document, run_in, run_pre_start
from wharf.compose.execute.providers import run_provider
from wharf.compose.execute.waiting import wait_for
from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.operations import Operation
from wharf.compose.provided.protocol import Variables, Verb
from wharf.errors import Conflict, NotFound, NotModified, WharfError


@dataclass(frozen=True, slots=True)
class Manner:
    """How operations are done."""

    timeout_s: int | None = None  # until a container that is stopped is killed; None: its own
    remove_volumes: bool = False  # anonymous ones, with their containers
    deadline: float | None = None  # of waits, Unix time
    signal: str = ""  # what kills


class Steps:
    """Carries out operations of one plan; may be called from several threads."""

    def __init__(self, engine: Engine, project: Project, observed: Observed, manner: Manner | None = None) -> None:
        """Prepare.

        Args:
            engine: Where.
            project: What is wished; for what goes, an empty one will do.
            observed: What was there when the plan was made.
            manner: How.
        """
        self._engine = engine
        self._project = project
        self._there = {one.id: one for one in observed.containers}
        self._images = observed.images
        self._manner = manner or Manner()
        self._made: dict[int, tuple[str, str, int]] = {}  # operation -> (id, service, number)
        self._lock = threading.Lock()
        self.provided: dict[str, Variables] = {}
        """Provider's service → what it told."""
        self.tell: Callable[[str, str], None] = _tell_nobody
        """Told of an object's new state while an operation runs; may be called from several threads."""
        self._others = Others(self._one_of, self._names_of, read_file)

    def __call__(self, operation: Operation) -> None:
        """Do one operation.

        Raises:
            WharfError: why it could not be done.
        """
        kinds: dict[str, Callable[[Operation], None]] = {
            "CreateNetwork": self._create_network, "RemoveNetwork": self._remove_network,
            "Disconnect": self._disconnect, "CreateVolume": self._create_volume,
            "RemoveVolume": self._remove_volume, "RemoveImage": self._remove_image, "CreateContainer": self._create,
            "RenameContainer": self._rename, "RunPreStart": self._run_pre_start, "StartContainer": self._start,
            "StopContainer": self._stop, "RemoveContainer": self._remove, "Await": self._await,
            "RestartContainer": self._restart, "KillContainer": self._kill,
            "RunProvider": lambda one: self._provide(one, "up"),
            "StopProvider": lambda one: self._provide(one, "stop"),
            "RemoveProvider": lambda one: self._provide(one, "down"),
            "PauseContainer": lambda one: self._engine.containers.pause(one.details.target),
            "UnpauseContainer": lambda one: self._engine.containers.unpause(one.details.target),
        }  # fmt: skip
        kinds[operation.kind](operation)

    def _id(self, operation: Operation) -> str:
        """Return the container that is meant: by id, or the one that an operation made."""
        target = operation.details.target
        return self._made[int(target[1:])][0] if target.startswith("#") else target

    def containers_of(self, service: str) -> list[str]:
        """Return the ids of a service's containers, new ones last; those that went are left out."""
        with self._lock:
            old = [one.id for one in self._there.values() if one.service == service and not one.oneoff]
            return old + [identifier for identifier, name, _ in self._made.values() if name == service]

    def _one_of(self, service: str) -> str:
        """Return the container whose namespaces and volumes others use: the one with the lowest number."""
        with self._lock:
            there = {one.number: one.id for one in self._there.values() if one.service == service and not one.oneoff}
            there |= {number: made for made, name, number in self._made.values() if name == service}
        if not there:
            raise Conflict(f"no container of service {service} to share with")
        return there[min(there)]

    def _names_of(self, service: str) -> list[str]:
        return [text(self._engine.containers.inspect(one), "Name").lstrip("/") for one in self.containers_of(service)]

    def _create_network(self, operation: Operation) -> None:
        self._engine.networks.create(network_document(self._project, operation.subject.partition(":")[2]))

    def _remove_network(self, operation: Operation) -> None:
        with contextlib.suppress(NotFound):  # it has gone by itself
            self._engine.networks.remove(operation.details.target)

    def _disconnect(self, operation: Operation) -> None:
        with contextlib.suppress(NotFound):
            self._engine.networks.disconnect(operation.details.name, operation.details.target, force=True)

    def _create_volume(self, operation: Operation) -> None:
        self._engine.volumes.create(volume_document(self._project, operation.subject.partition(":")[2]))

    def _remove_volume(self, operation: Operation) -> None:
        with contextlib.suppress(NotFound):
            self._engine.volumes.remove(operation.details.target)

    def _remove_image(self, operation: Operation) -> None:
        with contextlib.suppress(NotFound):
            self._engine.images.remove(operation.details.target)

    def _create(self, operation: Operation) -> None:
        service = self._project.services[operation.service]
        make = Make(
            number=operation.replica,
            inherit=self._there.get(operation.details.inherit),
            image_id=self._images.get(identity.image_name(self._project, service), ""),
        )
        # What cannot be read is told before there is a container without it.
        files = injected_files(self._project, service, read_file)
        document = container_document(self._project, service, make, self._others)
        name, platform = operation.details.name, service.platform
        made = text(self._engine.containers.create(document, name=name, platform=platform), "Id")
        with self._lock:
            self._made[operation.number] = (made, service.name, operation.replica)
        if files:
            self._engine.containers.extract(made, "/", [archive(files)])

    def _rename(self, operation: Operation) -> None:
        self._engine.containers.rename(self._id(operation), operation.details.name)

    def _run_pre_start(self, operation: Operation) -> None:
        service = self._project.services[operation.service]
        hook = service.pre_start[operation.details.hook]
        document = pre_start_document(self._project, service, hook, self._id(operation), self._others)
        run_pre_start(self._engine, document, service)

    def _start(self, operation: Operation) -> None:
        identifier = self._id(operation)
        try:
            self._engine.containers.start(identifier)
        except NotModified:
            return
        service = self._project.services.get(operation.service)
        if service is not None:
            for hook in service.post_start:
                run_in(self._engine, service, identifier, hook)

    def _stop(self, operation: Operation) -> None:
        service = self._project.services.get(operation.service)
        target = operation.details.target
        with contextlib.suppress(NotFound, NotModified):  # it has ended by itself
            if service is not None:
                for hook in service.pre_stop:
                    run_in(self._engine, service, target, hook)
            self._engine.containers.stop(target, timeout_s=self._manner.timeout_s)

    def _restart(self, operation: Operation) -> None:
        service = self._project.services.get(operation.service)
        target = operation.details.target
        self._engine.containers.restart(target, timeout_s=self._manner.timeout_s)
        if service is not None:
            for hook in service.post_start:
                run_in(self._engine, service, target, hook)

    def _kill(self, operation: Operation) -> None:
        with contextlib.suppress(NotFound, Conflict):  # it has ended by itself
            self._engine.containers.kill(operation.details.target, self._manner.signal)

    def _remove(self, operation: Operation) -> None:
        target = operation.details.target
        with contextlib.suppress(NotFound):
            self._engine.containers.remove(target, force=True, volumes=self._manner.remove_volumes)
        with self._lock:
            self._there.pop(target, None)

    def _provide(self, operation: Operation, verb: Verb) -> None:
        service = self._project.services[operation.service]
        environment = {**self._project.environment, "DOCKER_HOST": self._engine.client.address.url}
        told = run_provider(service, verb, self._project.name, environment, self.tell)
        if told is not None:
            self.provided[service.name] = told

    def _await(self, operation: Operation) -> None:
        details = operation.details
        try:
            for identifier in self.containers_of(operation.service):
                wait_for(self._engine, identifier, details.condition, self._manner.deadline)
        except Conflict as error:
            if details.required:
                raise Conflict(f"dependency failed to start: {error}") from error


def _tell_nobody(_: str, __: str) -> None:
    """Nobody wants to know."""


def read_file(path: str) -> bytes:
    """Return the bytes of a file that a container is to have: a secret, a config, a profile.

    Raises:
        WharfError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise WharfError(f"read {path}: {(error.strerror or str(error)).lower()}") from error
