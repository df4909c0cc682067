from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from archbuild.errors import DataError
from archbuild.evaluation import n_clusters
from archbuild.evaluation.n_clusters import CLEAR, Candidate, Suggestion, grid, suggest
from archbuild.evaluation.table import format_table

TRIED = (2, 3, 4, 5)


def clouds(count=3, n=150, dimensions=4):
    random = np.random.default_rng(0)
    return random.normal(size=(n, dimensions)) + 9 * np.eye(count, dimensions)[np.arange(n) % count]


@pytest.fixture(scope="module")
def three():
    return suggest(clouds(), TRIED, seed=0)


def made(n_clusters=4, clear=True, nearly=(), separations=(0.5, 0.6, 0.7, 0.6), one=900.0):
    """A suggestion without its measurement; BIC falls from 800 by 10."""
    values = zip(TRIED, separations, strict=True)
    candidates = [Candidate(k, s, 0.87, 800.0 - 10 * k, None) for k, s in values]
    return Suggestion(n_clusters, clear, tuple(nearly), one, 100, tuple(candidates))


@pytest.mark.parametrize(
    ("least", "most", "numbers"),
    [
        (2, 5, (2, 3, 4, 5)),
        (7, 7, (7,)),
        (18, 30, (18, 19, 20, 22, 24, 26, 29, 30)),
        (40, 50, (40, 44, 48, 50)),
    ],
)
def test_the_grid_has_both_ends_and_thins_out(least, most, numbers):
    assert grid(least, most) == numbers


def test_the_grid_stays_short():
    numbers = grid(2, 100)
    assert (numbers[0], numbers[-1]) == (2, 100)
    assert len(numbers) < 40
    assert (np.diff(numbers) > 0).all()


def test_clouds_are_counted(three):
    assert (three.n_clusters, three.clear, three.nearly, three.rows) == (3, True, (), 150)
    assert [candidate.n_clusters for candidate in three.candidates] == [2, 3, 4, 5]
    assert three.chosen.stability == pytest.approx(1)
    assert three.chosen.separation == max(c.separation for c in three.candidates) > 0.8
    assert three.in_words() == "3 clusters (stability 1.00); no other number comes near"


def test_the_same_seed_gives_the_same_answer_and_another_another(three):
    assert suggest(clouds(), TRIED, seed=0) == three
    assert suggest(clouds(), TRIED, seed=1) != three


def test_one_gaussian_has_no_clusters(rng):
    found = suggest(rng.normal(size=(150, 3)), (3, 4), seed=0)
    assert (found.n_clusters, found.clear, found.nearly) == (3, False, ())
    assert found.in_words() == (
        "no clear clusters: one Gaussian describes the rows better than any mixture does; 3, the "
        "least that was tried, stands in; if you know the number, give it with "
        "--set head.n_clusters=K"
    )


def test_of_many_rows_a_sample_is_looked_at(rng, monkeypatch):
    monkeypatch.setattr(n_clusters, "SAMPLE", 60)
    monkeypatch.setattr(n_clusters, "_RESAMPLE", 40)
    sizes = []
    cut = n_clusters._cut_map
    monkeypatch.setattr(
        n_clusters,
        "_cut_map",
        lambda points, *rest: sizes.append(len(points)) or cut(points, *rest),
    )
    found = suggest(clouds(n=90), (2, 3, 9), seed=0)
    assert found.rows == 60
    assert sizes == [40] * n_clusters.RESAMPLES
    assert [candidate.n_clusters for candidate in found.candidates] == [2, 3]  # 9 * 5 > 40


def test_five_rows_a_cluster_are_enough():
    assert n_clusters._possible((2, 8, 9), 40, 50) == [2, 8]


@pytest.mark.parametrize(
    ("separations", "bic", "chosen", "clear", "nearly"),
    [
        ((0.5, 0.60, 0.7, 0.60), (8, 7, 6, 5), 4, True, ()),
        ((0.5, 0.69, 0.7, 0.685), (8, 5, 6, 7), 4, True, (3, 5)),
        ((0.5, 0.67, 0.7, 0.60), (8, 5, 6, 7), 4, True, ()),  # 0.03 lower is not nearly as good
        ((0.7, 0.60, 0.7, 0.60), (8, 5, 6, 7), 2, True, (4,)),  # of equals, the fewest
        ((0.1, 0.20, CLEAR - 0.01, 0.20), (8, 5, 6, 7), 4, False, ()),
        ((0.5, 0.60, 0.7, 0.60), (9, 9, 9, 9), 2, False, ()),  # one Gaussian has 9
    ],
)
def test_the_rule(monkeypatch, separations, bic, chosen, clear, nearly):
    cuts = [np.zeros(32, int)] * 4
    monkeypatch.setattr(n_clusters, "_cut_map", lambda *_: (list(separations), cuts))
    monkeypatch.setattr(n_clusters, "_criteria", lambda *_: [9.0, *map(float, bic)])
    found = suggest(clouds(n=40), TRIED, seed=0)
    assert (found.n_clusters, found.clear, found.nearly) == (chosen, clear, nearly)


def test_stability_is_the_mean_over_pairs_of_resamples_on_common_rows():
    resamples = [np.array([0, 1, 2, 3, 4]), np.array([1, 2, 3, 4, 6]), np.array([0, 2, 3, 4, 6])]
    cuts = [np.array(cut) for cut in ([1, 1, 2, 2, 3], [5, 6, 6, 7, 7], [1, 2, 2, 2, 1])]
    wanted = np.mean(
        [
            adjusted_rand_score([1, 2, 2, 3], [5, 6, 6, 7]),  # rows 1, 2, 3, 4
            adjusted_rand_score([1, 2, 2, 3], [1, 2, 2, 2]),  # rows 0, 2, 3, 4
            adjusted_rand_score([6, 6, 7, 7], [2, 2, 2, 1]),  # rows 2, 3, 4, 6
        ]
    )
    found = n_clusters._stability(resamples, [[cut, np.ones(5)] for cut in cuts])
    np.testing.assert_allclose(found, [wanted, 1.0])


def test_the_criterion_of_one_gaussian_is_schwarz_s(three):
    """Schwarz (1978): parameters * log(n) - 2 * log-likelihood; here under full covariances."""
    points = clouds()
    n, d = points.shape
    # the fit's own floor under the variances, a ten-thousandth of the mean
    covariance = np.cov(points.T, bias=True) + 1e-4 * points.var(axis=0).mean() * np.eye(d)
    off = points - points.mean(axis=0)
    squares = np.einsum("ni,ij,nj->", off, np.linalg.inv(covariance), off)
    log_likelihood = -0.5 * (
        n * (d * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1]) + squares
    )
    wanted = (d + d * (d + 1) / 2) * np.log(n) - 2 * log_likelihood
    assert three.one_gaussian == pytest.approx(wanted)


def test_the_lower_of_both_criteria_counts(rng):
    points = rng.normal(size=(60, 8))  # nothing goes together: full covariances cost in vain
    full, diagonal = (n_clusters._criterion(points, 1, kind, 0) for kind in ("full", "diag"))
    assert n_clusters._criteria(points, [1], 0) == [diagonal]
    assert diagonal < full


def test_fits_that_end_early_are_near_enough_and_nobody_is_warned(rng, monkeypatch, recwarn):
    monkeypatch.setattr(
        "sklearn.mixture.GaussianMixture", partial(GaussianMixture, max_iter=1, tol=0.0)
    )
    n_clusters._criterion(rng.normal(size=(60, 2)), 3, "full", 0)
    assert not recwarn.list


def test_many_dimensions_are_made_sixteen(rng, monkeypatch):
    seen = []
    monkeypatch.setattr(n_clusters, "_criterion", lambda points, *_: seen.append(points.shape) or 0)
    n_clusters._criteria(rng.normal(size=(50, 40)), [1], 0)
    n_clusters._criteria(rng.normal(size=(9, 40)), [1], 0)
    assert set(seen) == {(50, 16), (9, 9)}


def test_a_map_is_not_cut_into_more_clusters_than_it_has_places(monkeypatch):
    places = np.repeat([[0.0, 0.0], [0.0, 9.0], [9.0, 0.0]], 10, axis=0)
    monkeypatch.setattr(n_clusters, "tsne", lambda points, seed: points)
    separation, cuts = n_clusters._cut_map(places, TRIED, 0)
    assert separation[1:] == [1, -1, -1]
    assert adjusted_rand_score(cuts[1], np.repeat([0, 1, 2], 10)) == 1


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (np.random.default_rng(0).normal(size=(11, 2)), "11 rows are too few to try 2 clusters"),
        (np.ones((40, 2)), "the rows of a resample coincide"),
        (np.full((40, 2), np.nan), "40 of 40 points hold values that are not finite"),
    ],
)
def test_points_that_tell_nothing_are_refused(points, words):
    with pytest.raises(DataError, match=words):
        suggest(points, TRIED, seed=0)


@pytest.mark.parametrize(
    ("suggestion", "words"),
    [
        (made(), "4 clusters (stability 0.87); no other number comes near"),
        (made(nearly=[3]), "4 clusters (stability 0.87); 3 is nearly as good"),
        (made(nearly=[3, 5]), "4 clusters (stability 0.87); 3 to 5 are nearly as good"),
        (made(nearly=[2]), "4 clusters (stability 0.87); 2 is nearly as good"),
        (made(2, nearly=[4, 5]), "2 clusters (stability 0.87); 4 and 5 are nearly as good"),
        (
            made(5),
            "5 clusters (stability 0.87); no other number comes near; 5 is the most that was "
            "tried: try more",
        ),
        (
            made(4, clear=False, separations=(0.1, 0.2, 0.3, 0.2)),
            "no clear clusters: separation is 0.300 at best, and clear clusters have at least "
            "0.46; 4, where it is best, stands in; if you know the number, give it with "
            "--set head.n_clusters=K",
        ),
    ],
)
def test_the_words_say_how_sure_it_is(suggestion, words):
    assert suggestion.in_words() == words


def test_a_least_that_wins_is_pointed_out():
    found = Suggestion(7, True, (), 9.0, 99, (Candidate(7, 0.9, 0.9, 1.0, 0.5),) * 1)
    found = Suggestion(7, True, (), 9.0, 99, (*found.candidates, Candidate(8, 0.5, 0.9, 1.0, 0.5)))
    assert found.in_words().endswith("; 7 is the least that was tried: try fewer")


def test_the_table_has_a_row_for_one_gaussian_and_each_candidate():
    lines = format_table(made(nearly=[3]).table()).splitlines()
    assert [line.split() for line in lines] == [
        ["clusters", "separation", "stability", "BIC", "k-means", "silhouette"],
        ["1", "-", "-", "900", "-"],
        ["2", "0.5000", "0.8700", "780", "-"],
        ["3", "0.6000", "0.8700", "770", "-", "nearly"],
        ["4", "0.7000", "0.8700", "760", "-", "suggested"],
        ["5", "0.6000", "0.8700", "750", "-"],
    ]


def test_the_table_of_a_single_candidate_has_two_rows():
    alone = Suggestion(7, True, (), 9.0, 99, (Candidate(7, 0.9, 0.9, 1.0, 0.5),))
    assert [row["clusters"] for row in alone.table()] == [1, 7]


def test_json_and_back(three):
    document = json.loads(json.dumps(three.to_json(), allow_nan=False))
    assert document["words"] == three.in_words()
    assert Suggestion.from_json(document) == three
