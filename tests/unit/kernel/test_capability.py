from __future__ import annotations

import pytest

from wharf.kernel import capability


def test_an_unknown_name_is_refused_with_the_name() -> None:
    with pytest.raises(ValueError, match="unknown capability CAP_FLY"):
        capability.parse(["CAP_CHOWN", "CAP_FLY"])


def test_names_survive_a_round_trip_in_the_order_of_their_numbers() -> None:
    names = ["CAP_SYS_ADMIN", "CAP_CHOWN", "CAP_CHECKPOINT_RESTORE"]

    assert capability.names_of(capability.parse(names)) == ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"]


def test_numbers_are_those_of_the_kernel() -> None:
    assert (capability.parse(["CAP_CHOWN"]), capability.parse(["CAP_SYS_ADMIN"])) == (1, 1 << 21)
