/* A program that knows fibquant only as installed. Usage: consumer [CODEBOOK.h5]
 *
 * Encodes vectors and decodes them by words handed over in memory, which needs libfibquant alone; by a
 * codebook that libfibquant_training makes (built with WITH_TRAINING), and without it is told so; and, given
 * a file of `fibquant codebook` (built with WITH_HDF5), by the words of that file. No thread is started but
 * the caller's.
 */
#include <math.h>
#include <memory.h> /* the system's: memset */
#include <search.h> /* the system's: hcreate */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <dirent.h>

#include <fibquant/codec.h>
#include <fibquant/threads.h>
#ifdef WITH_TRAINING
#include <fibquant/codebook_training.h>
#endif
#ifdef WITH_HDF5
#include <fibquant/codebook_hdf5.h>
#endif

enum { N = 3, MANY = 2000, DIM = 64 };

static int failed(const char *what) {
    char why[FQ_ERROR_LINE_MAX];
    fprintf(stderr, "%s: %s\n", what, fq_error_text(why, sizeof why, fq_error_last()));
    return 1;
}

/* |x - y|^2 / |x|^2 over the vectors of x there and back, or -1. */
static double there_and_back(const fq_codec *codec, const float *x, size_t n) {
    uint8_t *codes = malloc(n * fq_codec_get_cost(codec).code_bytes);
    float *back = malloc(n * DIM * sizeof *back);
    double error = 0, power = 0;
    const bool good = codes && back && fq_codec_encode(codec, codes, x, n) == FQ_OK &&
                      fq_codec_decode(codec, back, codes, n) == FQ_OK;
    for (size_t i = 0; good && i < n * DIM; i++) {
        error += ((double)x[i] - (double)back[i]) * ((double)x[i] - (double)back[i]);
        power += (double)x[i] * (double)x[i];
    }
    free(codes);
    free(back);
    return good ? error / power : -1;
}

/* The distortion by a codebook of the caller's, or -1. */
static double by_codebook(const fq_codebook *codebook, const float *x, size_t n) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    char name[80];
    snprintf(name, sizeof name, "fib:k=%zu,N=%zu", codebook->block, codebook->codewords);
    if (fq_codec_spec_parse(&spec, name) != FQ_OK ||
        fq_codec_create(&codec, &spec, DIM, &(fq_codec_parts){.codebook = codebook}) != FQ_OK)
        return -1;
    const double distortion = there_and_back(codec, x, n);
    fq_codec_destroy(codec);
    return distortion;
}

static int threads_of_this_process(void) {
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

/* Four words of one coordinate each, from memory: the Lloyd-Max code of d = 64 to three digits. */
static int words_in_memory(const float *x) {
    const float words[4] = {-0.187F, -0.0561F, 0.0561F, 0.187F}, too_long[1] = {1.5F};
    fq_codebook codebook;
    char why[FQ_ERROR_LINE_MAX];
    fq_codebook_init(&codebook);
    if (fq_codebook_set(&codebook, DIM, 1, 1, too_long, FQ_RECIPE_PRODUCT, 1) != FQ_ERR_RANGE)
        return failed("a word outside the unit ball was taken");
    printf("refused: %s\n", fq_error_text(why, sizeof why, fq_error_last()));
    if (fq_codebook_set(&codebook, DIM, 1, 4, words, FQ_RECIPE_PRODUCT, 1) != FQ_OK)
        return failed("words in memory");
    const double distortion = by_codebook(&codebook, x, MANY);
    fq_codebook_clear(&codebook);
    printf("2 bits, words from memory: D = %.4f\n", distortion);
    return distortion > 0.10 && distortion < 0.13 ? 0 : failed("words in memory"); /* 0.1145 in the mean */
}

/* A pool of one thread that does the workers' shares one after the other, and counts them. */
static void run_in_turn(void *count, size_t workers, void (*work)(void *job, size_t worker), void *job) {
    for (size_t w = workers; w-- > 0;)
        work(job, w);
    *(size_t *)count += workers;
}

static size_t five(void *count) {
    (void)count;
    return 5;
}

/* The same bytes whoever does the work. */
static int by_a_pool_of_ours(const float *x) {
    size_t shares = 0;
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    uint8_t *codes = malloc(2 * MANY * 64);
    if (fq_codec_spec_parse(&spec, "trellis:b=2") != FQ_OK ||
        fq_codec_create(&codec, &spec, DIM, NULL) != FQ_OK || !codes ||
        fq_codec_encode(codec, codes, x, MANY) != FQ_OK)
        return failed("trellis");
    const size_t bytes = MANY * fq_codec_get_cost(codec).code_bytes;
    fq_threads_use(&(fq_pool){.run = run_in_turn, .workers = five, .context = &shares});
    if (fq_codec_encode(codec, codes + bytes, x, MANY) != FQ_OK || memcmp(codes, codes + bytes, bytes) != 0 ||
        shares != 5)
        return failed("pool");
    fq_threads_use(NULL);
    fq_codec_destroy(codec);
    free(codes);
    printf("trellis code of %zu bytes a vector, the same from a pool of the caller's\n", bytes / MANY);
    return 0;
}

#ifdef WITH_HDF5
static int words_in_a_file(const float *x, const char *path) {
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    if (fq_codebook_hdf5_read(&codebook, "no such file.h5") != FQ_ERR_INPUT || codebook.words)
        return failed("a file that is not there was read");
    failed("as it should");
    if (fq_codebook_hdf5_read(&codebook, path) != FQ_OK)
        return failed(path);
    const double distortion = by_codebook(&codebook, x, MANY);
    printf("%s: D = %.4f here, %.4f +- %.4f as it says\n", path, distortion, codebook.distortion,
           codebook.distortion_se);
    const int bad = !(fabs(distortion / codebook.distortion - 1) < 0.03) ||
                    fq_codebook_hdf5_write("again.h5", &codebook) != FQ_OK;
    fq_codebook_clear(&codebook);
    return bad ? failed(path) : 0;
}
#endif

int main(int count, char **arguments) {
    static float x[MANY * DIM];
    const int threads = threads_of_this_process();
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    if (!hcreate(4))
        return 1;
    memset(x, 0, sizeof x);
    uint64_t state = 1; /* sums of twelve uniform numbers: nearly normal */
    for (size_t i = 0; i < MANY * DIM; i++)
        for (int j = 0; j < 12; j++) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            x[i] += (float)(state >> 40) / (float)(1 << 24) - 0.5F;
        }
    if (fq_codec_spec_parse(&spec, "fib:k=2,N=256,recipe=initial") != FQ_OK)
        return failed("fib");
    if (fq_codec_create(&codec, &spec, DIM, NULL) != FQ_ERR_UNSUPPORTED || codec)
        return failed("a codebook came from nowhere");
    failed("as it should");
    if (words_in_memory(x) != 0 || by_a_pool_of_ours(x) != 0)
        return 1;
    if (threads_of_this_process() != threads)
        return failed("threads were started");
#ifdef WITH_TRAINING
    fq_training_install();
    fq_threads_set(1);
    if (fq_codec_create(&codec, &spec, DIM, NULL) != FQ_OK)
        return failed("fib");
    const double distortion = there_and_back(codec, x, MANY);
    fq_codec_destroy(codec);
    printf("4 bits: D = %.5f\n", distortion);
    if (!(distortion > 0 && distortion < 0.0085))
        return failed("D");
#endif
    if (threads_of_this_process() != threads)
        return failed("threads were started");
#ifdef WITH_HDF5
    if (count > 1 && words_in_a_file(x, arguments[1]) != 0)
        return 1;
#else
    (void)count, (void)arguments;
#endif
    return 0;
}
