"""How a container ended: read from the kernel, written for whoever asks later."""

from __future__ import annotations

import errno
import os

from wharf.lib import light_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.kernel.cgroup.group import Cgroup
    from wharf.spec.shim_messages import Exit


def exit_code_of(status: os.waitid_result) -> int:
    """Return the exit code, 128+n for a death by signal n."""
    return status.si_status if status.si_code == os.CLD_EXITED else 128 + status.si_status


def write_exit(folder: str, document: Exit) -> None:
    """Write exit.json atomically: whoever sees it sees all of it."""
    draft = f"{folder}/exit.json.tmp"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, light_json.dumps(document).encode())
    finally:
        os.close(fd)
    os.rename(draft, f"{folder}/exit.json")


def empty(cgroup: Cgroup) -> None:
    """Kill what is left in a container's group and remove it; idempotent.

    Raises:
        OSError: EBUSY: something in it cannot be killed.
    """
    try:
        cgroup.delete_now()
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        cgroup.kill_all()
        cgroup.delete()
