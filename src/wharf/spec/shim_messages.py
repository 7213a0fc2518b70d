"""What the engine, the zygote and the shims say to each other: JSON datagrams over SEQPACKET sockets.

::

    engine ──spawn + descriptors──▶ zygote ──fork──▶ shim ──clone──▶ container
      ▲                                                │
      └──────────── control (a socketpair) ────────────┘   and <run>/shims/<id>/shim.sock after a restart

A *namespace* datagram is answered at once. A *spawn* datagram, and then *world* and *groups* on control, begin a
start. Spawn carries, by SCM_RIGHTS and in this order: the shim's end of the control socketpair, the locked ``lock``
descriptor, config.json, one end of a stream socketpair for each entry of ``attachments``. The lock lives as long as
any process holds it or the datagram is in flight: who can take it knows that no shim exists or ever will.

On an attachment flow Docker's own bytes: towards the engine raw bytes for a terminal, else 8-byte-headed frames
(:mod:`wharf.lib.stdcopy`); towards the container raw stdin, ended by shutdown(SHUT_WR).

On control, the engine sends requests (``seq``, ``op``), the shim answers (``seq``, ``result`` or ``error``) and
volunteers events (``event``). A new connection to shim.sock is first told the present ``state`` event.
A shim exits when its container has exited, ``exit.json`` is written (atomically), the event is sent, and the control
group is removed.
"""

from typing import Literal, NotRequired, TypedDict

from wharf.spec import oci_runtime


class LogOptions(TypedDict):
    """Where the shim writes the container's output."""

    driver: Literal["json-file", "none"]
    path: str
    max_size_bytes: NotRequired[int]  # rotate beyond; absent or 0: never
    max_files: NotRequired[int]
    compress: NotRequired[bool]  # what has been rotated, by gzip
    attrs: NotRequired[dict[str, str]]  # of every line
    cursor: NotRequired[str]  # file that says how far the log has been delivered elsewhere (spec/log_parts.py)
    waits: NotRequired[bool]  # the container waits rather than that undelivered lines are lost


class Attachment(TypedDict):
    """Which streams an attached client takes part in."""

    stdin: bool
    stdout: bool
    stderr: bool
    detach_keys: NotRequired[list[int]]  # byte values; absent: none, [] never matches
    holds: NotRequired[bool]  # the container is this client's own: killed when it goes first, however it goes


class RootfsMount(TypedDict):
    """A mount that makes the root, made inside the container's mount namespace only.

    Overlay's lower layers are given as repeated ``lowerdir+=`` options, uppermost first.
    """

    type: str
    source: str
    options: list[str]


class OtherRuntime(TypedDict):
    """A runtime that is not our own: a program with runc's command line."""

    path: str  # absolute
    arguments: list[str]  # before all others


class MadeBy(TypedDict, total=False):
    """Who makes the container and its control group, where that is not ourselves."""

    scope: str  # "slice:prefix:name" of systemd's, which then makes the group, asked by the shim
    runtime: OtherRuntime


class Rooted(TypedDict):
    """A container's root, and who root is in it."""

    rootfs: list[RootfsMount]
    owner: NotRequired[tuple[int, int]]  # the machine's ids of root in its user namespace; absent: root


class SpawnRequest(MadeBy, Rooted):
    """What a shim needs to know to create and start a container."""

    id: str
    bundle: str  # folder that relative paths of config.json are below
    cgroup: str  # its control group; made by the engine, and removed by the shim in the end
    terminal: bool
    own_pids: bool  # a pid namespace of its own: when its init ends, all its processes do
    shim_dir: str  # <run>/shims/<id>, exists, holds the lock file
    seccomp_cache: str  # <run>/seccomp
    open_stdin: bool
    stdin_once: bool  # close stdin when the first attached client that had it leaves
    log: LogOptions
    attachments: list[Attachment]
    hooked: NotRequired[bool]  # config.json has hooks
    checkpoint: NotRequired[str]  # folder of what CRIU has saved: bring that back instead of starting anew


class Usual(TypedDict):
    """What a zygote finds on its descriptor 4 when it starts, if it is to prepare for containers."""

    spec: oci_runtime.Spec  # config.json of the container that most are like
    seccomp_cache: str


class Spawn(SpawnRequest):
    """engine → zygote: start a shim, which creates and starts the container at once."""

    op: Literal["spawn"]


class NamespaceRequest(TypedDict):
    """engine → zygote: make a namespace.

    Descriptors: the socket to answer on; then, if the namespace is a network's and belongs to one that is there
    already, that user namespace. The answer is empty and brings the descriptor, or says ``errno`` and ``message``.
    """

    op: Literal["namespace"]
    uid_map: str  # of a new user namespace, as user_namespaces(7) writes it
    gid_map: str
    network: bool  # answer with a new network namespace that belongs to that


class World(TypedDict):
    """engine → shim, after the spawn request, on control: what is open for the container's init.

    Descriptors, in this order: the root (a detached mount), the detached sources of ``binds`` bind mounts in
    config.json's order, for each of ``joined`` (a type of namespace) the namespace to enter; *groups* follow. None at
    all when the container wants something that a process which is there already cannot have: then the shim clones a
    new one, into the control group, which the engine has made and limited by then.
    """

    op: Literal["world"]
    binds: int
    joined: list[str]


class Groups(TypedDict):
    """engine → shim, after a *world* with descriptors: the control group is made and limited.

    Making it takes as long as the init's work on its mounts, so both are done at once. Descriptors: ``doors`` into
    the group (:class:`wharf.kernel.cgroup.entry.Entry`), and for each of ``mounts`` (a v1 hierarchy's name) a
    detached mount of the container's group in it.
    """

    op: Literal["groups"]
    doors: int
    mounts: list[str]


class Failure(TypedDict):
    """Why a process could not be created or started.

    ``kind`` decides Docker's exit code: not-found 127, not-executable 126, any other 128 (the client's 125).
    ``message`` is what stands behind "OCI runtime create failed: ".
    """

    kind: Literal["not-found", "not-executable", "invalid", "other"]
    message: str


class Exit(TypedDict):
    """How a container ended; also the content of exit.json."""

    pid: int
    exit_code: int  # 128+n when signal n ended it
    oom_killed: bool
    started_at: str  # RFC 3339, nanoseconds, UTC
    finished_at: str
    failure: NotRequired[Failure]  # it never ran
    error: NotRequired[str]  # its end was not seen: the shim was killed; written by the engine's side


class ExecRequest(TypedDict):
    """engine → shim: run one more process (descriptor: one end of a stream socketpair, when attached)."""

    exec_id: str
    process: oci_runtime.Process
    attachment: Attachment | None


class Request(TypedDict):
    """engine → shim."""

    seq: int
    op: Literal[
        "state", "kill", "resize", "attach", "exec", "exec-kill", "exec-resize", "checkpoint", "keep", "delivered",
        "drain",
    ]  # fmt: skip
    signal: NotRequired[int]  # kill (container's init), exec-kill
    exec_id: NotRequired[str]
    rows: NotRequired[int]  # resize, exec-resize
    columns: NotRequired[int]
    attachment: NotRequired[Attachment]  # attach, with the descriptor
    exec: NotRequired[ExecRequest]
    ports: NotRequired[list[str]]  # keep: names of all that is to be kept; the first ones' sockets come along


class Answer(TypedDict):
    """shim → engine; an ``exec`` answers once the process runs: ``{"pid": n}``, or with a failure.

    A ``drain`` answers ``{"logged": bool}`` when what was in the container's pipes is in its log: whether that has a
    record of this run. ``delivered`` says that the log's cursor has moved on; nobody waits for its answer.

    A request about a process that is gone is answered by an ``invalid`` error.
    """

    seq: int
    result: NotRequired[dict[str, object]]
    error: NotRequired[Failure]


class Event(TypedDict):
    """shim → engine.

    ``started`` (pid, started_at), ``failed`` (failure), ``oom``, ``exit`` (exit), then ``emptied`` (its control
    group is gone) and ``released`` (so are its mounts, and the shim leaves), ``exec-exit`` (exec_id, exit_code);
    ``state`` (running: pid, started_at, execs still running, ports that are kept) is the first on a new connection.
    """

    event: Literal["started", "failed", "oom", "exit", "emptied", "released", "exec-exit", "state"]
    pid: NotRequired[int]
    started_at: NotRequired[str]
    failure: NotRequired[Failure]
    exit: NotRequired[Exit]
    exec_id: NotRequired[str]
    exit_code: NotRequired[int]
    execs: NotRequired[dict[str, int]]  # exec id → pid
    ports: NotRequired[list[str]]  # names of those whose sockets the shim keeps; of no meaning to it
    steps_us: NotRequired[dict[str, int]]  # started: microseconds each step of the start took (cgroup, clone, ...)
