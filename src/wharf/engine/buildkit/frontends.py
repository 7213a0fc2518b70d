"""Which frontends there are: the language of Dockerfiles, under all of its names. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.reference import parse_reference

DOCKERFILE: Final = "dockerfile.v0"
_GATEWAY: Final = "gateway.v0"
_OWN: Final = ("docker/dockerfile", "docker/dockerfile-upstream")  # also from a registry that mirrors them


def frontend_of(name: str, attributes: Mapping[str, str]) -> str:
    """Return the frontend to use for one that a client names: an image of Dockerfiles' own language is ours.

    Raises:
        NotImplementedHere: there is no such frontend here; with its name.
        InvalidArgument: an image is wanted, and none is named.
    """
    if name == _GATEWAY:
        if not attributes.get("source"):
            raise InvalidArgument("no source specified for gateway")
        require_own(attributes["source"])
        return DOCKERFILE
    if name not in ("", DOCKERFILE):
        raise NotImplementedHere(f"the frontend {name} is not supported by this build of wharf")
    return name


def require_own(syntax: str) -> None:
    """Refuse a file that asks for another language than that of Dockerfiles (``# syntax=``), "" for none.

    Raises:
        NotImplementedHere: with the image that it asks for, and what to do.
        InvalidArgument: it is no image's name.
    """
    if not syntax:
        return
    path = parse_reference(syntax).repository.partition("/")[2]
    if not any(path == own or path.endswith(f"/{own}") for own in _OWN):
        raise NotImplementedHere(
            f"the syntax {syntax} is not supported by this build of wharf: frontends that are images are not run, "
            "Dockerfiles need no syntax line, or docker/dockerfile"
        )
