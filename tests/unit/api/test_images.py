from __future__ import annotations

import pytest

from wharf.api.images import platform_text
from wharf.errors import InvalidArgument


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ('{"os":"linux","architecture":"arm","variant":"v7"}', "linux/arm/v7"),
        ('{"architecture":"amd64"}', "linux/amd64"),
        ('{"os":"linux","architecture":"arm64","os.version":"1"}', "linux/arm64"),
    ],
)
def test_a_platform_is_json(given: str, text: str) -> None:
    assert platform_text(given) == text


@pytest.mark.parametrize("given", ["linux/amd64", "[]", '{"os":1}'])
def test_anything_else_is_refused(given: str) -> None:
    with pytest.raises(InvalidArgument, match="must be an OCI platform"):
        platform_text(given)
