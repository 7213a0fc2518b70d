from __future__ import annotations

import json

from wharf.doctor import report
from wharf.doctor.checks import Finding, Verdict

_WELL = Finding("kernel", Verdict.WELL, "6.1.0")
_LACKS = Finding("criu", Verdict.LACKS, "criu is not installed", "checkpoints are refused", "install criu 4 or later")
_FAILS = Finding("namespaces", Verdict.FAILS, "no pid", "there can be no containers", "use another kernel")


def test_what_lacks_is_explained_below_its_line() -> None:
    assert report.as_text([_WELL, _LACKS], width=40).splitlines() == [
        "[ok]  kernel  6.1.0",
        "[--]  criu    criu is not installed",
        "      checkpoints are refused.",
        "      To do: install criu 4 or later.",
        "",
        "Containers run here; 1 of 2 things are lacking.",
    ]


def test_the_last_line_sums_up() -> None:
    ends = [report.as_text(list(found), width=80).splitlines()[-1] for found in ([_WELL], [_WELL, _LACKS, _FAILS])]

    assert ends == ["Containers run here, and nothing is lacking.", "There can be no containers here as it is."]


def test_programs_get_the_fields_by_name() -> None:
    assert json.loads(report.as_json([_LACKS])) == [
        {
            "what": "criu",
            "verdict": "lacks",
            "detail": "criu is not installed",
            "consequence": "checkpoints are refused",
            "remedy": "install criu 4 or later",
        }
    ]
