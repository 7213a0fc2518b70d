from __future__ import annotations

from wharf.build.checks.lineage import Lineage
from wharf.build.convert.convert import Conversion
from wharf.build.convert.options import Options
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.stages import read
from wharf.images.platform import Platform

_HOST = Platform("linux", "amd64")
_FILE = read("FROM scratch AS a\nUSER 1\nFROM a AS b\nENV x=1\nFROM b\nFROM scratch\nUSER 2\n")


def _lineage(*stages: int) -> Lineage:
    conversion = Conversion(_FILE, Options(_HOST, _HOST), {})
    for index in stages:
        conversion.stage(index)
    return Lineage(conversion)


def test_a_stage_brings_those_below_it() -> None:
    assert [index for index, _ in _lineage(2).stages()] == [0, 1, 2]


def test_instructions_of_the_stages_below_are_found() -> None:
    lineage = _lineage(2, 3)

    assert [lineage.before(index, kinds.User) for index in range(4)] == [False, True, True, False]
    assert lineage.image(2) is None
