from __future__ import annotations

import pytest

from wharf.build.dockerfile.mounts import Device, Mount, check_early, parse_device, parse_mount
from wharf.errors import InvalidArgument


def _same(text: str) -> str:
    return text


def test_every_field_is_read() -> None:
    found = parse_mount("type=cache,id=a,dst=/c,src=s,from=base,sharing=locked,mode=0750,uid=1,gid=2,ro", _same)

    assert found == Mount(
        "cache",
        from_="base",
        source="s",
        target="/c",
        read_only=True,
        id="a",
        sharing="locked",
        mode=0o750,
        uid=1,
        gid=2,
    )


def test_a_quoted_field_may_hold_a_comma_and_variables_are_replaced() -> None:
    found = parse_mount('"target=/a,b",rw', lambda text: text.upper())

    assert found == Mount(target="/A,B", read_only=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("type=cach", 'unsupported mount type "cach" (did you mean cache?)'),
        ("target", "invalid field 'target' must be a key=value pair"),
        ("tarket=/x", "unexpected key 'tarket' in 'tarket=/x' (did you mean target?)"),
        ("required", "unexpected key 'required' for mount type 'bind'"),
        ("size=1m", "unexpected key 'size' for mount type 'bind'"),
        ("type=tmpfs,size=x", "invalid value for size: x"),
        ("type=cache,mode=9", "invalid value 9 for mode"),
        ("mode=7", 'mode not allowed for "bind" type mounts'),
        ("type=secret", "invalid secret mount. one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "secret mount should not have a from"),
        ("sharing=locked", "invalid cache sharing set for bind mount"),
        ("ro=maybe", "invalid value for ro: maybe"),
    ],
)
def test_what_a_mount_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse_mount(text, _same)

    assert str(caught.value) == said


def test_from_takes_no_variable() -> None:
    with pytest.raises(InvalidArgument, match="doesn't support variable expansion"):
        check_early("from=$stage,target=/x")


def test_devices_are_named_first() -> None:
    assert parse_device("vendor.com/class=all,required") == Device("vendor.com/class=all", required=True)
    with pytest.raises(InvalidArgument, match="device name already set to a"):
        parse_device("a,name=b")
