from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest

from wharf.kernel.nftables import Nftables, NftablesError

pytestmark = pytest.mark.root

_TABLE = {"family": "ip", "name": "probe"}


@pytest.fixture
def nftables() -> Iterator[Nftables]:
    made = Nftables()
    yield made
    made.run([{"add": {"table": _TABLE}}, {"delete": {"table": _TABLE}}])
    made.close()


def _tables(nftables: Nftables) -> list[Any]:
    return [item["table"]["name"] for item in nftables.run([{"list": {"tables": None}}]) if "table" in item]


def test_refused_transaction_changes_nothing(nftables: Nftables) -> None:
    missing = {"family": "ip", "table": "probe", "chain": "nothere", "expr": [{"accept": None}]}
    with pytest.raises(NftablesError) as caught:
        nftables.run([{"add": {"table": _TABLE}}, {"add": {"rule": missing}}])

    assert caught.value.errno == errno.ENOENT
    assert "probe" not in _tables(nftables)


def test_malformed_script_is_an_error_with_the_librarys_words(nftables: Nftables) -> None:
    with pytest.raises(NftablesError, match="syntax error"):
        nftables.run_script("table table table")


def test_scripts_and_commands_may_alternate(nftables: Nftables) -> None:
    nftables.run_script("table ip probe { }")

    assert "probe" in _tables(nftables)


def test_closed_context_is_refused(nftables: Nftables) -> None:
    other = Nftables()
    other.close()
    other.close()

    with pytest.raises(NftablesError, match="closed"):
        other.run([])
