from __future__ import annotations

import pytest

from wharf.cli.rows import Row
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
        ("{{if .State.Paused}}p{{else if .Nothing}}n{{else if eq .Name `/web`}}w{{else}}x{{end}}", "w"),
        ("{{$n := .Name}}{{range $i, $e := .Names}}{{$i}}{{$e}}{{$n}} {{end}}", "0a/web 1b/web "),
        ("{{range $k, $v := .Networks}}{{$k}}={{$v.IP}} {{end}}", "n1=1 n2=2 "),
        ("{{range $e := .Names}}{{$e}}{{end}}", "ab"),
        ("{{with $s := .State}}{{.Status}}{{$s.Pid}}{{end}}", "running7"),
        (
            '{{printf "%s|%-8s|%03d|%q|%v|%%" .Name .State.Status .State.Pid .Name .Names}}',
            '/web|running |007|"/web"|[a b]|%',
        ),
        ('{{printf "%d %s" .Name}}', "%!d(/web) %!s(MISSING)"),
        ("{{and .Name .Nothing}} {{or .Nothing .Name}}", "<no value> /web"),
        ("{{if and (gt .State.Pid 5) (le .State.Pid 7) (lt `a` `b`)}}y{{end}}", "y"),
        ("{{slice .Name 1 3}} {{truncate .Name 2}} {{pad .Name 1 2}}|", "we /w  /web  |"),
        ('{{print .Name 1}} {{.Name | printf "<%s>"}}', "/web1 </web>"),
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
        ("{{$x}}", "undefined variable \\$x"),
        ("{{template `a`}}", 'function "template" not defined'),
        ("{{}}", "missing value"),
    ],
)
def test_what_is_not_in_the_subset_is_a_clear_error(template: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        render(template, _VALUE)


def test_field_of_a_document_may_be_spelt_as_in_go() -> None:
    document = {"ApiVersion": "1.51", "Id": "a", "Labels": {"a": "b"}}

    assert render("{{.APIVersion}} {{.ID}}", document) == "1.51 a"
    with pytest.raises(InvalidArgument, match="no entry"):
        render("{{.Apiversion}}", document)
    with pytest.raises(InvalidArgument, match="no entry"):
        render("{{.ID}}", Row(Id="a"))
