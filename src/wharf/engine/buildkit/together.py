"""Results of several platforms in one folder (``platform-split=false``): none may write over another's files."""

from __future__ import annotations

import stat
from collections.abc import Sequence

from wharf.errors import InvalidArgument
from wharf.storage.trees import walk


def require_apart(results: Sequence[tuple[str, int | None]]) -> None:
    """Check that results have nothing in common but folders; blocking.

    Args:
        results: what each platform is called, and its open folder; None for an empty one.

    Raises:
        InvalidArgument: two have a name in common that is not a folder in both; in BuildKit's words (exporter/local).
    """
    known: dict[bytes, tuple[str, bool]] = {}
    for platform, fd in results:
        for node in walk(fd) if fd is not None else ():
            is_folder = stat.S_ISDIR(node.status.st_mode)
            other, was_folder = known.setdefault(node.path, (platform, is_folder))
            if other != platform and not (is_folder and was_folder):
                path = node.path.decode("utf-8", "replace")
                raise InvalidArgument(
                    f"cannot overwrite {path} from {other} with {platform} when split option is disabled"
                )
