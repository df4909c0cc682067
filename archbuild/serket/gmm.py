"""``GMM``: archbuild's mixture, or Serket's own where it is made with Serket's arguments."""

from __future__ import annotations

from typing import Any, Final

from archbuild.modules import gmm
from archbuild.serket.files import FileModule, refuse_given

_SERKET: Final = {
    "inference": "gibbs",
    "start": "random",
    "chains": 1,
    "warm_start": False,
    "concentration": 0.0,
}


class GMM(gmm.GMM, FileModule):
    """Classes of points, as a Gaussian mixture.

    With ``itr``, ``name``, ``category`` or ``mode`` it is Serket's: one chain of collapsed Gibbs
    sampling from random classes in every update, and each update writes the files of ``files.py``.
    Without them it is archbuild's, the likeliest of 20 mixtures, and writes nothing.

    Args:
        n_clusters: number of classes, ``K``.
        itr: sweeps of Gibbs sampling; Serket's 100 if another of its arguments is given.
        name: end of the folder's name, by default ``gmm``.
        category: true classes of the rows ``(n,)``, for ``acc_learn.txt`` only.
        mode: ``learn``, or ``recog``: classify the data by the model in the folder.
        settings: keyword arguments of ``archbuild.modules.gmm.GMM``; they come before Serket's
            values.

    Raises:
        UsageError: an argument is invalid, or ``itr`` and ``sweeps`` are both given.
    """

    def __init__(
        self,
        n_clusters: int,
        itr: int | None = None,
        name: str | None = None,
        category: Any = None,
        mode: str | None = None,
        **settings: Any,
    ) -> None:
        if all(each is None for each in (itr, name, category, mode)):
            super().__init__(n_clusters, **settings)
            return
        if itr is not None:
            refuse_given({"sweeps": settings.get("sweeps")}, "itr is the number of sweeps")
            settings["sweeps"] = itr
        super().__init__(n_clusters, **{**_SERKET, **settings})
        self.write_files(name, mode, category)
