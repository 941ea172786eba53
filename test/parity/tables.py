"""Writes fixtures/tables.json: a small invented sweep, and the rows of its tables by pandas, SciPy and statsmodels.

    python3 test/parity/tables.py

Deterministic. Needs numpy, pandas, scipy and statsmodels. The sweep has 2 masks × 3 misalignments × 2 styles and scratch,
with three seeds. One run is missing, and one is unhealthy, which counts as missing.
"""

import itertools
import json
import pathlib

import numpy as np
import pandas
import scipy
import statsmodels.formula.api as smf
from scipy import stats

generator = np.random.default_rng(3)
MASKS, MISALIGNMENTS, STYLES, SEEDS = [0, 0.75], ["none", "zoomed-in", "distorted"], ["preserved", "blurred"], [0, 1, 2]
MISSING, UNHEALTHY = (0.75, "distorted", "blurred", 1), (0, "none", "preserved", 2)
PAPER = {
    "scratch": 80.7, "blurred": 81.8, "decolorized": 81.4, "distorted": 82.1, "zoomed-out": 82.5, "zoomed-in": 82.7,
    "masked": 82.9, "masked+zoomed-in": 83.2,
}  # fmt: skip

runs = []
for mask, misalignment, style in itertools.product(MASKS, MISALIGNMENTS, STYLES):
    for seed in SEEDS:
        base = 50 + 2 * seed + 3 * (mask > 0) + 4 * (misalignment != "none") - 3 * (style != "preserved")
        runs.append([mask, misalignment, style, seed, round(base + float(generator.normal(0, 1)), 2)])
frame = pandas.DataFrame(runs, columns=["mask", "misalignment", "style", "seed", "accuracy"])
scratch = {seed: round(40 + 2 * seed + float(generator.normal(0, 1)), 2) for seed in SEEDS}
key = frame[["mask", "misalignment", "style", "seed"]].apply(tuple, axis=1)
counted = frame[(key != MISSING) & (key != UNHEALTHY)]
cells = counted.set_index(["mask", "misalignment", "style", "seed"])["accuracy"].sort_index()


def clean(row):
    return {name: None if value is None or value != value else value for name, value in row.items()}


def seeds_of(cell):
    return cells.loc[cell].to_dict() if cell in cells.index.droplevel("seed") else {}


def summary(values):
    series = pandas.Series(list(values), dtype=float)
    return {"mean": float(series.mean()), "std": float(series.std()), "n": len(series)}


def paired(a, b):
    return [a[seed] - b[seed] for seed in sorted(set(a) & set(b))]


def student(values):
    if len(values) < 2:
        return None, None
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    return float(low), float(high)


def sign_flip(values):
    sums = [abs(np.dot(signs, values)) for signs in itertools.product([1, -1], repeat=len(values))]
    return float(np.mean([total >= abs(sum(values)) - 1e-9 for total in sums]))


def unhealthy_in(triples):
    return int(UNHEALTHY[:3] in triples)


def factor_table(factor, reference):
    rows = []
    for cell in itertools.product(MASKS, MISALIGNMENTS, STYLES):
        names = dict(zip(["mask", "misalignment", "style"], cell))
        other = tuple({**names, factor: reference}.values())
        differences = None if names[factor] == reference else paired(seeds_of(cell), seeds_of(other))
        low, high = (None, None) if differences is None else student(differences)
        rows.append(clean({
            "mask_ratio": cell[0], "misalignment": cell[1], "style": cell[2], **summary(seeds_of(cell).values()),
            "planned": 3, "unhealthy": unhealthy_in([cell]),
            "difference": None if differences is None else float(np.mean(differences)), "ci_low": low, "ci_high": high,
            "difference_n": None if differences is None else len(differences),
            "p_sign_flip": None if differences is None else sign_flip(differences),
        }))  # fmt: skip
    return rows


def effect(kind, name, level, weights):
    """weights: cell → weight, as in the definition of the effect. Least squares on cells and seeds gives the mean."""
    used = [cell for cell, weight in weights.items() if abs(weight) > 1e-12]
    w = np.array([weights[cell] for cell in used])
    places = [(i, seed) for i, cell in enumerate(used) for seed in seeds_of(cell)]
    counts = {seed: sum(1 for _, s in places if s == seed) for seed in SEEDS}
    seeds = [seed for seed in SEEDS if counts[seed] > 1]
    places = [(i, seed) for i, seed in places if seed in seeds]
    y = np.array([seeds_of(used[i])[seed] for i, seed in places])
    design = np.zeros((len(places), len(used) + len(seeds)))
    for row, (i, seed) in enumerate(places):
        design[row, i] = design[row, len(used) + seeds.index(seed)] = 1
    hat = np.linalg.pinv(design)
    forms = np.zeros((len(seeds), len(places)))
    for j, seed in enumerate(seeds):
        for i in range(len(used)):
            one = np.array([place == (i, seed) for place in places], float)
            forms[j] += w[i] * (one if (i, seed) in places else hat[i] + hat[len(used) + j])
    contrasts = forms @ y
    centre = np.eye(len(seeds)) - 1 / len(seeds)
    deviations = centre @ forms @ forms.T @ centre
    variance = ((contrasts - contrasts.mean()) ** 2).sum() / np.trace(deviations)
    error = np.sqrt(variance * (forms @ forms.T).mean())
    df = np.trace(deviations) ** 2 / (deviations**2).sum()
    mean, half = contrasts.mean(), stats.t.ppf(0.975, df) * error
    filled = len(used) * len(seeds) - len(places)
    resamples = [np.mean(chosen) for chosen in itertools.product(contrasts, repeat=len(seeds))]
    low, high = (None, None) if filled else map(float, np.percentile(resamples, [2.5, 97.5]))
    return {
        "kind": kind, "effect": name, "level": level, "estimate": float(mean), "std": float(np.sqrt(variance * (w**2).sum())),
        "ci_low": float(mean - half), "ci_high": float(mean + half), "p": float(2 * stats.t.sf(abs(mean / error), df)),
        "df": float(df), "n": len(seeds), "planned": 3, "filled": filled, "unhealthy": unhealthy_in(used),
        "bootstrap_low": low, "bootstrap_high": high, "p_seeds": None if filled else sign_flip(contrasts),
    }  # fmt: skip


def contrast(*parts):
    """The weights of each cell: for each factor given, its levels against its reference; means over the others."""
    chosen = {factor: levels for factor, levels in parts}
    all_levels = {"mask": MASKS, "misalignment": MISALIGNMENTS, "style": STYLES}
    weights = {}
    for cell in itertools.product(*all_levels.values()):
        weight = 1.0
        for (factor, levels), level in zip(all_levels.items(), cell):
            if factor not in chosen:
                weight /= len(levels)
            elif level == levels[0]:
                weight *= -1
            else:
                weight *= (level in chosen[factor]) / len(chosen[factor])
        weights[cell] = weight
    return weights


def effects_table():
    options = {"mask": [("any", [0.75])], "style": [("any", ["blurred"])]}
    options["misalignment"] = [("any", ["zoomed-in", "distorted"]), ("zoomed-in", ["zoomed-in"]), ("distorted", ["distorted"])]
    rows = []
    for factor in ("mask", "misalignment", "style"):
        rows += [effect("main", factor, label, contrast((factor, levels))) for label, levels in options[factor]]
    for a, b in (("mask", "misalignment"), ("mask", "style"), ("misalignment", "style")):
        single = len(options[a]) == len(options[b]) == 1
        for (label_a, levels_a), (label_b, levels_b) in itertools.product(options[a], options[b]):
            one = [str(levels[0]) if label == "any" else label for label, levels in ((label_a, levels_a), (label_b, levels_b))]
            pooled = single or (label_a == "any" and len(options[a]) > 1) or (label_b == "any" and len(options[b]) > 1)
            label = "any × any" if pooled else " × ".join(one)
            rows.append(effect("interaction", f"{a} × {b}", label, contrast((a, levels_a), (b, levels_b))))
    return rows


def objective_cells():
    named = {
        "scratch": scratch, "identity": seeds_of((0, "none", "preserved")), "blurred": seeds_of((0, "none", "blurred")),
        "decolorized": {}, "distorted": seeds_of((0, "distorted", "preserved")), "zoomed-out": {},
        "zoomed-in": seeds_of((0, "zoomed-in", "preserved")), "masked": seeds_of((0.75, "none", "preserved")),
        "masked+zoomed-in": seeds_of((0.75, "zoomed-in", "preserved")),
    }  # fmt: skip
    # Tasks of several parts, which the paper has not.
    parts = [(0.75, "none", "blurred"), (0.75, "distorted", "preserved"), (0, "zoomed-in", "blurred"), (0, "distorted", "blurred"),
             (0.75, "zoomed-in", "blurred"), (0.75, "distorted", "blurred")]  # fmt: skip
    for mask, misalignment, style in parts:
        name = "+".join(part for part in ("masked" if mask else "none", misalignment, style) if part not in ("none", "preserved"))
        named[name] = seeds_of((mask, misalignment, style))
    return named


def objectives_table():
    named = objective_cells()
    ranked = {name: values for name, values in named.items() if values and name in PAPER}
    places = (-pandas.Series({name: np.mean(list(values.values())) for name, values in ranked.items()})).rank()
    paper_places = (-pandas.Series(PAPER)).rank()
    return [
        clean({
            "objective": name, **summary(values.values()), "planned": 3 if values else 0,
            "unhealthy": int(name == "identity"),
            "gain_over_scratch": float(np.mean(paired(values, scratch))) if values and name != "scratch" else None,
            "rank": float(places[name]) if name in places else None, "paper_accuracy": PAPER.get(name),
            "paper_rank": float(paper_places[name]) if name in PAPER else None,
        })
        for name, values in named.items()
    ]  # fmt: skip


def correlations():
    """For the rows of the paper: their means, and each seed separately."""
    ranked = {name: values for name, values in objective_cells().items() if values and name in PAPER}
    rows = np.array([[values[seed] for seed in SEEDS] for values in ranked.values()])
    paper = np.array([PAPER[name] for name in ranked])
    found = {}
    for name, statistic in (("spearman", stats.spearmanr), ("kendall", stats.kendalltau)):
        observed = statistic(rows.mean(1), paper).statistic
        orders = [statistic(rows.mean(1), paper[list(order)]).statistic for order in itertools.permutations(range(len(paper)))]
        single = [statistic(rows[:, seed], paper).statistic for seed in SEEDS]
        found[name] = float(observed)
        found[f"{name}_p"] = float(np.mean(np.abs(orders) >= abs(observed) - 1e-9))
        found[f"{name}_lowest_seed"], found[f"{name}_highest_seed"] = float(min(single)), float(max(single))
    return found


def differences_to_masked(name, values):
    differences = [] if name == "masked" else paired(values, objective_cells()["masked"])
    low, high = student(differences)
    none = name == "masked"
    return {
        "difference_to_masked": None if none else float(np.mean(differences)),
        "difference_std": None if none else float(np.std(differences, ddof=1)),
        "ci_low": low, "ci_high": high, "difference_n": None if none else len(differences),
    }  # fmt: skip


def rows_to_masked(names, without):
    named = objective_cells()
    rows = []
    for name in names:
        row = {"objective": name, **summary(named[name].values()), "planned": 3, "unhealthy": int(name == "identity")}
        row.update(differences_to_masked(name, named[name]))
        rows.append(clean({column: value for column, value in row.items() if column not in without}))
    return rows


complete = effects_table()
fit = smf.ols("accuracy ~ C(mask) * C(misalignment) * C(style) + C(seed)", counted).fit()  # the same model in another form
grid = pandas.DataFrame(list(contrast(("mask", [0.75])).keys()), columns=["mask", "misalignment", "style"]).assign(seed=0)
weights = np.array(list(contrast(("mask", [0.75])).values()))
assert np.isclose(weights @ fit.predict(grid), complete[0]["estimate"])

fixture = {
    "madeWith": f"scipy {scipy.__version__}",
    "runs": [list(run) for run in frame.itertuples(index=False)],
    "scratch": [scratch[seed] for seed in SEEDS],
    "missing": list(MISSING),
    "unhealthy": list(UNHEALTHY),
    "tables": {
        "objectives": objectives_table(),
        "integration": rows_to_masked(["zoomed-in", "masked", "masked+zoomed-in"], ["ci_low", "ci_high"]),
        "mask-ratio": factor_table("mask", 0),
        "misalignment": factor_table("misalignment", "none"),
        "style-preservation": factor_table("style", "preserved"),
        "effects": complete,
        "efficiency": rows_to_masked(
            [name for name, values in objective_cells().items() if values and name != "scratch"], ["difference_std"]
        ),
    },
    "correlations": correlations(),
}
path = pathlib.Path(__file__).parent / "fixtures" / "tables.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
