from __future__ import annotations

from wharf.lib.tables import ellipsis, fit, render


def test_columns_are_padded_and_the_last_is_not() -> None:
    assert render([["ID", "NAME"], ["0123456789ab", "x"]]) == "ID             NAME\n0123456789ab   x\n"


def test_flexible_column_is_cut_to_fit() -> None:
    rows = fit([["COMMAND", "NAME"], ["a very long command line", "x"]], 24, [0])

    assert max(map(len, render(rows).splitlines())) <= 24


def test_ellipsis_takes_the_last_place() -> None:
    assert ellipsis("abcdef", 4) == "abc…"
