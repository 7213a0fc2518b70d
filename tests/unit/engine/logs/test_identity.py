from __future__ import annotations

import pytest

from wharf.engine.logs.identity import Identity, attributes, tag
from wharf.errors import InvalidArgument

BOX = Identity("0123456789abcdef", "box", "img:1", "sha256:fedcba9876543210", "sh -c x", "2026", "host")


def test_a_tag_is_made_of_fields() -> None:
    assert tag("{{.ImageName}}/{{ .Name }}/{{.ID}}/{{.ImageID}}", BOX) == "img:1/box/0123456789ab/fedcba987654"


@pytest.mark.parametrize("template", ["{{.Nope}}", "{{upper .Name}}"])
def test_a_tag_that_is_more_is_refused(template: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid log tag"):
        tag(template, BOX)


def test_labels_and_variables_are_chosen_by_name_and_by_pattern() -> None:
    options = {"labels": "a,gone", "env-regex": "^X_", "labels-regex": "z$"}

    chosen = attributes(options, {"a": "1", "b": "2", "xyz": "3"}, ["X_1=4", "Y=5"])

    assert chosen == {"a": "1", "xyz": "3", "X_1": "4"}
