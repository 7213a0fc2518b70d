"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import settings
from tests import worlds

# How long an example takes is a matter of the machine, which others use too; what it says is not. The same examples
# each time: a test that fails fails for everybody.
settings.register_profile("wharf", deadline=None, derandomize=True)
settings.load_profile("wharf")


def _heed_signals() -> None:
    """Undo what a shell does for what it starts in the background (``&``, nohup): programs under test inherit it."""
    for number, usual in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGQUIT, signal.SIG_DFL),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


_heed_signals()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(worlds.Hooks)
    parser.addoption("--worlds", type=int, default=1, metavar="N", help="run the files in N processes at once")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.worlds > 1:
        config.pluginmanager.register(worlds.Reporting())
