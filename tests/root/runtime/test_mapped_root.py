"""A container's root in its user namespace: the disk has the container's ids, and the container's root is nobody."""

from __future__ import annotations

import os
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle

from wharf.runtime import userns

pytestmark = pytest.mark.root

MAP = [{"containerID": 0, "hostID": 100_000, "size": 65_536}]
TEXT = "0 100000 65536\n"


def in_user_namespace(bundle: Bundle, command: str, path: str = "") -> Any:
    spec = bundle.spec(["sh", "-c", command])
    spec["linux"]["namespaces"].append({"type": "user", **({"path": path} if path else {})})
    spec["linux"] |= {"uidMappings": MAP, "gidMappings": MAP}
    return spec


def idmap(bundle: Bundle) -> list[Any]:
    (mount,) = bundle.rootfs
    return [{**mount, "options": [*mount["options"], "idmap"]}]


def test_an_overlay_has_the_containers_ids_inside_and_on_the_disk(bundle: Bundle) -> None:
    spec = in_user_namespace(
        bundle, "id -u; stat -c %u:%g /bin; echo x > /made; chown 7:8 /made; stat -c %u:%g /made"
    )

    assert bundle.run(spec, rootfs=idmap(bundle)).output.split() == ["0", "0:0", "7:8"]
    made = (bundle.path / "upper/made").stat()
    assert (made.st_uid, made.st_gid) == (7, 8)


def test_the_user_namespace_that_is_joined_maps_it(bundle: Bundle) -> None:
    namespace = userns.make(TEXT, TEXT)
    try:
        spec = in_user_namespace(bundle, "id -u; stat -c %u /bin", f"/proc/self/fd/{namespace}")

        assert bundle.run(spec, rootfs=idmap(bundle)).output.split() == ["0", "0"]
    finally:
        os.close(namespace)


def test_a_folder_alone_is_mapped_too(bundle: Bundle) -> None:
    spec = in_user_namespace(bundle, "echo x > /made; stat -c %u /made")
    rootfs = [{"type": "bind", "source": str(bundle.lower), "options": ["bind", "private", "idmap"]}]

    assert bundle.run(spec, rootfs=rootfs).output == "0\n"
    assert (bundle.lower / "made").stat().st_uid == 0
