from __future__ import annotations

import pytest

from wharf.kernel import seccomp


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"defaultAction": "SCMP_ACT_DANCE"}, "unknown seccomp action SCMP_ACT_DANCE"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}, "unknown seccomp architecture"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}, "takes no errnoRet"),
        (
            {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": [], "action": "SCMP_ACT_ERRNO"}]},
            "names no system call",
        ),
        (
            {
                "defaultAction": "SCMP_ACT_ALLOW",
                "syscalls": [
                    {
                        "names": ["read"],
                        "action": "SCMP_ACT_ERRNO",
                        "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_XX"}],
                    }
                ],
            },
            "unknown seccomp operator SCMP_CMP_XX",
        ),
    ],
)
def test_what_is_not_known_is_refused_by_name(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        seccomp.compile_filter(document)


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(ValueError, match="SECCOMP_FILTER_FLAG_NEW_LISTENER"):
        seccomp.flags_of({"flags": ["SECCOMP_FILTER_FLAG_NEW_LISTENER"]})


def test_a_document_becomes_whole_bpf_instructions() -> None:
    document = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": [{"names": ["mount", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}],
    }

    program = seccomp.compile_filter(document)

    assert len(program) > 0
    assert len(program) % 8 == 0
