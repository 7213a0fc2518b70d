from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.builds import converted

from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.graph.operations import Copy, File, MakeFile, Merge, Owner, Source
from wharf.build.graph.vertex import Vertex


def _vertex(text: str, **options: Any) -> Vertex:
    found = converted(f"FROM base\nWORKDIR /w\n{text}", **options).target
    assert found is not None
    return found.vertex


def _copies(text: str, **options: Any) -> list[Copy]:
    operation = _vertex(text, **options).operation
    assert isinstance(operation, File)
    return [action for action in operation.actions if isinstance(action, Copy)]


def test_paths_are_relative_to_context_and_working_directory() -> None:
    first, second = _copies("COPY a ../b sub/")

    assert (first.source, second.source, first.destination) == ("/a", "/b", "/w/sub/")
    assert (first.input, first.contents_only, first.follow_links, first.unpack) == (1, True, True, False)
    assert _copies("COPY a .")[0].destination == "/w/"
    assert _copies("COPY a b")[0].destination == "/w/b"


def test_flags_say_how() -> None:
    found = _copies("ARG who=5\nCOPY --chown=$who:g --chmod=u=rwX --exclude=*.o a b")[0]

    assert (found.owner, found.mode, found.exclude) == (Owner(5, "g"), "u=rwX", ("*.o",))


def test_add_unpacks_what_copy_does_not() -> None:
    assert _copies("ADD a.tar /x/")[0].unpack
    assert not _copies("ADD --unpack=false a.tar /x/")[0].unpack


def test_parents_are_kept_behind_the_pivot() -> None:
    found = _copies("COPY --parents a/./b/c /x/")[0]

    assert (found.source, found.include, found.required) == ("/a", ("b/c",), ("/a/b/c",))
    assert _copies("COPY --parents src/*/x /y/")[0].include == ("src/*/x",)


def test_a_link_is_a_layer_that_does_not_depend_on_what_is_below() -> None:
    vertex = _vertex("COPY --link a /b")

    assert isinstance(vertex.operation, Merge)
    assert vertex.inputs[1].vertex.operation == File((_copies("COPY a /b")[0].__class__(
        0, "/a", "/b", follow_links=True, contents_only=True, wildcards=True, allow_empty=True
    ),), base=-1)  # fmt: skip


def test_documents_are_files_with_variables_unless_quoted() -> None:
    vertex = _vertex("ENV a=1\nCOPY <<one <<'two' /x/\nis $a\none\nis $a\ntwo\n")

    made = [edge.vertex.operation for edge in vertex.inputs[1:]]
    assert [action for one in made if isinstance(one, File) for action in one.actions] == [
        MakeFile("/one", b"is 1\n"),
        MakeFile("/two", b"is $a\n"),
    ]


def test_add_fetches_files_and_repositories() -> None:
    web = _vertex(f"ADD --checksum=sha256:{'a' * 64} https://h/p/f.tgz?x /d/").inputs[1].vertex.operation
    git = _vertex("ADD --keep-git-dir https://h/r.git#v1:sub /d/").inputs[1].vertex.operation

    assert isinstance(web, Source)
    assert isinstance(git, Source)
    assert (web.attribute("http.filename"), web.attribute("http.checksum")[:8]) == ("f.tgz", "sha256:a")
    assert (git.identifier, git.attribute("git.keepgitdir")) == ("git://https://h/r.git#v1:sub", "true")


def test_files_get_the_epochs_time() -> None:
    assert _copies("COPY a b", build_args={"SOURCE_DATE_EPOCH": "5"})[0].created_ns == 5_000_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("COPY https://h/f /x", "source can't be a URL for COPY"),
        ("COPY https://h/f.git /x", "source can't be a git ref for COPY"),
        ("COPY --chmod=99 a b", "invalid chmod parameter: '99'."),
        ("ADD --checksum=sha256:x a b", "checksum requires HTTP(S) or Git sources"),
        ("ADD --checksum=sha256:x https://h/f /x", "invalid checksum digest format: sha256:x"),
        ("ADD --checksum=x https://h/f b /x", "checksum can't be specified for multiple sources"),
        ("COPY --from=scratch a b", "cannot copy from scratch"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        _copies(text)

    assert str(caught.value).startswith(said)
    assert caught.value.lines == (3, 3)
