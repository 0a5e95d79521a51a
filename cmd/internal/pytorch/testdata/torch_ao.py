#!/usr/bin/env python3
"""PyTorch's side of the comparison with torch.ao, told by torch_test.go what to do: a JSON object a line in, one out.

    {"op": "load", "state": "x.pt", "test": {...}, "sample": {...}}   reads a state_dict that quantlab exported, and converts it
    {"op": "answer", "variant": "dynamic-qint8"}                      its class of every test example, in batches of 64
    {"op": "time", "variant": "dynamic-qint8", "batch": 64}           microseconds a call, over at least 100 ms

Examples are {"file": name, "rows": n, "cols": n, "scale": 255}: a byte a feature, divided by scale. The static conversion is FX's,
with the default qconfig of fbgemm, calibrated on the sample in batches of 64.
"""
import copy
import json
import sys
import time
import warnings

import numpy as np
import torch
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping, quantize_dynamic
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

BATCH = 64
warnings.filterwarnings("ignore")
torch.set_num_threads(1)
torch.backends.quantized.engine = "fbgemm"


def examples(e):
    x = np.fromfile(e["file"], np.uint8).reshape(e["rows"], e["cols"])
    return torch.from_numpy(x).float() / e["scale"]


def batches(x):
    return x.split(BATCH)


def network(state):
    """The stack of layers that quantlab's names describe, ReLU between them."""
    layers, i = [], 0
    while f"layers.{i}.weight" in state:
        out, features = state[f"layers.{i}.weight"].shape
        layers += [nn.Linear(features, out), nn.ReLU()]
        with torch.no_grad():
            layers[-2].weight.copy_(state[f"layers.{i}.weight"])
            layers[-2].bias.copy_(state[f"layers.{i}.bias"])
        i += 1
    return nn.Sequential(*layers[:-1]).eval()


class Peer:
    def load(self, job):
        self.test = examples(job["test"])
        net = network(torch.load(job["state"], weights_only=True))
        static = prepare_fx(copy.deepcopy(net), get_default_qconfig_mapping("fbgemm"), (self.test[:1],))  # it leaves its marks on what it is given
        for x in batches(examples(job["sample"])):
            static(x)
        self.models = {
            "fp32": net,
            "dynamic-float16": quantize_dynamic(net, {nn.Linear}, dtype=torch.float16),
            "dynamic-qint8": quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8),
            "static-qint8": convert_fx(static),
        }
        return {"version": torch.__version__}

    def answer(self, job):
        model = self.models[job["variant"]]
        return {"classes": torch.cat([model(x).argmax(1) for x in batches(self.test)]).tolist()}

    def time(self, job):
        model, x = self.models[job["variant"]], self.test[:job["batch"]].clone()
        for _ in range(3):
            model(x)
        calls, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < 0.1:
            model(x)
            calls += 1
        return {"us": 1e6 * spent / calls}


peer = Peer()
with torch.inference_mode():
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(peer, request["op"])(request)), flush=True)
