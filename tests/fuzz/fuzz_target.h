/* What a fuzz target defines: returns 0; crashes, sanitizer reports and failed asserts are the finds. */
#ifndef FQ_FUZZ_TARGET_H
#define FQ_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program if a property does not hold, also where assert is compiled out. */
#define FQ_FUZZ_REQUIRE(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
