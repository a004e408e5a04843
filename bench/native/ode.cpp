// ODE: y_0' = x_0, y_i' = x_i y_{i-1} by the classical Runge-Kutta method, and the gradient of the last equation's y.

#include <algorithm>
#include <vector>

namespace {

void slope(long n, const double* x, const double* y, double* z) {
    z[0] = x[0];
    for (long i = 1; i < n; ++i) z[i] = x[i] * y[i - 1];
}

// Adds to d_x what it has of d_z, and sets d_y.
void slope_transposed(long n, const double* x, const double* y, const double* d_z, double* d_x, double* d_y) {
    d_x[0] += d_z[0];
    for (long i = 1; i < n; ++i) {
        d_x[i] += y[i - 1] * d_z[i];
        d_y[i - 1] = x[i] * d_z[i];
    }
    d_y[n - 1] = 0.0;
}

// The stages of a step from y: at[s] is where the slope k[s] is taken.
struct Stages {
    long n;
    double h;
    std::vector<double> at[4], k[4];

    Stages(long n, double h) : n(n), h(h) {
        for (int s = 0; s < 4; ++s) {
            at[s].resize(n);
            k[s].resize(n);
        }
    }

    void take(const double* x, const double* y) {
        const double lengths[4] = {0.0, 0.5 * h, 0.5 * h, h};
        std::copy(y, y + n, at[0].data());
        for (int s = 0; s < 4; ++s) {
            if (s > 0)
                for (long i = 0; i < n; ++i) at[s][i] = y[i] + lengths[s] * k[s - 1][i];
            slope(n, x, at[s].data(), k[s].data());
        }
    }

    void advance(const double* y, double* next) const {
        for (long i = 0; i < n; ++i) next[i] = y[i] + h / 6.0 * (k[0][i] + 2.0 * k[1][i] + 2.0 * k[2][i] + k[3][i]);
    }
};

}  // namespace

extern "C" double ode(long n, long steps, const double* x) {
    Stages stages(n, 2.0 / steps);
    std::vector<double> y(n, 0.0);
    for (long t = 0; t < steps; ++t) {
        stages.take(x, y.data());
        stages.advance(y.data(), y.data());
    }
    return y[n - 1];
}

extern "C" void ode_gradient(long n, long steps, const double* x, double* d_x) {
    const double h = 2.0 / steps;
    Stages stages(n, h);
    std::vector<double> states(n * steps, 0.0);
    for (long t = 0; t + 1 < steps; ++t) {
        stages.take(x, &states[t * n]);
        stages.advance(&states[t * n], &states[(t + 1) * n]);
    }
    std::fill(d_x, d_x + n, 0.0);
    std::vector<double> d_y(n, 0.0), d_k(n), d_at(n), d_before(n);
    d_y[n - 1] = 1.0;
    for (long t = steps - 1; t >= 0; --t) {
        stages.take(x, &states[t * n]);
        const double weights[4] = {h / 6.0, h / 3.0, h / 3.0, h / 6.0}, lengths[4] = {0.5 * h, 0.5 * h, h, 0.0};
        std::copy(d_y.begin(), d_y.end(), d_before.begin());
        std::fill(d_at.begin(), d_at.end(), 0.0);
        for (int s = 3; s >= 0; --s) {
            for (long i = 0; i < n; ++i) d_k[i] = weights[s] * d_y[i] + lengths[s] * d_at[i];
            slope_transposed(n, x, stages.at[s].data(), d_k.data(), d_x, d_at.data());
            for (long i = 0; i < n; ++i) d_before[i] += d_at[i];
        }
        std::swap(d_y, d_before);
    }
}
