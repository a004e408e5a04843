"""Libraries for C: called from C programs and by ctypes, in the form of every kind of function."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from adcore_llvm.written_out import IN_LIBM, WRITTEN_OUT
from scipy import sparse, special
from scipy.sparse import linalg

import adcore
from adcore import export, grad, hessian, value_and_grad, vmap
from adcore.errors import AdcoreError, SignatureError, UnsupportedFunctionError
from adcore.special import mittag_leffler

COMPILER = shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="libraries are linked by a C compiler, and there is none")
X = np.linspace(0.1, 1.0, 5)
WEIGHTS = np.array([0.5, 2.0, 1.0])

I64, F64 = ctypes.c_int64, ctypes.c_double


def loss(x, n):
    """A sum over a loop with written elements."""
    y = np.zeros(n)
    for i in range(n):
        y[i] = np.sin(x[i % len(x)]) ** 2 + WEIGHTS[i % 3]
    return np.sum(y * y)


def doubled(x):
    return np.concatenate([x, 2.0 * x])


def scaled(x, by):
    x *= by


def parts(a):
    return {"sum": np.sum(a), "rows": a[1:], "count": len(a), "many": len(a) > 2}


def curve(x):
    return np.exp(x) * np.log(x)


def sorted_twice(x):
    return np.sort(np.cumsum(np.sort(x)[::-1]))


def picked(x, k):
    return x[k] * 2.0


def by_gamma(x):
    return special.gammaln(x) + special.erf(x)


def ratio(x):
    return 1.0 / x


def by_bessel(x):
    return special.jv(0.5, x)


def by_mittag_leffler(x):
    return mittag_leffler(x, 0.7, 1.2)


def gammas(x):
    return special.gammaln(x) + special.gamma(x)


def transformed(x):
    return np.sum(np.abs(np.fft.fft(x)) ** 2)


def outside(x):
    return adcore.host_call(np.sum, 0.0, x)


def product(a, b):
    return a @ b


def norm(x):
    return x @ x


def solved(d, y):
    ends = np.arange(len(d))
    return linalg.spsolve(sparse.csc_array((d, (ends, ends)), shape=(len(d), len(d))), y)


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


@pytest.fixture
def built(tmp_path):
    """A library of functions, loaded by ctypes."""

    def build(functions, *arguments, **options):
        exported = export(functions, tmp_path / "libtested.so", *arguments, **options)
        library = ctypes.CDLL(str(exported.path))
        for name, prototype in exported.prototypes.items():
            getattr(library, name).restype = I64 if prototype.startswith("int64_t") else F64
            getattr(library, f"{name}_message").restype = ctypes.c_char_p
            getattr(library, f"{name}_message").argtypes = [I64]
        return library

    return build


def run_c(tmp_path, exported, program, *flags):
    """What a C program prints that is linked with what was exported."""
    source, binary = tmp_path / "main.c", tmp_path / "main"
    source.write_text(program)
    strict = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic"]
    linked = [str(exported.path), *(f"-l{each}" for each in exported.libraries), *flags]
    subprocess.run([COMPILER, *strict, str(source), *linked, "-o", str(binary)], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run([str(binary)], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


# From C


FIT = r"""
#include <stdio.h>
#include <sys/resource.h>
#include "libfit.h"

static long resident(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

int main(void) {
    double x[5] = {0.1, 0.325, 0.55, 0.775, 1.0}, value, gradient[5];
    int64_t status = both(x, 5, 7, &value, gradient);
    printf("%d %.17g", (int)status, value);
    for (int i = 0; i < 5; ++i) printf(" %.17g", gradient[i]);
    status = both(x, 5, -1, &value, gradient);
    printf("\n%d %d %s\n", status > 0, value != value && gradient[4] != gradient[4], both_message(status));
    double *twice;
    int64_t length;
    status = doubled(x, 5, &twice, &length);
    printf("%d %d %.17g\n", (int)status, (int)length, twice[9]);
    fit_release(twice);
    printf("%s | %s\n", doubled_message(0), doubled_message(99));
    for (int i = 0; i < 1000; ++i) { both(x, 5, 200, &value, gradient); }
    long before = resident();
    for (int i = 0; i < 1000000; ++i) {
        both(x, 5, i % 1000 ? 3 : 200, &value, gradient);
        both(x, 5, -1, &value, gradient);
        doubled(x, 5, &twice, &length);
        fit_release(twice);
    }
    printf("%ld\n", resident() - before);
    return 0;
}
"""


@needs_compiler
def test_a_program_in_c(tmp_path):
    functions = {
        "both": (
            value_and_grad(loss),
            "int64_t(const double x[m], int64_t m, int64_t n, double *value, double gradient[m])",
        ),
        "doubled": doubled,
    }
    exported = export(functions, tmp_path / "libfit.so", X)
    first, failed, made, told, grown = run_c(tmp_path, exported, FIT).splitlines()
    value, gradient = value_and_grad(loss)(X, 7)
    numbers = list(map(float, first.split()))
    assert numbers[0] == 0
    np.testing.assert_allclose(numbers[1:], [value, *gradient], rtol=1e-14)
    assert failed.startswith("1 1 ValueError: negative dimensions are not allowed (test_export.py, line ")
    assert "np.zeros(n)" in failed
    assert made == "0 10 2"
    assert told == "no failure | no status of this function"
    assert int(grown) < 1024  # kilobytes, after a million calls that allocate, fail and succeed


THREADS = r"""
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "libpicked.h"

static void *work(void *which) {
    int64_t k = *(int64_t *)which;
    double x[4] = {1.0, 2.0, 3.0, 4.0}, result;
    char expected[40];
    sprintf(expected, "index %d is out of bounds", (int)(100 + k));
    for (int i = 0; i < 20000; ++i) {
        if (picked(x, 4, k, &result) != 0 || result != 2.0 * (double)(k + 1)) return which;
        int64_t status = picked(x, 4, 100 + k, &result);
        if (status == 0 || !strstr(picked_message(status), expected)) return which;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    int64_t numbers[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, work, &numbers[i]);
    int wrong = 0;
    for (int i = 0; i < 4; ++i) {
        void *failed;
        pthread_join(threads[i], &failed);
        wrong += failed != NULL;
    }
    printf("%d", wrong);
    return 0;
}
"""


@needs_compiler
def test_threads_have_failures_of_their_own(tmp_path):
    exported = export(picked, tmp_path / "libpicked.so", X, 1)
    assert run_c(tmp_path, exported, THREADS, "-pthread") == "0"


GEMM = r"""
#include <stdio.h>
#include "product.h"

void dgemm_(const char *left, const char *right, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc) {
    for (int j = 0; j < *n; ++j)
        for (int i = 0; i < *m; ++i) {
            double sum = 0.0;
            for (int l = 0; l < *k; ++l)
                sum += (*left == 'N' ? a[i + l * *lda] : a[l + i * *lda])
                     * (*right == 'N' ? b[l + j * *ldb] : b[j + l * *ldb]);
            c[i + j * *ldc] = *alpha * sum + (*beta == 0.0 ? 0.0 : *beta * c[i + j * *ldc]);
        }
}

int main(void) {
    static double a[40 * 30], b[30 * 20], c[40 * 20];
    for (int i = 0; i < 40 * 30; ++i) a[i] = i % 7;
    for (int i = 0; i < 30 * 20; ++i) b[i] = i % 5;
    if (product(a, 40, 30, b, 30, 20, c) != 0) return 1;
    for (int i = 0; i < 40 * 20; ++i) printf("%g ", c[i]);
    return product(a, 40, 30, b, 20, 30, c) == 0;
}
"""


@needs_compiler
def test_an_object_leaves_blas_to_be_linked(tmp_path):
    exported = export(product, tmp_path / "product.o", np.ones((3, 3)), np.ones((3, 3)))
    assert "dgemm_" in exported.header.read_text()
    found = np.array(run_c(tmp_path, exported, GEMM).split(), float).reshape(40, 20)
    a, b = np.arange(40 * 30) % 7.0, np.arange(30 * 20) % 5.0
    assert np.array_equal(found, a.reshape(40, 30) @ b.reshape(30, 20))


@needs_compiler
@pytest.mark.parametrize("language", ["c", "c++"])
def test_headers_are_c_and_c_plus_plus(tmp_path, language):
    exported = export({"both": value_and_grad(loss), "slope": grad(loss)}, tmp_path / "both.o", X, 3)
    if language == "c++" and shutil.which("c++") is None:
        pytest.skip("there is no C++ compiler")
    strict = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
    subprocess.run(
        ["c++" if language == "c++" else COMPILER, *strict, "-x", language, str(exported.header)], check=True
    )


def test_a_header_says_what_is_what(tmp_path):
    text = export({"both": value_and_grad(loss)}, tmp_path / "libfit.o", X, 3).header.read_text()
    golden = Path(__file__).with_name("exported_header.h").read_text()
    version = re.escape(adcore.__version__)
    assert re.sub(rf"(?<=adcore ){version} for \S+?, [^.]+(?=\.\n)|(?<=line )\d+", "…", text) == golden


# By ctypes


@needs_compiler
@pytest.mark.parametrize("function", [curve, sorted_twice, by_gamma], ids=lambda f: f.__name__)
@pytest.mark.parametrize("cpu", ["", "native"])
def test_results_in_the_caller_s_memory(built, function, cpu):
    library = built(function, X, cpu=cpu)
    for n in (1, 2, 5, 64, 1001):
        x, out = np.linspace(0.3, 3.0, n), np.zeros(n + 1)
        assert getattr(library, function.__name__)(pointer(x), I64(n), pointer(out)) == 0
        np.testing.assert_allclose(out[:n], function(x), rtol=1e-14, atol=1e-15)
        assert out[n] == 0.0


@needs_compiler
@pytest.mark.parametrize("derivative", [grad, hessian], ids=lambda d: d.__name__)
def test_derivatives(built, derivative):
    library = built({"derivative": derivative(loss)}, X, 7)
    expected = derivative(loss)(X, 7)
    out = np.zeros(expected.shape)
    assert library.derivative(pointer(X), I64(len(X)), I64(7), pointer(out)) == 0
    np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-14)


SPECIAL = {**dict.fromkeys(IN_LIBM, 1), **{name: r.arity for name, r in WRITTEN_OUT.items()}}
GRID = np.array([-3.7, -1.25, -0.0, 0.0, 1e-9, 0.2, 0.3, 0.5, 0.61, 1.0, 1.3, 1.4616, 1.9, 2.0, 2.5, 4.0, 9.5, 10.0])
GRID = np.concatenate([GRID, [11.0, 37.2, 1e4, 1e17, 1e200, -np.inf, np.inf, np.nan]])


@needs_compiler
def test_special_functions_without_scipy(built):
    exports = {name: (getattr(special, name), SPECIAL[name]) for name in SPECIAL}
    library = built(
        {
            f"of_{name}": (function, f"double({', '.join(['double'] * arity)})")
            for name, (function, arity) in exports.items()
        }
    )
    for name, (function, arity) in exports.items():
        found = getattr(library, f"of_{name}")
        found.argtypes, found.restype = [F64] * arity, F64
        for point in np.stack(np.meshgrid(*[GRID] * arity), -1).reshape(-1, arity):
            with np.errstate(all="ignore"):
                expected = function(*point)
            if name[0] in "jy" and not 0.0 < point[0] < 1e3:
                continue  # SciPy has no correct digit far out, and NaN at infinity, where the limit is 0
            scale = 1e-14 if name[0] in "jy" else 0.0
            np.testing.assert_allclose(found(*point), expected, rtol=4e-15, atol=scale, err_msg=f"{name}{tuple(point)}")


@needs_compiler
def test_derivatives_of_special_functions_without_scipy(built):
    library = built(
        {"slope": grad(gammas), "bend": grad(grad(lambda x: special.gammaln(x)))}, signature="double(double)"
    )
    for name, expected in (
        ("slope", lambda x: special.psi(x) * (1.0 + special.gamma(x))),
        ("bend", lambda x: special.polygamma(1, x)),
    ):
        found = getattr(library, name)
        found.argtypes = [F64]
        for x in (0.1, 0.5, 1.7, 3.0, 25.0):
            np.testing.assert_allclose(found(x), expected(x), rtol=1e-13)


@needs_compiler
def test_sparse_systems_are_in_the_library(built):
    library = built({"slope": grad(lambda d, y: np.sum(solved(d, y) ** 2))}, X, X)
    d, y, out = X + 1.0, X[::-1].copy(), np.zeros(5)
    assert library.slope(pointer(d), I64(5), pointer(y), I64(5), pointer(out)) == 0
    np.testing.assert_allclose(out, -2.0 * y**2 / d**3, rtol=1e-14)


@needs_compiler
def test_the_argument_may_be_the_result(built):
    library = built({"reversed": lambda x: x[::-1]}, X)
    x = X.copy()
    assert library.reversed(pointer(x), I64(len(x)), pointer(x)) == 0
    assert np.array_equal(x, X[::-1])


@needs_compiler
def test_arguments_are_written_into(built):
    library = built(scaled, X, 2.0)
    x = X.copy()
    assert library.scaled(pointer(x), I64(len(x)), F64(3.0)) == 0
    assert np.array_equal(x, 3.0 * X)


@needs_compiler
def test_several_results(built, tmp_path):
    a = np.arange(12.0).reshape(4, 3)
    library = built(parts, a)
    total, rows, lengths, count, many = np.zeros(1), ctypes.c_void_p(), (I64 * 2)(), I64(), ctypes.c_bool()
    places = [ctypes.byref(rows), ctypes.byref(lengths, 0), ctypes.byref(lengths, 8)]
    status = library.parts(pointer(a), I64(4), I64(3), pointer(total), *places, ctypes.byref(count), ctypes.byref(many))
    assert (status, total[0], list(lengths), count.value, many.value) == (0, a.sum(), [3, 3], 4, True)
    found = np.ctypeslib.as_array(ctypes.cast(rows, ctypes.POINTER(F64)), (3, 3)).copy()
    library.tested_release(rows)
    assert np.array_equal(found, a[1:])


@needs_compiler
def test_a_signature_instead_of_examples(built):
    library = built({"ratio": ratio}, signature="double(double x)")
    library.ratio.argtypes, library.ratio_status.restype = [F64], I64
    assert library.ratio(4.0) == 0.25
    assert library.ratio_status() == 0
    assert np.isnan(library.ratio(0.0))
    status = library.ratio_status()
    assert library.ratio_message(status).decode().startswith("ZeroDivisionError: float division by zero")
    assert library.ratio_status() == 0


@needs_compiler
def test_messages_tell_what_was_found(built):
    library = built(picked, X, 1)
    out = F64()
    status = library.picked(pointer(X), I64(5), I64(7), ctypes.byref(out))
    message = library.picked_message(status).decode()
    assert message.startswith("IndexError: index 7 is out of bounds for axis 0 with size 5 (test_export.py, line ")
    assert library.picked_message(1).decode() == "ValueError: the length x_0 is …"  # not what happened last


@needs_compiler
def test_a_parallel_map_is_done_by_the_caller(built):
    library = built({"mapped": vmap(ratio, parallel=True)}, X)
    out = np.zeros(1000)
    x = np.linspace(1.0, 2.0, 1000)
    assert library.mapped(pointer(x), I64(1000), pointer(out)) == 0
    np.testing.assert_allclose(out, 1.0 / x)


@needs_compiler
def test_a_library_needs_the_c_library_only(tmp_path):
    exported = export({"curve": curve, "slope": grad(lambda x: np.sum(curve(x)))}, tmp_path / "liball.so", X)
    needed = subprocess.run(["ldd", str(exported.path)], capture_output=True, text=True, check=True).stdout
    names = {line.split()[0].split("/")[-1].partition(".")[0] for line in needed.splitlines()}
    assert names <= {"linux-vdso", "libc", "libm", "libmvec", "ld-linux-x86-64", "ld-linux-aarch64"}
    assert "-lm" in exported.header.read_text()


# Other processors

# The first bytes, and where in the file the machine stands and its number
ELF = b"\x7fELF"
OBJECTS = {
    "x86_64-unknown-linux-gnu": (ELF, 18, 62),
    "aarch64-unknown-linux-gnu": (ELF, 18, 183),
    "riscv64-unknown-linux-gnu": (ELF, 18, 243),
    "powerpc64le-unknown-linux-gnu": (ELF, 18, 21),
    "arm64-apple-macosx": (b"\xcf\xfa\xed\xfe", 4, 12),
    "x86_64-apple-macosx": (b"\xcf\xfa\xed\xfe", 4, 7),
    "x86_64-pc-windows-msvc": (b"\x64\x86", 0, 0x8664),
    "aarch64-pc-windows-msvc": (b"\x64\xaa", 0, 0xAA64),
}


@pytest.mark.parametrize("triple", OBJECTS)
def test_objects_for_other_processors(tmp_path, triple):
    magic, place, number = OBJECTS[triple]
    exported = export({"both": value_and_grad(loss)}, tmp_path / "both.o", X, 3, target=triple)
    code = exported.path.read_bytes()
    assert code.startswith(magic)
    assert int.from_bytes(code[place : place + 2], "little") == number
    assert b"both_message" in code
    assert exported.target[0] == triple


@pytest.mark.parametrize(("suffix", "word"), [(".ll", "i64 @curve("), (".s", "curve:")])
def test_texts(tmp_path, suffix, word):
    text = export(curve, tmp_path / f"curve{suffix}", X).path.read_text()
    assert word in text


@pytest.mark.skipif(sys.platform != "linux", reason="libmvec is glibc's")
@pytest.mark.parametrize(("cpu", "width"), [("", 2), ("x86-64-v3", 4)])
def test_vector_functions_of_the_processor(tmp_path, cpu, width):
    exported = export(curve, tmp_path / "curve.ll", X, target="x86_64-unknown-linux-gnu", cpu=cpu)
    if "mvec" not in exported.libraries:
        pytest.skip("this machine has no libmvec, or is of another family")
    assert re.search(rf"call <{width} x double> @_ZGV\wN{width}v_exp", exported.path.read_text())


# What is refused

REFUSED = {
    "scipy": (by_bessel, (1.0,), {}, UnsupportedFunctionError, r"jv is computed by SciPy(.|\n)*test_export.py"),
    "routine": (by_mittag_leffler, (0.5,), {}, UnsupportedFunctionError, r"mittag_leffler is computed by SciPy"),
    "fourier": (transformed, (X,), {}, UnsupportedFunctionError, r"NumPy's(.|\n)*np.fft.fft\(x\)"),
    "python": (outside, (X,), {}, UnsupportedFunctionError, r"a call of Python(.|\n)*host_call"),
    "blas": (product, (np.ones((3, 3)),) * 2, {}, AdcoreError, r"dgemm_(.|\n)*libraries="),
    "target": (norm, (X,), {"target": "z80-unknown-none"}, AdcoreError, "z80"),
    "32 bits": (norm, (X,), {"target": "armv7-linux-gnueabihf"}, AdcoreError, "not for arm"),
    "linking": (norm, (X,), {"target": "arm64-apple-macosx"}, AdcoreError, r"cannot be linked here(.|\n)*\.o"),
    "lambda": (lambda x: x, (X,), {}, SignatureError, "no name for a function in C"),
    "keyword": ({"double": norm}, (X,), {}, SignatureError, "'double' is no name"),
    "library": (product, (np.ones((3, 3)),) * 2, {"libraries": ("nosuchlibrary",)}, AdcoreError, "nosuchlibrary"),
}


@needs_compiler
@pytest.mark.parametrize("what", REFUSED)
def test_refused(tmp_path, what):
    functions, arguments, options, error, message = REFUSED[what]
    with pytest.raises(error, match=message):
        export(functions, tmp_path / "librefused.so", *arguments, **options)
    assert not list(tmp_path.iterdir())


def test_no_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(AdcoreError, match=r"no C compiler(.|\n)*path.o"):
        export(norm, tmp_path / "libnorm.so", X)
    assert export(norm, tmp_path / "norm.o", X).path.exists()


def test_other_names(tmp_path):
    with pytest.raises(ValueError, match=r"the name ends with \.so"):
        export(norm, tmp_path / "norm.dll", X)
