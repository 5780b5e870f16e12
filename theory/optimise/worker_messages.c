#include "worker_messages.h"

#include <assert.h>
#include <string.h>

#include "memory.h"

fq_status fq_messages_send(const fq_messages *m, double *sent, const double *vectors, size_t round,
                           size_t message) {
    const size_t parts = m->dim / m->part, first = m->team.first, count = m->team.count;
    assert(parts * m->part == m->dim && parts < 4096 && m->workers <= 4096 && m->run < 256);
    assert(round < (1 << 24) && message < 2);
    if (!m->compressor)
        memcpy(sent + first * m->dim, vectors + first * m->dim, count * m->dim * sizeof *sent);
    else {
        uint64_t *number = NULL;
        FQ_TRY(fq_alloc(&number, count * parts, sizeof *number));
        for (size_t i = 0; i < count * parts; i++) {
            const uint64_t worker = m->shared ? 0 : first + i / parts;
            number[i] =
                (((((uint64_t)m->run << 24 | round) << 1 | message) << 12 | worker) << 12) + i % parts;
        }
        const fq_status status =
            fq_compressor_apply(m->compressor, m->form, sent + first * m->dim, vectors + first * m->dim,
                                count * parts, m->seed, number);
        fq_free(number);
        FQ_TRY(status);
    }
    return m->team.share ? m->team.share(m->team.context, sent, m->workers, m->dim) : FQ_OK;
}

double fq_messages_bits(const fq_messages *m) {
    return m->compressor ? fq_compressor_get_about(m->compressor).bits * (double)(m->dim / m->part)
                         : 32.0 * (double)m->dim;
}

void fq_messages_add_mean(const fq_messages *m, double *to, double scale, const double *messages) {
    for (size_t c = 0; c < m->dim; c++) {
        double sum = 0.0;
        for (size_t i = 0; i < m->workers; i++)
            sum += messages[i * m->dim + c];
        to[c] += scale * sum / (double)m->workers;
    }
}
