from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from conformance import mirror


def test_folder_leads_from_a_tag_to_the_layer(tmp_path: Path) -> None:
    mirror.write(tmp_path, {"hello:latest": b"archive"})
    repository = tmp_path / "docker/registry/v2/repositories/library/hello"

    def blob(digest: str) -> bytes:
        value = digest.removeprefix("sha256:")
        return (tmp_path / "docker/registry/v2/blobs/sha256" / value[:2] / value / "data").read_bytes()

    manifest = json.loads(blob((repository / "_manifests/tags/latest/current/link").read_text()))
    config = json.loads(blob(manifest["config"]["digest"]))
    [layer] = manifest["layers"]

    assert config["rootfs"]["diff_ids"] == [f"sha256:{sha256(b'archive').hexdigest()}"]
    assert (len(blob(layer["digest"])), layer["digest"]) == (
        layer["size"],
        f"sha256:{sha256(blob(layer['digest'])).hexdigest()}",
    )
    for part in (layer, manifest["config"]):
        assert (repository / "_layers/sha256" / part["digest"].removeprefix("sha256:") / "link").exists()
