/* Perplexity where all keys share a constant part.
 *
 * Before the position encoding, `bias` is added to one coordinate of the pair that turns slowest, in every
 * key of every head and layer. Scores gain a term that all keys have in common but for what that pair turns
 * over a window (at base 100000, d = 64 and 512 tokens 0.007 rad), so the model stays nearly as it is:
 * perplexity_reference says how nearly. A code whose error grows with the vector's norm does not. Some models
 * have such keys by the biases of their W_k. Protocol and comparison are those of the experiment perplexity,
 * against the uncompressed model with the same constant.
 */
#include "text_windows.h"

static const fq_parameter parameters[] = {
    FQ_TEXT_WINDOWS_PARAMETERS,
    {.name = "bias",
     .type = FQ_PARAMETER_REAL,
     .least = -1e4,
     .most = 1e4,
     .fallback = "0",
     .description =
         "what is added to a coordinate of every key, in units of keys (SmolLM2's are about 20 long)"},
    {0}};

static const fq_value_column columns[] = {
    FQ_TEXT_WINDOWS_COLUMNS,
    {"shared_before", FQ_VALUE_REAL, 0, "1",
     "|mean key|^2 over mean |key|^2 before the position encoding, mean over heads", FQ_ROLE_VALUE},
    {"shared_before_se", FQ_VALUE_REAL, 0, "1", "standard error over heads", FQ_ROLE_VALUE},
    {"shared_after", FQ_VALUE_REAL, 0, "1", "the same of keys after the position encoding", FQ_ROLE_VALUE},
    {"shared_after_se", FQ_VALUE_REAL, 0, "1", "standard error over heads", FQ_ROLE_VALUE},
    {0}};

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    fq_text_windows windows;
    FQ_TRY(fq_text_windows_run(&windows, point, resources, rows, (float)fq_point_real(point, "bias")));
    fq_rows_real(rows, "shared_before", windows.shared_before.mean);
    fq_rows_real(rows, "shared_before_se", windows.shared_before.se);
    fq_rows_real(rows, "shared_after", windows.shared_after.mean);
    fq_rows_real(rows, "shared_after_se", windows.shared_after.se);
    return FQ_OK;
}

const fq_experiment fq_experiment_key_bias = {
    .name = "key-bias",
    .summary = "perplexity of a compressed KV cache whose keys share a constant",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .check = fq_text_windows_check,
    .cost = fq_text_windows_cost,
    .run = run};
