"""Who carries packets between a user's network namespace and the machine's: pasta or slirp4netns.

pasta copies the host's own addresses into the namespace, so that what comes in keeps its source; slirp4netns is a NAT
of its own with 10.0.2.100 inside. Both read and write a tap device, and so need /dev/net/tun.
"""

from __future__ import annotations

import os
import shutil

from wharf.errors import Unavailable
from wharf.kernel import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Final

TUN: Final = "/dev/net/tun"
CHOICE: Final = "WHARF_ROOTLESS_NETWORK"
PROGRAMS: Final = ("pasta", "slirp4netns")
SLIRP_DNS: Final = "10.0.2.3"
_START_TIMEOUT_S: Final = 10.0


class Candidates:
    """Programs to try, in order; and why there are no others."""

    __slots__ = ("lacks", "programs")

    def __init__(self, programs: list[str], lacks: list[str]) -> None:
        self.programs = programs
        self.lacks = lacks


def choose(
    environment: Mapping[str, str], find: Callable[[str], str | None] = shutil.which, *, tun: bool | None = None
) -> Candidates:
    """Return what can carry packets here, the better first.

    Args:
        environment: ``WHARF_ROOTLESS_NETWORK`` may name the one program to use, or "none".
        find: looks a program up.
        tun: whether the tap device may be opened; asked now if None.

    Raises:
        Unavailable: the environment names something else.
    """
    wanted = environment.get(CHOICE) or ""
    if wanted == "none":
        return Candidates([], [f"networks: {CHOICE} is none"])
    if wanted not in ("", *PROGRAMS):
        raise Unavailable(f"{CHOICE}={wanted}: it is pasta, slirp4netns or none")
    found = [name for name in PROGRAMS if wanted in ("", name) and find(name)]
    if not found:
        return Candidates([], [f"networks: {wanted or ' or '.join(PROGRAMS)} is not installed"])
    if not (os.access(TUN, os.R_OK | os.W_OK) if tun is None else tun):
        return Candidates([], [f"networks: {TUN} cannot be opened (as root: chmod 666 {TUN})"])
    return Candidates(found, [])


def start(program: str, pid: int, folder: str) -> int:
    """Connect the network namespace of process ``pid`` with ours; return the pid of what carries the packets.

    Raises:
        Unavailable: it could not, with its own words.
    """
    return _pasta(pid, folder) if program == "pasta" else _slirp(pid, folder)


def pasta_command(pid: int, pid_file: str) -> list[str]:
    """Return pasta's command line: ports follow what listens inside, and loopback ones out are those of ours."""
    every = ["--tcp-ports", "auto", "--udp-ports", "auto", "--tcp-ns", "auto", "--udp-ns", "auto"]
    return ["pasta", "--config-net", "--quiet", *every, "--pid", pid_file, str(pid)]


def slirp_command(pid: int, ready_fd: int, api: str) -> list[str]:
    """Return slirp4netns's command line."""
    options = ["--configure", "--mtu=65520", f"--ready-fd={ready_fd}", f"--api-socket={api}"]
    return ["slirp4netns", *options, str(pid), "tap0"]


def _pasta(pid: int, folder: str) -> int:
    pid_file = f"{folder}/pasta.pid"
    done = process.run(pasta_command(pid, pid_file), timeout_s=_START_TIMEOUT_S)  # it leaves for the background
    if done.code:
        raise Unavailable(f"pasta: {_last_line(done.stderr)}")
    with open(pid_file, encoding="ascii") as file:
        return int(file.read())


def _slirp(pid: int, folder: str) -> int:
    api = f"{folder}/slirp4netns.sock"
    if os.path.exists(api):
        os.unlink(api)
    reader, writer = os.pipe()
    try:
        command = slirp_command(pid, writer, api)
        started = process.spawn(command, pass_fds=(writer,), log=f"{folder}/slirp4netns.log")
    finally:
        os.close(writer)
    try:
        if os.read(reader, 1) != b"1":
            with open(f"{folder}/slirp4netns.log", "rb") as file:
                raise Unavailable(f"slirp4netns: {_last_line(file.read())}")
    finally:
        os.close(reader)
    return started


def _last_line(text: bytes) -> str:
    lines = [line for line in text.decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it ended without a word"
