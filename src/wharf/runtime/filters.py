"""Compiled seccomp filters, kept in a folder by the digest of their document: compiling takes milliseconds."""

from __future__ import annotations

import os

from wharf.lib import light_json
from wharf.runtime.errors import StartFailed, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.spec.oci_runtime import Seccomp

    Filter = tuple[bytes, int]
    """BPF program (empty: none) and flags of seccomp(2)."""


def load(document: Seccomp | None, cache: str | None) -> Filter:
    """Return (BPF program, flags) of an OCI seccomp document; an empty program when there is none.

    Args:
        document: ``linux.seccomp``.
        cache: folder to find it in and to leave it in, owned by us alone; made if missing.

    Raises:
        StartFailed: the document is wrong, or libseccomp is missing.
    """
    if not document:
        return b"", 0
    from wharf.kernel import seccomp  # noqa: PLC0415 - start-up

    try:
        flags = seccomp.flags_of(document)
        if cache is None:
            return seccomp.compile_filter(document), flags
        return _cached(document, cache), flags
    except ValueError as error:
        raise invalid(str(error)) from error
    except OSError as error:
        raise StartFailed("other", f"unable to start container process: {error.strerror or error}") from error


def _cached(document: Seccomp, cache: str) -> bytes:
    # Not hashlib, which brings OpenSSL: start-up, and memory of every shim's zygote.
    from _blake2 import blake2b  # noqa: PLC0415 - start-up

    digest = blake2b(light_json.dumps(document).encode(errors="surrogatepass"), digest_size=32).hexdigest()
    path = f"{cache}/{digest}.bpf"
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        from wharf.kernel import seccomp  # noqa: PLC0415 - the same

        program = seccomp.compile_filter(document)
    os.makedirs(cache, mode=0o700, exist_ok=True)
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(program)
    os.replace(temporary, path)
    return program
