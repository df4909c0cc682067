"""The clustering heads: one file each, registered here by hand."""

from __future__ import annotations

from typing import Final

from archbuild.heads.auxiliary import AuxiliaryHead
from archbuild.heads.base import Head
from archbuild.heads.classifier import ClassifierHead
from archbuild.heads.cluster_aware import ClusterAwareHead
from archbuild.heads.gmm import GMMHead
from archbuild.heads.gmvae import GMVAEHead
from archbuild.heads.kld import KLDHead
from archbuild.heads.kmeans import KMeansHead
from archbuild.heads.ladder import LadderHead
from archbuild.heads.manifold import ManifoldHead
from archbuild.heads.messages import MessagesHead
from archbuild.heads.self_training import SelfTrainingHead
from archbuild.plugins import Registry, subclass_of

__all__ = ["HEADS", "Head"]

HEADS: Final[Registry[type[Head]]] = Registry(
    "archbuild.heads",
    (
        KLDHead,
        KMeansHead,
        SelfTrainingHead,
        ManifoldHead,
        GMMHead,
        GMVAEHead,
        LadderHead,
        AuxiliaryHead,
        ClusterAwareHead,
        MessagesHead,
        ClassifierHead,
    ),
    subclass_of(Head),
)
"""Every head that a spec may name, in the order in which they are listed."""
