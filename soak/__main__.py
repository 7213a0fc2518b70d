"""``python -m soak [MINUTES]``: eight clients lead containers through their lives; the daemon is killed meanwhile.

With ``SOAK_SPARE=1`` it is not, so that its growth can be seen; ``SOAK_SEED`` repeats a run's lots.
In network and mount namespaces of its own. Writes ``build/soak.json``; exit code 1 when anything was wrong.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import quote

from bench.raw_http import Connection
from tests.root.world import EMPTY, observe

from soak.client import ask
from soak.daemon import Daemon
from soak.lives import Tally, live, plan
from wharf.images import busybox
from wharf.storage.layout import DataRoot, run_root_of

_ISOLATED = "WHARF_SOAK_ISOLATED"
_CLIENTS = 8
_TOP = Path(__file__).parent.parent


def main() -> int:
    """Return 1 when something was lost, left or wrong."""
    if os.geteuid() != 0:
        sys.stderr.write("soak: it needs root\n")
        return 1
    if not os.environ.get(_ISOLATED):
        script = 'ip link set lo up && exec "$@"'
        again = ["unshare", "--mount", "--net", "sh", "-c", script, "sh", sys.executable, "-m", "soak", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, _ISOLATED: "1"}, check=False).returncode
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with tempfile.TemporaryDirectory(prefix="wharf-soak.") as folder:
        result = soak(Path(folder), minutes * 60, int(os.environ.get("SOAK_SEED") or time.time()))
    (_TOP / "build").mkdir(exist_ok=True)
    (_TOP / "build/soak.json").write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(json.dumps({k: v for k, v in result.items() if k != "faults"}, indent=1) + "\n")
    faults = result["faults"]
    assert isinstance(faults, list)
    sys.stdout.write("".join(f"soak: {fault}\n" for fault in faults) or "soak: nothing lost, left or wrong\n")
    return int(bool(faults))


def soak(folder: Path, seconds: float, seed: int) -> dict[str, object]:
    """Lead lives for so long; return the figures, and all that was wrong as ``faults``."""
    daemon = Daemon(folder)
    daemon.start()
    _stock(daemon)
    over, deadline = threading.Event(), time.monotonic() + seconds
    tallies = [Tally() for _ in range(_CLIENTS)]

    def client(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        while time.monotonic() < deadline:
            name = f"life-{number}-{tallies[number].lives}"
            try:
                live(str(daemon.socket), plan(chance, name), tallies[number])
            except Exception as error:  # noqa: BLE001  # whatever a life ends in is what we are here to tell
                tallies[number].faults.append(f"{name}: {error!r}")
                return

    threads = [threading.Thread(target=client, args=(number,)) for number in range(_CLIENTS)]
    harasser = threading.Thread(target=daemon.harass, args=(random.Random(seed), over))
    for thread in threads if os.environ.get("SOAK_SPARE") else (*threads, harasser):
        thread.start()
    while any(thread.is_alive() for thread in threads):
        daemon.look()
        time.sleep(1)
    over.set()
    if harasser.ident is not None:
        harasser.join()
    faults = [fault for tally in tallies for fault in tally.faults] + _left(daemon)
    shutil.rmtree(run_root_of(daemon.root).path, ignore_errors=True)
    return {**_figures(daemon, tallies, seconds), "seed": seed, "faults": faults}


def _stock(daemon: Daemon) -> None:
    with Connection(str(daemon.socket)) as connection:
        changes = quote('CMD ["sh"]')
        path = f"/images/create?fromSrc=-&repo=busybox&tag=latest&changes={changes}"
        connection.request("POST", path, busybox.layer(), "application/x-tar")


def _left(daemon: Daemon) -> list[str]:
    """Return what is left once every client has removed its containers and the daemon has ended."""
    faults = []
    for what, where in (("container", "/containers/json?all=1"), ("volume", "/volumes")):
        found = ask(str(daemon.socket), "GET", where).document
        found = found["Volumes"] if isinstance(found, dict) else found
        faults += [f"a {what} is left: {each.get('Names') or each.get('Name')}" for each in found]
    if (code := daemon.end()) != 0:
        faults.append(f"the daemon ended with {code}")
    world = observe(DataRoot(daemon.root), run_root_of(daemon.root))
    if world != EMPTY:
        faults.append(f"left on the host: {world}")
    log = daemon.log.read_text(errors="replace")
    if (position := log.find("Traceback")) != -1:
        faults.append(f"a traceback in the daemon's log: {log[position : position + 1500]}")
    return faults


def _figures(daemon: Daemon, tallies: list[Tally], seconds: float) -> dict[str, object]:
    took, seen = sorted(second for tally in tallies for second in tally.seconds), daemon.seen
    return {
        "minutes": round(seconds / 60, 1),
        "clients": _CLIENTS,
        "lives": sum(tally.lives for tally in tallies),
        "execs": sum(tally.execs for tally in tallies),
        "killed containers": sum(tally.kills for tally in tallies),
        "killed daemons": seen.deaths,
        "life, median s": round(statistics.median(took), 2) if took else None,
        "life, longest s": round(took[-1], 2) if took else None,
        "daemon back, median s": round(statistics.median(seen.back_s), 2),
        "daemon back, longest s": round(max(seen.back_s), 2),
        "daemon's memory, most MB": round(max(seen.rss_mb, default=0), 1),
        "daemon's memory, last MB": round(seen.rss_mb[-1], 1) if seen.rss_mb else None,
        "daemon's descriptors, most": max(seen.descriptors, default=0),
    }


if __name__ == "__main__":
    sys.exit(main())
