// Log-sum-exp, shifted by the largest element, and its gradient, the softmax.

#include <cmath>

namespace {

double largest(long n, const double* x) {
    double top = x[0];
#pragma omp simd reduction(max : top)
    for (long i = 0; i < n; ++i) top = x[i] > top ? x[i] : top;
    return top;
}

}  // namespace

extern "C" double lse(long n, const double* x) {
    const double top = largest(n, x);
    double total = 0.0;
    for (long i = 0; i < n; ++i) total += std::exp(x[i] - top);
    return top + std::log(total);
}

extern "C" void lse_gradient(long n, const double* x, double* gradient) {
    const double top = largest(n, x);
    double total = 0.0;
    for (long i = 0; i < n; ++i) total += gradient[i] = std::exp(x[i] - top);
    const double scale = 1.0 / total;
    for (long i = 0; i < n; ++i) gradient[i] *= scale;
}
