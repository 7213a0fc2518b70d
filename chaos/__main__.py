"""``python -m chaos [POINTS] [SEED]``: in network and mount namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from chaos import builds, images

_ISOLATED = "WHARF_CHAOS_ISOLATED"
_ALONE = ("unshare", "--mount", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def main() -> int:
    """Return 1 when something was not whole."""
    if os.geteuid() != 0:
        sys.stderr.write("chaos: it needs root\n")
        return 1
    if not os.environ.get(_ISOLATED):
        again = [*_ALONE, sys.executable, "-m", "chaos", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, _ISOLATED: "1"}, check=False).returncode
    points = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else int.from_bytes(os.urandom(4), "big")
    sys.stdout.write(f"chaos: {points} points, seed {seed}\n")
    wrong = []
    for kind, share in ((images.chaos, points - points // 5), (builds.chaos, points // 5)):
        with tempfile.TemporaryDirectory(prefix="wharf-chaos.", dir="/tmp") as folder:
            wrong += kind(Path(folder), share, seed)
    for line in wrong:
        sys.stdout.write(f"chaos: {line}\n")
    if not wrong:
        sys.stdout.write(
            f"chaos: killed {points} times in {', '.join(images.VERBS)} and build: the store was whole each time\n"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
