"""What the daemon may have open, and what its containers begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, cli

pytestmark = pytest.mark.root

_FEW = ("sh", "-c", 'ulimit -Sn 300; ulimit -Hn 5000; exec "$@"', "sh")


@pytest.fixture
def wharf(daemon: Wharfd) -> Cli:
    return cli("wharf", daemon)


def test_the_daemon_raises_its_own_limit_of_open_files_and_no_containers(daemon: Wharfd, wharf: Cli) -> None:
    daemon.end()
    daemon.start(by=_FEW)
    assert daemon.process is not None
    limits = Path(f"/proc/{daemon.process.pid}/limits").read_text()
    wharf.ok(
        "run", "-d", "--name", "c1", "--network", "none", "busybox", "sh", "-c", "ulimit -Sn; ulimit -Hn; sleep 60"
    )

    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [["5000"] * 2]
    assert wharf.ok("exec", "c1", "sh", "-c", "ulimit -Sn; ulimit -Hn").split() == ["300", "5000"]
    assert wharf.ok("logs", "c1").split() == ["300", "5000"]
    wharf.ok("rm", "-f", "c1")
