"""What is to be said of a result: ``attest:provenance`` and ``attest:sbom`` (BuildKit, docs/attestations). Pure."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wharf.build.provenance.predicate import Asked as Provenance
from wharf.engine.buildkit.truth import truth_of
from wharf.errors import InvalidArgument, NotImplementedHere

_PREFIXES: Final = ("build-arg:BUILDKIT_ATTEST_", "attest:")
_SCANNER: Final = "docker/buildkit-syft-scanner:stable-1"
"""What makes an SBOM where nothing else is named, as with BuildKit."""
_PROVENANCE: Final = {"mode", "version", "builder-id", "reproducible", "inline-only", "disabled", "type"}


@dataclass(frozen=True, slots=True)
class Sbom:
    """What lists the software of a result: an image that is run, and what it is told."""

    generator: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    inline_only: bool = False


@dataclass(frozen=True, slots=True)
class Attests:
    """What is asked for."""

    provenance: Provenance | None = None
    inline_only: bool = False  # provenance only where images are kept
    sbom: Sbom | None = None

    def are_any(self, *, inline: bool) -> bool:
        """Whether something is to be said; ``inline``: also what is said only where images are kept."""
        provenance = self.provenance is not None and (inline or not self.inline_only)
        return provenance or (self.sbom is not None and (inline or not self.sbom.inline_only))


def attests_of(attributes: Mapping[str, str]) -> Attests:
    """Return what a build's options ask for.

    Raises:
        NotImplementedHere: a kind, or an option of one, is not supported; with its name.
        InvalidArgument: an option is malformed.
    """
    asked = {
        name.removeprefix(prefix).lower(): _fields(value)
        for prefix in _PREFIXES
        for name, value in attributes.items()
        if name.startswith(prefix)
    }
    for kind in asked:
        if kind not in ("provenance", "sbom"):
            raise NotImplementedHere(f"attestations of the kind {kind} are not supported by this build of wharf")
    on = {kind: fields for kind, fields in asked.items() if not truth_of(fields, "disabled")}
    provenance = on.get("provenance")
    sbom = _sbom(on["sbom"]) if "sbom" in on else None
    if provenance is None:
        return Attests(sbom=sbom)
    return Attests(_provenance(provenance), truth_of(provenance, "inline-only"), sbom)


def _provenance(fields: Mapping[str, str]) -> Provenance:
    for name in fields:
        if name not in _PROVENANCE:
            raise NotImplementedHere(f"the option {name} of provenance is not supported by this build of wharf")
    if fields.get("mode", "max") not in ("min", "max"):
        raise InvalidArgument(f"invalid mode {fields['mode']} of provenance: it is min or max")
    if fields.get("version", "v0.2") not in ("v0.2", "v1"):
        raise InvalidArgument(f"invalid provenance SLSA version: {fields['version']}")
    return Provenance(
        fields.get("mode", "max") == "max",
        fields.get("version", "v0.2"),
        fields.get("builder-id", ""),
        truth_of(fields, "reproducible"),
    )


def _sbom(fields: Mapping[str, str]) -> Sbom:
    known = ("generator", "inline-only", "disabled", "type")
    parameters = {name: value for name, value in fields.items() if name not in known}
    return Sbom(fields.get("generator") or _SCANNER, parameters, truth_of(fields, "inline-only"))


def _fields(text: str) -> dict[str, str]:
    found = {}
    for one in next(csv.reader([text]), []) if text else []:
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid value {one} of an attestation: it is a list of key=value")
        found[name] = value
    return found
