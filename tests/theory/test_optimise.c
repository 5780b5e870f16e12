/* Distributed problems and methods: gradients against differences of values, constants against what they
 * bound, steps against the formulas written out, and workers shared out to several processes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "accelerated.h"
#include "check.h"
#include "distributed_problem.h"
#include "error_feedback.h"
#include "memory.h"
#include "stream.h"

enum { D = 64, N = 4 };

static const fq_problem_options made[] = {
    {.kind = FQ_PROBLEM_QUADRATIC, .dim = D, .workers = N, .kappa = 50, .spread = 1, .seed = 3},
    {.kind = FQ_PROBLEM_LOGISTIC, .dim = D, .workers = N, .seed = 3},
    {.kind = FQ_PROBLEM_NETWORK, .dim = FQ_PROBLEM_NETWORK_DIM, .workers = N, .seed = 3},
    {.kind = FQ_PROBLEM_THREE_POINTS, .dim = 2, .workers = 1, .seed = 3}};

static void draw(double *x, size_t n, uint64_t index) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++)
        x[i] = fq_stream_normal(&s);
}

static double length(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

/* Central differences with h = 1e-5 are off by h^2 and rounding, 1e-8 here. */
static void gradients_are_of_the_values(void) {
    for (size_t k = 0; k < 4; k++) {
        double x[FQ_PROBLEM_NETWORK_DIM], g[FQ_PROBLEM_NETWORK_DIM], work[FQ_PROBLEM_NETWORK_DIM];
        fq_problem p;
        if (!FQ_CHECK_OK(fq_problem_create(&p, &made[k])))
            continue;
        draw(x, p.of.dim, 60 + k);
        fq_problem_full_gradient(&p, x, g, work);
        for (size_t i = 0; i<p.of.dim; i += p.of.dim> 8 ? 7 : 1) {
            const double at = x[i];
            x[i] = at + 1e-5;
            const double above = fq_problem_value(&p, x);
            x[i] = at - 1e-5;
            const double below = fq_problem_value(&p, x);
            x[i] = at;
            FQ_CHECK_NEAR(g[i], (above - below) / 2e-5, 1e-6);
        }
        fq_problem_clear(&p);
    }
}

/* |grad f(x) - grad f(y)| <= L |x - y| at many pairs, L attained by a quadratic; the least value is one. */
static void constants_bound_what_they_say(void) {
    for (size_t k = 0; k < 2; k++) {
        double x[D], y[D], a[D], b[D], work[D], most = 0, worker = 0;
        fq_problem p;
        if (!FQ_CHECK_OK(fq_problem_create(&p, &made[k])))
            continue;
        for (uint64_t i = 0; i < 60; i++) {
            draw(x, D, 100 + 2 * i);
            draw(y, D, 101 + 2 * i);
            for (size_t c = 0; c < D; c++) /* near and far pairs, near 0 and far */
                y[c] = x[c] * (i % 3 == 0 ? 0.01 : 1) + (i % 2 ? 1e-3 : 1) * y[c];
            fq_problem_full_gradient(&p, x, a, work);
            fq_problem_full_gradient(&p, y, b, work);
            most = fmax(most, length(a, b, D) / length(x, y, D));
            fq_problem_gradient(&p, i % N, x, a);
            fq_problem_gradient(&p, i % N, y, b);
            worker = fmax(worker, length(a, b, D) / length(x, y, D));
            FQ_CHECK(fq_problem_value(&p, x) > p.least);
        }
        FQ_CHECK(most <= p.smooth && worker <= p.smooth_most && most > 0.05 * p.smooth);
        FQ_CHECK(p.smooth <= p.smooth_mean && p.smooth_mean <= p.smooth_most);
        if (k == 0) { /* gradient descent finds the least value; mu = L/50 */
            FQ_CHECK_NEAR(p.convex, 0.02, 1e-12);
            memset(x, 0, sizeof x);
            for (int step = 0; step < 2000; step++) {
                fq_problem_full_gradient(&p, x, a, work);
                for (size_t c = 0; c < D; c++)
                    x[c] -= a[c];
            }
            FQ_CHECK_NEAR(fq_problem_value(&p, x), p.least, 1e-12 * fabs(p.least));
        }
        fq_problem_clear(&p);
    }
}

/* Mean 0 and variance noise^2, 6 standard errors of 20000 draws. */
static void noise_is_as_said(void) {
    enum { DRAWS = 20000 };
    for (size_t k = 0; k < 4; k += 3) {
        fq_problem_options options = made[k];
        fq_problem p;
        fq_stream s;
        double sum[2] = {0}, square = 0;
        options.noise = 2;
        if (!FQ_CHECK_OK(fq_problem_create(&p, &options)))
            continue;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 70);
        for (int r = 0; r < DRAWS; r++) {
            double g[D] = {0};
            fq_problem_add_noise(&p, g, &s);
            for (size_t c = 0; c < p.of.dim; c++)
                square += g[c] * g[c] / DRAWS;
            sum[0] += g[0] / DRAWS;
            sum[1] += g[1] / DRAWS;
        }
        FQ_CHECK_NEAR(square, 4,
                      6 * (k ? 2.9 : 0.71) / sqrt(DRAWS)); /* sd of |noise|^2: 4 sqrt(2/64); three values */
        FQ_CHECK_NEAR(sum[0], 0, 6 * 2 / sqrt(DRAWS));
        FQ_CHECK_NEAR(sum[1], 0, 6 * 2 / sqrt(DRAWS));
        fq_problem_clear(&p);
    }
}

/* theta, beta and steps of scalar codes at d = 64 with alpha = 1 - D; of the prototype, four digits. */
static void step_sizes_are_the_theorems(void) {
    static const struct {
        double alpha, theta, beta, step, strong;
    } rows[] = {{0.64161, 0.4013, 0.8930, 0.4013, 0.3216},
                {0.88547, 0.6616, 0.1731, 0.6616, 0.5802},
                {0.4005, 0.2257, 2.656, 0.2257, 0.1709}};
    fq_problem p = {.of = {.workers = N}, .smooth = 1, .smooth_mean = 1, .convex = 0.01};
    for (size_t i = 0; i < 3; i++) {
        const fq_compressor_about about = {.alpha = rows[i].alpha, .omega = 1 / rows[i].alpha - 1};
        double theta, beta;
        fq_feedback_constants(about.alpha, &theta, &beta);
        FQ_CHECK_NEAR(theta, rows[i].theta, 6e-5);
        FQ_CHECK_NEAR(beta, rows[i].beta, 6e-4);
        FQ_CHECK_NEAR(fq_feedback_step_size(&p, FQ_FEEDBACK_EF21, &about, 1, false), rows[i].step, 6e-5);
        if (i < 2)
            FQ_CHECK_NEAR(fq_feedback_step_size(&p, FQ_FEEDBACK_EF21, &about, 1, true), rows[i].strong, 6e-5);
        FQ_CHECK_NEAR(fq_feedback_step_size(&p, FQ_FEEDBACK_SGD, &about, 1, true), 1 / (1 + about.omega / N),
                      1e-12);
        const double gamma = fq_feedback_step_size(&p, FQ_FEEDBACK_EF21_SGDM, &about, 0.05, false);
        FQ_CHECK_NEAR(16 * gamma * gamma / (about.alpha * about.alpha) + gamma * gamma / 0.0025 + gamma / 2,
                      0.5, 1e-12);
    }
    p.convex = 100; /* theta/(2 mu) decides */
    const fq_compressor_about about = {.alpha = 0.64161};
    FQ_CHECK_NEAR(fq_feedback_step_size(&p, FQ_FEEDBACK_EF21, &about, 1, true), 0.4013 / 200, 1e-6);
}

/* EF21-SGDM, EF14 and plain compression written out for one worker and Top-1 without noise. */
static void steps_are_the_formulas(void) {
    static const fq_feedback_method methods[] = {FQ_FEEDBACK_EF21_SGDM, FQ_FEEDBACK_EF14, FQ_FEEDBACK_SGD};
    const fq_problem_options options = {.dim = 6, .workers = 1, .kappa = 10, .spread = 0, .seed = 4};
    const double gamma = 0.1, eta = 0.3;
    fq_compressor *c = NULL;
    fq_problem p;
    if (!FQ_CHECK_OK(fq_problem_create(&p, &options)) ||
        !FQ_CHECK_OK(fq_compressor_create(&c, "topk:K=1", 6, NULL)))
        return;
    for (size_t k = 0; k < 3; k++) {
        const fq_messages messages = {
            .compressor = c, .dim = 6, .part = 6, .workers = 1, .team = {.count = 1}};
        double x[6] = {0}, v[6], g[6], u[6];
        fq_feedback f;
        if (!FQ_CHECK_OK(fq_feedback_create(&f, &p, &messages, methods[k], gamma, eta)))
            continue;
        fq_problem_gradient(&p, 0, x, v);
        memcpy(g, v, sizeof g);
        if (k == 1)
            memset(g, 0, sizeof g); /* e */
        for (int step = 0; step < 20; step++) {
            FQ_CHECK_OK(fq_feedback_step(&f));
            if (k == 0)
                for (size_t i = 0; i < 6; i++)
                    x[i] -= gamma * g[i];
            fq_problem_gradient(&p, 0, x, u);
            for (size_t i = 0; i < 6; i++) {
                if (k == 0) {
                    v[i] = (1 - eta) * v[i] + eta * u[i];
                    u[i] = v[i] - g[i];
                } else if (k == 1)
                    u[i] = g[i] + gamma * u[i];
            }
            size_t top = 0;
            for (size_t i = 1; i < 6; i++)
                top = fabs(u[i]) > fabs(u[top]) ? i : top;
            for (size_t i = 0; i < 6; i++) {
                const double sent = i == top ? u[i] : 0;
                g[i] = k == 1 ? u[i] - sent : g[i] + sent;
                x[i] -= k == 0 ? 0 : k == 1 ? sent : gamma * sent;
            }
        }
        FQ_CHECK_NEAR(length(f.x, x, 6), 0, 1e-6); /* float32 values are sent */
        FQ_CHECK(length(x, p.start, 6) > 0.01);
        FQ_CHECK_NEAR(f.bits, 20 * (32 + 3) + (k == 0 ? 6 * 32 : 0), 0);
        fq_feedback_clear(&f);
    }
    fq_compressor_destroy(c);
    fq_problem_clear(&p);
}

/* Processes with two workers each: what one sends, the others are given. */
static double recorded[64][N * D];
static size_t exchanges;

static fq_status record(void *context, double *messages, size_t n, size_t dim) {
    (void)context;
    if (FQ_CHECK(n == N && dim == D && exchanges < 64))
        memcpy(recorded[exchanges++], messages, sizeof recorded[0]);
    return FQ_OK;
}

typedef struct replay {
    size_t first, count, next;
    bool same;
} replay;

/* Own rows must be those of the whole run, the others are filled in from it. */
static fq_status play(void *context, double *messages, size_t n, size_t dim) {
    replay *r = context;
    double *whole = recorded[r->next++];
    r->same = r->same &&
              memcmp(messages + r->first * dim, whole + r->first * dim, r->count * dim * sizeof *whole) == 0;
    memcpy(messages, whole, n * dim * sizeof *whole);
    return FQ_OK;
}

static void workers_may_be_shared_out(void) {
    static const fq_feedback_method methods[] = {FQ_FEEDBACK_EF21_SGDM, FQ_FEEDBACK_EF14};
    fq_problem_options options = made[0];
    fq_compressor *c = NULL;
    fq_problem p;
    options.noise = 0.5;
    if (!FQ_CHECK_OK(fq_problem_create(&p, &options)) ||
        !FQ_CHECK_OK(fq_compressor_create(&c, "tq:b=1", 32, NULL)))
        return;
    for (size_t k = 0; k < 2; k++) {
        fq_messages messages = {.compressor = c,
                                .dim = D,
                                .part = 32,
                                .workers = N,
                                .seed = 5,
                                .run = 2,
                                .team = {.count = N, .share = record}};
        fq_feedback whole = {0}, part = {0};
        exchanges = 0;
        FQ_CHECK_OK(fq_feedback_create(&whole, &p, &messages, methods[k], 0.1, 0.2));
        for (int step = 0; step < 10; step++)
            FQ_CHECK_OK(fq_feedback_step(&whole));
        for (size_t first = 0; first < N; first += 2) {
            replay r = {.first = first, .count = 2, .same = true};
            messages.team = (fq_team){first, 2, play, &r};
            FQ_CHECK_OK(fq_feedback_create(&part, &p, &messages, methods[k], 0.1, 0.2));
            for (int step = 0; step < 10; step++)
                FQ_CHECK_OK(fq_feedback_step(&part));
            FQ_CHECK(r.same && r.next == exchanges && memcmp(part.x, whole.x, D * sizeof *part.x) == 0);
            FQ_CHECK(part.bits == whole.bits);
            fq_feedback_clear(&part);
        }
        fq_feedback_clear(&whole);
    }
    fq_compressor_destroy(c);
    fq_problem_clear(&p);
}

/* With shared randomness equal vectors give equal messages; with independent ones none. */
static void shared_randomness_is_shared(void) {
    double in[N * D], out[N * D];
    fq_compressor *c = NULL;
    if (!FQ_CHECK_OK(fq_compressor_create(&c, "tq:b=1", 32, NULL)))
        return;
    draw(in, D, 80);
    for (size_t w = 1; w < N; w++)
        memcpy(in + w * D, in, D * sizeof *in);
    for (int shared = 0; shared < 2; shared++) {
        const fq_messages m = {
            .compressor = c, .dim = D, .part = 32, .workers = N, .shared = shared != 0, .team = {.count = N}};
        FQ_CHECK_OK(fq_messages_send(&m, out, in, 7, 1));
        for (size_t w = 1; w < N; w++)
            FQ_CHECK((memcmp(out, out + w * D, D * sizeof *out) == 0) == (shared != 0));
        FQ_CHECK(memcmp(out, out + 32, 32 * sizeof *out) != 0); /* parts have their own */
        FQ_CHECK_NEAR(fq_messages_bits(&m), 2 * (32 + 32), 0);
    }
    fq_compressor_destroy(c);
}

/* ADIANA's parameters at omega = 23.7 and n = 16, by hand: p = 1/(2 24.7), 2p(1+omega)+1 = 2. */
static void accelerated_steps_are_the_formulas(void) {
    const fq_problem p = {
        .of = {.workers = 16}, .smooth = 1, .smooth_mean = 1, .smooth_most = 2, .convex = 0.01};
    const fq_accelerated_steps a = fq_accelerated_steps_of(FQ_ACCELERATED_ADIANA, &p, 23.7, 1);
    const double eta = 16.0 / (64 * 23.7 * 4 * 2), th1 = sqrt(eta * 0.01 * 49.4);
    FQ_CHECK_NEAR(a.p, 1 / 49.4, 1e-15);
    FQ_CHECK_NEAR(a.eta, eta, 1e-15);
    FQ_CHECK_NEAR(a.th1, th1, 1e-15);
    FQ_CHECK_NEAR(a.gamma, eta / (2 * (th1 + eta * 0.01)), 1e-15);
    FQ_CHECK_NEAR(a.beta, 1 - a.gamma * 0.01, 1e-15);
    FQ_CHECK_NEAR(a.shift, 1 / 24.7, 1e-15);
    FQ_CHECK_NEAR(fq_accelerated_steps_of(FQ_ACCELERATED_ADIANA, &p, 23.7, 1e4).eta, 0.25, 1e-15);
    /* many workers: p = (sqrt(n/(32 omega)) - 1)/(2 (1+omega)) */
    fq_problem many = p;
    many.of.workers = 2048;
    FQ_CHECK_NEAR(fq_accelerated_steps_of(FQ_ACCELERATED_ADIANA, &many, 1, 1).p, 1, 1e-15);
    many.of.workers = 4096;
    FQ_CHECK_NEAR(fq_accelerated_steps_of(FQ_ACCELERATED_ADIANA, &many, 8, 1).p, 3.0 / 18, 1e-15);
    FQ_CHECK_NEAR(fq_accelerated_steps_of(FQ_ACCELERATED_DIANA, &p, 8, 1).gamma, 0.125, 1e-15);
    FQ_CHECK_NEAR(fq_accelerated_steps_of(FQ_ACCELERATED_CGD, &p, 8, 1).gamma, 1 / 3.0, 1e-15);
    FQ_CHECK_NEAR(fq_accelerated_rate(4, 4, 100), 4 + 10 + sqrt((1 + 1) * 4 * 100), 1e-12);
}

/* Where the f_i differ, DIANA and ADIANA find the minimum and CGD does not; ADIANA without compression needs
 * some sqrt(kappa) rounds, AGD fewer, and bits are exact. */
static void accelerated_methods_converge(void) {
    static const struct {
        fq_accelerated_method method;
        const char *compressor;
        double step, bits; /* of a round */
        size_t least, most;
        bool reached;
    } rows[] = {{FQ_ACCELERATED_AGD, "none", 1, 2048, 20, 200, true},
                {FQ_ACCELERATED_ADIANA, "none", 1, 2 * 2048, 50, 400, true},
                {FQ_ACCELERATED_ADIANA, "tq:b=1", 8, 2 * 96, 60, 1500, true},
                {FQ_ACCELERATED_DIANA, "tq:b=1", 1, 96, 200, 1500, true},
                {FQ_ACCELERATED_CGD, "tq:b=1", 1, 96, 1500, 1500, false}};
    fq_problem p;
    if (!FQ_CHECK_OK(fq_problem_create(&p, &made[0])))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fq_compressor *c = NULL;
        fq_accelerated_run run;
        if (!FQ_CHECK_OK(fq_compressor_create(&c, rows[i].compressor, D, NULL)))
            continue;
        const fq_messages messages = {
            .compressor = c, .dim = D, .part = D, .workers = N, .seed = 5, .team = {.count = N}};
        FQ_CHECK_OK(fq_accelerated_run_to(&run, &p, &messages, rows[i].method, rows[i].step, 1e-10, 1500));
        if (!FQ_CHECK(run.reached == rows[i].reached && run.rounds >= rows[i].least &&
                      run.rounds <= rows[i].most))
            fprintf(stderr, "row %zu: %zu rounds, excess %g\n", i, run.rounds, run.excess);
        FQ_CHECK_NEAR(run.bits, rows[i].bits * (double)run.rounds, 0);
        fq_compressor_destroy(c);
    }
    fq_problem_clear(&p);
}

/* ADIANA with its workers on two processes: the doubles of one. */
static void accelerated_workers_may_be_shared_out(void) {
    fq_compressor *c = NULL;
    fq_problem p;
    if (!FQ_CHECK_OK(fq_problem_create(&p, &made[0])) ||
        !FQ_CHECK_OK(fq_compressor_create(&c, "randk:K=8", D, NULL)))
        return;
    fq_messages messages = {.compressor = c,
                            .dim = D,
                            .part = D,
                            .workers = N,
                            .seed = 5,
                            .run = 1,
                            .team = {.count = N, .share = record}};
    fq_accelerated whole = {0}, part = {0};
    exchanges = 0;
    FQ_CHECK_OK(fq_accelerated_create(&whole, &p, &messages, FQ_ACCELERATED_ADIANA, 8));
    for (int step = 0; step < 20; step++)
        FQ_CHECK_OK(fq_accelerated_step(&whole));
    for (size_t first = 0; first < N; first += 2) {
        replay r = {.first = first, .count = 2, .same = true};
        messages.team = (fq_team){first, 2, play, &r};
        FQ_CHECK_OK(fq_accelerated_create(&part, &p, &messages, FQ_ACCELERATED_ADIANA, 8));
        for (int step = 0; step < 20; step++)
            FQ_CHECK_OK(fq_accelerated_step(&part));
        FQ_CHECK(r.same && r.next == exchanges && memcmp(part.y, whole.y, D * sizeof *part.y) == 0);
        fq_accelerated_clear(&part);
    }
    fq_accelerated_clear(&whole);
    fq_compressor_destroy(c);
    fq_problem_clear(&p);
}

static const fq_test tests[] = {
    {"gradients are of the values", gradients_are_of_the_values},
    {"constants bound what they say", constants_bound_what_they_say},
    {"noise is as said", noise_is_as_said},
    {"step sizes are the theorems'", step_sizes_are_the_theorems},
    {"steps are the formulas", steps_are_the_formulas},
    {"workers may be shared out", workers_may_be_shared_out},
    {"shared randomness is shared", shared_randomness_is_shared},
    {"accelerated steps are the formulas", accelerated_steps_are_the_formulas},
    {"accelerated methods converge", accelerated_methods_converge},
    {"accelerated workers may be shared out", accelerated_workers_may_be_shared_out},
    {0},
};
const fq_suite fq_suite_optimise = {"optimise", tests};
