"""The command's words: on stderr for people, in the --log file for the engines that call it."""

from __future__ import annotations

import sys
import time

from wharf.lib.light_json import dumps


class Log:
    """Where errors and warnings go."""

    __slots__ = ("_format", "_path")

    def __init__(self, path: str, format_: str) -> None:
        self._path = path
        self._format = format_

    def error(self, message: str) -> None:
        """Say why the command failed: on stderr, and in the log, where callers like containerd read it."""
        sys.stderr.write(f"wharf-runtime: {message}\n")
        if self._path:
            self._append("error", message)

    def warn(self, message: str) -> None:
        """Say what is not as it was asked for: in the log, on stderr without one."""
        if self._path:
            self._append("warning", message)
        else:
            sys.stderr.write(f"wharf-runtime: warning: {message}\n")

    def _append(self, level: str, message: str) -> None:
        entry = {"level": level, "msg": message, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        text = dumps(entry)
        if self._format == "text":
            text = " ".join(f"{key}={dumps(value)}" for key, value in entry.items())
        with open(self._path, "a", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text + "\n")
