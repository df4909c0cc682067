"""The forecast of a run as text: what ``--dry-run`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from archbuild.cli.columns import in_columns
from archbuild.cli.runs import size_text
from archbuild.spec.rendering import shape_text

if TYPE_CHECKING:
    from archbuild.experiments.forecast import Forecast, MemoryForecast, StageForecast

_HEADINGS: Final = ("stage", "state", "epochs", "steps", "a step", "an epoch", "start-up", "left")
_NUMBERS: Final = range(2, len(_HEADINGS))
_UNKNOWN: Final = "unknown"


def forecast_text(forecast: Forecast) -> str:
    """Return a forecast as text: a table of the stages, what they take in all, and notes."""
    stages = in_columns([_HEADINGS, *map(_stage, forecast.stages)], numbers=_NUMBERS)
    takes = in_columns(_takes(forecast))
    notes = "\n".join(forecast.notes)
    return f"{stages}\n\n{takes}\n\n{notes}"


def _takes(forecast: Forecast) -> Iterator[tuple[str, str]]:
    head = max((stage.head_parameters for stage in forecast.stages), default=0)
    yield "rows", f"{forecast.n_rows:,} of {shape_text(forecast.shape)}"
    yield "parameters", f"{forecast.parameters:,} of the network, {head:,} of the head"
    yield "time", f"about {duration_text(forecast.seconds)}"
    yield "memory", "\n".join(_memory(forecast.memory))
    yield (
        "disk",
        (
            f"{size_text(forecast.disk)} to stay, {size_text(forecast.disk_peak)} while training; "
            f"available: {size_text(forecast.disk_free)}"
        ),
    )


def _memory(memory: MemoryForecast) -> Iterator[str]:
    left = _UNKNOWN if memory.available is None else size_text(memory.available)
    yield f"about {size_text(memory.peak)} at a time; available: {left}"
    yield (
        f"weights {size_text(memory.weights)}, optimiser {size_text(memory.optimizer)}, gradients "
        f"{size_text(memory.gradients)}, rows of a call {size_text(memory.call)}, codes and "
        f"targets of all rows {size_text(memory.rows)}"
    )
    if memory.process is not None:
        yield f"libraries, data and the timed steps, as measured: {size_text(memory.process)}"
    else:
        yield "libraries, data and activations come on top: this system does not measure them"


def _stage(stage: StageForecast) -> tuple[str, ...]:
    epochs = f"{stage.done}/{stage.epochs}" if stage.done else f"{stage.epochs}"
    if stage.state == "finished":
        return (stage.name, stage.state, epochs, "-", "-", "-", "-", "0 s")
    seconds = (stage.step, stage.epoch, stage.startup, stage.seconds)
    return (stage.name, stage.state, epochs, f"{stage.steps:,}", *map(duration_text, seconds))


def duration_text(seconds: float) -> str:
    """Return seconds as text with two digits: ``4.1 ms``, ``12 s``, ``3.5 min``, ``2:10:00``."""
    if seconds < 1:
        return f"{1000 * seconds:.2g} ms" if seconds < 0.0995 else f"{1000 * seconds:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 5400:
        minutes = seconds / 60
        return f"{minutes:.1f} min" if minutes < 9.95 else f"{minutes:.0f} min"
    return f"{timedelta(seconds=round(seconds))} h"
