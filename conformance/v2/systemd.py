"""systemd as the machine's first process: its files, and the few units that it gets."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import NoReturn

OPTION = "--systemd"
FILES = (
    "/lib/systemd/systemd",
    *glob("/usr/lib/x86_64-linux-gnu/systemd/libsystemd-*.so"),
    "/usr/bin/dbus-daemon",
    "/usr/share/dbus-1/system.conf",
    *glob("/usr/share/dbus-1/system.d/*.conf"),
)
_UNITS = Path("/etc/systemd/system")
_SOCKET = """[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
"""
_BUS = """[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation
"""
_TESTS = """[Unit]
DefaultDependencies=no
Requires=dbus.socket
After=dbus.socket
[Service]
WorkingDirectory={folder}
Environment=PATH=/bin:/usr/bin:/usr/sbin HOME=/
ExecStart={command}
StandardOutput=tty
StandardError=inherit
TTYPath=/dev/console
"""
_TARGET = """[Unit]
DefaultDependencies=no
Requires=dbus.service tests.service
"""


def become(arguments: Sequence[str]) -> NoReturn:
    """Be systemd, which runs the tests that pytest's ``arguments`` name."""
    command = " ".join([sys.executable, "-m", "conformance.v2.inside", "--now", *arguments])
    _UNITS.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("dbus.socket", _SOCKET),
        ("dbus.service", _BUS),
        ("tests.service", _TESTS.format(folder=os.getcwd(), command=command)),
        ("default.target", _TARGET),
    ):
        (_UNITS / name).write_text(text)
    os.execv("/lib/systemd/systemd", ["/lib/systemd/systemd"])  # noqa: S606 - what all this is for
