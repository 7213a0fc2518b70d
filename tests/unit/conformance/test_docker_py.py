from __future__ import annotations

import tarfile
from io import BytesIO

from conformance import docker_py


def test_image_has_what_tests_expect_of_alpines() -> None:
    with tarfile.open(fileobj=BytesIO(docker_py.alpine())) as tar:
        passwd = tar.extractfile("etc/passwd")
        assert passwd is not None
        users = [line.partition(b":")[0] for line in passwd.read().splitlines()]

        assert (users[0], users[-1], tar.getmember("var/opt").isdir(), "bin/sh" in tar.getnames()) == (
            b"root",
            b"postgres",
            True,
            True,
        )
