"""Predicates of provenance: the same facts in either of SLSA's shapes."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wharf.build.provenance.facts import Facts, Material
from wharf.build.provenance.steps import locations_of, steps_of

Document = dict[str, object]
SLSA_02: Final = "https://slsa.dev/provenance/v0.2"
SLSA_1: Final = "https://slsa.dev/provenance/v1"
_TYPE_02: Final = "https://mobyproject.org/buildkit@v1"
_TYPE_1: Final = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
_OF_THE_HOST: Final = {"cgroup-parent", "image-resolve-mode", "platform", "cache-imports", "cache-from", "no-cache"}
_OTHERS: Final = ("attest:", "vcs:", "local-sessionid:", "input-metadata:", "frontend.caps")
_USER: Final = re.compile(r"\b([a-z][a-z0-9+.-]*://)[^/\s@?#]+@", re.IGNORECASE)
_SAID: Final = ("build-arg:", "label:")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of provenance."""

    everything: bool = False  # mode=max: arguments, secrets' names, steps
    version: str = "v0.2"
    builder: str = ""  # the address of who builds
    reproducible: bool = False


def predicate(facts: Facts, asked: Asked) -> tuple[str, Document]:
    """Return a predicate's type and its value."""
    if asked.version == "v1":
        return SLSA_1, without_credentials(_version_1(facts, asked))
    return SLSA_02, without_credentials(_version_02(facts, asked))


def without_credentials(value: Any) -> Any:
    """Return a document without the user and password of any address in it: it is published with the image. Pure."""
    if isinstance(value, str):
        return _USER.sub(r"\1", value)
    if isinstance(value, Mapping):
        return {name: without_credentials(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_credentials(each) for each in value]
    return value


def _version_02(facts: Facts, asked: Asked) -> Document:
    source = {**_source(facts), "entryPoint": facts.filename} if facts.filename else _source(facts)
    metadata: Document = {
        "buildInvocationID": facts.invocation,
        "buildStartedOn": facts.started,
        "buildFinishedOn": facts.finished,
        "completeness": {
            "parameters": asked.everything and bool(facts.frontend),
            "environment": True,
            "materials": not facts.folders,
        },
        "reproducible": asked.reproducible,
        f"{_TYPE_02}#metadata": _details(facts, asked),
    }
    if facts.hermetic:
        metadata[f"{_TYPE_02}#hermetic"] = True
    value: Document = {
        "builder": {"id": asked.builder},
        "buildType": _TYPE_02,
        "materials": _materials(facts),
        "invocation": {
            "configSource": source,
            "parameters": _parameters(facts, asked),
            "environment": {"platform": facts.platform},
        },
        "metadata": metadata,
    }
    if asked.everything and facts.target is not None:
        value["buildConfig"] = steps_of(facts.target)
    return value


def _version_1(facts: Facts, asked: Asked) -> Document:
    source = {**_source(facts), "path": facts.filename} if facts.filename else _source(facts)
    internal: Document = {"builderPlatform": facts.platform}
    if asked.everything and facts.target is not None:
        internal["buildConfig"] = steps_of(facts.target)
    metadata: Document = {
        "invocationId": facts.invocation,
        "startedOn": facts.started,
        "finishedOn": facts.finished,
        "buildkit_metadata": _details(facts, asked),
        "buildkit_completeness": {
            "request": asked.everything and bool(facts.frontend),
            "resolvedDependencies": not facts.folders,
        },
    }
    for name, said in (("buildkit_hermetic", facts.hermetic), ("buildkit_reproducible", asked.reproducible)):
        if said:
            metadata[name] = True
    return {
        "buildDefinition": {
            "buildType": _TYPE_1,
            "externalParameters": {"configSource": source, "request": _parameters(facts, asked)},
            "internalParameters": internal,
            "resolvedDependencies": _materials(facts),
        },
        "runDetails": {"builder": {"id": asked.builder}, "metadata": metadata},
    }


def _source(facts: Facts) -> Document:
    return {} if facts.remote is None else _material(facts.remote)


def _materials(facts: Facts) -> list[Document]:
    found = (*facts.materials, *((facts.remote,) if facts.remote else ()))
    return [_material(one) for one in sorted(found, key=lambda one: one.uri)]


def _material(material: Material) -> Document:
    return {"uri": material.uri, **({"digest": dict(material.digest)} if material.digest else {})}


def _parameters(facts: Facts, asked: Asked) -> Document:
    found: Document = {}
    if facts.frontend:
        found["frontend"] = facts.frontend
    arguments = {name: value for name, value in facts.arguments.items() if _is_told(name, asked)}
    if arguments:
        found["args"] = arguments
    if asked.everything:
        for key, kind in (("secrets", "secret"), ("ssh", "ssh")):
            if lent := facts.lent(kind):
                found[key] = [_lent(mount.id, optional=mount.optional) for mount in lent]
    if facts.folders:
        found["locals"] = [{"name": name} for name in facts.folders]
    return found


def _lent(name: str, *, optional: bool) -> Document:
    return {"id": name, "optional": True} if optional else {"id": name}


def _is_told(name: str, asked: Asked) -> bool:
    """Whether an option says something of the result, and may be told: arguments may be secrets by mistake."""
    if name in _OF_THE_HOST or name.startswith(_OTHERS):
        return False
    return asked.everything or not name.startswith(_SAID)


def _details(facts: Facts, asked: Asked) -> Document:
    found: Document = {}
    vcs = {name.removeprefix("vcs:"): value for name, value in facts.arguments.items() if name.startswith("vcs:")}
    if vcs:
        found["vcs"] = vcs
    if asked.everything and facts.text and facts.target is not None:
        names = steps_of(facts.target)["digestMapping"]
        assert isinstance(names, Mapping)
        found["source"] = {
            "locations": locations_of(facts.target, names),
            "infos": [
                {
                    "filename": facts.filename,
                    "language": "Dockerfile",
                    "data": base64.b64encode(facts.text).decode(),
                }
            ],
        }
    return found
