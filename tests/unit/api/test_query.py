from __future__ import annotations

import pytest

from wharf.api.query import Query
from wharf.errors import InvalidArgument


@pytest.mark.parametrize("raw", ["n=x", "n=1.5", "n=1e3", "n=9999999999999999999", "n=+-1"])
def test_number_that_is_none_is_refused(raw: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid value for n"):
        Query(raw).integer("n")


@pytest.mark.parametrize(
    "raw", ["filters=x", "filters=[]", 'filters={"a":1}', 'filters={"a":[1]}', 'filters={"a":"b"}']
)
def test_filters_that_are_none_are_refused(raw: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid filter"):
        Query(raw).filters()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", False),
        ("f", False),
        ("f=", False),
        ("f=0", False),
        ("f=no", False),
        ("f=False", False),
        ("f=+none+", False),
        ("f=1", True),
        ("f=true", True),
        ("f=False&f=1", False),
        ("f=anything", True),
    ],
)
def test_flag_is_read_as_docker_reads_it(raw: str, value: bool) -> None:
    assert Query(raw).flag("f") is value


def test_flag_that_is_absent_has_its_default() -> None:
    assert (Query("").flag("f", default=True), Query("f=").flag("f", default=True)) == (True, False)


@pytest.mark.parametrize(
    ("raw", "filters"),
    [
        ("", {}),
        ("filters=", {}),
        ("filters=null", {}),
        ('filters={"name":null}', {"name": []}),
        ('filters={"name":["a","b"]}', {"name": ["a", "b"]}),
        ('filters={"name":{"a":true,"b":false}}', {"name": ["a"]}),
    ],
)
def test_filters_are_lists_or_maps(raw: str, filters: dict[str, list[str]]) -> None:
    assert Query(raw).filters() == filters
