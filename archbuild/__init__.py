"""archbuild: declare the encoder; the decoder, the loss, the training and the figures follow."""

from __future__ import annotations

__version__ = "0.1.0"
