from __future__ import annotations

from tests.fakes.builds import HOST, image

from wharf.build.convert.convert import Conversion
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.describe.outline import Outline, as_document, as_text, outline
from wharf.build.dockerfile.stages import read

_FILE = """
# VERSION of the base
ARG VERSION=12
ARG UNUSED=1
FROM debian:$VERSION AS tools
ARG VERSION
RUN --mount=type=ssh --mount=type=secret,id=token,required true
FROM scratch AS other
ARG ELSEWHERE
# app is what is shipped
FROM tools AS app
# NAME it greets
ARG NAME=world
ARG SHOUT
RUN --mount=type=secret,target=/etc/key true
"""


def _outline(**options: dict[str, str]) -> Outline:
    known: dict[ImageName, BaseImage] = {}
    while True:
        conversion = Conversion(read(_FILE), Options(HOST, HOST, **options), known)  # type: ignore[arg-type]
        target = conversion.target()
        conversion.stage(target)
        if not conversion.missing:
            return outline(conversion, target)
        known |= dict.fromkeys(conversion.missing, image())


def test_it_shows_what_the_stages_of_a_target_can_be_given() -> None:
    assert as_text(_outline(build_args={"SHOUT": "yes"})) == (
        "TARGET:        app\n"
        "DESCRIPTION:   is what is shipped\n"
        "\n"
        "BUILD ARG   VALUE     DESCRIPTION\n"
        "VERSION     12        of the base\n"
        "NAME        world     it greets\n"
        "SHOUT       yes       \n"
        "\n"
        "SECRET    REQUIRED\n"
        "token     true\n"
        "key       \n"
        "\n"
        "SSH       REQUIRED\n"
        "default   \n"
    )


def test_programs_see_where_it_is_said() -> None:
    document = as_document(_outline())

    assert document["args"] == [
        {
            "name": "VERSION",
            "description": "of the base",
            "value": "12",
            "location": {"ranges": [{"start": {"line": 3}, "end": {"line": 3}}]},
        },
        {
            "name": "NAME",
            "description": "it greets",
            "value": "world",
            "location": {"ranges": [{"start": {"line": 13}, "end": {"line": 13}}]},
        },
        {"name": "SHOUT", "location": {"ranges": [{"start": {"line": 14}, "end": {"line": 14}}]}},
    ]
    assert document["secrets"] == [
        {
            "name": "token",
            "required": True,
            "location": {"ranges": [{"start": {"line": 7}, "end": {"line": 7}}]},
        },
        {"name": "key", "location": {"ranges": [{"start": {"line": 15}, "end": {"line": 15}}]}},
    ]
