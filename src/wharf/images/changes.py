"""``--change``: Dockerfile instructions that set an image's configuration (docker import, docker commit). Pure."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.spec.oci_image import ExecutionConfig, Healthcheck

_SHELL: Final = ["/bin/sh", "-c"]
_VARIABLE: Final = re.compile(r"\\(.)|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})", re.DOTALL)
_PORT: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.IGNORECASE)
_DURATIONS: Final = {
    "interval": "Interval",
    "timeout": "Timeout",
    "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}


def apply_changes(config: ExecutionConfig, changes: Iterable[str]) -> ExecutionConfig:
    """Return ``config`` changed by each instruction in turn (Dockerfile reference).

    Raises:
        InvalidArgument: an instruction is unknown, not allowed here, or malformed.
    """
    changed: ExecutionConfig = {**config}
    for line in changes:
        for logical in _lines(line):
            _apply(changed, logical)
    return changed


def _lines(text: str) -> list[str]:
    joined = re.sub(r"\\[ \t]*\n", "", text)
    return [line.strip() for line in joined.split("\n") if line.strip() and not line.lstrip().startswith("#")]


def _apply(config: ExecutionConfig, line: str) -> None:
    word, _, rest = line.partition(" ")
    instruction = _INSTRUCTIONS.get(word.upper())
    if instruction is None:
        raise InvalidArgument(f"{word.upper()} is not a valid change command")
    if not rest.strip():
        raise InvalidArgument(f"{word.upper()} requires at least one argument")
    instruction(config, rest.strip())


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Return ``text`` with $NAME, ${NAME}, ${NAME:-word} and ${NAME:+word} replaced (Dockerfile reference)."""

    def replacement(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1] if match[1] == "$" else match[0]
        value = environment.get(match[2] or match[3], "")
        if match[4] == "-":
            return value or match[5]
        return (match[5] if value else "") if match[4] == "+" else value

    return _VARIABLE.sub(replacement, text)


def _environment(config: ExecutionConfig) -> dict[str, str]:
    return dict(_pair(entry) for entry in config.get("Env") or [])


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _words(text: str, config: ExecutionConfig) -> list[str]:
    try:
        return shlex.split(expand(text, _environment(config)))
    except ValueError as error:
        raise InvalidArgument(f"malformed change {text!r}: {error}") from None


def _json_list(text: str) -> list[str] | None:
    """Return the exec form, ``["a", "b"]``; None when ``text`` is not one."""
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def _command_line(text: str) -> list[str]:
    exec_form = _json_list(text)
    return [*_SHELL, text] if exec_form is None else exec_form


def _cmd(config: ExecutionConfig, text: str) -> None:
    config["Cmd"] = _command_line(text)


def _entrypoint(config: ExecutionConfig, text: str) -> None:
    config["Entrypoint"] = _command_line(text)


def _pairs(name: str, text: str, config: ExecutionConfig) -> dict[str, str]:
    """Return ``NAME=value ...`` or the old form, ``NAME rest of the line``."""
    first, _, rest = text.partition(" ")
    if "=" not in first:
        if not rest.strip():
            raise InvalidArgument(f"{name} must have two arguments")
        return {first: expand(rest.strip(), _environment(config))}
    words = _words(text, config)
    if bad := next((word for word in words if "=" not in word or word.startswith("=")), None):
        raise InvalidArgument(f"Syntax error - can't find = in {bad!r}. Must be of the form: name=value")
    return dict(map(_pair, words))


def _env(config: ExecutionConfig, text: str) -> None:
    merged = {**_environment(config), **_pairs("ENV", text, config)}
    config["Env"] = [f"{name}={value}" for name, value in merged.items()]


def _label(config: ExecutionConfig, text: str) -> None:
    config["Labels"] = {**(config.get("Labels") or {}), **_pairs("LABEL", text, config)}


def _expose(config: ExecutionConfig, text: str) -> None:
    ports = dict(config.get("ExposedPorts") or {})
    for word in _words(text, config):
        match = _PORT.fullmatch(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not match or not 0 < first <= last <= 65535:
            raise InvalidArgument(f"invalid containerPort: {word}")
        for port in range(first, last + 1):
            ports[f"{port}/{(match[3] or 'tcp').lower()}"] = {}
    config["ExposedPorts"] = ports


def _user(config: ExecutionConfig, text: str) -> None:
    words = _words(text, config)
    if len(words) != 1:
        raise InvalidArgument("USER requires exactly one argument")
    config["User"] = words[0]


def _volume(config: ExecutionConfig, text: str) -> None:
    paths = _json_list(text)
    volumes = dict(config.get("Volumes") or {})
    for path in _words(text, config) if paths is None else paths:
        if not path.strip():
            raise InvalidArgument("VOLUME specified can not be an empty string")
        volumes[path.strip()] = {}
    config["Volumes"] = volumes


def _workdir(config: ExecutionConfig, text: str) -> None:
    words = _words(text, config)
    path = " ".join(words)
    config["WorkingDir"] = posixpath.normpath(posixpath.join(config.get("WorkingDir") or "/", path))


def _stop_signal(config: ExecutionConfig, text: str) -> None:
    config["StopSignal"] = expand(text, _environment(config))


def _on_build(config: ExecutionConfig, text: str) -> None:
    word = text.split(maxsplit=1)[0].upper()
    if word == "ONBUILD":
        raise InvalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if word in ("MAINTAINER", "FROM"):
        raise InvalidArgument(f"{word} isn't allowed as an ONBUILD trigger")
    config["OnBuild"] = [*(config.get("OnBuild") or []), text]


def _healthcheck(config: ExecutionConfig, text: str) -> None:
    check: Healthcheck = {}
    while text.startswith("--"):
        option, _, text = text[2:].partition(" ")
        text = text.strip()
        name, equals, value = option.partition("=")
        if not equals or (name not in _DURATIONS and name != "retries"):
            raise InvalidArgument(f"Unknown flag: {name}")
        _set_option(check, name, value)
    kind, _, rest = text.partition(" ")
    if kind.upper() == "NONE" and not rest.strip() and not check:
        config["Healthcheck"] = {"Test": ["NONE"]}
        return
    if kind.upper() != "CMD" or not rest.strip():
        raise InvalidArgument(f"Unknown type {kind!r} in HEALTHCHECK (try CMD)")
    exec_form = _json_list(rest.strip())
    check["Test"] = ["CMD-SHELL", rest.strip()] if exec_form is None else ["CMD", *exec_form]
    config["Healthcheck"] = check


def _set_option(check: Healthcheck, name: str, value: str) -> None:
    if name == "retries":
        if not value.isdigit() or int(value) < 1:
            raise InvalidArgument("--retries must be at least 1")
        check["Retries"] = int(value)
        return
    duration_ns = parse_duration(value)
    if 0 < duration_ns < 1_000_000 or duration_ns < 0:
        raise InvalidArgument(f'Interval "{name}" cannot be less than 1ms')
    check[_DURATIONS[name]] = duration_ns  # type: ignore[literal-required]  # the table's values are its keys


_INSTRUCTIONS: Final[Mapping[str, Callable[[ExecutionConfig, str], None]]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _on_build,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
