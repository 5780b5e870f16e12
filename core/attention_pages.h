/* Attention over a cache kept in pages, as servers keep them: codes of 16 tokens a page, a table of pages a
 * head, and behind them the newest tokens as halves.
 *
 * The library owns none of that memory. Token t < tokens is number t % 16 of page t / 16 of the head's
 * tables; its key's code begins there at byte (t % 16) times the key's code_bytes, its value's likewise.
 * Pages may lie anywhere and be shared between heads or requests that have the same beginning. The newest
 * tokens are kept uncoded: at least a window of them, whose share of attention's weight is large (see
 * fibquant help treatments, window), and up to 15 more, until 16 can be coded into a page at once, which for
 * a trellis code is nine times as fast as one by one.
 *
 * Nothing here allocates, locks, waits or starts a thread, given a work space; one work space and one head
 * are one thread's at a time, codecs and fq_attention may be shared. Heads on many cores: threads of the
 * caller's, each with its work space (tests/examples/server/paged_attention.c).
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_ATTENTION_PAGES_H
#define FQ_ATTENTION_PAGES_H

#include "attention.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FQ_PAGE_TOKENS = 16 };

/* A head's cache. All memory is the caller's: tables of page_count pages, of which number tokens / 16 must be
 * there when append needs it, and window + 16 rows of d halves twice. All else starts as zero. */
typedef struct fq_paged_head {
    uint8_t **key_pages, **value_pages; /* [page_count] */
    size_t page_count;
    size_t tokens;           /* coded so far, a multiple of 16 */
    uint16_t *recent_keys;   /* [window + 16][d] halves, a ring */
    uint16_t *recent_values; /* the same of values */
    size_t window;           /* newest tokens that are never coded; 0 is fine */
    size_t recent;           /* tokens in the ring */
    size_t oldest;           /* row of the oldest of them */
} fq_paged_head;

typedef struct fq_attention_scratch fq_attention_scratch;

/* A thread's work space, for up to most_queries queries at once over up to most_tokens coded tokens. Memory
 * about 100 kB and 3 d kB for each of 8 queries at most. */
FQ_MUST_CHECK fq_status fq_attention_scratch_create(fq_attention_scratch **scratch,
                                                    const fq_attention *attention, size_t most_queries,
                                                    size_t most_tokens);
void fq_attention_scratch_destroy(fq_attention_scratch *scratch); /* NULL accepted */

/* Whether the next append codes a page that the tables do not have yet: number tokens / 16 of both. */
bool fq_paged_head_needs_page(const fq_paged_head *head);

/* One more token, key[d] and value[d], kept as halves. Where the ring is full, its oldest 16 are coded into a
 * page first. FQ_ERR_RANGE if that page is missing or a number is beyond half precision; then nothing has
 * changed. */
FQ_MUST_CHECK fq_status fq_paged_head_append(fq_paged_head *head, const fq_attention *attention,
                                             fq_attention_scratch *scratch, const float *key,
                                             const float *value);

/* out[m][d], capacity numbers, for queries[m][d] over all of the head's tokens, at least one: what
 * fq_attention_run gives over the same codes in one piece, to the bit, where none is recent. The recent
 * tokens' scores are float32 products of their halves with the queries. Errors as fq_attention_run;
 * FQ_ERR_RANGE if capacity or the work space is too small. */
FQ_MUST_CHECK fq_status fq_attention_run_pages(const fq_attention *attention, fq_attention_scratch *scratch,
                                               float *out, size_t capacity, const float *queries, size_t m,
                                               const fq_paged_head *head, double scale);

#ifdef __cplusplus
}
#endif
#endif
