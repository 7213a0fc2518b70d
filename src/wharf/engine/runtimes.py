"""The names that a runtime may be asked for by. There is one, ours; it answers to that of runc, too."""

from __future__ import annotations

from typing import Final

DEFAULT: Final = "runc"
RUNTIMES: Final = {name: {"path": "wharf-runtime"} for name in (DEFAULT, "io.containerd.runc.v2", "wharf-runtime")}
