"""An engine that remaps users (:mod:`wharf.engine.remap`): where the namespaces of its containers come from."""

from __future__ import annotations

import asyncio
import os

from wharf.engine.remap import find
from wharf.errors import NotImplementedHere
from wharf.kernel import mount
from wharf.kernel.netns import Origin
from wharf.lib.remap import Remap
from wharf.processes.processes import Processes
from wharf.storage.layout import DataRoot
from wharf.storage.snapshotter import Roots


class Remapping:
    """The mappings, and who makes namespaces that have them. Belongs to one event loop."""

    def __init__(self, ids: Remap, processes: Processes) -> None:
        self.ids = ids
        self._processes = processes
        self._loop = asyncio.get_running_loop()
        self.origin = self._origin(None)

    def within(self, user: int) -> Origin:
        """Return what makes network namespaces of the user namespace ``user``, as long as that is open."""
        return self._origin(user)

    def _origin(self, user: int | None) -> Origin:
        def make() -> int:
            making = self._processes.make_namespace(self.ids.maps, network=True, within=user)
            return asyncio.run_coroutine_threadsafe(making, self._loop).result()

        return Origin(make, repeatable=user is None)

    async def make(self) -> int:
        """Return a descriptor, the caller's own, of a new user namespace."""
        return await self._processes.make_namespace(self.ids.maps)


async def of(asked: str | Remap, processes: Processes, *, rootless: bool) -> Remapping | None:
    """Return what the option ``userns_remap`` says; None for nothing. Raises as :func:`wharf.engine.remap.find`."""
    ids = await asyncio.to_thread(find, asked, rootless=rootless) if asked else None
    return Remapping(ids, processes) if ids else None


async def require(remapping: Remapping | None, data: DataRoot, roots: Roots) -> None:
    """See that files in the data root can have the ids of user namespaces, if they shall.

    Raises:
        NotImplementedHere: the file system, the storage driver or the kernel has no id-mapped mounts.
    """
    if remapping is None:
        return
    if roots.attaches:
        raise NotImplementedHere(f"userns-remap does not work with the storage driver {roots.name}: use another one")
    user = await remapping.make()
    try:
        await asyncio.to_thread(_map, str(data.containers), user)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise NotImplementedHere(
            f"userns-remap needs id-mapped mounts, which the file system of {data.path} does not have on this "
            f"kernel ({os.uname().release}): {reason}"
        ) from error
    finally:
        os.close(user)


def _map(folder: str, user: int) -> None:
    fd = mount.open_tree(folder)
    try:
        mount.map_ids(fd, user)
    finally:
        os.close(fd)
