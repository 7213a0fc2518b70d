from __future__ import annotations

from wharf.build.dockerfile.statement import Statement


def test_an_instruction_is_the_same_however_it_is_written() -> None:
    assert [Statement(name, name).keyword for name in ("run", "RUN", "Run")] == ["run"] * 3
