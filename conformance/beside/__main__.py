"""``python -m conformance.beside [--fresh] [PATTERN...]``: ask both of some sequences, and print what differs.

What the peer said is kept below ``build/beside``, and not asked for again while its sequence stays as it is: that is
for those who mend. The suite ``api-beside-dockerd`` asks both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

from conformance.beside import judge
from conformance.beside.differences import Difference
from conformance.beside.sequences import SEQUENCES


def main() -> None:
    """Print the differences that are not accepted, those at one place with the same values as one."""
    parser = argparse.ArgumentParser(prog="python -m conformance.beside")
    parser.add_argument("patterns", nargs="*", default=["*"], help="of sequences' names")
    parser.add_argument("--fresh", action="store_true", help="ask the peer again")
    parser.add_argument("--each", action="store_true", help="print a line for each, in the order of the sequences")
    options = parser.parse_args()
    wanted = [one for one in SEQUENCES if any(fnmatchcase(one.name, pattern) for pattern in options.patterns)]
    with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as scratch:
        found = judge.compared(wanted, Path(scratch), None if options.fresh else judge.KEPT)
    if options.each:
        sys.stdout.write("".join(f"{one}\n" for one in found))
        return
    alike: dict[tuple[str, str, str], list[Difference]] = defaultdict(list)
    for one in found:
        alike[one.place, one.ours[:300], one.theirs[:300]].append(one)
    for (place, ours, theirs), many in sorted(alike.items(), key=lambda item: (-len(item[1]), item[0])):
        names = sorted({f"{one.sequence} | {one.step}" for one in many})
        sys.stdout.write(f"{len(many)} times {place}\n    ours   {ours}\n    theirs {theirs}\n")
        sys.stdout.write("".join(f"        {name}\n" for name in names[:6]))
    sys.stdout.write(
        f"{len(found)} differences in {len({one.sequence for one in found})} of {len(wanted)} sequences\n"
    )


main()
