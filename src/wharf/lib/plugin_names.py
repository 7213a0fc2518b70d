"""What a plugin that the engine installs is called here. Pure."""

from __future__ import annotations

from wharf.errors import InvalidArgument
from wharf.lib.reference import Reference, parse_reference


def local_reference(name: str) -> Reference:
    """Return a plugin's name in full, as it has one here.

    Raises:
        InvalidArgument: it is malformed, or has a digest.
    """
    reference = parse_reference(name)
    if reference.digest:
        raise InvalidArgument("refusing to create a plugin with digest reference")
    return reference.with_default_tag()


def local_name(remote: str, name: str | None) -> str:
    """Return what a plugin is called here: as its registry calls it unless told otherwise; raises as above."""
    return local_reference(name or remote).familiar
