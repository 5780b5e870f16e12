#include "accelerated.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "stream_ranges.h"

fq_accelerated_method fq_accelerated_method_of(const char *name) {
    static const char *const names[] = {"agd", "cgd", "diana", "adiana"};
    size_t method = 0;
    while (method < 3 && strcmp(names[method], name) != 0)
        method++;
    return (fq_accelerated_method)method;
}

fq_accelerated_steps fq_accelerated_steps_of(fq_accelerated_method method, const fq_problem *problem,
                                             double omega, double step) {
    const double n = (double)problem->of.workers, smooth = problem->smooth_most, mu = problem->convex;
    fq_accelerated_steps s = {.shift = 1.0 / (1.0 + omega), .p = 1.0, .gamma = 1.0 / smooth};
    if (method == FQ_ACCELERATED_AGD) {
        const double root = sqrt(smooth / mu);
        s.beta = (root - 1.0) / (root + 1.0);
        return s;
    }
    if (method != FQ_ACCELERATED_ADIANA) {
        const double weight = method == FQ_ACCELERATED_DIANA ? 6.0 : 1.0;
        s.gamma = fmin(1.0, step / (1.0 + weight * omega / n)) / smooth;
        return s;
    }
    s.eta = 1.0 / (2.0 * smooth);
    if (omega > 0.0) {
        s.p = fmin(1.0, fmax(1.0, sqrt(n / (32.0 * omega)) - 1.0) / (2.0 * (1.0 + omega)));
        const double spread = 2.0 * s.p * (1.0 + omega) + 1.0;
        s.eta = fmin(s.eta, step * n / (64.0 * omega * spread * spread * smooth));
    }
    s.th1 = fmin(0.25, sqrt(s.eta * mu / s.p));
    s.gamma = s.eta / (2.0 * (s.th1 + s.eta * mu));
    s.beta = 1.0 - s.gamma * mu;
    return s;
}

double fq_accelerated_rate(double omega, double workers, double kappa) {
    return omega + sqrt(kappa) + sqrt((omega / workers + sqrt(omega / workers)) * omega * kappa);
}

fq_status fq_accelerated_create(fq_accelerated *m, const fq_problem *problem, const fq_messages *messages,
                                fq_accelerated_method method, double step) {
    const size_t d = problem->of.dim, n = problem->of.workers;
    fq_status status;
    memset(m, 0, sizeof *m);
    if (!(problem->convex > 0.0))
        return FQ_FAIL(FQ_ERR_ARGUMENT, "problem", "strongly convex ones");
    m->problem = problem;
    m->messages = *messages;
    m->messages.form = FQ_COMPRESSOR_UNBIASED;
    if (method == FQ_ACCELERATED_AGD)
        m->messages.compressor = NULL;
    m->method = method;
    const double omega = m->messages.compressor ? fq_compressor_get_about(m->messages.compressor).omega : 0.0;
    m->steps = fq_accelerated_steps_of(method, problem, omega, step);
    FQ_TRY_GOTO(status, fq_alloc_zero(&m->x, 4 * d, sizeof *m->x), done);
    m->y = m->x + d;
    m->z = m->y + d;
    m->w = m->z + d;
    FQ_TRY_GOTO(status, fq_alloc_zero(&m->mean, 3 * d, sizeof *m->mean), done);
    m->work = m->mean + d;
    m->shift = m->work + d;
    FQ_TRY_GOTO(status, fq_alloc_zero(&m->h, 4 * n, d * sizeof *m->h), done);
    m->change = m->h + n * d;
    m->sent = m->change + n * d;
    m->more = m->sent + n * d;
    for (size_t i = 0; i < 4; i++)
        memcpy(m->x + i * d, problem->start, d * sizeof *m->x);
done:
    if (status != FQ_OK)
        fq_accelerated_clear(m);
    return status;
}

void fq_accelerated_clear(fq_accelerated *m) {
    fq_free(m->x);
    fq_free(m->mean);
    fq_free(m->h);
    memset(m, 0, sizeof *m);
}

const double *fq_accelerated_point(const fq_accelerated *m) {
    return m->method == FQ_ACCELERATED_ADIANA ? m->y : m->x;
}

/* sent_i = C_i(grad f_i(at) - h_i); mean = mean(h_i + sent_i) where that is asked for. */
static fq_status exchange(fq_accelerated *m, const double *at, double *sent, size_t message, double *mean) {
    const size_t d = m->messages.dim, first = m->messages.team.first;
    for (size_t i = first; i < first + m->messages.team.count; i++) {
        fq_problem_gradient(m->problem, i, at, m->work);
        for (size_t c = 0; c < d; c++)
            m->change[i * d + c] = m->work[c] - m->h[i * d + c];
    }
    FQ_TRY(fq_messages_send(&m->messages, sent, m->change, m->round, message));
    m->bits += fq_messages_bits(&m->messages);
    if (mean) {
        memcpy(mean, m->shift, d * sizeof *mean);
        fq_messages_add_mean(&m->messages, mean, 1.0, sent);
    }
    return FQ_OK;
}

/* h_i += a sent_i, and their mean. */
static void move_shifts(fq_accelerated *m, const double *sent) {
    const size_t d = m->messages.dim, first = m->messages.team.first;
    for (size_t i = first * d; i < (first + m->messages.team.count) * d; i++)
        m->h[i] += m->steps.shift * sent[i];
    fq_messages_add_mean(&m->messages, m->shift, m->steps.shift, sent);
}

/* agd: y is the extrapolated point, w the iterate before. */
static fq_status step_agd(fq_accelerated *m) {
    const size_t d = m->messages.dim;
    for (size_t c = 0; c < d; c++)
        m->y[c] = m->x[c] + m->steps.beta * (m->x[c] - m->w[c]);
    FQ_TRY(exchange(m, m->y, m->sent, 0, m->mean));
    memcpy(m->w, m->x, d * sizeof *m->w);
    for (size_t c = 0; c < d; c++)
        m->x[c] = m->y[c] - m->steps.gamma * m->mean[c];
    return FQ_OK;
}

static fq_status step_adiana(fq_accelerated *m) {
    const size_t d = m->messages.dim;
    const fq_accelerated_steps *s = &m->steps;
    fq_stream coins;
    for (size_t c = 0; c < d; c++)
        m->x[c] = s->th1 * m->z[c] + 0.5 * m->w[c] + (0.5 - s->th1) * m->y[c];
    FQ_TRY(exchange(m, m->x, m->sent, 0, m->mean));
    FQ_TRY(exchange(m, m->w, m->more, 1, NULL));
    move_shifts(m, m->more);
    fq_stream_init_in(&coins, m->messages.seed, FQ_RANGE_OPTIMISE_COINS,
                      (uint64_t)m->messages.run << 24 | m->round);
    if (fq_stream_uniform(&coins) < s->p)
        memcpy(m->w, m->y, d * sizeof *m->w);
    for (size_t c = 0; c < d; c++) {
        const double next = m->x[c] - s->eta * m->mean[c];
        m->z[c] = s->beta * m->z[c] + (1.0 - s->beta) * m->x[c] + s->gamma / s->eta * (next - m->x[c]);
        m->y[c] = next;
    }
    return FQ_OK;
}

fq_status fq_accelerated_step(fq_accelerated *m) {
    if (m->method == FQ_ACCELERATED_AGD)
        FQ_TRY(step_agd(m));
    else if (m->method == FQ_ACCELERATED_ADIANA)
        FQ_TRY(step_adiana(m));
    else {
        FQ_TRY(exchange(m, m->x, m->sent, 0, m->mean));
        for (size_t c = 0; c < m->messages.dim; c++)
            m->x[c] -= m->steps.gamma * m->mean[c];
        if (m->method == FQ_ACCELERATED_DIANA)
            move_shifts(m, m->sent);
    }
    m->round++;
    return FQ_OK;
}

fq_status fq_accelerated_run_to(fq_accelerated_run *run, const fq_problem *problem,
                                const fq_messages *messages, fq_accelerated_method method, double step,
                                double target, size_t most) {
    fq_accelerated m = {0};
    const double first = fq_problem_value(problem, problem->start) - problem->least;
    double excess = first;
    fq_status status = fq_accelerated_create(&m, problem, messages, method, step);
    while (status == FQ_OK && m.round < most && excess > target * first &&
           excess <= FQ_ACCELERATED_DIVERGED * first) {
        status = fq_accelerated_step(&m);
        if (status == FQ_OK)
            excess = fq_problem_value(problem, fq_accelerated_point(&m)) - problem->least;
    }
    *run = (fq_accelerated_run){.rounds = m.round,
                                .reached = excess <= target * first,
                                .excess = excess / first,
                                .bits = m.bits,
                                .step_size = method == FQ_ACCELERATED_ADIANA ? m.steps.eta : m.steps.gamma};
    fq_accelerated_clear(&m);
    return status;
}
