from __future__ import annotations

from wharf.cli.rows import Row, field, row_json, to_json


def test_row_is_sorted_and_fit_for_html() -> None:
    assert row_json({"Tag": "<none>", "ID": "a&b"}) == '{"ID":"a\\u0026b","Tag":"\\u003cnone\\u003e"}'


def test_field_is_text_but_in_json() -> None:
    row = Row(Platform=field("linux/amd64", {"os": "linux"}), ID="1")

    assert (f"{row['Platform']}", to_json(row)) == ("linux/amd64", '{"ID":"1","Platform":{"os":"linux"}}')


def test_field_alone_is_its_document() -> None:
    assert (to_json(field("", None)), to_json("<b>"), to_json({"b": 1, "a": 2})) == ("null", '"<b>"', '{"b":1,"a":2}')
