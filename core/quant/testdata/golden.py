#!/usr/bin/env python3
"""Writes the golden values that core/quant is tested against, and prints the versions that made them.

Everything except the percentile and entropy observers comes from PyTorch itself; those two are derived here in numpy,
independently of the Go code, because PyTorch has none.

    python3 -m venv VENV && VENV/bin/pip install torch==2.6.0 numpy
    VENV/bin/python golden.py          # rewrites observers.json, quantize.json, linear.json beside itself

Arrays are base64 of little-endian values: {"f32": ...}, {"u8": ...}, {"i8": ...}; floats that are small multiples of
1/16 are {"i8": ..., "unit": 0.0625}. The integers of the static networks need a processor on which FBGEMM's kernels do
not saturate (AVX-512 VNNI); the script checks them itself.
"""
import base64
import hashlib
import json
import pathlib
import warnings

import numpy as np
import torch
from torch import nn
from torch.ao.quantization import (
    HistogramObserver, MinMaxObserver, MovingAverageMinMaxObserver, PerChannelMinMaxObserver, QConfig, QConfigMapping,
    get_default_qconfig_mapping, per_channel_dynamic_qconfig, quantize_dynamic,
)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

warnings.filterwarnings("ignore")
torch.backends.quantized.engine = "fbgemm"
torch.set_num_threads(1)
here = pathlib.Path(__file__).parent
VERSION = (f"torch {torch.__version__}, numpy {np.__version__}, fbgemm, "
           f"{torch.backends.cpu.get_cpu_capability()}")


def pack(a):
    if isinstance(a, torch.Tensor):
        a = a.detach().numpy()
    name = {"float32": "f32", "uint8": "u8", "int8": "i8"}[str(a.dtype)]
    if name == "f32" and a.size > 16 and np.isfinite(a).all() and (np.rint(a * 16) == a * 16).all() and abs(a).max() < 7:
        return {**pack((a * 16).astype(np.int8)), "unit": 0.0625}
    return {name: base64.b64encode(np.ascontiguousarray(a).astype(a.dtype.newbyteorder("<")).tobytes()).decode()}


def save(name, value):
    text = json.dumps({"version": VERSION, **value}, separators=(",", ":"))
    (here / name).write_text(text.replace('},{"', '},\n{"') + "\n")
    print(f"{name}: {len(text)} bytes")


def tensors():
    """Awkward tensors, each a list of batches."""
    g = torch.Generator().manual_seed(1)
    normal = torch.randn(400, generator=g)
    outlier = torch.randn(400, generator=g)
    outlier[123] = 90.0
    mixed = torch.cat([torch.randn(150, generator=g) * 0.01, torch.rand(50, generator=g) * 8 - 3, torch.zeros(100)])
    relu = torch.relu(torch.randn(400, generator=g) * 3 - 1)
    ranges = [torch.randn(200, generator=g) * s + m for s, m in ((1, 0), (3, 1), (0.5, -4), (0.1, 0), (2, 6))]
    grow = [torch.relu(torch.randn(150, generator=g)) * s for s in (1, 1.1, 5, 2, 5.5, 40)]
    return {
        "normal": [normal],
        "constant": [torch.full((64,), 3.25)],
        "constant negative": [torch.full((64,), -0.7)],
        "all zero": [torch.zeros(64)],
        "one outlier": [outlier],
        "denormals": [torch.randn(100, generator=g) * 1e-40],
        "tiny": [torch.randn(100, generator=g) * 1e-7],
        "only positive": [torch.rand(300, generator=g) + 0.5],
        "only negative": [-torch.rand(300, generator=g) * 4 - 0.5],
        "mixed": [mixed],
        "relu": [relu],
        "single": [torch.tensor([-1.5])],
        "two constants": [torch.full((50,), 2.0), torch.full((30,), 5.0), torch.rand(100, generator=g) * 6],
        "changing ranges": ranges,
        "growing": grow,
        "pixels": [(torch.rand(400, generator=g) * 255).round() / 255 * (torch.rand(400, generator=g) > 0.6) for _ in range(3)],
    }


# What a quantizer of core/quant is in PyTorch's words. Eight bits without a custom range are the presets' own path.
def arguments(signed, bits, symmetric, reduce_range):
    d = torch.qint8 if signed else torch.quint8
    scheme = torch.per_tensor_symmetric if symmetric else torch.per_tensor_affine
    args = dict(dtype=d, qscheme=scheme)
    if bits == 8 and not (symmetric and reduce_range and not signed):
        args["reduce_range"] = reduce_range
        return args
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if reduce_range:
        lo, hi = lo // 2, hi // 2
    args.update(quant_min=lo, quant_max=hi)
    return args


def scale_zero(obs):
    s, z = obs.calculate_qparams()
    return [s.double().tolist(), z.tolist()]


def observers():
    cases = []
    for name, batches in tensors().items():
        case = {"name": name, "batches": [pack(b) for b in batches], "qparams": []}
        for signed, bits, symmetric, reduce_range in (
            (False, 8, False, True), (False, 8, False, False), (False, 8, True, False), (False, 8, True, True),
            (False, 4, False, False), (False, 2, True, False), (False, 7, False, False), (False, 5, False, True),
            (True, 8, True, False), (True, 8, False, False), (True, 4, True, False), (True, 3, False, False),
            (True, 2, True, False), (True, 8, True, True),
        ):
            args = arguments(signed, bits, symmetric, reduce_range)
            made = {"minmax": MinMaxObserver(**args), "moving-average": MovingAverageMinMaxObserver(**args)}
            if not signed:
                made["histogram"] = HistogramObserver(**args)
                made["histogram"].dst_nbins = 1 << bits  # PyTorch counts 256 levels whatever the range is
            for kind, obs in made.items():
                for b in batches:
                    obs(b)
                s, z = scale_zero(obs)
                case["qparams"].append([kind, int(signed), bits, int(symmetric), int(reduce_range), s[0], z[0]])
                if kind == "histogram":  # the same for every range
                    case["histogram_sha256"] = hashlib.sha256(obs.histogram.numpy().astype("<f4").tobytes()).hexdigest()
        every = np.concatenate([b.numpy() for b in batches])
        levels = 128
        lo, hi = percentile(every, 99.0, False)
        case["percentile_99"] = [float(lo), float(hi)]
        case["percentile_99_symmetric"] = float(percentile(every, 99.0, True)[1])
        case["entropy_128"] = float(entropy(every, levels))
        cases.append(case)
    g = torch.Generator().manual_seed(2)
    w = torch.randn(6, 20, generator=g)
    w[1] = 0
    w[2] = w[2].abs()
    w[3] *= 1e-9
    w[4] = -w[4].abs() - 1
    channels = {"weights": pack(w), "rows": 6, "qparams": []}
    for bits, symmetric in ((8, True), (8, False), (4, True), (3, False)):
        lo, hi = -(1 << bits - 1), (1 << bits - 1) - 1
        obs = PerChannelMinMaxObserver(
            dtype=torch.qint8, qscheme=torch.per_channel_symmetric if symmetric else torch.per_channel_affine,
            **({} if bits == 8 else dict(quant_min=lo, quant_max=hi)))
        obs(w)
        s, z = scale_zero(obs)
        q = torch.quantize_per_channel(w, torch.tensor(s), torch.tensor(z), 0, torch.qint8).int_repr()
        channels["qparams"].append(
            dict(bits=bits, symmetric=symmetric, scale=s, zero=z, ints=pack(q.clamp(lo, hi).to(torch.int8))))
    # The order in which torch.sum adds shows in numbers of very different size; see generated in observer_test.go.
    sums = []
    for seed in range(20):
        k = (np.arange(2048, dtype=np.uint64) + np.uint64(2048 * seed)) * np.uint64(2654435761) % np.uint64(2 ** 32)
        x = (k % np.uint64(1 << 20)).astype(np.float32) * np.float32(2) ** (k >> np.uint64(28)).astype(np.float32)
        sums.append(torch.sum(torch.from_numpy(x)).item())
    save("observers.json", {"tensors": cases, "channels": channels, "sums": sums})


# core/quant's documented definitions over |x|: 2048 bins of [0, T), T the power of two above the largest magnitude.
BINS = 2048


def bins_of(x):
    x = np.abs(x.astype(np.float64))
    top = x.max()
    if top == 0:
        return None, 0.0
    t = 2.0 ** (np.floor(np.log2(top)) + 1)
    while t <= top:
        t *= 2
    while t / 2 > top:
        t /= 2
    return t / BINS, t


def percentile(x, p, symmetric):
    """ONNX Runtime's percentile calibrator (onnxruntime/python/tools/quantization/calibrate.py, compute_percentile):
    cut the same share of examples off both tails, at bin edges, and never beyond the extremes. Here by sorting."""
    lo, hi = float(x.min()), float(x.max())
    width, _ = bins_of(x)
    if width is None:
        return 0.0, 0.0
    v = np.sort(np.abs(x.astype(np.float64)) if symmetric else x.astype(np.float64))
    cut = int(len(v) * (100.0 - p) / (100.0 if symmetric else 200.0))
    top = v[len(v) - 1 - cut]
    right = (np.floor(top / width) + 1) * width if top >= 0 else -np.floor(-top / width) * width
    if symmetric:
        right = min(right, float(np.abs(x).max()))
        return -right, right
    bottom = v[cut]
    left = np.floor(bottom / width) * width if bottom >= 0 else -(np.floor(-bottom / width) + 1) * width
    return max(left, lo), min(right, hi)


def entropy(x, levels):
    """TensorRT's calibration (S. Migacz, "8-bit Inference with TensorRT", GTC 2017, pages 38 to 40), with what NVIDIA's
    pytorch-quantization (calib/histogram.py, _compute_amax_entropy) adds: zeros don't count, at least 128 bins, and of
    equally good thresholds the largest."""
    width, _ = bins_of(x)
    if width is None:
        return 0.0
    mags = np.abs(x.astype(np.float64))
    hist = np.bincount((mags / width).astype(int), minlength=BINS).astype(np.float64)
    used = int(mags.max() / width) + 1
    hist[0] = hist[1]
    best, at = np.inf, used
    for i in range(min(128, used), used + 1):
        p = hist[:i].copy()
        if hist[i:].sum() * 2 > hist.sum():  # else a lone last bin that swallows everything would match perfectly
            continue
        p[-1] += hist[i:].sum()
        q = np.zeros(i)
        for level in range(levels):
            a, b = level * i // levels, (level + 1) * i // levels
            live = p[a:b] > 0
            if live.any():
                q[a:b][live] = hist[a:b].sum() / live.sum()
        if ((p > 0) & (q == 0)).any():
            continue
        live = p > 0
        pn, qn = p[live] / p.sum(), q[live] / q.sum()
        kl = float((pn * np.log(pn / qn)).sum())
        if kl < best + 1e-12:
            best, at = min(kl, best), i
    return min(at * width, float(mags.max()))


def quantizing():
    inf, nan = float("inf"), float("nan")
    ties = torch.tensor([0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, -0.49999997, 1.4999999, 100.5, 126.5, 127.5, 254.5,
                         255.5, 300, -300, 1e30, -1e30, inf, -inf, nan, -0.0, 1e-40])
    cases = []
    g = torch.Generator().manual_seed(3)
    random = torch.randn(300, generator=g) * 3
    for x, scale, zero in ((ties, 1.0, 0), (ties, 1.0, 1), (ties, 1.0, 100), (ties, 1.0, 101), (ties * 0.1, 0.1, 51),
                           (torch.tensor([0.273939937]), 0.00214854861, 0), (random, 0.0123456789, 57),
                           (random, 0.05, 127), (random, 1e-3, 3)):
        q = torch.quantize_per_tensor(x, scale, zero, torch.quint8)
        cases.append(dict(x=pack(x), scale=float(np.float32(scale)), zero=zero, ints=pack(q.int_repr()),
                          floats=pack(q.dequantize())))
    halves = torch.tensor([0, -0.0, 1, 65504, 65519.996, 65520, 1e9, -1e9, 5.9604645e-8, 2.9802322e-8, 2.9802326e-8,
                           6.1e-5, 6.0975e-5, 1.00048828125, 1.0009766, 1.00146484375, 0.1, -3.14159274, 2049, 2051, 1e-40])
    half = torch.clamp(halves, -65504, 65504).half()
    dynamic = []
    for x in (random, ties[:11], torch.zeros(4), torch.tensor([1e-6, -3e-6, 2e-6]), torch.tensor([1e-6, 5e-6]),
              torch.tensor([-1e-30, -1e-6]), torch.full((3,), 7.5), torch.tensor([-2.0]), torch.tensor([1e-42, -1e-40]),
              torch.tensor([-3e38, 3e38]), torch.tensor([-51.0, 76.0]), torch.tensor([-0.5, 126.5])):
        for reduce_range in (True, False):
            s, z = torch._choose_qparams_per_tensor(x, reduce_range)
            dynamic.append(dict(x=pack(x), reduce_range=reduce_range, scale=s, zero=z))
    save("quantize.json", {"per_tensor": cases, "choose": dynamic,
                           "half": dict(x=pack(halves), bits=half.view(torch.int16).tolist())})


def stack(dims, g, exact):
    """Linear+ReLU, ..., Linear. With exact, every float32 sum is exact, so that any order of summation agrees."""
    layers = []
    for i, (a, b) in enumerate(zip(dims, dims[1:])):
        lin = nn.Linear(a, b)
        if exact:
            lin.weight.data = torch.randint(-2, 3, (b, a), generator=g) / 4.0
            lin.bias.data = torch.randint(-8, 9, (b,), generator=g) / 16.0
        else:
            lin.weight.data = torch.randn(b, a, generator=g) / a ** 0.5
            lin.bias.data = torch.randn(b, generator=g) * 0.3
        layers += [lin, nn.ReLU()] if i < len(dims) - 2 else [lin]
    return nn.Sequential(*layers).eval()


def inputs(rows, cols, g, exact):
    if exact:
        return torch.randint(-4, 5, (rows, cols), generator=g) / 4.0
    return torch.relu(torch.randn(rows, cols, generator=g))


def describe(name, net, dims, x):
    lins = [m for m in net if isinstance(m, nn.Linear)]
    return dict(name=name, dims=dims, weights=[pack(m.weight) for m in lins], biases=[pack(m.bias) for m in lins],
                rows=len(x), x=pack(x))


def linears():
    g = torch.Generator().manual_seed(4)
    cases = []
    mixes = {  # how the FX flow is told
        "preset": get_default_qconfig_mapping("fbgemm"),
        "per-tensor": QConfigMapping().set_global(QConfig(
            activation=MinMaxObserver.with_args(reduce_range=True),
            weight=MinMaxObserver.with_args(dtype=torch.qint8, qscheme=torch.per_tensor_symmetric))),
        "affine": QConfigMapping().set_global(QConfig(
            activation=MovingAverageMinMaxObserver.with_args(reduce_range=False),
            weight=MinMaxObserver.with_args(dtype=torch.qint8, qscheme=torch.per_tensor_affine))),
    }
    for mix, dims, exact, rows in (("preset", [24, 16, 5], True, (40, 40, 17)), ("preset", [16, 16, 16, 4], True, (64, 30)),
                                   ("preset", [32, 17, 10], False, (24, 24, 8)), ("per-tensor", [24, 16, 5], True, (40, 9)),
                                   ("affine", [24, 16, 12, 3], False, (12, 12)), ("affine", [24, 16, 5], True, (20, 20))):
        net = stack(dims, g, exact)
        batches = [inputs(n, dims[0], g, exact) for n in rows]
        x = inputs(7, dims[0], g, exact) * 1.5  # beyond the calibrated range too
        prepared = prepare_fx(net, mixes[mix], (batches[0],))
        for b in batches:
            prepared(b)
        converted = convert_fx(prepared)
        mods = [m for m in converted.modules() if hasattr(m, "_packed_params") and hasattr(m, "scale")]
        acts = []
        for m in mods:
            m.register_forward_hook(lambda m, i, o: acts.append((i[0], o)))
        y = converted(x)
        boundaries = [acts[0][0]] + [o for _, o in acts]
        case = describe(f"static {mix} {dims}", net, dims, x)
        case.update(kind="static", mix=mix, exact=exact, calibration=[pack(b) for b in batches],
                    grids=[[t.q_scale(), t.q_zero_point()] for t in boundaries],
                    activations=[pack(t.int_repr()) for t in boundaries], y=pack(y), int_weights=[], weight_scales=[])
        for k, m in enumerate(mods):
            w = m.weight()
            per = w.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric)
            scales = w.q_per_channel_scales().float() if per else torch.tensor([w.q_scale()])
            zero = 0 if per else w.q_zero_point()
            case["int_weights"].append(pack(w.int_repr()))
            case["weight_scales"].append(pack(scales))
            check(boundaries[k], boundaries[k + 1], w.int_repr(), scales, zero, m.bias(), k < len(mods) - 1, per)
        cases.append(case)
    for dims in ([48, 33, 10], [24, 16, 12, 3]):
        net = stack(dims, g, False)
        x = torch.randn(9, dims[0], generator=g)
        case = describe(f"dynamic {dims}", net, dims, x)
        case.update(kind="dynamic", results=[])
        for name, spec in (("dynamic qint8", dict(dtype=torch.qint8)), ("dynamic float16", dict(dtype=torch.float16)),
                           ("dynamic per-channel", dict(qconfig_spec={nn.Linear: per_channel_dynamic_qconfig}))):
            spec.setdefault("qconfig_spec", {nn.Linear})
            q = quantize_dynamic(net, **spec)
            mods = [m for m in q if hasattr(m, "_packed_params")]
            ints = [pack(m.weight().int_repr()) for m in mods] if name != "dynamic float16" else []
            case["results"].append(dict(name=name, int_weights=ints, y=pack(q(x)), y1=pack(q(x[:1]))))
        cases.append(case)
    save("linear.json", {"cases": cases})


def check(xq, yq, w, scales, zero, bias, relu, per):
    """FBGEMM's requantization, restated; fails where a kernel saturated or the formula is not the one we implement."""
    f = np.float32
    acc = (xq.int_repr().numpy().astype(np.int64) - xq.q_zero_point()) @ (w.numpy().astype(np.int64) - zero).T
    s = f(xq.q_scale()) * scales.numpy()
    b = bias.detach().numpy() / s if per else bias.detach().numpy() * (f(1) / s)
    v = (acc.astype(f) + b) * (s / f(yq.q_scale()))
    want = np.clip(np.rint(v) + yq.q_zero_point(), yq.q_zero_point() if relu else 0, 255)
    assert (want == yq.int_repr().numpy()).all(), "FBGEMM requantizes otherwise"


print(VERSION)
observers()
quantizing()
linears()
