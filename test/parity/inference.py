"""Writes fixtures/inference.json: intervals, tests and rank correlations of SciPy and statsmodels, for comparison.

    python3 test/parity/inference.py

Deterministic. Needs numpy, scipy, pandas and statsmodels.
"""

import itertools
import json
import math
import pathlib

import numpy as np
import pandas
import scipy
import statsmodels
import statsmodels.formula.api as smf
from scipy import stats

generator = np.random.default_rng(1)
MASKS, MISALIGNMENTS = [0, 0.75], ["none", "zoomed-in", "zoomed-out", "distorted"]
STYLES, SEEDS = ["preserved", "blurred", "decolorized"], [0, 1, 2]


def sample_case(n, shift):
    values = np.round(generator.normal(shift, 1, n), 2)
    mean_interval = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    if n <= 5:  # all resamples
        means = [np.mean(chosen) for chosen in itertools.product(values, repeat=n)]
        bootstrap = np.percentile(means, [2.5, 97.5])
    else:
        drawn = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=200_000, rng=generator)
        bootstrap = drawn.confidence_interval
    flips = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", n_resamples=math.inf if n <= 14 else 500_000, rng=generator
    )
    return {
        "values": values.tolist(),
        "student": [float(bound) for bound in mean_interval],
        "bootstrap": [float(bound) for bound in bootstrap],
        "signFlip": float(flips.pvalue),
    }


def correlation_case(n, levels):
    x, y = generator.integers(0, levels, n), generator.integers(0, levels, n)
    return {
        "pairs": np.stack([x, y], 1).tolist(),
        "spearman": float(stats.spearmanr(x, y).statistic),
        "kendall": float(stats.kendalltau(x, y).statistic),
    }


def factorial():
    """Accuracies of a complete factorial, and its effects by least squares with a block for each seed.

    With deviation coding of both other factors, the coefficient of an indicator is the mean of its simple contrasts.
    """
    rows = [
        {"mask": mask, "misalignment": misalignment, "style": style, "seed": seed}
        for mask, misalignment, style, seed in itertools.product(MASKS, MISALIGNMENTS, STYLES, SEEDS)
    ]
    for row in rows:
        row["accuracy"] = round(float(generator.normal(50 + row["seed"], 1)), 2)
    frame = pandas.DataFrame(rows).assign(
        masked=lambda f: (f["mask"] > 0) - 0.5,
        misaligned=lambda f: (f["misalignment"] != "none") * 1.0 - 0.75,
        restyled=lambda f: (f["style"] != "preserved") * 1.0 - 2 / 3,
    )
    fit = smf.ols("accuracy ~ C(seed) + masked * misaligned * restyled", frame).fit()
    names = ["masked", "misaligned", "restyled", "masked:misaligned", "masked:restyled", "misaligned:restyled"]
    return {"rows": rows, "effects": {name: float(fit.params[name]) for name in names}}


fixture = {
    "madeWith": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
    "student": [
        {"probability": level, "degrees": degrees, "t": float(stats.t.ppf((1 + level) / 2, degrees))}
        for level in (0.5, 0.9, 0.95, 0.999)
        for degrees in (1, 2, 3, 4, 7, 10, 29, 120)
    ],
    "samples": [sample_case(n, shift) for n, shift in ((2, 0), (3, 0.5), (4, 1), (5, 0), (9, 0.4), (14, 0.2), (18, 0.3))],
    "correlations": [correlation_case(n, levels) for n, levels in ((3, 50), (8, 1000), (8, 4), (20, 6))],
    "factorial": factorial(),
}
path = pathlib.Path(__file__).parent / "fixtures" / "inference.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
