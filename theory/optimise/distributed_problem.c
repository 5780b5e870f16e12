#include "distributed_problem.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "random_reflections.h"
#include "stream_ranges.h"

enum { HIDDEN = 16, INPUTS = 12, OUTPUTS = 4, SAMPLES = FQ_PROBLEM_SAMPLES };
#define LAMBDA 0.1

fq_problem_kind fq_problem_kind_of(const char *name) {
    static const char *const names[] = {"quadratic", "logistic", "network", "three-points"};
    size_t kind = 0;
    while (kind < 3 && strcmp(names[kind], name) != 0)
        kind++;
    return (fq_problem_kind)kind;
}

static double inner(const double *a, const double *b, size_t n) {
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Quadratic: eigenvalues [d], reflections of the basis, b_i [n][d]. */
static double *reflections_of(const fq_problem *p) {
    return p->data + p->of.dim;
}

static double *right_side(const fq_problem *p, size_t worker) {
    return p->data + p->of.dim + fq_reflections_size(p->of.dim) + worker * p->of.dim;
}

/* y = A x. */
static void multiply(const fq_problem *p, const double *x, double *y) {
    memcpy(y, x, p->of.dim * sizeof *y);
    fq_reflections_apply(reflections_of(p), y, p->of.dim, false);
    for (size_t i = 0; i < p->of.dim; i++)
        y[i] *= p->data[i];
    fq_reflections_apply(reflections_of(p), y, p->of.dim, true);
}

/* x* is standard normal; the b_i are A x* and normal differences with their mean taken off. */
static fq_status make_quadratic(fq_problem *p, fq_stream *stream) {
    const size_t d = p->of.dim, n = p->of.workers;
    double *minimiser = NULL, *image = NULL;
    FQ_TRY(fq_alloc(&p->data, 1, (d + fq_reflections_size(d) + n * d) * sizeof *p->data));
    FQ_TRY(fq_alloc(&minimiser, 2 * d, sizeof *minimiser));
    image = minimiser + d;
    for (size_t i = 0; i < d; i++)
        p->data[i] = d == 1 ? 1.0 : pow(p->of.kappa, -(double)i / (double)(d - 1));
    fq_reflections_draw(reflections_of(p), d, stream);
    for (size_t i = 0; i < d; i++)
        minimiser[i] = fq_stream_normal(stream);
    multiply(p, minimiser, image);
    for (size_t i = 0; i < n * d; i++)
        right_side(p, 0)[i] = p->of.spread / sqrt((double)d) * fq_stream_normal(stream);
    for (size_t c = 0; c < d; c++) {
        double mean = 0.0;
        for (size_t i = 0; i < n; i++)
            mean += right_side(p, i)[c] / (double)n;
        for (size_t i = 0; i < n; i++)
            right_side(p, i)[c] += image[c] - mean;
    }
    p->smooth = p->smooth_mean = p->smooth_most = 1.0;
    p->convex = 1.0 / p->of.kappa;
    p->least = -0.5 * inner(minimiser, image, d);
    fq_free(minimiser);
    return FQ_OK;
}

/* Logistic: samples [n][SAMPLES][d] with the label's sign multiplied in. */
static double *sample_of(const fq_problem *p, size_t worker, size_t sample) {
    return p->data + (worker * SAMPLES + sample) * p->of.dim;
}

/* Largest eigenvalue of the mean of a a^T over the samples of workers first..last-1, by power iteration from
 * below; 1 % is added for what is left of it. */
static double largest_moment(const fq_problem *p, size_t first, size_t last, double *x, double *y) {
    const size_t d = p->of.dim, count = (last - first) * SAMPLES;
    double value = 0.0;
    for (size_t i = 0; i < d; i++)
        x[i] = 1.0 / sqrt((double)d);
    for (int step = 0; step < 200; step++) {
        for (size_t i = 0; i < d; i++)
            y[i] = 0.0;
        for (size_t s = 0; s < count; s++) {
            const double *a = sample_of(p, first, s);
            const double product = inner(a, x, d) / (double)count;
            for (size_t i = 0; i < d; i++)
                y[i] += product * a[i];
        }
        value = sqrt(inner(y, y, d));
        for (size_t i = 0; i < d; i++)
            x[i] = y[i] / value;
    }
    return 1.01 * value;
}

static fq_status make_logistic(fq_problem *p, fq_stream *stream) {
    const size_t d = p->of.dim, n = p->of.workers;
    double *truth = NULL;
    FQ_TRY(fq_alloc(&p->data, n * SAMPLES, d * sizeof *p->data));
    FQ_TRY(fq_alloc(&truth, 3 * d, sizeof *truth));
    for (size_t i = 0; i < d; i++)
        truth[i] = 2.0 * fq_stream_normal(stream);
    for (size_t w = 0; w < n; w++)
        for (size_t s = 0; s < SAMPLES; s++) {
            double *a = sample_of(p, w, s);
            for (size_t i = 0; i < d; i++)
                a[i] = 2.0 / sqrt(1.0 + (double)i) * fq_stream_normal(stream);
            const double lean = n > 1 ? 2.0 * (double)w / (double)(n - 1) - 1.0 : 0.0;
            const double score = inner(a, truth, d) + 4.0 * lean, u = fq_stream_uniform(stream);
            if (!(u * (1.0 + exp(-score)) < 1.0)) /* label -1 */
                for (size_t i = 0; i < d; i++)
                    a[i] = -a[i];
        }
    double square = 0.0;
    for (size_t w = 0; w < n; w++) {
        const double smooth = largest_moment(p, w, w + 1, truth + d, truth + 2 * d) / 4.0 + 2.0 * LAMBDA;
        square += smooth * smooth / (double)n;
        p->smooth_most = fmax(p->smooth_most, smooth);
    }
    p->smooth_mean = sqrt(square);
    p->smooth = largest_moment(p, 0, n, truth + d, truth + 2 * d) / 4.0 + 2.0 * LAMBDA;
    fq_free(truth);
    return FQ_OK;
}

/* Network: samples [n][SAMPLES][INPUTS + OUTPUTS]; parameters W_1 [HIDDEN][INPUTS], then W_2
 * [OUTPUTS][HIDDEN].
 */
static double *pair_of(const fq_problem *p, size_t worker, size_t sample) {
    return p->data + (worker * SAMPLES + sample) * (INPUTS + OUTPUTS);
}

static void forward(const double *x, const double *input, double hidden[HIDDEN], double output[OUTPUTS]) {
    for (size_t h = 0; h < HIDDEN; h++)
        hidden[h] = tanh(inner(x + h * INPUTS, input, INPUTS));
    for (size_t o = 0; o < OUTPUTS; o++)
        output[o] = inner(x + HIDDEN * INPUTS + o * HIDDEN, hidden, HIDDEN);
}

static fq_status make_network(fq_problem *p, fq_stream *stream) {
    double teacher[FQ_PROBLEM_NETWORK_DIM], hidden[HIDDEN];
    FQ_TRY(fq_alloc(&p->data, p->of.workers * SAMPLES, (INPUTS + OUTPUTS) * sizeof *p->data));
    for (size_t i = 0; i < FQ_PROBLEM_NETWORK_DIM; i++) {
        const double scale = i < HIDDEN * INPUTS ? 1.0 / sqrt(INPUTS) : 1.0 / sqrt(HIDDEN);
        teacher[i] = 2.0 * scale * fq_stream_normal(stream);
        p->start[i] = scale * fq_stream_normal(stream);
    }
    for (size_t w = 0; w < p->of.workers; w++)
        for (size_t s = 0; s < SAMPLES; s++) {
            double *a = pair_of(p, w, s);
            for (size_t i = 0; i + 1 < INPUTS; i++)
                a[i] = fq_stream_normal(stream);
            a[INPUTS - 1] = 1.0;
            forward(teacher, a, hidden, a + INPUTS);
        }
    p->smooth = p->smooth_mean = p->smooth_most = p->convex = (double)NAN;
    return FQ_OK;
}

fq_status fq_problem_create(fq_problem *problem, const fq_problem_options *options) {
    fq_stream stream;
    const size_t d = options->dim;
    memset(problem, 0, sizeof *problem);
    problem->of = *options;
    if (d < 1 || d > 4096 || options->workers < 1 || options->workers > 4096)
        return FQ_FAIL(FQ_ERR_ARGUMENT, "dim, workers", "1 to 4096");
    if (options->kind == FQ_PROBLEM_NETWORK && d != FQ_PROBLEM_NETWORK_DIM)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", d, "256 for a network");
    if (options->kind == FQ_PROBLEM_THREE_POINTS && d < 2)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", d, "2 and more for three-points");
    FQ_TRY(fq_alloc_zero(&problem->start, d, sizeof *problem->start));
    fq_stream_init_in(&stream, options->seed, FQ_RANGE_OPTIMISE_PROBLEM, 0);
    fq_status status = FQ_OK;
    if (options->kind == FQ_PROBLEM_QUADRATIC)
        status = make_quadratic(problem, &stream);
    else if (options->kind == FQ_PROBLEM_LOGISTIC)
        status = make_logistic(problem, &stream);
    else if (options->kind == FQ_PROBLEM_NETWORK)
        status = make_network(problem, &stream);
    else {
        problem->smooth = problem->smooth_mean = problem->smooth_most = problem->convex = 1.0;
        for (size_t i = 0; i < d; i++)
            problem->start[i] = 1.0 / sqrt((double)d);
    }
    if (status != FQ_OK)
        fq_problem_clear(problem);
    return status;
}

void fq_problem_clear(fq_problem *problem) {
    fq_free(problem->start);
    fq_free(problem->data);
    problem->start = problem->data = NULL;
}

static void logistic_gradient(const fq_problem *p, size_t worker, const double *x, double *g) {
    const size_t d = p->of.dim;
    for (size_t i = 0; i < d; i++) {
        const double one = 1.0 + x[i] * x[i];
        g[i] = LAMBDA * 2.0 * x[i] / (one * one);
    }
    for (size_t s = 0; s < SAMPLES; s++) {
        const double *a = sample_of(p, worker, s);
        const double weight = -1.0 / (1.0 + exp(inner(a, x, d))) / SAMPLES;
        for (size_t i = 0; i < d; i++)
            g[i] += weight * a[i];
    }
}

static void network_gradient(const fq_problem *p, size_t worker, const double *x, double *g) {
    double hidden[HIDDEN], output[OUTPUTS], back[HIDDEN];
    const double *second = x + HIDDEN * INPUTS;
    for (size_t i = 0; i < p->of.dim; i++)
        g[i] = 0.0;
    for (size_t s = 0; s < SAMPLES; s++) {
        const double *a = pair_of(p, worker, s);
        forward(x, a, hidden, output);
        for (size_t h = 0; h < HIDDEN; h++)
            back[h] = 0.0;
        for (size_t o = 0; o < OUTPUTS; o++) {
            const double error = (output[o] - a[INPUTS + o]) / SAMPLES;
            for (size_t h = 0; h < HIDDEN; h++) {
                g[HIDDEN * INPUTS + o * HIDDEN + h] += error * hidden[h];
                back[h] += error * second[o * HIDDEN + h];
            }
        }
        for (size_t h = 0; h < HIDDEN; h++)
            for (size_t i = 0; i < INPUTS; i++)
                g[h * INPUTS + i] += back[h] * (1.0 - hidden[h] * hidden[h]) * a[i];
    }
}

void fq_problem_gradient(const fq_problem *problem, size_t worker, const double *x, double *g) {
    if (problem->of.kind == FQ_PROBLEM_QUADRATIC) {
        multiply(problem, x, g);
        for (size_t i = 0; i < problem->of.dim; i++)
            g[i] -= right_side(problem, worker)[i];
    } else if (problem->of.kind == FQ_PROBLEM_LOGISTIC)
        logistic_gradient(problem, worker, x, g);
    else if (problem->of.kind == FQ_PROBLEM_NETWORK)
        network_gradient(problem, worker, x, g);
    else
        memcpy(g, x, problem->of.dim * sizeof *g);
}

void fq_problem_add_noise(const fq_problem *problem, double *g, fq_stream *stream) {
    static const double points[3][2] = {{2, 0}, {0, 1}, {-2, -1}};
    const double noise = problem->of.noise;
    if (noise == 0.0)
        return;
    if (problem->of.kind == FQ_PROBLEM_THREE_POINTS) {
        const double *point = points[fq_stream_below(stream, 3)];
        g[0] += sqrt(0.3) * noise * point[0];
        g[1] += sqrt(0.3) * noise * point[1];
        return;
    }
    for (size_t i = 0; i < problem->of.dim; i++)
        g[i] += noise / sqrt((double)problem->of.dim) * fq_stream_normal(stream);
}

/* log(1 + exp(-t)), without overflow. */
static double log_loss(double t) {
    return t > 0.0 ? log1p(exp(-t)) : log1p(exp(t)) - t;
}

static double worker_value(const fq_problem *p, size_t worker, const double *x) {
    const size_t d = p->of.dim;
    double sum = 0.0, hidden[HIDDEN], output[OUTPUTS];
    for (size_t s = 0; s < SAMPLES; s++) {
        if (p->of.kind == FQ_PROBLEM_LOGISTIC) {
            sum += log_loss(inner(sample_of(p, worker, s), x, d)) / SAMPLES;
            continue;
        }
        const double *a = pair_of(p, worker, s);
        forward(x, a, hidden, output);
        for (size_t o = 0; o < OUTPUTS; o++)
            sum += 0.5 * (output[o] - a[INPUTS + o]) * (output[o] - a[INPUTS + o]) / SAMPLES;
    }
    for (size_t i = 0; p->of.kind == FQ_PROBLEM_LOGISTIC && i < d; i++)
        sum += LAMBDA * x[i] * x[i] / (1.0 + x[i] * x[i]);
    return sum;
}

double fq_problem_value(const fq_problem *problem, const double *x) {
    const size_t d = problem->of.dim, n = problem->of.workers;
    double sum = 0.0;
    if (problem->of.kind == FQ_PROBLEM_THREE_POINTS)
        return 0.5 * inner(x, x, d);
    if (problem->of.kind == FQ_PROBLEM_QUADRATIC) {
        double y[4096];
        multiply(problem, x, y);
        sum = 0.5 * inner(x, y, d);
        for (size_t i = 0; i < n; i++)
            sum -= inner(right_side(problem, i), x, d) / (double)n;
        return sum;
    }
    for (size_t i = 0; i < n; i++)
        sum += worker_value(problem, i, x) / (double)n;
    return sum;
}

void fq_problem_full_gradient(const fq_problem *problem, const double *x, double *g, double *work) {
    const size_t d = problem->of.dim, n = problem->of.workers;
    for (size_t c = 0; c < d; c++)
        g[c] = 0.0;
    for (size_t i = 0; i < n; i++) {
        fq_problem_gradient(problem, i, x, work);
        for (size_t c = 0; c < d; c++)
            g[c] += work[c] / (double)n;
    }
}
