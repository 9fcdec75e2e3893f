"""Multi-agent PPO: local policies, a central critic that sees every agent's observation.

    V_a(s) = w · f(W e_a + C mean_{b≠a} e_b + G g),   e_b the first layers' view of agent b, g the central state

The critic alone is central; losses and updates are those of `ppo.py`. Agents learn from the mean of their rewards, as
in the source (`team_share` 1), or from a mix with their own. With one agent and no central state it is `ppo.py`, to the
last bit.
Source: Yu et al., "The surprising effectiveness of PPO in cooperative multi-agent games", NeurIPS 2022.
Differs from source: the others enter the critic as their mean, so that it serves any number of agents in any order; no
clipping of values; a mean-squared value loss in place of Huber's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ranpilot.learning.learner import make_config
from ranpilot.learning.ppo import Ppo, PpoConfig
from ranpilot.learning.slice_codes import SliceCodes

__all__ = ["Mappo", "MappoConfig", "make"]


class MappoConfig(PpoConfig, frozen=True):
    """Parameters of multi-agent PPO: those of `ppo`, with the team's reward."""

    team_share: Annotated[
        float, Field(ge=0, le=1, description="0: each agent learns from its own reward, 1: all from the mean")
    ] = 1.0


class Mappo(Ppo):
    """Proximal policy optimisation with a critic that sees all agents."""

    NAME = "mappo"
    IS_CENTRAL = True


def make(settings: Mapping[str, object], codes: SliceCodes | None = None) -> Mappo:
    """The learner with some settings changed. Raises ConfigError for an unknown or bad one."""
    return Mappo(make_config(MappoConfig, Mappo.NAME, settings), codes)
