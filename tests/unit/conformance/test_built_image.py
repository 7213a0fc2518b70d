from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from conformance.built_image import (
    BuiltImage,
    config_differences,
    file_differences,
    history_differences,
    image_of,
    layer_differences,
    layer_of,
)

Entry = tuple[bytes, dict[str, Any]]


def _tar(entries: Mapping[str, Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, (content, more) in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            for key, value in more.items():
                setattr(entry, key, value)
            tar.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _image(*layers: bytes, history: tuple[tuple[str, bool], ...] = (), **config: object) -> BuiltImage:
    return BuiltImage(config, history, tuple(layer_of(layer) for layer in layers))


def test_an_image_is_read_from_what_inspect_and_save_give() -> None:
    document = {"history": [{"created_by": "RUN x"}, {"created_by": "CMD y", "empty_layer": True}]}
    manifest = [{"Config": "c.json", "Layers": ["one/layer.tar", "two/layer.tar"]}]
    saved = _tar(
        {
            "c.json": (json.dumps(document).encode(), {}),
            "one/layer.tar": (_tar({"a": (b"1", {"mode": 0o600, "uid": 3})}), {}),
            "two/layer.tar": (b"", {"type": tarfile.SYMTYPE, "linkname": "../one/layer.tar"}),
            "manifest.json": (json.dumps(manifest).encode(), {}),
        }
    )

    found = image_of(
        {"Config": {"Cmd": ["y"], "User": "", "Hostname": "h"}, "Os": "linux", "Architecture": "amd64"}, saved
    )

    assert found.config == {"Cmd": ["y"], "os": "linux", "architecture": "amd64"}
    assert found.history == (("RUN x", False), ("CMD y", True))
    assert [one["a"][:4] for one in found.layers] == [("file", "0o600", 3, 0)] * 2


def test_hard_links_are_what_they_link_to_and_attributes_count() -> None:
    layer = layer_of(
        _tar(
            {
                "./f": (b"x", {"pax_headers": {"SCHILY.xattr.user.k": "v"}}),
                "g": (b"", {"type": tarfile.LNKTYPE, "linkname": "./f"}),
            }
        )
    )

    assert layer["g"] == layer["f"]
    assert layer["f"][5] == (("SCHILY.xattr.user.k", "v"),)


def test_a_layer_lies_over_what_is_below_it() -> None:
    folder: Entry = (b"", {"type": tarfile.DIRTYPE})
    below = _tar({"d": folder, "d/x": (b"", {}), "o": folder, "o/y": (b"", {}), "gone": folder, "gone/z": (b"", {})})
    above = _tar({"d": (b"now a file", {}), "o/.wh..wh..opq": (b"", {}), "o/new": (b"", {}), ".wh.gone": (b"", {})})

    assert set(_image(below, above).files()) == {"d", "o", "o/new"}


def test_what_differs_is_told_in_words() -> None:
    ours = _image(_tar({"a": (b"1", {})}), history=(("RUN a", False),), Cmd=["a"])
    theirs = _image(_tar({"a": (b"2", {})}), history=(("RUN b", False),), Cmd=["b"])

    assert list(config_differences(ours, theirs)) == ['Cmd: ["a"] is ["b"] there']
    assert list(history_differences(ours, theirs)) == ["history 0: ('RUN a', False) is ('RUN b', False) there"]
    assert [one.partition(": ")[0] for one in layer_differences(ours, theirs)] == ["layer 0"]
    assert list(layer_differences(ours, _image())) == ["1 layers are 0 there"]
    assert list(file_differences(ours.files(), ours.files(), "file")) == []
