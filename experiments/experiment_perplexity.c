/* Perplexity with the whole KV cache compressed as it is written.
 *
 * Protocol: `windows` windows of `window` tokens, evenly spread over the text, each with an empty cache
 * (behind the model's begin-of-text token where it has one). Every key and value is encoded when it is
 * appended and decoded before attention reads it, the current token's own included, in all layers; so
 * every later layer sees the consequences. A treatment may change
 * keys and values around the codec and keep tokens out of it. Tokens at positions skip+1..window-1 are
 * scored. The uncompressed model (float32) is run on the same windows: paired differences, KL divergence and
 * agreement of the most likely token are against it. Standard errors take windows as the sampling unit.
 */
#include "text_windows.h"

static const fq_parameter parameters[] = {FQ_TEXT_WINDOWS_PARAMETERS, {0}};

static const fq_value_column columns[] = {FQ_TEXT_WINDOWS_COLUMNS, {0}};

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    fq_text_windows windows;
    return fq_text_windows_run(&windows, point, resources, rows, 0.0F);
}

const fq_experiment fq_experiment_perplexity = {
    .name = "perplexity",
    .summary = "perplexity of a model whose KV cache is compressed as it is written",
    .version = 6,
    .parameters = parameters,
    .columns = columns,
    .check = fq_text_windows_check,
    .cost = fq_text_windows_cost,
    .run = run};
