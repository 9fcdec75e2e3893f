"""What every traffic model must do, whichever it is: a new file in `twin/traffic/models` is tested here unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from ranpilot.twin.traffic import TRAFFIC_MODELS, make_model, parse_config
from ranpilot.twin.traffic.capture import Capture
from ranpilot.twin.traffic.protocol import BLOCK_SLOTS, Packets, TrafficModel
from ranpilot.twin.traffic.replay_file import save_replay

NAMES = TRAFFIC_MODELS.names()
EVERY_UE_THE_SAME = {"full-buffer"}
SLOT_S = 1e-3


def example_values(name: str, folder: Path) -> dict[str, Any]:
    """Config values of a model; its defaults where it needs nothing."""
    if name == "fitted":
        return {"kind": name, "profile": "urllc"}
    if name == "replay":
        time_s = np.sort(np.random.default_rng(5).uniform(0.0, 12.0, 900))
        bits = np.random.default_rng(6).integers(500, 12_000, 900)
        path = folder / "example.npz"
        save_replay(Capture("example.csv", "0" * 64, time_s, bits, np.zeros(1), 12.0), path)
        return {"kind": name, "file": str(path)}
    return {"kind": name}


def example_model(name: str, folder: Path, slot_s: float = SLOT_S) -> TrafficModel:
    return make_model(parse_config(example_values(name, folder)), slot_s)


def draw(model: TrafficModel, seed: Any, networks: Any, ues: Any, blocks: range, state: Any = None) -> list[Packets]:
    """Blocks one after the other; a given state is continued in place."""
    networks, ues = np.asarray(networks), np.asarray(ues)
    if state is None:
        state = model.initial_state(seed, networks, ues)
    return [model.draw_block(seed, networks, ues, block, state) for block in blocks]


def rows_of(packets: Packets, row: int) -> list[tuple[int, int]]:
    chosen = packets.row == row
    return list(zip(packets.slot[chosen].tolist(), packets.bits[chosen].tolist(), strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_the_config_is_frozen_bounded_and_refuses_unknown_keys(name: str, tmp_path: Path) -> None:
    values = example_values(name, tmp_path)
    config = parse_config(values)
    assert config.kind == name
    with pytest.raises(ValidationError):
        config.kind = "other"
    with pytest.raises(ValidationError):
        type(config).model_validate({**values, "no_such_key": 1})
    for field, schema in type(config).model_json_schema()["properties"].items():
        if schema.get("type") in ("number", "integer"):
            assert {"minimum", "maximum", "unit"} <= schema.keys(), f"{field} needs bounds and a unit"
        assert field == "kind" or schema.get("description"), f"{field} needs a description"


@pytest.mark.parametrize("name", NAMES)
def test_packets_are_sorted_and_lie_in_their_block(name: str, tmp_path: Path) -> None:
    for packets in draw(example_model(name, tmp_path), 3, np.arange(50) // 7, np.arange(50), range(3)):
        assert {array.dtype for array in packets} == {np.dtype(np.int32)}
        assert len(packets.row) == len(packets.slot) == len(packets.bits) > 0
        key = packets.row.astype(np.int64) * BLOCK_SLOTS + packets.slot
        assert (np.diff(key) >= 0).all()
        assert packets.row.min() >= 0 and packets.row.max() < 50
        assert packets.slot.min() >= 0 and packets.slot.max() < BLOCK_SLOTS
        assert packets.bits.min() >= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_row_does_not_depend_on_the_rows_beside_it(name: str, tmp_path: Path) -> None:
    model = example_model(name, tmp_path)
    networks, ues = np.arange(40) // 8 + 100, np.arange(40) % 8
    order = np.random.default_rng(0).permutation(40)[:17]
    together = draw(model, 9, networks, ues, range(4))
    apart = draw(model, 9, networks[order], ues[order], range(4))
    for block in range(4):
        for place, row in enumerate(order):
            assert rows_of(apart[block], place) == rows_of(together[block], row)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_is_all_that_goes_from_block_to_block(name: str, tmp_path: Path) -> None:
    model = example_model(name, tmp_path)
    networks, ues = np.zeros(20, dtype=np.int64), np.arange(20)
    state = model.initial_state(4, networks, ues)
    assert state.shape == (20, model.state_size) and state.dtype == np.float64
    draw(model, 4, networks, ues, range(3), state)
    kept = state.copy()
    first = draw(model, 4, networks, ues, range(3, 6), state)
    again = draw(example_model(name, tmp_path), 4, networks, ues, range(3, 6), kept)
    for block in range(3):
        assert all(np.array_equal(a, b) for a, b in zip(first[block], again[block], strict=True))
    assert np.array_equal(state, kept)


@pytest.mark.parametrize("name", NAMES)
def test_each_row_has_the_seed_that_it_is_given(name: str, tmp_path: Path) -> None:
    model = example_model(name, tmp_path)
    networks, ues = np.zeros(12, dtype=np.int64), np.arange(12)
    seeds = np.repeat([5, 6], 6)
    mixed = draw(model, seeds, networks, ues, range(3))
    for seed, rows in ((5, range(6)), (6, range(6, 12))):
        alone = draw(model, seed, networks, ues, range(3))
        for block in range(3):
            assert all(rows_of(mixed[block], row) == rows_of(alone[block], row) for row in rows)


@pytest.mark.parametrize("name", sorted(set(NAMES) - EVERY_UE_THE_SAME))
def test_seeds_networks_and_ues_have_traffic_of_their_own(name: str, tmp_path: Path) -> None:
    model = example_model(name, tmp_path)

    def pattern(seed: int, network: int, first_ue: int) -> list[list[tuple[int, int]]]:
        ues = np.arange(first_ue, first_ue + 12)
        return [rows_of(p, row) for p in draw(model, seed, np.full(12, network), ues, range(8)) for row in range(12)]

    patterns = [pattern(1, 0, 0), pattern(2, 0, 0), pattern(1, 1, 0), pattern(1, 0, 12)]
    assert all(a != b for i, a in enumerate(patterns) for b in patterns[:i])


@pytest.mark.parametrize("slot_s", [1e-3, 5e-4])
@pytest.mark.parametrize("name", NAMES)
def test_the_mean_rate_is_what_the_model_says(name: str, slot_s: float, tmp_path: Path) -> None:
    """Within 4 standard errors of independent UEs, which are at most 5 % (full buffer has none)."""
    model = example_model(name, tmp_path, slot_s)
    num_ues, num_blocks = 400, 40
    blocks = draw(model, 17, np.arange(num_ues), np.zeros(num_ues, dtype=np.int64), range(num_blocks))
    bits = sum(np.bincount(p.row, weights=p.bits, minlength=num_ues) for p in blocks)
    rate_bps = bits / (num_blocks * BLOCK_SLOTS * slot_s)
    standard_error = rate_bps.std(ddof=1) / np.sqrt(num_ues)
    assert abs(rate_bps.mean() - model.mean_rate_bps) <= 4 * standard_error + 1e-9 * model.mean_rate_bps
    assert standard_error < 0.05 * model.mean_rate_bps


@pytest.mark.parametrize("name", NAMES)
def test_late_blocks_and_large_ids_work_as_well(name: str, tmp_path: Path) -> None:
    model = example_model(name, tmp_path)
    late = draw(model, 2**62 - 1, [2**31 - 1], [2**20], range(10**7, 10**7 + 5))
    assert sum(len(packets.row) for packets in late) > 0
