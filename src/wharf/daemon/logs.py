"""The daemon's own log: lines on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time

_LEVELS = {
    "debug": logging.DEBUG,  # requests and decisions too
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "fatal": logging.CRITICAL,
}


def set_up(*, level: str, style: str) -> None:
    """Log to standard error.

    Args:
        level: The least important lines that are logged: debug, info, warn, error or fatal.
        style: ``text`` or ``json`` (one object a line).
    """
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(JsonLines() if style == "json" else _text())
    logging.basicConfig(handlers=[target], force=True)
    set_level(level)
    logging.getLogger("asyncio").setLevel(logging.INFO)


def set_level(level: str) -> None:
    """Log from ``level`` upwards from now on."""
    logging.getLogger().setLevel(_LEVELS[level])


def _text() -> logging.Formatter:
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    return formatter


class JsonLines(logging.Formatter):
    """One JSON object a record: time, level, logger, message, and a traceback when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)
