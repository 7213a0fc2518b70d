from __future__ import annotations

from itertools import count

import pytest

from wharf.lib.measures import BUCKETS, Histogram, Measures


def test_what_took_long_counts_in_each_bound_that_it_keeps() -> None:
    histogram = Histogram()
    for seconds in (0.001, 0.3, 100.0):
        histogram.observe(seconds)
    found = dict(histogram.cumulative())
    assert (found[0.005], found[0.25], found[0.5], found[10.0]) == (1, 1, 2, 2)
    assert (histogram.count, histogram.sum_s) == (3, 100.301)
    assert [*found] == [*BUCKETS]


def test_only_what_comes_to_its_end_is_timed() -> None:
    ticks = count()
    measures = Measures(lambda: float(next(ticks)))
    with measures.timed("container", "start"):
        pass
    with pytest.raises(KeyError), measures.timed("container", "start"):
        raise KeyError
    assert measures.times["container"]["start"].count == 1
    assert measures.times["container"]["start"].sum_s == 1.0
    measures.count("events")
    measures.count("events")
    assert measures.counts == {"events": 2}
