// GMM: the log-posterior of a mixture of Gaussians, and its gradient by all parameters.

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

// y = Q (x - mu), where Q has exp(q) on its diagonal and l below it, column by column.
void transformed(long D, const double* mu, const double* diagonal, const double* l, const double* x, double* centred,
                 double* y) {
    for (long j = 0; j < D; ++j) {
        centred[j] = x[j] - mu[j];
        y[j] = diagonal[j] * centred[j];
    }
    for (long j = 0; j < D; ++j) {
        const double factor = centred[j];
        for (long r = j + 1; r < D; ++r) y[r] += l[r - j - 1] * factor;
        l += D - 1 - j;
    }
}

double square(long n, const double* x) {
    double total = 0.0;
#pragma omp simd reduction(+ : total)
    for (long i = 0; i < n; ++i) total += x[i] * x[i];
    return total;
}

double sum(long n, const double* x) {
    double total = 0.0;
    for (long i = 0; i < n; ++i) total += x[i];
    return total;
}

// log Σ exp(x); x becomes exp(x) / Σ exp(x).
double log_sum_exp(long n, double* x) {
    const double top = *std::max_element(x, x + n);
    double total = 0.0;
    for (long i = 0; i < n; ++i) total += x[i] = std::exp(x[i] - top);
    for (long i = 0; i < n; ++i) x[i] /= total;
    return top + std::log(total);
}

struct Mixture {
    long N, D, K, L;
    const double *alpha, *mu, *q, *l, *x;
    double gamma;
    long m;
    std::vector<double> diagonal, weights, of_components;

    Mixture(long N, long D, long K, const double* alpha, const double* mu, const double* q, const double* l,
            const double* x, double gamma, long m)
        : N(N), D(D), K(K), L(D * (D - 1) / 2), alpha(alpha), mu(mu), q(q), l(l), x(x), gamma(gamma), m(m),
          diagonal(K * D), weights(N * K), of_components(alpha, alpha + K) {
        for (long i = 0; i < K * D; ++i) diagonal[i] = std::exp(q[i]);
    }

    // The log-posterior, and in `weights` what part of each point is of each component.
    double value() {
        std::vector<double> centred(D), y(D);
        for (long k = 0; k < K; ++k) {
            const double offset = alpha[k] + sum(D, q + k * D);
            for (long i = 0; i < N; ++i) {
                transformed(D, mu + k * D, &diagonal[k * D], l + k * L, x + i * D, centred.data(), y.data());
                weights[i * K + k] = offset - 0.5 * square(D, y.data());
            }
        }
        const double pi = std::acos(-1.0);
        double total = -N * (0.5 * D * std::log(2.0 * pi) + log_sum_exp(K, of_components.data()));
        for (long i = 0; i < N; ++i) total += log_sum_exp(K, &weights[i * K]);
        const double n = D + m + 1;
        double log_wishart = 0.25 * D * (D - 1) * std::log(pi);
        for (long j = 1; j <= D; ++j) log_wishart += std::lgamma(0.5 * n + 0.5 * (1 - j));
        const double constant = n * D * std::log(gamma / std::sqrt(2.0)) - log_wishart;
        const double squares = square(K * D, diagonal.data()) + square(K * L, l);
        return total + K * constant - 0.5 * gamma * gamma * squares + m * sum(K * D, q);
    }
};

}  // namespace

extern "C" double gmm(long N, long D, long K, const double* alpha, const double* mu, const double* q, const double* l,
                      const double* x, double gamma, long m) {
    return Mixture(N, D, K, alpha, mu, q, l, x, gamma, m).value();
}

extern "C" void gmm_gradient(long N, long D, long K, const double* alpha, const double* mu, const double* q,
                             const double* l, const double* x, double gamma, long m, double* d_alpha, double* d_mu,
                             double* d_q, double* d_l) {
    Mixture mixture(N, D, K, alpha, mu, q, l, x, gamma, m);
    mixture.value();
    const long L = mixture.L;
    for (long k = 0; k < K; ++k) d_alpha[k] = -N * mixture.of_components[k];
    std::fill(d_mu, d_mu + K * D, 0.0);
    for (long i = 0; i < K * D; ++i) d_q[i] = m - gamma * gamma * mixture.diagonal[i] * mixture.diagonal[i];
    for (long i = 0; i < K * L; ++i) d_l[i] = -gamma * gamma * l[i];
    std::vector<double> centred(D), y(D);
    for (long k = 0; k < K; ++k) {
        const double* diagonal = &mixture.diagonal[k * D];
        double* by_mu = d_mu + k * D;
        double* by_q = d_q + k * D;
        for (long i = 0; i < N; ++i) {
            const double weight = mixture.weights[i * K + k];
            transformed(D, mu + k * D, diagonal, l + k * L, x + i * D, centred.data(), y.data());
            d_alpha[k] += weight;
            const double* below = l + k * L;
            double* by_below = d_l + k * L;
            for (long j = 0; j < D; ++j) {
                by_q[j] += weight * (1.0 - y[j] * diagonal[j] * centred[j]);
                const double factor = weight * centred[j];
                double along = diagonal[j] * y[j];
#pragma omp simd reduction(+ : along)
                for (long r = j + 1; r < D; ++r) {
                    along += below[r - j - 1] * y[r];
                    by_below[r - j - 1] -= factor * y[r];
                }
                by_mu[j] += weight * along;
                below += D - 1 - j;
                by_below += D - 1 - j;
            }
        }
    }
}
