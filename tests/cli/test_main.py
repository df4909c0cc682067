from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from archbuild.spec.locate import PACKAGED
from archbuild.version import __version__
from tests.cli.calling import Archbuild

HEAVY = ("keras", "tensorflow", "jax", "torch", "sklearn", "scipy", "matplotlib", "pandas")
LIGHT = {
    "help": ["--help"],
    "validate": ["validate", str(PACKAGED / "coil20.json")],
    "show": ["show", "-d", "COIL20", "-a", "2"],
    "schema": ["schema"],
    "new": ["new"],
    "list layers": ["list", "layers"],
    "list heads": ["list", "heads"],
    "list archs": ["list", "archs"],
    "generate help": ["generate", "--help"],
}
PROBE = """
import json, sys, time
from archbuild.cli.main import main
try:
    main()
except SystemExit as ended:
    report = {"status": ended.code, "seconds": time.process_time(), "modules": [*sys.modules]}
    print(json.dumps(report), file=sys.stderr)
"""


# what these verbs stand on, and nothing of archbuild's own: how fast the machine is just now
LIBRARIES = "import click, jsonschema, numpy, yaml, time, sys; print(time.process_time())"


def allowance(environment: Mapping[str, str]) -> float:
    """Return the seconds of CPU time that a verb may take: twice what its libraries take."""
    command = [sys.executable, "-c", LIBRARIES]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return max(0.4, 2 * float(ended.stdout))


@pytest.mark.parametrize("verb", LIGHT)
def test_a_verb_that_only_looks_is_quick_and_loads_nothing_heavy(
    verb: str, clean_environment: Mapping[str, str], tmp_path: Path
) -> None:
    seconds = []
    for _ in range(4):  # the first may write bytecode; a busy machine may spoil one more
        command = [sys.executable, "-c", PROBE, *LIGHT[verb]]
        ended = subprocess.run(
            command, cwd=tmp_path, env=clean_environment, capture_output=True, text=True, check=True
        )
        report = json.loads(ended.stderr)
        assert report["status"] == 0
        assert not set(report["modules"]) & set(HEAVY)
        seconds.append(report["seconds"])
        if min(seconds) < allowance(clean_environment):
            return
    pytest.fail(f"{verb} takes {min(seconds):.2f} s of CPU time, more than it is allowed")


def test_bare_it_shows_the_help(archbuild: Archbuild) -> None:
    status, out, err = archbuild()
    assert (status, out) == (2, "")
    for said in ("--pretrain [N]", "--train [N]", "archbuild -d DIGITS -a 0 --pretrain 50"):
        assert said in err
    assert "<=" not in err  # bounds belong into the message that refuses
    assert archbuild("--help") == (0, err, "")


def test_the_version(archbuild: Archbuild) -> None:
    assert archbuild("--version").out.split()[-1] == __version__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-d", "DIGITS"], "a dataset and a spec are needed"),
        (["-a", "0", "--metrics"], "a dataset and a spec are needed"),
        (["-d", "DIGITS", "-a", "0"], "nothing to do"),
        (["-d", "DIGITS", "-a", "0", "--metrics", "--fresh"], "add --pretrain, --cluster or"),
        (["-d", "DIGGITS", "-a", "0", "--metrics"], "did you mean DIGITS?"),
        (["-d", "none.csv", "-a", "mnist.json", "--metrics"], "no such file"),
        (["-d", "DIGITS", "-a", "9", "--metrics"], "it holds 2 specs, 0 to 1"),
        (["-d", "DIGITS", "-a", "0", "--metrics", "--head", "none"], "allowed: kld"),
        (["-d", "DIGITS", "-a", "0", "--metrics", "--set", "none"], "not an assignment"),
        (["-d", "DIGITS", "-a", "0", "--pretrain", "many"], "'many' is not a whole number"),
        (["-d", "DIGITS", "-a", "0", "--train", "1.5"], "'1.5' is not a whole number from 0"),
        (["-d", "DIGITS", "-a", "0", "--pretrain", "-3"], "N of --pretrain, --cluster, --train"),
        (["sweep", "-d", "DIGITS", "-a", "0", "--pretrain", "-30"], "is a whole number from 0"),
        (["predict", "-3"], "No such option '-3'"),
        (["-d", "DIGITS", "-a", "0", "--metrics", "--seed", "-1"], "--seed"),
        (["-d", "COIL20", "-a", "8", "--metrics"], "datasets/COIL20"),
        (["-d", "DIGITS", "-a", "fc-500_fc-500_fc-2000_fc-10", "--metrics"], "[1, 28, 28]"),
        (["frobnicate"], "There is no command 'frobnicate'. There are new, show"),
        (["shwo", "-a", "0"], "Did you mean 'show'?"),
        (["-d", "MNIST", "show", "-a", "0"], "--dataset before 'show' would be ignored"),
        (["--frehs"], "--fresh"),
    ],
)
def test_a_mistake_is_explained(
    archbuild: Archbuild, elsewhere: Path, arguments: list[str], message: str
) -> None:
    status, out, err = archbuild(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert not list(elsewhere.iterdir())  # nothing was begun


@pytest.mark.parametrize("verb", ["schema", "show -d MNIST -a 2"])
def test_a_reader_that_leaves_early_is_no_failure_worth_words(
    verb: str, clean_environment: Mapping[str, str]
) -> None:
    command = f"{sys.executable} -m archbuild {verb} | true"
    ended = subprocess.run(
        command, shell=True, env=clean_environment, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
