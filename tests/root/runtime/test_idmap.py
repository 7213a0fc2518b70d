"""Id-mapped bind mounts, with and without a user namespace, and what is mounted below them."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle

from wharf.runtime.errors import StartFailed

pytestmark = pytest.mark.root

MAP = [{"containerID": 0, "hostID": 5000, "size": 1000}]


def mapped(bundle: Bundle, *options: str, **more: Any) -> Any:
    source = bundle.path / "source"
    source.mkdir()
    (source / "file").write_text("x")
    spec = bundle.spec(["stat", "-c", "%u:%g", "/data/file", "/data"])
    spec["mounts"].append({"destination": "/data", "source": str(source), "options": list(options), **more})
    return spec


def test_the_owners_of_files_are_mapped(bundle: Bundle) -> None:
    spec = mapped(bundle, "bind", "idmap", uidMappings=MAP, gidMappings=MAP)

    assert bundle.run(spec).output == "5000:5000\n5000:5000\n"
    assert (bundle.path / "source/file").stat().st_uid == 0


def test_a_mapping_that_is_given_needs_no_option(bundle: Bundle) -> None:
    spec = mapped(bundle, "rbind", uidMappings=MAP, gidMappings=MAP)

    assert bundle.run(spec).output == "5000:5000\n5000:5000\n"


def test_the_user_namespaces_mapping_is_meant_without_another(bundle: Bundle) -> None:
    bundle.path.chmod(0o755)
    spec = mapped(bundle, "bind", "idmap")
    spec["root"]["path"] = "lower"
    spec["linux"]["namespaces"].append({"type": "user"})
    own = [{"containerID": 0, "hostID": 0, "size": 65536}]
    spec["linux"] |= {"uidMappings": own, "gidMappings": own}
    spec["mounts"] = [m for m in spec["mounts"] if m["destination"] != "/dev/pts"]

    assert bundle.run(spec, rootfs=[]).output == "0:0\n0:0\n"


def test_a_new_file_system_can_be_mapped_too(bundle: Bundle) -> None:
    """Ids of the mount itself: a tmpfs is the host's root's, and a mapped one shows that as the mapping says."""
    spec = bundle.spec(["stat", "-c", "%u:%g", "/data"])
    mount = {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "uidMappings": MAP, "gidMappings": MAP}
    spec["mounts"].append({**mount, "options": ["idmap"]})

    assert bundle.run(spec).output == "5000:5000\n"


@pytest.mark.parametrize(("option", "owner"), [("idmap", "0"), ("ridmap", "5000")])
def test_only_a_recursive_mapping_reaches_what_is_mounted_below(bundle: Bundle, option: str, owner: str) -> None:
    spec = mapped(bundle, "rbind", option, uidMappings=MAP, gidMappings=MAP)
    below = bundle.path / "source/below"
    below.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(below)], check=True)
    spec["process"]["args"] = ["stat", "-c", "%u", "/data/below"]
    try:
        assert bundle.run(spec).output == f"{owner}\n"
    finally:
        subprocess.run(["umount", str(below)], check=True)


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        (["bind", "idmap"], {}, "there are no mappings"),
        (["bind", "idmap"], {"uidMappings": MAP}, "must be given together"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    bundle: Bundle, options: list[str], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(StartFailed, match=message):
        bundle.create(mapped(bundle, *options, **more))


def test_a_source_that_only_the_hosts_root_can_reach_is_mounted_in_a_user_namespace(bundle: Bundle) -> None:
    bundle.path.chmod(0o755)
    spec = mapped(bundle, "bind")
    hidden = bundle.path / "hidden"
    (bundle.path / "source").rename(bundle.path / "moved")
    hidden.mkdir(mode=0o700)
    (bundle.path / "moved").rename(hidden / "source")
    (hidden / "source").chmod(0o755)
    spec["mounts"][-1]["source"] = str(hidden / "source")
    spec["root"]["path"] = "lower"
    spec["linux"]["namespaces"].append({"type": "user"})
    own = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    spec["linux"] |= {"uidMappings": own, "gidMappings": own}
    spec["mounts"] = [m for m in spec["mounts"] if m["destination"] in ("/data", "/proc")]
    for parent in bundle.path.parents[:2]:
        parent.chmod(0o755)
    for folder in ("dev", "proc", "data"):
        (bundle.lower / folder).mkdir()
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (bundle.lower / "dev" / name).touch()
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "x"),
        ("stdin", "x"),
        ("stdout", "x"),
        ("stderr", "x"),
        ("core", "x"),
    ):
        (bundle.lower / "dev" / name).symlink_to(target)

    assert bundle.run(spec, rootfs=[]).output == "65534:65534\n65534:65534\n"
