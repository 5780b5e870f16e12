/* Runs a fuzz target over the files of folders, for compilers without libFuzzer: replay FOLDER...
 * Exit 0 only if there was at least one file. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A target need not have this one. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        return -1;
    const long length = ftell(file);
    rewind(file);
    uint8_t *bytes = length >= 0 ? malloc((size_t)length + 1) : NULL;
    const int failed = !bytes || fread(bytes, 1, (size_t)length, file) != (size_t)length;
    fclose(file);
    if (!failed)
        (void)LLVMFuzzerTestOneInput(bytes, (size_t)length);
    free(bytes);
    return failed ? -1 : 0;
}

int main(int argc, char **argv) {
    size_t files = 0;
    if (LLVMFuzzerInitialize)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        for (const struct dirent *entry; folder && (entry = readdir(folder));) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (run_file(path) != 0) {
                perror(path);
                return 1;
            }
            files++;
        }
        if (folder)
            closedir(folder);
    }
    printf("%zu files\n", files);
    return files > 0 ? 0 : 1;
}
