// LSTM: the loss of a recurrent network of long short-term memory, and its gradient by its weights.

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// What a layer keeps of one character, each b numbers.
enum { INPUT, HIDDEN, CELL, FORGET, IN, OUT, CHANGE, TANH, KEPT };

// One layer's step; `state` is what is hidden, then the cell.  Writes what the derivative needs to `kept`.
void step(long b, const double* weights, const double* biases, double* state, const double* x, double* kept) {
    for (long j = 0; j < b; ++j) {
        const double hidden = state[j], cell = state[b + j];
        const double forget = sigmoid(x[j] * weights[j] + biases[j]);
        const double in = sigmoid(hidden * weights[b + j] + biases[b + j]);
        const double out = sigmoid(x[j] * weights[2 * b + j] + biases[2 * b + j]);
        const double change = std::tanh(hidden * weights[3 * b + j] + biases[3 * b + j]);
        const double next = cell * forget + in * change;
        const double squashed = std::tanh(next);
        kept[INPUT * b + j] = x[j];
        kept[HIDDEN * b + j] = hidden;
        kept[CELL * b + j] = cell;
        kept[FORGET * b + j] = forget;
        kept[IN * b + j] = in;
        kept[OUT * b + j] = out;
        kept[CHANGE * b + j] = change;
        kept[TANH * b + j] = squashed;
        state[j] = out * squashed;
        state[b + j] = next;
    }
}

// The negative loss of one character; `exponents` becomes exp(y) / (2 + Σ exp(y)).
double gain(long b, const double* extra, const double* x, const double* next, double* exponents) {
    double total = 2.0, wanted = 0.0, along = 0.0;
    for (long j = 0; j < b; ++j) {
        const double y = x[j] * extra[b + j] + extra[2 * b + j];
        total += exponents[j] = std::exp(y);
        wanted += next[j];
        along += next[j] * y;
    }
    for (long j = 0; j < b; ++j) exponents[j] /= total;
    return along - wanted * std::log(total);
}

}  // namespace

extern "C" double lstm(long layers, long c, long b, const double* main, const double* extra, const double* state,
                       const double* sequence) {
    std::vector<double> states(state, state + 2 * layers * b), kept(KEPT * b), x(b), exponents(b);
    double total = 0.0;
    for (long t = 0; t < c - 1; ++t) {
        for (long j = 0; j < b; ++j) x[j] = sequence[t * b + j] * extra[j];
        const double* input = x.data();
        for (long i = 0; i < layers; ++i) {
            double* own = &states[2 * i * b];
            step(b, main + 8 * i * b, main + (8 * i + 4) * b, own, input, kept.data());
            input = own;
        }
        total += gain(b, extra, input, sequence + (t + 1) * b, exponents.data());
    }
    return -total / ((c - 1) * b);
}

extern "C" void lstm_gradient(long layers, long c, long b, const double* main, const double* extra,
                              const double* state, const double* sequence, double* d_main, double* d_extra) {
    const long size = KEPT * b;
    std::vector<double> states(state, state + 2 * layers * b), kept((c - 1) * layers * size), x(b);
    std::vector<double> outputs((c - 1) * b), exponents((c - 1) * b);
    for (long t = 0; t < c - 1; ++t) {
        for (long j = 0; j < b; ++j) x[j] = sequence[t * b + j] * extra[j];
        const double* input = x.data();
        for (long i = 0; i < layers; ++i) {
            double* own = &states[2 * i * b];
            step(b, main + 8 * i * b, main + (8 * i + 4) * b, own, input, &kept[(t * layers + i) * size]);
            input = own;
        }
        std::copy(input, input + b, &outputs[t * b]);
        gain(b, extra, input, sequence + (t + 1) * b, &exponents[t * b]);
    }
    std::fill(d_main, d_main + 8 * layers * b, 0.0);
    std::fill(d_extra, d_extra + 3 * b, 0.0);
    std::vector<double> d_states(2 * layers * b, 0.0), d_x(b);
    const double scale = -1.0 / ((c - 1) * b);
    for (long t = c - 2; t >= 0; --t) {
        const double* next = sequence + (t + 1) * b;
        double wanted = 0.0;
        for (long j = 0; j < b; ++j) wanted += next[j];
        for (long j = 0; j < b; ++j) {
            const double d_y = scale * (next[j] - wanted * exponents[t * b + j]);
            d_extra[b + j] += d_y * outputs[t * b + j];
            d_extra[2 * b + j] += d_y;
            d_x[j] = d_y * extra[b + j];
        }
        for (long i = layers - 1; i >= 0; --i) {
            const double* k = &kept[(t * layers + i) * size];
            const double* weights = main + 8 * i * b;
            double* d_weights = d_main + 8 * i * b;
            double* d_biases = d_weights + 4 * b;
            double* d_state = &d_states[2 * i * b];
            for (long j = 0; j < b; ++j) {
                const double forget = k[FORGET * b + j], in = k[IN * b + j], out = k[OUT * b + j];
                const double change = k[CHANGE * b + j], squashed = k[TANH * b + j];
                const double input = k[INPUT * b + j], hidden = k[HIDDEN * b + j];
                const double d_hidden = d_state[j] + d_x[j];
                const double d_cell = d_state[b + j] + d_hidden * out * (1.0 - squashed * squashed);
                const double d_forget = d_cell * k[CELL * b + j] * forget * (1.0 - forget);
                const double d_in = d_cell * change * in * (1.0 - in);
                const double d_out = d_hidden * squashed * out * (1.0 - out);
                const double d_change = d_cell * in * (1.0 - change * change);
                d_weights[j] += d_forget * input;
                d_weights[b + j] += d_in * hidden;
                d_weights[2 * b + j] += d_out * input;
                d_weights[3 * b + j] += d_change * hidden;
                d_biases[j] += d_forget;
                d_biases[b + j] += d_in;
                d_biases[2 * b + j] += d_out;
                d_biases[3 * b + j] += d_change;
                d_state[j] = d_in * weights[b + j] + d_change * weights[3 * b + j];
                d_state[b + j] = d_cell * forget;
                d_x[j] = d_forget * weights[j] + d_out * weights[2 * b + j];
            }
        }
        for (long j = 0; j < b; ++j) d_extra[j] += d_x[j] * sequence[t * b + j];
    }
}
