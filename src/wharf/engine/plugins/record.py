"""What is known of each plugin that is installed, and which of them serve: looked up by whoever uses plugins.

A plugin's row comes after its folder and goes before it: a folder without a row is what a killed process left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from wharf.engine.plugins.config import capabilities
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.digest import Digest
from wharf.lib.reference import parse_reference
from wharf.spec.engine_api.plugin import Plugin, PluginConfig, PluginSettings
from wharf.storage.metadata import Database

_QUERY: Final = "SELECT id, name, document FROM plugins"


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One plugin; replaced as a whole."""

    id: str
    name: str  # "sample:latest"
    reference: str  # where it came from; it is pushed to where its name says
    manifest: Digest
    config: PluginConfig
    settings: PluginSettings
    enabled: bool = False
    timeout_s: int = 0  # how long to wait for its answers; 0: as long as for any plugin

    def document(self) -> Plugin:
        """Return it as the API shows it."""
        return {
            "Id": self.id,
            "Name": self.name,
            "Enabled": self.enabled,
            "Settings": self.settings,
            "PluginReference": self.reference,
            "Config": self.config,
        }

    @property
    def socket(self) -> str:
        """The name of its socket."""
        return (self.config.get("Interface") or {}).get("Socket") or ""


class PluginRecords:
    """The table, kept in memory too; on the event loop's thread, but for :meth:`find`."""

    def __init__(self, database: Database) -> None:
        """Read it."""
        self._database = database
        self._records = {record.id: record for record in map(_parse, database.query(_QUERY))}

    def __contains__(self, plugin_id: str) -> bool:
        """Whether there is a plugin of this whole id."""
        return plugin_id in self._records

    def __iter__(self) -> Iterator[PluginRecord]:
        """Return all, by name."""
        return iter(sorted(self._records.values(), key=lambda record: record.name))

    def find(self, name: str) -> PluginRecord | None:
        """Return the plugin of a name, with ``latest`` for a tag it does not have; None when there is none."""
        try:
            full = parse_reference(name).with_default_tag().familiar
        except InvalidArgument:
            return None
        return next((record for record in [*self._records.values()] if record.name == full), None)

    def resolve(self, ref: str) -> PluginRecord:
        """Return the plugin of a name, an id or the unambiguous start of one.

        Raises:
            NotFound: there is none.
            InvalidArgument: several ids start like this.
        """
        if ref in self._records:
            return self._records[ref]
        if (record := self.find(ref)) is not None:
            return record
        found = [record for record in self._records.values() if ref and record.id.startswith(ref)]
        if len(found) > 1:
            raise InvalidArgument(f'multiple plugins found for "{ref}"')
        if not found:
            raise NotFound(f'plugin "{ref}" not found')
        return found[0]

    def require_free(self, name: str) -> None:
        """Refuse a name that a plugin has: Conflict."""
        if (record := self.find(name)) is not None:
            raise Conflict(f"plugin {record.name} already exists")

    def save(self, record: PluginRecord) -> None:
        """Write down a plugin, new or changed."""
        fields = {
            "reference": record.reference,
            "manifest": record.manifest,
            "config": record.config,
            "settings": record.settings,
            "enabled": record.enabled,
            "timeout_s": record.timeout_s,
        }
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO plugins (id, name, document) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET document = excluded.document",
                (record.id, record.name, msgspec.json.encode(fields).decode()),
            )
        self._records[record.id] = record

    def forget(self, plugin_id: str) -> None:
        """Forget a plugin; idempotent."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM plugins WHERE id = ?", (plugin_id,))
        self._records.pop(plugin_id, None)

    def serving(self, name: str, capability: str) -> PluginRecord | None:
        """Return the plugin that a name means and that is enabled; None when no plugin of ours has the name.

        Raises:
            NotFound: it is none of this kind.
            Conflict: it is disabled.
        """
        if (record := self.find(name)) is None:
            return None
        if capability not in capabilities(record.config):
            raise NotFound(f'plugin "{name}" does not implement {capability}')
        if not record.enabled:
            raise Conflict(f"plugin {record.name} found but disabled")
        return record


def _parse(row: tuple[object, ...]) -> PluginRecord:
    plugin_id, name, document = map(str, row)
    fields = msgspec.json.decode(document)
    return PluginRecord(
        plugin_id,
        name,
        fields["reference"],
        Digest(fields["manifest"]),
        fields["config"],
        fields["settings"],
        fields["enabled"],
        fields["timeout_s"],
    )
