// Bundle adjustment: the errors of cameras and points against observations, and their Jacobian, compressed by rows.

#include <cmath>

namespace {

static_assert(sizeof(long) == 8, "indices are numpy.int64");

constexpr long CAMERA = 11, WIDTH = CAMERA + 3 + 1;
enum { ROTATION = 0, CENTRE = 3, FOCAL = 6, PRINCIPAL = 7, RADIAL = 9 };

void cross(const double* a, const double* b, double* out) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

double dot(const double* a, const double* b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// The point turned about the axis by an angle that is the length of the axis (Rodrigues).
void rotated(const double* axis, const double* at, double* out) {
    double across[3];
    const double square = dot(axis, axis);
    if (square == 0.0) {
        cross(axis, at, across);
        for (int i = 0; i < 3; ++i) out[i] = at[i] + across[i];
        return;
    }
    const double angle = std::sqrt(square), cosine = std::cos(angle), sine = std::sin(angle);
    const double unit[3] = {axis[0] / angle, axis[1] / angle, axis[2] / angle};
    cross(unit, at, across);
    const double along = dot(unit, at) * (1.0 - cosine);
    for (int i = 0; i < 3; ++i) out[i] = at[i] * cosine + across[i] * sine + unit[i] * along;
}

// The same, with its derivatives by the axis and by the point: by_axis[3 i + j] = d out[i] / d axis[j].
void rotated(const double* axis, const double* at, double* out, double* by_axis, double* by_point) {
    const double square = dot(axis, axis);
    double across[3];
    if (square == 0.0) {
        cross(axis, at, across);
        const double turn[9] = {1.0, -axis[2], axis[1], axis[2], 1.0, -axis[0], -axis[1], axis[0], 1.0};
        const double lever[9] = {0.0, at[2], -at[1], -at[2], 0.0, at[0], at[1], -at[0], 0.0};
        for (int i = 0; i < 3; ++i) out[i] = at[i] + across[i];
        for (int i = 0; i < 9; ++i) {
            by_point[i] = turn[i];
            by_axis[i] = lever[i];
        }
        return;
    }
    const double angle = std::sqrt(square), cosine = std::cos(angle), sine = std::sin(angle);
    const double w[3] = {axis[0] / angle, axis[1] / angle, axis[2] / angle};
    const double rest = 1.0 - cosine, along = dot(w, at);
    cross(w, at, across);
    for (int i = 0; i < 3; ++i) out[i] = at[i] * cosine + across[i] * sine + w[i] * along * rest;
    const double crossed[9] = {0.0, -w[2], w[1], w[2], 0.0, -w[0], -w[1], w[0], 0.0};
    for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j)
            by_point[3 * i + j] = (i == j ? cosine : 0.0) + sine * crossed[3 * i + j] + rest * w[i] * w[j];
    // With w = axis / angle: d angle = w·d axis, d w = (d axis - w (w·d axis)) / angle.
    for (int j = 0; j < 3; ++j) {
        double d_w[3] = {-w[0] * w[j], -w[1] * w[j], -w[2] * w[j]}, d_across[3];
        d_w[j] += 1.0;
        for (int i = 0; i < 3; ++i) d_w[i] /= angle;
        cross(d_w, at, d_across);
        const double d_along = dot(d_w, at);
        for (int i = 0; i < 3; ++i)
            by_axis[3 * i + j] = w[j] * (-sine * at[i] + cosine * across[i] + sine * w[i] * along) +
                                 sine * d_across[i] + rest * (w[i] * d_along + d_w[i] * along);
    }
}

}  // namespace

extern "C" void ba(long p, const double* cameras, const double* points, const double* weights,
                   const long* observations, const double* features, double* errors, double* weight_errors) {
    for (long i = 0; i < p; ++i) {
        const double* camera = cameras + CAMERA * observations[2 * i];
        const double* point = points + 3 * observations[2 * i + 1];
        double at[3], seen[3];
        for (int a = 0; a < 3; ++a) at[a] = point[a] - camera[CENTRE + a];
        rotated(camera + ROTATION, at, seen);
        const double x = seen[0] / seen[2], y = seen[1] / seen[2], square = x * x + y * y;
        const double lens = 1.0 + camera[RADIAL] * square + camera[RADIAL + 1] * square * square;
        errors[2 * i] = weights[i] * (x * lens * camera[FOCAL] + camera[PRINCIPAL] - features[2 * i]);
        errors[2 * i + 1] = weights[i] * (y * lens * camera[FOCAL] + camera[PRINCIPAL + 1] - features[2 * i + 1]);
        weight_errors[i] = 1.0 - weights[i] * weights[i];
    }
}

extern "C" void ba_jacobian(long n, long m, long p, const double* cameras, const double* points,
                            const double* weights, const long* observations, const double* features, double* data,
                            long* indices, long* indptr) {
    for (long i = 0; i < p; ++i) {
        const long c = observations[2 * i], q = observations[2 * i + 1];
        const double* camera = cameras + CAMERA * c;
        const double weight = weights[i], focal = camera[FOCAL];
        double at[3], seen[3], by_axis[9], by_point[9];
        for (int a = 0; a < 3; ++a) at[a] = points[3 * q + a] - camera[CENTRE + a];
        rotated(camera + ROTATION, at, seen, by_axis, by_point);
        const double projected[2] = {seen[0] / seen[2], seen[1] / seen[2]};
        const double square = projected[0] * projected[0] + projected[1] * projected[1];
        const double lens = 1.0 + camera[RADIAL] * square + camera[RADIAL + 1] * square * square;
        const double slope = 2.0 * (camera[RADIAL] + 2.0 * camera[RADIAL + 1] * square);
        for (int e = 0; e < 2; ++e) {
            double* row = data + WIDTH * (2 * i + e);
            long* columns = indices + WIDTH * (2 * i + e);
            // By what is projected, then by what is seen.
            double by_projected[2] = {projected[e] * slope * projected[0], projected[e] * slope * projected[1]};
            by_projected[e] += lens;
            const double scale = weight * focal / seen[2];
            const double by_seen[3] = {
                scale * by_projected[0], scale * by_projected[1],
                -scale * (by_projected[0] * projected[0] + by_projected[1] * projected[1])};
            for (int j = 0; j < 3; ++j) {
                double turned = 0.0, moved = 0.0;
                for (int a = 0; a < 3; ++a) {
                    turned += by_seen[a] * by_axis[3 * a + j];
                    moved += by_seen[a] * by_point[3 * a + j];
                }
                row[ROTATION + j] = turned;
                row[CENTRE + j] = -moved;
                row[CAMERA + j] = moved;
            }
            const double distorted = projected[e] * lens;
            row[FOCAL] = weight * distorted;
            row[PRINCIPAL] = e == 0 ? weight : 0.0;
            row[PRINCIPAL + 1] = e == 1 ? weight : 0.0;
            row[RADIAL] = weight * focal * projected[e] * square;
            row[RADIAL + 1] = row[RADIAL] * square;
            row[WIDTH - 1] = distorted * focal + camera[PRINCIPAL + e] - features[2 * i + e];
            for (long j = 0; j < CAMERA; ++j) columns[j] = CAMERA * c + j;
            for (long j = 0; j < 3; ++j) columns[CAMERA + j] = CAMERA * n + 3 * q + j;
            columns[WIDTH - 1] = CAMERA * n + 3 * m + i;
            indptr[2 * i + e] = WIDTH * (2 * i + e);
        }
    }
    for (long i = 0; i < p; ++i) {
        data[2 * WIDTH * p + i] = -2.0 * weights[i];
        indices[2 * WIDTH * p + i] = CAMERA * n + 3 * m + i;
        indptr[2 * p + i] = 2 * WIDTH * p + i;
    }
    indptr[3 * p] = (2 * WIDTH + 1) * p;
}
