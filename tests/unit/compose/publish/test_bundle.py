from __future__ import annotations

import hashlib

import pytest
from tests.fakes.compose import MemoryFiles

from wharf.compose.load.located import ComposeError
from wharf.compose.publish.bundle import Bundle, gathered


def bundle(texts: dict[str, str], elsewhere: dict[str, str] | None = None) -> Bundle:
    return gathered(["/app/compose.yaml"], "/app", {"STAGE": "prod"}, MemoryFiles(texts, elsewhere))


def named(path: str, ending: str) -> str:
    return f"{hashlib.sha256(path.encode()).hexdigest()}.{ending}"


def test_files_that_belong_together_are_gathered_under_names_that_tell_nothing() -> None:
    found = bundle({
        "/app/compose.yaml": "services: {a: {image: x, env_file: '${STAGE}.env', "
                             "extends: {file: lib/base.yaml, service: b}}}",
        "/app/prod.env": "A=1\n",
        "/app/lib/base.yaml": "services: {b: {image: y, env_file: own.env, extends: {file: base.yaml, service: c}}}",
        "/app/lib/own.env": "B=2\n",
    })  # fmt: skip
    env, own, base = (
        named("/app/prod.env", "env"),
        named("/app/lib/own.env", "env"),
        named("/app/lib/base.yaml", "yaml"),
    )

    assert found.files == [
        (
            "compose.yaml",
            "/app/compose.yaml",
            f"services: {{a: {{image: x, env_file: {env}, extends: {{file: {base}, service: b}}}}}}",
        )
    ]
    assert found.extended == {
        base: f"services: {{b: {{image: y, env_file: {own}, extends: {{file: {base}, service: c}}}}}}"
    }
    assert found.variables == {env: "A=1\n", own: "B=2\n"}
    assert found.paths[own] == "/app/lib/own.env"


def test_file_of_variables_that_need_not_be_there_is_renamed_all_the_same() -> None:
    text = "services: {a: {image: x, env_file: [{path: /home/me/gone.env, required: false}]}}"
    found = bundle({"/app/compose.yaml": text})

    assert (found.variables, "/home/me" in found.files[0][2]) == ({}, False)


def test_files_of_one_name_in_two_folders_are_both_looked_at() -> None:
    texts = {"/a/compose.yaml": "name: a\n", "/b/compose.yaml": "name: b\n"}
    found = gathered(list(texts), "/a", {}, MemoryFiles(texts))

    assert dict(found.published()) == texts


def test_what_is_elsewhere_stays_there() -> None:
    text = "include: ['oci://h/a']\nservices: {a: {extends: {file: 'oci://h/b', service: x}}}\n"
    found = bundle({"/app/compose.yaml": text}, {"oci://h/a": "/c/a", "oci://h/b": "/c/b"})

    assert (found.files, found.extended) == ([("compose.yaml", "/app/compose.yaml", text)], {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include: [other.yaml]\nservices: {a: {image: x}}", "cannot publish compose file with local includes"),
        ("services: {a: {extends: {file: gone.yaml, service: b}}}", "open /app/gone.yaml: no such file"),
    ],
)
def test_what_cannot_be_published_is_told(text: str, said: str) -> None:
    with pytest.raises(ComposeError, match=said):
        bundle({"/app/compose.yaml": text})
    with pytest.raises(ComposeError, match="from standard input"):
        gathered(["-"], "/app", {}, MemoryFiles({}))
