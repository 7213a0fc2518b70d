from __future__ import annotations

from wharf.cli.build.recorded import digests_of
from wharf.spec.buildkit import control_pb2 as pb


def test_provenance_is_found_of_each_platform_and_nothing_else() -> None:
    record = pb.BuildHistoryRecord()
    for info, digest in ((record.Result, "sha256:a"), (record.Results["linux/arm64"], "sha256:b")):
        said = info.Attestations.add(digest=digest)
        said.annotations["in-toto.io/predicate-type"] = "https://slsa.dev/provenance/v0.2"
        info.Attestations.add(digest="sha256:c").annotations["in-toto.io/predicate-type"] = (
            "https://spdx.dev/Document"
        )

    assert list(digests_of(record)) == [
        ("buildx.build.provenance", "sha256:a"),
        ("buildx.build.provenance/linux/arm64", "sha256:b"),
    ]
