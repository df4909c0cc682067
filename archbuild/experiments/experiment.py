"""An experiment: a dataset, a spec and a seed, and the stages that it trains.

The command line and the estimator both use it. Each stage writes its results to the run folder, so
a stage that is done is skipped, and one that was interrupted is resumed. Results are read through a
``Run`` (``models/run.py``), never through the experiment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.clustering.starts import refuse_impossible_start
from archbuild.data import Dataset, arch_stem
from archbuild.data.batches import count_steps
from archbuild.data.supervision import chosen_labels
from archbuild.errors import RunError
from archbuild.experiments.head_files import write_head_files
from archbuild.experiments.outcome import (
    ending,
    in_float32,
    summary,
    supervised_origin,
    versions,
    writers,
)
from archbuild.experiments.request import ExperimentRequest
from archbuild.experiments.requirements import (
    refuse_endless_warmup,
    refuse_foreign,
    refuse_other_blocks,
    refuse_other_sequences,
    refuse_out_of_range,
    refuse_pretraining,
    refuse_scratch,
    stage_request,
    with_clusters,
    with_n_clusters,
)
from archbuild.experiments.trainers import make_trainer
from archbuild.heads.base import AUTO
from archbuild.models.run import Run
from archbuild.registry import default_vocabulary
from archbuild.runs import RunFolder, StageFolder
from archbuild.runs.names import (
    PRETRAIN,
    from_scratch,
    is_from_scratch,
    is_refining,
    refining,
)
from archbuild.runs.texts import clear_stage
from archbuild.spec import Plan, Spec, load_spec, make_plan
from archbuild.training.progress import LOGGER, EventHandler, Note, StageEnded, counted, log_event

if TYPE_CHECKING:
    from archbuild.data.origin import Origin
    from archbuild.heads.base import Head
    from archbuild.networks.network import Network
    from archbuild.training.feed import Feed
    from archbuild.training.stage import StageTrainer


class Experiment:
    """A request with its dataset and its spec read and checked.

    Args:
        request: the dataset, the spec and the seed.
        emit: receives the events; by default they only go to the log.
        spec: in place of the one that the request names.
        dataset: rows in memory, in place of the dataset that the request names.

    Raises:
        SpecError: the spec has problems; the error holds all of them.
        DataError: the dataset is missing, damaged, or does not fit the spec.
        UsageError: the number of clusters is unknown, or larger than the dataset.
    """

    def __init__(
        self,
        request: ExperimentRequest,
        emit: EventHandler = log_event,
        *,
        spec: Spec | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        self.request = request
        self.emit = emit
        self.vocabulary = default_vocabulary()
        spec = spec or self._requested_spec()
        self._in_memory = dataset is not None
        if dataset is None:
            dataset = request.location.load(spec)
        dataset.refuse_constant()
        self.dataset: Dataset = dataset.fitted_to(spec.input_shape)
        refuse_other_blocks(spec, self.dataset)
        self.folder = RunFolder.locate(request.out, dataset.name, spec.name, request.seed)
        self._settle(with_n_clusters(spec, self.dataset, self.vocabulary))

    def _requested_spec(self) -> Spec:
        request = self.request
        return load_spec(
            request.arch,
            self.vocabulary,
            stem=arch_stem(request.dataset),
            overrides=request.overrides,
            head=request.head,
            lengths=request.lengths,
        )

    def _settle(self, spec: Spec) -> None:
        self.spec: Spec = spec
        self.plan: Plan = make_plan(spec, self.vocabulary)

    @property
    def head_stage(self) -> str:
        """The name of the stage that refines a pretrained network with the spec's head."""
        return refining(self.spec.head.type)

    @property
    def scratch_stage(self) -> str:
        """The name of the stage that trains network and head from scratch."""
        return from_scratch(self.spec.head.type)

    def results(self) -> Run:
        """Return the results so far as a run, with the rows and the spec of this experiment.

        Raises:
            RunError: a stage is of another network or other data; the message names each
                difference.
        """
        for stage in self.folder.stages():
            refuse_foreign(self.folder.stage(stage), self.request_of(PRETRAIN))
        return Run(
            self.folder,
            spec=self.spec,
            dataset=self.dataset,
            location=None if self._in_memory else self.request.location,
            command=self.request.command(),
        )

    # -- stages ----------------------------------------------------------------------------

    def pretrain(self, *, fresh: bool = False) -> bool:
        """Learn to reconstruct.

        Args:
            fresh: start over, and drop the heads that were trained on the old weights.

        Returns:
            Whether the stage was trained: ``False`` if it was finished before.

        Raises:
            UsageError: the decoder reads more than the latent, or there is none.
            RunError: the stage was made for another request.
            DivergenceError: a loss term stopped being finite.
        """
        refuse_pretraining(self.plan)
        request = self.request_of(PRETRAIN)
        if fresh:
            refuse_out_of_range(self.spec, self.dataset, self.origin)
            self._clear_all_stages()
        return self._run_stage(PRETRAIN, None, request)

    def _clear_all_stages(self) -> None:
        for stage in self.folder.stages():
            if not is_from_scratch(stage):  # which does not depend on the pretrained weights
                clear_stage(self.folder.stage(stage))
            if is_refining(stage):
                self.emit(StageEnded(stage, "dropped, it was trained on the old weights"))

    def cluster(self, *, fresh: bool = False) -> bool:
        """Refine the pretrained network with the spec's head.

        Args:
            fresh: start over.

        Returns:
            Whether the stage was trained: ``False`` if it was finished before.

        Raises:
            UsageError: the decoder reads more than the latent, or there is none.
            RunError: there is no finished pretrained run of this network, or the stage was made
                for another request.
            DivergenceError: a loss term stopped being finite.
        """
        refuse_pretraining(self.plan)
        pretrained = self.pretrained()
        self.settle_clusters()
        request = self.request_of("cluster") | {"pretrain": pretrained.digest}
        return self._run_stage(self.head_stage, self.new_head(), request, pretrained, fresh)

    def train(self, *, fresh: bool = False) -> bool:
        """Train network and head together from scratch.

        Args:
            fresh: start over.

        Returns:
            Whether the stage was trained: ``False`` if it was finished before.

        Raises:
            UsageError: the head cannot be trained from scratch (``refuse_scratch``).
            RunError: the stage was made for another request.
            DivergenceError: a loss term stopped being finite.
        """
        self.refuse_scratch()
        request = self.request_of("train")
        return self._run_stage(self.scratch_stage, self.new_head(), request, fresh=fresh)

    def settle_clusters(self) -> None:
        """Replace ``n_clusters: auto`` by the number that the pretrained latents suggest.

        Raises:
            RunError: there is no finished pretrained run of this network.
        """
        if self.spec.head.config.get("n_clusters") != AUTO:
            return
        from archbuild.figures.candidates import draw_suggestion
        from archbuild.models.suggestion import in_text, suggest_for

        run = self.results()
        suggestion = suggest_for(run)
        draw_suggestion(run, suggestion)
        self.emit(Note(f"how many clusters?\n{in_text(suggestion, indent=2)}"))
        if not suggestion.clear:
            LOGGER.warning("%s", suggestion.in_words())
        self.take_clusters(suggestion.n_clusters)

    def take_clusters(self, number: int) -> None:
        """Replace the number of clusters."""
        self._settle(with_clusters(self.spec, number, self.vocabulary))

    def refuse_impossible(self, sections: Collection[str]) -> None:
        """Make sure that none of these stages is refused after hours of others.

        Raises as ``refuse_scratch`` and ``refuse_impossible_start``.
        """
        if "train" in sections:
            self.refuse_scratch()
        if "cluster" in sections:
            refuse_impossible_start(self.spec.head.config, len(self.dataset))

    def refuse_scratch(self) -> None:
        """Make sure that the spec's head can be trained from scratch.

        Raises:
            UsageError: the head refines pretrained networks only, the number of clusters is to be
                found in pretrained latents, or the epochs end before the head begins.
        """
        from archbuild.training.head_stage import warmup_epochs

        refuse_scratch(self.spec, self.vocabulary)
        settings, head = self.spec.settings("train"), self.new_head()
        steps = count_steps(len(self.dataset), settings)
        if not head.rounds:
            refuse_endless_warmup(self.spec, warmup_epochs(head, settings, steps))

    # -- one stage -------------------------------------------------------------------------

    def _run_stage(
        self,
        name: str,
        head: Head | None,
        request: Mapping[str, Any],
        pretrained: StageFolder | None = None,
        fresh: bool = False,
    ) -> bool:
        folder = self.folder.stage(name)
        finished = folder.status() == "finished" and not fresh
        if not finished:
            refuse_out_of_range(self.spec, self.dataset, self.origin)
        if fresh:  # after all that may refuse
            clear_stage(folder)
        origin = {} if finished else self._origin_of(head).to_json()
        folder.begin(request, versions=versions(), origin=origin)
        self.folder.write_spec(self.spec.tree)
        if finished:
            folder.verify()
            epochs = counted(len(folder.history()), "epoch")
            self.emit(StageEnded(name, f"already done ({epochs})"))
            return False
        self._train_stage(folder, head, self.network(pretrained))
        return True

    def _origin_of(self, head: Head | None) -> Origin:
        if head is None or self.labels is None:
            return self.origin
        return supervised_origin(self.origin, self.spec, self.dataset, head.answers, self.labels)

    def network(self, pretrained: StageFolder | None = None) -> Network:
        """Build a network of the stage's own, with the pretrained weights if there are some."""
        from archbuild.networks.builder import build_network
        from archbuild.networks.weights import load_weights

        request = self.request
        network = build_network(self.plan, self.vocabulary, request.seed, request.precision)
        if pretrained is not None:
            load_weights(network, pretrained.file("model.weights.h5"))
        return network

    def _train_stage(self, folder: StageFolder, head: Head | None, network: Network) -> None:
        trainer = self.trainer(folder.name, head, network, folder)
        if head is not None and head.rounds:
            each = counted(trainer.settings["epochs"], "epoch")
            self.emit(Note(f"rounds: {head.rounds}, of {each} each"))
        if head is not None and not head.learns:
            self.emit(Note(f"the {head.name} head trains nothing: no epochs"))
        outcome = trainer.run()
        network, outcome = in_float32(network, outcome, head, self.feed, self.vocabulary)
        if head is not None and head.writes_files:
            place = write_head_files(self.folder, folder, network, head, self.feed, outcome)
            self.emit(Note(f"the messages are in {place}"))
        folder.finish(
            writers(network, outcome.codes, head, self.labels if head is not None else None),
            summary=summary(outcome),
            history=outcome.history,
            timing={"seconds": round(outcome.seconds, 2)},
        )
        self.emit(ending(folder.name, outcome))

    def trainer(
        self, name: str, head: Head | None, network: Network, folder: StageFolder | None = None
    ) -> StageTrainer:
        """Return the trainer of a stage, which keeps nothing without a folder.

        Without a head it learns to reconstruct.
        """
        labels = None if head is None else self.labels
        given = (network, head, self.feed, labels, folder, self.request.seed, self.emit)
        return make_trainer(name, self.spec, *given)

    def new_head(self, **changes: Any) -> Head:
        """Return the spec's head, not yet trained; ``changes`` are values of its fields."""
        kind: Any = self.vocabulary.heads[self.spec.head.type]
        head: Head = kind({**self.spec.head.config, **changes}, self.plan, self.request.seed)
        return head

    # -- what a stage depends on -----------------------------------------------------------

    def request_of(self, section: str) -> dict[str, Any]:
        """Return what a stage depends on (``stage_request``), without the stage before it."""
        return stage_request(
            self.spec,
            section,
            self.request.seed,
            self.dataset,
            self.labels,
            self.vocabulary,
            self.request.precision,
        )

    def pretrained(self) -> StageFolder:
        """Return the finished pretrained stage, checked to be of this network."""
        folder = self.folder.stage(PRETRAIN)
        if folder.status() != "finished":
            raise RunError(
                f"'{self.head_stage}' starts from a pretrained network, and {folder.path} holds "
                "none that is finished; make one with: "
                f"{self.request.command()} --pretrain {self.spec.pretrain['epochs']}"
            )
        refuse_foreign(folder, self.request_of(PRETRAIN))
        folder.verify()
        return folder

    # -- the rows --------------------------------------------------------------------------

    @cached_property
    def labels(self) -> np.ndarray | None:
        """The labels that the head may read, -1 where unknown; ``None`` without supervision.

        Raises:
            DataError: the dataset has no labels, and the spec's supervision asks for some.
            UsageError: the dataset has fewer labels than are asked for, or other sequences of them.
        """
        if self.spec.supervision is None:
            return None
        refuse_other_sequences(self.spec, self.dataset, self.vocabulary)
        return chosen_labels(self.dataset, self.spec.supervision, self.request.seed)

    @cached_property
    def feed(self) -> Feed:
        """The rows as the network takes them."""
        from archbuild.training.feed import Feed

        return Feed.of(self.dataset, self.spec)

    @cached_property
    def origin(self) -> Origin:
        """The facts on these data that a model is stored with."""
        from archbuild.data.origin import Origin

        place = (None, "") if self._in_memory else (self.request.location, self.request.command())
        return Origin.of(self.dataset, self.feed.scaler, *place)
