"""The process part: arguments, environment, user, limits, capabilities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wharf.engine.ocispec import security
from wharf.engine.ocispec.inputs import HostFacts, Inputs
from wharf.errors import InvalidArgument
from wharf.kernel.rlimit import NUMBER_OF
from wharf.spec.engine_api.container import ContainerConfig, HostConfig
from wharf.spec.engine_api.exec import ExecConfig
from wharf.spec.oci_runtime import Process, Rlimit, User

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def of_container(inputs: Inputs) -> Process:
    """Return the process of a container's init."""
    config, host = inputs.config, inputs.host_config
    tty = bool(config.get("Tty"))
    process: Process = {
        "terminal": tty,
        "cwd": config.get("WorkingDir") or "/",
        "args": inputs.argv,
        "env": environment(config.get("Env") or [], tty=tty, hostname=inputs.hostname),
        "user": user(config.get("User") or "", host.get("GroupAdd") or []),
        "capabilities": security.capabilities(host, inputs.facts),
        "noNewPrivileges": security.no_new_privileges(host),
        "rlimits": rlimits(host),
        "oomScoreAdj": host.get("OomScoreAdj") or 0,
    }
    _add_labels(process, host, inputs.facts)
    size = host.get("ConsoleSize")
    if tty and size and all(size):
        process["consoleSize"] = {"height": size[0], "width": size[1]}
    return process


def of_exec(config: ContainerConfig, host: HostConfig, asked: ExecConfig, facts: HostFacts) -> Process:
    """Return one more process of a container, which runs as its init does unless ``asked`` says otherwise."""
    tty = bool(asked.get("Tty"))
    env = [*(config.get("Env") or []), *(asked.get("Env") or [])]
    if asked.get("Privileged"):
        host = {**host, "Privileged": True}
    process: Process = {
        "terminal": tty,
        "args": asked.get("Cmd") or [],
        "cwd": asked.get("WorkingDir") or config.get("WorkingDir") or "/",
        "env": environment(env, tty=tty, hostname=config.get("Hostname") or ""),
        "user": user(asked.get("User") or config.get("User") or "", host.get("GroupAdd") or []),
        "capabilities": security.capabilities(host, facts),
        "noNewPrivileges": security.no_new_privileges(host),
        "rlimits": rlimits(host),
        "oomScoreAdj": host.get("OomScoreAdj") or 0,
    }
    _add_labels(process, host, facts)
    return process


def _add_labels(process: Process, host: HostConfig, facts: HostFacts) -> None:
    if profile := security.apparmor_profile(host, facts):
        process["apparmorProfile"] = profile
    if label := security.selinux_labels(host, facts)[0]:
        process["selinuxLabel"] = label


def environment(env: Iterable[str], *, tty: bool, hostname: str) -> list[str]:
    """Return PATH, HOSTNAME and (with a terminal) TERM, overridden and extended by ``env``; "NAME" alone unsets."""
    merged = {"PATH": DEFAULT_PATH, "HOSTNAME": hostname}
    if tty:
        merged["TERM"] = "xterm"
    for entry in env:
        name, equals, value = entry.partition("=")
        if equals:
            merged[name] = value
        else:
            merged.pop(name, None)
    return [f"{name}={value}" for name, value in merged.items()]


def user(name: str, group_add: Iterable[str]) -> User:
    """Return the user in OCI form.

    Names are left in ``username`` and ``groupnames`` (our extension) for the runtime, which reads /etc/passwd and
    /etc/group inside the container's root: nothing outside needs to trust them.
    """
    account, _, group = name.partition(":")
    result: User = {
        "uid": int(account) if account.isdigit() else 0,
        "gid": int(group) if group.isdigit() else 0,
        "username": name or "0",  # the groups of root's are looked up, too
    }
    if names := list(group_add):
        result["groupnames"] = names
    return result


def rlimits(host: HostConfig) -> list[Rlimit]:
    """Return --ulimit as the specification names them.

    Raises:
        InvalidArgument: there is no such limit, or it is above what it could be raised to.
    """
    limits: list[Rlimit] = []
    for ulimit in host.get("Ulimits") or []:
        name, soft, hard = ulimit.get("Name") or "", ulimit.get("Soft") or 0, ulimit.get("Hard") or 0
        if hard != -1 and (soft > hard or soft == -1):
            raise InvalidArgument(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
        if (kind := f"RLIMIT_{name.upper()}") not in NUMBER_OF:
            raise InvalidArgument(f"invalid ulimit type: {name}")
        limits.append({"type": kind, "soft": _unlimited(soft), "hard": _unlimited(hard)})
    return limits


def merge_env(image: Iterable[str], own: Iterable[str]) -> list[str]:
    """Return the image's environment with the container's own over it, the image's order first."""
    merged: dict[str, str] = {}
    for entry in [*image, *own]:
        merged[entry.partition("=")[0]] = entry
    return list(merged.values())


def merge_labels(image: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the image's labels with the container's own over them."""
    return {**image, **own}


def _unlimited(value: int) -> int:
    return 2**64 - 1 if value < 0 else value
