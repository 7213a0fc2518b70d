"""The real ``docker buildx`` against a wharfd of its own: what people do with it, from first builds to their history.

The cases are ours; the judge is the unmodified command, by what it prints, writes and returns.
``python -m conformance.buildx`` runs them against Debian's dockerd instead.
"""

from __future__ import annotations

import io
import json
import os
import select
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import sides
from bench.sides import Engine

from conformance.suites import Outcome, Suite
from wharf.images import busybox

_TOP = Path(__file__).parent.parent
_CASE_S = 120


@dataclass
class Bench:
    """A folder, and the docker command in it."""

    folder: Path
    docker: str
    environment: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)

    def write(self, **files: str) -> None:
        """Make the folder anew with these files; ``__`` in a name is a slash, a first ``_`` a dot."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, text in files.items():
            plain = f".{name[1:]}" if name.startswith("_") else name
            path = self.folder / plain.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(self, *words: str, data: bytes | None = None, **variables: str) -> tuple[int, str]:
        """Run docker; return its status and all it writes."""
        done = subprocess.run(
            [self.docker, *words],
            cwd=self.folder,
            env={**self.environment, **variables},
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_CASE_S,
        )
        return done.returncode, done.stdout.decode(errors="replace")

    def build(self, *words: str, **more: str) -> str:
        """Build an image ``made``, which must succeed; return what is written."""
        status, text = self.run("buildx", "build", "--progress=plain", "-t", "made", *words, ".", data=None, **more)
        assert status == 0, text
        return text

    def output(self, *command: str) -> str:
        """Return what a command says in the image that was built."""
        status, text = self.run("run", "--rm", "made", *command)
        assert status == 0, text
        return text


_BASE = "FROM busybox\n"


def _case_the_default_builder_builds(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "COPY a /a\nCMD cat /a\n", a="hello\n")
    status, text = bench.run("build", "-t", "made", ".")
    assert status == 0, text
    assert bench.output() == "hello\n"


def _case_steps_logs_and_known_steps_are_shown(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo some output\n")
    text = bench.build("--no-cache")
    assert "[2/2] RUN echo some output" in text
    assert "some output\n" in text
    assert "CACHED" in bench.build().split("[2/2]")[1]


def _case_arguments_labels_and_targets(bench: Bench) -> None:
    bench.write(Dockerfile="FROM busybox AS one\nARG v\nRUN echo $v > /v\nFROM busybox\nRUN exit 1\n")
    bench.build("--target", "one", "--build-arg", "v=42", "--label", "k=l")
    assert bench.output("cat", "/v") == "42\n"
    assert bench.run("inspect", "-f", '{{index .Config.Labels "k"}}', "made")[1] == "l\n"


def _case_a_step_that_fails_is_shown_with_its_lines(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo before; exit 7\n")
    status, text = bench.run("buildx", "build", "--progress=plain", ".")
    assert status == 1
    assert "Dockerfile:2" in text
    assert ">>> RUN echo before; exit 7" in text
    assert "did not complete successfully: exit code: 7" in text


def _case_a_malformed_dockerfile_is_shown_with_its_line(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUNN x\n")
    status, text = bench.run("buildx", "build", ".")
    assert status == 1
    assert "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)" in text


def _case_secrets_come_from_files_and_variables(bench: Bench) -> None:
    run = (
        "RUN --mount=type=secret,id=f --mount=type=secret,id=v,env=V cat /run/secrets/f | wc -c > /n; test $V = vv\n"
    )
    bench.write(Dockerfile=_BASE + run, tok="12345")
    bench.build("--secret", "id=f,src=tok", "--secret", "id=v,env=MY", MY="vv")
    assert bench.output("cat", "/n").strip() == "5"
    assert bench.run("run", "--rm", "made", "cat", "/run/secrets/f")[0] == 1


def _case_an_ssh_agent_is_lent(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && touch /lent\n")
    socket = bench.folder.parent / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert agent.poll() is None
        bench.build("--ssh", "default", SSH_AUTH_SOCK=str(socket))
    finally:
        agent.terminate()
        agent.wait()
    assert bench.output("ls", "/lent") == "/lent\n"


def _case_named_contexts_are_folders_and_images(bench: Bench) -> None:
    bench.write(Dockerfile="FROM base\nCOPY --from=more f /f\n", more__f="of more\n")
    bench.build("--build-context", "more=more", "--build-context", "base=docker-image://busybox")
    assert bench.output("cat", "/f") == "of more\n"


def _case_what_is_ignored_is_not_sent(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "COPY . /c\n", _dockerignore="*.log\n!keep.log\n", a="", b__log="")
    (bench.folder / "x.log").write_text("x")
    (bench.folder / "keep.log").write_text("x")
    bench.build()
    assert bench.output("ls", "-A", "/c").split() == [".dockerignore", "Dockerfile", "a", "b", "keep.log"]


def _case_a_dockerfile_has_an_ignore_file_of_its_own(bench: Bench) -> None:
    bench.write(other=_BASE + "COPY . /c\n", other_ignored="", a="")
    (bench.folder / "other.dockerignore").write_text("a\nother*\n")
    bench.build("-f", "other")
    assert bench.output("ls", "-A", "/c") == ""


def _case_files_with_several_names_and_names_of_any_bytes_are_sent(bench: Bench) -> None:
    bench.write(Dockerfile="FROM scratch\nCOPY . /c\n", a="x")
    folder = os.fsencode(bench.folder)
    os.link(folder + b"/a", folder + b"/caf\xe9")
    os.symlink(b"caf\xe9", folder + b"/l\xff")
    assert bench.run("buildx", "build", "-o", "out", ".")[0] == 0
    assert os.readlink(folder + b"/out/c/l\xff") == b"caf\xe9"
    assert os.stat(folder + b"/out/c/l\xff").st_ino == os.stat(folder + b"/out/c/a").st_ino


def _case_only_a_changed_file_is_sent_again(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "COPY . /c\n", big="x" * 3_000_000, small="1")
    bench.build()
    (bench.folder / "small").write_text("2")
    text = bench.build()
    assert "transferring context" in text
    assert "MB" not in text.split("transferring context")[1].split("done")[0]
    assert bench.output("cat", "/c/small") == "2"


def _case_results_go_to_a_folder(bench: Bench) -> None:
    bench.write(Dockerfile="FROM scratch\nCOPY a /d/a\n", a="x")
    status, text = bench.run("buildx", "build", "-o", "out", ".")
    assert status == 0, text
    assert (bench.folder / "out/d/a").read_text() == "x"


def _case_results_go_to_archives(bench: Bench) -> None:
    bench.write(Dockerfile="FROM scratch\nCOPY a /d/a\n", a="x")
    for kind, wanted in (("tar", "d/a"), ("oci", "index.json"), ("docker", "manifest.json")):
        status, text = bench.run("buildx", "build", "-o", f"type={kind},dest=out.tar", ".")
        assert status == 0, text
        with tarfile.open(bench.folder / "out.tar") as tar:
            assert wanted in tar.getnames()


def _case_files_tell_what_was_built(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN true\n")
    bench.build("--iidfile", "id", "--metadata-file", "meta")
    image = bench.run("inspect", "-f", "{{.Id}}", "made")[1].strip()
    meta = json.loads((bench.folder / "meta").read_text())
    assert (bench.folder / "id").read_text() == image
    assert (meta["containerimage.config.digest"], meta["image.name"]) == (image, "docker.io/library/made:latest")


def _case_a_dockerfile_is_checked(bench: Bench) -> None:
    bench.write(Dockerfile="FROM busybox as x\nRUN echo $nothing\n")
    status, text = bench.run("buildx", "build", "--check", ".")
    assert status == 1
    assert "FromAsCasing" in text
    bench.write(Dockerfile=_BASE)
    assert bench.run("buildx", "build", "--check", ".")[0] == 0


def _case_targets_and_arguments_are_told(bench: Bench) -> None:
    bench.write(Dockerfile="ARG v=1\nFROM busybox AS one\nFROM busybox AS two\n")
    assert "one" in bench.run("buildx", "build", "--call", "targets", ".")[1]
    assert bench.run("buildx", "build", "--call", "outline", ".")[0] == 0


def _case_a_dockerfile_comes_on_standard_input(bench: Bench) -> None:
    bench.write(a="x")
    status, text = bench.run("buildx", "build", "-t", "made", "-", data=b"FROM busybox\nRUN echo in > /i\n")
    assert status == 0, text
    assert bench.output("cat", "/i") == "in\n"
    status, text = bench.run("buildx", "build", "-t", "made", "-f", "-", ".", data=b"FROM busybox\nCOPY a /a\n")
    assert status == 0, text
    assert bench.output("cat", "/a") == "x"


def _case_a_context_comes_on_standard_input(bench: Bench) -> None:
    bench.write(unused="")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, data in (("Dockerfile", b"FROM busybox\nCOPY f /f\n"), ("f", b"packed")):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    status, text = bench.run("buildx", "build", "-t", "made", "-", data=archive.getvalue())
    assert status == 0, text
    assert bench.output("cat", "/f") == "packed"


def _case_commands_are_run_as_asked(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN grep -c once /etc/hosts > /h; ulimit -n > /u; df /dev/shm > /s\n")
    bench.build("--add-host", "once:10.1.1.1", "--ulimit", "nofile=1000:1000", "--shm-size", "128m")
    assert bench.output("cat", "/h", "/u") == "1\n1000\n"
    assert "131072" in bench.output("cat", "/s")


def _case_a_build_without_a_network(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN ip link > /l\n")
    bench.build("--network", "none")
    assert bench.output("cat", "/l").count(": <") == 1


def _case_builds_are_remembered(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo remembered-$RANDOM\n")
    bench.build("--no-cache")
    assert "Completed" in bench.run("buildx", "history", "ls")[1]
    assert "remembered-" in bench.run("buildx", "history", "logs")[1]


def _case_a_failed_build_is_remembered_with_its_lines_and_output(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo before; exit 7\n")
    assert bench.run("buildx", "build", ".")[0] == 1
    assert "Error" in bench.run("buildx", "history", "ls", "--filter", "status=error")[1]
    told = bench.run("buildx", "history", "inspect")[1]
    assert ">>> RUN echo before; exit 7" in told
    assert "> before" in told


def _case_files_tell_how_a_result_was_made(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN true\n")
    bench.build("--metadata-file", "meta")
    meta = json.loads((bench.folder / "meta").read_text())
    assert meta["buildx.build.provenance"]["materials"][0]["uri"].startswith("pkg:docker/busybox")
    told = bench.run("buildx", "history", "inspect")[1]
    assert "https://slsa.dev/provenance/" in told
    assert bench.run("buildx", "history", "export", "-o", "exported")[0] == 0


def _case_the_same_context_gives_the_same_digest(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN mkdir /d && echo x > /d/f\n")
    found = set()
    for _ in range(2):
        bench.build(
            "--no-cache", "--provenance=false", "--metadata-file", "meta",
            "-o", "type=image,rewrite-timestamp=true", SOURCE_DATE_EPOCH="1700000000",
        )  # fmt: skip
        found.add(json.loads((bench.folder / "meta").read_text())["containerimage.digest"])
    assert len(found) == 1
    assert bench.output("stat", "-c", "%Y", "/d/f") == "1700000000\n"


def _case_attestations_lie_beside_a_folder(bench: Bench) -> None:
    bench.write(Dockerfile="FROM scratch\nCOPY a /d/a\n", a="x")
    status, text = bench.run("buildx", "build", "--provenance=mode=max", "-o", "out", ".")
    assert status == 0, text
    assert json.loads((bench.folder / "out/provenance.json").read_text())["subject"][0]["name"] == "d/a"


def _case_a_failed_step_is_debugged(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo here > /left; exit 7\n")
    ours, theirs = os.openpty()
    words = ("buildx", "debug", "--invoke", "/bin/sh", "--on", "error", "build", "--progress=plain", ".")
    environment = {**bench.environment, "BUILDX_EXPERIMENTAL": "1"}
    debugging = subprocess.Popen(
        [bench.docker, *words], cwd=bench.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    try:
        seen = _read_until(ours, b"Interactive container was restarted")
        os.write(ours, b"echo is $(cat /left)\n")
        seen += _read_until(ours, b"is here")
    finally:
        debugging.kill()
        debugging.wait()
        os.close(ours)
        os.close(theirs)
    assert b"exit code: 7" in seen


def _read_until(screen: int, words: bytes) -> bytes:
    seen = b""
    while words not in seen:
        ready, _, _ = select.select([screen], [], [], _CASE_S)
        assert ready, seen
        seen += os.read(screen, 65536)
    return seen


def _case_what_is_kept_is_listed_and_pruned(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo keep > /k\n")
    bench.build()
    assert "Total:" in bench.run("buildx", "du")[1]
    assert "Usage count" in bench.run("buildx", "du", "--verbose", "--filter", "type=regular")[1]
    assert bench.run("buildx", "prune", "-f", "--filter", "description=nothing of the kind")[0] == 0
    assert "CACHED" in bench.build().split("[2/2]")[1]
    assert bench.run("buildx", "prune", "-af")[0] == 0
    assert "CACHED" not in bench.build().split("[2/2]")[1]


def _case_a_folder_keeps_a_cache(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo cached-$RANDOM > /k\n")
    bench.build("--cache-to", "type=local,dest=kept,mode=max")
    first = bench.output("cat", "/k")
    bench.run("rmi", "made")
    bench.run("buildx", "prune", "-af")
    assert "CACHED" in bench.build("--cache-from", "type=local,src=kept").split("[2/2]")[1]
    assert bench.output("cat", "/k") == first


def _case_an_image_keeps_its_own_cache(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo cached-$RANDOM > /k\n")
    bench.build("--cache-to", "type=inline")
    bench.run("buildx", "prune", "-af")
    assert "CACHED" in bench.build("--cache-from", "made").split("[2/2]")[1]


_CROSS = """FROM --platform=$BUILDPLATFORM busybox AS one
ARG TARGETARCH
RUN echo $TARGETARCH > /for
FROM scratch
COPY --from=one /for /for
"""


def _case_one_build_is_for_several_platforms(bench: Bench) -> None:
    bench.write(Dockerfile=_CROSS)
    platforms = ("--platform", "linux/amd64,linux/arm64")
    status, text = bench.run("buildx", "build", *platforms, "-t", "made", "-o", "type=image", "-o", "out", ".")
    assert status == 0, text
    assert (bench.folder / "out/linux_arm64/for").read_text() == "arm64\n"
    assert bench.run("buildx", "build", *platforms, "-o", "type=oci,dest=out.tar,compression=zstd", ".")[0] == 0
    assert bench.run("load", "-i", "out.tar")[0] == 0
    assert bench.run("buildx", "build", *platforms, "-o", "type=oci,dest=layout,tar=false", ".")[0] == 0
    index = json.loads((bench.folder / "layout/index.json").read_text())
    assert index["manifests"][0]["mediaType"].endswith("image.index.v1+json")


def _case_images_say_how_they_were_made(bench: Bench) -> None:
    bench.write(Dockerfile="FROM scratch\nCOPY a /a\n", a="x")
    status, text = bench.run("buildx", "build", "--provenance=mode=max", "-o", "type=oci,dest=out.tar", ".")
    assert status == 0, text
    with tarfile.open(bench.folder / "out.tar") as tar:
        texts = [tar.extractfile(one).read() for one in tar.getmembers() if one.isfile()]  # type: ignore[union-attr]
    assert any(b"llbDefinition" in one for one in texts)
    bench.build("--provenance=false")
    plain = bench.run("inspect", "-f", "{{.Id}}", "made")[1]
    bench.build()
    assert bench.run("inspect", "-f", "{{.Id}}", "made")[1] == plain


_SCANNER = """FROM busybox
CMD for one in $BUILDKIT_SCAN_SOURCE $BUILDKIT_SCAN_SOURCE_EXTRAS*; do \\
  echo '{"predicateType":"https://spdx.dev/Document","predicate":{}}' \\
    > $BUILDKIT_SCAN_DESTINATION/$(basename $one).spdx.json; done
"""


def _case_stages_and_the_context_are_scanned_for_software(bench: Bench) -> None:
    stages = f"ARG BUILDKIT_SBOM_SCAN_STAGE=true\n{_BASE.rstrip()} AS tools\nRUN touch /t\nFROM scratch\n"
    asked = "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nCOPY a /\nCOPY --from=tools /t /\n"
    bench.write(Dockerfile=stages + asked, scanner=_SCANNER, a="x")
    assert bench.run("buildx", "build", "-f", "scanner", "-t", "scanner", ".")[0] == 0
    status, text = bench.run("buildx", "build", "--sbom=generator=scanner", "-o", "out", ".")
    assert status == 0, text
    names = sorted(one.name for one in (bench.folder / "out").glob("*.json"))
    assert names == ["sbom-context.spdx.json", "sbom-tools.spdx.json", "sbom.spdx.json"]


def _case_bake_builds_several(bench: Bench) -> None:
    bench.write(
        Dockerfile="FROM busybox AS a\nRUN echo a > /n\nFROM busybox AS b\nRUN echo b > /n\n",
        docker_bake__hcl="",
    )
    targets = {name: {"target": name, "tags": [f"baked:{name}"]} for name in ("a", "b")}
    document = {"group": {"default": {"targets": ["a", "b"]}}, "target": targets}
    (bench.folder / "bake.json").write_text(json.dumps(document))
    status, text = bench.run("buildx", "bake", "-f", "bake.json")
    assert status == 0, text
    assert bench.run("run", "--rm", "baked:b", "cat", "/n")[1] == "b\n"


def _case_targets_of_bake_are_contexts_of_others(bench: Bench) -> None:
    bench.write(Dockerfile=_BASE + "RUN echo below > /n\n", above="FROM under\nCMD cat /n\n")
    above = {"dockerfile": "above", "contexts": {"under": "target:below"}, "tags": ["made"]}
    document = {"target": {"default": above, "below": {}}}
    (bench.folder / "bake.json").write_text(json.dumps(document))
    status, text = bench.run("buildx", "bake", "-f", "bake.json")
    assert status == 0, text
    assert bench.output() == "below\n"


def _case_inspect_tells_of_the_builder(bench: Bench) -> None:
    bench.write(unused="")
    status, text = bench.run("buildx", "inspect")
    assert status == 0
    assert "linux/amd64" in text or "linux/arm64" in text


def cases() -> dict[str, Callable[[Bench], None]]:
    """Return every case by its name."""
    found = {name.removeprefix("_case_"): case for name, case in globals().items() if name.startswith("_case_")}
    return dict(sorted(found.items()))


def run(scratch: Path) -> Outcome:
    """Run every case against Wharf."""
    return _run(sides.wharf(_TOP / ".venv/bin", scratch / "engine"), scratch)


def _run(engine: Engine, scratch: Path) -> Outcome:
    """Run every case; print those that fail, with what was written."""
    docker = _printed("docker-cli")
    failed = []
    with sides.running(engine, scratch / "engine", docker, _images()) as side:
        plugins = scratch / "docker/cli-plugins"
        plugins.mkdir(parents=True)
        (plugins / "docker-buildx").symlink_to(_printed("docker-buildx"))
        environment = {**side.environment, "DOCKER_CONFIG": str(scratch / "docker"), "BUILDX_GIT_INFO": "false"}
        for name, case in cases().items():
            try:
                case(Bench(scratch / "case", docker, environment))
            except Exception as error:  # noqa: BLE001  # whatever a case stumbles over is its failure
                failed.append(name)
                sys.stdout.write(f"buildx: failed: {name}: {str(error)[-2000:]}\n")
    return Outcome(len(cases()) - len(failed), len(failed), 0, tuple(failed))


def _images() -> dict[str, bytes]:
    return {"busybox:latest": busybox.layer()}


def _printed(script: str) -> str:
    done = subprocess.run([_TOP / "scripts" / script], stdout=subprocess.PIPE, text=True, check=True, env=os.environ)
    return done.stdout.strip()


# All must pass. Debian's dockerd, whose BuildKit is of 2020, passes 14.
SUITE = Suite("buildx", len(cases()), run)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wharf-conformance.") as own:
        sys.stdout.write(f"dockerd passes {_run(sides.dockerd(Path(own) / 'engine'), Path(own)).passed}\n")
