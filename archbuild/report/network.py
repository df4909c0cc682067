"""The encoder-decoder picture: an hourglass of bars, as wide as the layers' outputs are large."""

from __future__ import annotations

from html import escape
from math import log1p, prod

from archbuild.spec.plan import Plan, PlannedLayer
from archbuild.spec.rendering import layer_text, shape_text


def network_html(plan: Plan) -> str:
    """Return an ordered list of all layers, the encoder's first; widths are logarithmic."""
    *encoder, latent = plan.encoder
    parts = [("encoder", layer) for layer in encoder]
    parts += [("latent", latent), *(("decoder", layer) for layer in plan.decoder)]
    widest = max(_logarithm(layer) for _, layer in parts)
    items = [_item(layer, part, _logarithm(layer) / widest) for part, layer in parts]
    return '<ol class="network">\n' + "\n".join(items) + "\n</ol>"


def _logarithm(layer: PlannedLayer) -> float:
    return log1p(prod(layer.output_shape))


def _item(layer: PlannedLayer, part: str, share: float) -> str:
    what, details = layer_text(layer)
    size = f"{layer.parameters:,} parameters" if layer.parameters else ""
    return (
        f'<li class="{part}">'
        f'<span class="layer">{escape(what)} <small>{escape(details)}</small></span>'
        f'<span class="bar"><i style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="shape">{shape_text(layer.output_shape)} <small>{size}</small></span></li>'
    )
