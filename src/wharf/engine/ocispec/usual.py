"""The container that most are like: what the zygote makes ready before anybody asks."""

from __future__ import annotations

from pathlib import Path

from wharf.engine.ocispec.build import build
from wharf.engine.ocispec.inputs import HostFacts, Inputs, Joined
from wharf.spec.oci_runtime import Spec


def usual(facts: HostFacts) -> Spec:
    """Return config.json of a container without options; its paths are not there."""
    return build(
        Inputs(
            container_id="usual",
            name="usual",
            config={},
            host_config={},
            argv=["true"],
            hostname="usual",
            folder=Path("/"),
            cgroups_path="/",
            sandbox=None,
            mounts=[],
            devices=[],
            joined=Joined(),
            facts=facts,
        )
    )
