"""RUN: the command, and what is mounted while it runs. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import Final

from wharf.build.convert.metadata import joined, with_shell
from wharf.build.convert.options import SecretFile
from wharf.build.convert.scope import PROXIES
from wharf.build.convert.stage import StageState
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile import mounts as syntax
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.heredoc import parse_word
from wharf.build.dockerfile.words import Malformed, Rules, expand
from wharf.build.graph.operations import Exec, File, MakeFile, MakeFolder, Mount, Owner, SecretVariable
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.errors import InvalidArgument

Sources = Callable[[str, tuple[int, int]], Edge | None]
"""Finds a stage, a context or an image by name; "" is the main context, "scratch" is None."""

PIPES: Final = "/dev/pipes"
_DEFAULT_SECRET_MODE: Final = 0o400
_DEFAULT_AGENT_MODE: Final = 0o600


class _Mounts:
    """The mounts of a command, and the inputs that they need."""

    def __init__(self, root: Edge | None) -> None:
        self.inputs: list[Edge] = [root] if root else []
        self.mounts: list[Mount] = [Mount("/", 0 if root else -1, output=0)]
        self.secrets: list[SecretVariable] = []
        self.env: dict[str, str] = {}
        self.agents = 0

    def input(self, edge: Edge | None) -> int:
        """Return the index of an input, -1 for none."""
        if edge is None:
            return -1
        if edge not in self.inputs:
            self.inputs.append(edge)
        return self.inputs.index(edge)


def run(state: StageState, instruction: kinds.Run, sources: Sources) -> None:
    """RUN."""
    if not instruction.command:
        raise DockerfileError("RUN requires at least one argument", instruction.lines)
    mounts = _Mounts(state.edge)
    name = _shown(state, instruction)
    words = _command(instruction, mounts, str(state.platform))
    args = with_shell(state, words) if instruction.shell else list(words)
    for text in instruction.mounts:
        _add(state, _parsed(state, text, instruction), mounts, sources, instruction.lines)
    options = state.options
    operation = Exec(
        args=tuple(args),
        env=tuple(f"{key}={value}" for key, value in {**state.environment, **mounts.env}.items()),
        cwd=state.workdir,
        user=state.config.get("User") or "",
        mounts=tuple(mounts.mounts),
        network=options.network if instruction.network == "default" else instruction.network,
        security=instruction.security,
        hostname=options.hostname,
        extra_hosts=options.extra_hosts,
        ulimits=options.ulimits,
        cgroup_parent=options.cgroup_parent,
        shm_bytes=options.shm_bytes,
        secret_env=tuple(mounts.secrets),
        devices=tuple((device.name, device.required) for device in instruction.devices),
    )
    proxies = tuple(f"{key}={options.build_args[key]}" for key in PROXIES if key in options.build_args)
    state.edge = state.vertex(operation, tuple(mounts.inputs), name, instruction.lines, proxies)
    state.record("RUN " + _in_history(state, args), layer=True, buildkit=True)


def _shown(state: StageState, instruction: kinds.Run) -> str:
    text = instruction.original
    try:
        text = expand(text, _masked(state, instruction), Rules(state.escape, keep_quotes=True, keep_unset=True)).text
    except Malformed:
        text = instruction.original  # the shell may read it otherwise: its own concern
    word, _, rest = text.partition(" ")
    if instruction.documents and parse_word(" ".join(instruction.command)) is not None:
        rest += f" ({_summary(instruction.documents[0].content)})"
    return state.next_name(f"{word.upper()} {rest}")


def _masked(state: StageState, instruction: kinds.Run) -> Mapping[str, str]:
    """Return the environment with no secret's name in it: a value of that name is the secret's."""
    masked: dict[str, str] = {}
    for text in instruction.mounts:
        fields = [field.partition("=")[::2] for field in syntax.fields_of(text, "mounts")]
        masked |= {value: "****" for key, value in fields if key == "env" and ("type", "secret") in fields}
    return {**state.environment, **masked}


def _summary(text: str) -> str:
    line = text.lstrip().partition("\n")[0]
    return line if len(line) == len(text.strip()) and len(line) <= 16 else f"{line[:16].rstrip()}..."


def _command(instruction: kinds.Run, mounts: _Mounts, platform: str) -> tuple[str, ...]:
    """Return the words to run, with here-documents put in their place (Dockerfile reference)."""
    documents = instruction.documents
    if not documents:
        return instruction.command
    alone = parse_word(instruction.command[0]) is not None
    if not alone:
        return ("\n".join([instruction.command[0], *(f"{one.content}{one.name}" for one in documents)]),)
    text = documents[0].text
    if not text.startswith("#!"):
        return (text,)
    script = File((MakeFile(f"/{documents[0].name}", text.encode("utf-8", "surrogateescape"), 0o755),), base=-1)
    edge = Vertex(script, (), platform, Description("[internal] preparing inline document")).output()
    mounts.mounts.append(Mount(PIPES, mounts.input(edge), read_only=True))
    return (f"{PIPES}/{documents[0].name}",)


def _parsed(state: StageState, text: str, instruction: kinds.Run) -> syntax.Mount:
    def value(word: str) -> str:
        return state.expanded(word, instruction.lines).text

    try:
        return syntax.parse_mount(text, value)
    except DockerfileError:
        raise
    except InvalidArgument as error:
        raise DockerfileError(str(error), instruction.lines) from None


def _add(state: StageState, mount: syntax.Mount, mounts: _Mounts, sources: Sources, lines: tuple[int, int]) -> None:
    match mount.type:
        case "secret":
            _add_secret(mount, mounts, state)
        case "ssh":
            _add_agent(mount, mounts, state)
        case "tmpfs":
            mounts.mounts.append(Mount(_target(state, mount, lines), type="tmpfs", size_bytes=mount.size_bytes))
        case "cache":
            _add_cache(state, mount, mounts, sources, lines)
        case _:
            edge = sources(mount.from_, lines)
            mounts.mounts.append(
                Mount(
                    _target(state, mount, lines),
                    mounts.input(edge),
                    selector=_selector(mount.source),
                    read_only=mount.read_only is not False,
                )
            )


def _target(state: StageState, mount: syntax.Mount, lines: tuple[int, int]) -> str:
    target = joined(state.workdir, mount.target)  # without one, the folder where the command runs
    if target == "/":
        raise DockerfileError(f'invalid mount target "{target}"', lines)
    return target


def _selector(source: str) -> str:
    path = "/" + posixpath.normpath("/" + source).lstrip("/")
    return "" if path == "/" else path


def _add_cache(
    state: StageState, mount: syntax.Mount, mounts: _Mounts, sources: Sources, lines: tuple[int, int]
) -> None:
    edge = sources(mount.from_, lines) if mount.from_ else None
    selector = _selector(mount.source)
    owned = (mount.uid, mount.gid, mount.mode) != (None, None, None)
    if owned and not selector:
        folder = MakeFolder(
            "/cache", 0o755 if mount.mode is None else mount.mode, owner=Owner(mount.uid or 0, mount.gid or 0)
        )
        operation = File((folder,), base=0 if edge else -1)
        about = Description("[internal] setting cache mount permissions")
        edge = Vertex(operation, (edge,) if edge else (), str(state.platform), about).output()
        selector = "/cache"
    target = _target(state, mount, lines)
    namespace = state.options.build_args.get("BUILDKIT_CACHE_MOUNT_NS", "")
    cache_id = mount.id or posixpath.normpath(mount.target)
    mounts.mounts.append(
        Mount(
            target,
            mounts.input(edge),
            selector=selector,
            read_only=bool(mount.read_only),
            type="cache",
            id=f"{namespace}/{cache_id}",
            sharing=mount.sharing or "shared",
        )
    )


def _add_secret(mount: syntax.Mount, mounts: _Mounts, state: StageState) -> None:
    secret = mount.source or mount.id or posixpath.basename(mount.target)
    if mount.env is not None:
        mounts.secrets.append(SecretVariable(mount.env or secret, secret, optional=not mount.required))
        if not mount.target:
            return
    target = mount.target or f"/run/secrets/{posixpath.basename(secret)}"
    usual = state.options.secret_files.get(secret) or SecretFile()
    uid, gid, mode = (
        next(one for one in (said, usually, default) if one is not None)
        for said, usually, default in (
            (mount.uid, usual.uid, 0), (mount.gid, usual.gid, 0), (mount.mode, usual.mode, _DEFAULT_SECRET_MODE),
        )
    )  # fmt: skip
    mounts.mounts.append(
        Mount(
            joined(state.workdir, target),
            type="secret",
            id=secret,
            uid=uid,
            gid=gid,
            mode=mode,
            optional=not mount.required,
        )
    )


def _add_agent(mount: syntax.Mount, mounts: _Mounts, state: StageState) -> None:
    target = joined(state.workdir, mount.target) if mount.target else f"/run/buildkit/ssh_agent.{mounts.agents}"
    mounts.agents += 1
    mounts.env.setdefault("SSH_AUTH_SOCK", target)
    mode = _DEFAULT_AGENT_MODE if mount.mode is None else mount.mode
    mounts.mounts.append(
        Mount(
            target,
            type="ssh",
            id=mount.id or mount.source or "default",
            uid=mount.uid or 0,
            gid=mount.gid or 0,
            mode=mode,
            optional=not mount.required,
        )
    )


def _in_history(state: StageState, args: list[str]) -> str:
    values = {name: state.environment.get(name, value or "") for name, value in state.arguments.items()}
    given = [f"|{len(values)}", *(f"{name}={value}" for name, value in values.items())] if values else []
    return " ".join([*given, *args])
