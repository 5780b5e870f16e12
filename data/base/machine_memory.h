/* How much memory a process can still have: asked before a file's own numbers decide how much is allocated.
 */
#ifndef FQ_MACHINE_MEMORY_H
#define FQ_MACHINE_MEMORY_H

#include <stdint.h>

/* Bytes: the least of what the system calls available, what the control group (version 1 or 2) leaves, and
 * what the limit of this process's address space leaves; UINT64_MAX where none of them is known. */
uint64_t fq_machine_memory_left(void);

#endif
