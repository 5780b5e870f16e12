/* A command of the program: one file verb_<name>.c each, one line in verbs.def. */
#ifndef FQ_VERB_H
#define FQ_VERB_H

typedef struct fq_verb {
    const char *name;
    const char *summary;                     /* one line for `fibquant --help` */
    int (*run)(int argc, const char **argv); /* argv[0] is "fibquant NAME"; returns the exit status */
} fq_verb;

/* Prints the calling thread's error record to standard error as one line, prefixed
 * "fibquant NAME: ", and returns the exit status that goes with it. */
int fq_verb_fail(const char *verb_name);

#endif
