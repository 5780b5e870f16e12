/* Certificates of codebooks: two numbers between which D of the words lies, by ball arithmetic.
 *
 * k = 2: in closed form to some 30 digits (ball_planar_code.h), N up to 4096. k = 3 to 8: by parts of the
 * source's ball (ball_code_cells.h), the lower side the larger of that and of the bound for every code
 * (every_code.h). At d = 64 and by default the sides are apart, in D, by about
 *   3e-5 (3,8), 1e-4 (3,64), 2e-3 (4,16), 3e-3 (4,256), 1e-2 (6,64), 3e-2 (8,16), 5e-2 (8,256). */
#ifndef FQ_CODE_CERTIFICATE_H
#define FQ_CODE_CERTIFICATE_H

#include "ball.h"
#include "codebook.h"

/* Sets codebook->certificate. parts: about how many are used where k > 2, >= 1000; 0: four million up to k =
 * 4, one million beyond. FQ_ERR_UNSUPPORTED for sizes outside of the above, k = d, and in a build without
 * Arb. Cost: k = 2 N^2 microseconds; else seconds, and at (8,256) half a minute. */
FQ_MUST_CHECK fq_status fq_codebook_certify(fq_codebook *codebook, double parts);

/* The same, and without Arb an estimate from doubles, by parts for k = 2 too: for claims. */
FQ_MUST_CHECK fq_status fq_codebook_enclose(fq_codebook *codebook, double parts);

bool fq_codebook_is_certified(const fq_codebook *codebook);

/* D of the scalar Lloyd-Max code with an even number of levels, enclosed (ball_scalar.h): D of the product
 * code of any k. FQ_ERR_ARGUMENT for d < 3 and levels that are odd or above 256. */
FQ_MUST_CHECK fq_status fq_product_code_enclosure(double *low, double *high, size_t dim, size_t levels);

#endif
