"""Captures as pcap and pcapng: the same downlink as from CSV, and every sentence that refuses one."""

from __future__ import annotations

import io
import socket
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from dpkt import ethernet, ip, ip6, pcap, pcapng, udp
from hypothesis import given, settings
from hypothesis import strategies as st

from ranpilot import cli
from ranpilot.errors import ConfigError, InputError, TraceError
from ranpilot.twin.traffic.capture import parse_capture
from ranpilot.twin.traffic.replay_file import load_replay

PHONE, SERVER, PHONE_6 = "10.0.0.2", "93.184.216.34", "2001:db8::2"
WHOLE = "a whole capture, as tcpdump and Wireshark write it"
Frames = list[tuple[float, bytes]]


def ip_packet(to: str, payload: int) -> bytes:
    data = udp.UDP(sport=1, dport=2, ulen=8 + payload, data=bytes(payload))
    if ":" in to:
        address = socket.inet_pton(socket.AF_INET6, to)
        return bytes(ip6.IP6(src=address, dst=address, nxt=ip.IP_PROTO_UDP, plen=8 + payload, data=data))
    source, destination = socket.inet_aton(SERVER), socket.inet_aton(to)
    return bytes(ip.IP(src=source, dst=destination, p=ip.IP_PROTO_UDP, len=28 + payload, data=data))


def in_ethernet(packet: bytes, vlan: bool = False) -> bytes:
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    tag = struct.pack(">HH", 0x8100, 7) if vlan else b""
    return bytes(12) + tag + struct.pack(">H", kind) + packet


def example(*, to: str = PHONE, vlan: bool = False) -> Frames:
    """120 packets to the phone with one back after each, and ARP at both ends."""
    arp = bytes(12) + struct.pack(">H", ethernet.ETH_TYPE_ARP) + bytes(46)
    frames = [(1000.0, arp)]
    for number in range(120):
        frames.append((1001.0 + 0.1 * number, in_ethernet(ip_packet(to, 100 + number), vlan)))
        frames.append((1001.05 + 0.1 * number, in_ethernet(ip_packet(SERVER, 20), vlan)))
    return [*frames, (1014.0, arp)]


def as_pcap(frames: Frames, link: int = pcap.DLT_EN10MB, *, nano: bool = False) -> bytes:
    file = io.BytesIO()
    writer = pcap.Writer(file, linktype=link, nano=nano)
    for time_s, frame in frames:
        writer.writepkt(frame, time_s)
    return file.getvalue()


def as_pcapng(frames: Frames) -> bytes:
    file = io.BytesIO()
    writer = pcapng.Writer(file)
    for time_s, frame in frames:
        writer.writepkt(frame, time_s)
    return file.getvalue()


@pytest.mark.parametrize("vlan", [False, True])
@pytest.mark.parametrize("form", ["pcap", "nano", "pcapng"])
def test_a_pcap_gives_what_the_same_capture_gives_as_csv(form: str, vlan: bool) -> None:
    frames = example(vlan=vlan)
    content = as_pcapng(frames) if form == "pcapng" else as_pcap(frames, nano=form == "nano")
    found = parse_capture(content, f"c.{form}", phone=PHONE)
    lines = ["Time,Source,Destination,Length", "0,a,-,60"]
    for number in range(120):
        lines.append(f"{1 + 0.1 * number},b,{PHONE},{128 + number}")
        lines.append(f"{1.05 + 0.1 * number},c,{SERVER},48")
    expected = parse_capture("\n".join([*lines, "14,a,-,60"]).encode(), "c.csv", phone=PHONE)
    assert found.time_s == pytest.approx(expected.time_s, abs=2e-6)
    assert np.array_equal(found.bits, expected.bits)
    assert found.duration_s == pytest.approx(expected.duration_s, abs=2e-6) == 14.0


@pytest.mark.parametrize(
    ("link", "before"),
    [
        (101, b""),
        (pcap.DLT_NULL, struct.pack("<I", 2)),
        (pcap.DLT_LINUX_SLL, bytes(14) + struct.pack(">H", 0x0800)),
        (pcap.DLT_LINUX_SLL2, struct.pack(">H", 0x0800) + bytes(18)),
    ],
)
def test_other_link_types_hold_the_same_packets(link: int, before: bytes) -> None:
    frames = [(0.1 * number, before + ip_packet(PHONE, 72)) for number in range(120)]
    capture = parse_capture(as_pcap(frames, link), "c.pcap", phone=PHONE)
    assert capture.bits.tolist() == [800] * 120


def test_a_phone_may_have_an_ipv6_address_in_any_spelling() -> None:
    capture = parse_capture(as_pcap(example(to=PHONE_6)), "c.pcap", phone="2001:0db8:0:0::2")
    assert capture.bits[:2].tolist() == [8 * 148, 8 * 149]


def test_a_packet_counts_whole_where_only_its_first_bytes_were_captured() -> None:
    frames = [(time_s, frame[:96]) for time_s, frame in example()]
    assert parse_capture(as_pcap(frames), "c.pcap", phone=PHONE).bits[-1] == 8 * (28 + 219)


def test_a_long_silence_is_cut_as_in_csv() -> None:
    late = [(time_s + 200.0, frame) for time_s, frame in example()]
    capture = parse_capture(as_pcap([*example(), *late]), "c.pcap", phone=PHONE, cut_idle_s=60.0)
    assert len(capture.piece_start_s) == 2
    assert capture.duration_s == pytest.approx(28.0)


def broken(kind: str) -> bytes:
    """A capture that is wrong in one place."""
    frames, whole = example(), as_pcap(example())
    blocks = as_pcapng(example())
    interface = blocks[28 : 28 + struct.unpack("<I", blocks[32:36])[0]]
    return {
        "empty": b"\xd4\xc3\xb2\xa1",
        "other": b"PK\x03\x04" + bytes(100),
        "no packets": as_pcap([]),
        "cut": whole[:-5],
        "cut header": whole + bytes(3),
        "cut block": blocks[:-5],
        "damaged block": blocks[:-1] + b"\x01",
        "two interfaces": blocks + interface,
        "two sections": blocks + blocks,
        "link": as_pcap(frames, link=105),
        "time": as_pcap([*frames, (1013.9, frames[1][1])]),
        "version": as_pcap([*frames, (1014.0, in_ethernet(b"\x75" + bytes(40)))]),
        "ip header": as_pcap([*frames, (1014.0, in_ethernet(ip_packet(PHONE, 4))[:30])]),
        "few": as_pcap(frames[:100]),
        "short": as_pcap([(time_s / 100.0, frame) for time_s, frame in frames]),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", f"c.pcap:1: not a pcap or pcapng file, but must be {WHOLE}."),
        ("other", f"c.pcap:1: not a pcap or pcapng file, but must be {WHOLE}."),
        ("no packets", "c.pcap:1: no packets, but must be at least one packet."),
        ("cut", f"c.pcap:242: a packet that is cut short, but must be {WHOLE}."),
        ("cut header", f"c.pcap:243: a packet that is cut short, but must be {WHOLE}."),
        ("cut block", f"c.pcap:242: a block that is cut short, but must be {WHOLE}."),
        ("damaged block", f"c.pcap:242: a damaged block, but must be {WHOLE}."),
        ("two interfaces", "c.pcap:243: a second interface, but must be a capture with one interface."),
        ("two sections", "c.pcap:243: a second section, but must be a capture with one section."),
        (
            "link",
            "c.pcap:1: a capture of link type 105, but must be Ethernet, Linux cooked, loopback or raw IP.",
        ),
        (
            "time",
            "c.pcap:243: time 1013.900000 s, but must be at least that of the packet before (1014.000000; "
            "reordercap sorts a capture).",
        ),
        ("version", "c.pcap:243: an IP packet of version 7, but must be version 4 or 6."),
        (
            "ip header",
            "c.pcap:243: an IP header that is cut short, but must be captured whole (the first 96 bytes do).",
        ),
        ("few", "c.pcap:100: too short: 50 packets to the phone 10.0.0.2, but must be at least 100."),
        ("short", "c.pcap:242: too short: 0.14 s, but must be at least 10 s."),
    ],
)
def test_a_broken_capture_is_refused_with_file_and_packet(kind: str, message: str) -> None:
    with pytest.raises(TraceError) as caught:
        parse_capture(broken(kind), "c.pcap", phone=PHONE)
    assert str(caught.value) == message


def test_a_phone_that_gets_nothing_or_has_no_address_is_refused() -> None:
    with pytest.raises(TraceError) as caught:
        parse_capture(as_pcap(example()), "c.pcap", phone="10.0.0.9")
    assert str(caught.value) == (
        "c.pcap:242: phone 10.0.0.9 receives no packet, but must be one of the destinations (10.0.0.2, 93.184.216.34)."
    )
    with pytest.raises(ConfigError) as unnamed:
        parse_capture(as_pcap(example()), "c.pcap", phone="my phone")
    assert str(unnamed.value) == "phone = 'my phone', but must be an IPv4 or IPv6 address."


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["pcap", "pcapng"]), st.data())
def test_a_damaged_capture_is_read_or_refused(form: str, data: st.DataObject) -> None:
    """Some bytes of it are others, or it ends too early."""
    content = bytearray(as_pcapng(example()) if form == "pcapng" else as_pcap(example()))
    for _ in range(data.draw(st.integers(1, 4))):
        # Half of the damage is at the beginning, where one byte decides most.
        at = data.draw(st.integers(0, 200) | st.integers(0, len(content) - 1))
        content[at] = data.draw(st.sampled_from([0, 1, 127, 255]) | st.integers(0, 255))
    content = content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))]
    try:
        capture = parse_capture(bytes(content), f"c.{form}", phone=PHONE)
    except InputError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
    else:
        assert (np.diff(capture.time_s) >= 0).all() and (capture.bits > 0).all()
        assert np.isfinite(capture.duration_s)


def test_the_commands_take_a_pcap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "walk.pcap", tmp_path / "walk.npz"
    path.write_bytes(as_pcap(example()))
    monkeypatch.setattr(sys, "argv", ["ranpilot", "traffic", "replay", str(path), "--out", str(out), "--phone", PHONE])
    assert cli.main() == 0
    assert len(load_replay(out).bits) == 120
    path.write_bytes(as_pcap(example())[:-1])
    for command in (["replay", str(path), "--out", str(out)], ["fit", str(path)]):
        monkeypatch.setattr(sys, "argv", ["ranpilot", "traffic", *command, "--phone", PHONE])
        assert cli.main() == 2
        assert capsys.readouterr().err == f"error: {path}:242: a packet that is cut short, but must be {WHOLE}.\n"
