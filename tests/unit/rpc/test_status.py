from __future__ import annotations

import pytest

from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere, WharfError
from wharf.rpc import status
from wharf.rpc.status import CallFailed, error_in, failed, trailers_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidArgument("x"), 3),
        (NotFound("x"), 5),
        (Conflict("x"), 9),
        (NotImplementedHere("x"), 12),
        (WharfError("x"), 2),
        (CallFailed(8, "x"), 8),
    ],
)
def test_errors_become_statuses(error: Exception, code: int) -> None:
    assert (failed(error).code, str(failed(error))) == (code, "x")


def test_an_error_that_nobody_expected_is_internal() -> None:
    assert (failed(KeyError("k")).code, str(failed(KeyError("k")))) == (13, "internal error: KeyError: 'k'")


def test_trailers_carry_what_they_are_given() -> None:
    error = error_in(trailers_of(CallFailed(5, "no ünicorn: 100%\n", b"\0details")))

    assert error is not None
    assert (error.code, str(error), error.details) == (5, "no ünicorn: 100%\n", b"\0details")
    assert error_in(trailers_of(None)) is None


def test_trailers_that_are_not_grpcs_are_an_error() -> None:
    error = error_in([(":status", "502")])

    assert error is not None
    assert (error.code, "502" in str(error)) == (status.UNKNOWN, True)
