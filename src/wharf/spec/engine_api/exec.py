"""Execs, processes beside a container's own, as the Engine API spells them."""

from typing import TypedDict

from wharf.spec.engine_api.container import ProcessConfig


class ExecConfig(TypedDict, total=False):
    """ExecConfig (Engine API, definitions): body of ContainerExec."""

    AttachStdin: bool | None
    AttachStdout: bool | None
    AttachStderr: bool | None
    ConsoleSize: list[int] | None
    DetachKeys: str | None
    Tty: bool | None
    Env: list[str] | None
    Cmd: list[str] | None
    Privileged: bool | None
    User: str | None
    WorkingDir: str | None


class ExecStartConfig(TypedDict, total=False):
    """ExecStartConfig (Engine API, definitions): body of ExecStart."""

    Detach: bool | None
    Tty: bool | None
    ConsoleSize: list[int] | None


class ExecInspectResponse(TypedDict, total=False):
    """ExecInspectResponse (Engine API, definitions)."""

    CanRemove: bool | None
    DetachKeys: str | None
    ID: str | None
    Running: bool | None
    ExitCode: int | None
    ProcessConfig: ProcessConfig | None
    OpenStdin: bool | None
    OpenStderr: bool | None
    OpenStdout: bool | None
    ContainerID: str | None
    Pid: int | None
