from __future__ import annotations

from tests.fakes.builds import converted

from wharf.build.graph.needed import needed


def _needed(text: str) -> dict[str, list[str] | None]:
    target = converted(f"FROM base\n{text}\n", contexts={"other": "local:other"}).target
    assert target is not None
    return needed(target)


def test_only_what_is_copied_or_mounted_is_needed() -> None:
    text = "COPY a b/ /x/\nADD c*.txt d/ /y/\nRUN --mount=type=bind,source=e/f,target=/m true"

    assert _needed(text) == {"context": ["a", "b", "c*.txt", "d", "e/f"]}


def test_a_folder_that_is_taken_whole_is_needed_whole() -> None:
    assert _needed("COPY a /x/\nCOPY . /y/") == {"context": None}
    assert _needed("RUN --mount=type=bind,target=/m true") == {"context": None}


def test_folders_are_told_apart_and_stages_that_are_not_needed_need_nothing() -> None:
    assert _needed("COPY --from=other one /x") == {"other": ["one"]}
    assert _needed("COPY two /x\nFROM base\nRUN true") == {}
