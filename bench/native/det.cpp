// Determinants by expansion along the first row, with linked lists of rows and columns; and their gradients.

#include <algorithm>
#include <vector>

namespace {

// r[i] is the row that follows row i, and r[n] the first one; c the same for columns.
struct Matrix {
    long n;
    const double* A;
    std::vector<long> r, c;

    Matrix(long n, const double* A) : n(n), A(A), r(n + 1), c(n + 1) {
        for (long i = 0; i <= n; ++i) r[i] = c[i] = (i + 1) % (n + 1);
    }

    double minor(long m) {
        const long row = r[n];
        long column = c[n], before = n;
        if (m == 1) return A[row * n + column];
        double value = 0.0, sign = 1.0;
        r[n] = r[row];
        for (long i = 0; i < m; ++i, sign = -sign) {
            c[before] = c[column];
            value += sign * A[row * n + column] * minor(m - 1);
            c[before] = column;
            before = column;
            column = c[column];
        }
        r[n] = row;
        return value;
    }

    // The minor, whose derivative times the seed is added to the gradient.
    double differentiated(long m, double seed, double* gradient) {
        const long row = r[n];
        long column = c[n], before = n;
        if (m == 1) {
            gradient[row * n + column] += seed;
            return A[row * n + column];
        }
        double value = 0.0, sign = 1.0;
        r[n] = r[row];
        for (long i = 0; i < m; ++i, sign = -sign) {
            c[before] = c[column];
            const double factor = sign * A[row * n + column];
            const double smaller = differentiated(m - 1, seed * factor, gradient);
            value += factor * smaller;
            gradient[row * n + column] += seed * sign * smaller;
            c[before] = column;
            before = column;
            column = c[column];
        }
        r[n] = row;
        return value;
    }
};

}  // namespace

extern "C" double det(long n, const double* A) { return Matrix(n, A).minor(n); }

extern "C" void det_gradient(long n, const double* A, double* gradient) {
    std::fill(gradient, gradient + n * n, 0.0);
    Matrix(n, A).differentiated(n, 1.0, gradient);
}
