"""PTX for devices of several generations: compiled, read, and taken by NVIDIA's assembler where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess

import llvmlite.binding as llvm
import numpy as np
import pytest
from adcore_llvm.cuda import libdevice
from adcore_llvm.cuda.ptx import CAPABILITIES, ptx
from device_arrays import given
from models import MODELS, own_array
from plans import plans_of

from adcore import grad, jacfwd, jit, value_and_grad, vmap
from adcore.errors import DeviceError
from bench.cuda import epidemic, projection

try:
    libdevice.path()
except DeviceError as error:
    pytest.skip(f"PTX needs libdevice: {error}", allow_module_level=True)

RNG = np.random.default_rng(2)
X = RNG.uniform(0.2, 0.9, 300)
FITS = (RNG.normal(size=(9, 2)), RNG.normal(size=(9, 5)), 5)
BLOCKS = (RNG.normal(size=(9, 9)), RNG.normal(size=(9, 3)), RNG.normal(size=(9, 2)))

BATCHES = {
    "epidemics": (lambda: vmap(grad(epidemic), in_axes=(0, 0, None), device="cuda"), FITS),
    "projections": (lambda: vmap(jacfwd(projection, argnums=(0, 1)), device="cuda"), BLOCKS),
    "arrays in a thread": (lambda: vmap(grad(own_array), in_axes=(0, None), device="cuda"), (X, 40)),
}


def modules(function, arguments):
    function(*given(arguments))
    return [plan.module for plan in plans_of(function)]


def assemble(text, capability, folder):
    """What ptxas says of the module."""
    program = shutil.which("ptxas")
    if program is None:
        pytest.skip("ptxas, NVIDIA's assembler, is not on this machine")
    name = f"sm_{capability[0]}{capability[1]}"
    known = subprocess.run([program, "--help"], capture_output=True, text=True).stdout
    if f"'{name}'" not in known:
        pytest.skip(f"this ptxas knows no {name}")
    source = folder / "kernel.ptx"
    source.write_text(text)
    command = [program, "-v", f"-arch={name}", "-o", str(folder / "kernel.cubin"), str(source)]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return found.stderr


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
@pytest.mark.parametrize("name", BATCHES)
def test_batches_are_assembled(name, capability, tmp_path):
    make, arguments = BATCHES[name]
    (module,) = modules(make(), arguments)
    text = ptx(module.device_text(), capability)
    assert f".target sm_{capability[0]}{capability[1]}" in text
    assert text.count(".entry adcore_") == len(module.kernels)
    assemble(text, capability, tmp_path)


@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda c: f"sm_{c[0]}{c[1]}")
def test_local_memory_of_threads(capability, tmp_path):
    make, arguments = BATCHES["arrays in a thread"]
    (module,) = modules(make(), arguments)
    (kernel,) = [k.in_local_memory(1 << 18) for k in module.kernels if k.allocates]
    text = ptx(kernel.module.device_text(), capability)
    said = assemble(text, capability, tmp_path)
    (frame,) = re.findall(rf"{kernel.name}'?.*?\n\s*(\d+) bytes stack frame", said)
    assert 1 << 18 <= int(frame) < (1 << 18) + 1024


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.function.__name__)
def test_models_are_assembled(model, tmp_path):
    at = tuple(k for k, a in enumerate(model.arguments) if np.asarray(a).dtype.kind == "f")
    for module in modules(value_and_grad(model.function, argnums=at, device="cuda"), model.arguments):
        assemble(ptx(module.device_text(), (9, 0)), (9, 0), tmp_path)


def test_arithmetic_is_as_the_host_has_it():
    def polynomial(x, y):
        return x * y + x / y - np.sqrt(x), x.astype(np.float32) * y.astype(np.float32) / np.float32(3.0)

    (module,) = modules(jit(polynomial, device="cuda"), (X, X))
    text = ptx(module.device_text(), (9, 0))
    for instruction in ("mul.rn.f64", "add.rn.f64", "div.rn.f64", "sqrt.rn.f64", "mul.rn.f32", "div.rn.f32"):
        assert instruction in text
    assert not re.search(r"\b(fma|mad)\.rn\.f|\.ftz|\.approx|\.full", text)


def test_nothing_is_left_to_be_linked():
    def elementary(x):
        y = np.exp(x) + np.log(x) + np.sin(x) * np.tan(x) + np.arctan2(x, 2.0) + np.cbrt(x) + x % 0.3 + np.fmod(x, 0.4)
        return y + np.expm1(x) * np.log1p(x) + np.arcsinh(x) + np.hypot(x, 1.0) + x**1.7 + np.logaddexp(x, 1.0)

    (module,) = modules(jit(elementary, device="cuda"), (X,))
    text = ptx(module.device_text(), (8, 0))
    assert ".extern" not in text


def test_libdevice_has_all_functions():
    module = llvm.parse_bitcode(libdevice.path().read_bytes())
    names = {f.name for f in module.functions}
    assert {f"__nv_{name}" for name in libdevice.FUNCTIONS} <= names


def test_threads_read_neighbouring_elements():
    (module,) = modules(jit(lambda x: np.exp(x) * 2.0, device="cuda"), (X,))
    text = ptx(module.device_text(), (9, 0))
    assert re.search(r"ld\.global", text)
    assert re.search(r"st\.global", text)
    assert not re.search(r"\b(ld|st)\.(f64|b64) ", text)  # of which the processor would have to ask where they are


def test_later_devices_take_what_is_written_for_earlier_ones():
    (module,) = modules(jit(lambda x: x * 2.0, device="cuda"), (X,))
    assert ".target sm_90" in ptx(module.device_text(), (9, 9))
    with pytest.raises(DeviceError, match=r"compute capability 6\.1; 7\.0 is the oldest"):
        ptx(module.device_text(), (6, 1))


@pytest.mark.parametrize("kind", ["f64", "f32"])
def test_atomic_sums(kind, tmp_path):
    x, places = X.astype(f"float{kind[1:]}"), RNG.integers(0, 300, 500)
    derivative = grad(lambda x, k: np.sum(x[k] * x[k]), device="cuda:atomics")
    texts = [ptx(module.device_text(), (8, 0)) for module in modules(derivative, (x, places))]
    assert any(re.search(rf"(atom|red)\.\S*add\.{kind}", text) for text in texts)
    for text in texts:
        assemble(text, (8, 0), tmp_path)
