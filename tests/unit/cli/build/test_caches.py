from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.cli.build.caches import caches_of, enter
from wharf.errors import InvalidArgument

A, B = (f"sha256:{letter * 64}" for letter in "ab")


def test_caches_are_images_folders_and_what_else_an_engine_knows() -> None:
    caches = caches_of(["repo/image:1", "type=registry,ref=x"], ["type=inline", "type=gha,scope=s"])
    assert [(one.Type, dict(one.Attrs)) for one in caches.options.Imports] == [
        ("registry", {"ref": "repo/image:1"}),
        ("registry", {"ref": "x"}),
    ]
    assert [one.Type for one in caches.options.Exports] == ["inline", "gha"]
    assert caches.folders == {}


def test_a_folder_says_what_was_written_to_it_last(tmp_path: Path) -> None:
    where = str(tmp_path)
    for digest in (A, B):
        _written(tmp_path, digest)
    for digest, tag in ((A, "latest"), (B, "other"), (B, "latest")):
        caches = caches_of([], [f"type=local,dest={where},tag={tag}"])
        enter(caches, {"cache.manifest": json.dumps({"digest": digest, "size": 2, "mediaType": "m"})})

    found = caches_of([f"type=local,src={where}"], [])
    index = json.loads((tmp_path / "index.json").read_text())

    assert dict(found.options.Imports[0].Attrs) == {"src": where, "digest": B}
    assert found.folders == {f"local:{where}": where}
    assert [one["digest"] for one in index["manifests"]] == [B, B]
    assert json.loads((tmp_path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}


def _written(folder: Path, digest: str) -> None:
    blob = folder / "blobs" / digest.replace(":", "/")
    blob.parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(b"{}")


def test_a_cache_that_was_written_elsewhere_is_not_entered(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    _written(ours, A)
    other.mkdir()
    caches = caches_of([], [f"type=local,dest={ours}", f"type=local,dest={other}"])
    enter(caches, {"cache.manifest": json.dumps({"digest": A, "size": 2, "mediaType": "m"})})

    assert (ours / "index.json").exists()
    assert list(other.iterdir()) == []


def test_each_of_several_folders_gets_its_own_manifest(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    _written(one, A)
    _written(two, B)
    caches = caches_of([], [f"type=local,dest={one}", f"type=local,dest={two},mode=max"])
    enter(caches, {"cache.manifest": json.dumps({"digest": B}), f"cache.manifest/{one}": json.dumps({"digest": A})})

    found = [json.loads((folder / "index.json").read_text())["manifests"] for folder in (one, two)]
    assert [[entry["digest"] for entry in entries] for entries in found] == [[A], [B]]


def test_nothing_is_entered_when_nothing_was_written(tmp_path: Path) -> None:
    enter(caches_of([], [f"type=local,dest={tmp_path}"]), {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("type=local", "requires src"),
        ("ref=x,mode=max", "type is required"),
        ("type=local,src", "key=value"),
    ],
)
def test_what_cannot_be_is_refused(source: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        caches_of([source], [])


def test_before_the_first_build_a_folder_has_no_cache(tmp_path: Path) -> None:
    caches = caches_of([f"type=local,src={tmp_path}"], [f"type=local,dest={tmp_path}"])
    assert list(caches.options.Imports) == []
    assert caches.missing == [f"{tmp_path} has no cache with the tag latest: nothing is taken of it"]


def test_a_malformed_index_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(InvalidArgument, match=r"index\.json is malformed"):
        caches_of([f"type=local,src={tmp_path}"], [])
