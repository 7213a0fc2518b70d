"""Copy a folder's content with all that belongs to it: owners, modes, times, attributes, links and devices."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wharf.storage.diff import Manner, extract
from wharf.storage.pack import nothing, pack
from wharf.storage.tar_writer import Sink
from wharf.storage.trees import Node


def copy_content(source_fd: int, target_fd: int) -> None:
    """Copy what is in one folder into another; blocking. Names that are there already are replaced.

    It is packed into a pipe and unpacked from it, so nothing is followed out of either folder. Idempotent: after a
    failure it can be done again.

    Raises:
        OSError: the disk is full, or the source changed meanwhile.
    """
    with packed(source_fd, overlay=False) as source:
        extract(source, target_fd, Manner(layer=False))


@contextmanager
def packed(folder_fd: int, *, overlay: bool, leave_out: Callable[[Node], bool] = nothing) -> Iterator[io.RawIOBase]:
    """Give the archive of a folder as a stream, made on a thread while it is read (see :func:`pack`).

    Raises:
        OSError: at the end, when the folder could not be read; before what the reader makes of the broken archive.
    """
    with piped(lambda sink: pack(folder_fd, sink, overlay=overlay, leave_out=leave_out)) as source:
        yield source


@contextmanager
def piped(write: Callable[[Sink], None]) -> Iterator[io.RawIOBase]:
    """Give what ``write`` writes as a stream, written on a thread while it is read; raises what it raises."""
    out, into = os.pipe2(os.O_CLOEXEC)
    failures: list[BaseException] = []

    def produce() -> None:
        try:
            with os.fdopen(into, "wb", buffering=1 << 16) as sink:
                write(sink)
        except BrokenPipeError:
            pass  # the other side failed and says why
        except BaseException as error:  # noqa: BLE001  # raised on the caller's thread
            failures.append(error)

    producer = threading.Thread(target=produce, name="wharf-pack", daemon=True)
    producer.start()
    try:
        with io.FileIO(out, "rb") as source:
            yield source
            while source.read(1 << 16):
                pass
    finally:
        producer.join()
        if failures:
            raise failures[0]  # before what the reader says: the archive broke off because of this
