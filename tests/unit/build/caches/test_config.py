from __future__ import annotations

import json

import pytest

from wharf.build.caches.config import Kept, chains, decode, decode_records, encode, inline, record_digest
from wharf.errors import InvalidArgument

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
K = [f"sha256:{digit * 64}" for digit in "0123"]


def _decoded(**document: object) -> dict[str, tuple[str, ...]]:
    return chains(decode(json.dumps(document).encode()))


def test_what_is_written_is_read_again() -> None:
    results = [Kept(("k1#0", "k2#0"), "two", 5), Kept(("k3#0",), "one"), Kept(("k4#0",), "other")]
    document = encode(results, {"one": [A], "two": [A, B], "other": [B]})

    found = chains(document)

    assert found == {
        record_digest("k1#0"): (A, B),
        record_digest("k2#0"): (A, B),
        record_digest("k3#0"): (A,),
        record_digest("k4#0"): (B,),
    }
    assert [(layer.blob, layer.parent) for layer in document.layers or ()] == [(A, -1), (B, 0), (B, -1)]


def test_the_order_of_results_does_not_matter() -> None:
    results = [Kept(("k1#0",), "one"), Kept(("k2#0",), "two")]
    blobs = {"one": [A], "two": [A, B]}
    assert encode(results, blobs) == encode(results[::-1], blobs)


def test_an_image_says_only_what_its_own_layers_are() -> None:
    records = inline([Kept(("k1#0",), "two"), Kept(("k2#0",), "elsewhere")], ["one", "two"])
    assert [(one.digest, [result.layer for result in one.results or ()]) for one in records] == [
        (record_digest("k1#0"), [1])
    ]


def test_documents_of_buildkit_are_read() -> None:
    assert _decoded(
        layers=[{"blob": A, "parent": -1}, {"blob": B}],  # a parent 0 is left out
        records=[
            {"digest": K[0], "layers": [{"layer": 1, "createdAt": "2026-01-01T00:00:00Z"}]},
            {"digest": K[1], "layers": [{"layer": 0}], "inputs": [[{"selector": K[3], "link": 0}]]},
            {"digest": K[2], "chains": [{"layers": [1, 0], "createdAt": "0001-01-01T00:00:00Z"}]},
            {"digest": K[3]},
        ],
    ) == {K[0]: (A, B), K[2]: (B, A)}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"layers": [{"blob": A, "parent": 1}, {"blob": B}], "records": [{"layers": [{"layer": 0}]}]}, "circle"),
        ({"layers": [{"blob": A}], "records": [{"digest": K[0], "layers": [{"layer": 0}]}]}, "circle"),
        ({"records": [{"digest": K[0], "inputs": [[{"link": 1}]]}, {"inputs": [[{"link": 0}]]}]}, "circle"),
        ({"records": [{"digest": K[0], "inputs": [[{"link": 0}]]}]}, "circle"),
        ({"records": [{"digest": K[0], "inputs": [[{"link": 7}]]}]}, "no record 7"),
        ({"layers": [{"blob": A, "parent": -2}], "records": [{"layers": [{"layer": 0}]}]}, "no layer -2"),
        ({"records": [{"digest": K[0], "layers": [{"layer": 0}]}]}, "no layer 0"),
        ({"layers": [{"blob": "x", "parent": -1}], "records": [{"layers": [{"layer": 0}]}]}, "'x' is no digest"),
        ({"layers": [{"blob": A, "parent": -1}], "records": [{"layers": [{"layer": 0}]}]}, "'' is no digest"),
        ({"layers": [{"blob": A, "parent": -1}], "records": [{"chains": [{"layers": [0] * 501}]}]}, "too many"),
        ({"records": [{"digest": K[0], "layers": [{"layer": 0}] * 1001}]}, "a record has more than 1000 results"),
        ({"records": [{"digest": K[0], "layers": [], "chains": [{"layers": []}] * 1001}]}, "more than 1000 results"),
        ({"records": [{}] * 50_001}, "too many"),
        ({"layers": [{}] * 10_001}, "too many"),
        ({"layers": 7}, "invalid cache"),
    ],
)
def test_what_cannot_be_is_refused(document: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        _decoded(**document)


def test_as_many_results_as_may_be_are_read() -> None:
    record = {"digest": K[0], "layers": [{"layer": 0}] * 500, "chains": [{"layers": [0]}] * 500}
    assert _decoded(layers=[{"blob": A, "parent": -1}], records=[record]) == {K[0]: (A,)}


def test_a_giant_or_broken_document_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="at most"):
        decode(b" " * (9 << 20))
    with pytest.raises(InvalidArgument, match="invalid cache"):
        decode_records(b"[" * 100_000)
