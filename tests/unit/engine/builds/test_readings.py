from __future__ import annotations

import pytest
from tests.fakes.builds import HOST, image

from wharf.build.convert.convert import Converted, Missing
from wharf.build.convert.options import UNKNOWN_IMAGE, BaseImage, ImageName, Options
from wharf.build.dockerfile.errors import DockerfileError
from wharf.engine.builds.readings import Reading, Readings
from wharf.lib.ignore import Matcher

_FILE = "FROM base\nRUN x\nENV A=$NONE\n"
_OPTIONS = Options(HOST, HOST)


def _known(reading: Reading, base: BaseImage) -> dict[ImageName, BaseImage]:
    missing = reading.convert(_OPTIONS, {})
    assert isinstance(missing, Missing)
    return dict.fromkeys(missing.images, base)


def test_the_same_question_has_the_same_answer() -> None:
    readings = Readings()
    first, again = readings.of(_FILE), readings.of(_FILE)
    known = _known(first, image())

    assert first is again
    assert isinstance(first.convert(_OPTIONS, known), Converted)
    assert first.convert(_OPTIONS, known) is again.convert(Options(HOST, HOST), known)
    assert first.check(_OPTIONS, known, Matcher(()), every_stage=False) is again.check(
        _OPTIONS, known, Matcher(()), every_stage=False
    )


def test_another_option_image_or_ignored_path_is_another_question() -> None:
    reading = Reading(_FILE)
    known = _known(reading, image())
    other = {name: BaseImage("sha256:other", base.config) for name, base in known.items()}
    converted = reading.convert(_OPTIONS, known)

    assert reading.convert(Options(HOST, HOST, no_cache=True), known) is not converted
    assert reading.convert(_OPTIONS, other) is not converted
    assert reading.check(_OPTIONS, known, Matcher(()), every_stage=False) is not reading.check(
        _OPTIONS, known, Matcher(["x"]), every_stage=False
    )


def test_what_nothing_pins_is_asked_anew() -> None:
    reading = Reading(_FILE)
    known = _known(reading, UNKNOWN_IMAGE)

    assert reading.convert(_OPTIONS, known) is not reading.convert(_OPTIONS, known)
    assert reading.check(_OPTIONS, known, Matcher(()), every_stage=False) is not reading.check(
        _OPTIONS, known, Matcher(()), every_stage=False
    )


def test_a_long_text_is_not_kept() -> None:
    readings, text = Readings(), _FILE + "# …\n" * 20_000

    assert readings.of(text) is not readings.of(text)


def test_a_malformed_text_is_refused_each_time() -> None:
    readings = Readings()
    for _ in range(2):
        with pytest.raises(DockerfileError, match="no instructions"):
            readings.of("# nothing")
