from __future__ import annotations

import tarfile
from io import BytesIO

from conformance import docker_py


def test_image_has_what_tests_expect_of_alpines() -> None:
    layer = BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for name, content in (("etc/passwd", b"root:x:0:0\n"), ("bin/sh", b"program")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))

    with tarfile.open(fileobj=BytesIO(docker_py.alpine(layer.getvalue()))) as tar:
        passwd, shell = tar.extractfile("etc/passwd"), tar.extractfile("bin/sh")
        assert passwd is not None
        assert shell is not None
        users = [line.partition(b":")[0] for line in passwd.read().splitlines()]

        assert (users, shell.read(), tar.getmember("var/opt").isdir()) == ([b"root", b"postgres"], b"program", True)
