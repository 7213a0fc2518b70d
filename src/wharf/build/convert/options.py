"""What a build is told besides its Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.images.platform import Platform
from wharf.spec.oci_image import ImageConfig

MAIN_CONTEXT: Final = "context"


@dataclass(frozen=True, slots=True)
class SecretFile:
    """What a secret's file is where the step that mounts it does not say; None: as usual."""

    uid: int | None = None
    gid: int | None = None
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one build, checked."""

    host: Platform  # where it runs
    platform: Platform  # for which it is made
    target: str = ""
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] = field(default_factory=dict)  # --build-context: name → where
    no_cache: bool = False
    no_cache_stages: frozenset[str] = frozenset()
    network: str = "default"
    extra_hosts: tuple[str, ...] = ()
    ulimits: tuple[tuple[str, int, int], ...] = ()
    cgroup_parent: str = ""
    shm_bytes: int = 0
    hostname: str = ""
    resolve_mode: str = ""  # "pull": ask the registry
    context: str = f"local://{MAIN_CONTEXT}"  # the source of the main context
    context_attributes: tuple[tuple[str, str], ...] = ()
    context_epoch_s: int | None = None  # the main context's time, where it has one
    secret_files: Mapping[str, SecretFile] = field(default_factory=dict)  # by id


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An image that a build starts from, as far as it has to be known."""

    digest: str  # pins it: an image id, or a manifest's digest
    config: ImageConfig


UNKNOWN_IMAGE: Final = BaseImage("", {"rootfs": {"type": "layers", "diff_ids": [""]}})
"""Stands for an image that nobody knows, where a conversion is only looked at and not built."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image that has to be known: its reference and its platform."""

    reference: str
    platform: Platform
