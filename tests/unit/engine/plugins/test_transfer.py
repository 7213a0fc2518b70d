from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from wharf.engine.plugins.transfer import bring, look
from wharf.errors import DataLoss, InvalidArgument
from wharf.images.bridge import Blocking
from wharf.images.progress import Progress
from wharf.lib.digest import digest_of
from wharf.lib.reference import parse_reference
from wharf.spec.engine_api.plugin import PLUGIN_CONFIG

_CONFIG = b'{"interface":{"socket":"a.sock"}}'


class _Artifact:
    """What a registry has: a plugin of one layer, which may have other bytes than the manifest says."""

    name = "host:5000/a:1"

    def __init__(
        self, *, kind: str = PLUGIN_CONFIG, layer_kind: str = "application/vnd.oci.image.layer.v1.tar"
    ) -> None:
        self.document_ = {
            "schemaVersion": 2,
            "config": {"mediaType": kind, "digest": digest_of(_CONFIG), "size": len(_CONFIG)},
            "layers": [{"mediaType": layer_kind, "digest": digest_of(b"layer"), "size": 5}],
        }

    async def manifest(self) -> bytes:
        return json.dumps(self.document_).encode()

    async def document(self, _: Any) -> bytes:
        return _CONFIG

    async def read(self, _: Any) -> AsyncIterator[bytes]:
        yield b"other"


def test_what_is_no_plugin_is_refused_by_what_it_is() -> None:
    with pytest.raises(InvalidArgument, match="is not a plugin: its configuration is of the type application/x"):
        asyncio.run(look(_Artifact(kind="application/x")))  # type: ignore[arg-type]  # a fake
    with pytest.raises(InvalidArgument, match="has the media type text/plain, which no plugin has"):
        asyncio.run(look(_Artifact(layer_kind="text/plain")))  # type: ignore[arg-type]  # likewise


def test_a_layer_with_other_bytes_is_refused(tmp_path: Path) -> None:
    reference = parse_reference("host:5000/a:1")
    with pytest.raises(DataLoss, match="the registry sent sha256:"):
        asyncio.run(bring(_Artifact(), reference, tmp_path, Progress(), Blocking()))  # type: ignore[arg-type]  # likewise
