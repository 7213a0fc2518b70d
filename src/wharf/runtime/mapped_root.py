"""A root whose files keep the container's ids on the disk, and are its user namespace's in its sight.

Of an overlay the layers are id-mapped, each by a detached copy of its mount, for an overlay itself cannot be (Linux
5.19+; mount_setattr(2), "ID-mapped mounts"). Nothing is copied or given to others, and containers with other
mappings, or with none, share the same layers. It is mounted by the runtime, outside: an overlay that the user
namespace's root mounts may not use trusted xattrs.
"""

from __future__ import annotations

import os

from wharf.kernel import mount as kernel
from wharf.kernel import overlay_mapped
from wharf.kernel.mount import OpenTree
from wharf.runtime import mount_options
from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.kernel.overlay_mapped import Owner
    from wharf.runtime.mount_options import Options
    from wharf.runtime.rootfs import RootPlan

_CLONE: Final = int(OpenTree.CLONE)


def open_root(root: RootPlan, owner: Owner) -> int:
    """Return the root as a detached mount with the ids of the user namespace of ``owner``; the caller closes it.

    Raises:
        OSError: a layer's file system, or the kernel, has no id-mapped mounts.
        StartFailed: it is of several mounts, or of a type that cannot be mapped.
    """
    if len(root.mounts) != 1:
        raise invalid("a root that is id-mapped is a single mount")
    fstype, source, texts = root.mounts[0]
    options = mount_options.parse(texts)
    if fstype == "overlay":
        return overlay(options, owner)
    if not options.bind and fstype != "bind":
        raise invalid(f"root of type {fstype} cannot be id-mapped")
    fd = kernel.open_tree(source, _CLONE)
    try:
        kernel.map_ids(fd, owner.fd)
        if options.set:
            kernel.mount_setattr(fd, set_=options.set)
    except BaseException:
        os.close(fd)
        raise
    return fd


def overlay(options: Options, owner: Owner) -> int:
    """Return the overlay that ``options`` describe, of layers with the ids of ``owner``, as a detached mount.

    Raises:
        OSError: as :func:`open_root`.
    """
    lower = [value for key, value in options.data if key == "lowerdir+"]
    rest = {key: value for key, value in options.data if key not in ("lowerdir+", "upperdir", "workdir")}
    single = dict(options.data)
    upper, work = single.get("upperdir", ""), single.get("workdir", "")
    return overlay_mapped.detached(overlay_mapped.Layers(lower, upper, work, rest, options.set), owner)
