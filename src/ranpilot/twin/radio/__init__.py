"""The radio channel: path loss, line of sight, shadowing, fading."""

from ranpilot.twin.radio.antenna import antenna_gain_db
from ranpilot.twin.radio.fading import FadingBank, make_fading_bank
from ranpilot.twin.radio.propagation import los_probability, path_loss_db
from ranpilot.twin.radio.shadowing import ShadowingBank, make_shadowing_bank

__all__ = [
    "FadingBank",
    "ShadowingBank",
    "antenna_gain_db",
    "los_probability",
    "make_fading_bank",
    "make_shadowing_bank",
    "path_loss_db",
]
