"""Ask both daemons every sequence, and compare."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from bench import sides
from bench.raw_http import Connection

from conformance.beside import steps
from conformance.beside.differences import Difference, accepted, differences, unaccepted
from conformance.beside.play import play, unsent
from wharf.images import busybox

_TOP: Final = Path(__file__).parents[2]
KEPT: Final = _TOP / "build/beside"
"""Where what the peer said is kept for those who mend."""
Said = dict[str, list[Any]]


def compared(wanted: Sequence[steps.Sequence], scratch: Path, kept: Path | None) -> list[Difference]:
    """Return what is different and not accepted; the peer's words come from ``kept`` as far as it has them."""
    programs = peer()
    known = {one.name: said for one in wanted if kept and (said := _kept(kept, programs, one)) is not None}
    missing = [one for one in wanted if one.name not in known]
    by_name = {one.name: one for one in missing}
    ours: Said = {}
    theirs: Said = dict(known)

    def heard(name: str, said: list[Any]) -> None:
        theirs[name] = said
        if kept:
            _keep(kept, programs, by_name[name], said)

    with ThreadPoolExecutor() as both:
        asked = (
            both.submit(
                _ask, sides.wharf(_TOP / ".venv/bin", scratch / "w"), scratch / "w", wanted, ours.__setitem__
            ),
            both.submit(_ask, sides.dockerd(scratch / "d", programs), scratch / "d", missing, heard),
        )
    for side in asked:
        side.result()
    return unaccepted(_differences(wanted, ours, theirs), accepted())


def peer() -> Path | None:
    """Return the folder of dockerd's newest programs; None when there are those of this machine only."""
    done = subprocess.run([_TOP / "scripts/dockerd"], stdout=subprocess.PIPE, text=True, check=False)
    return Path(done.stdout.strip()).resolve() if done.returncode == 0 else None


def _ask(
    engine: sides.Engine, root: Path, wanted: Sequence[steps.Sequence], heard: Callable[[str, list[Any]], None]
) -> None:
    if not wanted:
        return
    with sides.running(engine, root, "docker", {steps.IMAGE: busybox.layer()}) as side:
        with Connection(side.socket) as connection:
            image = connection.json("GET", f"/images/{steps.IMAGE}/json")["Id"]
        places = {"image": image, "root": str(root)}
        for sequence in wanted:
            try:
                heard(sequence.name, play(sequence, side.socket, places))
            except OSError as error:
                log = (root / "log").read_text(errors="replace")[-2000:]
                sys.stdout.write(f"{engine.name}: {sequence.name}: {error}\n{log}\n")
                raise


def _differences(wanted: Sequence[steps.Sequence], ours: Said, theirs: Said) -> list[Difference]:
    found: list[Difference] = []
    for sequence in wanted:
        for step, mine, other in zip(sequence.steps, ours[sequence.name], theirs[sequence.name], strict=True):
            if unsent(mine) != unsent(other):  # one side refused to make what it is about, which is told already
                continue
            found += differences(sequence.name, str(step), mine, other)
    return found


def _file(kept: Path, programs: Path | None, sequence: steps.Sequence) -> Path:
    return kept / hashlib.sha256(f"{programs} {sequence}".encode()).hexdigest()[:32]


def _kept(kept: Path, programs: Path | None, sequence: steps.Sequence) -> list[Any] | None:
    path = _file(kept, programs, sequence)
    return json.loads(path.read_text()) if path.exists() else None


def _keep(kept: Path, programs: Path | None, sequence: steps.Sequence, said: list[Any]) -> None:
    kept.mkdir(parents=True, exist_ok=True)
    _file(kept, programs, sequence).write_text(json.dumps(said))
