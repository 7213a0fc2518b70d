from __future__ import annotations

from wharf.compose.load.rules import Rules


def test_rule_is_found_along_its_path() -> None:
    rules = Rules.of({"services.*.ports.[]": 1, "services.*": 2})
    service = rules.at("services")
    assert service is not None
    web = service.at("web")
    assert web is not None
    ports = web.at("ports")
    assert ports is not None
    item = ports.at(7)

    assert (web.rule, ports.rule, item and item.rule) == (2, None, 1)


def test_nothing_is_below_what_no_rule_names() -> None:
    assert Rules.of({"services.*": 1}).at("volumes") is None
