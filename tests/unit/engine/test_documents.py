from __future__ import annotations

import pytest

from wharf.engine.documents import held
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import CreateContainer


def test_a_document_of_the_shape_comes_back() -> None:
    document = {"Image": "busybox", "Cmd": ["true"], "Labels": None}

    assert held(document, CreateContainer, "it") == document


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("busybox", "it is 'busybox': it must be a dict"),
        ({"Immage": "busybox"}, "it has no 'Immage': did you mean 'Image'?"),
        ({5: "busybox"}, "it has no 5"),
        (
            {"HostConfig": {"Mounts": [{}, {"BindOptions": {"Propogation": "rslave"}}]}},
            "it: HostConfig.Mounts[1].BindOptions has no 'Propogation': did you mean 'Propagation'?",
        ),
        (
            {"NetworkingConfig": {"EndpointsConfig": {"n": {"IPAMConfig": {"IP": "10.0.0.7"}}}}},
            "it: NetworkingConfig.EndpointsConfig['n'].IPAMConfig has no 'IP'",
        ),
        (
            {"HostConfig": {"PortBindings": {"80/tcp": [{"Port": "8080"}]}}},
            "it: HostConfig.PortBindings['80/tcp'][0] has no 'Port': did you mean 'HostPort'?",
        ),
        (
            {"HostConfig": {"Mounts": {"Source": "/"}}},
            "it: Expected `array | null`, got `object` - at `$.HostConfig.Mounts`",
        ),
        ({"Cmd": "echo hi"}, "it: Expected `array | null`, got `str` - at `$.Cmd`"),
        ({"HostConfig": {"Memory": "1g"}}, "it: Expected `int | null`, got `str` - at `$.HostConfig.Memory`"),
    ],
)
def test_another_one_is_refused_with_what_is_wrong(document: object, told: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        held(document, CreateContainer, "it")

    assert str(raised.value) == told
