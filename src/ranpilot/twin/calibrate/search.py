"""The search for the place of least deviation: quadratic surfaces of every feature over boxes that shrink.

A single evaluation is rough: other parameters put a user under another mast, and all of its traffic with it. A surface
through many evaluations is smooth. In every round networks run at places of a Halton sequence in a box, each feature's
mean over networks is fitted by a quadratic polynomial in all parameters (least squares, all evaluations in the box),
and `scipy.optimize.least_squares` (trust region reflective) finds where the surfaces come closest to the file: with
squares from several starts, then with the soft L1 loss, so that a KPM that no parameters can explain does not pull the
others. The next box is smaller, around that place; the first is the whole range.
Slopes that are not clear of their scatter between networks count as 0, and features that nothing moves are left aside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import qmc

from ranpilot.twin.calibrate.objective import Objective
from ranpilot.twin.calibrate.series import FloatArray

__all__ = ["RADII", "Found", "Surface", "clear_slopes", "most_evaluations", "search"]

RADII = (0.5, 0.3, 0.2, 0.12)
"""Half the sides of the boxes, as shares of the range."""
SLOPE_RADIUS = 0.3
"""Of the box around the estimate in which slopes are taken."""
POINTS_PER_TERM = 2
"""Places of a round for each term of the polynomial."""
STARTS = 5
CLEAR = 4.0
"""Standard errors that a slope must be from 0 to count."""


class Surface(NamedTuple):
    """Quadratic surfaces of features over a box."""

    centre: FloatArray
    """[P]"""
    radius: float
    terms: FloatArray
    """[K, F] of the mean over networks"""
    slopes: FloatArray
    """[B, F, P] of each network, at the centre"""

    def value(self, place: FloatArray) -> FloatArray:
        """[F] at a place [P]."""
        return np.asarray((_basis(np.atleast_2d((place - self.centre) / self.radius)) @ self.terms)[0])

    def slope(self, place: FloatArray) -> FloatArray:
        """[F, P] at a place [P]."""
        offset = (place - self.centre) / self.radius
        num = len(offset)
        found = self.terms[1 : 1 + num].T.copy()  # [F, P]
        for term, (first, second) in zip(self.terms[1 + num :], _pairs(num), strict=True):
            found[:, first] += term * offset[second]
            found[:, second] += term * offset[first]
        return np.asarray(found / self.radius)


class Found(NamedTuple):
    """Where the search ended."""

    place: FloatArray
    """[P]"""
    slopes: FloatArray
    """[F, P] of the features there, 0 where they are not clear of scatter"""
    weight: FloatArray
    """[F] 1 / unit^2, less where the feature does not fit, 0 where nothing moves it"""


def most_evaluations(num_parameters: int) -> int:
    """Runs of the networks that a fit takes: the search, two at the estimate, two for the held-out periods."""
    return len(RADII) * POINTS_PER_TERM * _num_terms(num_parameters) + 1 + 4


def search(objective: Objective, given: FloatArray) -> Found:
    """The place of least deviation; given: [P] that of the scenario as it is, tried as well."""
    halton = qmc.Halton(len(given), seed=objective.effort.seed)
    place = np.full(len(given), 0.5)
    objective.outcome(given.tolist(), "scanning")
    for number, radius in enumerate(RADII):
        centre = np.clip(place, radius, 1.0 - radius)
        for point in halton.random(POINTS_PER_TERM * _num_terms(len(given))):
            at = centre + radius * (2.0 * point - 1.0)
            objective.outcome(at.tolist(), f"round {number + 1} of {len(RADII)}")
        if number == 0:
            objective.drop_unmeasured()
        places, outcomes = objective.tried(centre, radius)
        surface, unit = make_surface(places, outcomes, centre, radius), objective.units(outcomes)
        moves = clear_slopes(surface.slopes).any(axis=1)
        place = _closest(surface, places, objective.target, moves / unit)
    deviation = (surface.value(place) - objective.target) / unit
    # Slopes take more evaluations than the place does, since each network must show them by itself.
    centre = np.clip(place, SLOPE_RADIUS, 1.0 - SLOPE_RADIUS)
    wide = make_surface(*objective.tried(centre, SLOPE_RADIUS), centre, SLOPE_RADIUS)
    clear = clear_slopes(wide.slopes) != 0.0
    weight = clear.any(axis=1) / unit**2 / np.sqrt(1.0 + deviation**2)
    return Found(place, np.where(clear, wide.slope(place), 0.0), np.asarray(weight))


def make_surface(places: FloatArray, outcomes: FloatArray, centre: FloatArray, radius: float) -> Surface:
    """Surfaces through evaluations at places [n, P] with outcomes [n, B, F]."""
    num_points, networks, num_features = outcomes.shape
    basis = _basis((places - centre) / radius)
    solved = np.asarray(np.linalg.lstsq(basis, outcomes.reshape(num_points, -1), rcond=None)[0], dtype=np.float64)
    terms = solved.reshape(-1, networks, num_features)  # [K, B, F]
    num = places.shape[1]
    slopes = terms[1 : 1 + num].transpose(1, 2, 0) / radius
    return Surface(centre, radius, terms.mean(axis=1), slopes)


def clear_slopes(slopes: FloatArray) -> FloatArray:
    """[F, P] mean over networks of slopes [B, F, P]; 0 where it is not clear of the networks' scatter."""
    mean = slopes.mean(axis=0)
    error = slopes.std(axis=0, ddof=1) / np.sqrt(len(slopes))
    return np.asarray(np.where(np.abs(mean) > np.maximum(CLEAR * error, 1e-9), mean, 0.0))


def _closest(surface: Surface, places: FloatArray, target: FloatArray, scale: FloatArray) -> FloatArray:
    """The place [P] in the surface's box where it is closest to the target; scale: [F] one over the unit."""

    def residuals(place: FloatArray) -> FloatArray:
        return scale * (surface.value(place) - target)

    def jacobian(place: FloatArray) -> FloatArray:
        return scale[:, None] * surface.slope(place)

    low, high = surface.centre - surface.radius, surface.centre + surface.radius
    costs = [float((residuals(place) ** 2).sum()) for place in places]
    starts = [places[index] for index in np.argsort(costs)[:STARTS]]
    # Slightly inside: the optimiser wants a start that is off its bounds.
    inside = [np.clip(start, low + 1e-9, high - 1e-9) for start in starts]
    found = [least_squares(residuals, start, jac=jacobian, bounds=(low, high)) for start in inside]
    best = min(found, key=lambda result: float(result.cost)).x
    robust = least_squares(
        residuals, np.clip(best, low + 1e-9, high - 1e-9), jac=jacobian, bounds=(low, high), loss="soft_l1"
    )
    return np.asarray(robust.x)


def _pairs(num: int) -> NDArray[np.intp]:
    """[K, 2] which two parameters each quadratic term multiplies."""
    return np.stack(np.triu_indices(num), axis=1)


def _num_terms(num: int) -> int:
    return 1 + num + num * (num + 1) // 2


def _basis(offset: FloatArray) -> FloatArray:
    """[n, K] terms of the polynomial at offsets [n, P]: 1, each, each times each."""
    pairs = _pairs(offset.shape[1])
    products = offset[:, pairs[:, 0]] * offset[:, pairs[:, 1]]
    return np.concatenate([np.ones((len(offset), 1)), offset, products], axis=1)
