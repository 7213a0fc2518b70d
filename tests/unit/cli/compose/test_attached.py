from __future__ import annotations

import pytest

from wharf.cli.compose.attached import Ends
from wharf.compose.plan.observed import Container


def ends(given: Ends, *codes: tuple[str, int]) -> tuple[bool, int]:
    for service, code in codes:
        given.note(Container(service, service, service, 1, "exited"), code)
    return given.over, given.code


@pytest.mark.parametrize(
    ("given", "codes", "expected"),
    [
        (Ends(), [("a", 3), ("b", 0)], (False, 0)),
        (Ends(abort=True), [("a", 0), ("b", 137)], (True, 0)),
        (Ends(abort=True), [("a", 3), ("b", 137)], (True, 3)),
        (Ends(abort_on_failure=True), [("a", 0)], (False, 0)),
        (Ends(abort_on_failure=True), [("a", 0), ("b", 4)], (True, 4)),
        (Ends(abort=True, code_from="b"), [("a", 0), ("b", 5)], (True, 5)),
        (Ends(abort=True, code_from="b"), [("a", 1)], (True, 0)),
    ],
)
def test_end_of_containers_is_ours_as_the_flags_say(
    given: Ends, codes: list[tuple[str, int]], expected: tuple[bool, int]
) -> None:
    assert ends(given, *codes) == expected
