"""The real daemon, held to the API's definition at several of its versions."""

from __future__ import annotations

import os

import pytest
from tests import engine_api
from tests.root.api.contract import Contract, converse
from tests.root.engine.containers.test_effects import SEEN
from tests.root.wharfd import Wharfd

pytestmark = pytest.mark.root

# What the definitions leave out, and a dockerd (28.5, 20.10) answers with just so.
_AS_DOCKERD = {
    "GET /containers/{id}/json 200 .HostConfig.MemorySwappiness: null",
    "GET /exec/{id}/json 200 .ExitCode: null",
    "GET /system/df 200 .BuilderSize: unknown",
    "GET /info 200 .CDISpecDirs: unknown",
    *(
        f"{where}.NetworkSettings.Networks.*.{name}: unknown"
        for where in (
            "GET /containers/json 200 []",
            "GET /containers/{id}/json 200 ",
            "GET /system/df 200 .Containers[]",
        )
        for name in ("DNSNames", "GwPriority")
    ),
}
_REQUIRED_BUT_NOT_DEFINED = {  # what stands in Size.Unpacked is required by a name that no field has
    "GET /images/json 200 [].Manifests[].ImageData.UnpackedSize: missing",
    "GET /images/{name}/json 200 .Manifests[].ImageData.UnpackedSize: missing",
}
_OURS = {
    "GET /system/df 200 .LogUsage: unknown",  # how much room logs take: nobody else tells
}


@pytest.mark.parametrize("version", [(1, 40), (1, 41), (1, 47), (1, 51), (1, 55)])
def test_answers_are_as_the_api_defines_them(daemon: Wharfd, version: tuple[int, int]) -> None:
    contract = Contract(str(daemon.socket), version)
    converse(contract)

    assert contract.faults - _AS_DOCKERD - _REQUIRED_BUT_NOT_DEFINED - _OURS == set()
    assert len(contract.asked) > 100
    if version == (1, 55):
        _hold_to(contract)


def _hold_to(contract: Contract) -> None:
    """What docs/api-coverage.md calls seen was seen; with WHARF_WRITE_SEEN set, write down what was."""
    effects = {f"POST /containers/create HostConfig.{field}" for field in SEEN}
    seen = contract.asked | contract.seen | effects
    if os.environ.get("WHARF_WRITE_SEEN"):
        engine_api.SEEN.write_text("".join(f"{line}\n" for line in sorted(seen)))

    assert set(engine_api.SEEN.read_text().splitlines()) - seen == set()
