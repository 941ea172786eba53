"""Writes fixtures/statistics.json: tails, corrections, rank tests and fits with missing runs of SciPy and statsmodels.

    python3 test/parity/statistics.py

Deterministic. Needs numpy, scipy, pandas and statsmodels.
"""

import itertools
import json
import pathlib

import numpy as np
import pandas
import scipy
import statsmodels
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests

generator = np.random.default_rng(2)


def rank_case(n, levels):
    """Every permutation of one side, counted explicitly; without ties SciPy's own exact test of Kendall must agree."""
    x, y = generator.integers(0, levels, n), generator.integers(0, levels, n)

    def p_value(statistic):
        observed = abs(statistic(x, y)) - 1e-9
        values = [abs(statistic(x, y[list(order)])) for order in itertools.permutations(range(n))]
        return float(np.mean([value >= observed for value in values]))

    rank_x = stats.rankdata(x)
    kendall_p = p_value(lambda a, b: np.sign(np.subtract.outer(a, a) * np.subtract.outer(b, b)).sum())
    if len(set(x)) == n and len(set(y)) == n:
        assert np.isclose(kendall_p, stats.kendalltau(x, y, method="exact").pvalue)
    return {
        "pairs": np.stack([x, y], 1).tolist(),
        "spearman": p_value(lambda a, b: np.corrcoef(rank_x, stats.rankdata(b))[0, 1]),
        "kendall": kendall_p,
    }


def rows_case(k, n, effect):
    values = np.round(generator.normal(0, 1, (k, n)) + effect * np.arange(k)[:, None] + 5 * np.arange(n), 2)
    frame = pandas.DataFrame([{"row": i, "seed": j, "y": values[i, j]} for i in range(k) for j in range(n)])
    fit = smf.ols("y ~ C(row) + C(seed)", frame).fit()
    names = [name for name in fit.params.index if name.startswith("C(row)")]
    return {"rows": values.tolist(), "p": float(fit.f_test(", ".join(f"{name} = 0" for name in names)).pvalue)}


def missing_case(cells, seeds, missing, weights):
    """A contrast by least squares on cells and seeds; its spread from the linear forms of the filled contrasts."""
    values = np.round(generator.normal(50, 1, (cells, seeds)) + np.arange(seeds), 2)
    present = np.ones((cells, seeds), bool)
    present[tuple(np.array(missing).T)] = False
    cell, seed = np.nonzero(present)
    frame = pandas.DataFrame({"cell": cell, "seed": seed, "y": values[cell, seed]})
    fit = smf.ols("y ~ C(cell) - 1 + C(seed)", frame).fit()
    mean = float(sum(weight * fit.params[f"C(cell)[{i}]"] for i, weight in enumerate(weights)))

    design = np.zeros((len(cell), cells + seeds))
    design[np.arange(len(cell)), cell] = design[np.arange(len(cell)), cells + seed] = 1
    hat = np.linalg.pinv(design)
    forms = np.zeros((seeds, len(cell)))
    for i in range(cells):
        for j in range(seeds):
            forms[j] += weights[i] * (((cell == i) & (seed == j)) if present[i, j] else hat[i] + hat[cells + j])
    contrasts = forms @ frame["y"].to_numpy()
    centre = np.eye(seeds) - 1 / seeds
    deviations = centre @ forms @ forms.T @ centre
    variance = ((contrasts - contrasts.mean()) ** 2).sum() / np.trace(deviations)
    error = float(np.sqrt(variance * (forms @ forms.T).mean()))
    degrees = float(np.trace(deviations) ** 2 / (deviations**2).sum())
    half = stats.t.ppf(0.975, degrees) * error
    return {
        "runs": [[float(values[i, j]) if present[i, j] else None for j in range(seeds)] for i in range(cells)],
        "weights": weights,
        "mean": mean,
        "contrasts": contrasts.tolist(),
        "std": float(np.sqrt(variance * np.square(weights).sum())),
        "standardError": error,
        "degrees": degrees,
        "interval": [mean - half, mean + half],
        "p": float(2 * stats.t.sf(abs(mean / error), degrees)),
    }


ps = [0.03, 0.001, 0.2, 0.011, 0.04, 0.011, 0.9]
fixture = {
    "madeWith": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
    "student": [
        {"t": t, "degrees": df, "p": float(2 * stats.t.sf(t, df)), "t95": float(stats.t.ppf(0.975, df))}
        for t, df in ((0.3, 1), (2.5, 1.37), (4.303, 2), (1.9, 3.8), (12.0, 4.2), (2.1, 18.5), (0, 7))
    ],
    "f": [
        {"f": f, "numerator": a, "denominator": b, "p": float(stats.f.sf(f, a, b))}
        for f, a, b in ((0.5, 7, 14), (3.1, 7, 7), (1, 1, 2), (25, 2, 38))
    ],
    "holm": {"ps": ps, "adjusted": multipletests(ps, method="holm")[1].tolist()},
    "rankTests": [rank_case(n, levels) for n, levels in ((3, 50), (5, 1000), (7, 1000), (8, 1000), (8, 4))],
    "rowsTests": [rows_case(k, n, effect) for k, n, effect in ((3, 2, 0), (8, 3, 0), (8, 3, 0.5), (5, 20, 0.1))],
    "missing": [
        missing_case(4, 3, [(0, 1)], [0.5, 0.5, -0.5, -0.5]),
        missing_case(4, 3, [(0, 0), (1, 0)], [0.5, 0.5, -0.5, -0.5]),
        missing_case(6, 5, [(0, 0), (3, 0), (5, 1), (2, 4)], [1 / 3] * 3 + [-1 / 3] * 3),
        missing_case(4, 8, [(0, 0), (1, 3), (1, 4), (3, 7)], [1, -1, -1, 1]),
    ],
}
path = pathlib.Path(__file__).parent / "fixtures" / "statistics.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
