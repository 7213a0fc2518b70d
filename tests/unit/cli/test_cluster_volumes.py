from __future__ import annotations

import pytest

from wharf.cli.cluster_volumes import FLAGS, pairs, spec
from wharf.cli.flags import FlagError, Values
from wharf.errors import InvalidArgument


def _given(**texts: str) -> Values:
    values = Values(FLAGS)
    for flag in FLAGS:
        if (text := texts.get(flag.name.replace("-", "_"))) is not None:
            values.set(flag, text)
    return values


def test_without_a_word_of_a_cluster_nothing_is_asked_of_one() -> None:
    assert spec(_given()) is None


def test_what_is_asked_of_a_cluster_is_spelt_as_the_api_has_it() -> None:
    asked = _given(group="g", type="mount", limit_bytes="1k", secret="a=b", topology_required="zone=1,rack=2")

    assert spec(asked) == {
        "Group": "g",
        "AccessMode": {"Scope": "single", "Sharing": "none", "MountVolume": {}},
        "Availability": "active",
        "CapacityRange": {"LimitBytes": 1024, "RequiredBytes": 0},
        "Secrets": [{"Key": "a", "Secret": "b"}],
        "AccessibilityRequirements": {"Requisite": [{"Segments": {"zone": "1", "rack": "2"}}], "Preferred": []},
    }


def test_other_words_are_refused() -> None:
    with pytest.raises(FlagError, match="use one of active, pause, drain"):
        _given(availability="asleep")
    with pytest.raises(InvalidArgument, match="key=value"):
        pairs("zone")
