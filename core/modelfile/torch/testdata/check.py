"""Opens the files that this package wrote with the real PyTorch: python check.py FOLDER.

The folder holds files named as those beside this script. Each must open with weights_only=True, hold exactly what PyTorch's own
file holds, and load into the model, converted by torch.ao, that the file is of, which then gives exactly the same logits.
"""

import os
import sys
import warnings

import torch
from torch import nn
from torch.ao.quantization import (
    default_dynamic_qconfig,
    get_default_qconfig_mapping,
    per_channel_dynamic_qconfig,
    quantize_dynamic,
)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

warnings.filterwarnings("ignore")
torch.backends.quantized.engine = "fbgemm"
torch.set_num_threads(1)
torch.manual_seed(7)
here = os.path.dirname(os.path.abspath(__file__))
inputs = torch.randn(16, 6)


class MLP(nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        self.fc1 = nn.Linear(6, 5, bias=bias)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(5, 3, bias=bias)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


def static(mapping):
    model = prepare_fx(MLP().eval(), mapping, (inputs,))
    model(inputs)
    return convert_fx(model)


# What makes the model, with parameters of its own, that each file is loaded into.
MODELS = {
    "mlp.pt": MLP,
    "nobias.pt": lambda: MLP(bias=False),
    "float16.pt": lambda: MLP().half(),
    "dynamic_qint8.pt": lambda: quantize_dynamic(MLP().eval(), {nn.Linear}, dtype=torch.qint8),
    "dynamic_per_channel.pt": lambda: quantize_dynamic(MLP(bias=False).eval(), {nn.Linear: per_channel_dynamic_qconfig}),
    "dynamic_float16.pt": lambda: quantize_dynamic(MLP().eval(), {nn.Linear}, dtype=torch.float16),
    "dynamic_mixed.pt": lambda: quantize_dynamic(MLP().eval(), {"fc2": default_dynamic_qconfig}),
    "static_fx.pt": lambda: static(get_default_qconfig_mapping("fbgemm")),
    "static_fx_part.pt": lambda: static(get_default_qconfig_mapping("fbgemm").set_module_name("fc1", None)),
}


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if not isinstance(a, torch.Tensor):
        return a == b
    if a.dtype != b.dtype or a.shape != b.shape or a.is_quantized != b.is_quantized:
        return False
    if not a.is_quantized:
        return torch.equal(a, b)
    if a.qscheme() != b.qscheme() or not torch.equal(a.int_repr(), b.int_repr()):
        return False
    if a.qscheme() == torch.per_tensor_affine:
        return a.q_scale() == b.q_scale() and a.q_zero_point() == b.q_zero_point()
    return (
        torch.equal(a.q_per_channel_scales(), b.q_per_channel_scales())
        and torch.equal(a.q_per_channel_zero_points(), b.q_per_channel_zero_points())
        and a.q_per_channel_axis() == b.q_per_channel_axis()
    )


def logits(make, state):
    model = make()
    model.load_state_dict(state)
    with torch.no_grad():
        return model(inputs.half() if next(iter(state.values())).dtype == torch.float16 else inputs)


failed = False
for name in sorted(os.listdir(sys.argv[1])):
    ours = torch.load(os.path.join(sys.argv[1], name), weights_only=True)
    theirs = torch.load(os.path.join(here, name), weights_only=True)
    equal = set(ours) == set(theirs) and all(same(ours[k], theirs[k]) for k in ours)
    equal = equal and torch.equal(logits(MODELS[name], ours), logits(MODELS[name], theirs))
    print(name, "is the same" if equal else "DIFFERS")
    failed = failed or not equal
sys.exit(failed)
