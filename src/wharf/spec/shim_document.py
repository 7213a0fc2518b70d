"""config.json as the engine hands it to a shim: in two lines, so that who has the seccomp filter need not read it.

The first line is the document without ``linux.seccomp``, the second is that, if there is one: two thirds of a usual
document, which a process that waits to become a container's init has compiled long before.
"""

from __future__ import annotations

import os

from wharf.lib import light_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.spec.oci_runtime import Seccomp, Spec

_END = b"\n"


def lines(document: bytes, seccomp: bytes) -> bytes:
    """Return what :func:`read` reads, of two compact JSON texts; the second may be empty."""
    return document + _END + seccomp


def read(fd: int, known: Seccomp | None = None) -> Spec:
    """Return the document in the file of descriptor ``fd``, whose position stays.

    Args:
        fd: of the file, which is trusted.
        known: what ``linux.seccomp`` is, if there is one; None: read it.
    """
    head, _, tail = os.pread(fd, os.fstat(fd).st_size, 0).partition(_END)
    document: Spec = light_json.loads(head.decode())  # type: ignore[assignment]  # the engine is trusted
    if tail:
        document["linux"]["seccomp"] = known or light_json.loads(tail.decode())  # type: ignore[typeddict-item]  # likewise
    return document
