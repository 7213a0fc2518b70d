"""What a config.json may ask of this runtime: everything else is refused by name, never ignored."""

from __future__ import annotations

from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import Process, Spec

_PROCESS: Final = ("scheduler", "ioPriority")
_LINUX: Final = ("personality", "intelRdt")


def check(spec: Spec) -> None:
    """Refuse what is not supported, and a document that cannot be meant.

    Raises:
        StartFailed: with the field.
    """
    version = spec.get("ociVersion", "1.0.0")
    if not version.startswith("1."):
        raise invalid(f"ociVersion {version} is not supported")
    linux = spec.get("linux") or {}
    for field in _LINUX:
        if linux.get(field):
            raise invalid(f"linux.{field} is not supported")
    if not (spec.get("root") or {}).get("path"):
        raise invalid("root.path is missing")
    if process := spec.get("process"):
        check_process(process)


def check_process(process: Process) -> None:
    """Refuse a process that is not supported, or incomplete.

    Raises:
        StartFailed: with the field.
    """
    for field in _PROCESS:
        if process.get(field):
            raise invalid(f"process.{field} is not supported")
    if not process.get("args"):
        raise invalid("args must not be empty")
    if not process.get("cwd", "/").startswith("/"):
        raise invalid("Cwd must be an absolute path")
    for text in (*process.get("args", ()), *(process.get("env") or ())):
        if "\0" in text:
            raise invalid("args and env must not contain a NUL")
