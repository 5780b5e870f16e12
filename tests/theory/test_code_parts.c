/* What ball_code_cells.c says of a part of the source's ball, against points of the part: none is farther
 * from its middle than it says, and their mean and second moments are as it says. The file is compiled here
 * once more, since what it has inside is not for others. */
#define fq_ball_code_cells code_cells_of_this_test
#include "../../theory/ball/ball_code_cells.c"

#include "check.h"
#include "source.h"
#include "stream.h"

/* A point of the directions below coordinate i, of lengths and angles that are uniform between the part's
 * ends. */
static void draw(const setting *s, const part *b, size_t i, fq_stream *stream, double *u) {
    const coordinate *const c = &s->tree[i];
    const double low = b->at[i].low, high = b->at[i].high,
                 at = low + (high - low) * fq_stream_uniform(stream);
    if (c->kind == SIGN) {
        u[0] = b->at[i].low ? 1 : -1;
    } else if (c->kind == ANGLE) {
        u[0] = cos(2 * M_PI * at / GRID);
        u[1] = sin(2 * M_PI * at / GRID);
    } else {
        const size_t left = c->dim / 2;
        const double angle = 0.5 * M_PI * at / GRID;
        draw(s, b, c->left, stream, u);
        draw(s, b, c->right, stream, u + left);
        for (size_t p = 0; p < c->dim; p++)
            u[p] *= p < left ? sin(angle) : cos(angle);
    }
}

/* A part by halving the whole as `descend` does, at random sides. */
static void choose_part(const setting *s, part *b, fq_stream *stream) {
    const uint64_t halvings = fq_stream_below(stream, 60);
    for (size_t i = 0; i < s->coordinates; i++) {
        const int sign = (int)fq_stream_below(stream, 2);
        b->at[i] = s->tree[i].kind == SIGN ? (interval){sign, sign + 1} : (interval){0, GRID};
    }
    for (uint64_t n = 0; n < halvings; n++) {
        figures f;
        measure(s, b, &f);
        if (f.longest == SIZE_MAX)
            return;
        interval *const at = &b->at[f.longest];
        const int middle = (at->low + at->high) / 2;
        *(fq_stream_below(stream, 2) ? &at->low : &at->high) = middle;
    }
}

static bool prepare(setting *s, size_t d, size_t k) {
    *s = (setting){.d = d, .k = k, .coordinates = 1};
    if (!FQ_CHECK_OK(fq_alloc_zero(&s->tree, COORDINATES, sizeof *s->tree)))
        return false;
    plant(s, k);
    return FQ_CHECK_OK(fill_tables(s));
}

static void no_point_is_out_of_reach(void) {
    for (size_t k = 2; k <= 8; k++) {
        setting s;
        fq_stream stream;
        fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 40 + k);
        if (!prepare(&s, k % 2 ? 17 : 16, k))
            return;
        double closest = 0;
        for (int n = 0; n < 300; n++) {
            part b;
            figures f;
            choose_part(&s, &b, &stream);
            measure(&s, &b, &f);
            for (int i = 0; i < 60; i++) {
                double x[K], squared = 0;
                const double r = s.tree[0].half * 2 *
                                 (b.at[0].low + (b.at[0].high - b.at[0].low) * fq_stream_uniform(&stream));
                draw(&s, &b, 1, &stream, x);
                for (size_t p = 0; p < k; p++)
                    squared += (r * x[p] - f.middle[p]) * (r * x[p] - f.middle[p]);
                FQ_CHECK(sqrt(squared) <= f.reach);
                closest = fmax(closest, sqrt(squared) / f.reach);
            }
        }
        FQ_CHECK(closest > 0.7); /* nor is it far more than need be */
        fq_free(s.tree);
    }
}

/* Mass, mean and second moments of a part are those of its halves together. */
static void moments_add_up(void) {
    for (size_t k = 2; k <= 8; k++) {
        setting s;
        fq_stream stream;
        fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 60 + k);
        if (!prepare(&s, k % 2 ? 17 : 16, k))
            return;
        for (int n = 0; n < 200; n++) {
            part b;
            figures f, half[2];
            choose_part(&s, &b, &stream);
            measure(&s, &b, &f);
            if (f.longest == SIZE_MAX || f.mass < 1e-9)
                continue;
            const interval whole = b.at[f.longest];
            for (int side = 0; side < 2; side++) {
                const int middle = (whole.low + whole.high) / 2;
                b.at[f.longest] = side ? (interval){middle, whole.high} : (interval){whole.low, middle};
                measure(&s, &b, &half[side]);
            }
            FQ_CHECK_NEAR(half[0].mass + half[1].mass, f.mass, 1e-10 * f.mass + 1e-15);
            for (size_t p = 0; p < k; p++) {
                const double mean =
                    (half[0].mass * half[0].mean[p] + half[1].mass * half[1].mean[p]) / f.mass;
                FQ_CHECK_NEAR(mean, f.mean[p], 1e-6);
                for (size_t q = 0; q < k; q++) {
                    double second = -f.mean[p] * f.mean[q];
                    for (int side = 0; side < 2; side++)
                        second += half[side].mass / f.mass *
                                  (half[side].second[p][q] + half[side].mean[p] * half[side].mean[q]);
                    FQ_CHECK_NEAR(second, f.second[p][q], 1e-6);
                }
            }
        }
        fq_free(s.tree);
    }
}

/* Of a small part the mean is near its middle, and variances and covariances are small. */
static void small_parts_are_about_their_middle(void) {
    for (size_t k = 2; k <= 8; k++) {
        setting s;
        fq_stream stream;
        fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 80 + k);
        if (!prepare(&s, k % 2 ? 17 : 16, k))
            return;
        part b;
        figures f;
        for (size_t i = 0; i < s.coordinates; i++)
            b.at[i] = s.tree[i].kind == SIGN ? (interval){1, 2} : (interval){GRID / 3, GRID / 3 + 8};
        measure(&s, &b, &f);
        for (size_t p = 0; p < k; p++) {
            FQ_CHECK_NEAR(f.mean[p], f.middle[p], 2e-3);
            FQ_CHECK(f.second[p][p] > 0);
            for (size_t q = 0; q < k; q++)
                FQ_CHECK(fabs(f.second[p][q]) < 1e-4);
        }
        fq_free(s.tree);
    }
}

static const fq_test tests[] = {
    {"no point is out of reach", no_point_is_out_of_reach},
    {"moments add up", moments_add_up},
    {"small parts are about their middle", small_parts_are_about_their_middle},
    {0},
};
const fq_suite fq_suite_code_parts = {"code_parts", tests};
