/* Which file a name leads to, whether or not it is there yet. */
#ifndef FQ_FILE_PLACE_H
#define FQ_FILE_PLACE_H

#include "status.h"

enum { FQ_PATH_MAX = 4096 };

/* target = path with the links of its last part followed, one after another, to what is no link or is not
 * there: the name to write for a path that may be a link. FQ_ERR_OUTPUT for a name that is too long and for
 * links that go round. target may not overlap path. */
FQ_MUST_CHECK fq_status fq_path_follow(char target[FQ_PATH_MAX], const char *path);

/* Whether two names are of one file, by device and inode, so through links of either kind. Names where
 * nothing is yet are the same if, links followed, they are one name in one folder. */
bool fq_same_place(const char *a, const char *b);

#endif
