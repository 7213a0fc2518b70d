from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.images.registry.host import Host, address_parts


def test_the_api_is_below_the_address_unless_that_has_all_of_its_path() -> None:
    below, whole = Host("h", prefix="/hub"), Host("h", prefix="/hub/v2", whole_path=True)

    assert below.url("https", "/v2/a/tags/list") == "https://h/hub/v2/a/tags/list"
    assert whole.url("http", "/v2/a/tags/list") == "http://h/hub/v2/a/tags/list"


@pytest.mark.parametrize("address", ["ftp://h", "http://[h", "https://a]b", "https://u@h"])
def test_what_is_no_address_says_of_what(address: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        address_parts(address, "host")

    assert str(refused.value) == f'invalid host: "{address}" must be http[s]://HOST[:PORT][/PATH]'
