"""Images as the Engine API shows them: lists, inspection, history. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from wharf.errors import InvalidArgument
from wharf.images.record import ImageRecord
from wharf.lib.digest import chain_ids
from wharf.lib.filters import Filters, match_labels, require_known, truth
from wharf.lib.moments import parse_moment, to_ns
from wharf.lib.reference import Reference
from wharf.lib.timestamps import ZERO
from wharf.spec.engine_api.image import (
    Identity,
    ImageConfig,
    ImageHistoryResponseItem,
    ImageInspect,
    ImageSummary,
)

LIST_FILTERS: Final = ("dangling", "label", "label!", "before", "since", "reference", "until")
PRUNE_FILTERS: Final = ("dangling", "label", "label!", "until")
_NS: Final = 1_000_000_000


def created_ns(record: ImageRecord) -> int:
    """Return when an image was made, in nanoseconds since 1970; 0 when its configuration does not say."""
    return _moment(record.config.get("created") or "")


@lru_cache(maxsize=100_000)
def _moment(text: str) -> int:
    """Return a time in nanoseconds, 0 for none or a malformed one; remembered, for each list asks for all of them."""
    try:
        return to_ns(text) if text else 0
    except InvalidArgument:
        return 0


def summary(record: ImageRecord, *, shared_bytes: int = -1, containers: int = -1) -> ImageSummary:
    """Return an image's line in a list."""
    return {
        "Id": record.id,
        "ParentId": "",
        "RepoTags": record.tags,
        "RepoDigests": record.repo_digests,
        "Created": created_ns(record) // _NS,
        "Size": record.size_bytes,
        "SharedSize": shared_bytes,
        "Labels": record.config.get("config", {}).get("Labels"),
        "Containers": containers,
    }


def shared_bytes(records: Sequence[ImageRecord], sizes: Mapping[str, int]) -> dict[str, int]:
    """Return for each image id the bytes of its layers that another image has too."""
    holders: dict[str, int] = {}
    for record in records:
        for chain_id in chain_ids(record.diff_ids):
            holders[chain_id] = holders.get(chain_id, 0) + 1
    return {
        record.id: sum(sizes.get(c, 0) for c in chain_ids(record.diff_ids) if holders[c] > 1) for record in records
    }


def inspection(
    record: ImageRecord,
    lower_dirs: Sequence[Path],
    parent: ImageRecord | None = None,
    driver: str = "overlay2",
    identity: Identity | None = None,
) -> ImageInspect:
    """Return everything about an image.

    Args:
        record: the image.
        lower_dirs: its layers' folders, the uppermost first.
        parent: the image that it says to have been committed on, if that is here.
        driver: the storage driver.
        identity: where it came from, if that is known.
    """
    config = record.config
    history = config.get("history") or []
    document: ImageInspect = {
        "Id": record.id,
        "RepoTags": record.tags,
        "RepoDigests": record.repo_digests,
        "Comment": history[-1].get("comment", "") if history else "",
        "Created": config.get("created") or ZERO,
        "Author": config.get("author", ""),
        "Config": _execution(record),
        "Architecture": config.get("architecture", ""),
        "Os": config.get("os", "linux"),
        "Size": record.size_bytes,
        "GraphDriver": {"Name": driver, "Data": _driver_data(lower_dirs) if "overlay" in driver else {}},
        "RootFS": {"Type": "layers", "Layers": list(record.diff_ids)},
        "Metadata": {"LastTagTime": record.tagged_at or ZERO},
    }
    of_parent = parent is not None and parent.diff_ids == record.diff_ids[: len(parent.diff_ids)]
    document["Parent"] = parent.id if parent and of_parent else ""
    document["DockerVersion"] = config.get("docker_version", "")
    document["Container"] = config.get("container", "")
    document["ContainerConfig"] = config.get("container_config", {})
    if identity:
        document["Identity"] = identity
    if config.get("variant"):
        document["Variant"] = config["variant"]
    if config.get("os.version"):
        document["OsVersion"] = config["os.version"]
    return document


def _execution(record: ImageRecord) -> ImageConfig:
    """Return the configuration with the fields that clients read without asking whether they are there."""
    own = record.config.get("config", {})
    defaults: ImageConfig = {
        "User": "",
        "Env": None,
        "Cmd": None,
        "Volumes": None,
        "WorkingDir": "",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": None,
    }
    return {**defaults, **own}  # type: ignore[typeddict-item]  # the same fields, spelt by two specifications


def _driver_data(lower_dirs: Sequence[Path]) -> dict[str, str]:
    """Return the folders of an image as Docker's overlay2 names them; two of them are made for containers alone."""
    if not lower_dirs:
        return {}
    top = lower_dirs[0]
    data = {"MergedDir": str(top.with_name("merged")), "UpperDir": str(top), "WorkDir": str(top.with_name("work"))}
    if len(lower_dirs) > 1:
        data["LowerDir"] = ":".join(map(str, lower_dirs[1:]))
    return data


def history(record: ImageRecord, sizes: Mapping[str, int]) -> list[ImageHistoryResponseItem]:
    """Return how an image was made, the last step first; ``sizes`` are its layers' bytes by chain id."""
    chain = iter(chain_ids(record.diff_ids))
    items: list[ImageHistoryResponseItem] = []
    for step in record.config.get("history") or []:
        layer = None if step.get("empty_layer") else next(chain, None)
        items.append(
            {
                "Id": "<missing>",
                "Created": _seconds(step.get("created")),
                "CreatedBy": step.get("created_by", ""),
                "Tags": None,
                "Size": sizes.get(layer, 0) if layer else 0,
                "Comment": step.get("comment", ""),
            }
        )
    items.reverse()
    if items:
        items[0]["Id"] = record.id
        items[0]["Tags"] = record.tags or None
    return items


def _seconds(text: str | None) -> int:
    try:
        return to_ns(text) // _NS if text else 0
    except InvalidArgument:
        return 0


class Selection:
    """Filters of a list, checked once; ``before`` and ``since`` are already the images they name."""

    def __init__(
        self,
        filters: Filters,
        *,
        before: Iterable[ImageRecord] = (),
        since: Iterable[ImageRecord] = (),
        now_ns: int,
    ) -> None:
        """Check ``filters``.

        Raises:
            InvalidArgument: one is unknown, or has a malformed value.
        """
        require_known(filters, LIST_FILTERS)
        self._filters = filters
        self._dangling = truth(filters, "dangling")
        self._before = min((created_ns(record) for record in before), default=None)
        self._since = max((created_ns(record) for record in since), default=None)
        self._until = min((parse_moment(text, now_ns=now_ns) for text in filters.get("until", [])), default=None)
        self._patterns = [_glob(pattern) for pattern in filters.get("reference", [])]

    def match(self, record: ImageRecord) -> ImageRecord | None:
        """Return the image with those of its references that pass, or None when it does not pass."""
        if self._dangling is not None and self._dangling != (not record.references):
            return None
        if not match_labels(self._filters, record.config.get("config", {}).get("Labels")) or not self._in_time(
            record
        ):
            return None
        if not self._patterns:
            return record
        kept = tuple(reference for reference in record.references if self._named(reference))
        return replace(record, references=kept) if kept else None

    def _in_time(self, record: ImageRecord) -> bool:
        at = created_ns(record)
        return (
            (self._before is None or at < self._before)
            and (self._since is None or at > self._since)
            and (self._until is None or at < self._until)
        )

    def _named(self, reference: Reference) -> bool:
        return any(
            pattern.fullmatch(reference.familiar) or pattern.fullmatch(reference.familiar_repository)
            for pattern in self._patterns
        )


def _glob(pattern: str) -> re.Pattern[str]:
    """Return a shell pattern whose stars stop at slashes (Go's path.Match)."""
    parts = re.split(r"(\*|\?|\[[^\]]*\])", pattern)
    spelt = {"*": "[^/]*", "?": "[^/]"}
    expression = "".join(
        spelt.get(p) or (p if p.startswith("[") and p.endswith("]") else re.escape(p)) for p in parts
    )
    try:
        return re.compile(expression)
    except re.error as error:
        raise InvalidArgument(f"invalid filter 'reference={pattern}'") from error
