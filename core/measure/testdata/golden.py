"""Writes golden.json: statistics as scipy and statsmodels compute them, in a few awkward cases.

Made with Python 3.11.7, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0:  python golden.py > golden.json
"""
import json, sys
import numpy as np
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.contingency_tables import mcnemar

rng = np.random.default_rng(7)
out = {"wilson": [], "mcnemar": [], "summary": [], "ratio": []}

for k, n in [(0, 1), (1, 1), (0, 872), (872, 872), (718, 872), (9706, 10000), (9999, 10000), (5000, 10000), (1, 3), (967, 1000)]:
    lo, hi = proportion_confint(k, n, alpha=0.05, method="wilson")
    out["wilson"].append({"k": k, "n": n, "low": float(lo), "high": float(hi)})

for b, c in [(0, 0), (1, 0), (0, 5), (6, 0), (0, 6), (3, 9), (9, 3), (7, 7), (12, 30), (100, 150), (400, 600), (1000, 1300),
             (4900, 5100), (5000, 5000), (4000, 6000), (1, 9999), (0, 1000), (0, 1074), (500, 9500), (10000, 10400)]:
    p = mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0
    out["mcnemar"].append({"b": b, "c": c, "p": float(min(p, 1.0))})

samples = [
    [17.1], [17.1, 16.9], [1, 2, 3], [5, 5, 5, 5, 5], [17.0, 17.2, 16.9, 17.1, 45.0], [1e-3, 1.1e-3, 0.9e-3, 1.05e-3],
    [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9 + 4], list(np.exp(rng.normal(5, 0.1, 40))), list(rng.pareto(1.5, 100) + 1),
]
for s in samples:
    a = np.array(s, dtype=float)
    q1, q3 = np.quantile(a, [0.25, 0.75])
    far = 3 * (q3 - q1)
    o = [int(i) for i in np.flatnonzero((a < q1 - far) | (a > q3 + far))] if len(a) >= 4 else []
    out["summary"].append({"samples": a.tolist(), "mean": float(a.mean()), "std": float(a.std(ddof=1)) if len(a) > 1 else 0.0,
                           "median": float(np.median(a)), "p95": float(np.quantile(a, 0.95)), "outliers": o})

for n, shift, sd in [(2, 0.5, 0.01), (3, 0.0, 0.02), (5, 0.03, 0.02), (5, -0.2, 0.05), (5, 0.7, 0.3), (20, 0.01, 0.02), (100, -0.001, 0.02)]:
    drift = np.exp(rng.normal(0, 0.2, n))
    base = 100 * drift * np.exp(rng.normal(shift, sd, n))
    other = 100 * drift * np.exp(rng.normal(0, sd, n))
    r = stats.ttest_rel(np.log(base), np.log(other)).confidence_interval(0.95)
    out["ratio"].append({"base": base.tolist(), "other": other.tolist(), "ratio": float(np.exp(np.mean(np.log(base) - np.log(other)))),
                         "low": float(np.exp(r.low)), "high": float(np.exp(r.high))})

json.dump(out, sys.stdout, indent=1)
print()
