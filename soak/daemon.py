"""The daemon under load: started, killed at random, started again; how much it holds is looked at meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from soak.client import ask

_TOP = Path(__file__).parent.parent


@dataclass
class Watched:
    """What was seen of the daemons."""

    deaths: int = 0
    back_s: list[float] = field(default_factory=list)  # from a start to its first answer
    rss_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)


class Daemon:
    """wharfd on a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.root, self.socket, self.log = folder / "root", folder / "api.sock", folder / "log"
        self.seen = Watched()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait for its first answer."""
        began = time.monotonic()
        command = [sys.executable, str(_TOP / "scripts/wharfd"), "--data-root", str(self.root)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-H", f"unix://{self.socket}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        ask(str(self.socket), "GET", "/_ping")
        self.seen.back_s.append(time.monotonic() - began)

    def kill(self) -> None:
        """End it as a power failure would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.seen.deaths += 1

    def end(self) -> int:
        """End it in order; return its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def look(self) -> None:
        """Note how much memory and how many descriptors it holds."""
        assert self._process is not None
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
            descriptors = len(os.listdir(f"/proc/{self._process.pid}/fd"))
        except OSError:
            return
        resident = next((line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")), "0")
        self.seen.rss_mb.append(int(resident) / 1024)
        self.seen.descriptors.append(descriptors)

    def harass(self, chance: random.Random, over: threading.Event) -> None:
        """Kill it at random moments and start it again, until ``over``."""
        while not over.is_set():
            if over.wait(chance.choice((chance.uniform(0.5, 5), chance.uniform(5, 20), chance.uniform(20, 40)))):
                return
            self.kill()
            self.start()
