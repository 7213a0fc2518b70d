"""Labels of security modules: AppArmor profiles, SELinux labels (config.md "Linux Process", config-linux.md).

A kernel that lacks the module cannot apply its label. As crun does, and as the official suite asks, the container
then runs without it, and the caller is warned. A label that a module refuses is an error.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel.mount import require_procfs
from wharf.runtime.errors import during_init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import Process

_APPARMOR: Final = "/sys/module/apparmor/parameters/enabled"
_SELINUX: Final = "/sys/fs/selinux/enforce"


class LabelPlan:
    """What is written right before the exec.

    Attributes:
        writes: (file of /proc/self/attr, text).
        warnings: what cannot be applied here.
    """

    __slots__ = ("_open", "warnings", "writes")

    def __init__(self, writes: list[tuple[str, str]], warnings: list[str]) -> None:
        self.writes = writes
        self.warnings = warnings
        self._open: list[tuple[int, str]] = []

    def __repr__(self) -> str:
        return f"labels {self.writes}"

    @property
    def descriptors(self) -> list[int]:
        """What must stay open until :meth:`apply`."""
        return [fd for fd, _ in self._open]

    def open(self) -> None:
        """Open the files, through the host's /proc: the container's may be anything."""
        for name, text in self.writes:
            try:
                fd = os.open(f"/proc/self/attr/{name}", os.O_WRONLY | os.O_CLOEXEC)
                self._open.append((fd, text))
                require_procfs(fd)
            except OSError as error:
                raise during_init(error, f"error applying label {text}") from error

    def apply(self) -> None:
        """Have the program labelled by the coming exec."""
        for fd, text in self._open:
            try:
                os.write(fd, text.encode())
            except OSError as error:
                raise during_init(error, _refused(text, error)) from error


def _refused(text: str, error: OSError) -> str:
    profile = text.removeprefix("exec ")
    if profile != text and error.errno == errno.ENOENT:
        return f"AppArmor profile {profile} is not loaded (apparmor_parser(8) loads profiles)"
    if profile == text and error.errno == errno.EINVAL:
        return f"SELinux label {text} is not one of the loaded policy"
    return f"error applying label {text}"


def plan(process: Process) -> LabelPlan:
    """Return the labels of a process."""
    writes: list[tuple[str, str]] = []
    warnings: list[str] = []
    if profile := process.get("apparmorProfile"):
        if has_apparmor():
            own = os.path.exists("/proc/self/attr/apparmor/exec")
            writes.append(("apparmor/exec" if own else "exec", f"exec {profile}"))
        else:
            warnings.append(f"AppArmor profile {profile} is not applied: this kernel has no AppArmor")
    if label := process.get("selinuxLabel"):
        if has_selinux():
            writes.append(("exec", label))
        else:
            warnings.append(f"SELinux label {label} is not applied: this kernel has no SELinux")
    return LabelPlan(writes, warnings)


def mount_context(label: str) -> tuple[str, list[str]]:
    """Return the mount option "context" of ``linux.mountLabel`` ("" where it cannot be applied), and warnings."""
    if not label or has_selinux():
        return label, []
    return "", [f"mount label {label} is not applied: this kernel has no SELinux"]


def has_apparmor() -> bool:
    """Whether the kernel runs with AppArmor."""
    try:
        with open(_APPARMOR, encoding="utf-8") as file:
            return file.read(1) == "Y"
    except FileNotFoundError:
        return False


def has_selinux() -> bool:
    """Whether the kernel runs with SELinux."""
    return os.path.exists(_SELINUX)
