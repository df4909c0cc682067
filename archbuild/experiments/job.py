"""One job: a dataset, a spec and a seed, from the first epoch to the last picture.

The command line and the estimator both call this; each step leaves its result in the run folder,
so a step that is done is skipped, and one that was cut short goes on where it stopped.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from archbuild.data import Dataset, arch_stem, held_out, load_dataset
from archbuild.data.batches import count_batches
from archbuild.errors import DataError, RunError, UsageError
from archbuild.experiments.stage_results import ending, epochs_in_words, summary, versions, writers
from archbuild.heads.base import AUTO
from archbuild.registry import default_vocabulary
from archbuild.runs import RunFolder, StageFolder
from archbuild.runs.catalogue import plots_of
from archbuild.runs.names import (
    PRETRAIN,
    from_scratch,
    is_from_scratch,
    is_refining,
    refining,
    section_of,
    space_of,
    stage_of,
)
from archbuild.runs.texts import clear_stage, clear_texts, messages_of
from archbuild.spec import (
    NETWORK_KEYS,
    Plan,
    Spec,
    Vocabulary,
    load_spec,
    make_plan,
    spec_from_tree,
)
from archbuild.training.progress import LOGGER, Reporter

if TYPE_CHECKING:
    from archbuild.data.origin import Origin
    from archbuild.heads import Head
    from archbuild.models.trained import Trained
    from archbuild.networks.network import Network
    from archbuild.training.feed import Feed
    from archbuild.training.stage import StageOutcome

_NETWORK_PATHS = {(key,) for key in NETWORK_KEYS}


def depended_on(
    tree: Mapping[str, Any], keys: Iterable[str], vocabulary: Vocabulary
) -> dict[str, Any]:
    """Those keys of a resolved spec, without what a head writes or leaves out at will."""
    found = {key: tree.get(key) for key in keys}
    if "head" in found:
        passing = vocabulary.heads[tree["head"]["type"]].passing_fields
        found["head"] = {name: v for name, v in tree["head"].items() if name not in passing}
    return found


@dataclass(frozen=True)
class JobRequest:
    """What to work on.

    Attributes:
        dataset: a dataset's name or a path to the user's own data.
        arch: an index, a name, a path, ``path:index`` or ``path:name``.
        head: a head's type, in place of the spec's.
        overrides: ``key=value`` texts, applied to the spec before it is checked.
        seed: of everything random.
        data_dir: where datasets lie; ``None``: ``$ARCHBUILD_DATA`` or ``./datasets``.
        out: where ``saved_params/``, ``plots/`` and ``messages/`` go.
        lengths: of the stages, by name, in epochs or in what the head counts; else the spec's.
    """

    dataset: str
    arch: str
    head: str | None = None
    overrides: Sequence[str] = ()
    seed: int = 0
    data_dir: Path | None = None
    out: Path = field(default_factory=Path)
    lengths: Mapping[str, int] = field(default_factory=dict)

    def command(self) -> str:
        """The command line that asks for this, without its stages."""
        words = ["archbuild", "-d", self.dataset, "-a", self.arch, "--seed", str(self.seed)]
        words += ["--head", self.head] if self.head else []
        words += [word for override in self.overrides for word in ("--set", override)]
        words += ["--data-dir", str(self.data_dir)] if self.data_dir else []
        words += ["--out", str(self.out)] if self.out != Path() else []
        return shlex.join(words)


class Job:
    """A request with its dataset and its spec read and checked.

    Args:
        request: what to work on.
        reporter: hears of progress; by default it only goes to the log.
        spec: in place of the one that the request names.
        dataset: rows in memory, in place of the dataset that the request names.

    Raises:
        SpecError: the spec has problems; all of them are named.
        DataError: the dataset is missing, damaged, or does not fit the spec.
        UsageError: the number of clusters is unknown, or larger than the dataset.
    """

    def __init__(
        self,
        request: JobRequest,
        reporter: Reporter | None = None,
        *,
        spec: Spec | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        self.request = request
        self.reporter = reporter or Reporter()
        self.vocabulary = default_vocabulary()
        spec = spec or load_spec(
            request.arch,
            self.vocabulary,
            stem=arch_stem(request.dataset),
            overrides=request.overrides,
            head=request.head,
            lengths=request.lengths,
        )
        if dataset is None:
            dataset = load_dataset(request.dataset, request.data_dir, input_shape=spec.input_shape)
        self.dataset: Dataset = dataset.fitted_to(spec.input_shape)
        self.spec: Spec = _with_n_clusters(spec, self.dataset, self.vocabulary)
        self.plan: Plan = make_plan(self.spec, self.vocabulary)
        self.run = RunFolder.locate(request.out, dataset.name, self.spec.name, request.seed)

    # -- names and folders -----------------------------------------------------------------

    @property
    def plots(self) -> Path:
        """Where this run's pictures go."""
        return plots_of(self.run)

    @property
    def head_stage(self) -> str:
        """The name of the stage that refines a pretrained network with the spec's head."""
        return refining(self.spec.head.type)

    @property
    def scratch_stage(self) -> str:
        """The name of the stage that trains network and head from scratch."""
        return from_scratch(self.spec.head.type)

    def finished(self, stage: str) -> bool:
        """Whether the stage has ended; ``refuse_foreign_stages`` says whether it is ours."""
        return self.run.stage(stage).status() == "finished"

    def finished_heads(self) -> tuple[str, ...]:
        """The spaces of the heads that are finished, those of earlier commands included."""
        stages = (name for name in self.run.stages() if name != PRETRAIN and self.finished(name))
        return tuple(space_of(name) for name in stages)

    def summaries(self) -> dict[str, dict[str, Any]]:
        """For every finished stage: how it ended, and the seconds that it took."""
        manifests = {name: self.run.stage(name).manifest() for name in self.run.stages()}
        return {
            name: {**manifest["summary"], "seconds": manifest["timing"]["seconds"]}
            for name, manifest in manifests.items()
            if manifest["state"] == "finished"
        }

    # -- training --------------------------------------------------------------------------

    def pretrain(self, fresh: bool = False) -> bool:
        """Learn to reconstruct.

        Args:
            fresh: start over, and drop the heads that were trained on the old weights.

        Returns:
            Whether anything was done: a finished stage is left as it is.

        Raises:
            RunError: the stage was made for another request.
            DivergenceError: a loss term stopped being finite.
        """
        from archbuild.training.pretraining import Reconstruct

        if fresh:
            self._clear_all_stages()
        self._forget_weights()
        objective = Reconstruct(self.spec.reconstruction)
        return self._run_stage(PRETRAIN, PRETRAIN, objective, self._request(PRETRAIN))

    def _clear_all_stages(self) -> None:
        for stage in self.run.stages():
            if is_from_scratch(stage):  # it owes the pretrained weights nothing
                continue
            clear_stage(self.run.stage(stage))
            if is_refining(stage):
                self.reporter.stage_ends(stage, "dropped, it was trained on the old weights")

    def cluster(self, fresh: bool = False) -> bool:
        """Refine the pretrained network with the spec's head; as ``pretrain`` otherwise.

        Raises:
            RunError: there is no finished pretrained run of this network, or the stage was made
                for another request.
            DivergenceError: a loss term stopped being finite.
        """
        if fresh:
            clear_stage(self.run.stage(self.head_stage))
        pretrained = self._pretrained()
        self.settle_clusters()
        self._load_weights(pretrained)
        request = self._request("cluster") | {"pretrain": self.run.stage(PRETRAIN).digest}
        return self._run_stage(self.head_stage, "cluster", self._new_head(), request)

    def train(self, fresh: bool = False) -> bool:
        """Train network and head as one, from the first weights; as ``pretrain`` otherwise.

        Raises:
            UsageError: as ``refuse_scratch``.
            RunError: the stage was made for another request.
            DivergenceError: a loss term stopped being finite.
        """
        self.refuse_scratch()
        if fresh:
            clear_stage(self.run.stage(self.scratch_stage))
        self._forget_weights()
        return self._run_stage(
            self.scratch_stage, "train", self._new_head(), self._request("train")
        )

    def settle_clusters(self) -> None:
        """Put the number that the pretrained latents suggest in the place of ``auto``, and say so.

        Raises:
            RunError: there is no finished pretrained run of this network.
        """
        if self.spec.head.config["n_clusters"] != AUTO:
            return
        from archbuild.models.suggestion import in_text, suggest_for

        suggestion = suggest_for(self)
        self.reporter.note(f"how many clusters?\n{in_text(suggestion)}")
        if not suggestion.clear:
            LOGGER.warning("%s", suggestion.in_words())
        self.spec = _with_clusters(self.spec, suggestion.n_clusters, self.vocabulary)
        self.plan = make_plan(self.spec, self.vocabulary)

    def refuse_scratch(self) -> None:
        """Make sure that the spec's head can train a network from scratch.

        Raises:
            UsageError: it refines pretrained networks only, the number of clusters is to be found
                in pretrained latents, or the epochs end before it begins.
        """
        from archbuild.training.stage import prelude_epochs

        problem = self._head_type.scratch_problem(self.spec.head.config)
        if problem:
            raise UsageError(problem)
        if self.spec.head.config["n_clusters"] == AUTO:
            raise UsageError(
                "head.n_clusters: auto looks at pretrained latents, and training from scratch has "
                "none; see what archbuild suggest-k says of a pretrained run, and give that number"
            )
        settings, head = self.spec.settings("train"), self._new_head()
        steps = count_batches(len(self.dataset), settings["batch_size"])
        begins = prelude_epochs(head, settings, steps)
        if begins and begins >= settings["epochs"] and not head.rounds:
            raise UsageError(
                f"the {self.spec.head.type} head's clusters begin after "
                f"{epochs_in_words(begins)} of head.gamma_training, and train.epochs is "
                f"{settings['epochs']}: they would never be trained; ask for more epochs "
                f"(--train {2 * begins}), or lower head.gamma_training.length"
            )

    def _forget_weights(self) -> None:
        """Have the network built anew when it is asked for: stages leave their weights in it."""
        self.__dict__.pop("network", None)

    @property
    def _head_type(self) -> type[Head]:
        return self.vocabulary.heads[self.spec.head.type]

    def _new_head(self) -> Head:
        """The spec's head, not yet trained."""
        return self._head_type(self.spec.head.config, self.plan, self.request.seed)

    def _run_stage(
        self, name: str, section: str, objective: Any, request: Mapping[str, Any]
    ) -> bool:
        from archbuild.training.stage import StageTrainer

        folder = self.run.stage(name)
        finished = folder.status() == "finished"
        if not finished:
            self._refuse_data_out_of_range()
        origin = {} if finished else self.origin.to_json()
        folder.begin(request, versions=versions(), origin=origin)
        self.run.write_spec(self.spec.tree)
        if finished:
            folder.verify()
            done = epochs_in_words(folder.manifest()["epoch"])
            self.reporter.stage_ends(name, f"already done ({done})")
            return False
        trainer = StageTrainer(
            name,
            self.spec.settings(section),
            self.network,
            objective,
            self.feed,
            folder,
            self.request.seed,
            self.reporter,
            from_scratch=is_from_scratch(name),
        )
        if trainer.rounds:
            each = epochs_in_words(trainer.settings["epochs"])
            self.reporter.note(f"rounds: {trainer.rounds}, of {each} each")
        outcome = trainer.run()
        head = objective if name != PRETRAIN else None
        self._write_texts(name, head, outcome)
        folder.finish(
            writers(self.network, outcome.codes, head),
            summary=summary(outcome),
            history=outcome.history,
            timing={"seconds": round(outcome.seconds, 2)},
        )
        self.reporter.stage_ends(name, ending(outcome))
        return True

    def _write_texts(self, stage: str, head: Head | None, outcome: StageOutcome) -> None:
        """The messages that a head exchanged, where it is asked to leave them as text."""
        from archbuild.heads.messages import MessagesHead
        from archbuild.models.message_files import write_learned

        if isinstance(head, MessagesHead) and head.config["text_files"]:
            folder = messages_of(self.run) / stage
            losses = np.array([row["loss"] for row in outcome.history])
            clear_texts(self.run.stage(stage))  # a process that was killed may have left some
            write_learned(self, head, losses, folder)
            self.reporter.note(f"the messages are in {folder}")

    def _refuse_data_out_of_range(self) -> None:
        """A Bernoulli likelihood of values outside 0..1 has no bottom: it would fall for ever."""
        if self.spec.reconstruction != "bernoulli":
            return
        low, high = self.origin.low, self.origin.high
        if low < 0 or high > 1:
            raise UsageError(
                f"reconstruction: bernoulli needs values from 0 to 1, but {self.dataset.name} "
                f"under scaling: {self.spec.scaling} has some from {low:g} to {high:g}; use "
                "scaling: minmax, or another reconstruction"
            )

    def _request(self, section: str) -> dict[str, Any]:
        keys = [*NETWORK_KEYS, "batch_size", "augment", section]
        keys += ["head"] if section != PRETRAIN else []
        return {
            "spec": depended_on(self.spec.tree, keys, self.vocabulary),
            "seed": self.request.seed,
            "data": self.dataset.digest(),
        }

    def _pretrained(self) -> StageFolder:
        """The finished pretrained stage, once it is known to be of this very network."""
        folder = self.run.stage(PRETRAIN)
        if folder.status() != "finished":
            raise RunError(
                f"'{self.head_stage}' starts from a pretrained network, and {folder.path} holds "
                "none that is finished; make one with: "
                f"{self.request.command()} --pretrain {self.spec.pretrain['epochs']}"
            )
        self._refuse_foreign(folder)
        folder.verify()
        return folder

    def refuse_foreign_stages(self) -> None:
        """Make sure that what is there is of this network and these data.

        Raises:
            RunError: a stage is not; names each difference.
        """
        for stage in self.run.stages():
            self._refuse_foreign(self.run.stage(stage))

    def _refuse_foreign(self, folder: StageFolder) -> None:
        ours = self._request(PRETRAIN)
        changes = [
            change
            for change in folder.compare(ours)
            if change.path[0] in ("seed", "data") or change.path[1:2] in _NETWORK_PATHS
        ]
        if changes:
            lines = "\n".join(f"    {change}" for change in changes)
            raise RunError(
                f"{folder.path} was made for another network or other data (there -> now):\n"
                f"{lines}\nask for what is there, train again with --fresh "
                f"--{section_of(folder.name)}, or choose another --out"
            )

    # -- what the rest works with ----------------------------------------------------------

    @cached_property
    def feed(self) -> Feed:
        """The rows as the network takes them."""
        from archbuild.data.scaling import Scaler
        from archbuild.training.feed import Feed

        return Feed(self.dataset, Scaler.fit(self.dataset, self.spec.scaling), self.spec.augment)

    @cached_property
    def origin(self) -> Origin:
        """What a model must remember of these data."""
        from archbuild.data.origin import Origin

        return Origin.of(self.dataset, self.feed.scaler)

    @cached_property
    def network(self) -> Network:
        """The autoencoder, built once; stages load their weights into it."""
        from archbuild.networks.builder import build_network

        return build_network(self.plan, self.vocabulary, self.request.seed)

    def load(self, stage: str) -> None:
        """Put the weights of a finished stage into the network."""
        folder = self.run.stage(stage)
        folder.verify()
        self._load_weights(folder)

    def trained(self, stage: str) -> Trained:
        """Network and head of a stage, at its latest epoch where it is not finished.

        Raises:
            RunError: there is no such stage, it has no head, or a file is missing or altered.
        """
        from archbuild.models.trained import restore

        return restore(self.run.stage(stage), self.network, self.plan, self.vocabulary)

    @cached_property
    def held_out(self) -> Feed | None:
        """The dataset's held-out half, scaled as the training half is; ``None`` if it has none.

        Where it should be there and cannot be read, a warning says why: the rest is worth having.
        """
        shape = self.spec.input_shape
        try:
            dataset = held_out(self.request.dataset, self.request.data_dir, input_shape=shape)
        except DataError as error:
            LOGGER.warning("nothing is measured on held-out rows: %s", error)
            return None
        if dataset is None:
            return None
        return replace(self.feed, dataset=dataset.fitted_to(shape))

    def assignments(self, head: str) -> np.ndarray:
        """``(n, k)`` probabilities of a finished head."""
        return np.load(self.run.stage(stage_of(head)).file("assignments.npy"))

    def _load_weights(self, folder: StageFolder) -> None:
        self.network.load_weights(folder.file("model.weights.h5"))


def _with_n_clusters(spec: Spec, dataset: Dataset, vocabulary: Any) -> Spec:
    """The spec with the number of clusters filled in from what the dataset declares."""
    wanted = spec.head.config["n_clusters"] or dataset.n_classes
    if wanted == AUTO:
        return spec
    if wanted is None:
        raise UsageError(
            f"how many clusters? {dataset.name} declares no classes and the spec does not say; "
            "give a number with --set head.n_clusters=10, or ask the pretrained latents with "
            "--set head.n_clusters=auto"
        )
    if wanted > len(dataset):
        raise UsageError(
            f"{wanted} clusters were asked for, but {dataset.name} has {len(dataset)} rows; "
            "lower head.n_clusters"
        )
    return _with_clusters(spec, wanted, vocabulary)


def _with_clusters(spec: Spec, number: int, vocabulary: Any) -> Spec:
    """The spec with that many clusters; the head may have a word to say on the number."""
    tree = {**spec.tree, "head": {**spec.tree["head"], "n_clusters": number}}
    return spec_from_tree(tree, vocabulary)
