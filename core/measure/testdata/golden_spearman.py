"""Writes golden_spearman.json: rank correlations as scipy computes them. Up to 9 pairs p is counted here over all orders, with
scipy's rho of each; above that it is scipy's own, by Student's t.

Made with Python 3.11, scipy 1.17.1:  python golden_spearman.py > golden_spearman.json
"""
import itertools, json, sys
import numpy as np
from scipy import stats

rng = np.random.default_rng(11)
cases = [
    ([1, 2, 3], [4, 5, 6]), ([1, 2, 3], [6, 5, 4]), ([1, 2, 3], [5, 6, 4]), ([1, 2, 2, 4], [1, 1, 3, 3]),
    ([10, 20, 30, 40, 50], [1, 3, 2, 5, 4]), ([1, 1, 1, 2, 2, 3], [5, 5, 4, 4, 4, 1]), ([-1e300, 0, 1e-300, 5, 7, 1e300, 3], [0, 0, 1, 2, 3, 4, 9]),
]
for n in [6, 7, 8, 9]:
    x = rng.normal(size=n)
    cases.append((x.tolist(), (0.7 * x + rng.normal(size=n)).tolist()))
    cases.append((rng.integers(0, 4, n).tolist(), rng.integers(0, 4, n).tolist()))
for n in [10, 12, 18, 24, 100]:
    x = rng.normal(size=n)
    for slope in [0, 0.5, -3]:
        cases.append((x.tolist(), (slope * x + rng.normal(size=n)).tolist()))
    cases.append((rng.integers(0, 5, n).tolist(), rng.integers(0, 5, n).tolist()))

out = []
for x, y in cases:
    rho, p = stats.spearmanr(x, y)
    if len(x) <= 9:
        a, b = stats.rankdata(x), stats.rankdata(y)
        spread = np.sqrt(((a - a.mean()) ** 2).sum() * ((b - b.mean()) ** 2).sum())
        orders = np.array(list(itertools.permutations(b)))
        all_rho = (orders - b.mean()) @ (a - a.mean()) / spread
        p = np.mean(np.abs(all_rho) >= abs(rho) - 1e-9)
    out.append({"x": [float(v) for v in x], "y": [float(v) for v in y], "rho": float(rho), "p": float(p)})
json.dump(out, sys.stdout)
print()
