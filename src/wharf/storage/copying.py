"""Copy a folder's content with all that belongs to it: owners, modes, times, attributes, links and devices."""

from __future__ import annotations

import os
import threading

from wharf.storage.diff import unpack
from wharf.storage.pack import pack


def copy_content(source_fd: int, target_fd: int) -> None:
    """Copy what is in one folder into another; blocking. Names that are there already are replaced.

    It is packed into a pipe and unpacked from it, so nothing is followed out of either folder. Idempotent: after a
    failure it can be done again.

    Raises:
        OSError: the disk is full, or the source changed meanwhile.
    """
    out, into = os.pipe2(os.O_CLOEXEC)
    failures: list[BaseException] = []
    producer = threading.Thread(target=_produce, args=(source_fd, into, failures), name="wharf-copy", daemon=True)
    producer.start()
    try:
        with os.fdopen(out, "rb", buffering=0) as source:
            unpack(source, target_fd)
            while source.read(1 << 16):
                pass
    finally:
        producer.join()
        if failures:
            raise failures[0]  # before what unpack says: the archive broke off because of this


def _produce(source_fd: int, into: int, failures: list[BaseException]) -> None:
    try:
        with os.fdopen(into, "wb", buffering=1 << 16) as sink:
            pack(source_fd, sink, overlay=False)
    except BrokenPipeError:
        pass  # the other side failed and says why
    except BaseException as error:  # noqa: BLE001  # raised on the caller's thread
        failures.append(error)
