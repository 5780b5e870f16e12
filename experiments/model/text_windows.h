/* Perplexity of a model whose KV cache is compressed as it is written: what the experiments about it share.
 *
 * Protocol: `windows` windows of `window` tokens, evenly spread over the text, each with an empty cache
 * (behind the model's begin-of-text token where it has one). Every key and value is encoded when it is
 * appended and decoded before attention reads it, in all layers; so every later layer sees the consequences.
 * Tokens at positions skip+1..window-1 are scored. The uncompressed model (float32) is run on the same
 * windows, once for all points: paired differences, KL divergence and agreement of the most likely token are
 * against it. Standard errors take windows as the sampling unit.
 */
#ifndef FQ_TEXT_WINDOWS_H
#define FQ_TEXT_WINDOWS_H

#include "experiment.h"
#include "kv_setup.h"
#include "metrics.h"
#include "model_text.h"

/* The parameters that such an experiment has. */
#define FQ_TEXT_WINDOWS_PARAMETERS                                                                           \
    {.name = "model", .type = FQ_PARAMETER_FILE, .description = "checkpoint: a GGUF or safetensors file"},   \
        {.name = "text", .type = FQ_PARAMETER_FILE, .description = "text, UTF-8"},                           \
        {.name = "codec", .type = FQ_PARAMETER_CODEC, .description = "codec of the keys"},                   \
        {.name = "value_codec",                                                                              \
         .type = FQ_PARAMETER_TEXT,                                                                          \
         .fallback = "same",                                                                                 \
         .description = "codec of the values, or same"},                                                     \
        {.name = "treatment",                                                                                \
         .type = FQ_PARAMETER_TEXT,                                                                          \
         .fallback = "none",                                                                                 \
         .description = "what is done around the codec, such as mean+classes+window:tokens=16 (fibquant "    \
                        "help treatments)"},                                                                 \
        FQ_CALIBRATION_PARAMETER,                                                                            \
        {.name = "window",                                                                                   \
         .type = FQ_PARAMETER_INTEGER,                                                                       \
         .least = 2,                                                                                         \
         .most = 1e6,                                                                                        \
         .fallback = "512",                                                                                  \
         .description = "tokens of a window"},                                                               \
        {.name = "windows",                                                                                  \
         .type = FQ_PARAMETER_INTEGER,                                                                       \
         .least = 2,                                                                                         \
         .most = 1e5,                                                                                        \
         .fallback = "8",                                                                                    \
         .description = "windows"},                                                                          \
    {                                                                                                        \
        .name = "skip", .type = FQ_PARAMETER_INTEGER, .least = 0, .most = 1e6, .fallback = "64",             \
        .description = "tokens at the start of a window that are context alone"                              \
    }

/* The columns that fq_text_windows_run sets. score_noise: the square root of the mean, over query heads and
 * positions from skip on, of the variance over the keys s that the query reads of <q, k_s' - k_s> / sqrt d;
 * what the errors of all keys have in common softmax does not see. */
#define FQ_TEXT_WINDOWS_COLUMNS                                                                              \
    {"family", FQ_VALUE_TEXT, 16, "", "codec family of the keys", FQ_ROLE_VALUE},                            \
        {"rate",       FQ_VALUE_REAL, 0, "bits per coordinate", "payload rate, mean of keys and values",     \
         FQ_ROLE_VALUE},                                                                                     \
        {"compression_payload", FQ_VALUE_REAL, 0, "1", "16 / rate", FQ_ROLE_VALUE},                          \
        {"compression_stored",                                                                               \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "1",                                                                                                \
         "bytes at 16 bits a coordinate over bytes taken, norms and kept tokens included",                   \
         FQ_ROLE_VALUE},                                                                                     \
        {"perplexity", FQ_VALUE_REAL, 0, "1", "exp of loss", FQ_ROLE_VALUE},                                 \
        {"perplexity_se", FQ_VALUE_REAL, 0, "1", "standard error over windows", FQ_ROLE_VALUE},              \
        {"loss", FQ_VALUE_REAL, 0, "nat per token", "mean negative log likelihood", FQ_ROLE_VALUE},          \
        {"loss_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE},        \
        {"loss_change",                                                                                      \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "nat per token",                                                                                    \
         "loss minus the uncompressed model's, paired by window",                                            \
         FQ_ROLE_VALUE},                                                                                     \
        {"loss_change_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE}, \
        {"perplexity_reference",                                                                             \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "1",                                                                                                \
         "perplexity of the uncompressed model on the same tokens",                                          \
         FQ_ROLE_VALUE},                                                                                     \
        {"perplexity_change", FQ_VALUE_REAL, 0, "1", "perplexity - perplexity_reference", FQ_ROLE_VALUE},    \
        {"perplexity_change_se",                                                                             \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "1",                                                                                                \
         "standard error of it, from the paired losses (delta method)",                                      \
         FQ_ROLE_VALUE},                                                                                     \
        {"kl",                                                                                               \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "nat per token",                                                                                    \
         "KL divergence of the compressed model from the uncompressed one",                                  \
         FQ_ROLE_VALUE},                                                                                     \
        {"kl_se", FQ_VALUE_REAL, 0, "nat per token", "standard error over windows", FQ_ROLE_VALUE},          \
        {"agreement",  FQ_VALUE_REAL, 0, "1", "fraction of positions with the same most likely token",       \
         FQ_ROLE_VALUE},                                                                                     \
        {"agreement_se", FQ_VALUE_REAL, 0, "1", "standard error over windows", FQ_ROLE_VALUE},               \
        {"key_cosine", FQ_VALUE_REAL, 0, "1", "mean cosine of a key and what is read of it when it is old",  \
         FQ_ROLE_VALUE},                                                                                     \
        {"key_cosine_se", FQ_VALUE_REAL, 0, "1", "standard error over windows", FQ_ROLE_VALUE},              \
        {"score_noise",                                                                                      \
         FQ_VALUE_REAL,                                                                                      \
         0,                                                                                                  \
         "score units",                                                                                      \
         "root mean square over queries of the scatter, over keys, of the error of <q, k> / sqrt d",         \
         FQ_ROLE_VALUE},                                                                                     \
        {"score_noise_se", FQ_VALUE_REAL, 0, "score units", "standard error over windows", FQ_ROLE_VALUE},   \
        {"scored", FQ_VALUE_INTEGER, 0, "1", "tokens scored", FQ_ROLE_VALUE},                                \
        {"model_name", FQ_VALUE_TEXT, 64, "", "the checkpoint's name for the model", FQ_ROLE_VALUE},         \
        {"text_name", FQ_VALUE_TEXT, 64, "", "file name of the text", FQ_ROLE_VALUE}, {                      \
        "protocol", FQ_VALUE_TEXT, 160, "", "how windows were run", FQ_ROLE_VALUE                            \
    }

FQ_MUST_CHECK fq_status fq_text_windows_check(const fq_point *point);
fq_point_cost fq_text_windows_cost(const fq_point *point);

/* The model and the text that a point names (parameters model and text), loaded once a worker. */
FQ_MUST_CHECK fq_status fq_text_windows_model(const fq_model_text **m, fq_resources *resources,
                                              const fq_point *point);

/* What a point's run went through; it belongs to the resources. */
typedef struct fq_text_windows {
    const fq_model_text *m; /* without the offset */
    fq_transformer model;   /* with it; m's tensors */
    size_t length, count;
    const uint32_t *tokens; /* [count][length] */
    const float *hidden;    /* [count][length][width]: uncompressed */
    /* Of the uncompressed keys, mean and standard error over key-value heads: |mean key|^2 over the mean of
     * |key|^2, both over all tokens of all windows; before and after the position encoding. */
    fq_estimate shared_before, shared_after;
} fq_text_windows;

/* Runs the point with key_offset (transformer.h) in compressed and uncompressed model alike: one row with the
 * columns above. FQ_ERR_INPUT for a text that is too short. Beside the model's own cost, scores of all
 * queries on all keys once more for score_noise. */
FQ_MUST_CHECK fq_status fq_text_windows_run(fq_text_windows *windows, const fq_point *point,
                                            fq_resources *resources, fq_rows *rows, float key_offset);

#endif
