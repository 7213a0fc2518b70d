"""Where a plugin is on the host: its socket, its root, and where paths that it tells lead."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wharf.engine.plugins.config import capabilities
from wharf.engine.plugins.folder import PROPAGATED, ROOTFS
from wharf.engine.plugins.record import PluginRecord, PluginRecords
from wharf.errors import Unavailable
from wharf.kernel.openat2 import open_in_root
from wharf.lib.digest import hex_of
from wharf.plugins.calls import Address
from wharf.plugins.finding import found
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.trees import FOLDER


def socket_of(run: RunRoot, record: PluginRecord) -> Path:
    """Return where a plugin listens."""
    return run.plugin(record.id) / "sockets" / record.socket


def root_of(data: DataRoot, record: PluginRecord) -> Path:
    """Return a plugin's root."""
    return data.plugin(record.id) / hex_of(record.manifest) / ROOTFS


def streams_of(run: RunRoot, record: PluginRecord) -> Path | None:
    """Return where a log plugin finds what it is to read; None for others."""
    return run.plugin_streams(record.id) if "logdriver" in capabilities(record.config) else None


def propagated_of(data: DataRoot, record: PluginRecord) -> Path:
    """Return what a plugin's PropagatedMount is."""
    return data.plugin(record.id) / PROPAGATED


def on_host(data: DataRoot, record: PluginRecord, path: str) -> str:
    """Return where a path that a plugin tells, one of its own, is on the host: no symlink of its leads elsewhere.

    Raises:
        Unavailable: it is not there.
    """
    target = (record.config.get("PropagatedMount") or "").rstrip("/")
    folder, rest = root_of(data, record), path
    if target and (path == target or path.startswith(f"{target}/")):
        folder, rest = propagated_of(data, record), path.removeprefix(target)
    try:
        top = os.open(folder, FOLDER)
        try:
            fd = open_in_root(top, rest.lstrip("/") or ".")
        finally:
            os.close(top)
    except OSError as error:
        raise Unavailable(f"plugin {record.name} told a path that is not there: {path}: {error.strerror}") from error
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    finally:
        os.close(fd)


def address_of(run: RunRoot, record: PluginRecord) -> Address:
    """Return how to call a plugin that is enabled."""
    return Address(f"unix://{socket_of(run, record)}", name=record.name, timeout_s=record.timeout_s)


def volume_drivers(data: DataRoot, run: RunRoot, records: PluginRecords) -> Callable[[str], Address | None]:
    """Return how to find the plugin that keeps volumes, by name; see :meth:`PluginRecords.serving`."""

    def find(name: str) -> Address | None:
        if (record := records.serving(name, "volumedriver")) is None:
            return None
        return replace(address_of(run, record), locate=lambda path: on_host(data, record, path))

    return find


def network_plugins(run: RunRoot, records: PluginRecords) -> Callable[[str, str], Address]:
    """Return how to find a plugin of networks or addresses, by name and kind: the engine's own come first.

    Raises, when it is called, as :func:`wharf.plugins.finding.found`.
    """
    known: set[tuple[str, str, str]] = set()

    def find(name: str, kind: str) -> Address:
        record = records.serving(name, kind.lower())
        return found(name, kind, known=known) if record is None else address_of(run, record)

    return find
