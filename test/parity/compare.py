"""Writes fixtures/compare.json: differences of two samples by SciPy's t tests, to be matched.

    python3 test/parity/compare.py

Deterministic. Needs numpy and scipy.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats

generator = np.random.default_rng(17)


def case(seeds_a, seeds_b):
    a = {seed: round(float(generator.normal(50, 1.5)), 2) for seed in seeds_a}
    b = {seed: round(float(generator.normal(51, 0.7)), 2) for seed in seeds_b}
    shared = [seed for seed in seeds_a if seed in b]
    if len(shared) > 1:
        left, right = np.array([a[seed] for seed in shared]), np.array([b[seed] for seed in shared])
        test = stats.ttest_rel(right, left)
    else:
        left, right = np.array(list(a.values())), np.array(list(b.values()))
        test = stats.ttest_ind(right, left, equal_var=False)
    interval = test.confidence_interval(0.95)
    return {
        "a": [[seed, value] for seed, value in a.items()],
        "b": [[seed, value] for seed, value in b.items()],
        "pairs": len(shared) if len(shared) > 1 else 0,
        "means": [float(left.mean()), float(right.mean())],
        "difference": float(right.mean() - left.mean()),
        "interval": [float(interval.low), float(interval.high)],
        "p": float(test.pvalue),
    }


fixture = {
    "scipy": scipy.__version__,
    "cases": [
        case([0, 1, 2], [0, 1, 2]),  # all shared
        case([0, 1, 2, 3, 4], [4, 2, 0, 7]),  # some shared, in another order
        case([0, 1], [0, 1]),
        case([0, 1, 2], [3, 4, 5, 6, 7]),  # none shared
        case([0, 1, 2], [2, 3, 4]),  # one shared: no spread of one pair
    ],
}
path = pathlib.Path(__file__).parent / "fixtures" / "compare.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
