"""``python -m fuzz.guided SECONDS``: inputs that reach new code (atheris, libFuzzer), for archives and manifests.

Hypothesis makes archives that are nearly right; this one learns from which branches an input takes. It reads only:
nothing is unpacked. Whatever comes in, an error is one that the tree of errors knows. `make fuzz-guided` installs
atheris beside the project, for it is needed for nothing else.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

import atheris  # type: ignore[import-untyped]  # installed by its make target alone

with atheris.instrument_imports(include=["wharf.storage", "wharf.images"]):
    from wharf.errors import WharfError
    from wharf.images.index import images_in, is_index, parse_index
    from wharf.images.media_types import require_image
    from wharf.images.record import parse_config, parse_manifest
    from wharf.images.registry.host_files import parse_host_file
    from wharf.storage.compression import Decompressed
    from wharf.storage.tar_entry import Entry, Kind
    from wharf.storage.tar_reader import TarReader
    from wharf.storage.tar_writer import TarWriter

_MOST_BYTES: Final = 1 << 22
_HOSTS: Final = Path("hosts.toml")


def _archive(data: bytes) -> None:
    plain = Decompressed(io.BytesIO(data), limit=_MOST_BYTES)
    reader = TarReader(plain)
    for _ in reader:
        for _ in reader.pieces():
            pass
    plain.drain()


def _manifest(data: bytes) -> None:
    require_image(parse_manifest(data), "fuzz")


def _index(data: bytes) -> None:
    if is_index(data):
        images_in(parse_index(data))


def _hosts(data: bytes) -> None:
    parse_host_file(data, _HOSTS)


_READERS: Final[tuple[Callable[[bytes], object], ...]] = (_archive, _archive, _manifest, _index, parse_config, _hosts)


def one(data: bytes) -> None:
    """Read one input: its first byte says as what."""
    if not data:
        return
    try:
        _READERS[data[0] % len(_READERS)](data[1:])
    except WharfError:
        return  # refused


def _seeds() -> Iterator[bytes]:
    out = io.BytesIO()
    writer = TarWriter(out)
    for kind in (Kind.FOLDER, Kind.SYMLINK, Kind.HARDLINK, Kind.FIFO, Kind.CHARACTER):
        writer.add(Entry(b"n" * 120, kind, target=b"t" if kind in (Kind.SYMLINK, Kind.HARDLINK) else b""))
    writer.close()
    digest = f"sha256:{'a' * 64}"
    descriptor = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": 1}
    documents: tuple[Any, ...] = (
        {"schemaVersion": 2, "config": descriptor, "layers": [descriptor]},
        {"schemaVersion": 2, "manifests": [{**descriptor, "platform": {"os": "linux", "architecture": "arm64"}}]},
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [digest]}},
    )
    yield b"\0" + out.getvalue()
    yield b"\1" + gzip.compress(out.getvalue(), mtime=0)
    for number, document in enumerate(documents, 2):
        yield bytes([number]) + json.dumps(document).encode()
    yield b'\5server = "https://a"\n[host."https://b"]\ncapabilities = ["pull"]\nca = "c"\n'


def main() -> int:
    """Run until the time is up; the exit status is 77 when something was raised, and the input is left in /tmp."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory(prefix="wharf-fuzz.", dir="/tmp") as folder:
        for number, seed in enumerate(_seeds()):
            (Path(folder) / str(number)).write_bytes(seed)
        runner = os.fork()  # libFuzzer ends its process by itself, and cleans nothing up
        if not runner:
            _fuzz(folder, seconds)
        return os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])


def _fuzz(folder: str, seconds: int) -> NoReturn:
    options = [
        f"-max_total_time={seconds}",
        "-max_len=20000",
        "-timeout=20",
        "-verbosity=0",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}-",
    ]
    try:
        atheris.Setup([sys.argv[0], *options, folder], one)
        atheris.Fuzz()
    finally:
        os._exit(1)  # it was to end by itself


if __name__ == "__main__":
    sys.exit(main())
