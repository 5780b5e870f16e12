/* HDF5 with every call checked: files built in memory and put in place in one step, attributes and
 * datasets whose type and size are verified before a byte is allocated for them, and a guard for files
 * from strangers.
 *
 * Conventions of all fibquant files: a dataset has the attributes units, axes and description; texts
 * are UTF-8 strings; no object carries a time stamp, so equal contents are equal bytes.
 *
 * What a file must satisfy before it is believed: HDF5 signature at byte 0, or behind a user block of
 * 512, 1024, 2048, ... bytes, a superblock of version 0 to 3 with 8-byte addresses, a length equal to the
 * one in the superblock (neither cut off nor appended to), hard links only, no external or virtual storage,
 * no filter but deflate, shuffle and fletcher32, and for each dataset every chunk written and no more
 * elements than its stored bytes can hold. HDF5 1.10 itself
 * can crash or loop on damaged metadata, so files are first read in a forked child (fq_h5_guard);
 * tests/fuzz/contained/ has such files. What the guard cannot see is a read beyond a buffer inside the
 * library that goes by without a crash.
 *
 * Errors: FQ_ERR_INPUT "FILE: OBJECT: problem" in reading, FQ_ERR_INTERNAL if HDF5 fails in memory,
 * FQ_ERR_OUTPUT in writing. HDF5 is not thread-safe: one thread at a time.
 */
#ifndef FQ_HDF5_UTIL_H
#define FQ_HDF5_UTIL_H

#include <hdf5.h>
#include <stdint.h>

#include "status.h"

/* Closes an identifier of any kind; harmless for one below 0. */
void fq_h5_close(hid_t id);

/* Writing ---------------------------------------------------------------------------------- */

/* *file = a new file in memory. */
FQ_MUST_CHECK fq_status fq_h5_create(hid_t *file);

/* Puts the file in place of path (data/atomic_file.h). Closes file, whatever happens. */
FQ_MUST_CHECK fq_status fq_h5_save(hid_t file, const char *path);

/* *group = a new group. */
FQ_MUST_CHECK fq_status fq_h5_create_group(hid_t *group, hid_t where, const char *name);

/* One text, as an attribute of variable length: h5py gives these to its user as str. */
FQ_MUST_CHECK fq_status fq_h5_write_text(hid_t where, const char *name, const char *text);
FQ_MUST_CHECK fq_status fq_h5_write_u64(hid_t where, const char *name, uint64_t value);
FQ_MUST_CHECK fq_status fq_h5_write_double(hid_t where, const char *name, double value);

/* A type of UTF-8 texts of fixed room; below 0 if HDF5 fails. */
hid_t fq_h5_text_type(size_t bytes);

/* count (>= 1) texts of variable length, which h5py gives to its user as str; a text beyond the limit of
 * attributes as a dataset. */
FQ_MUST_CHECK fq_status fq_h5_write_texts(hid_t where, const char *name, size_t count,
                                          const char *const *texts);
FQ_MUST_CHECK fq_status fq_h5_write_long_text(hid_t where, const char *name, const char *text);
enum { FQ_H5_ATTRIBUTE_TEXT_MAX = 32 * 1024 }; /* from here on a text belongs into a dataset */

/* What every dataset says about itself. */
typedef struct fq_h5_about {
    const char *units, *axes, *description; /* "1", "codeword, coordinate", "..." */
} fq_h5_about;
FQ_MUST_CHECK fq_status fq_h5_write_about(hid_t dataset, const fq_h5_about *about);

/* A contiguous dataset of rank 1 to 3, stored as disk_type, from data of memory_type. *dataset stays
 * open for further attributes; NULL closes it. */
FQ_MUST_CHECK fq_status fq_h5_write_dataset(hid_t *dataset, hid_t where, const char *name, int rank,
                                            const size_t *dims, hid_t disk_type, hid_t memory_type,
                                            const void *data, const fq_h5_about *about);

#define FQ_H5_DIGEST "content_sha256"

/* Attribute content_sha256 of an object: 64 hexadecimal digits over what it holds, as its writer says.
 * replace: where write has put other digits before. */
FQ_MUST_CHECK fq_status fq_h5_write_digest(hid_t object, const char *hex);
FQ_MUST_CHECK fq_status fq_h5_replace_digest(hid_t object, const char *hex);

/* Reading ---------------------------------------------------------------------------------- */

/* A file being read. */
typedef struct fq_h5_file {
    hid_t id;
    const char *path;           /* for messages; not copied */
    uint64_t length;            /* of the file, bytes */
    const unsigned char *bytes; /* the image, if read from memory: not owned */
} fq_h5_file;

/* Opens bytes[length], which must stay, as a file; or a file where it lies. */
FQ_MUST_CHECK fq_status fq_h5_open_bytes(fq_h5_file *file, const char *path, const unsigned char *bytes,
                                         size_t length);
FQ_MUST_CHECK fq_status fq_h5_open_path(fq_h5_file *file, const char *path);
void fq_h5_file_close(fq_h5_file *file);

/* Group or dataset directly below where, through a hard link. object is the name in messages. */
FQ_MUST_CHECK fq_status fq_h5_open_group(const fq_h5_file *file, hid_t *group, hid_t where, const char *name);
bool fq_h5_has(hid_t where, const char *name);

typedef struct fq_h5_shape {
    int rank;
    size_t dims[4];
    size_t elements;  /* their product */
    H5T_class_t kind; /* H5T_FLOAT or H5T_INTEGER */
    size_t bytes;     /* of an element as stored */
    bool native;      /* stored contiguously and unfiltered */
    bool filtered;    /* compressed, say: read it as a whole, because a part costs its chunks every time */
} fq_h5_shape;

/* Dataset of rank dimensions with elements of kind; checked as described above. */
FQ_MUST_CHECK fq_status fq_h5_open_dataset(const fq_h5_file *file, hid_t *dataset, fq_h5_shape *shape,
                                           hid_t where, const char *name, int rank, H5T_class_t kind);

/* To be asked before bytes of memory are allocated for the object: FQ_ERR_MEMORY if the machine has not that
 * many left; otherwise a guarded child (below) may take them, and the time to fill them. */
FQ_MUST_CHECK fq_status fq_h5_make_room(const fq_h5_file *file, const char *object, uint64_t bytes);

/* All elements into data, converted to memory_type. */
FQ_MUST_CHECK fq_status fq_h5_read_dataset(const fq_h5_file *file, hid_t dataset, const char *name,
                                           hid_t memory_type, void *data);

/* Scalar attributes (one-element arrays are taken, too). A text of room bytes or more is refused;
 * a negative or fractional number for u64 as well. object is the name in messages. */
FQ_MUST_CHECK fq_status fq_h5_read_text(const fq_h5_file *file, hid_t where, const char *object,
                                        const char *name, char *text, size_t room);
FQ_MUST_CHECK fq_status fq_h5_read_u64(const fq_h5_file *file, hid_t where, const char *object,
                                       const char *name, uint64_t *value);
FQ_MUST_CHECK fq_status fq_h5_read_double(const fq_h5_file *file, hid_t where, const char *object,
                                          const char *name, double *value);
bool fq_h5_has_attribute(hid_t where, const char *name);

/* FQ_ERR_INPUT if the object has a digest and it is not the one found in its content; name is the object's
 * in messages. Files of other programs have none. */
bool fq_h5_has_digest(hid_t object);
FQ_MUST_CHECK fq_status fq_h5_check_digest(const fq_h5_file *file, hid_t object, const char *name,
                                           const char *found);

/* What the two writers of texts above wrote, or another program with fixed or variable texts: text i at
 * *texts + i * *width, each terminated. The room is the caller's to fq_free, and no larger than the file
 * justifies. */
FQ_MUST_CHECK fq_status fq_h5_read_texts(const fq_h5_file *file, hid_t where, const char *object,
                                         const char *name, size_t count, char **texts, size_t *width);
FQ_MUST_CHECK fq_status fq_h5_read_long_text(const fq_h5_file *file, hid_t where, const char *object,
                                             const char *name, char **text);

/* "FILE: OBJECT: problem". */
#define FQ_H5_MALFORMED(file, object, ...)                                                                   \
    fq_h5_malformed_impl((file)->path, (object), __FILE__, __LINE__, __VA_ARGS__)
#if defined(__GNUC__)
__attribute__((format(printf, 5, 6)))
#endif
fq_status
fq_h5_malformed_impl(const char *path, const char *object, const char *source_file, int source_line,
                     const char *format, ...);

/* Calls check(context) in a child process, with processor time and memory limited by the file's length (and
 * what fq_h5_make_room grants) and all its effects lost with it. FQ_OK if it succeeded there; if it failed,
 * its status and error record; if it crashed or ran away, FQ_ERR_INPUT saying so. check must be deterministic
 * and change nothing outside the process. After fq_h5_guard_on(false) it is called here at once: for fuzz
 * targets that look for such crashes. Cost: a fork and the check. */
FQ_MUST_CHECK fq_status fq_h5_guard(const char *path, fq_status (*check)(void *context), void *context);
void fq_h5_guard_on(bool on);

#endif
