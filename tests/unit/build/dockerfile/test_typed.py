from __future__ import annotations

import pytest

from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.parser import parse
from wharf.build.dockerfile.typed import instruction_of


def _of(text: str) -> kinds.Any:
    return instruction_of(parse(text).statements[0])


def test_copy_has_paths_and_documents() -> None:
    found = _of("COPY --from=x --chown=a --link --parents --exclude=*.o a b <<D /dst/\n1\nD\n")

    assert isinstance(found, kinds.Copy)
    assert (found.sources, [d.name for d in found.documents], found.destination) == (("a", "b"), ["D"], "/dst/")
    assert (found.from_, found.chown, found.link, found.parents, found.exclude) == ("x", "a", True, True, ("*.o",))


def test_run_has_its_mounts_and_modes() -> None:
    found = _of("RUN --mount=type=tmpfs,target=/t --network=none --security=insecure --device=a/b=c make")

    assert isinstance(found, kinds.Run)
    assert (found.mounts, found.network, found.security) == (("type=tmpfs,target=/t",), "none", "insecure")
    assert (found.command, found.shell, found.devices[0].name) == (("make",), True, "a/b=c")


def test_from_and_arg_are_described_by_the_comment_above() -> None:
    stage, argument = _of("# build does it all\nFROM a AS build"), _of("# v which one\nARG v=1 w")

    assert isinstance(stage, kinds.From)
    assert isinstance(argument, kinds.Arg)
    assert (stage.name, stage.description) == ("build", "does it all")
    assert argument.arguments == (kinds.Argument("v", "1", "which one"), kinds.Argument("w", None))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUM x", "unknown instruction: RUM (did you mean RUN?)"),
        ("FROM", "FROM requires either one or three arguments"),
        ("FROM a AS 1x", 'invalid name for build stage: "1x", name can\'t start with a number or contain symbols'),
        ("COPY a", "COPY requires at least two arguments, but only one was provided."),
        ("COPY a <<B\nB", "COPY cannot accept a heredoc as a destination"),
        ("ADD --from=a b c", "unknown flag: --from"),
        ("RUN --network=some x", 'invalid network mode "some"'),
        ("RUN --security=some x", 'security "some" is not valid'),
        ("SHELL bash", "SHELL requires the arguments to be in JSON form"),
        ("SHELL []", "SHELL requires at least one argument"),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger"),
        ("WORKDIR", "WORKDIR requires exactly one argument"),
        ("EXPOSE", "EXPOSE requires at least one argument"),
        ("ENV =b", "ENV names can not be blank"),
        ("ARG =b", "ARG names can not be blank"),
        ('VOLUME [""]', "VOLUME specified can not be an empty string"),
    ],
)
def test_what_an_instruction_cannot_be_is_refused_in_buildkits_words(text: str, said: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        _of(text)

    assert str(caught.value).startswith(f"dockerfile parse error on line 1: {said}")
