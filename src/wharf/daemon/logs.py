"""The daemon's own log: lines on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time


def set_up(*, debug: bool, style: str) -> None:
    """Log to standard error, from info or debug upwards.

    Args:
        debug: Whether requests and decisions are logged too.
        style: ``text`` or ``json`` (one object a line).
    """
    target = logging.StreamHandler(sys.stderr)
    target.setFormatter(JsonLines() if style == "json" else _text())
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, handlers=[target], force=True)
    logging.getLogger("asyncio").setLevel(logging.INFO)


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
