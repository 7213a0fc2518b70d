from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from wharf.client.contexts import Contexts
from wharf.errors import Conflict, InvalidArgument, NotFound


@pytest.fixture
def contexts(tmp_path: Path) -> Contexts:
    return Contexts({"DOCKER_CONFIG": str(tmp_path)})


def engine(host: str) -> dict[str, object]:
    return {"Name": "far", "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}}


def test_context_is_stored_where_docker_looks_for_it(contexts: Contexts, tmp_path: Path) -> None:
    contexts.write("far", engine("tcp://192.0.2.1:2376"), new=True)
    folder = sha256(b"far").hexdigest()

    assert (tmp_path / "contexts/meta" / folder / "meta.json").is_file()
    assert contexts.names() == ["far"]
    assert contexts.endpoint("far") == ("tcp://192.0.2.1:2376", None)


def test_certificates_make_it_tls(contexts: Contexts) -> None:
    contexts.write("far", engine("tcp://192.0.2.1:2376"), new=True)
    contexts.store_tls("far", {"ca.pem": b"a"})
    _, tls = contexts.endpoint("far")

    assert tls is not None
    assert (Path(tls.authority).read_bytes(), tls.verify) == (b"a", True)


def test_removed_context_leaves_nothing(contexts: Contexts, tmp_path: Path) -> None:
    contexts.write("far", engine("unix:///s"), new=True)
    contexts.store_tls("far", {"ca.pem": b"a"})
    contexts.remove("far")

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(NotFound, match='context "far": context not found'):
        contexts.read("far")


@pytest.mark.parametrize("name", ["default", "x", "a/b", "-a"])
def test_name_that_cannot_be_is_refused(contexts: Contexts, name: str) -> None:
    with pytest.raises(InvalidArgument):
        contexts.write(name, engine("unix:///s"), new=True)


def test_name_that_is_taken_is_refused(contexts: Contexts) -> None:
    contexts.write("far", engine("unix:///s"), new=True)
    with pytest.raises(Conflict, match='context "far" already exists'):
        contexts.write("far", engine("unix:///s"), new=True)


def test_context_without_an_engine_is_refused(contexts: Contexts) -> None:
    contexts.write("far", {"Name": "far", "Endpoints": {}}, new=True)
    with pytest.raises(InvalidArgument, match="names no engine"):
        contexts.endpoint("far")
