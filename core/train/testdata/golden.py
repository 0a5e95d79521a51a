#!/usr/bin/env python3
"""Makes golden.json: Adam steps of PyTorch on tiny networks, for golden_test.go.

Made with: Python 3.11.7, PyTorch 2.6.0+cu124 on the CPU (the script prints its versions; run it as `python golden.py > golden.json`).
"""
import json
import platform
import sys

import torch

print(f"Python {platform.python_version()}, PyTorch {torch.__version__}", file=sys.stderr)
torch.manual_seed(20240229)
torch.set_num_threads(1)


def flat(t):
    """The float32 values, as the shortest decimals that round to them when read as float32."""
    return [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]


def case(name, dims, batches, lr, sparse):
    layers = []
    for i in range(len(dims) - 1):
        layers.append(torch.nn.Linear(dims[i], dims[i + 1]))
        if i < len(dims) - 2:
            layers.append(torch.nn.ReLU())
    net = torch.nn.Sequential(*layers)
    linears = [m for m in net if isinstance(m, torch.nn.Linear)]
    out = {
        "name": name, "dims": dims, "lr": lr, "sparse": sparse,
        "initial": [{"w": flat(m.weight), "b": flat(m.bias)} for m in linears],
        "steps": [],
    }
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for rows in batches:
        x = torch.rand(rows, dims[0])
        x[torch.rand(rows, dims[0]) < 0.5] = 0
        if sparse:
            x = torch.floor(x * 4)  # counts
            x[:, -1] = 0  # a word that never appears
        labels = torch.randint(0, dims[-1], (rows,))
        optimizer.zero_grad()
        logits = net(x)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        gradients = [{"w": flat(m.weight.grad), "b": flat(m.bias.grad)} for m in linears]
        optimizer.step()
        out["steps"].append({
            "x": flat(x), "labels": labels.tolist(), "logits": flat(logits), "loss": float(f"{loss.item():.9g}"),
            "gradients": gradients, "after": [{"w": flat(m.weight), "b": flat(m.bias)} for m in linears],
        })
    return out


def loss(name, rows, labels):
    logits = torch.tensor(rows, requires_grad=True)
    value = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
    value.backward()
    return {
        "name": name, "rows": len(rows), "logits": flat(logits), "labels": labels,
        "loss": float(f"{value.item():.9g}"), "gradient": flat(logits.grad),
    }


json.dump({
    "made_with": f"Python {platform.python_version()}, PyTorch {torch.__version__}",
    "cases": [
        case("two hidden layers", [7, 6, 5, 4], [5, 5, 3, 1], 0.001, False),
        case("bags of words", [9, 6, 2], [4, 4, 2, 4], 0.01, True),
    ],
    "losses": [
        loss("ordinary", torch.randn(5, 3).tolist(), [0, 1, 2, 1, 0]),
        loss("equal", [[0.0] * 10, [-7.5] * 10], [3, 9]),
        loss("hundreds", [[300.0, -400.0], [-120.0, 250.0], [88.0, 91.0]], [1, 1, 0]),
        loss("ten thousands", [[1e4, 0.0, -1e4], [-3e4, -3e4, -3e4]], [2, 0]),
    ],
}, sys.stdout, separators=(",", ":"))
print()
