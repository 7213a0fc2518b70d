from __future__ import annotations

import json
from pathlib import Path

from wharf.engine.ocispec.inputs import HostFacts
from wharf.engine.ocispec.plugin import PluginInputs, host_config, of_plugin
from wharf.engine.plugins.config import defaults, read_config
from wharf.spec.oci_runtime import Spec

FACTS = HostFacts(
    cgroup2=False,
    seccomp=True,
    kernel=(6, 1),
    arch="amd64",
    capabilities=frozenset({"CAP_CHOWN", "CAP_SYS_ADMIN"}),
    cpus=2,
)


def _spec(**more: object) -> Spec:
    config = read_config(
        json.dumps(
            {
                "entrypoint": ["/keeper", "-v"],
                "interface": {"types": ["docker.volumedriver/1.0"], "socket": "keeper.sock"},
                "args": {"value": ["a"]},
                "env": [{"name": "DEBUG", "value": "0"}],
                **more,
            }
        ).encode()
    )
    return of_plugin(
        PluginInputs(
            plugin_id="1" * 64,
            config=config,
            settings=defaults(config),
            bundle=Path("/run/p"),
            sockets=Path("/run/p/sockets"),
            propagated=Path("/data/propagated-mount"),
            cgroups_path="/g",
            devices=[],
            facts=FACTS,
            streams=Path("/run/p/logging"),
        )
    )


def _mount(spec: Spec, destination: str) -> dict[str, object]:
    (found,) = (one for one in spec["mounts"] if one["destination"] == destination)
    return dict(found)


def test_a_plugin_gets_its_arguments_its_sockets_folder_and_no_filter_of_system_calls() -> None:
    spec = _spec(workdir="/w", user={"uid": 7, "gid": 8})

    assert (spec["root"]["path"], spec["process"]["args"], spec["process"]["cwd"]) == (
        "rootfs", ["/keeper", "-v", "a"], "/w",
    )  # fmt: skip
    assert "ro" in str(_mount(spec, "/run/docker/logging")["options"])  # what it opens there is what the engine made
    assert "DEBUG=0" in spec["process"]["env"]
    assert (spec["process"]["user"]["uid"], spec["process"]["user"]["gid"]) == (7, 8)
    assert _mount(spec, "/run/docker/plugins")["source"] == "/run/p/sockets"
    assert "seccomp" not in spec["linux"]
    assert {"type": "network"} in spec["linux"]["namespaces"]


def test_what_it_mounts_below_its_propagated_mount_is_seen_outside() -> None:
    spec = _spec(propagatedmount="/data")

    assert _mount(spec, "/data") == {
        "destination": "/data",
        "type": "bind",
        "source": "/data/propagated-mount",
        "options": ["rbind", "rw", "rshared"],
    }
    assert spec["linux"]["rootfsPropagation"] == "rshared"


def test_what_it_asks_of_the_host_is_given() -> None:
    spec = _spec(
        network={"type": "host"},
        pidhost=True,
        ipchost=True,
        linux={"capabilities": ["CAP_SYS_ADMIN"], "allowalldevices": True},
        mounts=[
            {"source": "/srv", "destination": "/etc/hosts", "type": "bind", "options": ["rbind", "ro"]},
            {"source": "", "destination": "/unset"},
        ],
    )
    kinds = {one["type"] for one in spec["linux"]["namespaces"]}

    assert not kinds & {"network", "pid", "ipc"}
    assert "CAP_SYS_ADMIN" in spec["process"]["capabilities"]["bounding"]
    assert {"allow": True, "type": "a", "access": "rwm"} in [
        {key: value for key, value in rule.items() if key not in ("major", "minor")}
        for rule in spec["linux"]["resources"]["devices"]
    ]
    assert _mount(spec, "/etc/hosts")["options"] == ["rbind", "ro"]
    assert "/unset" not in {one["destination"] for one in spec["mounts"]}


def test_devices_that_are_set_to_nothing_are_not_given() -> None:
    config = read_config(
        b'{"interface":{"socket":"a.sock"},"linux":{"devices":[{"name":"a","path":"/dev/fuse"},{"name":"b","path":""}]}}'
    )

    assert [one["PathOnHost"] for one in host_config(config, defaults(config))["Devices"] or []] == ["/dev/fuse"]
