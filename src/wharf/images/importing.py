"""docker import: an image of one layer, whose archive says nothing about how to run it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wharf.images.changes import apply_changes
from wharf.images.intake import Intake, encode_config
from wharf.images.platform import parse_platform
from wharf.images.record import ImageRecord, host_architecture
from wharf.lib.digest import Digest
from wharf.lib.reference import Reference
from wharf.spec.oci_image import ExecutionConfig, ImageConfig
from wharf.storage.tar_reader import Source


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What an import is told, checked."""

    reference: Reference | None
    message: str
    execution: ExecutionConfig
    platform: tuple[str, str]  # architecture, variant


def parse_import(
    *, reference: Reference | None, message: str | None, changes: Iterable[str], platform: str | None
) -> ImportRequest:
    """Check what an import is told, before its archive is read. Pure.

    Raises:
        InvalidArgument: a change or the platform is malformed.
    """
    execution = apply_changes({}, changes)
    return ImportRequest(reference, message or "Imported from -", execution, _platform(platform))


def _platform(text: str | None) -> tuple[str, str]:
    if not text:
        return host_architecture(), ""
    found = parse_platform(text)
    return found.architecture, found.variant


def import_image(source: Source, intake: Intake, request: ImportRequest, now: str) -> ImageRecord:
    """Make the image; blocking. InvalidArgument when the archive is corrupt."""
    layer = intake.layer(source)
    config = encode_config(_configuration(request, layer.diff_id, now))
    return intake.commit(config, [layer], [request.reference] if request.reference else [], now)


def _configuration(request: ImportRequest, diff_id: Digest, now: str) -> ImageConfig:
    architecture, variant = request.platform
    config: ImageConfig = {
        "created": now,
        "architecture": architecture,
        "os": "linux",
        "config": request.execution,
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": now, "comment": request.message}],
    }
    if variant:
        config["variant"] = variant
    return config
