from __future__ import annotations

import pytest

from wharf.api.build import _request
from wharf.api.query import Query
from wharf.errors import InvalidArgument


def test_the_query_is_taken_apart() -> None:
    query = Query(
        't=a&t=b:1&q=1&nocache=0&dockerfile=D&target=x&buildargs={"a":null,"b":"1"}&labels={"l":"2"}&memory=5'
        '&ulimits=[{"Name":"nofile","Soft":1,"Hard":2}]&extrahosts={"h":"1.2.3.4"}&extrahosts=g:5.6.7.8&remote=client-session'
    )

    found = _request(query)

    assert (found["t"], found["q"], found["nocache"]) == (["a", "b:1"], True, False)
    assert (found["dockerfile"], found["target"], found["memory"]) == ("D", "x", 5)
    assert (found["buildargs"], found["labels"]) == ({"a": None, "b": "1"}, {"l": "2"})
    assert (found["extrahosts"], found["remote"]) == (["h:1.2.3.4", "g:5.6.7.8"], "")
    assert found["ulimits"] == [{"Name": "nofile", "Soft": 1, "Hard": 2}]


@pytest.mark.parametrize("query", ["buildargs=[1]", "labels=x", "extrahosts={", "memory=much"])
def test_what_is_malformed_is_refused(query: str) -> None:
    with pytest.raises(InvalidArgument):
        _request(Query(query))
