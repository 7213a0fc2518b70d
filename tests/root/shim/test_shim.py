from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.root.shim.harness import ALL, BOTH, CGROUPS, Bench

from wharf.errors import Conflict
from wharf.kernel.cgroup.group import open_cgroup
from wharf.lib.stdcopy import STDERR, STDOUT, Demultiplexer, frame
from wharf.processes import folder as folders
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim

pytestmark = pytest.mark.root


async def _all(sock: socket.socket) -> bytes:
    loop, data = asyncio.get_running_loop(), b""
    while piece := await loop.sock_recv(sock, 65536):
        data += piece
    sock.close()
    return data


Run = Callable[[Callable[[Bench], Awaitable[None]]], None]


def test_output_goes_to_the_log_and_in_frames_to_the_client(run: Run) -> None:
    async def test(bench: Bench) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        request = bench.request("sh", "-c", "echo out; echo err >&2; printf end; exit 7", attachments=[BOTH])
        with theirs:
            shim = await bench.start(request, [theirs])

        ended = await shim.exited
        found = Demultiplexer().feed(await _all(ours))
        assert b"".join(text for stream, text in found if stream == STDOUT) == b"out\nend"
        assert b"".join(text for stream, text in found if stream == STDERR) == b"err\n"
        assert (ended["exit_code"], ended["oom_killed"]) == (7, False)
        assert sorted((r["stream"], r["log"]) for r in bench.log(request)) == [
            ("stderr", "err\n"),
            ("stdout", "end"),
            ("stdout", "out\n"),
        ]
        shim.forget()
        await shim.released
        assert not open_cgroup(f"{CGROUPS}/{request['id']}").exists
        assert not _exists(request["shim_dir"])

    run(test)


def test_a_command_that_does_not_exist_fails_and_leaves_nothing(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = bench.request("/no/such/program")

        with pytest.raises(ProcessFailed) as caught:
            await bench.start(request)

        assert caught.value.kind == "not-found"
        assert not _exists(request["shim_dir"])
        assert not open_cgroup(f"{CGROUPS}/{request['id']}").exists

    run(test)


def test_a_limit_the_kernel_refuses_fails_and_names_it(run: Run) -> None:
    async def test(bench: Bench) -> None:
        with pytest.raises(ProcessFailed, match=r"cpuset\.cpus"):
            await bench.spawn("true", resources={"cpu": {"cpus": "999"}})

    run(test)


def test_stdin_once_ends_the_input_when_the_client_has_no_more(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim, ours = await bench.spawn_attached(ALL, "cat", open_stdin=True, stdin_once=True)
        text = b"x" * 300_000  # more than a pipe takes
        loop = asyncio.get_running_loop()
        reading = asyncio.ensure_future(_all(ours.dup()))
        await loop.sock_sendall(ours, text)
        ours.shutdown(socket.SHUT_WR)

        answer = await reading
        ours.close()
        assert b"".join(piece for _, piece in Demultiplexer().feed(answer)) == text
        assert (await shim.exited)["exit_code"] == 0

    run(test)


def test_a_client_that_leaves_does_not_end_the_input_of_others(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim, first = await bench.spawn_attached(ALL, "cat", open_stdin=True)
        first.close()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            await shim.attach(ALL, theirs)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(ours, b"again\n")

        assert await loop.sock_recv(ours, 100) == frame(STDOUT, b"again\n")
        await shim.kill(9)
        assert (await shim.exited)["exit_code"] == 137
        ours.close()

    run(test)


def test_detach_keys_cut_the_client_off_and_the_terminal_goes_on(run: Run) -> None:
    async def test(bench: Bench) -> None:
        attachment = {**ALL, "detach_keys": [16, 17]}
        shim, ours = await bench.spawn_attached(attachment, "cat", terminal=True, open_stdin=True)  # type: ignore[arg-type]
        await shim.resize(30, 90)
        await asyncio.get_running_loop().sock_sendall(ours, b"hi\x10\x11")

        await _all(ours)
        assert not shim.exited.done()
        await shim.kill(9)
        await shim.exited

    run(test)


def test_an_exec_has_its_own_streams_and_exit_code(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim = await bench.spawn("sleep", "60")
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            await shim.exec(
                {"exec_id": "e", "process": {"args": ["sh", "-c", "cat; exit 5"]}, "attachment": ALL}, theirs
            )
        await asyncio.get_running_loop().sock_sendall(ours, b"typed")
        ours.shutdown(socket.SHUT_WR)

        assert await _all(ours) == frame(STDOUT, b"typed")
        assert await shim.exec_exited("e") == 5
        with pytest.raises(ProcessFailed) as caught:
            await shim.exec({"exec_id": "f", "process": {"args": ["/nope"]}, "attachment": None}, None)
        assert caught.value.kind == "not-found"
        with pytest.raises(Conflict, match="exec e is not running"):
            await shim.exec_kill("e", 9)
        await shim.exec({"exec_id": "g", "process": {"args": ["sleep", "60"]}, "attachment": None}, None)
        await shim.exec_kill("g", 15)
        assert await shim.exec_exited("g") == 143
        await shim.kill(9)
        await shim.exited

    run(test)


def test_an_execs_exit_code_is_there_when_its_streams_end(run: Run) -> None:
    """A client asks for the code as soon as the stream is over, and would take none for success."""

    async def test(bench: Bench) -> None:
        shim = await bench.spawn("sleep", "60")
        told = []
        for number in range(40):
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with theirs:
                await shim.exec({"exec_id": f"e{number}", "process": {"args": ["false"]}, "attachment": BOTH}, theirs)
            ended = shim.exec_exited(f"e{number}")
            await _all(ours)
            for _ in range(2):  # the event loop looks at all its descriptors once, then does what they ask for
                await asyncio.sleep(0)
            told.append(ended.done())
        await shim.kill(9)
        await shim.exited

        assert told == [True] * 40

    run(test)


def test_what_outlives_the_init_is_killed_and_its_open_pipe_holds_nobody_up(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim = await bench.spawn("sh", "-c", "sleep 1000 & echo started")

        assert (await shim.exited)["exit_code"] == 0

    run(test)


def test_a_client_that_reads_nothing_holds_the_output_up_but_not_for_ever(run: Run) -> None:
    async def test(bench: Bench) -> None:
        none = {"driver": "none", "path": ""}
        request = bench.request("head", "-c", "4000000", "/dev/zero", attachments=[BOTH], log=none)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            shim = await bench.start(request, [theirs])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(shim.exited)

        found = Demultiplexer().feed(await _all(ours))
        assert sum(len(piece) for _, piece in found) == 4_000_000
        assert (await shim.exited)["exit_code"] == 0

    run(test)


def test_an_oom_kill_is_told(run: Run) -> None:
    async def test(bench: Bench) -> None:
        limit = {"memory": {"limit": 8 << 20, "swap": 8 << 20}}
        shim = await bench.spawn("sh", "-c", "sleep 0.1; head -c 50000000 /dev/zero | tail", resources=limit)
        told = asyncio.Event()
        shim.on_oom = told.set

        assert (await shim.exited)["oom_killed"]
        assert told.is_set()

    run(test)


def test_an_idle_shim_costs_little_memory_of_its_own_and_runs_from_a_sealed_copy(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shims = [await bench.spawn("sleep", "60") for _ in range(2)]
        pid = _parent_of(shims[1])

        assert _private_kb(pid) < 2048
        assert os.readlink(f"/proc/{pid}/exe").startswith("/memfd:")
        with pytest.raises(OSError, match=r"busy|not permitted"):
            os.open(f"/proc/{pid}/exe", os.O_WRONLY)
        for shim in shims:
            await shim.kill(9)
            await shim.exited

    run(test)


def _exists(path: str) -> bool:
    return os.path.exists(path)


def _parent_of(shim: Shim) -> int:
    return int(Path(f"/proc/{shim.pid}/stat").read_text().split()[3])


def _private_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private"))


def test_a_group_is_gone_when_a_container_is_emptied_and_all_else_when_it_is_released(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = bench.request("true")
        shim = await bench.start(request)

        await shim.emptied
        assert shim.exited.done()
        assert not open_cgroup(f"{CGROUPS}/{request['id']}").exists
        shim.forget()
        await shim.released
        assert not _exists(request["shim_dir"])

    run(test)


def test_a_killed_shim_takes_its_container_along(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim = await bench.spawn("sleep", "60")
        os.kill(_parent_of(shim), 9)

        ended = await shim.exited
        assert (ended["exit_code"], ended["error"]) == (137, "the shim was killed")
        assert not _exists(f"/proc/{shim.pid}/exe")

    run(test)


def test_a_killed_zygote_is_replaced_and_its_shims_go_on(run: Run) -> None:
    async def test(bench: Bench) -> None:
        first = await bench.spawn("sleep", "60")
        zygote = bench.processes._zygote
        assert zygote is not None
        os.kill(zygote.pid, 9)
        second = await bench.spawn("true")

        assert (await second.exited)["exit_code"] == 0
        await first.kill(15)
        assert (await first.exited)["exit_code"] == 143

    run(test)


def test_a_later_engine_finds_the_shim_its_execs_and_then_the_exit(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = bench.request("sleep", "60")
        first = await bench.start(request)
        await first.exec({"exec_id": "e", "process": {"args": ["sleep", "60"]}, "attachment": None}, None)
        await bench.processes.aclose()

        later = Bench(bench.folder)
        group = f"{CGROUPS}/{request['id']}"
        found = await later.processes.adopt(request["id"], group)
        assert isinstance(found, Shim)
        assert (found.pid, found.started_at) == (first.pid, first.started_at)
        await found.exec_kill("e", 9)
        assert await found.exec_exited("e") == 137
        await found.kill(9)
        ended = await found.exited
        await found.released
        await later.processes.aclose()

        last = Bench(bench.folder)
        assert await last.processes.adopt(request["id"], group) == ended
        last.processes.forget(request["id"])
        assert await last.processes.adopt(request["id"], group) is None

    run(test)


def test_a_second_shim_for_a_container_that_runs_is_refused(run: Run) -> None:
    async def test(bench: Bench) -> None:
        request = bench.request("sleep", "60")
        shim = await bench.start(request)

        with pytest.raises(Conflict, match="has a shim that lives"):
            await bench.start(request)

        await bench.processes.abolish(request["id"], f"{CGROUPS}/{request['id']}")
        await shim.exited

    run(test)


def _can_be_bound(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_ports_that_are_kept_outlive_an_engine_and_are_free_when_the_container_has_ended(run: Run) -> None:
    async def test(bench: Bench) -> None:
        first, second = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        ports = [sock.getsockname()[1] for sock in (first, second)]
        request = bench.request("sleep", "1000")
        shim = await bench.start(request)
        shim.keep_ports({"first": first, "second": second})
        first.close()
        second.close()
        await bench.processes.aclose()  # at once, as when it is killed: the shim may not have read it yet

        found = await bench.processes.adopt(request["id"], request["cgroup"])
        assert isinstance(found, Shim)
        assert found.ports == {"first", "second"}
        assert [_can_be_bound(port) for port in ports] == [False, False]

        found.keep_ports({"second": None})
        await found.resize(1, 1)  # it is answered after that
        assert [_can_be_bound(port) for port in ports] == [True, False]

        await bench.processes.aclose()
        os.kill(found.pid, 9)
        await asyncio.to_thread(folders.wait_dead, bench.run.shim(request["id"]))
        assert _can_be_bound(ports[1])

    run(test)


def test_a_killed_shim_keeps_no_ports(run: Run) -> None:
    async def test(bench: Bench) -> None:
        sock = socket.create_server(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        shim = await bench.spawn("sleep", "1000")
        shim.keep_ports({"port": sock})
        sock.close()
        await shim.resize(1, 1)
        assert not _can_be_bound(port)

        killed = os.pidfd_open(_parent_of(shim))
        signal.pidfd_send_signal(killed, signal.SIGKILL)
        await shim.exited
        assert select.select([killed], [], [], 60)[0]  # it hangs up before it has closed all else
        os.close(killed)

        assert _can_be_bound(port)

    run(test)


def test_more_ports_than_a_message_takes_are_kept_as_far_as_it_goes(run: Run) -> None:
    async def test(bench: Bench) -> None:
        shim = await bench.spawn("sleep", "1000")
        socks = {str(number): socket.socket() for number in range(300)}
        shim.keep_ports(socks)
        for sock in socks.values():
            sock.close()

        await shim.resize(1, 1)

        assert shim.ports == {str(number) for number in range(253)}
        await shim.kill(9)
        await shim.released

    run(test)
