"""Device rules on cgroup v2: a program for one group."""

from __future__ import annotations

import os

from wharf.kernel import bpf
from wharf.kernel.cgroup import device_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wharf.kernel.cgroup.resources import DeviceRule


def restrict(folder: str, rules: Iterable[DeviceRule]) -> None:
    """Allow and deny devices in the group at ``folder`` by ``rules``, in place of earlier ones; they go with it.

    Raises:
        OSError: with the group: EPERM without CAP_BPF, EINVAL for rules that make no sense or no group of v2.
    """
    code = device_program.encode(device_program.program(rules))
    try:
        program = bpf.load_device_program(code)
        try:
            group = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                bpf.attach_device_program(group, program)
            finally:
                os.close(group)
        finally:
            os.close(program)
    except OSError as error:
        raise OSError(error.errno, f"device program: {error.strerror}", folder) from error
