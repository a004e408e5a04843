// Linear least squares: a polynomial against the sign function, and the gradient by its coefficients.

#include <algorithm>

namespace {

constexpr long BLOCK = 64;  // points whose powers are in the first cache together

// The residuals sign(t) - Σ x_j t^j of a block of points from `start` on; `t` are the points.
void residuals(long n, long m, const double* x, long start, long count, double* t, double* residual) {
    double power[BLOCK];
    for (long i = 0; i < count; ++i) {
        t[i] = -1.0 + 2.0 * (start + i) / (n - 1);
        residual[i] = (t[i] > 0.0) - (t[i] < 0.0);
        power[i] = 1.0;
    }
    for (long j = 0; j < m; ++j)
        for (long i = 0; i < count; ++i) {
            residual[i] -= x[j] * power[i];
            power[i] *= t[i];
        }
}

}  // namespace

extern "C" double llsq(long n, long m, const double* x) {
    double t[BLOCK], residual[BLOCK], total = 0.0;
    for (long start = 0; start < n; start += BLOCK) {
        const long count = std::min(BLOCK, n - start);
        residuals(n, m, x, start, count, t, residual);
        for (long i = 0; i < count; ++i) total += residual[i] * residual[i];
    }
    return 0.5 * total;
}

extern "C" void llsq_gradient(long n, long m, const double* x, double* gradient) {
    double t[BLOCK], weighted[BLOCK];
    std::fill(gradient, gradient + m, 0.0);
    for (long start = 0; start < n; start += BLOCK) {
        const long count = std::min(BLOCK, n - start);
        residuals(n, m, x, start, count, t, weighted);
        for (long j = 0; j < m; ++j) {
            double total = 0.0;
#pragma omp simd reduction(+ : total)
            for (long i = 0; i < count; ++i) {
                total += weighted[i];
                weighted[i] *= t[i];
            }
            gradient[j] -= total;
        }
    }
}
