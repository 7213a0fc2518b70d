from __future__ import annotations

import pytest
from tests.fakes.builds import HOST

from wharf.build.convert.contexts import context_edge
from wharf.build.convert.options import Options
from wharf.build.graph.operations import Source
from wharf.errors import InvalidArgument, NotImplementedHere


def _source(where: str) -> Source:
    operation = context_edge(Options(HOST, HOST, contexts={"c": where}), "c").vertex.operation
    assert isinstance(operation, Source)
    return operation


def test_contexts_are_sources_by_their_kind() -> None:
    main = context_edge(Options(HOST, HOST), "").vertex.operation
    assert isinstance(main, Source)

    assert main.identifier == "local://context"
    assert _source("local:other").identifier == "local://other"
    assert _source("https://h/a.git#v").identifier == "git://https://h/a.git#v"
    assert _source("https://h/a.tgz").attribute("http.unpack") == "true"


def test_other_kinds_are_refused_by_name() -> None:
    with pytest.raises(NotImplementedHere, match="oci-layout"):
        _source("oci-layout:///x")
    with pytest.raises(InvalidArgument, match="unsupported context source what:x for c"):
        _source("what:x")
