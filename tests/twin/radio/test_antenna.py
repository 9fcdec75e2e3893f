"""The sector antenna against Table 7.3-1 and a sum of phasors."""

from __future__ import annotations

import numpy as np
import pytest

from ranpilot.errors import ConfigError
from ranpilot.twin.radio import antenna_gain_db
from ranpilot.twin.radio.antenna import link_antenna_gain_db


@pytest.mark.parametrize(
    ("azimuth_deg", "zenith_deg", "expected_dbi"),
    [
        (0.0, 90.0, 8.0),
        (32.5, 90.0, 5.0),  # half of 65 degrees: 12 / 4 = 3 dB
        (-32.5, 90.0, 5.0),
        (0.0, 122.5, 5.0),
        (65.0, 90.0, -4.0),
        (180.0, 90.0, -22.0),
        (120.0, 90.0, -22.0),  # 12 (120 / 65)^2 = 40.9 dB is cut at 30
        (60.0, 130.0, -6.7692),  # 10.2249 + 4.5444 = 14.7692
        (0.0, 180.0, -15.0059),  # 12 (90 / 65)^2 = 23.0059
        (390.0, 90.0, 5.4438),  # one turn more: 12 (30 / 65)^2 = 2.5562
    ],
)
def test_an_element_has_the_gain_of_the_table(azimuth_deg: float, zenith_deg: float, expected_dbi: float) -> None:
    assert antenna_gain_db(azimuth_deg, zenith_deg) == pytest.approx(expected_dbi, abs=1e-4)


@pytest.mark.parametrize(
    ("elements", "spacing", "tilt"), [(10, 0.5, 12.0), (8, 0.8, 0.0), (2, 0.5, -20.0), (3, 1.0, 6.0)]
)
def test_a_column_is_a_sum_of_phasors(elements: int, spacing: float, tilt: float) -> None:
    zenith = np.linspace(0.3, 179.7, 301)
    phase = 2 * np.pi * spacing * (np.cos(np.radians(zenith)) - np.cos(np.radians(90 + tilt)))
    column = np.abs(np.exp(1j * np.outer(phase, np.arange(elements))).sum(axis=1)) ** 2 / elements
    found = antenna_gain_db(0.0, zenith, elements=elements, spacing_wavelengths=spacing, downtilt_deg=tilt)
    deep = column > 1e-4
    assert deep.sum() > 290
    assert (found - antenna_gain_db(0.0, zenith))[deep] == pytest.approx(10 * np.log10(column[deep]), abs=1e-6)


def test_the_main_lobe_is_at_the_tilt_with_the_number_of_elements_as_gain() -> None:
    zenith = np.arange(80.0, 120.0, 0.01)
    column_db = antenna_gain_db(0.0, zenith, elements=10, downtilt_deg=12.0) - antenna_gain_db(0.0, zenith)
    assert zenith[column_db.argmax()] == pytest.approx(102.0, abs=0.01)
    assert column_db.max() == pytest.approx(10.0, abs=1e-6)


def test_nulls_are_finite() -> None:
    """Two elements half a wavelength apart cancel upwards and downwards."""
    assert antenna_gain_db(0.0, [0.0, 180.0], elements=2).tolist() == pytest.approx([-75.0059, -75.0059], abs=1e-3)


def test_a_link_sees_the_antenna_under_its_angles() -> None:
    gain = link_antenna_gain_db(100.0, 100.0, -20.0, 30.0, 10, 0.5, 12.0)
    zenith = 90 + np.degrees(np.arctan2(20.0, np.hypot(100, 100)))
    assert gain == pytest.approx(antenna_gain_db(15.0, zenith, elements=10, downtilt_deg=12.0), abs=1e-9)
    assert np.isfinite(link_antenna_gain_db(0.0, 0.0, 0.0, 30.0, 10, 0.5, 12.0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zenith_deg": 190.0}, "zenith_deg = 190.0, but must be 0 to 180 degrees."),
        ({"azimuth_deg": float("nan")}, "azimuth_deg = nan, but must be finite numbers."),
        ({"elements": 0}, "elements = 0, but must be at least 1."),
        ({"spacing_wavelengths": 0.0}, "but must be above 0, and -90 to 90 degrees."),
    ],
)
def test_a_wrong_argument_is_refused(arguments: dict[str, float], message: str) -> None:
    usual = {"azimuth_deg": 0.0, "zenith_deg": 90.0}
    with pytest.raises(ConfigError) as caught:
        antenna_gain_db(**(usual | arguments))  # type: ignore[arg-type]
    assert str(caught.value).endswith(message)
