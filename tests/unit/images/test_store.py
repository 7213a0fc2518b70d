from __future__ import annotations

import gc

from wharf.images.store import Locks


def test_who_wants_the_same_digest_waits_for_the_same_lock() -> None:
    locks = Locks()
    lock = locks.of("sha256:a")

    assert locks.of("sha256:a") is lock
    assert locks.of("sha256:b") is not lock


def test_a_lock_goes_with_the_last_who_has_it() -> None:
    locks = Locks()
    lock = locks.of("sha256:a")
    assert len(locks.known) == 1

    del lock
    gc.collect()

    assert len(locks.known) == 0
