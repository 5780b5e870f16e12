/* Draws the figures of a result store: data file, gnuplot script, PNG, PDF and a side file each.
 *
 * FOLDER/NAME.png, NAME.pdf     the figure
 * FOLDER/data/NAME.tsv, NAME.gp what it was drawn from: `gnuplot NAME.gp` there draws it again
 * FOLDER/NAME.json              what it shows, in which store (SHA-256) and table, the points shown, SHA-256
 * of the other four files, and the command
 */
#ifndef FQ_DRAW_H
#define FQ_DRAW_H

#include "figure.h"
#include "result_file.h"

typedef struct fq_draw_request {
    const char *store_path;
    const fq_results *store;
    const char *folder;  /* made if missing */
    const char *command; /* for the side file */
} fq_draw_request;

/* Draws one figure. All five files are put in place together, when all are whole; on failure none of them is
 * touched. *caption, unless caption is NULL, is what the side file says the figure shows, to be freed.
 * FQ_ERR_OUTPUT if a file could not be written or gnuplot is missing or fails (its first line of complaint
 * is in the record); FQ_ERR_INPUT if the store has nothing that the figure shows. */
FQ_MUST_CHECK fq_status fq_draw(const fq_draw_request *request, const fq_figure *figure, char **caption);

#endif
