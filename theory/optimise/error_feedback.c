#include "error_feedback.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "stream_ranges.h"

fq_feedback_method fq_feedback_method_of(const char *name) {
    static const char *const names[] = {"sgd", "ef14", "ef21", "ef21-sgd", "ef21-sgdm"};
    size_t method = 0;
    while (method < 4 && strcmp(names[method], name) != 0)
        method++;
    return (fq_feedback_method)method;
}

/* The gradient of one worker at x, with noise unless the method takes exact ones. */
static void gradient(const fq_feedback *f, size_t worker, double *g) {
    fq_stream stream;
    fq_problem_gradient(f->problem, worker, f->x, g);
    if (f->method == FQ_FEEDBACK_EF21)
        return;
    const uint64_t number = ((uint64_t)f->messages.run << 24 | f->round) << 12 | worker;
    fq_stream_init_in(&stream, f->messages.seed, FQ_RANGE_OPTIMISE_NOISE, number);
    fq_problem_add_noise(f->problem, g, &stream);
}

static bool is_ef21(fq_feedback_method method) {
    return method >= FQ_FEEDBACK_EF21;
}

static fq_status start(fq_feedback *f) {
    const size_t d = f->messages.dim, first = f->messages.team.first, count = f->messages.team.count;
    fq_messages plain = f->messages;
    if (!is_ef21(f->method))
        return FQ_OK;
    plain.compressor = NULL;
    for (size_t i = first; i < first + count; i++)
        gradient(f, i, f->v + i * d);
    memcpy(f->g + first * d, f->v + first * d, count * d * sizeof *f->g);
    FQ_TRY(fq_messages_send(&plain, f->sent, f->g, 0, 0));
    fq_messages_add_mean(&plain, f->mean, 1.0, f->sent);
    f->bits = fq_messages_bits(&plain);
    return FQ_OK;
}

fq_status fq_feedback_create(fq_feedback *f, const fq_problem *problem, const fq_messages *messages,
                             fq_feedback_method method, double gamma, double eta) {
    const size_t d = problem->of.dim, n = problem->of.workers;
    fq_status status;
    memset(f, 0, sizeof *f);
    f->problem = problem;
    f->messages = *messages;
    f->method = method;
    f->gamma = gamma;
    f->eta = method == FQ_FEEDBACK_EF21_SGDM ? eta : 1.0;
    f->messages.form = FQ_COMPRESSOR_CONTRACTIVE;
    if (method == FQ_FEEDBACK_SGD && messages->compressor &&
        !isnan(fq_compressor_get_about(messages->compressor).omega))
        f->messages.form = FQ_COMPRESSOR_UNBIASED;
    FQ_TRY_GOTO(status, fq_alloc(&f->x, d, sizeof *f->x), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&f->mean, d, sizeof *f->mean), done);
    FQ_TRY_GOTO(status, fq_alloc(&f->work, d, sizeof *f->work), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&f->v, n, d * sizeof *f->v), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&f->g, n, d * sizeof *f->g), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&f->sent, n, d * sizeof *f->sent), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&f->change, n, d * sizeof *f->change), done);
    memcpy(f->x, problem->start, d * sizeof *f->x);
    status = start(f);
done:
    if (status != FQ_OK)
        fq_feedback_clear(f);
    return status;
}

void fq_feedback_clear(fq_feedback *f) {
    fq_free(f->x);
    fq_free(f->mean);
    fq_free(f->work);
    fq_free(f->v);
    fq_free(f->g);
    fq_free(f->sent);
    fq_free(f->change);
    memset(f, 0, sizeof *f);
}

/* sgd and ef14: what is compressed is made at x, then x moves. */
static fq_status step_direct(fq_feedback *f) {
    const size_t d = f->messages.dim, first = f->messages.team.first, end = first + f->messages.team.count;
    const bool feedback = f->method == FQ_FEEDBACK_EF14;
    for (size_t i = first; i < end; i++) {
        gradient(f, i, f->work);
        for (size_t c = 0; c < d; c++)
            f->v[i * d + c] = feedback ? f->g[i * d + c] + f->gamma * f->work[c] : f->work[c];
    }
    FQ_TRY(fq_messages_send(&f->messages, f->sent, f->v, f->round, 0));
    for (size_t i = first * d; feedback && i < end * d; i++)
        f->g[i] = f->v[i] - f->sent[i];
    fq_messages_add_mean(&f->messages, f->x, feedback ? -1.0 : -f->gamma, f->sent);
    f->round++;
    return FQ_OK;
}

static fq_status step_ef21(fq_feedback *f) {
    const size_t d = f->messages.dim, first = f->messages.team.first, end = first + f->messages.team.count;
    for (size_t c = 0; c < d; c++)
        f->x[c] -= f->gamma * f->mean[c];
    f->round++;
    for (size_t i = first; i < end; i++) {
        gradient(f, i, f->work);
        for (size_t c = 0; c < d; c++) {
            const size_t at = i * d + c;
            f->v[at] = f->eta == 1.0 ? f->work[c] : (1.0 - f->eta) * f->v[at] + f->eta * f->work[c];
            f->change[at] = f->v[at] - f->g[at];
        }
    }
    FQ_TRY(fq_messages_send(&f->messages, f->sent, f->change, f->round, 0));
    for (size_t i = first * d; i < end * d; i++)
        f->g[i] += f->sent[i];
    fq_messages_add_mean(&f->messages, f->mean, 1.0, f->sent);
    return FQ_OK;
}

fq_status fq_feedback_step(fq_feedback *f) {
    f->bits += fq_messages_bits(&f->messages);
    return is_ef21(f->method) ? step_ef21(f) : step_direct(f);
}

fq_feedback_errors fq_feedback_measure(const fq_feedback *f, double *work) {
    const size_t d = f->messages.dim, n = f->messages.workers;
    fq_feedback_errors e = {0};
    for (size_t c = 0; c < d; c++)
        f->work[c] = 0.0; /* the mean of v_i - grad f_i */
    for (size_t i = 0; i < n; i++) {
        fq_problem_gradient(f->problem, i, f->x, work);
        for (size_t c = 0; c < d; c++) {
            const double a = f->g[i * d + c] - f->v[i * d + c], b = f->v[i * d + c] - work[c];
            e.compression += a * a / (double)n;
            e.workers += b * b / (double)n;
            f->work[c] += b / (double)n;
        }
    }
    for (size_t c = 0; c < d; c++)
        e.mean += f->work[c] * f->work[c];
    return e;
}

void fq_feedback_constants(double alpha, double *theta, double *beta) {
    *theta = 1.0 - sqrt(1.0 - alpha);
    *beta = (1.0 - alpha) / *theta;
}

double fq_feedback_step_size(const fq_problem *problem, fq_feedback_method method,
                             const fq_compressor_about *about, double eta, bool strongly) {
    const double smooth = problem->smooth, mean = problem->smooth_mean;
    double theta, beta;
    if (method == FQ_FEEDBACK_SGD)
        return 1.0 /
               (smooth * (1.0 + (isnan(about->omega) ? 0.0 : about->omega / (double)problem->of.workers)));
    if (method == FQ_FEEDBACK_EF21_SGDM) { /* the positive root of a g^2 + (L/2) g - 1/2 */
        const double a = 16.0 * mean * mean / (about->alpha * about->alpha) + smooth * smooth / (eta * eta);
        return 1.0 / (smooth / 2.0 + sqrt(smooth * smooth / 4.0 + 2.0 * a));
    }
    fq_feedback_constants(about->alpha, &theta, &beta);
    if (!strongly)
        return 1.0 / (smooth + mean * sqrt(beta / theta));
    return fmin(1.0 / (smooth + mean * sqrt(2.0 * beta / theta)), theta / (2.0 * problem->convex));
}
