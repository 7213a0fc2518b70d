"""nftables by libnftables' JSON interface: one call is one transaction (libnftables(3), libnftables-json(5)).

0.16 ms for an element, where starting the ``nft`` program takes 10 ms.
"""

from __future__ import annotations

import ctypes
import errno
import json
import threading
from collections.abc import Sequence
from typing import Any

_OUTPUT_JSON = 1 << 4

Command = dict[str, Any]
"""One command as libnftables-json(5) spells it: ``{"add": {"element": {...}}}``."""


class NftablesError(OSError):
    """A transaction that the kernel or libnftables refused; ``strerror`` is what it said."""


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libnftables.so.1")
    except OSError as error:
        raise NftablesError(errno.ENOSYS, "libnftables.so.1 is not installed (Debian: libnftables1)") from error
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    library.nft_ctx_free.restype = None
    library.nft_ctx_output_set_flags.restype = None
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    for name in ("output", "error"):
        getattr(library, f"nft_ctx_buffer_{name}").argtypes = [ctypes.c_void_p]
        getter = getattr(library, f"nft_ctx_get_{name}_buffer")
        getter.argtypes, getter.restype = [ctypes.c_void_p], ctypes.c_char_p
    library.nft_ctx_free.argtypes = [ctypes.c_void_p]
    return library


class Nftables:
    """A libnftables context: bound to the network namespace of the thread that makes it. Safe to share by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._library = _load()
        self._context: int | None = self._library.nft_ctx_new(0)
        if not self._context:
            raise NftablesError(errno.ENOMEM, "nft_ctx_new failed")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)

    def close(self) -> None:
        """Free the context; idempotent."""
        with self._lock:
            context, self._context = self._context, None
            if context:
                self._library.nft_ctx_free(context)

    def run(self, commands: Sequence[Command]) -> list[dict[str, Any]]:
        """Run ``commands`` as one transaction, all or nothing; blocks. Return the objects that a ``list`` printed.

        Raises:
            NftablesError: it was refused and nothing has changed: ENOENT, EEXIST ... when the kernel's reason is one
                that libnftables names, else EINVAL.
        """
        output = self._run(json.dumps({"nftables": list(commands)}), _OUTPUT_JSON)
        return list(json.loads(output)["nftables"]) if output.strip() else []

    def run_script(self, script: str) -> None:
        """Run a script in the language of nft(8) as one transaction; blocks; raises as :meth:`run` does."""
        self._run(script, 0)

    def _run(self, text: str, flags: int) -> bytes:
        with self._lock:
            if not self._context:
                raise NftablesError(errno.EBADF, "the nftables context is closed")
            self._library.nft_ctx_output_set_flags(self._context, flags)
            failed = self._library.nft_run_cmd_from_buffer(self._context, text.encode())
            output = self._library.nft_ctx_get_output_buffer(self._context) or b""
            error = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise _error(error.decode(errors="replace"))
        return bytes(output)


_WORDS = {
    "No such file or directory": errno.ENOENT,
    "File exists": errno.EEXIST,
    "Operation not permitted": errno.EPERM,
    "Operation not supported": errno.EOPNOTSUPP,
}


def _error(said: str) -> NftablesError:
    line = said.strip().splitlines()[0] if said.strip() else "nftables refused the transaction"
    code = next((number for words, number in _WORDS.items() if words in said), errno.EINVAL)
    return NftablesError(code, line)
