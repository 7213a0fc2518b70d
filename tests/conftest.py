"""What holds for all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

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
