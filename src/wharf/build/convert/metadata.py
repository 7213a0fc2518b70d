"""Instructions that change the configuration alone. Pure."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from wharf.build.convert.scope import NOT_ENVIRONMENT
from wharf.build.convert.stage import StageState
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.graph.operations import File, MakeFolder, Owner
from wharf.errors import InvalidArgument
from wharf.lib.signals import parse_signal
from wharf.spec.oci_image import Healthcheck

_PORT: Final = re.compile(r"(?:(?P<host>.*):)?(?P<first>\d{1,5})(?:-(?P<last>\d{1,5}))?(?:/(?P<protocol>\w+))?")
DEFAULT_SHELL: Final = ("/bin/sh", "-c")


def with_shell(state: StageState, command: Iterable[str]) -> list[str]:
    """Return a command in the shell form as the shell is called."""
    return [*(state.config.get("Shell") or DEFAULT_SHELL), " ".join(command)]


def set_variable(entries: list[str], name: str, value: str) -> list[str]:
    """Return an environment with one variable set, in its old place if it has one."""
    entry = f"{name}={value}"
    names = [old.partition("=")[0] for old in entries]
    if name in names:
        at = names.index(name)
        return [*entries[:at], entry, *entries[at + 1 :]]
    return [*entries, entry]


def env(state: StageState, instruction: kinds.Env) -> None:
    """ENV."""
    before, said = dict(state.environment), "ENV"
    for pair in instruction.pairs:
        name = _word(state, pair.name, instruction, before)
        value = _word(state, pair.value, instruction, before)
        state.environment[name] = value
        state.config["Env"] = set_variable(state.config.get("Env") or [], name, value)
        said += f" {name}={value}"
    state.record(said)


def label(state: StageState, instruction: kinds.Label) -> None:
    """LABEL."""
    labels, said = dict(state.config.get("Labels") or {}), "LABEL"
    for pair in instruction.pairs:
        name, value = _word(state, pair.name, instruction), _word(state, pair.value, instruction)
        labels[name] = value
        said += f" {name}={value}"
    state.config["Labels"] = labels
    state.record(said)


def maintainer(state: StageState, instruction: kinds.Maintainer) -> None:
    """MAINTAINER."""
    state.image["author"] = instruction.name
    state.record(f"MAINTAINER {instruction.name}")


def arg(state: StageState, instruction: kinds.Arg, shared: Mapping[str, str]) -> None:
    """ARG; ``shared`` has the arguments from before the first FROM."""
    said = []
    for argument in instruction.arguments:
        name = _word(state, argument.name, instruction)
        value = state.options.build_args.get(name)
        if value is None and argument.default is not None:
            value = _word(state, argument.default, instruction)
        elif value is None:
            value = shared.get(name)
        environment = {entry.partition("=")[0] for entry in state.config.get("Env") or []}
        if value is not None and name not in NOT_ENVIRONMENT and name not in environment:
            state.environment[name] = value
        state.arguments[name] = value
        said.append(name if value is None else f"{name}={value}")
    state.record("ARG " + " ".join(said))


def command(state: StageState, instruction: kinds.Command) -> None:
    """CMD and ENTRYPOINT."""
    words = with_shell(state, instruction.command) if instruction.shell else list(instruction.command)
    if instruction.keyword == "cmd":
        state.config["Cmd"] = words
        state.config["ArgsEscaped"] = True
        state.command_set = True
    else:
        state.config["Entrypoint"] = words
        if not state.command_set:
            state.config["Cmd"] = None
    state.record(f"{instruction.keyword.upper()} [{' '.join(map(_quoted, words))}]")


def health_check(state: StageState, instruction: kinds.HealthCheck) -> None:
    """HEALTHCHECK."""
    state.config["Healthcheck"] = instruction.check
    state.record(f"HEALTHCHECK {_as_go_prints(instruction.check)}")


def expose(state: StageState, instruction: kinds.Expose) -> None:
    """EXPOSE."""
    ports: list[str] = []
    for text in instruction.ports:
        for word in state.expanded(text, instruction.lines).words:
            ports += _ports(word, instruction.lines)
    ports = sorted(set(ports))
    state.config["ExposedPorts"] = {**(state.config.get("ExposedPorts") or {}), **{port: {} for port in ports}}
    state.record(f"EXPOSE [{' '.join(ports)}]")


def _ports(word: str, lines: tuple[int, int]) -> list[str]:
    match = _PORT.fullmatch(word)
    first, last = (int(match["first"]), int(match["last"] or match["first"])) if match else (1, 0)
    if match is None or not 0 < first <= last <= 65535:
        raise DockerfileError(f"invalid containerPort: {word}", lines)
    protocol = (match["protocol"] or "tcp").lower()
    if protocol not in ("tcp", "udp", "sctp"):
        raise DockerfileError(f"invalid proto: {match['protocol']}", lines)
    return [f"{port}/{protocol}" for port in range(first, last + 1)]


def user(state: StageState, instruction: kinds.User) -> None:
    """USER."""
    state.config["User"] = _word(state, instruction.user, instruction)
    state.record(f"USER {state.config['User']}")


def volume(state: StageState, instruction: kinds.Volume) -> None:
    """VOLUME."""
    paths = [_word(state, path, instruction) for path in instruction.paths]
    if not all(paths):
        raise DockerfileError("VOLUME specified can not be an empty string", instruction.lines)
    state.config["Volumes"] = {**(state.config.get("Volumes") or {}), **{path: {} for path in paths}}
    state.record(f"VOLUME [{' '.join(paths)}]")


def stop_signal(state: StageState, instruction: kinds.StopSignal) -> None:
    """STOPSIGNAL."""
    signal = _word(state, instruction.signal, instruction)
    try:
        parse_signal(signal)
    except InvalidArgument as error:
        raise DockerfileError(str(error), instruction.lines) from None
    state.config["StopSignal"] = signal
    state.record(f"STOPSIGNAL {signal}")


def shell(state: StageState, instruction: kinds.Shell) -> None:
    """SHELL."""
    state.config["Shell"] = list(instruction.shell)
    state.record(f"SHELL [{' '.join(instruction.shell)}]")


def on_build(state: StageState, instruction: kinds.OnBuild) -> None:
    """ONBUILD."""
    state.config["OnBuild"] = [*(state.config.get("OnBuild") or []), instruction.trigger]


def workdir(state: StageState, instruction: kinds.Workdir) -> None:
    """WORKDIR: also makes the folder."""
    state.workdir_set = True
    path = joined(state.workdir, _word(state, instruction.path, instruction))
    state.config["WorkingDir"] = path
    if path != "/":
        name = state.next_name(f"WORKDIR {_word(state, instruction.path, instruction)}")
        owner = owner_of(state.config.get("User") or "")
        created = None if state.epoch_s is None else state.epoch_s * 1_000_000_000
        action = MakeFolder(path, parents=True, owner=owner, created_ns=created)
        operation = File((action,), base=0 if state.edge else -1)
        state.edge = state.vertex(operation, (state.edge,) if state.edge else (), name, instruction.lines)
    state.record(f"WORKDIR {path}", layer=path != "/")


def joined(folder: str, path: str) -> str:
    """Return ``path`` below ``folder`` unless it is absolute; clean."""
    return "/" + posixpath.normpath(posixpath.join("/", folder, path)).lstrip("/")


def owner_of(text: str) -> Owner | None:
    """Return the owner that ``user[:group]`` names; None for ""."""
    if not text:
        return None
    name, colon, group = text.partition(":")
    return Owner(_account(name), _account(group) if colon and group else None)


def _account(text: str) -> str | int:
    return int(text) if text.isdigit() else text


def _word(
    state: StageState, text: str, instruction: kinds.Instruction, environment: Mapping[str, str] | None = None
) -> str:
    return state.expanded(text, instruction.lines, environment=environment).text


def _quoted(word: str) -> str:
    return json.dumps(word, ensure_ascii=False)


def _as_go_prints(check: Healthcheck) -> str:
    times = ("Interval", "Timeout", "StartPeriod", "StartInterval")
    durations = " ".join(f"{name}:{_go_duration(int(check.get(name) or 0))}" for name in times)  # type: ignore[call-overload]
    return f"{{Test:[{' '.join(check.get('Test') or [])}] {durations} Retries:{check.get('Retries') or 0}}}"


def _go_duration(duration_ns: int) -> str:
    """Return a duration as Go prints one: ``1m30s``."""
    if duration_ns < 1_000_000_000:
        milliseconds = duration_ns / 1_000_000
        return "0s" if not duration_ns else f"{milliseconds:g}ms"
    minutes, seconds = divmod(duration_ns / 1_000_000_000, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{text}{seconds:g}s"


SIMPLE: Final[Mapping[type, Callable[[StageState, Any], None]]] = {
    kinds.Env: env,
    kinds.Label: label,
    kinds.Maintainer: maintainer,
    kinds.Command: command,
    kinds.HealthCheck: health_check,
    kinds.Expose: expose,
    kinds.User: user,
    kinds.Volume: volume,
    kinds.StopSignal: stop_signal,
    kinds.Shell: shell,
    kinds.OnBuild: on_build,
    kinds.Workdir: workdir,
}
"""What needs nothing but the stage."""
