"""docker rmi: which references and which image go, or why not. Pure; the texts are Docker's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wharf.errors import Conflict, InvalidArgument
from wharf.images.record import ImageRecord
from wharf.lib.digest import hex_of, short
from wharf.lib.reference import Reference, id_prefix, parse_reference


@dataclass(frozen=True, slots=True)
class ImageUse:
    """A container made from an image."""

    container_id: str
    running: bool
    name: str = ""  # what it was created with


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be done."""

    untag: tuple[Reference, ...]
    delete: bool


def spare_names(record: ImageRecord, uses: Sequence[ImageUse]) -> tuple[Reference, ...]:
    """Return the tags that a prune takes off an image that containers use: all but those they were created with.

    Where they were created with its id alone, the last one stays.
    """
    tags = sorted((one for one in record.references if one.tag), key=str)
    kept = [one for one in tags if any(_called(use.name, one) for use in uses)] or tags[-1:]
    return tuple(one for one in tags if one not in kept)


def _called(name: str, reference: Reference) -> bool:
    try:
        return parse_reference(name).with_default_tag() == reference
    except InvalidArgument:  # an id, or the start of one
        return False


def plan_removal(record: ImageRecord, name: str, uses: Sequence[ImageUse], *, force: bool) -> Removal:
    """Return what removing ``record``, called ``name``, does.

    A reference alone is untagged while others remain; the last one takes the image with it. An id removes the image
    with all its references, provided that they are of one repository.

    Raises:
        Conflict: containers use it, or an id was given and several repositories refer to it.
    """
    if _names_id(record, name):
        return _by_id(record, uses, force=force)
    reference = _reference_of(record, name)
    if not force and _single(record.references) and uses:
        raise Conflict(
            f'conflict: unable to remove repository reference "{name}" (must force) - '
            f"container {short(uses[0].container_id)} is using its referenced image {short(record.id)}"
        )
    gone = {reference}
    rest = [other for other in record.references if other != reference]
    if reference.tag and all(other.digest and other.repository == reference.repository for other in rest):
        gone.update(rest)  # digests of a repository whose last tag goes mean nothing to anybody
        rest = []
    untag = tuple(other for other in record.references if other in gone)
    return Removal(untag, delete=not rest and not uses)


def _by_id(record: ImageRecord, uses: Sequence[ImageUse], *, force: bool) -> Removal:
    refuse_used(record, [use for use in uses if use.running], force=force)
    if not force and not _single(record.references):
        raise _conflict(record, "image is referenced in multiple repositories", hard=False)
    refuse_used(record, uses, force=force)
    return Removal(record.references, delete=True)


def refuse_used(record: ImageRecord, uses: Sequence[ImageUse], *, force: bool) -> None:
    """Raise Conflict when a running container uses an image or, unless forced, any container."""
    running = next((use for use in uses if use.running), None)
    if running:
        raise _conflict(record, f"image is being used by running container {short(running.container_id)}", hard=True)
    if uses and not force:
        stopped = short(uses[0].container_id)
        raise _conflict(record, f"image is being used by stopped container {stopped}", hard=False)


def _conflict(record: ImageRecord, why: str, *, hard: bool) -> Conflict:
    advice = "cannot be forced" if hard else "must be forced"
    return Conflict(f"conflict: unable to delete {short(record.id)} ({advice}) - {why}")


def _names_id(record: ImageRecord, name: str) -> bool:
    digits = id_prefix(name)
    return digits is not None and hex_of(record.id).startswith(digits)


def _reference_of(record: ImageRecord, name: str) -> Reference:
    """Return which of the image's references ``name`` is."""
    if name == record.manifest_digest:
        return record.references[0]
    asked = parse_reference(name).with_default_tag()
    return next((own for own in record.references if own == asked), asked)


def _single(references: Sequence[Reference]) -> bool:
    """Return whether references are one tag, or none, and digests of its repository."""
    tags = [reference for reference in references if reference.tag]
    repositories = {reference.repository for reference in references}
    return len(references) <= 1 or (len(tags) <= 1 and len(repositories) == 1)
