# SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
"""Cells of ns-3 LTE with twenty users each, timed over stretches of one simulation; prints one JSON line.

Runs under an interpreter that has the PyPI wheel `ns3`; the one argument is the JSON that `benchmarks/peers.py` gives.
EPC with a remote host, constant-rate UDP down, RLC UM, proportional fair, HARQ and error models on, UMi path loss with
shadowing, each user in the cell that it finds strongest, ideal RRC without handover, 20 MHz at 2.68 GHz (it knows no
band at 3.5 GHz).
The wheel has no fading traces, so where fading is asked for one is made here: EPA (TS 36.104 Table B.2-1) at 3 km/h.
"""

from __future__ import annotations

import json
import math
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

DELAYS_NS = (0, 30, 70, 90, 110, 190, 410)
POWERS_DB = (0.0, -1.0, -2.0, -3.0, -8.0, -17.2, -20.8)
NUM_PRBS = 100
DL_EARFCN, UL_EARFCN, CARRIER_HZ = 3100, 21100, 2.68e9
SPEED_MPS = 3.0 / 3.6
PACKET_BITS = 12_000
HEADER_BYTES = 28
TRAFFIC_FROM_S = 0.3


def main() -> None:
    case = json.loads(sys.argv[1])
    from ns import ns

    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "epa.fad"
        if case["fading"]:
            write_fading(trace)
        print(json.dumps(simulate(ns, case, trace)))


def simulate(ns: Any, case: dict[str, Any], trace: Path) -> dict[str, Any]:
    """Wall and CPU seconds of each stretch after the warm-up, and how much of what was offered arrived."""
    lte, epc = make_helpers(ns, case, trace)
    remote = connect_host(ns, epc)
    users, addresses = place_cells(ns, case, lte, epc)
    sinks = start_traffic(ns, case, remote, users, addresses)
    advance(ns, case["warm_s"])
    begin_bytes = received(ns, sinks)
    wall_s, cpu_s = [], []
    for _ in range(case["repeats"]):
        wall, cpu = time.perf_counter(), time.process_time()
        advance(ns, case["seconds"])
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
    offered_bits = len(sinks) * case["rate_bps"] * case["seconds"] * case["repeats"]
    return {
        "cell_ms": len(case["sites"]) * case["seconds"] * 1e3,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "delivered_percent": 100.0 * (received(ns, sinks) - begin_bytes) * 8 / offered_bits,
    }


def make_helpers(ns: Any, case: dict[str, Any], trace: Path) -> tuple[Any, Any]:
    """The helpers of LTE and of its core network."""
    ns.RngSeedManager.SetSeed(case["seed"] + 1)
    ns.Config.SetDefault("ns3::LteEnbPhy::TxPower", ns.DoubleValue(case["power_dbm"]))
    ns.Config.SetDefault("ns3::LteUePhy::NoiseFigure", ns.DoubleValue(9.0))
    lte, epc = ns.CreateObject[ns.LteHelper](), ns.CreateObject[ns.PointToPointEpcHelper]()
    lte.SetEpcHelper(epc)
    lte.SetSchedulerType("ns3::PfFfMacScheduler")
    lte.SetHandoverAlgorithmType("ns3::NoOpHandoverAlgorithm")
    lte.SetPathlossModelType(ns.TypeId.LookupByName("ns3::ThreeGppUmiStreetCanyonPropagationLossModel"))
    numbers = {"DlBandwidth": NUM_PRBS, "UlBandwidth": NUM_PRBS, "DlEarfcn": DL_EARFCN, "UlEarfcn": UL_EARFCN}
    for name, number in numbers.items():
        lte.SetEnbDeviceAttribute(name, ns.UintegerValue(number))
    lte.SetUeDeviceAttribute("DlEarfcn", ns.UintegerValue(DL_EARFCN))
    if case["fading"]:
        lte.SetFadingModel("ns3::TraceFadingLossModel")
        lte.SetFadingModelAttribute("TraceFilename", ns.StringValue(str(trace)))
        lte.SetFadingModelAttribute("TraceLength", ns.TimeValue(ns.Seconds(10.0)))
        lte.SetFadingModelAttribute("SamplesNum", ns.UintegerValue(10_000))
        lte.SetFadingModelAttribute("WindowSize", ns.TimeValue(ns.Seconds(0.5)))
        lte.SetFadingModelAttribute("RbNum", ns.UintegerValue(NUM_PRBS))
    return lte, epc


def connect_host(ns: Any, epc: Any) -> Any:
    """A remote host behind the gateway."""
    hosts = ns.NodeContainer()
    hosts.Create(1)
    ns.InternetStackHelper().Install(hosts)
    wire = ns.PointToPointHelper()
    wire.SetDeviceAttribute("DataRate", ns.DataRateValue(ns.DataRate("100Gb/s")))
    wire.SetDeviceAttribute("Mtu", ns.UintegerValue(2000))
    wire.SetChannelAttribute("Delay", ns.TimeValue(ns.MilliSeconds(1)))
    link = wire.Install(epc.GetPgwNode(), hosts.Get(0))
    addresses = ns.Ipv4AddressHelper()
    addresses.SetBase(ns.Ipv4Address("1.0.0.0"), ns.Ipv4Mask("255.0.0.0"))
    addresses.Assign(link)
    routes = ns.Ipv4StaticRoutingHelper().GetStaticRouting(hosts.Get(0).GetObject[ns.Ipv4]())
    routes.AddNetworkRouteTo(ns.Ipv4Address("7.0.0.0"), ns.Ipv4Mask("255.0.0.0"), 1)
    return hosts.Get(0)


def place_cells(ns: Any, case: dict[str, Any], lte: Any, epc: Any) -> tuple[Any, Any]:
    """Sites with walking users around them, in the cells that they find strongest; returns users and addresses."""
    draw, per_cell = random.Random(case["seed"]), case["ues_per_cell"]
    stations, users = ns.NodeContainer(), ns.NodeContainer()
    stations.Create(len(case["sites"]))
    users.Create(per_cell * len(case["sites"]))
    mobility = ns.MobilityHelper()
    mobility.SetMobilityModel("ns3::ConstantPositionMobilityModel")
    mobility.Install(stations)
    mobility.SetMobilityModel("ns3::ConstantVelocityMobilityModel")
    mobility.Install(users)
    for cell, (x_m, y_m) in enumerate(case["sites"]):
        stations.Get(cell).GetObject[ns.MobilityModel]().SetPosition(ns.Vector(x_m, y_m, 10.0))
        for ue in range(cell * per_cell, (cell + 1) * per_cell):
            radius_m = math.sqrt(draw.uniform(10.0**2, case["radius_m"] ** 2))
            angle, heading = draw.uniform(0.0, math.tau), draw.uniform(0.0, math.tau)
            model = users.Get(ue).GetObject[ns.ConstantVelocityMobilityModel]()
            model.SetPosition(ns.Vector(x_m + radius_m * math.cos(angle), y_m + radius_m * math.sin(angle), 1.5))
            model.SetVelocity(ns.Vector(SPEED_MPS * math.cos(heading), SPEED_MPS * math.sin(heading), 0.0))
    lte.InstallEnbDevice(stations)
    devices = lte.InstallUeDevice(users)
    ns.InternetStackHelper().Install(users)
    addresses = epc.AssignUeIpv4Address(devices)
    routing = ns.Ipv4StaticRoutingHelper()
    for ue in range(users.GetN()):
        routes = routing.GetStaticRouting(users.Get(ue).GetObject[ns.Ipv4]())
        routes.SetDefaultRoute(epc.GetUeDefaultGatewayAddress(), 1)
    lte.Attach(devices)
    return users, addresses


def start_traffic(ns: Any, case: dict[str, Any], remote: Any, users: Any, addresses: Any) -> list[Any]:
    """A stream of packets to each user, out of step with the others; returns what receives them."""
    draw, interval_s = random.Random(case["seed"] + 1), PACKET_BITS / case["rate_bps"]
    sinks = []
    for ue in range(users.GetN()):
        port = 1000 + ue
        here = ns.InetSocketAddress(ns.Ipv4Address.GetAny(), port).ConvertTo()
        sink = ns.PacketSinkHelper("ns3::UdpSocketFactory", here).Install(users.Get(ue))
        sink.Start(ns.Seconds(0.0))
        sinks.append(sink)
        source = ns.UdpClientHelper(ns.InetSocketAddress(addresses.GetAddress(ue), port).ConvertTo())
        source.SetAttribute("MaxPackets", ns.UintegerValue(2**32 - 1))
        source.SetAttribute("PacketSize", ns.UintegerValue(PACKET_BITS // 8 - HEADER_BYTES))
        source.SetAttribute("Interval", ns.TimeValue(ns.Seconds(interval_s)))
        source.Install(remote).Start(ns.Seconds(TRAFFIC_FROM_S + draw.uniform(0.0, interval_s)))
    return sinks


def advance(ns: Any, seconds: float) -> None:
    ns.Simulator.Stop(ns.Seconds(seconds))
    ns.Simulator.Run()


def received(ns: Any, sinks: list[Any]) -> float:
    """Bytes that arrived at all users so far, headers counted."""
    share = PACKET_BITS / 8 / (PACKET_BITS / 8 - HEADER_BYTES)
    return float(share * sum(sink.Get(0).GetObject[ns.PacketSink]().GetTotalRx() for sink in sinks))


def write_fading(path: Path) -> None:
    """Ten seconds of gains in dB, a line for each PRB and a number for each millisecond."""
    draw = np.random.default_rng(1)
    power = 10.0 ** (np.array(POWERS_DB) / 10.0)
    paths = 16
    angle, phase = draw.uniform(0.0, 2.0 * np.pi, (2, len(power), paths, 1))
    doppler_hz = SPEED_MPS * CARRIER_HZ / 3e8 * np.cos(angle)
    waves = np.exp(1j * (2.0 * np.pi * doppler_hz * np.arange(10_000) * 1e-3 + phase)).sum(axis=1)
    taps = waves * np.sqrt(power / power.sum() / paths)[:, None]
    frequency_hz = (np.arange(NUM_PRBS) - (NUM_PRBS - 1) / 2.0) * 180e3
    gain = np.exp(-2j * np.pi * frequency_hz[:, None] * np.array(DELAYS_NS) * 1e-9) @ taps
    np.savetxt(path, 20.0 * np.log10(np.abs(gain)), fmt="%.2f")


if __name__ == "__main__":
    main()
