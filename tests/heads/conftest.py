"""Plans for heads to work on."""

from __future__ import annotations

from archbuild.spec import Plan, make_plan, spec_from_tree
from archbuild.vocabulary import default_vocabulary


def plan_of(latent_size: int = 2, *, gaussian: bool = False, **keys: object) -> Plan:
    """The plan of a small dense network on six features."""
    bottleneck = {"type": "Gaussian"} if gaussian else {"type": "Dense", "non_linearity": "linear"}
    layers = [
        {"type": "Input", "output_shape": [6]},
        {"type": "Dense", "num_units": 5},
        {**bottleneck, "num_units": latent_size},
    ]
    tree = {"spec_version": 1, "name": "small", "output_non_linearity": "linear", **keys}
    return make_plan(
        spec_from_tree({**tree, "layers": layers}, default_vocabulary()), default_vocabulary()
    )
