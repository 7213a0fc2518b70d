from __future__ import annotations

from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime import documents, shape


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "it must be an object"),
        ({"process": []}, "process must be an object"),
        ({"process": {"args": "sh"}}, "process.args must be a list"),
        ({"process": {"args": ["sh", 1]}}, r"process.args\[1\] must be a text"),
        ({"process": {"args": [None]}}, r"process.args\[0\] must be given"),
        ({"process": {"terminal": 1}}, "process.terminal must be true or false"),
        ({"process": {"user": {"uid": True}}}, "process.user.uid must be a number"),
        ({"hostname": "a\0b"}, "hostname must be without a NUL"),
        ({"hostname": "\ud800"}, "hostname must be without a NUL, and Unicode"),
        ({"annotations": {"a": 1}}, "annotations.a must be a text"),
        ({"linux": {"resources": {"hugepageLimits": [{"limit": 1}]}}}, r"hugepageLimits\[0\].pageSize must be given"),
        (
            {"linux": {"resources": {"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0}]}}}},
            r"linux.resources.blockIO.throttleReadBpsDevice\[0\].rate must be given",
        ),
        ({"linux": {"resources": {"network": {"priorities": [{"name": "x", "priority": ""}]}}}}, "must be a number"),
        ({"linux": {"resources": {"rdma": {"x": {"hcaHandles": "1"}}}}}, "linux.resources.rdma.x.hcaHandles must be"),
    ],
)
def test_the_first_value_that_does_not_fit_is_named(document: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        shape.check(document, shape.SPEC)


def test_what_is_not_known_is_left_alone_and_what_is_null_taken_out() -> None:
    document: Any = {"process": None, "moon": [1], "linux": {"moon": 1, "namespaces": None}}

    shape.check(document, shape.SPEC)

    assert document == {"moon": [1], "linux": {"moon": 1}}


def test_the_default_document_fits() -> None:
    shape.check(documents.default_spec(), shape.SPEC)
