"""Writes fixtures/components.json: variance components of statsmodels, and the tests of Friedman
and Nemenyi with SciPy's ranks.

    python3 test/parity/components.py

Deterministic. Needs numpy, scipy, pandas and statsmodels.
"""

import itertools
import json
import pathlib

import numpy as np
import pandas
import scipy
import statsmodels
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats

generator = np.random.default_rng(19)


def components_case(sizes, between, within):
    """The sums of squares are statsmodels'; the components solve their expectations, in which n0 is that of unequal sizes."""
    means = generator.normal(50, between, len(sizes))
    groups = [np.round(mean + generator.normal(0, within, size), 3) for mean, size in zip(means, sizes)]
    frame = pandas.DataFrame(
        [(i, value) for i, group in enumerate(groups) for value in group], columns=["group", "value"]
    )
    table = sm.stats.anova_lm(smf.ols("value ~ C(group)", frame).fit())
    (ss_between, ss_within), (df_between, df_within) = table["sum_sq"], table["df"]
    f = stats.f_oneway(*groups).statistic
    assert np.isclose(f, (ss_between / df_between) / (ss_within / df_within))
    n0 = (len(frame) - sum(size**2 for size in sizes) / len(frame)) / df_between
    ms_within = ss_within / df_within
    of_groups = max(0.0, (ss_between / df_between - ms_within) / n0)
    return {
        "groups": [group.tolist() for group in groups],
        "squares": [ss_between, ss_within],
        "degrees": [df_between, df_within],
        "between": of_groups,
        "within": ms_within,
    }


def friedman_case(blocks, treatments, levels):
    """SciPy's statistic, and the share of orders within blocks that have one at least as large, each order counted."""
    values = generator.integers(0, levels, (blocks, treatments)).astype(float)

    def statistic(rows):
        return stats.friedmanchisquare(*np.asarray(rows).T).statistic

    observed = statistic(values)
    orders = [[list(order) for order in itertools.permutations(row)] for row in values]
    found = [statistic(rows) for rows in itertools.product(*orders)]
    # Nemenyi's test: a difference of two rank sums against the range of all of them.
    ranks = lambda rows: stats.rankdata(-np.asarray(rows), axis=1).sum(0)
    ranges = [np.ptp(ranks(rows)) for rows in itertools.product(*orders)]
    behind = ranks(values) - ranks(values).min()
    return {
        "behindBest": [float(np.mean([value >= own - 1e-9 for value in ranges])) for own in behind],
        "blocks": values.tolist(),
        "statistic": float(observed),
        "p": float(np.mean([value >= observed - 1e-9 for value in found])),
    }


fixture = {
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "components": [
        components_case([5, 5, 5], 2, 1),
        components_case([5, 3, 1, 4], 3, 1),
        components_case([2, 2, 2, 2, 2, 2], 0, 1),
    ],
    "friedman": [
        friedman_case(4, 3, 100),
        friedman_case(4, 3, 3),
        friedman_case(3, 4, 100),
    ],
}
path = pathlib.Path(__file__).parent / "fixtures" / "components.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
