/* Damages a good file in many ways and sees what a reader makes of it. */
#ifndef FQ_HOSTILE_H
#define FQ_HOSTILE_H

#include "status.h"

/* read(path, context): FQ_OK only if the damaged file still says exactly what the good one did where
 * the format can tell. Checks, through CUnit:
 *  - cut off at every 512 bytes, at 0, 1 and length-1: FQ_ERR_INPUT;
 *  - with 1, 512 and 65536 bytes appended: FQ_ERR_INPUT;
 *  - with one bit flipped (every byte of the first 96 once: the superblock, then flips x multiplier random
 * places): FQ_OK or FQ_ERR_INPUT;
 *  - with 8 bytes set to 0xff or to zero at random places: the same.
 * Every refusal must name the file. Returns how many damaged files were accepted. */
size_t fq_hostile_files(const char *good_path, unsigned flips,
                        fq_status (*read)(const char *path, void *context), void *context);

#endif
