"""A simulated engine for plans: does what operations say to an observed state, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.plan.observed import Container, Observed, Resource
from wharf.compose.plan.operations import Operation, Plan

_IDS = count(1)


class Simulated:
    """What an engine has of one project."""

    def __init__(self, project: Project, observed: Observed | None = None) -> None:
        self.project = project
        observed = observed or Observed()
        self.containers = {one.id: one for one in observed.containers}
        self.networks = dict(observed.networks)
        self.volumes = dict(observed.volumes)
        self.images = {identity.image_name(project, one): "sha256:1" for one in project.services.values()}
        self._made: dict[int, str] = {}

    @property
    def observed(self) -> Observed:
        return Observed(tuple(self.containers.values()), dict(self.networks), dict(self.volumes), self.images)

    def do(self, plan: Plan) -> None:
        """Do all operations; each after what it needs, as their numbers are."""
        for operation in plan:
            assert all(need < operation.number for need in operation.needs)
            getattr(self, re.sub("([A-Z])", r"_\1", operation.kind).lower())(operation)

    def _id(self, operation: Operation) -> str:
        target = operation.details.target
        return self._made[int(target[1:])] if target.startswith("#") else target

    def _change(self, identifier: str, **more: object) -> None:
        self.containers[identifier] = replace(self.containers[identifier], **more)  # type: ignore[arg-type]

    def _create_network(self, operation: Operation) -> None:
        key = operation.subject.partition(":")[2]
        digest = identity.network_hash(self.project.networks[key])
        name = operation.details.target
        assert name not in self.networks
        self.networks[name] = Resource(name, name, digest, self.project.name, key)

    def _remove_network(self, operation: Operation) -> None:
        name = operation.details.target
        assert not [one for one in self.containers.values() if name in one.networks]
        del self.networks[name]

    def _disconnect(self, operation: Operation) -> None:
        one = self.containers[self._id(operation)]
        self._change(one.id, networks=one.networks - {operation.details.name})

    def _create_volume(self, operation: Operation) -> None:
        key = operation.subject.partition(":")[2]
        digest = identity.volume_hash(self.project.volumes[key])
        name = operation.details.target
        assert name not in self.volumes
        self.volumes[name] = Resource(name, name, digest, self.project.name, key)

    def _remove_volume(self, operation: Operation) -> None:
        name = operation.details.target
        assert not [one for one in self.containers.values() if name in {volume for _, volume, _ in one.mounts}]
        del self.volumes[name]

    def _create_container(self, operation: Operation) -> None:
        service = self.project.services[operation.service]
        name = operation.details.name
        assert name not in {one.name for one in self.containers.values()}
        networks = frozenset(self.project.networks[key].name for key in service.networks)
        mounts = tuple(
            ("volume", self.project.volumes[m.source].name, m.target) for m in service.volumes if m.type == "volume"
        )
        assert networks <= self.networks.keys()
        assert {volume for _, volume, _ in mounts} <= self.volumes.keys()
        made = self._made[operation.number] = f"{next(_IDS):012x}".ljust(64, "0")
        image = self.images[identity.image_name(self.project, service)]
        digest = identity.service_hash(service, self.first_of)
        self.containers[made] = Container(
            made, name, service.name, operation.replica, "created", digest, image, networks, mounts,
        )  # fmt: skip

    def first_of(self, service: str) -> str:
        """Return the container whose namespaces others use."""
        return next((one.id for one in self.observed.of(service)), "")

    def _rename_container(self, operation: Operation) -> None:
        assert operation.details.name not in {one.name for one in self.containers.values()}
        self._change(self._id(operation), name=operation.details.name)

    def _start_container(self, operation: Operation) -> None:
        identifier = self._id(operation)
        assert self.containers[identifier].state != "running"
        self._change(identifier, state="running", health="healthy")

    def _stop_container(self, operation: Operation) -> None:
        assert self.containers[operation.details.target].running
        self._change(operation.details.target, state="exited")

    def _remove_container(self, operation: Operation) -> None:
        assert not self.containers[operation.details.target].running
        del self.containers[operation.details.target]

    def _await(self, operation: Operation) -> None:
        there = [one for one in self.containers.values() if one.service == operation.service]
        assert all(one.state == "running" for one in there)

    def _run_pre_start(self, operation: Operation) -> None:
        assert self.containers[self._id(operation)].state == "created"
