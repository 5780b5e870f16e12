/* Part of search_kernel_avx2.c and search_kernel_avx512.c. */
TARGET static inline __attribute__((always_inline)) uint32_t
first_of_eight(const float *lanes, const float *offset, const float *x, float most, size_t block) {
    __m256 score = _mm256_load_ps(offset);
    for (size_t j = 0; j < block; j++)
        score = _mm256_fmadd_ps(_mm256_broadcast_ss(x + j), _mm256_load_ps(lanes + 8 * j), score);
    const int equal = _mm256_movemask_ps(_mm256_cmp_ps(score, _mm256_set1_ps(most), _CMP_EQ_OQ));
    return (uint32_t)__builtin_ctz((unsigned)equal);
}
