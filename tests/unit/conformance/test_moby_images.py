"""The images that moby's tests have at hand are one archive of docker save."""

from __future__ import annotations

import json
import tarfile
from io import BytesIO

from conformance import moby_images


def _layer() -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("bin/sh", b"program"), ("etc/passwd", b"replaced")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
    return out.getvalue()


def test_each_image_has_the_layer_with_busyboxs_accounts_and_a_file_of_its_own() -> None:
    found = {}
    with tarfile.open(fileobj=BytesIO(moby_images.archive(_layer()))) as archive:
        for image in json.load(archive.extractfile("manifest.json")):  # type: ignore[arg-type]  # it is a file
            [name], [place] = image["RepoTags"], image["Layers"]
            with tarfile.open(fileobj=archive.extractfile(place)) as layer:
                files = {one.name: layer.extractfile(one).read() for one in layer}  # type: ignore[union-attr]
            found[name] = files["bin/sh"], files["etc/passwd"].splitlines()[0], files["etc/image"].decode()

    assert set(found) == {
        "busybox:latest", "busybox:glibc", "debian:bookworm-slim", "hello-world:frozen", "hello-world:amd64",
        "hello-world:arm64",
    }  # fmt: skip
    assert all(each == (b"program", b"root:x:0:0:root:/root:/bin/sh", name) for name, each in found.items())
