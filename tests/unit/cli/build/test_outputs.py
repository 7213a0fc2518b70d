from __future__ import annotations

import base64
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from wharf.cli.build.outputs import Output, enter_layouts, opened, parse_outputs, stores_of
from wharf.errors import InvalidArgument


def test_a_result_goes_to_the_store_unless_told_otherwise() -> None:
    (output,) = parse_outputs([], ["a", "b:1"], push=True)

    assert output.exporter == ("moby", {"name": "a,b:1", "push": "true"})
    assert not output.is_sent


def test_outputs_are_short_or_long() -> None:
    assert parse_outputs(["out", "-", "type=oci,dest=x.tar", "type=registry,name=r/x"], ["t"], push=False) == [
        Output("local", "out"),
        Output("tar", "-"),
        Output("oci", "x.tar", {"name": "t"}),
        Output("image", "", {"name": "r/x", "push": "true"}),
    ]


def test_an_image_can_be_kept_besides_other_outputs_once() -> None:
    assert parse_outputs(["out"], ["t"], push=False, load=True) == [
        Output("local", "out"),
        Output("image", "", {"name": "t"}),
    ]
    for texts in ([], ["type=image"]):
        assert parse_outputs(texts, [], push=False, load=True) == [Output("image")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type=local", "dest is required"),
        ("type=what,dest=x", "invalid output type 'what'"),
        ("type=tar,dest", "invalid value dest"),
        ("type=oci,tar=false", "dest is required for oci output with tar=false"),
        ("type=local,dest=x,mode=move", 'invalid local exporter mode "move"'),
    ],
)
def test_malformed_outputs_are_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        parse_outputs([text], [], push=False)


def test_pushing_what_is_no_image_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="--push is for images"):
        parse_outputs(["out"], [], push=True)


def _archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("f")
        member.size = 2
        archive.addfile(member, io.BytesIO(b"hi"))
    return buffer.getvalue()


def test_a_folder_gets_what_an_archive_has(tmp_path: Path) -> None:
    with opened([Output("image"), Output("local", str(tmp_path / "new/out"))]) as files:
        files[1].write(_archive())

    assert (tmp_path / "new/out/f").read_bytes() == b"hi"


def test_an_image_can_be_a_folder_of_blobs(tmp_path: Path) -> None:
    folder = str(tmp_path)
    outputs = parse_outputs([f"type=oci,dest={folder},tar=false", "type=image"], ["a:1", "r/b"], push=False)
    descriptor = base64.b64encode(b'{"digest": "sha256:1", "size": 2}').decode()

    with opened(outputs) as files:
        assert files == {}
    assert stores_of(outputs) == {"export": folder}
    enter_layouts(outputs, {"containerimage.descriptor": descriptor, "image.name": "a:1,r/b"})
    manifests = json.loads((tmp_path / "index.json").read_text())["manifests"]
    assert [(one["digest"], one["annotations"]["io.containerd.image.name"]) for one in manifests] == [
        ("sha256:1", "a:1"),
        ("sha256:1", "r/b"),
    ]
    assert manifests[1]["annotations"]["org.opencontainers.image.ref.name"] == "latest"
    with pytest.raises(InvalidArgument, match="only one output"):
        stores_of([outputs[0], outputs[0]])


def test_a_folder_has_nothing_else_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()  # a file in the archive
    (tmp_path / "f/old").touch()
    (tmp_path / "old").touch()
    (output,) = parse_outputs([f"type=local,dest={tmp_path},mode=delete"], [], push=False)
    assert output.exporter == ("tar", {})

    with opened([output]) as files:
        files[0].write(_archive())

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("f", b"hi")]


def _break_off(target: Path) -> None:
    with opened([Output("tar", str(target))]) as files:
        files[0].write(b"half")
        raise KeyError


def test_a_file_is_there_when_it_is_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x.tar"
    with pytest.raises(KeyError):
        _break_off(target)
    assert list(tmp_path.iterdir()) == []

    with opened([Output("tar", str(target))]) as files:
        files[0].write(b"whole")
    assert target.read_bytes() == b"whole"


def test_two_builds_that_write_one_file_leave_the_last_one_whole(tmp_path: Path) -> None:
    output = Output("tar", str(tmp_path / "x.tar"))
    with opened([output]) as first:
        first[0].write(b"first, longer")
        with opened([output]) as second:
            second[0].write(b"second")
        assert (tmp_path / "x.tar").read_bytes() == b"second"

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first, longer"]


def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with opened([Output("tar", str(pipe))]) as files:
        files[0].write(b"hi")

    assert os.read(reader, 10) == b"hi"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_failure_on_the_way_is_not_the_files(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), opened([Output("tar", str(tmp_path / "x.tar"))]):
        raise ConnectionResetError


def test_annotations_are_for_images_alone() -> None:
    found = parse_outputs(["type=oci,dest=x", "folder"], [], push=False, annotations={"annotation.k": "v"})
    assert [one.attributes for one in found] == [{"annotation.k": "v"}, {}]
