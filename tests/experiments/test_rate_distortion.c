/* What rate-distortion measures: each codec by its own words, through the program with the example's codec.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codebook_training.h"
#include "command.h"
#include "scalar_quantizer.h"

/* Distortion and its standard error of one point. */
static bool measure(double value[2], const char *codec, const char *more) {
    const fq_command_result *result = fq_command("cat > m.yaml <<'END'\n"
                                                 "experiment: rate-distortion\nseed: 5\n"
                                                 "grid: {codec: '%s', dim: 64, samples: 40000%s}\nEND\n"
                                                 "rm -f m.h5; ${FIBQUANT}_example sweep m.yaml -o m.h5 -q && "
                                                 "$FIBQUANT results m.h5 --csv --column distortion --column "
                                                 "distortion_se | tail -n 1",
                                                 codec, more);
    char *rest = NULL;
    value[0] = strtod(result->out, &rest);
    value[1] = *rest == ',' ? strtod(rest + 1, NULL) : (double)NAN;
    const bool good = FQ_CHECK(result->exit_code == 0 && isfinite(value[0]) && isfinite(value[1]));
    if (!good)
        fprintf(stderr, "  %s%s", result->out, result->err);
    return good;
}

/* D of four levels at -3, -1, 1, 3 standard deviations on one coordinate of the sphere in R^64, whose density
 * is proportional to (1 - x^2)^(61/2): midpoint sums, right to 1e-7. */
static double uniform_distortion(void) {
    enum { STEPS = 200000, D = 64 };
    double mass = 0, sum = 0;
    for (int i = 0; i < STEPS; i++) {
        const double x = (i + 0.5) / STEPS, y = x * sqrt(D), f = pow(1 - x * x, 0.5 * (D - 3));
        const double e = y < 2 ? y - 1 : y - 3;
        mass += f;
        sum += f * e * e;
    }
    return sum / mass;
}

static void a_codec_with_k_and_n_gets_its_own_distortion(void) {
    const double truth = uniform_distortion();
    double block[2], vector[2], fib[2];
    if (!measure(block, "uni:k=2,N=16", "") || !measure(vector, "uni:k=2,N=16", ", source: vector") ||
        !measure(fib, "fib:k=2,N=16,recipe=paper", ""))
        return;
    FQ_CHECK(block[1] > 0 && block[1] < 0.02 * truth);
    FQ_CHECK_NEAR(block[0], truth, 5 * block[1]);
    FQ_CHECK_NEAR(vector[0], truth, 5 * vector[1] + 0x1p-20); /* the norm's rounding */
    FQ_CHECK(fib[0] < 0.8 * truth);                           /* another codec altogether */
}

static void known_codecs_get_what_their_parts_say(void) {
    double row[2];
    fq_scalar_quantizer quantizer;
    FQ_CHECK_OK(fq_scalar_quantizer_init(&quantizer, 64, 8));
    if (measure(row, "tq:b=3", ""))
        FQ_CHECK(row[0] == quantizer.distortion && row[1] == 0);
    fq_scalar_quantizer_clear(&quantizer);
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    const fq_train_options options = {
        .dim = 64, .block = 3, .codewords = 10, .recipe = FQ_RECIPE_PAPER, .seed = 2};
    FQ_CHECK_OK(fq_codebook_train(&codebook, &options)); /* 3 does not divide 64 */
    FQ_CHECK_OK(fq_codebook_measure(&codebook, 5, 40000));
    if (measure(row, "fib:k=3,N=10,recipe=paper,seed=2", ""))
        FQ_CHECK(row[0] == codebook.distortion && row[1] == codebook.distortion_se);
    fq_codebook_clear(&codebook);
}

/* One number of a point of codec at d = 64. */
static double number_of(const char *codec, const char *more, const char *column) {
    const fq_command_result *result =
        fq_command("cat > m.yaml <<'END'\nexperiment: rate-distortion\nseed: 5\n"
                   "grid: {codec: '%s', dim: 64, samples: 512%s}\nEND\n"
                   "rm -f m.h5; ${FIBQUANT}_example sweep m.yaml -o m.h5 -q && "
                   "$FIBQUANT results m.h5 --csv --column %s | tail -n 1",
                   codec, more, column);
    FQ_CHECK(result->exit_code == 0);
    return *result->out > ' ' ? strtod(result->out, NULL) : (double)NAN;
}

/* Equal caps for 128 bits and d = 64, with the norm and with a gain (claim caps); none beside several norms.
 */
static void gaps_are_to_the_bound_of_their_kind(void) {
    static const char vector[] = ", source: vector";
    const double scalar = number_of("tq:b=2", "", "gap_db"), fixed = number_of("tq:b=2", "", "caps_bound"),
                 gain = number_of("trellis:b=2", vector, "caps_bound"),
                 trellis = number_of("trellis:b=2", vector, "gap_db");
    FQ_CHECK_NEAR(fixed, 0.0637, 5e-4);
    FQ_CHECK_NEAR(gain, 0.06368538, 1e-7);
    FQ_CHECK(fixed > gain);
    FQ_CHECK_NEAR(scalar, 10 * log10(0.114526 / fixed), 1e-4);
    FQ_CHECK(trellis > 0.2 && trellis < 0.36);
    FQ_CHECK(number_of("trellis:b=2", vector, "gap_db_se") > 0);
    FQ_CHECK(number_of("trellis:b=2,norm=input,tries=1", vector, "caps_bound") == fixed);
    FQ_CHECK(isnan(number_of("tqprod:b=2", vector, "caps_bound")));
    FQ_CHECK(isnan(number_of("q4_0", vector, "gap_db")));
}

static void what_would_fail_is_said_before_the_work(void) {
    static const struct {
        const char *grid, *part;
    } wrong[] = {
        {"experiment: rate-distortion\ngrid: {codec: 'fib:k=3,N=8', dim: 64, source: vector}", "divisor"},
        {"experiment: rate-distortion\ngrid: {codec: 'fib:k=65,N=8', dim: 64}", "up to dim"},
        {"experiment: rate-distortion\ngrid: {codec: 'tq:b=1.5', dim: 64}", "source: vector"},
        {"experiment: rate-distortion\ngrid: {codec: 'uni:k=2,N=15', dim: 64}", "k-th power"},
        {"experiment: rate-distortion\ngrid: {codec: 'tq:b=2', dim: 5000, source: vector}", "hadamard"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const fq_command_result *result = fq_command(
            "cat > m.yaml <<'END'\n%s\nEND\n${FIBQUANT}_example sweep m.yaml --dry-run", wrong[i].grid);
        if (!FQ_CHECK(result->exit_code == 3 && strstr(result->err, "codec") &&
                      strstr(result->err, wrong[i].part)))
            fprintf(stderr, "  exit %d: %s", result->exit_code, result->err);
    }
}

static const fq_test tests[] = {
    {"a codec with k and N gets its own distortion", a_codec_with_k_and_n_gets_its_own_distortion},
    {"known codecs get what their parts say", known_codecs_get_what_their_parts_say},
    {"gaps are to the bound of their kind", gaps_are_to_the_bound_of_their_kind},
    {"what would fail is said before the work", what_would_fail_is_said_before_the_work},
    {0},
};
const fq_suite fq_suite_rate_distortion = {"rate_distortion", tests};
