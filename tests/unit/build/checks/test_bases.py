# ruff: noqa: E501  # (the texts stand whole, as users see them)
from __future__ import annotations

import pytest
from tests.unit.build.checks.look import found, report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM node:22${VARIANT} AS js\n", "1 UndefinedArgInFrom: FROM argument 'VARIANT' is not declared"),
        (
            "FROM --platform=$BULIDPLATFORM a\n",
            "1 UndefinedArgInFrom: FROM argument 'BULIDPLATFORM' is not declared (did you mean BUILDPLATFORM?)",
        ),
        (
            "FROM --platform=${TARGETPLATFORM} a AS b\n",
            "1 RedundantTargetPlatform: Setting platform to predefined ${TARGETPLATFORM} in FROM is redundant as this is the default behavior",
        ),
        (
            "FROM --platform=linux/amd64 a AS base\n",
            '1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/amd64"',
        ),
    ],
)
def test_a_broken_rule_is_found(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "ARG VARIANT\nFROM busybox:stable${VARIANT}\n",
        "ARG TAG\nFROM alpine:${TAG:-3.14}\n",
        "FROM --platform=${BUILDPLATFORM} a AS base\n",
        "FROM --platform=linux/amd64 a AS build_amd64\n",
    ],
)
def test_a_good_file_has_no_findings(text: str) -> None:
    assert found(text) == []


def test_a_default_that_names_no_image_is_found() -> None:
    told = report("ARG TAG\nFROM busybox:${TAG}\n")

    assert [one.rule.name for one in told.findings] == ["InvalidDefaultArgInFrom"]
    assert told.error is not None
