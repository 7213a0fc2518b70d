"""The same requests to Wharf and to dockerd, and no answer that differs but for what is accepted with a reason.

dockerd is Debian sid's, of 2025, unpacked (``scripts/dockerd``); the machine's own is from before API 1.42. What is
asked is in :mod:`conformance.beside.sequences`, what may differ in ``beside/accepted.tsv``.
``python -m conformance.beside`` asks more than is judged yet, and shows all that differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from conformance.beside import judge
from conformance.beside.sequences import JUDGED
from conformance.suites import Outcome, Suite, Unavailable


def run(scratch: Path) -> Outcome:
    """Ask both everything, and print what differs.

    Raises:
        Unavailable: dockerd cannot be had, or does not run here.
    """
    if judge.peer() is None:
        raise Unavailable("scripts/dockerd brings no dockerd here")
    found = judge.compared(JUDGED, scratch, None)
    sys.stdout.write("".join(f"api-beside-dockerd: {one}\n" for one in found))
    failed = tuple(dict.fromkeys(one.sequence for one in found))
    return Outcome(len(JUDGED) - len(failed), len(failed), 0, failed)


SUITE = Suite("api-beside-dockerd", len(JUDGED), run)
