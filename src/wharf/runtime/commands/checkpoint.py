"""checkpoint and restore, by CRIU; where it does not work, its reason."""

from __future__ import annotations

import fcntl
import os

from wharf.errors import InvalidArgument, NotImplementedHere, Unavailable
from wharf.kernel import criu
from wharf.kernel.namespace import FLAG_OF
from wharf.runtime import saved
from wharf.runtime.checkpoint import HARMLESS, Wanted
from wharf.runtime.commands.lifecycle import asked, one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from wharf.runtime.cli import Call, Given

_FOLDER: Final = "checkpoint"
_MODES: Final = ("soft", "full", "strict", "ignore")
_FLAGS: Final = {
    "--tcp-established": "tcp_established",
    "--tcp-skip-in-flight": "tcp_skip_in_flight",
    "--link-remap": "link_remap",
    "--ext-unix-sk": "ext_unix_sk",
    "--shell-job": "shell_job",
    "--file-locks": "file_locks",
    "--lazy-pages": "lazy_pages",
    "--auto-dedup": "auto_dedup",
}
_TRACKED: Final = (
    "mem_dirty_track",
    "memory cannot be saved ahead: this kernel does not track which pages are written (CONFIG_MEM_SOFT_DIRTY)",
)
_NEEDS: Final = {
    "--pre-dump": _TRACKED,
    "--parent-path": _TRACKED,
    "--lazy-pages": (
        "uffd-noncoop",
        "memory cannot be fetched later: this kernel has no userfaultfd for other processes (CONFIG_USERFAULTFD)",
    ),
}
"""What CRIU must find of the kernel for an option, and what is said where it does not."""
_PIPE_BYTES: Final = 4 << 20  # what CRIU makes of a pipe through which it serves pages
_SMALL_PIPES: Final = (
    f"--lazy-pages: memory cannot be served to who fetches it later: that takes pipes of {_PIPE_BYTES} bytes; give"
    " the runtime CAP_SYS_RESOURCE, or raise the parameter fs.pipe-max-size to that"
)
_TEXTS: Final = {"--lsm-profile": "lsm_profile", "--lsm-mount-context": "lsm_mount_context"}


def checkpoint(call: Call) -> int:
    """Save a running container."""
    folder = one(call, "checkpoint")
    folder.load()
    wanted = _wanted(call)
    if call.given.get("--lazy-pages") and not pages_can_be_served():
        raise NotImplementedHere(_SMALL_PIPES)
    saved.save(folder, wanted, call.log.warn)
    return 0


def restore(call: Call) -> int:
    """Bring a saved container back."""
    folder = one(call, "restore")
    wanted = _wanted(call)
    if not os.path.isdir(wanted.images):
        raise InvalidArgument(f"there is no checkpoint in {wanted.images}")
    if not call.given.get("--no-subreaper"):
        from wharf.kernel import prctl  # noqa: PLC0415 - few commands need it

        prctl.set_child_subreaper()
    return saved.bring_back(folder, call.given.get("--bundle", "."), asked(call), wanted)


def _wanted(call: Call) -> Wanted:
    """Return what the options ask for, unless it cannot be done here."""
    wanted = wanted_of(call.given)
    wanted.program = call.criu or criu.PROGRAM
    if why := reason(wanted.program) or lacking(call.given, lambda feature: _has(wanted.program, feature)):
        raise NotImplementedHere(f"checkpoint and restore do not work here: {why}")
    return wanted


def wanted_of(given: Given) -> Wanted:
    """Return what the options ask for.

    Raises:
        InvalidArgument: a mode, a namespace or an address that is none.
    """
    wanted = Wanted(os.path.abspath(given.get("--image-path") or _FOLDER))
    wanted.work = os.path.abspath(given["--work-path"]) if given.get("--work-path") else ""
    wanted.parent = given.get("--parent-path", "")
    wanted.leave_running = given.get("--leave-running", False)
    wanted.pre_dump = given.get("--pre-dump", False)
    wanted.cgroups = given.get("--manage-cgroups-mode", "soft")
    if wanted.cgroups not in _MODES:
        raise InvalidArgument(f"invalid manage-cgroups-mode value: {wanted.cgroups}")
    if wanted.parent.startswith("/"):
        raise InvalidArgument("--parent-path is relative to the folder of --image-path")
    for name in given.get("--empty-ns", ()):
        if name not in FLAG_OF:
            raise InvalidArgument(f"namespace {name} is not supported")
        wanted.empty_namespaces |= FLAG_OF[name]
    wanted.options = {criu: given[option] for option, criu in (_FLAGS | _TEXTS).items() if given.get(option)}
    if "--status-fd" in given:
        wanted.status_fd = given["--status-fd"]
    if address := given.get("--page-server"):
        wanted.page_server = _address(address)
    return wanted


def _address(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    if not address or not port.isdigit():
        raise InvalidArgument(f"invalid page server {text}: wanted address:port")
    return address.strip("[]"), int(port)


def lacking(given: Given, has: Callable[[str], bool]) -> str:
    """Return what an option wants of the kernel that it lacks; "" for nothing. ``has`` knows CRIU's features."""
    for option, (feature, why) in _NEEDS.items():
        if given.get(option) and not has(feature):
            return f"{option}: {why}"
    return ""


def pages_can_be_served() -> bool:
    """Whether pipes may be as long as CRIU wants them: it does not see that they are not, and fails half-way."""
    reader, writer = os.pipe()
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except PermissionError:
        return False
    finally:
        os.close(reader)
        os.close(writer)
    return True


def _has(program: str, feature: str) -> bool:
    from wharf.kernel.process import run  # noqa: PLC0415 - start-up

    return not run([program, "check", "--feature", feature], timeout_s=60).code


def reason(program: str = criu.PROGRAM) -> str:
    """Return why containers can be neither saved nor brought back here by CRIU; "" where they can."""
    from wharf.kernel.process import run  # noqa: PLC0415 - start-up

    try:
        path = criu.find(program)
    except Unavailable as error:
        return str(error)
    done = run([path, "check"], timeout_s=60)
    if not done.code:
        return ""
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    said = [line for line in lines if not any(word in line for word in HARMLESS)]
    return f"criu check fails on this kernel: {said[0] if said else f'exit status {done.code}'}"
