from __future__ import annotations

import pytest

from wharf.cli.template import render
from wharf.errors import InvalidArgument

_VALUE = {
    "Name": "/web",
    "State": {"Status": "running", "Pid": 7, "Paused": False},
    "Names": ["a", "b"],
    "Networks": {"n2": {"IP": "2"}, "n1": {"IP": "1"}},
    "Labels": {"a.b": "c"},
    "Nothing": None,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.State.Status}}/{{.State.Pid}}", "running/7"),
        ("{{json .State}}", '{"Status":"running","Pid":7,"Paused":false}'),
        ("{{.State.Paused}} {{.Nothing}} {{.Names}} {{.Labels}}", "false <no value> [a b] map[a.b:c]"),
        ("{{range .Networks}}{{.IP}};{{end}}", "1;2;"),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{if .State.Paused}}p{{else}}r{{end}}", "r"),
        ('{{index .Labels "a.b"}}', "c"),
        ("{{.Labels.kind}} {{.Networks.none.IP}}", "<no value> <no value>"),
        ('{{join .Names ","}}', "a,b"),
        ('{{(index .Networks "n1").IP}}', "1"),
        ("{{.Name | upper | json}}", '"/WEB"'),
        ("{{range .Names}}{{.}}{{$.Name}}{{end}}", "a/webb/web"),
        ("a {{- /* note */ -}} b", "ab"),
        ('{{len .Names}}{{if eq .Name "/web"}}!{{end}}', "2!"),
    ],
)
def test_template_is_filled_as_go_fills_it(template: str, text: str) -> None:
    assert render(template, _VALUE) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Nme}}", 'map has no entry for key "Nme"'),
        ("{{.Name", "unclosed action"),
        ("{{foo .Name}}", 'function "foo" not defined'),
        ("{{range .Names}}", "end"),
        ("{{end}}", "unexpected"),
        ("{{.Name.Sub}}", "can't evaluate field Sub"),
        ("{{$x := .Name}}", "not supported|no function|unexpected"),
        ("{{}}", "missing value"),
    ],
)
def test_what_is_not_in_the_subset_is_a_clear_error(template: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        render(template, _VALUE)
