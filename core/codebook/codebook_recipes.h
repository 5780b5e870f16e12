/* The recipes' names, for tables of names. */
#ifndef FQ_CODEBOOK_RECIPES_H
#define FQ_CODEBOOK_RECIPES_H

extern const char *const fq_recipe_words[]; /* in the order of fq_recipe; NULL after the last */

#endif
