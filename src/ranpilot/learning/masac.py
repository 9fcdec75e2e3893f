"""Multi-agent soft actor-critic: local policies, central critics that see every agent's observation and action.

    Q_a(s, a_1 … a_A) = w · f(W e_a + C mean_{b≠a} e_b + G g),   e_b the first layers' view of agent b and its action
    y_a = r_a + γ (1 − terminated) [min_k Q̄_{k,a}(s', a'_1 … a'_A) − α log π(a'_a|s'_a)]
    π   ← Adam on mean_a [α log π(ã_a|s_a) − min_k Q_{k,a}(s, ã_1 … ã_A)],   all ã drawn from the policies of now

g is the central state, in training alone: policies act on what their agent sees. Each Q_a is taught by its agent's own
reward, but every action is inside every Q_a, so that a policy climbs the sum over agents, the value of the team. One
critic serves any number of agents in any order. With one agent and no central state it is `sac.py`, to the last bit.
Source: Lowe et al., "Multi-agent actor-critic for mixed cooperative-competitive environments", NeurIPS 2017 (critics
that see all), with the soft objective of Haarnoja et al. 2018; as in PA-MRL (Lotfi, Rajoli, Afghah 2025) one critic for
all DUs.
Differs from source: policies and critics shared by agents; the others enter a critic as their mean.
"""

from __future__ import annotations

from collections.abc import Mapping

from ranpilot.learning.learner import make_config
from ranpilot.learning.sac import Sac, SacConfig
from ranpilot.learning.slice_codes import SliceCodes

__all__ = ["Masac", "MasacConfig", "make"]


class MasacConfig(SacConfig, frozen=True):
    """Parameters of multi-agent soft actor-critic, those of `sac`."""


class Masac(Sac):
    """Soft actor-critic whose critics see all agents."""

    NAME = "masac"
    IS_CENTRAL = True


def make(settings: Mapping[str, object], codes: SliceCodes | None = None) -> Masac:
    """The learner with some settings changed. Raises ConfigError for an unknown or bad one."""
    return Masac(make_config(MasacConfig, Masac.NAME, settings), codes)
