"""Makes the fixtures of this folder with the real PyTorch: python fixtures.py. They were made with PyTorch 2.6.0.

Every *.pt file that holds tensors is described in golden.json: for each tensor its type, its shape and its numbers as PyTorch
itself reads them, and for a model the logits of INPUTS.
"""

import argparse
import copy
import io
import json
import os
import pickle
import tarfile
import warnings
from collections import OrderedDict

import torch
from torch import nn
from torch.ao.quantization import (
    default_dynamic_qconfig,
    float16_dynamic_qconfig,
    get_default_qconfig,
    get_default_qconfig_mapping,
    convert,
    per_channel_dynamic_qconfig,
    prepare,
    quantize_dynamic,
    DeQuantStub,
    QuantStub,
)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

warnings.filterwarnings("ignore")
torch.backends.quantized.engine = "fbgemm"
torch.set_num_threads(1)
torch.manual_seed(6)
os.chdir(os.path.dirname(os.path.abspath(__file__)))

INPUTS = torch.randn(8, 6)
golden = {"inputs": INPUTS.tolist(), "files": {}}


class MLP(nn.Module):
    def __init__(self, bias=True):
        super().__init__()
        self.fc1 = nn.Linear(6, 5, bias=bias)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(5, 3, bias=bias)

    def forward(self, x):
        return self.fc2(self.relu(self.fc1(x)))


class Stubs(MLP):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()

    def forward(self, x):
        return self.dequant(super().forward(self.quant(x)))


class Block(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.linear = nn.Linear(i, o)

    def forward(self, x):
        return self.linear(x)


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(6, 5), Block(5, 4), Block(4, 1)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 6)
        self.b.weight = self.a.weight


def plain(t):
    """What PyTorch sees in a tensor, as JSON: floats as float32 ones, which JSON's doubles hold exactly."""
    facts = {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape)}
    if t.is_quantized:
        facts["ints"] = t.int_repr().flatten().tolist()
        if t.qscheme() == torch.per_tensor_affine:
            facts["scales"], facts["zeros"], facts["axis"] = [t.q_scale()], [t.q_zero_point()], -1
        else:
            facts["scales"], facts["zeros"] = t.q_per_channel_scales().tolist(), t.q_per_channel_zero_points().tolist()
            facts["axis"] = t.q_per_channel_axis()
        t = t.dequantize()
    facts["values"] = t.detach().to(torch.float32).flatten().tolist()
    return facts


def describe(name, state, model=None):
    tensors = OrderedDict()
    for key, value in state.items():
        if isinstance(value, torch.Tensor):
            tensors[key] = plain(value)
        elif isinstance(value, tuple):
            tensors[key] = plain(value[0])
            if value[1] is not None:
                tensors[key + "[1]"] = plain(value[1])
    golden["files"][name] = {"tensors": [{"name": k, **v} for k, v in tensors.items()]}
    if model is not None:
        with torch.no_grad():
            golden["files"][name]["logits"] = model(INPUTS).tolist()


def save(name, what, state=None, model=None, **kw):
    buffer = io.BytesIO()
    torch.save(what, buffer, **kw)
    with open(name, "wb") as f:
        f.write(buffer.getvalue())
    if state is None and isinstance(what, dict):
        state = what
    if state is not None:
        describe(name, state, model)


mlp = MLP().eval()
save("mlp.pt", mlp.state_dict(), model=mlp)
save("legacy.pt", mlp.state_dict(), model=mlp, _use_new_zipfile_serialization=False)
for protocol in (3, 4, 5):
    save(f"protocol{protocol}.pt", mlp.state_dict(), model=mlp, pickle_protocol=protocol)
torch.save(mlp.state_dict(), "named.pth")  # the archive takes its folder's name from the file
describe("named.pth", mlp.state_dict(), mlp)
sequential = nn.Sequential(OrderedDict(net=nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3)))).eval()
save("sequential.pt", sequential.state_dict(), model=sequential)
blocks = Blocks().eval()
save("blocks.pt", blocks.state_dict(), model=blocks)
save("parallel.pt", nn.DataParallel(mlp).state_dict(), model=mlp)
save("compiled.pt", OrderedDict(("_orig_mod." + k, v) for k, v in mlp.state_dict().items()), model=mlp)
for dtype in (torch.float16, torch.bfloat16, torch.float64):
    typed = MLP().eval().to(dtype)
    name = f"{str(dtype).removeprefix('torch.')}.pt"
    save(name, typed.state_dict(), model=MLP().eval())
    again = MLP().eval()
    again.load_state_dict(typed.state_dict())
    describe(name, typed.state_dict(), again)
nobias = MLP(bias=False).eval()
save("nobias.pt", nobias.state_dict(), model=nobias)
parameters = OrderedDict(mlp.named_parameters())
save("parameters.pt", parameters, model=mlp)

trained = MLP()
optimizer = torch.optim.Adam(trained.parameters(), lr=0.001)
trained(INPUTS).sum().backward()
optimizer.step()
trained.eval()
checkpoint = {
    "epoch": 2,
    "args": argparse.Namespace(lr=0.001, hidden=[5]),
    "optimizer_state_dict": optimizer.state_dict(),
    "model_state_dict": trained.state_dict(),
    "loss": torch.tensor(0.25),
    "history": [0.5, 0.25],
}
save("checkpoint.pt", checkpoint, trained.state_dict(), trained)
averaged = MLP().eval()
save("ema.pt", {"ema": averaged.state_dict(), "model": trained.state_dict()}, trained.state_dict(), trained)
save("two.pt", {"generator": mlp.state_dict(), "critic": MLP().state_dict()})
golden["files"].pop("two.pt")

big = torch.randn(7, 9)
views = OrderedDict(
    transposed=big.t(), sliced=big[1:6, 2:8], strided=big[::2, ::3], scalar=torch.tensor(3.5), empty=torch.zeros(0, 4),
    expanded=torch.randn(3, 1).expand(3, 4), shared=big, longs=torch.arange(4), flags=torch.tensor([True, False]),
)
save("views.pt", views)
save("views_legacy.pt", views, _use_new_zipfile_serialization=False)
tied = Tied()
save("tied.pt", tied.state_dict())
save("tensor.pt", torch.ones(2))
save("list.pt", [torch.ones(2), torch.zeros(3)])

dynamic = quantize_dynamic(mlp, {nn.Linear}, dtype=torch.qint8)
save("dynamic_qint8.pt", dynamic.state_dict(), model=dynamic)
save("dynamic_qint8_legacy.pt", dynamic.state_dict(), model=dynamic, _use_new_zipfile_serialization=False)
channels = quantize_dynamic(nobias, {nn.Linear: per_channel_dynamic_qconfig})
save("dynamic_per_channel.pt", channels.state_dict(), model=channels)
half = quantize_dynamic(mlp, {nn.Linear}, dtype=torch.float16)
save("dynamic_float16.pt", half.state_dict(), model=half)
mixed = quantize_dynamic(mlp, {"fc2": default_dynamic_qconfig})
save("dynamic_mixed.pt", mixed.state_dict(), model=mixed)

fx = prepare_fx(copy.deepcopy(mlp), get_default_qconfig_mapping("fbgemm"), (INPUTS,))
fx(INPUTS)
fx = convert_fx(fx)
save("static_fx.pt", fx.state_dict(), model=fx)
part = get_default_qconfig_mapping("fbgemm").set_module_name("fc1", None)
part = prepare_fx(copy.deepcopy(mlp), part, (INPUTS,))
part(INPUTS)
part = convert_fx(part)
save("static_fx_part.pt", part.state_dict(), model=part)
eager = Stubs().eval()
eager.load_state_dict(mlp.state_dict())
eager.qconfig = get_default_qconfig("fbgemm")
eager = prepare(eager)
eager(INPUTS)
eager = convert(eager)
save("static_eager.pt", eager.state_dict(), model=eager)

save("whole.pt", mlp)
save("whole_legacy.pt", mlp, _use_new_zipfile_serialization=False)
save("whole_quantized.pt", dynamic)
torch.jit.script(mlp).save("script.pt")
torch.jit.script(dynamic).save("script_quantized.pt")
torch.export.save(torch.export.export(mlp, (INPUTS,)), "program.pt2")
save("optimizer.pt", optimizer.state_dict())
golden["files"].pop("optimizer.pt")

attributed, tagged = torch.ones(2, 3), nn.Parameter(torch.ones(3))
attributed.note, tagged.note = "mine", "mine"
save("typed.pt", OrderedDict(u=torch.arange(3).to(torch.uint16), w=attributed, p=tagged))
golden["files"].pop("typed.pt")
save("legacy4.pt", mlp.state_dict(), model=mlp, _use_new_zipfile_serialization=False, pickle_protocol=4)
scored = {"model": mlp.state_dict(), "confusion": torch.ones(3, 3), "rng_state": {"cpu": torch.get_rng_state()}}
save("scored.pt", scored, mlp.state_dict(), mlp)

WORDS = ["the", "film", "is", "naïve", "“good”", "n't", ".", "the end"]
for protocol in (2, 4, 5):
    with open(f"words{protocol}.pkl", "wb") as f:
        pickle.dump(WORDS, f, protocol)
with open("oldest.pkl", "wb") as f:
    pickle.dump(WORDS, f, 0)
with open("words_tuple.pkl", "wb") as f:
    pickle.dump(tuple(WORDS), f)
with open("words_index.pkl", "wb") as f:
    pickle.dump({w: i for i, w in reversed(list(enumerate(WORDS)))}, f)
with open("words_by_index.pkl", "wb") as f:
    pickle.dump(dict(enumerate(WORDS)), f)
save("words.pt", WORDS)
torch.save({w: i for i, w in enumerate(WORDS)}, "words_index.pt", _use_new_zipfile_serialization=False)
golden["words"] = WORDS

with tarfile.open("old.pt", "w") as t:  # what PyTorch wrote before 0.1.10: only that it is recognised is tested
    for name in ("sys_info", "pickle", "storages", "tensors"):
        t.addfile(tarfile.TarInfo(name))

with open("golden.json", "w") as f:
    json.dump(golden, f, separators=(",", ":"))
    f.write("\n")
