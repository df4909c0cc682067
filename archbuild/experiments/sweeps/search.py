"""Settings that Optuna chooses one after the other, where a grid would have too many points.

Settings are compared by a score that needs no labels: labels never choose an unsupervised model.
The study is a journal beside the sweep's table, so that the same command goes on from it. A round
of settings depends on the seed and on the rounds before it alone: a search that was interrupted
ends as one that was not.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from archbuild.errors import UsageError
from archbuild.evaluation.scores import SCORES
from archbuild.experiments.sweeps.plan import (
    Setting,
    SweepPart,
    SweepPlan,
    SweepRequest,
    plan_sweep,
)
from archbuild.experiments.sweeps.running import Sweep
from archbuild.io.containment import make_folder
from archbuild.io.reading import guarded

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

LABEL_FREE: Final = tuple(key for key, score in SCORES.items() if not score.needs_labels)
"""The scores that settings may be compared by."""

DEFAULT_SCORE: Final = "silhouette"

_RANGE: Final = re.compile(r"([^=]+)=([^,=]+?)\.\.([^,=]+?)(,log)?")
_WHOLE: Final = re.compile(r"[+-]?\d+ [+-]?\d+")
_NAME: Final = "archbuild"
_REQUEST: Final = "request"


@dataclass(frozen=True)
class Range:
    """The values between two bounds, which may be taken themselves.

    Attributes:
        low: the lower bound.
        high: the upper one.
        whole: whether they are whole numbers.
        log: whether their logarithms are spread evenly.
    """

    low: float
    high: float
    whole: bool
    log: bool

    def __str__(self) -> str:
        low, high = map(self.text, (self.low, self.high))
        return f"{low}..{high}{',log' if self.log else ''}"

    def text(self, value: float) -> str:
        """Return a value of the range as ``--set`` reads it, with four digits."""
        if self.whole:
            return str(int(value))
        short = float(f"{value:.4g}")
        return repr(min(max(short, self.low), self.high))


def read_ranges(texts: Sequence[str]) -> dict[str, Range]:
    """Read ``key=low..high`` and ``key=low..high,log`` texts.

    Raises:
        UsageError: one is no range, or a key comes twice.
    """
    ranges: dict[str, Range] = {}
    for text in texts:
        found = _RANGE.fullmatch(text.strip())
        span = _range(found[2], found[3], bool(found[4])) if found else None
        if found is None or span is None:
            raise UsageError(
                f"--range {text}: expected KEY=LOW..HIGH, or KEY=LOW..HIGH,log with LOW above 0, "
                "such as cluster.learning_rate=1e-4..1e-2,log"
            )
        if found[1] in ranges:
            raise UsageError(f"--range {found[1]} is given twice")
        ranges[found[1]] = span
    return ranges


def _range(low: str, high: str, log: bool) -> Range | None:
    """Return the range between two bounds; ``None`` where they are none."""
    try:
        span = Range(float(low), float(high), bool(_WHOLE.fullmatch(f"{low} {high}")), log)
    except ValueError:
        return None
    fits = isfinite(span.low) and isfinite(span.high) and span.low < span.high
    return span if fits and (not log or span.low > 0) else None


@dataclass(frozen=True)
class SearchRequest:
    """The request to a search.

    Attributes:
        sweep: what every setting is run with; its grid has the values that are chosen from.
        ranges: keys whose values lie between bounds.
        trials: the number of settings.
        score: the one of ``LABEL_FREE`` that they are compared by, in the mean over the seeds.
        seed: of Optuna's sampler.

    Raises:
        UsageError: nothing is searched over, there are several heads, or the score needs labels.
    """

    sweep: SweepRequest
    ranges: Mapping[str, Range]
    trials: int
    score: str = DEFAULT_SCORE
    seed: int = 0

    def __post_init__(self) -> None:
        if self.score not in LABEL_FREE:
            raise UsageError(
                f"settings cannot be compared by '{self.score}': choose one of "
                f"{', '.join(LABEL_FREE)}; labels never choose a model"
            )
        if not self.ranges and not self.sweep.grid:
            raise UsageError("--search has nothing to search over: add --range or --grid")
        if both := self.ranges.keys() & self.sweep.grid.keys():
            raise UsageError(f"--range and --grid both give {', '.join(sorted(both))}")
        if len(self.sweep.heads) > 1:
            raise UsageError("--search compares settings of one head: give one with --head")

    def request_for(self, settings: Sequence[Setting] | None) -> SweepRequest:
        """Return the request to a sweep over some settings; ``None``: over none yet."""
        grid = {**self.sweep.grid, **{key: [str(span)] for key, span in self.ranges.items()}}
        chosen = None if settings is None else [*dict.fromkeys(settings)]
        return replace(self.sweep, grid=grid, chosen=chosen, objective=self.score)

    def bounds(self) -> list[Setting]:
        """Return settings in which every choice and every bound occurs."""
        values = {key: list(choices) for key, choices in self.sweep.grid.items()}
        for key, span in self.ranges.items():
            values[key] = [span.text(span.low), span.text(span.high)]
        most = max(map(len, values.values()))
        return [
            tuple(f"{key}={texts[min(place, len(texts) - 1)]}" for key, texts in values.items())
            for place in range(most)
        ]

    def identity(self, plan: SweepPlan) -> dict[str, Any]:
        """Return what values depend on: they are not compared with those of another request."""
        sweep = self.sweep
        return {
            "seeds": list(sweep.seeds),
            "head": plan.runs[0].parts[0].head,
            "stages": dict(sweep.stages),
            "overrides": list(sweep.experiment.overrides),
            "space": {key: list(values) for key, values in self.request_for(None).grid.items()},
            "score": self.score,
            "seed": self.seed,
        }


class Search:
    """A search, which runs rounds of settings until there are as many as were asked for.

    Args:
        request: the request.

    Raises:
        UsageError: Optuna is not installed, or the journal is of another request.
        SpecError: the spec has problems at a bound of the space.
        RunError: the journal is damaged.
    """

    def __init__(self, request: SearchRequest) -> None:
        self.request = request
        self._optuna = _imported()
        first = plan_sweep(request.request_for(request.bounds()))
        self._path = first.table_path.with_suffix(".journal")
        make_folder(self._path.parent, below=self._path.parents[1])
        with guarded(self._path):
            self._study = self._opened()
        self._refuse_another(request.identity(first))

    def run(self, sweep: Callable[[SweepPlan], Sweep], at_a_time: int) -> Sweep:
        """Run until there are enough settings; return all, as one sweep that has ended.

        Args:
            sweep: runs a plan; what it raises passes, and the same search goes on from there.
            at_a_time: settings of a round.
        """
        failures: dict[Path, str] = {}
        chosen = [trial for trial in self._trials() if trial.state.name == "FAIL"]
        chosen = chosen or self._next_round(at_a_time)  # what failed is tried again
        while chosen:
            swept = sweep(plan_sweep(self.request.request_for(list(map(self._setting, chosen)))))
            failures |= {part.folder.path: text for part, text in swept.failures.items()}
            self._tell(chosen, swept)
            chosen = self._next_round(at_a_time)
        return self._ended(failures)

    def best(self) -> dict[str, Any] | None:
        """Return ``setting`` and ``value`` of the best trial; ``None``: none has a score."""
        complete = [trial for trial in self._trials() if trial.state.name == "COMPLETE"]
        if not complete:
            return None
        best = self._study.best_trial
        setting = dict(text.split("=", 1) for text in self._setting(best))
        return {"setting": setting, "value": best.value}

    # -- the study -------------------------------------------------------------------------

    def _opened(self) -> Study:
        optuna = self._optuna
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        journal = optuna.storages.journal
        lock = journal.JournalFileOpenLock(str(self._path))
        backend = journal.JournalFileBackend(str(self._path), lock_obj=lock)
        study: Study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend),
            study_name=_NAME,
            direction="maximize" if SCORES[self.request.score].higher_is_better else "minimize",
            load_if_exists=True,
        )
        return study

    def _refuse_another(self, identity: dict[str, Any]) -> None:
        known = self._study.user_attrs.get(_REQUEST)
        if known is None:
            self._study.set_user_attr(_REQUEST, identity)
        elif known != identity:
            differing = sorted(key for key in identity if identity[key] != known.get(key))
            raise UsageError(
                f"{self._path} is the journal of a search with other {', '.join(differing)}; "
                "give this one another --name, or remove the file"
            )

    def _trials(self) -> list[FrozenTrial]:
        trials: list[FrozenTrial] = self._study.get_trials(deepcopy=False)
        return trials[: self.request.trials]

    def _next_round(self, at_a_time: int) -> list[FrozenTrial]:
        """Return trials that are not finished, those that an interrupted search left first."""
        trials = self._trials()
        unfinished = [trial for trial in trials if not trial.state.is_finished()]
        if unfinished:
            return unfinished
        count = min(at_a_time, self.request.trials - len(trials))
        return [self._asked() for _ in range(count)]

    def _asked(self) -> FrozenTrial:
        number = len(self._study.get_trials(deepcopy=False))
        entropy = np.random.SeedSequence([self.request.seed, number]).generate_state(1)
        # a sampler's state is not in the journal: each trial has a sampler of its own
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self._optuna.exceptions.ExperimentalWarning)
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=int(entropy[0]),
                constant_liar=True,  # settings of a round keep away from each other
            )
        trial = self._study.ask(self._distributions())
        return self._study.get_trials(deepcopy=False)[trial.number]

    def _distributions(self) -> dict[str, BaseDistribution]:
        known = self._optuna.distributions
        found: dict[str, Any] = {
            key: known.CategoricalDistribution(list(values))
            for key, values in self.request.sweep.grid.items()
        }
        for key, span in self.request.ranges.items():
            if span.whole:
                found[key] = known.IntDistribution(int(span.low), int(span.high), log=span.log)
            else:
                found[key] = known.FloatDistribution(span.low, span.high, log=span.log)
        return found

    def _setting(self, trial: FrozenTrial) -> Setting:
        texts = []
        for key in self.request.request_for(None).grid:
            span, value = self.request.ranges.get(key), trial.params[key]
            texts.append(f"{key}={value if span is None else span.text(value)}")
        return tuple(texts)

    def _tell(self, chosen: Sequence[FrozenTrial], swept: Sweep) -> None:
        """Tell the study the mean score of each setting; one that failed has none, for good."""
        failed = self._optuna.trial.TrialState.FAIL
        for trial in chosen:
            if trial.state.is_finished():
                continue
            setting = self._setting(trial)
            parts = [part for run, part in swept.plan.parts if run.setting == setting]
            values = [_score(part, self.request.score, swept) for part in parts]
            if None in values:
                self._study.tell(trial.number, state=failed, skip_if_finished=True)
            else:
                mean = float(np.mean(np.array(values, float)))
                self._study.tell(trial.number, mean, skip_if_finished=True)

    def _ended(self, failures: Mapping[Path, str]) -> Sweep:
        settings = [self._setting(trial) for trial in self._trials()]
        ended = Sweep(plan_sweep(self.request.request_for(settings)))
        for _, part in ended.plan.parts:
            if part.is_done():
                ended.done.append(part)
            else:
                ended.failures[part] = failures.get(part.folder.path, "it failed before")
        return ended


def _score(part: SweepPart, score: str, swept: Sweep) -> float | None:
    return part.scores().get(score) if part in swept.done else None


def _imported() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            "--search needs Optuna; install it with: pip install 'archbuild[search]'"
        ) from error
    return optuna
