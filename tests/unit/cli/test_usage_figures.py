from __future__ import annotations

from wharf.cli.usage_figures import cpu_percent, memory_used, stats_row


def test_processor_time_is_of_one_processor_between_two_readings() -> None:
    stats: dict[str, object] = {
        "cpu_stats": {"cpu_usage": {"total_usage": 300}, "system_cpu_usage": 2000, "online_cpus": 2},
        "precpu_stats": {"cpu_usage": {"total_usage": 100}, "system_cpu_usage": 1000},
    }

    assert cpu_percent(stats) == 40.0


def test_memory_is_without_what_the_kernel_can_take_back() -> None:
    assert memory_used({"memory_stats": {"usage": 100, "stats": {"inactive_file": 40}}}) == 60
    assert memory_used({"memory_stats": {"usage": 100, "stats": {"total_inactive_file": 400}}}) == 100


def test_row_names_the_container_as_it_was_asked_for() -> None:
    row = stats_row("web", {"id": "0123456789abcdef", "name": "/web"}, full=False)

    assert (row["Container"], row["ID"], row["Name"], row["CPUPerc"]) == ("web", "0123456789ab", "web", "0.00%")
