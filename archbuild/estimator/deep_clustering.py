"""``DeepClustering``, an estimator of scikit-learn: its parameters and its training."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from math import prod
from os import PathLike
from typing import Any

import numpy as np

from archbuild.errors import RunError
from archbuild.estimator.backend import started_keras, warn_of_collapse
from archbuild.estimator.fitted import FittedClustering
from archbuild.estimator.fitting import (
    changes,
    experiment_of,
    reading_of,
    run_folder,
    spec_for,
    trained_stage,
    with_labels,
)
from archbuild.estimator.memory import Memory
from archbuild.layers.shapes import channels_last
from archbuild.models.run import open_run
from archbuild.models.stage import Stage
from archbuild.registry import default_vocabulary
from archbuild.spec.override import length_path
from archbuild.training.progress import LOGGER

# nothing is printed unless the user sets logging up
LOGGER.addHandler(logging.NullHandler())


class DeepClustering(FittedClustering):
    """Cluster rows in the latent space of an autoencoder that a spec declares.

    ``fit`` pretrains the autoencoder and refines it with a clustering head, or trains both as one
    where ``train_epochs`` is given. Labels ``y`` are ignored, unless the
    spec has ``supervision``.

    Parameters
    ----------
    arch : str, path or mapping, default=None
        The spec: a file, ``file:name``, the name of a shipped spec, or what a file would hold, as
        Python data. ``None``: as ``archbuild new`` writes it for data of this shape and size.

    head : str, default=None
        The type of the clustering head, ``kld``, ``kmeans``, ``gmm``, ``gmvae`` or ``messages``, in
        place of the spec's. ``None``: the spec's, which is ``kld`` where ``arch`` is ``None`` too.

    n_clusters : int or "auto", default=None
        The number of clusters; ``"auto"``: as many as the pretrained latents suggest. ``None``: as
        many as the spec says; 8 where ``arch`` is ``None`` too.

    pretrain_epochs : int, default=None
        Passes over the data that learn to reconstruct. ``None``: as many as the spec says.

    cluster_epochs : int, default=None
        Passes over the data, at most, that refine with the head, or rounds of the head
        ``messages``. ``None``: as many as the spec says.

    train_epochs : int, default=None
        Passes that train network and head as one, from the first weights, in place of the other
        two stages, or rounds of the head ``messages``; only some heads can. ``None``: pretrain and
        refine.

    overrides : sequence of str, default=()
        Other values of the spec: ``"cluster.learning_rate=1e-4"``, as ``--set`` takes them.

    random_state : int, RandomState instance or None, default=None
        The random seed; an int makes the fit reproducible, and is the run's seed.

    out : str or path, default=None
        The folder in which the run is kept, below ``saved_params/``: a fit that was cut short goes
        on there, and one that is done is not done again. ``None``: nothing is kept on disk.

    verbose : bool, default=False
        Whether to print a line for each epoch.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The cluster of each row that was fitted, int64; or its class.

    classes_ : ndarray of shape (n_clusters,)
        The classes, in the order of the probabilities, whole numbers or texts; only where the spec
        has ``supervision`` and the head learns classes from it.

    cluster_centers_ : ndarray of shape (n_clusters, n_latent)
        The centres in the latent space; only of the heads ``kld`` and ``kmeans``.

    means_ : ndarray of shape (n_clusters, n_latent)
        The means of the prior's components or of the classes; only of the heads ``gmm``, ``gmvae``
        and ``messages``.

    n_iter_ : int
        The number of epochs that the stage with the head took.

    converged_ : bool
        Whether that stage ended because the clusters had settled.

    n_features_in_ : int
        The number of values of a row, over all its axes.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the columns; only where ``X`` has names that are all strings.

    Notes
    -----
    ``X`` is a table of shape (n_samples, n_features), series of shape (n_samples, length, channels)
    or images of shape (n_samples, height, width, channels) or, if square, (n_samples, side, side);
    ``overrides=["data.channels=last"]`` (or first, or none) settles it. Values become float32,
    after scaling where float32 would blur a column; bytes, and whole numbers in images, are divided
    by what their range asks for, 255 for most, as everywhere in archbuild.

    Frames of pandas and polars may hold categories, dates, truth values and missing cells, which
    are encoded as those of files are; ``get_encoded_names`` names the features that come of them.
    ``overrides=["data.gaps=mask"]`` leaves missing values out of the loss, of arrays with NaN too,
    and ``"data.columns.city=embedding"`` tells the kind of a column.

    A fitted estimator pickles as arrays, without Keras objects: the network is built again when it
    is first needed, and gives the same numbers to the last bit.

    Examples
    --------
    >>> from archbuild import DeepClustering
    >>> from sklearn.datasets import load_iris
    >>> X = load_iris().data
    >>> DeepClustering(n_clusters=3, random_state=0).fit_predict(X).shape
    (150,)
    """

    def __init__(
        self,
        arch: str | PathLike[str] | Mapping[str, Any] | None = None,
        head: str | None = None,
        n_clusters: int | str | None = None,
        *,
        pretrain_epochs: int | None = None,
        cluster_epochs: int | None = None,
        train_epochs: int | None = None,
        overrides: Sequence[str] = (),
        random_state: int | np.random.RandomState | None = None,
        out: str | PathLike[str] | None = None,
        verbose: bool = False,
    ) -> None:
        self.arch = arch
        self.head = head
        self.n_clusters = n_clusters
        self.pretrain_epochs = pretrain_epochs
        self.cluster_epochs = cluster_epochs
        self.train_epochs = train_epochs
        self.overrides = overrides
        self.random_state = random_state
        self.out = out
        self.verbose = verbose

    @classmethod
    def from_run(cls, folder: str | PathLike[str], head: str | None = None) -> DeepClustering:
        """Return the fitted estimator of a run of the command line.

        Parameters
        ----------
        folder : str or path
            The run's folder: ``saved_params/<DATASET>/<arch>/<seed>``.

        head : str, default=None
            Which of the run's heads; ``None``: the one that was trained last.

        Returns
        -------
        DeepClustering
            A clone of it trains the same spec with the same seed on whatever it is given.

        Raises
        ------
        RunError
            There is no such run, it has no such head that is finished, or a file is damaged.
        """
        run = open_run(folder)
        stage = run.latest(head)
        if stage is None or not stage.finished:
            what = f"{head} head" if head else "head"
            there = ", ".join(stage.name for stage in run.stages)
            raise RunError(f"{run.path} holds no finished {what}; it holds {there}")
        return cls()._restored(stage)

    # -- fitting -----------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> DeepClustering:
        """Train on the rows of ``X``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows as in the notes of the class.

        y : array-like of shape (n_samples,), default=None
            Labels, read only where the spec has ``supervision``; -1, NaN, ``None`` or a blank text
            for a row without one. Ignored otherwise.

        Returns
        -------
        self : DeepClustering
            The fitted estimator.

        Raises
        ------
        ValueError
            ``X`` is not what scikit-learn takes, or has fewer rows than there are clusters, or the
            spec has ``supervision`` and ``y`` is ``None``.
        SpecError
            The spec has problems; all of them are named.
        DataError
            ``X`` does not fit the spec.
        DivergenceError
            A loss term stopped being finite.
        """
        changed = self._changes()
        dataset = self._dataset(X, *reading_of(self.arch, changed), reset=True)
        spec = spec_for(dataset, self.arch, changed)
        dataset = with_labels(dataset, spec, y)
        with run_folder(self.out) as out:
            experiment = experiment_of(spec, dataset, self._seed(), out, bool(self.verbose))
            with experiment.folder.lock(), started_keras():
                self._learn(trained_stage(experiment, self.train_epochs is not None))
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Train on the rows of ``X``, and return the cluster of each.

        Parameters, errors
            As of ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
        """
        return self.fit(X, y).labels_

    def _changes(self) -> dict[str, Any]:
        """Return the changes that the parameters make to the spec."""
        epochs = {
            "pretrain": self.pretrain_epochs,
            "cluster": self.cluster_epochs,
            "train": self.train_epochs,
        }
        return changes(
            head=self.head,
            n_clusters=self.n_clusters,
            epochs=epochs,
            overrides=self.overrides,
        )

    def _learn(self, stage: Stage) -> None:
        """Set the learned attributes from a finished stage, whose folder may go afterwards."""
        model, summary = stage.open(), stage.manifest["summary"]
        self._memory = Memory(model)
        warn_of_collapse(summary["occupancy"])
        for name in ("classes_", "cluster_centers_", "means_"):  # of the head of an earlier fit
            self.__dict__.pop(name, None)
        if model.class_names:
            self.classes_ = _as_labels(model.class_names)
        self.labels_ = self._named(stage.clusters)
        self.n_iter_, self.converged_ = summary["epochs"], summary["converged"]
        centres = model.assigning_head.centres()
        if centres is None:
            return
        if model.assigning_head.generates:
            self.means_ = centres
        else:
            self.cluster_centers_ = centres

    def _restored(self, stage: Stage) -> DeepClustering:
        self._learn(stage)
        model = self._memory.model
        self.arch, self.random_state = dict(model.plan.spec.tree), stage.seed
        if stage.from_scratch:
            section, key = length_path(self.arch, "train", default_vocabulary())
            self.train_epochs = self.arch[section][key]
        shape = model.plan.input_shape
        self._channels_first = model.plan.spec.data.get("channels") == "first"
        self._row_shape = shape if self._channels_first else channels_last(shape)
        self.n_features_in_ = prod(self._row_shape)
        if model.origin.columns:
            self.feature_names_in_ = np.array(model.origin.columns, dtype=object)
        return self


def _as_labels(names: Sequence[str]) -> np.ndarray:
    """Return the names of classes as whole numbers, if that is what they all are."""
    numbers = [int(name) for name in names if name.isdecimal()]
    return np.array(numbers if [*map(str, numbers)] == [*names] else names)
