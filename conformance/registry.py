"""Which suites there are, and what the real peer passes of each."""

from __future__ import annotations

from conformance import (
    api_beside_dockerd,
    build_beside_dockerd,
    buildx,
    compose_config,
    compose_converge,
    compose_scenarios,
    docker_cli,
    docker_py,
    dockerfile,
    dockerfile_cases,
    escapes,
    fuzzed_api,
    moby,
    runtime_tools,
)
from conformance.suites import Suite

SUITES: tuple[Suite, ...] = (
    runtime_tools.SUITE,
    escapes.SUITE,
    *compose_config.SUITES,
    *compose_converge.SUITES,
    compose_scenarios.SUITE,
    dockerfile.SUITE,
    dockerfile_cases.SUITE,
    buildx.SUITE,
    build_beside_dockerd.SUITE,
    api_beside_dockerd.SUITE,
    *docker_py.SUITES,
    docker_cli.SUITE,
    fuzzed_api.SUITE,
    moby.SUITE,
)
"""Every suite that is run."""
