"""The scikit-learn face: ``DeepClustering``, an estimator that trains a job and keeps its model."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from math import prod
from numbers import Integral
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from archbuild.clustering.means import scores_by_means
from archbuild.data import Dataset, dataset_from_arrays
from archbuild.data.summary import scaling_of
from archbuild.errors import RunError
from archbuild.experiments.experiment import Experiment
from archbuild.experiments.request import ExperimentRequest
from archbuild.heads import HEADS
from archbuild.layers.shapes import channels_last
from archbuild.models.run import open_run
from archbuild.models.stage import Stage
from archbuild.registry import default_vocabulary
from archbuild.spec import Spec, make_plan, parse_text, spec_from_tree, spec_of
from archbuild.spec.override import length_path
from archbuild.spec.template import Subject, spec_text
from archbuild.training.progress import LOGGER, log_event, print_event

if TYPE_CHECKING:
    from archbuild.models.model import Model

_CLUSTERS = 8  # as in sklearn.cluster.KMeans

# whoever sets logging up hears of it; nobody else does
LOGGER.addHandler(logging.NullHandler())


class DeepClustering(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """Cluster rows in the latent space of an autoencoder that a spec declares.

    ``fit`` pretrains the autoencoder and refines it with a clustering head, or trains both as one
    where ``train_epochs`` is given. Labels ``y`` are ignored everywhere.

    Parameters
    ----------
    arch : str, path or mapping, default=None
        The spec: a file, ``file:name``, the name of a shipped spec, or what a file would hold, as
        Python data. ``None``: as ``archbuild new`` writes it for data of this shape and size.

    head : str, default=None
        The type of the clustering head, ``kld``, ``kmeans``, ``gmm``, ``gmvae`` or ``messages``, in
        place of the spec's. ``None``: the spec's, which is ``kld`` where ``arch`` is ``None`` too.

    n_clusters : int or "auto", default=None
        How many clusters; ``"auto"``: as many as the pretrained latents suggest. ``None``: as many
        as the spec says; 8 where ``arch`` is ``None`` too.

    pretrain_epochs : int, default=None
        Passes over the data that learn to reconstruct. ``None``: as many as the spec says.

    cluster_epochs : int, default=None
        Passes at most that refine with the head, likewise; rounds of the head ``messages``.

    train_epochs : int, default=None
        Passes that train network and head as one, from the first weights, in place of the other
        two stages, or rounds of the head ``messages``; only some heads can. ``None``: pretrain and
        refine.

    overrides : sequence of str, default=()
        Other values of the spec: ``"cluster.learning_rate=1e-4"``, as ``--set`` takes them.

    random_state : int, RandomState instance or None, default=None
        Of everything random; an int makes the fit reproducible, and is the run's seed.

    out : str or path, default=None
        The folder in which the run is kept, below ``saved_params/``: a fit that was cut short goes
        on there, and one that is done is not done again. ``None``: nothing is kept on disk.

    verbose : bool, default=False
        Whether to print a line for each epoch.

    Attributes
    ----------
    labels_ : ndarray of shape (n_samples,)
        The cluster of each row that was fitted, int64.

    cluster_centers_ : ndarray of shape (n_clusters, n_latent)
        The centres in the latent space; only of the heads ``kld`` and ``kmeans``.

    means_ : ndarray of shape (n_clusters, n_latent)
        The means of the prior's components or of the classes; only of the heads ``gmm``, ``gmvae``
        and ``messages``.

    n_iter_ : int
        How many epochs the stage with the head took.

    converged_ : bool
        Whether it ended because the clusters had settled.

    n_features_in_ : int
        How many numbers a row has, over all its axes.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the columns; only where ``X`` has names that are all strings.

    Notes
    -----
    ``X`` is a table of shape (n_samples, n_features), series of shape (n_samples, length, channels)
    or images of shape (n_samples, height, width, channels). Values become float32; those of type
    uint8 are multiplied by 1/255, as everywhere in archbuild.

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
            Of the run: ``saved_params/<DATASET>/<arch>/<seed>``.

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

        y : ignored
            For consistency with scikit-learn.

        Returns
        -------
        self : DeepClustering
            The fitted estimator.

        Raises
        ------
        ValueError
            ``X`` is not what scikit-learn takes, or has fewer rows than there are clusters.
        SpecError
            The spec has problems; all of them are named.
        DataError
            ``X`` does not fit the spec.
        DivergenceError
            A loss term stopped being finite.
        """
        dataset = self._dataset(X, reset=True)
        with self._folder() as out:
            experiment = self._experiment(dataset, Path(out))
            with experiment.folder.lock(), _backend():
                self._remember(self._trained(experiment))
        return self

    def _folder(self) -> Any:
        """Return the run's folder; one without a name is deleted when the block ends."""
        if self.out is None:
            return TemporaryDirectory(prefix="archbuild-")
        return nullcontext(self.out)

    def _experiment(self, dataset: Dataset, out: Path) -> Experiment:
        spec = self._spec(dataset)
        wanted = spec.head.config["n_clusters"]
        if isinstance(wanted, int) and wanted > len(dataset):
            raise ValueError(f"n_samples={len(dataset)} should be >= n_clusters={wanted}.")
        # other rows get a folder of their own
        dataset = replace(dataset, name=f"{dataset.name}-{dataset.digest()[:8]}")
        request = ExperimentRequest(dataset.name, spec.name, seed=self._seed(), out=out)
        emit = print_event if self.verbose else log_event
        return Experiment(request, emit, spec=spec, dataset=dataset)

    def _spec(self, dataset: Dataset) -> Spec:
        lengths = {
            "pretrain": self.pretrain_epochs,
            "cluster": self.cluster_epochs,
            "train": self.train_epochs,
        }
        if isinstance(self.overrides, str):
            raise ValueError(
                f"overrides is the text {self.overrides!r}; expected a list of such texts"
            )
        n_clusters = [] if self.n_clusters is None else [f"head.n_clusters={self.n_clusters}"]
        changes = {
            "overrides": [*self.overrides, *n_clusters],
            "head": self.head,
            "lengths": {stage: n for stage, n in lengths.items() if n is not None},
        }
        arch = _tree_for(dataset, self.head) if self.arch is None else self.arch
        return spec_of(arch, default_vocabulary(), **changes)

    def _seed(self) -> int:
        generator = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(generator.randint(2**31 - 1))

    def _trained(self, experiment: Experiment) -> Stage:
        """Return the stage that holds the head, finished."""
        if self.train_epochs is not None:
            experiment.train()
            return experiment.results().stage(experiment.scratch_stage)
        experiment.pretrain()
        experiment.cluster()
        return experiment.results().stage(experiment.head_stage)

    def _remember(self, stage: Stage) -> None:
        """Take from a finished stage whatever is needed of it: the folder may go."""
        model, summary = stage.open(), stage.manifest["summary"]
        self._memory = _Memory(model)
        self.labels_ = stage.clusters
        self.n_iter_, self.converged_ = summary["epochs"], summary["converged"]
        for name in ("cluster_centers_", "means_"):  # of the head of an earlier fit
            vars(self).pop(name, None)
        centres = model.assigning_head.centres()
        if centres is None:
            return
        if model.assigning_head.generates:
            self.means_ = centres
        else:
            self.cluster_centers_ = centres

    # -- using -------------------------------------------------------------------------------

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable cluster of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows like those of ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            From 0, int64.
        """
        return self.predict_proba(X).argmax(axis=1)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of every cluster for each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows like those of ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_clusters)
            The head's assignments, float32; each row's sum is 1.
        """
        (probabilities,) = self._answers(X, "probabilities")
        return probabilities

    def transform(self, X: Any) -> np.ndarray:
        """Return the latents.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows like those of ``fit``.

        Returns
        -------
        latents : ndarray of shape (n_samples, n_latent)
            float32; of a Gaussian bottleneck, its means.
        """
        (latents,) = self._answers(X, "latents")
        return latents

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Return the rows that latents decode to, in the units of the data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_latent)
            Latents, as ``transform`` returns them.

        Returns
        -------
        rows : ndarray of shape (n_samples, ...)
            In the shape of the rows of ``fit``, float32; from 0 to 1 where those were of uint8.

        Raises
        ------
        DataError
            The latents have another width.
        UsageError
            The decoder puts maxima back where the encoder found them.
        """
        check_is_fitted(self)
        with _backend():
            rows = self._memory.model.decode(check_array(X, dtype=np.float32))
        return rows.reshape(len(rows), *self._row_shape)

    def sample(self, n_per_cluster: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from every cluster of the generative process, if the head has one.

        Parameters
        ----------
        n_per_cluster : int, default=1
            How many from each cluster.

        Returns
        -------
        X : ndarray of shape (n_clusters * n_per_cluster, ...)
            Rows as ``inverse_transform`` returns them, one cluster after the other.

        y : ndarray of shape (n_clusters * n_per_cluster,)
            The cluster of each, int64.

        Raises
        ------
        RunError
            The head has no generative process.
        """
        check_is_fitted(self)
        if n_per_cluster < 1:
            raise ValueError(f"n_per_cluster is {n_per_cluster}; expected at least 1")
        with _backend():
            rows = self._memory.model.generate(n_per_cluster, self._seed())
        clusters = np.repeat(np.arange(len(rows)), n_per_cluster)
        return rows.reshape(len(clusters), *self._row_shape), clusters

    def score(self, X: Any, y: Any = None) -> float:
        """How well the clusters of the rows stand apart in the latent space; higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows like those of ``fit``.

        y : ignored
            For consistency with scikit-learn.

        Returns
        -------
        score : float
            The simplified silhouette of ``predict`` on ``transform``, from -1 to 1 (Hruschka et
            al., 2004): the mean of (b - a) / max(a, b), where a and b are a row's distances to the
            mean of its own cluster and to the nearest mean of another. -1 where all rows fall into
            one cluster.
        """
        latents, clusters = self._answers(X, "latents", "clusters")
        if len(np.unique(clusters)) < 2:
            return -1.0
        return scores_by_means(latents.astype(np.float64), clusters)["simplified_silhouette"]

    def _answers(self, X: Any, *names: str) -> Iterator[np.ndarray]:
        """Those attributes of the ``Prediction`` of all rows."""
        check_is_fitted(self)
        dataset = self._dataset(X)
        with _backend(), _warned():
            answers = self._memory.model.predict(dataset)
            parts = [[getattr(answer, name) for name in names] for answer in answers]
        return map(np.concatenate, zip(*parts, strict=True))

    # -- what scikit-learn asks ----------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.three_d_array = True
        return tags

    @property
    def _n_features_out(self) -> int:
        return self._memory.model.plan.latent_size

    # -- the way in ----------------------------------------------------------------------------

    def _dataset(self, X: Any, reset: bool = False) -> Dataset:
        """Return the rows as a dataset, after scikit-learn's checks."""
        shape = getattr(X, "shape", ())[1:]
        if len(shape) > 1 and not reset and shape != self._row_shape:
            raise ValueError(
                f"X has rows of shape {shape}, but {type(self).__name__} was fitted on rows of "
                f"shape {self._row_shape}"
            )
        flat = np.reshape(X, (len(X), prod(shape))) if len(shape) > 1 else X
        values = validate_data(
            self,
            flat,
            reset=reset,
            dtype=[np.float32, np.uint8],
            ensure_min_samples=2 if reset else 1,
        )
        shape = shape if len(shape) > 1 else values.shape[1:]
        if reset:
            self._row_shape = shape
        names = getattr(self, "feature_names_in_", ())
        return dataset_from_arrays(
            "array", values.reshape(len(values), *shape), source="X", columns=names, least_rows=1
        )

    def _restored(self, stage: Stage) -> DeepClustering:
        self._remember(stage)
        model = self._memory.model
        self.arch, self.random_state = dict(model.plan.spec.tree), stage.seed
        if stage.from_scratch:
            section, key = length_path(self.arch, "train", default_vocabulary())
            self.train_epochs = self.arch[section][key]
        self._row_shape = channels_last(model.plan.input_shape)
        self.n_features_in_ = prod(self._row_shape)
        if model.origin.columns:
            self.feature_names_in_ = np.array(model.origin.columns, dtype=object)
        return self


class _Memory:
    """A model as arrays, and the model itself once it is needed.

    What is pickled, or copied, are the arrays alone.
    """

    def __init__(self, model: Model) -> None:
        self._model: Model | None = model
        self._origin, self._epoch = model.origin, model.epoch
        self._tree = model.plan.spec.tree
        self._weights = model.network.get_weights()
        self._head = model.assigning_head.arrays()

    @property
    def model(self) -> Model:
        """Built on first use after unpickling, with the same numbers."""
        if self._model is None:
            self._model = self._built()
        return self._model

    def _built(self) -> Model:
        from archbuild.models.model import Model
        from archbuild.networks.builder import build_network

        vocabulary = default_vocabulary()
        spec = spec_from_tree(self._tree, vocabulary)
        plan = make_plan(spec, vocabulary)
        network = build_network(plan, vocabulary, seed=0)
        network.set_weights(self._weights)
        head = vocabulary.heads[spec.head.type](spec.head.config, plan)
        head.restore(self._head)
        return Model(plan, network, head, self._origin, self._epoch)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_model": None}


def _tree_for(dataset: Dataset, head: str | None) -> Any:
    """Return the spec that ``archbuild new`` writes for such rows, with what a prior asks for."""
    shape = dataset.shape
    scaling, _ = scaling_of(dataset)
    subject = Subject("default", shape, len(dataset), scaling=scaling, n_clusters=_CLUSTERS)
    tree = parse_text(spec_text(subject), "arch", "yaml").tree
    if head in HEADS and HEADS[head].generates:
        bottleneck = tree["layers"][-1]
        tree["layers"][-1] = {"type": "Gaussian", "num_units": bottleneck["num_units"]}
        # the mean over a row's elements becomes the sum that stands in a bound
        tree["head"] = {
            "type": head,
            "n_clusters": _CLUSTERS,
            "reconstruction_weight": prod(shape),
        }
    return tree


@contextmanager
def _backend() -> Iterator[None]:
    """Keras, started, while the block lasts, without TensorFlow's word on its tracing.

    It takes the networks of several fits for one that is traced again and again.
    """
    from archbuild.environment import start_keras

    start_keras()
    logger = logging.getLogger("tensorflow")
    logger.addFilter(_is_of_interest)
    try:
        yield
    finally:
        logger.removeFilter(_is_of_interest)


@contextmanager
def _warned() -> Iterator[None]:
    """Raise logged warnings as Python warnings while the block lasts."""
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.warn(record.getMessage(), stacklevel=2)
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)


def _is_of_interest(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()
