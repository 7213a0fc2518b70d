"""A container's whole body for ``POST /containers/create``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wharf.compose import identity
from wharf.compose.create.limits import resources, restart_policy
from wharf.compose.create.mounts import mounts_of, tmpfs_of
from wharf.compose.create.networking import (
    endpoints,
    exposed_ports,
    links_of,
    network_mode,
    port_bindings,
    shared,
)
from wharf.compose.create.security import security_options
from wharf.compose.model.hooks import HealthCheck
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.compose.plan.observed import Container

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Others:
    """What a container has to know of others: looked up when it is created."""

    container: Callable[[str], str]  # a service's name -> the id of one of its containers
    names: Callable[[str], list[str]]  # a service's name -> its containers' names
    read: Callable[[str], bytes]  # a file's path -> what is in it


@dataclass(frozen=True, slots=True)
class Make:
    """How one container is made."""

    number: int = 1
    inherit: Container | None = None
    image_id: str = ""
    oneoff: bool = False
    aliases: bool = True
    attach_stdin: bool = False
    auto_remove: bool = False
    labels: tuple[tuple[str, str], ...] = ()


def container_document(project: Project, service: Service, make: Make, others: Others) -> Document:
    """Return the body that creates one of a service's containers."""
    labels = identity.container_labels(project, service, make.number, others.container, oneoff=make.oneoff)
    labels |= dict(make.labels)
    if make.image_id:
        labels[identity.IMAGE] = make.image_id
    if make.inherit is not None:
        labels[identity.REPLACE] = make.inherit.name
    links = links_of(project, service, others.names)
    document: Document = {
        "Hostname": service.hostname,
        "Domainname": service.domainname,
        "User": service.user,
        "AttachStdin": make.attach_stdin,
        "AttachStdout": True,
        "AttachStderr": True,
        "Tty": service.tty,
        "OpenStdin": service.stdin_open,
        "StdinOnce": make.attach_stdin and service.stdin_open,
        "Env": [k if v is None else f"{k}={v}" for k, v in sorted(service.environment.items())],
        "Cmd": service.command,
        "Entrypoint": service.entrypoint,
        "Image": identity.image_name(project, service),
        "WorkingDir": service.working_dir,
        "Labels": labels,
        "ExposedPorts": exposed_ports(service),
        "HostConfig": _host_config(project, service, make, others, links),
    }
    if service.stop_signal:
        document["StopSignal"] = service.stop_signal
    if service.stop_grace_period is not None:
        document["StopTimeout"] = -(-int(service.stop_grace_period) // 1_000_000_000)
    health = _health(service.healthcheck)
    if health:
        document["Healthcheck"] = health
    ends = endpoints(project, service, make.number, links, aliases=make.aliases)
    if ends:
        document["NetworkingConfig"] = {"EndpointsConfig": ends}
    return document


def _health(check: HealthCheck | None) -> Document:
    if check is None:
        return {}
    if check.disable:
        return {"Test": ["NONE"]}
    times = {
        "Interval": check.interval, "Timeout": check.timeout, "StartPeriod": check.start_period,
        "StartInterval": check.start_interval,
    }  # fmt: skip
    found: Document = {name: int(value) for name, value in times.items() if value}
    if check.test:
        found["Test"] = check.test
    if check.retries:
        found["Retries"] = check.retries
    return found


def _host_config(project: Project, service: Service, make: Make, others: Others, links: list[str]) -> Document:
    lookup = others.container
    security, unmasked = security_options(project, service, others.read)
    fields: Document = {
        "AutoRemove": make.auto_remove,
        "Annotations": service.annotations,
        "Mounts": mounts_of(project, service, make.inherit),
        "Tmpfs": tmpfs_of(service),
        "CapAdd": service.cap_add,
        "CapDrop": service.cap_drop,
        "NetworkMode": network_mode(project, service, lookup),
        "IpcMode": shared(service.ipc, lookup),
        "PidMode": shared(service.pid or "", lookup),
        "UTSMode": shared(service.uts, lookup),
        "UsernsMode": service.userns_mode,
        "CgroupnsMode": service.cgroup,
        "ReadonlyRootfs": service.read_only,
        "RestartPolicy": restart_policy(service),
        "ShmSize": int(service.shm_size),
        "Sysctls": {name: value or "" for name, value in service.sysctls.items()},
        "PortBindings": port_bindings(service),
        "VolumesFrom": [_volumes_from(text, lookup) for text in service.volumes_from],
        "Dns": service.dns,
        "DnsSearch": service.dns_search,
        "DnsOptions": service.dns_opt,
        "ExtraHosts": [f"{name}:{one}" for name, many in sorted(service.extra_hosts.items()) for one in many],
        "SecurityOpt": security,
        "StorageOpt": service.storage_opt,
        "Privileged": service.privileged,
        "Isolation": service.isolation,
        "Runtime": service.runtime,
        "GroupAdd": service.group_add,
        "OomScoreAdj": service.oom_score_adj,
        # The links of a user network are its endpoints'.
        "Links": links if service.network_mode == "bridge" else None,
        **resources(service),
    }
    found = {name: value for name, value in fields.items() if value}
    if unmasked:
        found |= {"MaskedPaths": [], "ReadonlyPaths": []}
    if service.init is not None:
        found["Init"] = service.init
    if service.logging is not None:
        options = {name: value or "" for name, value in service.logging.options.items()}
        found["LogConfig"] = {"Type": service.logging.driver, "Config": options}
    return found


def _volumes_from(text: str, lookup: Callable[[str], str]) -> str:
    if text.startswith("container:"):
        return text.removeprefix("container:")
    name, colon, mode = text.partition(":")
    return f"{lookup(name)}{colon}{mode}"
