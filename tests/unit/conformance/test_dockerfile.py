from __future__ import annotations

from conformance.dockerfile import quoted, tree

from wharf.build.dockerfile.parser import parse_line


def test_trees_and_texts_are_written_as_go_writes_them() -> None:
    assert tree(parse_line('ONBUILD COPY --link a "b')) == 'onbuild (copy ["--link"] "a" "\\"b")'
    assert quoted("a\n\x00\b♥") == '"a\\n\\x00\\b♥"'
