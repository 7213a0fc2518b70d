"""What is known of a user's namespaces between one engine and the next: ``<run root>/rootless``.

::

    lock             held while somebody makes, enters or ends the namespaces
    holder           held (flock) by the holder for as long as it lives: nothing else tells that it does
    world.json       what there is (wharf.spec.rootless); valid only while ``holder`` is held
    resolv.conf      the name server of slirp4netns, seen at /etc/resolv.conf inside
    pasta.pid slirp4netns.sock slirp4netns.log
"""

from __future__ import annotations

import os

from wharf.errors import Forbidden
from wharf.kernel import lock
from wharf.lib import light_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.lib.places import Places
    from wharf.spec.rootless import World


class Folder:
    """The paths; made by :func:`open_folder`."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def lock(self) -> str:
        """The file whose lock orders launchers."""
        return f"{self.path}/lock"

    @property
    def holder(self) -> str:
        """The file whose lock the holder has."""
        return f"{self.path}/holder"

    def read(self) -> World | None:
        """Return the world while its holder lives, else None."""
        free = lock.try_lock(self.holder)
        if free is not None:
            os.close(free)
            return None
        with open(f"{self.path}/world.json", encoding="utf-8") as file:
            return light_json.loads(file.read())  # type: ignore[return-value]  # our own writing

    def write(self, world: World) -> None:
        """Write the world down, at once as a whole."""
        temporary = f"{self.path}/world.json.new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(light_json.dumps(world))
        os.replace(temporary, f"{self.path}/world.json")


def open_folder(places: Places) -> Folder:
    """Make the user's folder if it is missing.

    Raises:
        Forbidden: it, or the run root it is in, is somebody else's.
        OSError: it cannot be made.
    """
    for path in (places.run_root, f"{places.run_root}/rootless"):
        os.makedirs(path, mode=0o700, exist_ok=True)
        if os.stat(path).st_uid != os.geteuid():
            raise Forbidden(f"{path} belongs to another user: set XDG_RUNTIME_DIR to a folder of your own")
    return Folder(f"{places.run_root}/rootless")
