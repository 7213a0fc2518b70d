from __future__ import annotations

from bench.rows import Row
from bench.transfers import against_half, merged


def _row(name: str, ours: float, **peers: float) -> Row:
    return {"name": name, "unit": "ms", "ours": ours, "floor": None, "peers": peers, "target": None, "met": None}


def test_the_target_is_half_of_what_the_best_peer_takes() -> None:
    row = against_half(_row("pull", 4.0, docker=9.0, podman=30.0))

    assert (row["target"], row["met"]) == (4.5, True)


def test_what_is_measured_again_takes_the_place_of_what_was_measured_before() -> None:
    before, again, other = _row("pull", 4.0), _row("pull", 3.0), _row("load", 1.0)

    assert merged([before, other], [again]) == [again, other]
