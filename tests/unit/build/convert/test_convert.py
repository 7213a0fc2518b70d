from __future__ import annotations

import json

import pytest
from tests.fakes.builds import HOST, converted, image

from wharf.build.convert.convert import Missing, convert
from wharf.build.convert.options import Options
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.stages import read
from wharf.build.graph.vertex import printed
from wharf.errors import InvalidArgument
from wharf.images.platform import Platform


def test_stages_that_the_target_does_not_need_are_left_out() -> None:
    found = converted(
        "FROM a AS base\nRUN 1\nFROM b AS unused\nRUN 2\nFROM base AS middle\nRUN 3\nFROM c\nCOPY --from=middle /x /y"
    )

    assert found.target is not None
    assert printed(found.target) == (
        "#1 [] Source [stage-3 1/2] FROM docker.io/library/c:latest\n"
        "#2 [] Source [base 1/2] FROM docker.io/library/a:latest\n"
        "#3 [#2] Exec [base 2/2] RUN 1\n"
        "#4 [#3] Exec [middle 1/1] RUN 3\n"
        "#5 [#1,#4] File [stage-3 2/2] COPY --from=middle /x /y\n"
    )


def test_images_have_to_be_known_first() -> None:
    options = Options(HOST, HOST, build_args={"V": "2"})

    found = convert(read("ARG V=1\nFROM a:$V AS x\nFROM --platform=linux/arm64 b\nCOPY --from=x /1 /2"), options, {})

    assert isinstance(found, Missing)
    assert {(name.reference, str(name.platform)) for name in found.images} == {
        ("docker.io/library/a:2", "linux/amd64"),
        ("docker.io/library/b:latest", "linux/arm64"),
    }


def test_an_image_starts_with_the_configuration_of_its_base() -> None:
    found = converted("FROM base", image(Env=["A=1"], User="u"))

    assert (found.image["config"]["User"], found.image["config"]["Env"][0]) == ("u", "A=1")
    assert "rootfs" not in found.image


def test_triggers_of_the_base_come_first_and_go() -> None:
    found = converted("FROM base\nRUN 2", image(OnBuild=["ENV a=1", "RUN 1"]))

    assert found.target is not None
    assert [line.split("] ")[-1] for line in printed(found.target).splitlines()][1:] == ["RUN 1", "RUN 2"]
    assert "OnBuild" not in found.image["config"]


def test_the_order_in_which_labels_arrive_does_not_make_another_image() -> None:
    """A client's options come in a protobuf map, whose order changes from one request to the next."""
    base, labels = image(Labels={"z": "1"}), [("b", "2"), ("a", "1"), ("c", "3")]
    found = [converted("FROM base", base, labels=dict(some)) for some in (labels, labels[::-1])]

    assert [json.dumps(one.image["config"]["Labels"]) for one in found] == [
        '{"a": "1", "b": "2", "c": "3", "z": "1"}'
    ] * 2


def test_a_target_is_found_by_name_or_number() -> None:
    text = "FROM a AS one\nCMD 1\nFROM b AS two\nCMD 2\n"

    assert converted(text, target="ONE").image["config"]["Cmd"] == ["/bin/sh", "-c", "1"]
    assert converted(text, target="0").image["config"]["Cmd"] == ["/bin/sh", "-c", "1"]
    with pytest.raises(InvalidArgument, match=r'target stage "onee" could not be found \(did you mean one\?\)'):
        converted(text, target="onee")


def test_contexts_stand_in_for_images_and_stages() -> None:
    found = converted("FROM base AS x\nRUN 1\nFROM x", contexts={"x": "docker-image://other:2"})

    assert found.target is not None
    assert "docker.io/library/other:2" in printed(found.target)
    assert "RUN 1" not in printed(found.target)


def test_arguments_are_seen_where_they_are_declared() -> None:
    found = converted("ARG v=1\nFROM base AS a\nARG v\nENV x=$v\nFROM a\nENV y=$v\nFROM base\nENV z=$v", target="1")

    assert found.image["config"]["Env"] == ["PATH=/bin", "x=1", "y=1"]


def test_an_image_from_nothing_has_its_platform() -> None:
    found = converted("FROM scratch\nCMD x", platform=Platform("linux", "arm", "v7"), labels={"a": "b"})

    assert (found.target, found.image["architecture"], found.image["variant"]) == (None, "arm", "v7")
    assert found.image["config"]["Labels"] == {"a": "b"}


def test_only_asked_for_stages_go_without_cache() -> None:
    found = converted("FROM base AS a\nRUN 1\nFROM a\nRUN 2", no_cache_stages=frozenset({"a"}))

    assert found.target is not None
    assert not found.target.vertex.description.ignore_cache
    assert found.target.vertex.inputs[0].vertex.description.ignore_cache


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("FROM $none", "base name ($none) should not be blank", 1),
        ("FROM base\nCOPY --from=x a b\nFROM base AS x", 'cannot use stage "x": it needs to be defined before', 2),
        ("FROM base AS x\nCOPY --from=x a b", "invalid from flag value x: refers to current build stage", 2),
        ("FROM --platform=$none base", "empty platform value from expression $none", 1),
        ("FROM UPPER", 'failed to parse stage name "UPPER"', 1),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, said: str, line: int) -> None:
    with pytest.raises(DockerfileError) as caught:
        converted(text, target="0")

    assert str(caught.value).startswith(said)
    assert caught.value.lines == (line, line)


def test_stages_may_not_wait_for_each_other() -> None:
    with pytest.raises(DockerfileError, match="circular dependency detected on stage: b -> a -> b"):
        converted("FROM base AS a\nCOPY --from=b x y\nFROM base AS b\nCOPY --from=a x y")


@pytest.mark.parametrize(("time_s", "epoch_s"), [(5, 5), (None, None)])
def test_an_epoch_may_be_the_contexts(time_s: int | None, epoch_s: int | None) -> None:
    said = "" if epoch_s is None else str(epoch_s)
    declared = "ARG SOURCE_DATE_EPOCH\nLABEL a=$SOURCE_DATE_EPOCH"
    for text, given in (
        (f"FROM scratch\n{declared}", {"SOURCE_DATE_EPOCH": "context"}),
        (f"ARG SOURCE_DATE_EPOCH=context\nFROM scratch\n{declared}", {}),
    ):
        found = converted(text, build_args=given, context_epoch_s=time_s)
        assert (found.epoch_s, found.image["config"]["Labels"]) == (epoch_s, {"a": said})


def test_an_epoch_is_a_number() -> None:
    assert converted("FROM scratch", build_args={"SOURCE_DATE_EPOCH": "7"}).epoch_s == 7
    with pytest.raises(InvalidArgument, match="invalid SOURCE_DATE_EPOCH: x"):
        converted("FROM scratch", build_args={"SOURCE_DATE_EPOCH": "x"})
    with pytest.raises(InvalidArgument, match="invalid SOURCE_DATE_EPOCH: ²"):
        converted("ARG SOURCE_DATE_EPOCH=²\nFROM scratch")
