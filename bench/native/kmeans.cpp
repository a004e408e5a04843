// k-means: the cost of centroids, and the step of Newton's method, whose Hessian is diagonal.

#include <algorithm>
#include <limits>
#include <vector>

namespace {

struct Nearest {
    long centroid;
    double square;
};

Nearest nearest(long k, long d, const double* centroids, const double* point) {
    Nearest best{0, std::numeric_limits<double>::infinity()};
    for (long j = 0; j < k; ++j) {
        double square = 0.0;
#pragma omp simd reduction(+ : square)
        for (long a = 0; a < d; ++a) {
            const double apart = point[a] - centroids[j * d + a];
            square += apart * apart;
        }
        if (square < best.square) best = {j, square};
    }
    return best;
}

}  // namespace

extern "C" double kmeans(long k, long n, long d, const double* centroids, const double* points) {
    double total = 0.0;
    for (long i = 0; i < n; ++i) total += nearest(k, d, centroids, points + i * d).square;
    return total;
}

// The gradient, 2 Σ (C - P) over the points of a centroid, over the diagonal, 2 Σ 1.
extern "C" void kmeans_direction(long k, long n, long d, const double* centroids, const double* points,
                                 double* direction) {
    std::vector<double> diagonal(k, 0.0);
    std::fill(direction, direction + k * d, 0.0);
    for (long i = 0; i < n; ++i) {
        const double* point = points + i * d;
        const long j = nearest(k, d, centroids, point).centroid;
        for (long a = 0; a < d; ++a) direction[j * d + a] += 2.0 * (centroids[j * d + a] - point[a]);
        diagonal[j] += 2.0;
    }
    for (long j = 0; j < k; ++j)
        for (long a = 0; a < d; ++a) direction[j * d + a] /= diagonal[j];
}
