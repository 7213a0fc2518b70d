"""Where an engine keeps its things, by who runs it: the machine's own for root, a user's own for everybody else.

====================  =================  =============================================================
what                  root               a plain user (XDG Base Directory Specification)
====================  =================  =============================================================
data root             /var/lib/wharf     $XDG_DATA_HOME/wharf        or ~/.local/share/wharf
run root, sockets     /run/wharf         $XDG_RUNTIME_DIR/wharf      or ~/.local/state/wharf/run
daemon.json, TLS      /etc/wharf         $XDG_CONFIG_HOME/wharf      or ~/.config/wharf
====================  =================  =============================================================

Inside the user namespace of a rootless engine the user is root, and ``WHARF_ROOTLESS`` (the user's id outside) tells.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

ROOTLESS: Final = "WHARF_ROOTLESS"


class Places:
    """Folders, as absolute paths; none need exist."""

    __slots__ = ("configuration", "data_root", "run_root")

    def __init__(self, data_root: str, run_root: str, configuration: str) -> None:
        self.data_root = data_root
        self.run_root = run_root
        self.configuration = configuration

    @property
    def socket(self) -> str:
        """Where the engine listens."""
        return f"{self.run_root}/wharf.sock"


SYSTEM: Final = Places("/var/lib/wharf", "/run/wharf", "/etc/wharf")


def places(uid: int, environment: Mapping[str, str]) -> Places:
    """Return where the engine of the user ``uid`` (effective) keeps its things. Pure."""
    if uid == 0 and not environment.get(ROOTLESS):
        return SYSTEM
    home = environment.get("HOME") or "/"
    return Places(
        _below(environment.get("XDG_DATA_HOME"), f"{home}/.local/share"),
        _below(environment.get("XDG_RUNTIME_DIR"), "") or f"{home}/.local/state/wharf/run",
        _below(environment.get("XDG_CONFIG_HOME"), f"{home}/.config"),
    )


def _below(folder: str | None, otherwise: str) -> str:
    """Return our folder in ``folder``, which counts when it is absolute, as the specification says."""
    chosen = folder if folder and folder.startswith("/") else otherwise
    return f"{chosen.rstrip('/')}/wharf" if chosen else ""
