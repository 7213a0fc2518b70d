"""CVE-2018-15664, CVE-2019-14271: docker cp, whose paths and whose files are the container's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.root.escapes.weakened import Package, Packages
from tests.root.escapes.weakenings import COPY_BY_NAME, COPY_INSIDE, IMPORTS_INSIDE, Patch
from tests.root.runtime.conftest import Bundle

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_what_is_copied_out_is_the_containers(root: Path, tmp_path: Path, packages: Packages) -> None:
    """CVE-2018-15664."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "secret").write_text("host")

    def attack(package: Package) -> str:
        output, error = package.on_engine("copy out", root, folder=str(folder))
        assert error == ""
        return str(output)

    assert attack(packages(*COPY_BY_NAME.patches)) == "host"
    assert attack(packages()) == "container"


_MOMENT = "import colorsys  # what a library loads when it is used for the first time\n"


def test_a_copy_loads_nothing_of_the_containers(root: Path, packages: Packages) -> None:
    """CVE-2019-14271: a library that is loaded after the root was changed to the container's is the container's."""
    moment = Patch(
        "engine/containers/archive.py",
        "    _require_folder(root, base, asked)\n    _require",
        f"    if base == '/tmp':\n        {_MOMENT}    _require_folder(root, base, asked)\n    _require",
    )

    def attack(package: Package) -> str:
        output, error = package.on_engine("copy in", root)
        assert error == ""
        return str(output)

    assert "loaded" in attack(packages(moment, *COPY_INSIDE.patches))
    assert "loaded" not in attack(packages(moment))


@pytest.mark.parametrize("way", ["direct", "embryo", "exec"])
def test_a_process_in_the_container_loads_nothing_of_the_containers(
    bundle: Bundle, packages: Packages, way: str
) -> None:
    """The same of what enters a container: from its birth on it has nothing to import with."""
    library = bundle.lower / os.path.dirname(os.__file__).lstrip("/")
    library.mkdir(parents=True)
    (library / "colorsys.py").write_text("open('/loaded', 'w').write('loaded')")
    spec = bundle.spec(["cat", "/loaded"])
    more = {"process": spec["process"], "usual_mounts": spec["mounts"]}
    if way == "exec":
        spec = bundle.spec(["sleep", "60"])
        moment = Patch(
            "runtime/execution.py", '        steps.done("join")\n', f'        {_MOMENT}        steps.done("join")\n'
        )
    else:
        spec["linux"]["namespaces"].pop()
        moment = Patch("runtime/init.py", '    steps.done("pivot")\n', f'    {_MOMENT}    steps.done("pivot")\n')

    assert packages(moment, *IMPORTS_INSIDE.patches).run(bundle, spec, way=way, **more) == ("loaded", "")
    output, error = packages(moment).run(bundle, spec, way=way, **more)
    assert output == ""
    assert "colorsys" in error
