from __future__ import annotations

from pathlib import Path

import pytest

from wharf.engine.buildkit.records import Records, _frames
from wharf.lib.digest import digest_of
from wharf.spec.buildkit import control_pb2 as pb


def told(text: bytes) -> pb.StatusResponse:
    return pb.StatusResponse(logs=[pb.VertexLog(vertex="v", msg=text)])


@pytest.fixture
def records(tmp_path: Path) -> Records:
    found = Records(tmp_path)
    found.load()
    return found


def test_a_record_is_read_as_it_was_written(records: Records, tmp_path: Path) -> None:
    record = pb.BuildHistoryRecord(Ref="../a/b", Frontend="f")
    records.save(record, [told(b"x")], [b"one", b"another"])
    again = Records(tmp_path)

    assert again.load() == [record]
    assert again.told("../a/b") == [told(b"x")]
    place = again.document(digest_of(b"another"))
    assert place is not None
    assert place.path.read_bytes()[place.offset : place.offset + place.size] == b"another"
    assert again.document(digest_of(b"none")) is None
    assert [path.parent for path in tmp_path.iterdir()] == [tmp_path]  # whatever the name of the build


def test_a_record_is_changed_with_all_that_belongs_to_it(records: Records) -> None:
    record = pb.BuildHistoryRecord(Ref="a")
    records.save(record, [told(b"x")], [b"one"])
    record.pinned = True
    records.change(record)

    assert records.load()[0].pinned
    assert records.told("a") == [told(b"x")]
    assert records.document(digest_of(b"one")) is not None


def test_what_was_cut_or_not_written_whole_goes(records: Records, tmp_path: Path) -> None:
    records.save(pb.BuildHistoryRecord(Ref="a"), [told(b"x")])
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "other.new").write_bytes(b"")
    (tmp_path / "noise").write_bytes(b"R\0\0\0\0\0\0\0\2\xff\xff")

    assert Records(tmp_path).load() == []
    assert list(tmp_path.iterdir()) == []


def test_a_forgotten_record_has_no_documents(records: Records) -> None:
    records.save(pb.BuildHistoryRecord(Ref="a"), [], [b"one"])
    records.remove("a")
    records.remove("a")

    assert (records.document(digest_of(b"one")), records.told("a")) == (None, [])


def test_output_beyond_what_anybody_reads_is_left_out(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wharf.engine.buildkit.records._MOST_TOLD_BYTES", 100)
    end = pb.StatusResponse(vertexes=[pb.Vertex(digest="v", error="e")])
    records.save(pb.BuildHistoryRecord(Ref="a"), [told(b"x" * 50), told(b"y" * 50), end])

    assert records.told("a") == [told(b"x" * 50), end]


@pytest.mark.parametrize("loaded", [False, True])
def test_a_document_that_two_records_share_stays_with_either(records: Records, tmp_path: Path, loaded: bool) -> None:
    for ref in ("a", "b"):
        records.save(pb.BuildHistoryRecord(Ref=ref), [told(b"x")], [b"shared", ref.encode()])
    if loaded:
        records = Records(tmp_path)
        records.load()
    records.remove("b")

    place = records.document(digest_of(b"shared"))
    assert place is not None
    assert place.path.read_bytes()[place.offset : place.offset + place.size] == b"shared"
    assert records.document(digest_of(b"b")) is None
    records.remove("a")
    assert records.document(digest_of(b"shared")) is None


def test_a_record_written_again_has_the_documents_of_then_alone(records: Records) -> None:
    records.save(pb.BuildHistoryRecord(Ref="a"), [], [b"one"])
    records.save(pb.BuildHistoryRecord(Ref="a"), [], [b"another"])

    assert records.document(digest_of(b"one")) is None
    assert records.document(digest_of(b"another")) is not None


def test_kinds_that_are_not_wanted_are_passed_over(records: Records, tmp_path: Path) -> None:
    records.save(pb.BuildHistoryRecord(Ref="a"), [told(b"x" * 1000)], [b"one"])

    assert [kind for kind, _, _ in _frames(next(tmp_path.iterdir()), b"RD")] == [b"R", b"D"]
