"""A data root with an image that fills volumes."""

from __future__ import annotations

import os
from pathlib import Path

from wharf.lib.digest import Digest, digest_of
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.volumes.volumes import Volumes


class Place:
    def __init__(self, path: Path) -> None:
        self.data = DataRoot(path)
        self.database = Database(self.data.database)
        self.snapshots = Snapshots(self.data, self.database)
        self.volumes = Volumes(self.data, self.database, self.snapshots, lambda: 1_700_000_000 * 10**9)

    def image(self) -> Digest:
        """Return the chain id of a layer with /srv/data (7:8, 2750) and a symlink to it."""
        chain_id = digest_of(b"layer")
        with self.snapshots.stage() as stage:
            folder = stage.path / "srv/data"
            folder.mkdir(parents=True)
            (folder / "f").write_text("from the image")
            os.chown(folder / "f", 7, 8)
            os.chown(folder, 7, 8)
            folder.chmod(0o2750)
            (stage.path / "link").symlink_to("/srv/data")
            (stage.path / "up").symlink_to("../../../..")
            (stage.path / "file").write_text("x")
            self.snapshots.adopt(stage, chain_id)
        with self.database.transaction() as db:
            self.snapshots.record(db, chain_id, parent=None, diff_id=chain_id, size_bytes=0)
        return chain_id
