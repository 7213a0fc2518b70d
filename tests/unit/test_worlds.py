"""Runs of pytest with several worlds, on tests that are written here."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

_TOP = Path(__file__).parent.parent.parent
_CONFTEST = """
import os
import pytest
from tests.conftest import pytest_addoption, pytest_configure

@pytest.fixture(scope="session")
def shared():
    with open("made", "a") as file:
        print(os.getpid(), file=file)
    yield
    with open("undone", "a") as file:
        print(os.getpid(), file=file)

def pytest_world_begins(number):
    with open("worlds", "a") as file:
        print(os.getpid(), number, file=file)
"""


def _command(*words: str) -> list[str]:
    options = ("-q", "-c", "/dev/null", "--rootdir=.", "-o", f"pythonpath={_TOP}", "-p", "no:cacheprovider")
    return [sys.executable, "-m", "pytest", *options, "--basetemp=temporary", "--worlds=2", "-ra", *words]


def _run(folder: Path, *words: str, **files: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(_CONFTEST)
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(dedent(text))
    return subprocess.run(
        _command(*words),
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )


def _counts(done: subprocess.CompletedProcess[str]) -> str:
    return re.sub(r" in [\d.]+s.*", "", done.stdout.strip().splitlines()[-1])


def test_all_that_ran_is_in_one_summary_and_what_failed_is_named(tmp_path: Path) -> None:
    text = """
        import pytest
        def test_good(): print("not shown")
        def test_bad():
            print("what was printed")
            assert {number} == 0
        def test_left_out(): pytest.skip("there is no need")
    """

    done = _run(tmp_path, a=text.format(number=1), b=text.format(number=2), c=text.format(number=0))

    assert (done.returncode, _counts(done)) == (1, "2 failed, 4 passed, 3 skipped"), done.stdout + done.stderr
    assert "FAILED test_a.py::test_bad - assert 1 == 0" in done.stdout
    assert "FAILED test_b.py::test_bad - assert 2 == 0" in done.stdout
    assert done.stdout.count("\nwhat was printed\n") == 2
    assert "not shown" not in done.stdout


def test_a_file_runs_in_one_world_and_its_worlds_share_nothing(tmp_path: Path) -> None:
    text = """
        import os
        import pytest
        @pytest.fixture(scope="module")
        def once(): return os.getpid()
        @pytest.mark.parametrize("number", range(3))
        def test_one(shared, once, number, tmp_path):
            assert once == os.getpid()
            assert not list(tmp_path.iterdir())
            (tmp_path / "mine").touch()
    """

    done = _run(tmp_path, a=text, b=text, c=text, d=text)

    assert (done.returncode, _counts(done)) == (0, "12 passed"), done.stdout + done.stderr
    worlds = dict(line.split() for line in (tmp_path / "worlds").read_text().splitlines())
    assert sorted(worlds.values()) == ["0", "1"]
    made = (tmp_path / "made").read_text().split()
    assert len(made) == len(set(made))  # what a session shares is made once a world, and only where it is used
    assert set(made) <= set(worlds)
    assert sorted((tmp_path / "undone").read_text().split()) == sorted(made)


def test_a_process_that_dies_fails_the_tests_it_had_and_the_others_run(tmp_path: Path) -> None:
    deadly = """
        import os
        def test_good(): pass
        def test_deadly(): os._exit(0)
        def test_never(): pass
    """

    done = _run(tmp_path, deadly=deadly, b="def test_b(): pass", c="def test_c(): pass")

    assert (done.returncode, _counts(done)) == (1, "2 failed, 3 passed"), done.stdout + done.stderr
    assert "FAILED test_deadly.py::test_deadly - the process of its world ended" in done.stdout


def test_what_no_world_is_left_for_has_failed(tmp_path: Path) -> None:
    deadly = "import os\ndef test_deadly(): os._exit(0)\ndef test_never(): pass"

    done = _run(tmp_path, a=deadly, b=deadly, c="def test_c(): pass")

    assert (done.returncode, _counts(done)) == (1, "5 failed"), done.stdout + done.stderr
    assert "FAILED test_c.py::test_c - not run: all worlds ended before it" in done.stdout


def test_an_error_of_what_the_session_shares_is_no_success(tmp_path: Path) -> None:
    fixture = """
        import pytest
        @pytest.fixture(scope="session")
        def torn():
            yield
            raise ValueError("it does not come down")
        def test_a(torn): pass
    """

    done = _run(tmp_path, a=fixture, b="def test_b(): pass")

    assert done.returncode == 1, done.stdout
    assert "it does not come down" in done.stderr


def test_a_run_that_stops_at_the_first_failure_stops_in_all_worlds(tmp_path: Path) -> None:
    files = {f"t{number}": "def test_bad(): assert False" for number in range(9)}

    done = _run(tmp_path, "--maxfail=1", **files)

    assert (done.returncode, _counts(done)) == (1, "1 failed"), done.stdout + done.stderr
    assert "stopping after 1 failures" in done.stdout


def test_an_interrupt_ends_all_worlds_and_undoes_what_they_share(tmp_path: Path) -> None:
    read, write = os.pipe()
    waiting = f"import os, time\ndef test_waits(shared):\n    os.write({write}, b'.')\n    time.sleep(60)"
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    for name in "ab":
        (tmp_path / f"test_{name}.py").write_text(waiting)
    run = subprocess.Popen(
        _command(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[write]
    )
    os.close(write)
    for _ in range(2):
        assert os.read(read, 1) == b"."  # both are in their tests

    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=60)

    assert (run.returncode, os.read(read, 1)) == (
        pytest.ExitCode.INTERRUPTED,
        b"",
    )  # nobody has the pipe open any more
    assert "KeyboardInterrupt" in output
    assert len((tmp_path / "undone").read_text().split()) == 2
    os.close(read)
