"""List what a data root still has on the host: nothing, once its containers are removed and its daemon has ended.

Every name on the host carries the key of its data root, so this finds exactly what that daemon made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from wharf.storage.layout import DataRoot, run_root_of


def traces(data_root: Path) -> Iterator[str]:
    """Yield a line for each mount, link, cgroup, container and process that belongs to ``data_root``."""
    root, run = DataRoot(data_root), run_root_of(data_root)
    places = (str(data_root.resolve()), str(run.path))
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if line.split()[4].startswith(tuple(f"{place}/" for place in places)):
            yield f"mount {line.split()[4]}"
    for alias in Path("/sys/class/net").glob("*/ifalias"):
        if root.key in alias.read_text():
            yield f"link {alias.parent.name}"
    for pattern in (f"wharf/{root.key}/*", f"*/wharf/{root.key}/*"):
        yield from (f"cgroup {path}" for path in Path("/sys/fs/cgroup").glob(pattern) if path.is_dir())
    for folder in (root.containers, run.shims, run.netns):
        yield from (f"folder {path}" for path in folder.glob("*"))
    yield from processes(places)


def processes(places: tuple[str, ...]) -> Iterator[str]:
    """Yield the processes whose command line names one of ``places``."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has just ended
        if any(place in command for place in places) and "left_behind" not in command:
            yield f"process {folder.name}: {command}"


def main() -> int:
    """Print the traces of the data root named; 1 when there are any."""
    found = sorted(traces(Path(sys.argv[1])))
    for line in found:
        print(f"      left behind: {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
