"""``python -m fuzz [EXAMPLES]``: in network and mount namespaces of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from fuzz.archives import fuzz_archives, fuzz_documents
from fuzz.running_container import fuzz_running
from fuzz.runtime_config import fuzz

_ISOLATED = "WHARF_FUZZ_ISOLATED"


def main() -> int:
    """Return 1 when something went wrong."""
    if os.geteuid() != 0:
        sys.stderr.write("fuzz: it needs root\n")
        return 1
    if not os.environ.get(_ISOLATED):
        again = ["unshare", "--mount", "--net", sys.executable, "-m", "fuzz", *sys.argv[1:]]
        return subprocess.run(again, env={**os.environ, _ISOLATED: "1"}, check=False).returncode
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    fuzz_documents(4 * examples)
    taken = fuzz_archives(2 * examples)
    sys.stdout.write(f"fuzz: {2 * examples} archives, {taken} of them taken, nothing outside touched\n")
    fuzz(examples)
    sys.stdout.write(f"fuzz: {examples} documents, nothing left, no traceback\n")
    fuzz_running(examples)
    sys.stdout.write(f"fuzz: {examples} documents for a container that runs, no traceback\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
