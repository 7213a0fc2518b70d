from __future__ import annotations

import pytest

from wharf.client.images import platform_document


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", None),
        ("linux/arm64", '{"os": "linux", "architecture": "arm64"}'),
        ("linux/arm/v7", '{"os": "linux", "architecture": "arm", "variant": "v7"}'),
    ],
)
def test_a_platform_is_sent_as_json(text: str, document: str | None) -> None:
    assert platform_document(text) == document
