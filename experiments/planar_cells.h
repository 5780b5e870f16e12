/* Voronoi cells of a planar codebook, as convex polygons. */
#ifndef FQ_PLANAR_CELLS_H
#define FQ_PLANAR_CELLS_H

#include <stddef.h>

#include "status.h"

/* A polygon gains at most one corner for each bisector that cuts it. */
enum { FQ_CELL_BORDER = 96 };

typedef struct fq_planar_cell {
    double (*corner)[2]; /* [corners][2], counter-clockwise; owned */
    size_t corners;      /* 0 if the cell does not meet the disc */
} fq_planar_cell;

/* The cell of words[which] among words[codewords][2], cut to the regular polygon of FQ_CELL_BORDER
 * corners inscribed in the circle of that radius about the origin. Of equal words only the first has
 * a cell. Cost codewords times the number of corners. Free with fq_planar_cell_clear. */
FQ_MUST_CHECK fq_status fq_planar_cell_make(fq_planar_cell *cell, const float *words, size_t codewords,
                                            size_t which, double radius);
void fq_planar_cell_clear(fq_planar_cell *cell);

/* Area, by the shoelace formula. */
double fq_planar_cell_area(const fq_planar_cell *cell);

#endif
