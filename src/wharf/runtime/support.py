"""What a config.json may ask of this runtime: everything else is refused by name, never ignored."""

from __future__ import annotations

from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import Process, Spec

_OTHER_NUMBERS: Final = 2  # minor and patch (SemVer 2.0.0, 2)


def check(spec: Spec) -> None:
    """Refuse what is not supported, and a document that cannot be meant.

    Raises:
        StartFailed: with the field.
    """
    version = spec.get("ociVersion", "1.0.0")
    major, *others = version.partition("-")[0].partition("+")[0].split(".")
    if major != "1" or len(others) != _OTHER_NUMBERS or not all(number.isdecimal() for number in others):
        raise invalid(f"ociVersion {version} is not supported")
    if not (spec.get("root") or {}).get("path"):
        raise invalid("root.path is missing")
    if process := spec.get("process"):
        check_process(process)


def check_process(process: Process) -> None:
    """Refuse a process that is not supported, or incomplete.

    Raises:
        StartFailed: with the field.
    """
    if not process.get("args"):
        raise invalid("args must not be empty")
    if not process.get("cwd", "/").startswith("/"):
        raise invalid("Cwd must be an absolute path")
    for text in (*process.get("args", ()), *(process.get("env") or ())):
        if "\0" in text:
            raise invalid("args and env must not contain a NUL")
