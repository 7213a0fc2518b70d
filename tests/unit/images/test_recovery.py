from __future__ import annotations

from wharf.images.recovery import Plan, plan, with_those_above
from wharf.lib.digest import digest_of

BASE, MIDDLE, TOP, OTHER = (digest_of(name) for name in (b"base", b"middle", b"top", b"other"))
PLAIN, ONE, TWO = (digest_of(name) for name in (b"plain", b"one", b"two"))
BLOB = digest_of(b"blob")
LINKS = {BASE: (None, PLAIN), MIDDLE: (BASE, ONE), TOP: (MIDDLE, TWO), OTHER: (None, TWO)}


def test_a_layer_is_unpacked_again_while_its_blob_is_there() -> None:
    assert plan([BASE], LINKS, {PLAIN: BLOB}, [BASE]) == Plan(unpack=((BASE, BLOB),))


def test_one_without_a_blob_is_compared_where_its_build_packed_it_and_forgotten_elsewhere() -> None:
    assert plan([BASE, MIDDLE], LINKS, {}, [MIDDLE]) == Plan(compare=(MIDDLE,), forget=(BASE,))


def test_what_is_not_recorded_any_more_does_not_matter() -> None:
    assert plan([digest_of(b"gone")], LINKS, {}, []) == Plan()


def test_what_lies_on_a_layer_goes_with_it() -> None:
    assert with_those_above([MIDDLE], LINKS) == {MIDDLE, TOP}
    assert with_those_above([digest_of(b"gone")], LINKS) == set()
