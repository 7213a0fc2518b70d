from __future__ import annotations

import subprocess
import sys

import pytest

from wharf.client.images import platform_document


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("", None),
        ("linux/arm64", '{"os":"linux","architecture":"arm64"}'),
        ("linux/arm/v7", '{"os":"linux","architecture":"arm","variant":"v7"}'),
    ],
)
def test_a_platform_is_sent_as_json(text: str, document: str | None) -> None:
    assert platform_document(text) == document


def test_commands_about_images_load_nothing_that_is_slow_to_load() -> None:
    program = "import wharf.cli.images, wharf.cli.pull, sys; print(sys.modules.keys() & {'re', 'json', 'enum'})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
