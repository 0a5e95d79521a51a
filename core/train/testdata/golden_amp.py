#!/usr/bin/env python3
"""Makes golden_amp.json: steps of PyTorch's autocast, with GradScaler for float16, on tiny networks, for amp_golden_test.go.

Made with: Python 3.11.7, PyTorch 2.6.0+cu124 on the CPU (the script prints its versions; run it as `python golden_amp.py > golden_amp.json`).
"""
import json
import platform
import sys

import torch

print(f"Python {platform.python_version()}, PyTorch {torch.__version__}", file=sys.stderr)
torch.manual_seed(20240301)
torch.set_num_threads(1)

TYPES = {"bf16": torch.bfloat16, "f16": torch.float16}


def flat(t):
    """The float32 values, as the shortest decimals that round to them when read as float32; null for what is not finite."""
    return [float(f"{v:.9g}") if abs(v) < float("inf") else None for v in t.detach().float().reshape(-1).tolist()]


def case(name, low, dims, rows, steps, lr, sparse, scaler=None, plant=()):
    """Steps of training. In the steps of plant the inputs are so large that float16 gradients overflow."""
    layers = []
    for i in range(len(dims) - 1):
        layers.append(torch.nn.Linear(dims[i], dims[i + 1]))
        if i < len(dims) - 2:
            layers.append(torch.nn.ReLU())
    net = torch.nn.Sequential(*layers)
    linears = [m for m in net if isinstance(m, torch.nn.Linear)]
    out = {
        "name": name, "type": low, "dims": dims, "lr": lr, "sparse": sparse, "scaler": scaler,
        "initial": [{"w": flat(m.weight), "b": flat(m.bias)} for m in linears],
        "steps": [],
    }
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    grad_scaler = torch.amp.GradScaler("cpu", enabled=scaler is not None, **(scaler or {}))
    for step in range(steps):
        x = torch.rand(rows, dims[0])
        x[torch.rand(rows, dims[0]) < 0.5] = 0
        if sparse:
            x = torch.floor(x * 4)  # counts
            x[:, -1] = 0  # a word that never appears
        if step in plant:
            x = x * 128
        labels = torch.randint(0, dims[-1], (rows,))
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=TYPES[low]):
            logits = net(x)
            loss = torch.nn.functional.cross_entropy(logits, labels)
        assert logits.dtype == TYPES[low] and loss.dtype == torch.float32
        scale = grad_scaler.get_scale()
        grad_scaler.scale(loss).backward()
        grad_scaler.unscale_(optimizer)
        gradients = [{"w": flat(m.weight.grad), "b": flat(m.bias.grad)} for m in linears]
        grad_scaler.step(optimizer)
        grad_scaler.update()
        out["steps"].append({
            "x": flat(x), "labels": labels.tolist(), "logits": flat(logits), "loss": float(f"{loss.item():.9g}"),
            "scale": scale if scaler else 0, "skipped": any(v is None for g in gradients for v in g["w"] + g["b"]),
            "gradients": gradients, "after": [{"w": flat(m.weight), "b": flat(m.bias)} for m in linears],
        })
    return out


def scales(name, scaler, overflows):
    """The scale before each step, whose gradient overflows where told."""
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], lr=0.1)
    s = torch.amp.GradScaler("cpu", **scaler)
    out = {"name": name, "scaler": scaler, "overflows": overflows, "scales": []}
    for over in overflows:
        s.scale(torch.zeros(1))
        out["scales"].append(s.get_scale())
        p.grad = torch.tensor([float("inf") if over else 1.0])
        s.step(optimizer)
        s.update()
    return out


json.dump({
    "made_with": f"Python {platform.python_version()}, PyTorch {torch.__version__}",
    "cases": [
        case("bf16, two hidden layers", "bf16", [7, 6, 5, 4], 5, 6, 0.001, False),
        case("bf16, bags of words", "bf16", [9, 6, 2], 4, 6, 0.01, True),
        case("bf16, longer sums", "bf16", [21, 20, 10], 12, 2, 0.001, False),
        case("f16, two hidden layers", "f16", [7, 6, 5, 4], 5, 6, 0.001, False, {"init_scale": 65536.0, "growth_interval": 2000}),
        case("f16, overflow and growth", "f16", [7, 6, 5, 4], 5, 8, 0.001, False, {"init_scale": 16384.0, "growth_interval": 2}, (3,)),
        case("f16, longer sums", "f16", [21, 20, 10], 12, 2, 0.001, False, {"init_scale": 1024.0, "growth_interval": 2000}),
        case("f16, bags of words", "f16", [9, 6, 2], 4, 8, 0.01, True, {"init_scale": 16384.0, "growth_interval": 2}, (3, 4)),
    ],
    "scales": [
        scales("grows", {"init_scale": 4.0, "growth_interval": 3}, [0] * 8),
        scales("an overflow starts the count anew", {"init_scale": 4.0, "growth_interval": 3}, [0, 0, 1, 0, 0, 0, 0, 1, 1, 0]),
        scales("the default", {}, [1, 1, 0, 1]),
        scales("never beyond float32", {"init_scale": 2.0**126, "growth_interval": 1}, [0] * 4),
    ],
}, sys.stdout, separators=(",", ":"))
print()
