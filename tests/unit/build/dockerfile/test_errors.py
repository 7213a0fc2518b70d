from __future__ import annotations

from wharf.build.dockerfile.errors import DockerfileError, at, meant


def test_an_error_gets_its_place_once() -> None:
    placed = at(ValueError("wrong"), (3, 4))

    assert (str(placed), placed.lines) == ("dockerfile parse error on line 3: wrong", (3, 4))
    assert at(placed, (9, 9)) is placed
    assert str(at(DockerfileError("wrong"), (2, 2), prefix=False)) == "wrong"


def test_a_near_word_is_suggested_in_the_case_it_was_written() -> None:
    assert meant("RNU", ["RUN", "COPY"]) == " (did you mean RUN?)"
    assert meant("rnu", ["RUN"], fold=True) == " (did you mean run?)"
    assert meant("SOMETHING", ["RUN"]) == ""
    assert meant("RUN", ["RUN", "RUM"]) == ""
