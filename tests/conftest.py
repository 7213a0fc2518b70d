"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes is a matter of the machine, which others use too; what it says is not. The same examples
# each time: a test that fails fails for everybody.
settings.register_profile("wharf", deadline=None, derandomize=True)
settings.load_profile("wharf")
