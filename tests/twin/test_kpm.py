"""Measurements: names, units, bounds, tables, and a row computed by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ranpilot.declare import Measurement
from ranpilot.errors import UnknownNameError
from ranpilot.twin import Networks, kpm, state
from ranpilot.twin.frames import COLUMNS, tidy
from ranpilot.twin.scenario import Scenario
from ranpilot.twin.slice_columns import NUM_SLICE_COUNTERS
from ranpilot.twin.stays import Stays

MakeScenario = Callable[..., Scenario]

ROWS = [
    "RRU.PrbTotDl [%] cell 0..100",
    "RRU.PrbUsedDl [PRB] cell 0..275",
    "DRB.PdcpSduVolumeDL [Mbit] cell 0..1e+06",
    "DRB.UEThpDl [kbit/s] cell 0..1e+07",
    "DRB.MeanActiveUeDl [UE] cell 0..1000",
    "DRB.RlcSduDelayDl [0.1 ms] cell 0..600000",
    "RP.RlcSduDelayDl.P95 [0.1 ms] cell 0..600000",
    "DRB.RlcPacketDropRateDl [1e-6] cell 0..1e+06",
    "DRB.PacketLossRateUu [1e-6] cell 0..1e+06",
    "RRC.ConnMean [UE] cell 0..1000",
    "CARR.WBCQIDist.Mean [index] cell 0..15",
    "RRC.ConnEstabAtt [1] cell 0..1e+06",
    "RRC.ConnEstabFailCause.NetworkReject [1] cell 0..1e+06",
    "RP.Departures [1] cell 0..1e+06",
    "RP.Releases [1] cell 0..1e+06",
    "RP.RadioLinkFailures [1] cell 0..1e+06",
    "MM.HoPrepInterReq [1] cell 0..1e+06",
    "MM.HoPrepInterFail [1] cell 0..1e+06",
    "RP.HoPrepCut [1] cell 0..1e+06",
    "MM.HoExeInterReq [1] cell 0..1e+06",
    "MM.HoExeInterSucc [1] cell 0..1e+06",
    "MM.HoExeInterFail [1] cell 0..1e+06",
    "RP.HandoversIn [1] cell 0..1e+06",
    "MM.HoExeInterReq.TimeMean [ms] cell 0..100000",
    "RP.HoPingPong [1] cell 0..1e+06",
    "HO.IntraSys.TooLate [1] cell 0..1e+06",
    "HO.IntraSys.TooEarly [1] cell 0..1e+06",
    "HO.IntraSys.ToWrongCell [1] cell 0..1e+06",
    "RP.ReEstabSearches [1] cell 0..1e+06",
    "RP.T311Expiries [1] cell 0..1e+06",
    "RRC.ReEstabSuccWithUeContext [1] cell 0..1e+06",
    "RP.ReEstabTimeMean [ms] cell 0..1e+06",
    "RP.InitialBlerDl [%] cell 0..100",
    "TB.TotNbrDlInitial [1] cell 0..1e+09",
    "TB.IntialErrNbrDl [1] cell 0..1e+09",
    "TB.TotNbrDl [1] cell 0..1e+09",
    "TB.ErrTotNbrDl [1] cell 0..1e+09",
    "TB.ResidualErrNbrDl [1] cell 0..1e+09",
    "RP.TxPower [dBm] cell -10..60",
    "L1M.SS-SINR.Mean [dB] cell -60..60",
    "PEE.Energy [kWh] cell 0..1e+06",
    "PEE.AvgPower [W] cell 0..1e+06",
    "RP.EnergyEfficiency [bit/J] cell 0..1e+12",
    "RP.TimeOnAir [%] cell 0..100",
    "RP.BackhaulDelayDl [0.1 ms] cell 0..1e+08",
    "RP.BackhaulLossDl [1] cell 0..1e+09",
    "RP.PrbTotDl.SNSSAI [%] slice 0..100",
    "RRU.PrbUsedDl.SNSSAI [PRB] slice 0..275",
    "DRB.PdcpSduVolumeDL.SNSSAI [Mbit] slice 0..1e+06",
    "RP.OfferedVolumeDl.SNSSAI [Mbit] slice 0..1e+06",
    "RP.ServedShareDl.SNSSAI [%] slice 0..100",
    "DRB.UEThpDl.SNSSAI [kbit/s] slice 0..1e+07",
    "RP.UEThpDl.P5.SNSSAI [kbit/s] slice 0..1e+07",
    "DRB.RlcSduDelayDl.SNSSAI [0.1 ms] slice 0..600000",
    "RP.RlcSduDelayDl.P95.SNSSAI [0.1 ms] slice 0..600000",
    "RP.RlcSduOnTimeDl.SNSSAI [%] slice 0..100",
    "DRB.RlcPacketDropRateDl.SNSSAI [1e-6] slice 0..1e+06",
    "DRB.PacketLossRateUu.SNSSAI [1e-6] slice 0..1e+06",
    "RP.ConnMean.SNSSAI [UE] slice 0..1000",
    "DRB.MeanActiveUeDl.SNSSAI [UE] slice 0..1000",
    "RP.BacklogDl.SNSSAI [Mbit] slice 0..1e+06",
    "DRB.UEThpDl.UE [kbit/s] ue 0..1e+07",
    "DRB.RlcSduDelayDl.UE [0.1 ms] ue 0..600000",
    "DRB.RlcPacketDropRateDl.UE [1e-6] ue 0..1e+06",
    "DRB.PdcpSduVolumeDL.UE [Mbit] ue 0..1e+06",
    "RRU.PrbUsedDl.UE [PRB] ue 0..275",
    "RP.RadioLinkFailures.UE [1] ue 0..1e+06",
    "MM.HoExeInterSucc.UE [1] ue 0..1e+06",
    "MM.HoPrepInterFail.UE [1] ue 0..1e+06",
    "MM.HoExeInterReq.UE [1] ue 0..1e+06",
    "MM.HoExeInterFail.UE [1] ue 0..1e+06",
    "RP.HoPingPong.UE [1] ue 0..1e+06",
    "RRC.ReEstabSuccWithUeContext.UE [1] ue 0..1e+06",
    "L1M.SS-RSRP.UE [dBm] ue -156..-31",
    "L1M.SS-SINR.UE [dB] ue -60..60",
    "L1M.SS-SINR.Link [dB] link -60..60",
    "L1M.SS-RSRP.Link [dBm] link -156..-31",
]


def test_the_declarations_are_the_golden_ones() -> None:
    rows = [f"{m.name} [{m.unit}] {m.scope} {m.low:g}..{m.high:g}" for m in kpm.MEASUREMENTS]
    assert rows == ROWS


def test_every_measurement_says_how_it_is_computed_and_whose_it_is() -> None:
    for measurement in kpm.MEASUREMENTS:
        assert measurement.formula and measurement.description, measurement.name
        is_standard = re.fullmatch(r"TS 28\.552 §5(\.\d+){3,6}", measurement.source) is not None
        assert is_standard or measurement.source == "ranpilot", measurement.name
        assert not (is_standard and measurement.name.startswith("RP.")), measurement.name
        assert measurement.name.endswith(".UE") == (measurement.scope == "ue"), measurement.name
        assert measurement.name.endswith(".SNSSAI") == (measurement.scope == "slice"), measurement.name


@pytest.mark.parametrize(("scope", "suffix"), [("ue", ".UE"), ("slice", ".SNSSAI")])
def test_the_declarations_of_one_quantity_for_a_cell_and_a_part_of_it_agree(scope: str, suffix: str) -> None:
    by_name = {measurement.name: measurement for measurement in kpm.MEASUREMENTS}
    pairs = [
        (by_name[name.removesuffix(suffix)], m)
        for name, m in by_name.items()
        if m.scope == scope and name.removesuffix(suffix) in by_name
    ]
    assert len(pairs) > 7
    for cell, part in pairs:
        same = (cell.unit, cell.low, cell.high, cell.better, cell.source, cell.differs)
        assert same == (part.unit, part.low, part.high, part.better, part.source, part.differs), part.name


def test_every_measurement_has_its_scopes_shape_and_lies_in_its_bounds(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 3, seed=0)
    networks.advance(600)
    measured = networks.measure()
    shapes = {"cell": (3, 2), "slice": (3, 2, 0), "ue": (3, 6), "link": (3, 6, 2)}
    for measurement in kpm.MEASUREMENTS:
        value = measured[measurement.name]
        assert value.dtype == np.float64, measurement.name
        assert value.shape == shapes[measurement.scope], measurement.name
        if measurement.unit != "dB":
            assert (value >= measurement.low).all(), measurement.name
            assert (value <= measurement.high).all(), measurement.name


def test_a_measurement_covers_the_time_since_the_last_one(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    volumes = []
    for _ in range(3):
        networks.advance(200)
        volumes.append(networks.measure()[kpm.VOLUME.name])
    np.testing.assert_allclose(sum(volumes), networks.counters().cell[..., state.CELL_BITS_OUT] * 1e-6)
    assert all((networks.measure()[m.name] == 0).all() for m in (kpm.VOLUME, kpm.PRB_USE, kpm.PACKET_DELAY))


def test_users_add_up_to_their_cells(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    networks.advance(700)
    serving = networks.ues.serving_cell
    measured = networks.measure()
    assert (networks.counters().ue[..., state.UE_FAILURES] == 0).all()
    for cell_kpm, ue_kpm in ((kpm.VOLUME, kpm.UE_VOLUME), (kpm.PRB_MEAN, kpm.UE_PRB_MEAN)):
        total = [np.where(serving == cell, measured[ue_kpm.name], 0).sum(axis=1) for cell in range(2)]
        np.testing.assert_allclose(measured[cell_kpm.name], np.stack(total, axis=1))


def _window(num_cells: int = 1, **changes: Any) -> kpm.Window:
    """1000 slots of 0.5 ms in which nothing was counted; the first of two places is taken."""
    ue = changes.pop("ue", np.zeros((1, 2, state.NUM_UE_COUNTERS)))
    links = np.full((1, ue.shape[1], num_cells), np.nan)
    return kpm.Window(
        ue=ue,
        cell=np.zeros((1, num_cells, state.NUM_CELL_COUNTERS)),
        delay=np.zeros((1, num_cells, state.DELAY_BINS), np.int64),
        quality=np.zeros((1, num_cells, state.NUM_QUALITY_BINS), np.int64),
        slices=np.zeros((1, num_cells, 0, NUM_SLICE_COUNTERS)),
        slice_delay=np.zeros((1, num_cells, 0, state.DELAY_BINS), np.int64),
        slice_slots=np.zeros((1, 0), np.int64),
        member=ue[..., [state.UE_BITS_OUT, state.UE_BUSY_SLOTS]],
        seat=np.zeros((1, 2), np.int64),
        serving_cell=np.array([[0, -1]]),
        backlog_bits=np.zeros((1, 2), np.int64),
        ue_sinr_db=links[..., 0],
        link_sinr_db=links,
        link_rsrp_dbm=links,
        tx_power_dbm=np.full((1, num_cells), 40.0),
        energy_j=np.zeros((1, num_cells)),
        num_slots=1000,
        slot_s=5e-4,
        num_prbs=24,
    )._replace(**changes)


def test_a_row_of_measurements_follows_from_its_counters() -> None:
    cell = np.zeros((1, 1, state.NUM_CELL_COUNTERS), np.int64)
    for column, value in {
        state.CELL_PRBS: 12_000,
        state.CELL_BITS_OUT: 3_000_000,
        state.CELL_BUSY_SLOTS: 1500,
        state.CELL_PACKETS_IN: 300,
        state.CELL_PACKETS_OUT: 250,
        state.CELL_PACKETS_DROPPED: 30,
        state.CELL_PACKETS_LOST: 5,
        state.CELL_DELAY_SLOTS: 2000,
        state.CELL_FIRST_BLOCKS: 400,
        state.CELL_FIRST_ERRORS: 40,
        state.CELL_CONNECTED_SUM: 2500,
        state.CELL_HANDOVERS_OUT: 4,
        state.CELL_HANDOVER_SLOTS: 500,
        state.CELL_REESTABLISHMENTS: 2,
        state.CELL_REESTABLISHMENT_SLOTS: 1300,
    }.items():
        cell[0, 0, column] = value
    delay = np.zeros((1, 1, state.DELAY_BINS), np.int64)
    delay[0, 0, 0], delay[0, 0, 11] = 240, 10
    window = _window(
        cell=cell.astype(np.float64),
        delay=delay,
        ue_sinr_db=np.array([[7.0, np.nan]]),
        link_sinr_db=np.array([[[7.0], [np.nan]]]),
        link_rsrp_dbm=np.array([[[-90.0], [np.nan]]]),
    )
    row = {
        kpm.PRB_USE: 50.0,
        kpm.PRB_MEAN: 12.0,
        kpm.VOLUME: 3.0,
        kpm.ACTIVE_MEAN: 1.5,
        kpm.CELL_THROUGHPUT: 3e6 / (1500 * 5e-4) / 1e3,
        kpm.PACKET_DELAY: 2000 / 250 * 5.0,
        kpm.PACKET_DELAY_P95: 5.0,
        kpm.PACKET_DROP_RATE: 30 / 285 * 1e6,
        kpm.PACKET_LOSS_RATE: 5 / 255 * 1e6,
        kpm.CONNECTED_MEAN: 2.5,
        kpm.INITIAL_BLER: 10.0,
        kpm.FIRST_BLOCKS: 400,
        kpm.FIRST_ERRORS: 40,
        kpm.SINR_MEAN: 7.0,
        kpm.HANDOVER_TIME: 62.5,
        kpm.REESTABLISHMENT_TIME: 325.0,
        kpm.UE_RSRP: -90.0,
    }
    for measurement, expected in row.items():
        assert kpm.MEASUREMENTS[measurement](window)[0, 0] == pytest.approx(expected), measurement.name


def test_the_delay_histogram_holds_every_delivered_packet(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    networks.advance(800)
    edges_ms, packets = networks.delay_histogram()
    assert (np.diff(edges_ms) >= 0).all()
    counted = networks.counters().cell
    np.testing.assert_array_equal(packets.sum(axis=-1), counted[..., state.CELL_PACKETS_OUT])
    below = np.concatenate([[0.0], edges_ms[:-1]])
    lower, upper = (packets * below).sum(axis=-1), (packets * edges_ms).sum(axis=-1)
    assert (lower <= counted[..., state.CELL_DELAY_SLOTS]).all()
    assert (counted[..., state.CELL_DELAY_SLOTS] <= upper).all()


def test_histograms_of_quality_hold_every_report_and_every_prb(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    begin = networks.mark()
    networks.advance(800)
    networks.measure()
    counted, found = networks.counters().cell, networks.histograms(since=begin)
    cqi, prbs = found[kpm.CQI_HISTOGRAM.name], found[kpm.MCS_HISTOGRAM.name]
    assert (cqi.shape[-1], prbs.shape[-1]) == (16, 32)
    np.testing.assert_array_equal(cqi.sum(axis=-1), counted[..., state.CELL_CQI_REPORTS])
    np.testing.assert_array_equal(cqi @ np.arange(16), counted[..., state.CELL_CQI_SUM])
    np.testing.assert_array_equal(prbs.sum(axis=-1), counted[..., state.CELL_PRBS])
    assert prbs.sum() > 0 and (counted[..., state.CELL_BLOCKS] > counted[..., state.CELL_FIRST_BLOCKS]).all()
    assert all((values == 0).all() for values in networks.histograms().values())


def test_a_fixed_mcs_has_all_prbs(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario({"link": {"fixed_mcs": 10}}), 1, seed=0)
    networks.advance(200)
    prbs = networks.histograms()[kpm.MCS_HISTOGRAM.name]
    assert np.flatnonzero(prbs.sum(axis=(0, 1))).tolist() == [10]


def test_users_with_data_are_binned_by_their_throughput_where_they_are_served() -> None:
    """Slots of 0.5 ms: 1000 busy slots are half a second. The second cell serves nobody who had data."""
    bits, busy = [10_000, 10_001, 9e9, 0, 500, 700], [1000, 1000, 1000, 10, 0, 1000]
    ue = np.zeros((1, 6, state.NUM_UE_COUNTERS))
    ue[0, :, state.UE_BITS_OUT], ue[0, :, state.UE_BUSY_SLOTS] = bits, busy
    window = _window(ue=ue, serving_cell=np.array([[0, 0, 0, 0, 1, -1]]), num_cells=2)
    counts = kpm.count_bins(window)[kpm.THROUGHPUT_HISTOGRAM.name]
    edges = kpm.bin_edges(window.slot_s)[kpm.THROUGHPUT_HISTOGRAM.name]
    assert counts.shape == (1, 2, len(edges))
    assert {edges[index]: counts[0, 0, index] for index in np.flatnonzero(counts[0, 0])} == {
        10: 1,
        20: 1,
        50: 1,
        np.inf: 1,
    }
    assert counts[0, 1].sum() == 0


def test_every_histogram_has_as_many_edges_as_bins(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0)
    edges, counts = kpm.bin_edges(networks.scenario.slot_s), networks.histograms()
    assert list(edges) == list(counts) == [distribution.name for distribution in kpm.HISTOGRAMS]
    for distribution in kpm.HISTOGRAMS:
        assert counts[distribution.name].shape == (2, 2, len(edges[distribution.name]))
        assert (np.diff(edges[distribution.name]) > 0).all()
        assert re.fullmatch(r"TS 28\.552 §5(\.\d+){4,5}", distribution.source)
        assert distribution.formula and distribution.bins


def test_the_frame_is_tidy(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, seed=0, first_network=5)
    networks.advance(100)
    kept = networks.fork(1)
    frame, values = networks.measure_frame(), kept.measure()
    assert tuple(frame.columns) == COLUMNS
    assert set(frame["start_s"]) == {0.0} and set(frame["end_s"]) == {0.1}
    assert set(frame["network"]) == {5, 6}
    assert not frame.duplicated(["network", "cell", "slice", "ue", "kpm"]).any()
    link = frame[(frame["kpm"] == kpm.LINK_SINR.name) & (frame["network"] == 6) & (frame["ue"] == 4)]
    np.testing.assert_array_equal(link.sort_values("cell")["value"], values[kpm.LINK_SINR.name][1, 4])


def stays_of(names: list[str]) -> Stays:
    """One network whose seats have been these tenants' (empty: nobody's) since 1.5 s."""
    tenant = np.array([[number if name else -1 for number, name in enumerate(names)]])
    text = np.array([names], dtype=str)
    return Stays(tenant, text, text, np.full(tenant.shape, 1.5), np.full(tenant.shape, 2.0))


def test_a_slice_has_a_row_in_every_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    share = Measurement("RP.Share", "%", "slice", 0.0, 100.0, "neither")
    monkeypatch.setitem(kpm.MEASUREMENTS, share, lambda window: np.zeros(0))
    values = np.arange(12.0).reshape(1, 2, 6)
    use, span_s = {kpm.PRB_USE.name: np.zeros((1, 2))}, (1.0, 2.0)
    stays = stays_of([f"tenant {seat}" for seat in range(6)])
    frame = tidy({share.name: values, **use}, np.array([7]), span_s, stays)
    rows = frame[frame["scope"] == "slice"]
    assert set(rows["ue"]) == {-1} and set(frame.loc[frame["scope"] == "cell", "slice"]) == {-1}
    np.testing.assert_array_equal(rows.sort_values(["cell", "slice"])["value"], values.ravel())
    assert rows.set_index(["cell", "slice"]).loc[(1, 3), "value"] == values[0, 1, 3]
    without_slices = tidy({share.name: np.zeros((1, 2, 0)), **use}, np.array([7]), span_s, stays_of([]))
    assert set(without_slices["scope"]) == {"cell"}


def test_only_what_is_asked_for_is_computed(make_scenario: MakeScenario) -> None:
    networks = Networks(make_scenario(), 2, 0)
    networks.advance(50)
    start = networks.mark()
    networks.advance(100)
    wanted = [kpm.PRB_USE.name, kpm.UE_SINR.name]
    every, some = networks.measure(start), networks.measure(start, only=wanted)
    assert set(some) == set(wanted)
    for name in wanted:
        np.testing.assert_array_equal(some[name], every[name])


def test_an_unknown_measurement_is_refused(make_scenario: MakeScenario) -> None:
    with pytest.raises(UnknownNameError, match=r"RRU\.PrbTot"):
        Networks(make_scenario(), 1, 0).measure(only=["RRU.PrbTot"])
