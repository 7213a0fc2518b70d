from __future__ import annotations

import hashlib
import io
import json
import tarfile

import pytest
from tests.root.engine.buildkit.conftest import Run, connected
from tests.root.engine.buildkit.test_to_client import TEXT, Taker

import wharf
from wharf.build.session.filesend import METHOD
from wharf.engine.buildkit.sbom import SPDX
from wharf.engine.buildkit.statements import names_of
from wharf.errors import InvalidArgument
from wharf.images.image_set import Predicate
from wharf.rpc.status import CallFailed
from wharf.spec.buildkit import control_pb2 as pb


def test_how_a_result_was_made_lies_beside_its_files(builds: Run) -> None:
    async def body(engine: wharf.Engine) -> None:
        taker = Taker()
        async with connected(engine, more={METHOD: taker.take}) as client:
            for said, attributes, names in (
                ("mode=max", {}, ["d", "d/file", "provenance.json"]),
                ("mode=max", {"attestation-prefix": "a."}, ["a.provenance.json", "d", "d/file"]),
                ("mode=max,inline-only=true", {}, ["d", "d/file"]),
            ):
                taker.data = b""
                request = client.request(TEXT)
                request.FrontendAttrs["attest:provenance"] = said
                del request.Exporters[:]
                request.Exporters.append(pb.Exporter(Type="tar", Attrs=attributes))
                await client.solve(request)
                with tarfile.open(fileobj=io.BytesIO(taker.data)) as tar:
                    assert tar.getnames() == names
                    if "provenance.json" in names:
                        statement = json.load(tar.extractfile("provenance.json") or io.BytesIO())
                        assert tar.getmember("provenance.json").mode == 0o600
            digest = hashlib.sha256(b"hi\n").hexdigest()
            assert statement["subject"] == [{"name": "d/file", "digest": {"sha256": digest}}]
            assert statement["predicateType"] == "https://slsa.dev/provenance/v0.2"
            request.Exporters[0].Attrs["attestation-prefix"] = "../x"
            with pytest.raises(CallFailed, match="invalid attestation-prefix"):
                await client.solve(request)

    builds(body)


def test_each_has_the_name_that_its_scanner_gave_it_or_that_of_its_kind() -> None:
    made = Predicate("https://slsa.dev/provenance/v1", {})
    stage = Predicate(SPDX, {}, file_name="sbom-base.spdx.json")
    assert names_of([Predicate(SPDX, {}), stage, made]) == [
        "sbom.spdx.json", "sbom-base.spdx.json", "provenance.json",
    ]  # fmt: skip
    with pytest.raises(InvalidArgument, match=r"duplicate attestation path name provenance\.json"):
        names_of([Predicate(SPDX, {}, file_name="provenance.json"), made])
