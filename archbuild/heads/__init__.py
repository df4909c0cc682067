"""The clustering heads: one file each, registered here by hand."""

from __future__ import annotations

from collections.abc import Mapping

from archbuild.heads.base import Head
from archbuild.heads.gmm import GMMHead
from archbuild.heads.gmvae import GMVAEHead
from archbuild.heads.kld import KLDHead
from archbuild.heads.kmeans import KMeansHead
from archbuild.heads.messages import MessagesHead

HEADS: Mapping[str, type[Head]] = {
    head.name: head for head in (KLDHead, KMeansHead, GMMHead, GMVAEHead, MessagesHead)
}
