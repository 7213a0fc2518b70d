"""Every instruction of the language as a value. Variables in them are as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from wharf.build.dockerfile.heredoc import Heredoc
from wharf.build.dockerfile.mounts import Device
from wharf.spec.oci_image import Healthcheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What all of them have."""

    keyword: str  # lower case
    original: str  # the line as written, continuation lines joined
    lines: tuple[int, int]  # from 1
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """``name=value``; ``legacy`` when it was written ``name value``."""

    name: str
    value: str
    legacy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Env(Instruction):
    """ENV."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Instruction):
    """LABEL."""

    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Instruction):
    """COPY and ADD: sources are paths, addresses, or here-documents, each kind in its order."""

    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...]
    destination: str
    from_: str = ""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    parents: bool = False
    exclude: tuple[str, ...] = ()
    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None

    @property
    def adds(self) -> bool:
        """Whether it is ADD, which also fetches and unpacks."""
        return self.keyword == "add"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBuild(Instruction):
    """ONBUILD: a line that is read when another build starts from this image."""

    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workdir(Instruction):
    """WORKDIR."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Instruction):
    """RUN."""

    command: tuple[str, ...]  # one text in the shell form
    shell: bool
    documents: tuple[Heredoc, ...] = ()
    mounts: tuple[str, ...] = ()  # as written: they may hold variables
    network: str = "default"
    security: str = "sandbox"
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command(Instruction):
    """CMD and ENTRYPOINT."""

    command: tuple[str, ...]
    shell: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck(Instruction):
    """HEALTHCHECK."""

    check: Healthcheck


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose(Instruction):
    """EXPOSE."""

    ports: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Instruction):
    """USER."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume(Instruction):
    """VOLUME."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSignal(Instruction):
    """STOPSIGNAL."""

    signal: str


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a build; ``default`` is None without one."""

    name: str
    default: str | None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arg(Instruction):
    """ARG."""

    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell(Instruction):
    """SHELL."""

    shell: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class From(Instruction):
    """FROM: begins a stage."""

    base: str
    name: str = ""
    platform: str = ""
    description: str = ""
    words: tuple[str, ...] = ()  # as written, for the checks


Any: TypeAlias = (
    Env | Label | Maintainer | Copy | OnBuild | Workdir | Run | Command | HealthCheck | Expose | User | Volume
    | StopSignal | Arg | Shell | From
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """FROM and what follows it."""

    begin: From
    instructions: tuple[Any, ...]

    @property
    def name(self) -> str:
        """Its name, "" for none."""
        return self.begin.name


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """A whole file."""

    arguments: tuple[Arg, ...]  # before the first FROM
    stages: tuple[Stage, ...]
    escape: str = "\\"
