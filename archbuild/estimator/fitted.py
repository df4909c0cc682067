"""The fitted half of the estimator: from rows to clusters and latents, and back."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from numbers import Integral
from pathlib import Path
from typing import Any

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
from archbuild.data.formats.tables.frame import is_frame, is_plain_frame, read_frame
from archbuild.data.request import Known, ReadOptions, ReadRequest
from archbuild.estimator.backend import logged_warnings_raised, started_keras
from archbuild.estimator.memory import Memory


class FittedClustering(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator
):
    """An estimator that answers with the model in its memory; a subclass has the parameters."""

    random_state: int | np.random.RandomState | None
    _memory: Memory
    _row_shape: tuple[int, ...]
    _channels_first: bool = False

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable cluster of each row, or class where there are ``classes_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or ndarray of shape (n_samples, ...)
            Rows like those of ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Cluster of each row, from 0, int64; or its class.
        """
        return self._named(self.predict_proba(X).argmax(axis=1))

    def _named(self, clusters: np.ndarray) -> np.ndarray:
        """Return the classes that numbers stand for where there are ``classes_``."""
        classes = getattr(self, "classes_", None)
        return clusters if classes is None else classes[clusters]

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
        with started_keras():
            rows = self._memory.model.decode(check_array(X, dtype=np.float32))
        return self._as_given(rows)

    def sample(self, n_per_cluster: int = 1) -> tuple[np.ndarray, np.ndarray]:
        """Draw rows from every cluster of the generative process, if the head has one.

        Parameters
        ----------
        n_per_cluster : int, default=1
            The number of rows from each cluster.

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
        with started_keras():
            rows = self._memory.model.generate(n_per_cluster, self._seed())
        clusters = np.repeat(np.arange(len(rows)), n_per_cluster)
        return self._as_given(rows.reshape(len(clusters), *rows.shape[2:])), clusters

    def score(self, X: Any, y: Any = None) -> float:
        """Return how far apart the clusters of the rows are in the latent space; high is good.

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
        scores = scores_by_means(latents.astype(np.float64), clusters)
        score = scores["simplified_silhouette"]
        assert score is not None  # two clusters have one
        return score

    def _as_given(self, rows: np.ndarray) -> np.ndarray:
        """Return rows with the channels last in the axes of the rows of ``fit``."""
        rows = np.moveaxis(rows, -1, 1) if self._channels_first else rows
        return rows.reshape(len(rows), *self._row_shape)

    def _answers(self, X: Any, *names: str) -> Iterator[np.ndarray]:
        """Return those attributes of the ``Prediction`` of all rows."""
        check_is_fitted(self)
        with started_keras():  # an unpickled model starts here
            spec = self._memory.model.plan.spec
        dataset = self._dataset(X, ReadOptions.of(spec.data), spec.input_shape)
        with started_keras(), logged_warnings_raised():
            answers = self._memory.model.predict(dataset)
            parts = [[getattr(answer, name) for name in names] for answer in answers]
        return map(np.concatenate, zip(*parts, strict=True))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        tags.input_tags.three_d_array = True
        return tags

    @property
    def _n_features_out(self) -> int:
        return self._memory.model.plan.latent_size

    def _seed(self) -> int:
        generator = check_random_state(self.random_state)
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return int(generator.randint(2**31 - 1))

    def get_encoded_names(self) -> np.ndarray:
        """Return the names of the features that the columns of a frame became.

        Returns
        -------
        names : ndarray of shape (n_encoded_features,)
            ``city=Oslo`` for a category, ``age is missing`` for the mark of missing cells, else
            the column's name; empty where ``fit`` had no names.
        """
        check_is_fitted(self)
        return np.array(self._memory.origin.columns, dtype=object)

    def _dataset(
        self,
        X: Any,
        options: ReadOptions,
        input_shape: tuple[int, ...] | None,
        reset: bool = False,
    ) -> Dataset:
        """Return the rows as a dataset, after scikit-learn's checks; ``reset`` is for ``fit``."""
        known = None if reset else self._memory.origin.known
        told = options.columns or options.missing or not is_plain_frame(X) if is_frame(X) else False
        if is_frame(X) and (self._is_read_by_column(X, known) if known else told):
            return self._dataset_of_frame(X, known, options)
        values = self._checked(X, known.gaps if known else options.masks_gaps, reset)
        dataset = dataset_from_arrays(
            "array",
            values,
            input_shape=input_shape,
            source="X",
            columns=getattr(self, "feature_names_in_", ()),
            least_rows=1,
            known=known,
            options=options,
        )
        if reset:
            self._row_shape = shape = values.shape[1:]
            is_moved = dataset.values.ndim == len(shape) + 1 and dataset.values.shape[1:] != shape
            self._channels_first = is_moved or options.channels == "first"
        return dataset

    def _checked(self, X: Any, gaps: bool, reset: bool) -> np.ndarray:
        """Return the rows as finite numbers, in the shape of a row; ``gaps`` may be NaN."""
        shape = getattr(X, "shape", ())[1:]
        is_flat = len(shape) < 2
        if not is_flat and not reset and shape != self._row_shape:
            raise ValueError(
                f"X has rows of shape {shape}, but {type(self).__name__} was fitted on rows of "
                f"shape {self._row_shape}"
            )
        values: np.ndarray = validate_data(
            self,
            X if is_flat else np.reshape(X, (len(X), prod(shape))),
            reset=reset,
            dtype="numeric",
            ensure_all_finite="allow-nan" if gaps else True,
            ensure_min_samples=2 if reset else 1,
        )
        if is_flat:
            shape = values.shape[1:] if reset else self._row_shape
        return values.reshape(len(values), *shape)

    def _dataset_of_frame(self, frame: Any, known: Known | None, options: ReadOptions) -> Dataset:
        """Return the rows of a frame with columns that are no plain numbers."""
        arrays = read_frame(frame, ReadRequest(Path("X"), options=options, known=known))
        if known is None:
            self.feature_names_in_ = np.array(list(map(str, frame.columns)), dtype=object)
            self.n_features_in_ = len(self.feature_names_in_)
            self._row_shape = arrays.values.shape[1:]
            self._channels_first = False
        return dataset_from_arrays(
            "array",
            arrays.values,
            source="X",
            columns=arrays.columns,
            least_rows=1,
            known=known,
            guesses=arrays.guesses,
            encoding=arrays.encoding,
            gaps=arrays.gaps,
            ids=arrays.ids,
            form=arrays.form,
        )

    def _is_read_by_column(self, frame: Any, known: Known) -> bool:
        """Return whether the rows of ``fit`` or of a frame have columns that are no features.

        A frame with just the model's columns of plain numbers is an array with names.
        """
        if known.form is None or not known.has_names:
            return known.encoding is not None
        seen = tuple(getattr(self, "feature_names_in_", ()))
        return known.encoding is not None or {seen, (*map(str, frame.columns),)} != {known.columns}
