"""A mirror of Docker Hub on loopback, over plain HTTP: Debian's docker-registry, with what a suite pulls.

Its folder is written as distribution lays it out ("storage/paths" of its documentation), so nothing has to be pushed.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from bench.sides import SideFailed

ADDRESS = "127.0.0.1:5000"  # in a side's own network namespace
_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_START_S = 20.0


def write(folder: Path, images: Mapping[str, bytes]) -> None:
    """Write a registry's folder with official images: archives of their only layers, by ``name:tag``."""
    for reference, layer in images.items():
        name, _, tag = reference.partition(":")
        repository = folder / "docker/registry/v2/repositories/library" / name
        packed = gzip.compress(layer, mtime=0)
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Cmd": ["sh"]},
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(layer).hexdigest()}"]},
            }
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": _MANIFEST,
                "config": _descriptor("application/vnd.docker.container.image.v1+json", config),
                "layers": [_descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
            }
        ).encode()
        for blob in (packed, config, manifest):
            _put(folder / "docker/registry/v2/blobs/sha256", blob)
        for blob in (packed, config):
            _link(repository / "_layers/sha256" / sha256(blob).hexdigest(), blob)
        digest = sha256(manifest).hexdigest()
        _link(repository / "_manifests/revisions/sha256" / digest, manifest)
        _link(repository / "_manifests/tags" / tag / "current", manifest)
        _link(repository / "_manifests/tags" / tag / "index/sha256" / digest, manifest)


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(blob), "digest": f"sha256:{sha256(blob).hexdigest()}"}


def _put(blobs: Path, blob: bytes) -> None:
    digest = sha256(blob).hexdigest()
    place = blobs / digest[:2] / digest
    place.mkdir(parents=True, exist_ok=True)
    (place / "data").write_bytes(blob)


def _link(place: Path, blob: bytes) -> None:
    place.mkdir(parents=True, exist_ok=True)
    (place / "link").write_text(f"sha256:{sha256(blob).hexdigest()}")


@contextmanager
def serving(folder: Path, beside: int) -> Iterator[None]:
    """Serve a written folder at :data:`ADDRESS` in the network namespace of the process ``beside``.

    Raises:
        SideFailed: it does not answer in time.
    """
    settings = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder)}},
        "http": {"addr": ADDRESS},
    }
    file = folder.with_suffix(".json")
    file.write_text(json.dumps(settings))
    inside = ("nsenter", "--target", str(beside), "--net")
    process = subprocess.Popen(
        [*inside, "docker-registry", "serve", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until_listening(beside, process, int(ADDRESS.partition(":")[2]))
        yield
    finally:
        process.terminate()
        process.wait(10)


def wait_until_listening(beside: int, process: subprocess.Popen[bytes], port: int) -> None:
    """Return once somebody listens at a TCP port in the network namespace of the process ``beside``.

    Raises:
        SideFailed: nobody does in time, or the ``process`` that was to do so has ended.
    """
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        listening = [line.split() for line in Path(f"/proc/{beside}/net/tcp").read_text().splitlines()[1:]]
        if any(line[1].endswith(f":{port:04X}") and line[3] == "0A" for line in listening):
            return
        time.sleep(0.05)
    raise SideFailed(f"nobody listens at port {port}: {process.args!r}")
