from __future__ import annotations

from wharf.build.dockerfile.instructions import Copy
from wharf.build.dockerfile.stages import read


def _stages(text: str) -> list[str]:
    return [stage.name for stage in read(text).stages]


def test_add_fetches_and_copy_does_not() -> None:
    stage = read("FROM scratch\nADD a /\nCOPY a /\n").stages[0]

    assert [one.adds for one in stage.instructions if isinstance(one, Copy)] == [True, False]


def test_a_stage_is_called_what_its_from_says() -> None:
    assert _stages("FROM a AS one\nFROM b\n") == ["one", ""]
