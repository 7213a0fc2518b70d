"""CVE-2021-30465, CVE-2024-45310: a place in the root becomes a link to the host between the look and the use."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.escapes.weakened import Package, Packages
from tests.root.escapes.weakenings import MADE_BY_NAME, MOUNT_BY_NAME, Patch
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
    keep, end = "            _keep_proc(target, one)\n", "        os.close(target)\n\n\ndef _open_source"
    seen = f"        open({str(report)!r}, 'w').write(repr(os.listdir({str(host)!r})))\n"
    moment = (
        Patch("runtime/mounts.py", keep, keep + _swap("root", "place", host, "        ")),
        Patch("runtime/mounts.py", end, seen + end),
    )

    def attack(package: Package) -> tuple[str, str]:
        output = package.run(bundle, spec).output
        return report.read_text(), output.strip()

    assert attack(packages(*moment, *MOUNT_BY_NAME.patches)) == ("['of the volume']", "")
    _renew(bundle, "second")
    assert attack(packages(*moment)) == ("[]", "of the volume")


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
    found = "    parent = _ensure(root_fd, parent_path, 0o755, os.O_DIRECTORY, symlinks)\n    try:\n"
    swap = _swap("root_fd", "place", host, "            ")
    moments = "globals().setdefault('moments', [1])"
    once = f"        if name == 'made' and {moments}:\n            {moments}.pop()\n"
    moment = Patch("kernel/openat2.py", found, f"{found}{once}{swap}")

    def attack(package: Package) -> tuple[str, list[str]]:
        return package.run(bundle, spec).output, [path.name for path in host.iterdir()]

    assert attack(packages(moment)) == ("made\n", [])
    _renew(bundle, "second")
    assert attack(packages(moment, *MADE_BY_NAME.patches))[1] == ["made"]


def _renew(bundle: Bundle, name: str) -> None:
    """Give the bundle another writable layer, with the place in it."""
    upper, work = bundle.path / name, bundle.path / f"{name}.work"
    (upper / "place").mkdir(parents=True)
    work.mkdir()
    bundle.rootfs[0]["options"] = [bundle.rootfs[0]["options"][0], f"upperdir={upper}", f"workdir={work}"]
