from __future__ import annotations

from wharf.compose.publish.rewriting import Renames, included, rewritten

TEXT = """\
# ünïcode before, and a comment that stays
x-common: &common
  env_file: common.env
services:
  a:
    <<: *common
    image: "x"   # kept
    extends: {file: base.yaml, service: b}
  b:
    image: y
    env_file:
      - b.env
      - {path: 'c.env', required: false}
    extends: a
  c: {image: z, environment: {env_file: untouched}}
---
services: !override
  d: {image: x, env_file: "d.env"}
"""


def test_paths_alone_are_renamed_and_the_text_stays() -> None:
    seen: list[str] = []

    def rename(path: str) -> str:
        seen.append(path)
        return path.upper()

    found = rewritten(TEXT, Renames(rename, lambda path: f"new-{path}"))

    assert sorted(set(seen)) == ["b.env", "c.env", "common.env", "d.env"]
    expected = TEXT.replace("base.yaml", "new-base.yaml").replace('"d.env"', "D.ENV").replace("'c.env'", "C.ENV")
    assert found == expected.replace("common.env", "COMMON.ENV").replace("b.env", "B.ENV")


def test_what_is_not_renamed_stays_as_it_is_written() -> None:
    assert rewritten(TEXT, Renames(lambda _: None, lambda _: None)) == TEXT


def test_included_files_are_known_in_all_their_forms() -> None:
    text = "include: [a.yaml, {path: b.yaml}, {path: [c.yaml, d.yaml]}]\nservices: {}\n"

    assert included(text) == ["a.yaml", "b.yaml", "c.yaml", "d.yaml"]
    assert included("services: {}") == included("include:\n") == []
