"""Which frontends there are: the language of Dockerfiles, under all of its names, and images that are run. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.reference import parse_reference

DOCKERFILE: Final = "dockerfile.v0"
GATEWAY: Final = "gateway.v0"  # an image that is run
_OWN: Final = ("docker/dockerfile", "docker/dockerfile-upstream")  # also from a registry that mirrors them


def frontend_of(name: str, attributes: Mapping[str, str]) -> str:
    """Return the frontend to use for one that a client names: an image of Dockerfiles' own language is ours.

    Raises:
        NotImplementedHere: there is no such frontend here; with its name.
        InvalidArgument: an image is wanted, and none is named, or not by an image's name.
    """
    if name == GATEWAY:
        if not attributes.get("source"):
            raise InvalidArgument("no source specified for gateway")
        return GATEWAY if other_syntax(attributes["source"]) else DOCKERFILE
    if name not in ("", DOCKERFILE):
        raise NotImplementedHere(f"the frontend {name} is not supported by this build of wharf")
    return name


def other_syntax(syntax: str) -> str:
    """Return the image that a file in another language than that of Dockerfiles asks for (``# syntax=``), else "".

    Raises:
        InvalidArgument: it is no image's name.
    """
    if not syntax:
        return ""
    image = syntax.split(" ", 1)[0]
    path = parse_reference(image).repository.partition("/")[2]
    return "" if any(path == own or path.endswith(f"/{own}") for own in _OWN) else image
