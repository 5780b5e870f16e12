/* A command of the program: one file verb_<name>.c each, one line in verbs.def. */
#ifndef FQ_VERB_H
#define FQ_VERB_H

#include <stdio.h>

typedef struct fq_verb {
    const char *name;
    const char *summary;                     /* one line for `fibquant --help` */
    int (*run)(int argc, const char **argv); /* argv[0] is "fibquant NAME"; returns the exit status */
} fq_verb;

/* The table verbs.def: the verb of a name (NULL if there is none), the overview of all, and what is said to a
 * name that no verb has, in one line naming the nearest; that returns exit status 2. */
const fq_verb *fq_verb_find(const char *name);
void fq_verb_print_all(FILE *to);
int fq_verb_unknown(const char *given);

/* Exit status of a verb that a signal stopped after a clean flush: 130 for Ctrl-C, 143 for SIGTERM and
 * others. */
int fq_verb_interrupted(int signal_number);

/* Prints the calling thread's error record to standard error as one line, prefixed
 * "fibquant NAME: ", and returns the exit status that goes with it. */
int fq_verb_fail(const char *verb_name);

#endif
