"""CVE-2021-30465, CVE-2024-45310: a place in the root becomes a link to the host between the look and the use."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.escapes.weakened import Package, Packages, Patch
from tests.root.runtime.conftest import Bundle

pytestmark = pytest.mark.root


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder of the host's, outside of the root."""
    folder = tmp_path / "host"
    folder.mkdir()
    return folder


def _swap(root: str, name: str, target: Path, indent: str) -> str:
    """The attacker's move, in a volume that another container shares: rename a folder, put a link in its place."""
    return (
        f"{indent}os.rename({name!r}, 'aside', src_dir_fd={root}, dst_dir_fd={root})\n"
        f"{indent}os.symlink({str(target)!r}, {name!r}, dir_fd={root})\n"
    )


def test_a_mount_lands_in_the_folder_that_was_looked_at(bundle: Bundle, packages: Packages, host: Path) -> None:
    """CVE-2021-30465."""
    (bundle.path / "volume").mkdir()
    (bundle.path / "volume/of the volume").touch()
    _renew(bundle, "first")
    report = bundle.path / "report"
    bind = {"destination": "/place", "type": "bind", "source": str(bundle.path / "volume"), "options": ["bind"]}
    spec = bundle.spec(["ls", "/aside"])
    spec["mounts"].append(bind)
    old = "            _keep_proc(target, one)\n        attach(fd, target, options, *changes)\n"
    seen = f"        open({str(report)!r}, 'w').write(repr(os.listdir({str(host)!r})))\n"
    head = "            _keep_proc(target, one)\n" + _swap("root", "place", host, "        ")
    place = str(bundle.path / "rootfs" / "place")
    by_name = f"        kernel.move_mount(fd, '', dir_fd=os.open({place!r}, os.O_PATH))\n"

    def attack(attach: str) -> tuple[str, str]:
        output = packages(Patch("runtime/mounts.py", old, head + attach + seen)).run(bundle, spec).output
        return report.read_text(), output.strip()

    assert attack(by_name) == ("['of the volume']", "")
    _renew(bundle, "second")
    assert attack("        attach(fd, target, options, *changes)\n") == ("[]", "of the volume")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_made_for_a_mount_is_made_in_the_root(
    bundle: Bundle, packages: Packages, host: Path, kind: str
) -> None:
    """CVE-2024-45310."""
    _renew(bundle, "first")
    source = bundle.path / "source"
    source.mkdir() if kind == "folder" else source.touch()
    spec = bundle.spec(["ls", "/aside"])
    spec["mounts"].append({"destination": "/place/made", "type": "bind", "source": str(source), "options": ["bind"]})
    make = "        target = _make(parent, name, mode, kind)\n"
    swap = _swap("root_fd", "place", host, "            ")
    moments = "globals().setdefault('moments', [1])"
    once = f"        if name == 'made' and {moments}:\n            {moments}.pop()\n"
    moment = Patch("kernel/openat2.py", make, f"{once}{swap}{make}")
    by_name = Patch(
        "kernel/openat2.py",
        "def _make(parent: int, name: str, mode: int, kind: int) -> str | None:\n",
        "def _make(parent: int, name: str, mode: int, kind: int) -> str | None:\n"
        f"    if name == 'made': parent = os.open({str(bundle.path / 'rootfs/place')!r}, os.O_RDONLY)\n",
    )

    def attack(package: Package) -> tuple[str, list[str]]:
        return package.run(bundle, spec).output, [path.name for path in host.iterdir()]

    assert attack(packages(moment)) == ("made\n", [])
    _renew(bundle, "second")
    assert attack(packages(moment, by_name))[1] == ["made"]


def _renew(bundle: Bundle, name: str) -> None:
    """Give the bundle another writable layer, with the place in it."""
    upper, work = bundle.path / name, bundle.path / f"{name}.work"
    (upper / "place").mkdir(parents=True)
    work.mkdir()
    bundle.rootfs[0]["options"] = [bundle.rootfs[0]["options"][0], f"upperdir={upper}", f"workdir={work}"]
