"""Hooks: ``pre_start`` in containers of their own, ``post_start`` and ``pre_stop`` in the service's."""

from __future__ import annotations

import msgspec

from wharf.client.documents import as_document, number, text
from wharf.client.frames import Demultiplexer
from wharf.compose import identity
from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.execute.engine import Engine
from wharf.compose.model.hooks import Hook
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.errors import Conflict

_LAST_LINES = "5"


def run_in(engine: Engine, service: Service, container: str, hook: Hook) -> None:
    """Run a ``post_start`` or ``pre_stop`` in a container, to its end.

    Raises:
        Conflict: it failed; with its last words.
    """
    execs = engine.execs
    document = {
        "Cmd": hook.command, "User": hook.user, "Privileged": hook.privileged, "WorkingDir": hook.working_dir,
        "Env": [k if v is None else f"{k}={v}" for k, v in hook.environment.items()],
        "AttachStdout": True, "AttachStderr": True,
    }  # fmt: skip
    made = execs.create(container, {name: value for name, value in document.items() if value})
    wire, streams, said = execs.start(made), Demultiplexer(), b""
    try:
        while data := wire.read_some():
            said += b"".join(piece for _, piece in streams.feed(data))
    finally:
        wire.close()
    code = number(execs.inspect(made), "ExitCode")
    if code:
        raise _failed(service, "hook", code, said)


def pre_start_document(
    project: Project, service: Service, hook: Hook, container: str, others: Others
) -> dict[str, object]:
    """Return the body that creates the container of a ``pre_start``: the service's, but for what the hook says.

    It has the volumes of ``container``, the networks without their names, and nothing that outlives it.
    """
    own = msgspec.structs.replace(
        service,
        image=hook.image or identity.image_name(project, service),
        command=hook.command,
        entrypoint=None if hook.image else service.entrypoint,
        user=hook.user or ("" if hook.image else service.user),
        working_dir=hook.working_dir or ("" if hook.image else service.working_dir),
        privileged=hook.privileged,
        environment={**service.environment, **hook.environment},
        volumes=[], tmpfs=[], ports=[], volumes_from=[f"container:{container}"], restart="", healthcheck=None,
        links=[], tty=False, stdin_open=False,
        networks=dict.fromkeys(service.networks),
    )  # fmt: skip
    document = container_document(project, own, Make(number=0, oneoff=True, aliases=False), others)
    host = document["HostConfig"]
    assert isinstance(host, dict)
    host.pop("RestartPolicy", None)
    return document


def run_pre_start(engine: Engine, document: dict[str, object], service: Service) -> None:
    """Run a ``pre_start`` container to its end, and remove it.

    Raises:
        Conflict: it failed; with its last words.
    """
    made = text(engine.containers.create(document), "Id")
    try:
        ended = engine.containers.wait(made, condition="next-exit")
        engine.containers.start(made)
        code = number(as_document(ended.json()), "StatusCode")
        if code:
            streams = Demultiplexer()
            logs = b"".join(engine.containers.logs(made, tail=_LAST_LINES))
            raise _failed(service, "pre_start hook", code, b"".join(piece for _, piece in streams.feed(logs)))
    finally:
        engine.containers.remove(made, force=True)


def _failed(service: Service, what: str, code: int, said: bytes) -> Conflict:
    words = said.decode("utf-8", "replace").strip().splitlines()[-int(_LAST_LINES) :]
    return Conflict("\n  ".join([f"{service.name} {what} exited with status {code}", *words]))
