from __future__ import annotations

from pathlib import Path

from conformance.buildx import SUITE, Bench, cases


def test_every_case_has_a_name_and_the_baseline_is_no_more_than_they_are() -> None:
    assert len(cases()) >= SUITE.baseline
    assert all(callable(case) for case in cases().values())


def test_a_folder_is_made_anew_for_each_case(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "case", "docker", {})
    bench.write(old="x")
    bench.write(Dockerfile="FROM x\n", sub__f="deep", _dockerignore="y")

    found = {
        str(path.relative_to(bench.folder)): path.read_text() for path in bench.folder.rglob("*") if path.is_file()
    }
    assert found == {"Dockerfile": "FROM x\n", "sub/f": "deep", ".dockerignore": "y"}


def test_what_a_command_says_is_returned_with_its_status(tmp_path: Path) -> None:
    tmp_path.joinpath("case").mkdir()
    bench = Bench(tmp_path / "case", "/bin/sh", {"A": "1"})

    assert bench.run("-c", "cat; echo $A$B >&2; exit 3", data=b"in ", B="2") == (3, "in 12\n")
