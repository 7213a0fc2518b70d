"""Every feature of the language makes the difference that it is there for: none is taken and ignored.

A row has two texts. What the first one says and the second does not must show in the graph, in what its steps are
given, or in the image; of texts that only look different it must not.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.builds import converted, image

from wharf.build.graph.vertex import printed, walk

RUN = "FROM b\nRUN x"
COPY = "FROM b\nCOPY f /d/"
ADD = "FROM b\nADD f /d/"
HEALTH = "FROM b\nHEALTHCHECK CMD x"
EPOCH = {"SOURCE_DATE_EPOCH": "7"}


def run(flags: str) -> str:
    return f"FROM a AS s\nFROM b\nRUN {flags} x"


def mount(options: str) -> str:
    return run(f"--mount={options}")


def add(flags: str, what: str = "f") -> str:
    return f"FROM b\nADD {flags} {what} /d/"


def copy(flags: str, what: str = "f") -> str:
    return f"FROM a AS s\nFROM b\nCOPY {flags} {what} /d/"


def variable(word: str) -> str:
    return f"FROM b\nENV v=aXbXc e=\nLABEL l={word}"


def argument(name: str) -> str:
    return f"FROM b\nARG {name}\nRUN echo ${name}"


DIFFERENT: dict[str, tuple[str, str]] = {
    "shell and exec form": (RUN, 'FROM b\nRUN ["x"]'),
    "directive escape": ("# escape=`\nFROM b\nRUN a `\nb", "FROM b\nRUN a `\nRUN b"),
    "variable plain": (variable("$v"), variable("v")),
    "variable braces": (variable("${v}y"), variable("$vy")),
    "variable :-": (variable("${e:-w}"), variable("${e-w}")),
    "variable -": (variable("${n-w}"), variable("${n}")),
    "variable :+": (variable("${e+w}"), variable("${e:+w}")),
    "variable +": (variable("${v+w}"), variable("${n+w}")),
    "variable #": (variable("${v#*X}"), variable("${v##*X}")),
    "variable ##": (variable("${v##*X}"), variable("$v")),
    "variable %": (variable("${v%X*}"), variable("${v%%X*}")),
    "variable %%": (variable("${v%%X*}"), variable("$v")),
    "variable /": (variable("${v/X/-}"), variable("${v//X/-}")),
    "variable //": (variable("${v//X/-}"), variable("$v")),
    "variable escaped": (variable(r"\$v"), variable("$v")),
    "one value for a whole instruction": ("FROM b\nENV a=1\nENV a=2 c=$a", "FROM b\nENV a=1\nENV a=2\nENV c=$a"),
    "FROM": ("FROM b\nRUN x", "FROM scratch\nRUN x"),
    "FROM --platform": ("FROM --platform=linux/arm64 b\nRUN x", RUN),
    "FROM of a stage": ("FROM b AS s\nRUN 1\nFROM s\nRUN 2", "FROM b AS s\nRUN 1\nFROM b\nRUN 2"),
    "ARG before FROM": ("ARG V=1\nFROM b:$V\nRUN x", "ARG V=2\nFROM b:$V\nRUN x"),
    "RUN": (RUN, "FROM b\nRUN y"),
    "bind": (mount("type=bind,target=/m"), RUN),
    "bind target": (mount("target=/m"), mount("target=/n")),
    "bind source": (mount("target=/m,source=/q"), mount("target=/m")),
    "bind from": (mount("target=/m,from=s"), mount("target=/m")),
    "bind rw": (mount("target=/m,rw"), mount("target=/m")),
    "cache": (mount("type=cache,target=/m"), mount("type=bind,target=/m")),
    "cache id": (mount("type=cache,target=/m,id=i"), mount("type=cache,target=/m")),
    "cache target": (mount("type=cache,id=i,target=/m"), mount("type=cache,id=i,target=/n")),
    "cache ro": (mount("type=cache,target=/m,ro"), mount("type=cache,target=/m")),
    "cache sharing": (mount("type=cache,target=/m,sharing=locked"), mount("type=cache,target=/m")),
    "cache from": (mount("type=cache,target=/m,from=s"), mount("type=cache,target=/m")),
    "cache source": (mount("type=cache,target=/m,from=s,source=/q"), mount("type=cache,target=/m,from=s")),
    "cache mode": (mount("type=cache,target=/m,mode=0700"), mount("type=cache,target=/m")),
    "cache uid": (mount("type=cache,target=/m,uid=7"), mount("type=cache,target=/m")),
    "cache gid": (mount("type=cache,target=/m,gid=7"), mount("type=cache,target=/m")),
    "tmpfs": (mount("type=tmpfs,target=/m"), RUN),
    "tmpfs target": (mount("type=tmpfs,target=/m"), mount("type=tmpfs,target=/n")),
    "tmpfs size": (mount("type=tmpfs,target=/m,size=1m"), mount("type=tmpfs,target=/m")),
    "secret": (mount("type=secret,id=i"), RUN),
    "secret id": (mount("type=secret,id=i,target=/m"), mount("type=secret,id=j,target=/m")),
    "secret target": (mount("type=secret,id=i,target=/m"), mount("type=secret,id=i")),
    "secret env": (mount("type=secret,id=i,env=V"), mount("type=secret,id=i")),
    "secret required": (mount("type=secret,id=i,required"), mount("type=secret,id=i")),
    "secret mode": (mount("type=secret,id=i,mode=0444"), mount("type=secret,id=i")),
    "secret uid": (mount("type=secret,id=i,uid=7"), mount("type=secret,id=i")),
    "secret gid": (mount("type=secret,id=i,gid=7"), mount("type=secret,id=i")),
    "ssh": (mount("type=ssh"), RUN),
    "ssh id": (mount("type=ssh,id=i"), mount("type=ssh")),
    "ssh target": (mount("type=ssh,target=/m"), mount("type=ssh")),
    "ssh required": (mount("type=ssh,required"), mount("type=ssh")),
    "ssh mode": (mount("type=ssh,mode=0666"), mount("type=ssh")),
    "ssh uid": (mount("type=ssh,uid=7"), mount("type=ssh")),
    "ssh gid": (mount("type=ssh,gid=7"), mount("type=ssh")),
    "RUN --network": (run("--network=none"), run("")),
    "RUN --security": (run("--security=insecure"), run("")),
    "RUN --device": (run("--device=vendor.com/d=0"), run("")),
    "RUN heredoc": ("FROM b\nRUN <<E\nx\ny\nE", "FROM b\nRUN <<E\nx\nE"),
    "CMD": ("FROM b\nCMD x", "FROM b"),
    "ENTRYPOINT": ("FROM b\nENTRYPOINT x", "FROM b"),
    "ENTRYPOINT takes CMD back": ("FROM c\nENTRYPOINT x", 'FROM c\nENTRYPOINT x\nCMD ["y"]'),
    "LABEL": ("FROM b\nLABEL k=v", "FROM b"),
    "MAINTAINER": ("FROM b\nMAINTAINER m", "FROM b"),
    "EXPOSE": ("FROM b\nEXPOSE 80/udp", "FROM b\nEXPOSE 80"),
    "ENV": ("FROM b\nENV k=v\nRUN x", RUN),
    "ADD": (ADD, COPY),
    "ADD --keep-git-dir": (
        add("--keep-git-dir=true", "https://h/r.git#main"),
        add("", "https://h/r.git#main"),
    ),
    "ADD --checksum": (add(f"--checksum=sha256:{'0' * 64}", "https://h/f"), add("", "https://h/f")),
    "ADD --chmod": (add("--chmod=u+x"), add("")),
    "ADD --chown": (add("--chown=7:8"), add("")),
    "ADD --link": (add("--link"), add("")),
    "ADD --unpack": (add("--unpack=true", "https://h/f"), add("", "https://h/f")),
    "ADD --exclude": (add("--exclude=*.o"), add("")),
    "ADD of a URL": (add("", "https://h/f"), add("")),
    "ADD of a repository": (add("", "https://h/r.git#main:sub"), add("", "https://h/r.git#main")),
    "ADD with a query": (add("", "https://h/r.git?branch=x"), add("", "https://h/r.git")),
    "ADD heredoc": ("FROM b\nADD <<E /f\nx\nE", "FROM b\nADD <<E /f\ny\nE"),
    "COPY": (COPY, "FROM b\nCOPY g /d/"),
    "COPY --from": (copy("--from=s"), copy("")),
    "COPY --chmod": (copy("--chmod=755"), copy("")),
    "COPY --chown": (copy("--chown=u:g"), copy("")),
    "COPY --link": (copy("--link"), copy("")),
    "COPY --parents": (copy("--parents", "a/f"), copy("", "a/f")),
    "COPY --exclude": (copy("--exclude=*.o"), copy("")),
    "COPY heredoc": ("FROM b\nCOPY <<E /f\nx\nE", "FROM b\nCOPY <<E /g\nx\nE"),
    "COPY wildcards": (copy("", "*.png"), copy("", "a.png")),
    "COPY destination": ("FROM b\nCOPY f /d", COPY),
    "VOLUME": ("FROM b\nVOLUME /v", "FROM b"),
    "USER": ("FROM b\nUSER u:g\nRUN x", RUN),
    "WORKDIR": ("FROM b\nWORKDIR /w\nRUN x", RUN),
    "ARG": ("FROM b\nARG a=1\nRUN x", "FROM b\nARG a=2\nRUN x"),
    "ENV over ARG": ("FROM b\nARG a=1\nENV a=2\nLABEL l=$a", "FROM b\nENV a=2\nARG a=1\nLABEL l=1"),
    "ONBUILD": ("FROM b\nONBUILD RUN x", "FROM b"),
    "ONBUILD COPY --from": ("FROM b\nONBUILD COPY --from=i /a /b", "FROM b\nONBUILD COPY /a /b"),
    "STOPSIGNAL": ("FROM b\nSTOPSIGNAL 15", "FROM b"),
    "HEALTHCHECK": (HEALTH, "FROM b\nHEALTHCHECK NONE"),
    "HEALTHCHECK --interval": ("FROM b\nHEALTHCHECK --interval=7s CMD x", HEALTH),
    "HEALTHCHECK --timeout": ("FROM b\nHEALTHCHECK --timeout=7s CMD x", HEALTH),
    "HEALTHCHECK --start-period": ("FROM b\nHEALTHCHECK --start-period=7s CMD x", HEALTH),
    "HEALTHCHECK --start-interval": ("FROM b\nHEALTHCHECK --start-interval=7s CMD x", HEALTH),
    "HEALTHCHECK --retries": ("FROM b\nHEALTHCHECK --retries=7 CMD x", HEALTH),
    "SHELL": ('FROM b\nSHELL ["/bin/bash", "-c"]\nRUN x', RUN),
    "heredoc word": ("FROM b\nENV v=1\nCOPY <<E /f\n$v\nE", "FROM b\nENV v=2\nCOPY <<E /f\n$v\nE"),
    "heredoc tab strip": ("FROM b\nCOPY <<-E /f\n\tx\n\tE", "FROM b\nCOPY <<E /f\n\tx\nE"),
    "heredoc quoted": ('FROM b\nENV v=1\nCOPY <<"E" /f\n$v\nE', "FROM b\nENV v=1\nCOPY <<E /f\n$v\nE"),
    "heredoc multiple": ("FROM b\nRUN <<A cat && <<B cat\n1\nA\n2\nB", "FROM b\nRUN <<A cat\n1\nA"),
    "heredoc file descriptor": ("FROM b\nRUN 3<<E x\n1\nE", "FROM b\nRUN <<E x\n1\nE"),
}
SAME: dict[str, tuple[str, str]] = {
    "comments": ("# c\nFROM b\n  # c\nRUN x", RUN),
    "case of instructions": ("from b\nrun x", RUN),
    "line continuation": ("FROM b\nCOPY f \\\n# c\n  /d/", COPY),
    "leading whitespace": ("  FROM b\n\tRUN x", RUN),
    "directive syntax": ("# syntax=docker/dockerfile:1\nFROM b\nRUN x", RUN),
    "directive check": ("# check=skip=all\nFROM b\nRUN x", RUN),
    "invalid JSON is a shell form": ("FROM b\nRUN ['x']", "FROM b\nRUN ['x'] "),
    "names of mount options": (mount("type=bind,dst=/m,src=/q,readwrite"), mount("destination=/m,source=/q,rw")),
    "a stage that is not needed": ("FROM a\nRUN 1\nFROM b\nRUN x", "FROM b\nRUN x"),
}
ARGUMENTS = [
    f"{'TARGET' if target else 'BUILD'}{name}" for target in (True, False) for name in ("PLATFORM", "OS", "ARCH")
]
PROXIES = [
    name for base in ("http", "https", "ftp", "no", "all") for name in (f"{base}_proxy", f"{base}_proxy".upper())
]


def shown(text: str, **options: Any) -> tuple[object, ...]:
    """Return all that comes of a text but for what people are told of it."""
    found = converted(text, image(Cmd=["old"]) if "FROM c" in text else None, **options)
    document = {name: value for name, value in found.image.items() if name != "history"}
    vertices = list(walk(found.target)) if found.target else []
    given = [vertex.description.environment for vertex in vertices]
    return (
        found.target.vertex.digest if found.target else "",
        json.dumps(document, sort_keys=True),
        str(found.epoch_s),
        json.dumps(given),
    )


@pytest.mark.parametrize("feature", DIFFERENT)
def test_a_feature_makes_its_difference(feature: str) -> None:
    with_it, without = DIFFERENT[feature]
    assert shown(with_it) != shown(without)


@pytest.mark.parametrize("feature", SAME)
def test_what_only_looks_different_is_the_same(feature: str) -> None:
    first, second = SAME[feature]
    assert shown(first) == shown(second)


@pytest.mark.parametrize("name", PROXIES)
def test_proxies_are_given_and_do_not_count(name: str) -> None:
    plain, given = shown(RUN), shown(RUN, build_args={name: "http://p"})
    assert (given[0], f"{name}=http://p" in given[3]) == (plain[0], True)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_platforms_are_arguments(name: str) -> None:
    found = converted(argument(name))
    assert found.target is not None
    assert "amd64" in str(found.target.vertex.operation) or "linux" in str(found.target.vertex.operation)
    assert shown(argument(name)) != shown(argument("NONE_OF_THEM"))


@pytest.mark.parametrize("name", ["TARGETVARIANT", "BUILDVARIANT"])
def test_a_platform_without_a_variant_has_an_empty_one(name: str) -> None:
    assert f"{name}=" in str(walked_environment(argument(name)))


def walked_environment(text: str) -> list[object]:
    found = converted(text)
    assert found.target is not None
    return [vertex.operation for vertex in walk(found.target)]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (COPY, EPOCH),
        (mount("type=cache,target=/m"), {"BUILDKIT_CACHE_MOUNT_NS": "n"}),
    ],
)
def test_arguments_of_the_builder_change_what_is_done(text: str, arguments: dict[str, str]) -> None:
    assert shown(text, build_args=arguments) != shown(text)


def test_a_folder_gives_a_build_no_time_of_its_own() -> None:
    assert converted(COPY, build_args={"SOURCE_DATE_EPOCH": "context"}).epoch_s is None
    assert converted(COPY, build_args=EPOCH).epoch_s == 7


def test_a_named_context_takes_the_place_of_an_image() -> None:
    assert shown(RUN, contexts={"b": "docker-image://other"}) != shown(RUN)
    assert "other" in printed(converted(RUN, contexts={"b": "docker-image://other"}).target)  # type: ignore[arg-type]
