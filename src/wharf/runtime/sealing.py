"""Being no file of the host's, before somebody is near who could lay hands on it (CVE-2019-5736).

A process that enters a container is, until its exec, the host's interpreter: whoever may trace it there, or has it
execute /proc/self/exe, holds a file of the host's that it could write to later. A sealed copy in memory is worth
nothing to them. An interpreter whose code is in a library takes the copy's place without another start
(:mod:`wharf.kernel.exe_file`); another one is started once more, from the copy. That takes time, so a container that
nobody else can reach before its program runs is spared it: ``run`` in a pid namespace of its own, without the right
to trace and without folders of the host's.
"""

from __future__ import annotations

import os
import sys

from wharf.runtime.mount_options import is_bind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, NoReturn

    from wharf.spec.oci_runtime import Spec

_MARK: Final = "/memfd:"
_PROGRAM: Final = (
    "import gc, os, sys; gc.disable(); sys.path[:0] = {paths!r}; from wharf.runtime.cli import main; "
    "code = main(); sys.stdout.flush(); sys.stderr.flush(); os._exit(code)"
)


def wanted(spec: Spec, bundle: str) -> bool:
    """Return whether others may reach a container of ``spec`` before its program runs."""
    return _is_seen(spec) or _may_trace(spec) or _shares_folders(spec, bundle)


def _is_seen(spec: Spec) -> bool:
    entries = (spec.get("linux") or {}).get("namespaces") or ()
    own = {entry.get("type") for entry in entries if not entry.get("path")}
    return not {"pid", "mount"} <= own


def _may_trace(spec: Spec) -> bool:
    sets = (spec.get("process") or {}).get("capabilities") or {}
    return "CAP_SYS_PTRACE" in (sets.get("bounding") or ())


def _shares_folders(spec: Spec, bundle: str) -> bool:
    sources = [one.get("source") or "" for one in spec.get("mounts") or () if is_bind(one)]
    return any(os.path.isdir(os.path.join(bundle, source)) for source in sources)


def ensure() -> None:
    """Be a sealed copy; where we cannot become one, begin this command again from it.

    Nothing may have been done yet. Descriptors that are inherited stay, and the environment.

    Raises:
        OSError: there is no such copy to be had.
    """
    if os.readlink("/proc/self/exe").startswith(_MARK):
        return
    from wharf.kernel import exe_file, memfd  # noqa: PLC0415 - start-up: most are spared this

    # Under its real path as its name: that is how Python finds its own library.
    interpreter = os.path.realpath("/proc/self/exe")
    copy = memfd.sealed_copy(interpreter)
    try:
        exe_file.replace(copy)
    except OSError:  # whatever it is: the other way remains
        _start_from(copy, interpreter)
    os.close(copy)


def _start_from(copy: int, interpreter: str) -> NoReturn:
    paths = [
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
        os.path.dirname(os.__file__),
    ]
    words = [interpreter, "-I", "-S", "-B", "-c", _PROGRAM.format(paths=paths), *sys.argv[1:]]
    sys.stdout.flush()
    os.execve(copy, words, os.environ)  # noqa: S606 - ourselves
