from __future__ import annotations

import pytest
from tests.fakes.builds import converted, image

from wharf.build.convert.metadata import joined, owner_of, set_variable
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.graph.operations import File, MakeFolder, Owner
from wharf.spec.oci_image import ExecutionConfig


def _config(text: str) -> ExecutionConfig:
    return converted(f"FROM base\n{text}").image["config"]


def test_env_uses_the_values_from_before_the_instruction() -> None:
    assert _config("ENV a=1 PATH=/x\nENV a=2 b=$a")["Env"] == ["PATH=/x", "a=2", "b=1"]


def test_commands_take_the_shell_form_through_the_shell() -> None:
    config = _config('SHELL ["/bin/bash", "-c"]\nCMD a b\nENTRYPOINT ["x"]')

    assert (config["Cmd"], config["Entrypoint"], config["Shell"]) == (
        ["/bin/bash", "-c", "a b"], ["x"], ["/bin/bash", "-c"],
    )  # fmt: skip


def test_an_entrypoint_takes_the_inherited_command_away_but_not_the_stages_own() -> None:
    inherited = image(Cmd=["old"])

    assert converted('FROM base\nENTRYPOINT ["x"]', inherited).image["config"]["Cmd"] is None
    assert converted('FROM base\nCMD ["y"]\nENTRYPOINT ["x"]', inherited).image["config"]["Cmd"] == ["y"]


def test_the_rest_is_put_where_images_have_it() -> None:
    config = _config(
        "LABEL a=1\nLABEL b='x y'\nEXPOSE 80 90-91/UDP\nVOLUME /a /b\nUSER u:g\nSTOPSIGNAL SIGINT\n"
        "ONBUILD RUN x\nHEALTHCHECK NONE\nWORKDIR /a\nWORKDIR b"
    )

    assert config["Labels"] == {"a": "1", "b": "x y"}
    assert sorted(config["ExposedPorts"]) == ["80/tcp", "90/udp", "91/udp"]
    assert sorted(config["Volumes"]) == ["/a", "/b"]
    assert (config["User"], config["StopSignal"], config["WorkingDir"]) == ("u:g", "SIGINT", "/a/b")
    assert (config["OnBuild"], config["Healthcheck"]) == (["RUN x"], {"Test": ["NONE"]})


def test_history_tells_each_instruction_as_docker_does() -> None:
    found = converted(
        'FROM base\nARG v=1\nENV a=$v\nCMD ["x", "y"]\nEXPOSE 80\nHEALTHCHECK --timeout=90s CMD z\nMAINTAINER me'
    )

    assert [line["created_by"] for line in found.image["history"]] == [
        "base",
        "ARG v=1",
        "ENV a=1",
        'CMD ["x" "y"]',
        "EXPOSE [80/tcp]",
        "HEALTHCHECK {Test:[CMD-SHELL z] Interval:0s Timeout:1m30s StartPeriod:0s StartInterval:0s Retries:0}",
        "MAINTAINER me",
    ]
    assert found.image["author"] == "me"


def test_a_working_directory_is_made_for_the_user() -> None:
    found = converted("FROM base\nUSER 5\nWORKDIR /a").target

    assert found is not None
    assert found.vertex.operation == File((MakeFolder("/a", parents=True, owner=Owner(5)),))


@pytest.mark.parametrize("text", ["EXPOSE x", "EXPOSE 99999", "EXPOSE 80/abc", "STOPSIGNAL NOPE", "VOLUME $none"])
def test_what_cannot_be_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        _config(text)

    assert caught.value.lines == (2, 2)


def test_small_things() -> None:
    assert set_variable(["A=1", "B=2"], "A", "3") == ["A=3", "B=2"]
    assert (joined("/a", "../b/./c"), joined("/a", "/x/"), joined("/", "..")) == ("/b/c", "/x", "/")
    assert (owner_of("a:1"), owner_of("5"), owner_of("")) == (Owner("a", 1), Owner(5), None)
