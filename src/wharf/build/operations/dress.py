"""How copied files are dressed: whose they are, what they may, and when they were made."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from wharf.build.operations.modes import changed_mode


@dataclass(frozen=True, slots=True)
class Dress:
    """How copied files are dressed; None keeps what the source has."""

    uid: int | None = None
    gid: int | None = None
    mode: str = ""
    created_ns: int | None = None

    def of_a_parent(self) -> Dress:
        """Return the dress of a folder that is made for copies: nothing is taken from a source but its times."""
        return Dress(self.uid or 0, self.gid or 0, self.mode if self.mode.isdigit() else "755", self.created_ns)

    def owner(self, status: os.stat_result) -> tuple[int, int]:
        """Return uid and gid."""
        return (
            status.st_uid if self.uid is None else self.uid,
            status.st_gid if self.gid is None else self.gid,
        )

    def permissions(self, status: os.stat_result) -> int:
        """Return the twelve bits of the mode."""
        own = stat.S_IMODE(status.st_mode)
        return changed_mode(self.mode, own, folder=stat.S_ISDIR(status.st_mode)) if self.mode else own

    def keeps(self, status: os.stat_result) -> bool:
        """Whether a copy would look like the file itself."""
        owner, mode, (_, modified_ns) = self.owner(status), self.permissions(status), self.times(status)
        return (*owner, mode, modified_ns) == (
            status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), status.st_mtime_ns
        )  # fmt: skip

    def times(self, status: os.stat_result) -> tuple[int, int]:
        """Return access and modification time in nanoseconds."""
        when = status.st_mtime_ns if self.created_ns is None else self.created_ns
        return when, when
