from __future__ import annotations

from bench.rows import Row, Samples, Target, markdown, merged, number, percentile, step_rows, step_table


def test_a_row_holds_medians_of_every_side() -> None:
    samples = Samples("start", "ms", Target(times=3, plus=8))
    samples.add("wharf", [9.0, 30.0, 10.0])
    samples.add("floor", [1.0, 3.0])
    samples.add("docker", [400.0])

    assert samples.row() == {
        "name": "start",
        "unit": "ms",
        "ours": 10.0,
        "floor": 2.0,
        "peers": {"docker": 400.0},
        "target": 14.0,
        "met": True,
    }


def test_a_target_that_is_exceeded_is_not_met() -> None:
    samples = Samples("memory", "MB", Target(plus=2))
    samples.add("wharf", [2.5])

    assert samples.row()["met"] is False


def test_a_target_in_terms_of_a_floor_needs_the_floor() -> None:
    samples = Samples("start", "ms", Target(times=2))
    samples.add("wharf", [2.5])

    assert (samples.row()["target"], samples.row()["met"]) == (None, None)


def test_without_our_side_no_target_is_met_or_missed() -> None:
    samples = Samples("start", "ms", Target(plus=2))
    samples.add("docker", [1.0])

    assert (samples.row()["ours"], samples.row()["met"]) == (None, None)


def test_the_percentile_is_a_value_that_was_measured() -> None:
    assert [percentile(range(1, 101), 95), percentile([7], 95), percentile([1, 2], 50)] == [95, 7, 1]


def test_steps_keep_their_order_and_have_two_rows_each() -> None:
    rows = step_rows("none", [{"overlay": 10, "clone": 30}, {"overlay": 20, "clone": 50}])

    assert [(row["name"], row["ours"]) for row in rows] == [
        ("start on none, step overlay, median", 15.0),
        ("start on none, step overlay, p95", 20),
        ("start on none, step clone, median", 40.0),
        ("start on none, step clone, p95", 50),
    ]


def test_figures_have_three_digits_that_count() -> None:
    assert [number(v) for v in (None, 0.1234, 12.34, 1234.5)] == ["", "0.12", "12.3", "1234"]


def test_the_markdown_table_has_a_column_for_each_peer() -> None:
    samples = Samples("start", "ms")
    samples.add("wharf", [9.0])
    samples.add("docker", [400.0])

    assert markdown([samples.row()]) == (
        "| what | unit | wharf | floor | docker | target | met |\n"
        "|---|---|--:|--:|--:|--:|---|\n"
        "| start | ms | 9.00 |  | 400 |  |  |\n"
    )


def test_a_target_in_terms_of_peers_is_the_strictest_of_those_that_were_measured() -> None:
    samples = Samples("run", "ms", Target(peers={"crun": 3, "runc": 1, "other": 1}))
    samples.add("wharf", [25.0])
    assert (samples.row()["target"], samples.row()["met"]) == (None, None)

    samples.add("crun", [10.0])
    samples.add("runc", [24.0])
    assert (samples.row()["target"], samples.row()["met"]) == (24.0, False)


def test_steps_have_a_table_of_their_own_with_a_line_each() -> None:
    rows = step_rows("none", [{"overlay": 10, "clone": 30}]) + step_rows("bridge", [{"overlay": 20}])

    assert step_table(rows) == [
        ["step, µs", "none, median", "none, p95", "bridge, median", "bridge, p95"],
        ["overlay", "10.0", "10.0", "20.0", "20.0"],
        ["clone", "30.0", "30.0", "", ""],
    ]
    assert step_table([Samples("start", "ms").row()]) == []
    assert markdown(rows).splitlines()[-4:] == [
        "| step, µs | none, median | none, p95 | bridge, median | bridge, p95 |",
        "|---|--:|--:|--:|--:|",
        "| overlay | 10.0 | 10.0 | 20.0 | 20.0 |",
        "| clone | 30.0 | 30.0 |  |  |",
    ]


def test_rows_that_were_measured_again_replace_the_old_ones_in_their_place() -> None:
    def row(name: str, value: float) -> Row:
        samples = Samples(name, "ms")
        samples.add("wharf", [value])
        return samples.row()

    found = merged([row("a", 1), row("b", 2)], [row("c", 5), row("a", 4)])
    assert [(one["name"], one["ours"]) for one in found] == [("a", 4), ("b", 2), ("c", 5)]
