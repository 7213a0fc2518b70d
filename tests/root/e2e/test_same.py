"""Both command lines say the same about the same daemon: output, failures and exit codes, line by line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from tests.root.wharfd import Cli, Wharfd, cli

pytestmark = pytest.mark.root

ALIKE = [
    "ps -a --format {{.Names}}|{{.Image}}|{{.State}}|{{.Command}}|{{.Ports}}|{{.Labels}}",
    "ps -aq --no-trunc",
    "ps -a --no-trunc",
    "ps -a --filter status=exited --format {{json\t.Names}}",
    "ps -a --filter nonsense=1",
    "ps -a --format {{.ID",
    "container ls -a --format table\t{{.Names}}\\t{{.Image}}",
    "inspect web --format {{.State.Status}}|{{.HostConfig.NetworkMode}}|{{len\t.Mounts}}",
    "inspect web --format {{range\t.Mounts}}{{.Name}}:{{.Destination}}{{end}}",
    "inspect web --format {{json\t.Config.Labels}}",
    'inspect web --format {{index\t.Config.Labels\t"tier"}}',
    'inspect web --format {{if\t.State.Running}}on{{else}}off{{end}}|{{printf\t"%s-%d"\t.Name\t.RestartCount}}',
    "inspect nothing",
    "container inspect nothing",
    "volume inspect nothing",
    "image inspect nothing",
    "network inspect nothing",
    "volume ls",
    "volume ls -q",
    "volume ls --filter dangling=true --format {{.Name}}|{{.Driver}}|{{.Mountpoint}}|{{.Labels}}",
    "volume ls --filter name=dat --filter label=a=b -q",
    "volume ls --filter nonsense=1",
    "volume ls --format json",
    "volume inspect data --format {{.Name}}|{{.Driver}}|{{.Labels}}|{{.Scope}}",
    "volume rm data",
    "volume rm nothing",
    "volume create --driver nothing other",
    "volume create x",
    "volume nonsense",
    "images --format {{.Repository}}|{{.Tag}}|{{.ID}}|{{.Size}}",
    "images -q --no-trunc",
    "image ls --filter dangling=true -q",
    "image ls --filter nonsense=1",
    "history busybox --format {{.ID}}|{{.Size}}|{{.Comment}}",
    "network ls --format {{.Name}}|{{.Driver}}|{{.Scope}}",
    "network ls --filter driver=null -q --no-trunc",
    "info --format {{.Driver}}|{{.Containers}}|{{.ContainersRunning}}|{{.CgroupVersion}}|{{.ServerVersion}}",
    "info --format {{json\t.Plugins.Volume}}",
    "info --format {{json\t.Swarm.LocalNodeState}}",
    "version --format {{.Server.Version}}|{{.Server.Os}}|{{.Server.Arch}}",
    "logs web",
    "logs nothing",
    "logs -n nonsense web",
    "port web",
    "port web 99",
    "top web",
    "stop nothing",
    "start nothing",
    "kill web",
    "rm nothing",
    "rm -f nothing",
    "rename web web2 web3",
    "rename web web2; rename web2 web",
    "wait web",
    "exec web true",
    "pause web",
    "unpause nothing",
    "restart nothing",
    "rmi nothing",
    "tag nothing a",
    "save nothing",
    "context show",
    "events --since 0 --until 0 --filter type=volume",
    "ps --nonsense",
    "inspect web --format {{.ID",
    "inspect web --format {{range\t$i,\t$e\t:=\t.Mounts}}{{$i}}{{$e.Name}}{{end}}{{with\t.State}}{{.Status}}{{end}}",
    "volume prune -f --filter x",
    "run",
    "stop",
    "logs",
    "ps a",
    "nonsense",
    "login -p x --password-stdin",
]


@pytest.fixture(scope="module")
def told(daemon: Wharfd) -> Iterator[tuple[Cli, Cli]]:
    """Docker's command line and ours, on a daemon with a container that has ended, a volume and an image."""
    if shutil.which("docker") is None and not os.environ.get("CI"):
        pytest.skip("there is no docker command: scripts/docker-cli prints the path of one to put on PATH")
    docker, wharf = cli("docker", daemon), cli("wharf", daemon)
    wharf.ok("volume", "create", "--label", "a=b", "data")
    wharf.ok("volume", "create", "spare")
    wharf.ok(
        "run",
        "--name",
        "web",
        "--label",
        "tier=front",
        "-v",
        "data:/data",
        "-p",
        "8080:80/tcp",
        "busybox",
        "echo",
        "hi",
    )
    yield docker, wharf
    daemon.clear()
    for name in daemon.get("/volumes")["Volumes"]:
        daemon.get(f"/volumes/{name['Name']}", "DELETE")


def _plain(text: str) -> str:
    return text.replace("Docker", "Wharf").replace("docker", "wharf")


def _answer(command: Cli, line: str) -> tuple[int, str, str]:
    for part in line.split("; "):
        done = command(*(word.replace("\t", " ") for word in part.split(" ")))
    return done.code, done.out, _plain(done.err)


@pytest.mark.parametrize("line", ALIKE)
def test_both_say_the_same(line: str, told: tuple[Cli, Cli]) -> None:
    docker, wharf = told
    before, ours = _answer(docker, line), _answer(wharf, line)
    # Ages tick on: what Docker says before and after us it would have said meanwhile.
    while " ago" in before[1] and (after := _answer(docker, line)) != before:
        before, ours = after, _answer(wharf, line)

    assert ours == before
