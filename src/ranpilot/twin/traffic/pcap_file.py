"""Packets of a pcap or pcapng file, as tcpdump and Wireshark write them: time, destination and length of each.

The length is that of the IP packet as sent (its own header says it, also where the capture kept the first bytes only):
a radio bearer carries no Ethernet header. Frames that are not IP (ARP, for instance) have no destination and count for
the time alone. In errors the number of the packet stands where text files have the line.
"""

from __future__ import annotations

import io
import ipaddress
import struct
from collections.abc import Iterator
from typing import NamedTuple

import dpkt
import numpy as np
from dpkt import pcap, pcapng

from ranpilot.errors import ConfigError, TraceError
from ranpilot.twin.traffic.protocol import FloatArray, Int64Array

__all__ = ["PcapPackets", "parse_pcap"]

_WHOLE = "a whole capture, as tcpdump and Wireshark write it"
_TIME_TOLERANCE_S = 1e-6
_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_IP_TYPES = (0x0800, 0x86DD)
_LINKTYPE_RAW, _LINKTYPE_IPV4, _LINKTYPE_IPV6 = 101, 228, 229
"""As files name them, on every platform."""
_HAS_NO_HEADER = (pcap.DLT_RAW, _LINKTYPE_RAW, _LINKTYPE_IPV4, _LINKTYPE_IPV6)
_HAS_FAMILY_ONLY = (pcap.DLT_NULL, pcap.DLT_LOOP)
_TYPE_AT = {pcap.DLT_EN10MB: 12, pcap.DLT_LINUX_SLL: 14, pcap.DLT_LINUX_SLL2: 0}
"""Where the EtherType stands in the headers of Ethernet and of Linux' cooked captures."""
_MODIFIED = (0xA1B2CD34, 0x34CDB2A1)
# What dpkt says of files that are none, or whose blocks contradict themselves.
_UNREADABLE = (ValueError, OverflowError, ZeroDivisionError, IndexError, struct.error, dpkt.Error)


class PcapPackets(NamedTuple):
    """The packets of a file, in its order."""

    time_s: FloatArray
    """[M], not decreasing; from any zero."""
    is_down: np.ndarray
    """[M], whether the packet goes to the phone."""
    length_bytes: Int64Array
    """[M], at least 1; 0 for what is not IP."""
    destinations: set[str]
    """Of all packets."""


def parse_pcap(content: bytes, source: str, phone: str) -> PcapPackets:
    """The packets in the bytes of a file. Raises ConfigError, TraceError with file and number of the packet."""
    try:
        wanted = ipaddress.ip_address(phone).packed
    except ValueError:
        raise ConfigError("phone", phone, "an IPv4 or IPv6 address") from None
    reader = _open(content, source)
    link = reader.datalink()
    if link not in (*_HAS_NO_HEADER, *_HAS_FAMILY_ONLY, *_TYPE_AT):
        allowed = "Ethernet, Linux cooked, loopback or raw IP"
        raise TraceError(source, 1, f"a capture of link type {link}", allowed)
    times: list[float] = []
    is_down: list[bool] = []
    lengths: list[int] = []
    seen: set[bytes] = set()
    for number, (stamp_s, frame) in enumerate(_frames(reader, source), start=1):
        times.append(_next_time(stamp_s, times[-1] if times else None, source, number))
        destination, length = _read_ip(_ip_of(frame, link), source, number)
        is_down.append(destination == wanted)
        lengths.append(length)
        if destination:
            seen.add(destination)
    if not times:
        raise TraceError(source, 1, "no packets", "at least one packet")
    names = {str(ipaddress.ip_address(destination)) for destination in seen}
    return PcapPackets(np.array(times), np.array(is_down), np.array(lengths, dtype=np.int64), names)


def _open(content: bytes, source: str) -> pcap.Reader | pcapng.Reader:
    """A reader of the file, which is known to be whole: dpkt itself says nothing of a last packet that is cut short."""
    try:
        reader = pcap.UniversalReader(io.BytesIO(content))
    except _UNREADABLE:
        raise TraceError(source, 1, "not a pcap or pcapng file", _WHOLE) from None
    check = _check_blocks if isinstance(reader, pcapng.Reader) else _check_records
    check(content, source)
    return reader


def _frames(reader: pcap.Reader | pcapng.Reader, source: str) -> Iterator[tuple[float, bytes]]:
    """Time and bytes of every packet."""
    number = 0
    try:
        for stamp, frame in reader:
            number += 1
            yield float(stamp), frame
    except _UNREADABLE:
        raise TraceError(source, number + 1, "a damaged packet", _WHOLE) from None


def _check_records(content: bytes, source: str) -> None:
    """Walk through the records of a pcap file."""
    magic = struct.unpack("<I", content[:4])[0]
    is_little = magic in (pcap.TCPDUMP_MAGIC, pcap.TCPDUMP_MAGIC_NANO, pcap.MODPCAP_MAGIC)
    header_bytes = 24 if magic in _MODIFIED else 16
    at, number = 24, 0
    while at < len(content):
        number += 1
        header = content[at : at + header_bytes]
        if len(header) == header_bytes:
            at += header_bytes + int(struct.unpack_from("<I" if is_little else ">I", header, 8)[0])
        if len(header) < header_bytes or at > len(content):
            raise TraceError(source, number, "a packet that is cut short", _WHOLE)


def _check_blocks(content: bytes, source: str) -> None:
    """Walk through the blocks of a pcapng file: one section and one interface, or times and links would be mixed up."""
    order = "<" if content[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
    at, packets = 0, 0
    seen: dict[int, int] = {}
    while at < len(content):
        kind, length = struct.unpack_from(f"{order}II", content, at) if at + 12 <= len(content) else (0, 0)
        end = at + length
        if length < 12 or length % 4 or end > len(content):
            raise TraceError(source, packets + 1, "a block that is cut short", _WHOLE)
        if struct.unpack_from(f"{order}I", content, end - 4)[0] != length:
            raise TraceError(source, packets + 1, "a damaged block", _WHOLE)
        seen[kind] = seen.get(kind, 0) + 1
        packets += kind in (pcapng.PCAPNG_BT_EPB, pcapng.PCAPNG_BT_PB)
        if kind == pcapng.PCAPNG_BT_SPB:
            raise TraceError(source, packets + 1, "a packet without a time", "packets with times")
        for block, name in ((pcapng.PCAPNG_BT_SHB, "section"), (pcapng.PCAPNG_BT_IDB, "interface")):
            if seen.get(block, 0) > 1:
                raise TraceError(source, packets + 1, f"a second {name}", f"a capture with one {name}")
        at = end


def _next_time(stamp_s: float, previous_s: float | None, source: str, number: int) -> float:
    if previous_s is None or stamp_s >= previous_s:
        return stamp_s
    if stamp_s < previous_s - _TIME_TOLERANCE_S:
        allowed = f"at least that of the packet before ({previous_s:.6f}; reordercap sorts a capture)"
        raise TraceError(source, number, f"time {stamp_s:.6f} s", allowed)
    return previous_s


def _ip_of(frame: bytes, link: int) -> bytes:
    """The IP packet in a frame, nothing where the frame is of another kind."""
    if link in _HAS_NO_HEADER:
        return frame
    if link in _HAS_FAMILY_ONLY:
        return frame[4:]
    at = _TYPE_AT[link]
    start = int(pcap.dltoff[link])
    if link == pcap.DLT_EN10MB:
        while int.from_bytes(frame[at : at + 2], "big") in _VLAN_TAGS:
            at += 4
            start += 4
    return frame[start:] if int.from_bytes(frame[at : at + 2], "big") in _IP_TYPES else b""


def _read_ip(packet: bytes, source: str, number: int) -> tuple[bytes, int]:
    """Destination and length of an IP packet; nothing and 0 for no packet."""
    if not packet:
        return b"", 0
    version = packet[0] >> 4
    if version not in (4, 6):
        raise TraceError(source, number, f"an IP packet of version {version}", "version 4 or 6")
    if len(packet) < (20 if version == 4 else 40):
        raise TraceError(source, number, "an IP header that is cut short", "captured whole (the first 96 bytes do)")
    if version == 4:
        length, destination = int.from_bytes(packet[2:4], "big"), packet[16:20]
    else:
        payload = int.from_bytes(packet[4:6], "big")
        length, destination = 40 + payload if payload else 0, packet[24:40]
    # A packet that the network card was to cut says 0: then as much as was captured.
    return destination, length or len(packet)
