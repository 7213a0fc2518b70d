"""From a statement to its instruction: counts, flags and forms are checked. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypedDict

from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError, at, meant
from wharf.build.dockerfile.flags import Flags, Kind
from wharf.build.dockerfile.health import health_check
from wharf.build.dockerfile.heredoc import parse_word
from wharf.build.dockerfile.mounts import check_early, parse_device
from wharf.build.dockerfile.statement import Statement
from wharf.errors import InvalidArgument

_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9\-_.]*")
_ONBUILD: Final = re.compile(r"^\s*ONBUILD\s*", re.IGNORECASE)
_COPY_FLAGS: Final[Mapping[str, Kind]] = {
    "chown": "string", "from": "string", "chmod": "string", "link": "bool", "exclude": "list", "parents": "bool",
}  # fmt: skip
_ADD_FLAGS: Final[Mapping[str, Kind]] = {
    "chown": "string", "chmod": "string", "link": "bool", "exclude": "list", "keep-git-dir": "bool",
    "checksum": "string", "unpack": "bool",
}  # fmt: skip
_RUN_FLAGS: Final[Mapping[str, Kind]] = {
    "mount": "list", "network": "string", "security": "string", "device": "list",
}  # fmt: skip
NETWORKS: Final = ("default", "none", "host")
SECURITY: Final = ("sandbox", "insecure")


class _Common(TypedDict):
    keyword: str
    original: str
    lines: tuple[int, int]
    comments: tuple[str, ...]


def instruction_of(statement: Statement) -> kinds.Any:
    """Return what ``statement`` says.

    Raises:
        DockerfileError: with its place, in BuildKit's words.
    """
    parse = _PARSERS.get(statement.keyword, _unknown)
    try:
        return parse(statement)
    except DockerfileError:
        raise
    except InvalidArgument as error:
        raise at(error, statement.lines) from None


def _unknown(statement: Statement) -> kinds.Any:
    suggestion = meant(statement.name, map(str.upper, _PARSERS), fold=True)
    raise InvalidArgument(f"unknown instruction: {statement.name}{suggestion}")


def _common(statement: Statement) -> _Common:
    return {
        "keyword": statement.keyword,
        "original": statement.original.strip(),
        "lines": statement.lines,
        "comments": statement.comments,
    }


def _no_flags(statement: Statement) -> None:
    Flags(statement.flags, {})


def _one(statement: Statement) -> str:
    if len(statement.args) != 1:
        raise InvalidArgument(f"{statement.name.upper()} requires exactly one argument")
    return statement.args[0]


def _some(statement: Statement) -> tuple[str, ...]:
    if not statement.args:
        raise InvalidArgument(f"{statement.name.upper()} requires at least one argument")
    return statement.args


def _pairs(statement: Statement) -> tuple[kinds.Pair, ...]:
    _no_flags(statement)
    args = _some(statement)
    pairs = [kinds.Pair(args[i], args[i + 1], legacy=not args[i + 2]) for i in range(0, len(args), 3)]
    if any(not pair.name for pair in pairs):
        raise InvalidArgument(f"{statement.name.upper()} names can not be blank")
    return tuple(pairs)


def _env(statement: Statement) -> kinds.Env:
    return kinds.Env(**_common(statement), pairs=_pairs(statement))


def _label(statement: Statement) -> kinds.Label:
    return kinds.Label(**_common(statement), pairs=_pairs(statement))


def _maintainer(statement: Statement) -> kinds.Maintainer:
    name = _one(statement)
    _no_flags(statement)
    return kinds.Maintainer(**_common(statement), name=name)


def _copy(statement: Statement) -> kinds.Copy:
    name = statement.name.upper()
    if len(statement.args) < 2:
        raise InvalidArgument(
            f"{name} requires at least two arguments, but only one was provided. Destination could not be determined"
        )
    flags = Flags(statement.flags, _ADD_FLAGS if name == "ADD" else _COPY_FLAGS)
    *sources, destination = statement.args
    if parse_word(destination) is not None:
        raise InvalidArgument(f"{name} cannot accept a heredoc as a destination")
    announced = {source: found.name for source in sources if (found := parse_word(source)) is not None}
    contents = {document.name: document for document in statement.heredocs}
    return kinds.Copy(
        **_common(statement),
        sources=tuple(source for source in sources if source not in announced),
        documents=tuple(contents[announced[source]] for source in sources if announced.get(source) in contents),
        destination=destination,
        from_=flags.text("from"),
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.on("link"),
        parents=flags.on("parents"),
        exclude=flags.all("exclude"),
        checksum=flags.text("checksum"),
        keep_git_dir=flags.choice("keep-git-dir"),
        unpack=flags.choice("unpack"),
    )


def _on_build(statement: Statement) -> kinds.OnBuild:
    if statement.child is None:
        raise InvalidArgument("ONBUILD requires at least one argument")
    _no_flags(statement)
    trigger = statement.child.name.upper()
    if trigger == "ONBUILD":
        raise InvalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise InvalidArgument(f"{trigger} isn't allowed as an ONBUILD trigger")
    line = _ONBUILD.sub("", statement.original)
    for document in statement.heredocs:
        line += f"\n{document.content}{document.name}"
    return kinds.OnBuild(**_common(statement), trigger=line)


def _workdir(statement: Statement) -> kinds.Workdir:
    path = _one(statement)
    _no_flags(statement)
    return kinds.Workdir(**_common(statement), path=path)


def _command_words(statement: Statement) -> tuple[str, ...]:
    if not statement.args or statement.json:
        return statement.args
    return (" ".join(statement.args),)


def _run(statement: Statement) -> kinds.Run:
    flags = Flags(statement.flags, _RUN_FLAGS)
    for mount in flags.all("mount"):
        check_early(mount)
    network, security = flags.text("network", "default"), flags.text("security", "sandbox")
    if network not in NETWORKS:
        raise InvalidArgument(f'invalid network mode "{network}"')
    if security not in SECURITY:
        raise InvalidArgument(f'security "{security}" is not valid')
    return kinds.Run(
        **_common(statement),
        command=_command_words(statement),
        shell=not statement.json,
        documents=statement.heredocs,
        mounts=flags.all("mount"),
        network=network,
        security=security,
        devices=tuple(map(parse_device, flags.all("device"))),
    )


def _command(statement: Statement) -> kinds.Command:
    _no_flags(statement)
    return kinds.Command(**_common(statement), command=_command_words(statement), shell=not statement.json)


def _health(statement: Statement) -> kinds.HealthCheck:
    _some(statement)
    return kinds.HealthCheck(**_common(statement), check=health_check(statement))


def _expose(statement: Statement) -> kinds.Expose:
    ports = _some(statement)
    _no_flags(statement)
    return kinds.Expose(**_common(statement), ports=tuple(sorted(ports)))


def _user(statement: Statement) -> kinds.User:
    user = _one(statement)
    _no_flags(statement)
    return kinds.User(**_common(statement), user=user)


def _volume(statement: Statement) -> kinds.Volume:
    paths = tuple(path.strip() for path in _some(statement))
    _no_flags(statement)
    if not all(paths):
        raise InvalidArgument("VOLUME specified can not be an empty string")
    return kinds.Volume(**_common(statement), paths=paths)


def _stop_signal(statement: Statement) -> kinds.StopSignal:
    return kinds.StopSignal(**_common(statement), signal=_one(statement))


def _arg(statement: Statement) -> kinds.Arg:
    found = []
    for word in _some(statement):
        name, equals, value = word.partition("=")
        if equals and not name:
            raise InvalidArgument("ARG names can not be blank")
        found.append(kinds.Argument(name, value if equals else None, described(statement.comments, name)))
    return kinds.Arg(**_common(statement), arguments=tuple(found))


def _shell(statement: Statement) -> kinds.Shell:
    _no_flags(statement)
    words = _some(statement)
    if not statement.json:
        raise InvalidArgument("SHELL requires the arguments to be in JSON form")
    return kinds.Shell(**_common(statement), shell=words)


def _from(statement: Statement) -> kinds.From:
    args = statement.args
    name = ""
    if len(args) == 3 and args[1].lower() == "as":
        name = args[2].lower()
        if not _STAGE_NAME.fullmatch(name):
            raise InvalidArgument(
                f'invalid name for build stage: "{args[2]}", name can\'t start with a number or contain symbols'
            )
    elif len(args) != 1:
        raise InvalidArgument("FROM requires either one or three arguments")
    flags = Flags(statement.flags, {"platform": "string"})
    return kinds.From(
        **_common(statement),
        base=args[0],
        name=name,
        platform=flags.text("platform"),
        description=described(statement.comments, name),
        words=(statement.name, *args),
    )


def described(comments: tuple[str, ...], name: str) -> str:
    """Return what the comments above say of ``name``: a line that begins with it."""
    return next((line[len(name) + 1 :] for line in comments if name and line.startswith(f"{name} ")), "")


_PARSERS: Final[Mapping[str, Callable[[Statement], kinds.Any]]] = {
    "add": _copy,
    "arg": _arg,
    "cmd": _command,
    "copy": _copy,
    "entrypoint": _command,
    "env": _env,
    "expose": _expose,
    "from": _from,
    "healthcheck": _health,
    "label": _label,
    "maintainer": _maintainer,
    "onbuild": _on_build,
    "run": _run,
    "shell": _shell,
    "stopsignal": _stop_signal,
    "user": _user,
    "volume": _volume,
    "workdir": _workdir,
}
