"""Writes fixtures/power.json: power and numbers of seeds by statsmodels, half-widths and tails by SciPy.

    python3 test/parity/power.py

Deterministic. Needs numpy, scipy and statsmodels.
"""

import json
import math
import pathlib

import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

TESTS = {"paired": TTestPower(), "unpaired": TTestIndPower()}


def power_of(pairing, effect, n, alpha):
    name = "nobs" if pairing == "paired" else "nobs1"
    return TESTS[pairing].power(effect_size=effect, alpha=alpha, alternative="two-sided", **{name: n})


def power_case(pairing, std, difference, n, alpha):
    return {
        "pairing": pairing,
        "std": std,
        "difference": difference,
        "n": n,
        "alpha": alpha,
        "power": float(power_of(pairing, difference / std, n, alpha)),
    }


def needed_case(pairing, std, difference, alpha, power):
    n = 2
    while power_of(pairing, difference / std, n, alpha) < power:
        n += 1
    return {"pairing": pairing, "std": std, "difference": difference, "alpha": alpha, "power": power, "n": n}


def half_width_case(pairing, std, n, alpha):
    degrees, share = (n - 1, 1 / n) if pairing == "paired" else (2 * (n - 1), 2 / n)
    return {
        "pairing": pairing,
        "std": std,
        "n": n,
        "alpha": alpha,
        "halfWidth": float(stats.t.ppf(1 - alpha / 2, degrees) * std * math.sqrt(share)),
    }


def tail_case(t, degrees, noncentrality):
    # The square of a noncentral t is a noncentral F. SciPy's own is wrong by 1 for a noncentrality of 0.
    square = stats.f(1, degrees) if noncentrality == 0 else stats.ncf(1, degrees, noncentrality**2)
    return {"t": t, "degrees": degrees, "noncentrality": noncentrality, "tail": float(square.sf(t * t))}


PAIRINGS = ["paired", "unpaired"]
result = {
    "madeWith": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
    "powers": [
        power_case(pairing, 2.11, difference, n, alpha)
        for pairing in PAIRINGS
        for difference in [0, 0.5, 2, 4]
        for n in [2, 3, 5, 20]
        for alpha in [0.05, 0.01]
    ],
    "needed": [
        needed_case(pairing, std, difference, alpha, power)
        for pairing in PAIRINGS
        for std in [0.7, 2.11]
        for difference in [0.5, 1, 2, 4]
        for alpha, power in [(0.05, 0.8), (0.01, 0.8), (0.05, 0.95)]
    ],
    "halfWidths": [
        half_width_case(pairing, 2.11, n, alpha) for pairing in PAIRINGS for n in [2, 3, 10, 20] for alpha in [0.05, 0.2]
    ],
    "tails": [tail_case(t, degrees, c) for t in [0, 1.5, 4.3] for degrees in [1, 2, 36] for c in [0, 0.7, 3, 12]],
}
path = pathlib.Path(__file__).parent / "fixtures" / "power.json"
path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
