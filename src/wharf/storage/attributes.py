"""Extended attributes of a name, as far as they can be read (xattr(7)): an image may carry some that cannot."""

from __future__ import annotations

import errno
import os
from typing import Final

_UNREADABLE: Final = frozenset({errno.EINVAL, errno.ENODATA, errno.ENOTSUP, errno.EOVERFLOW})
"""EINVAL and EOVERFLOW: of a malformed security.capability, which the kernel stores and does not give back."""


def attributes_of(path: bytes) -> dict[str, bytes]:
    """Return the attributes of ``path``, which is not followed, in the order of their names."""
    found = {}
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        try:
            found[name] = os.getxattr(path, name, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
    return found
