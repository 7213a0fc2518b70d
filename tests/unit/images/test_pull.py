from __future__ import annotations

import errno

import pytest

from wharf.errors import DataLoss, Unauthorized
from wharf.images.pull import first_of

FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([FULL], FULL),
        ([ExceptionGroup("inner", [FULL])], FULL),
        ([DataLoss("x"), Unauthorized("who?")], Unauthorized("who?")),
    ],
)
def test_of_several_failures_the_one_that_can_be_helped_is_told(errors: list[Exception], told: Exception) -> None:
    found = first_of(ExceptionGroup("layers", errors))

    assert (type(found), str(found)) == (type(told), str(told))
