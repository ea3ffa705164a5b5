/*
 * Where a case may write: below its own directory, and nowhere else. Two fences, each put up where
 * it can be: Landlock (kernel 5.13 and later), and another user, 65534, if the run was started by
 * root.
 */
#ifndef HP_ISOLATE_H
#define HP_ISOLATE_H

#include <stdbool.h>
#include <stddef.h>

/* What the kernel and the user allow. */
typedef struct hp_isolation {
    int landlock;   /* interface version, 0: none */
    bool user_drop; /* a case runs as HP_CASE_USER */
} hp_isolation;

#define HP_CASE_USER 65534u

hp_isolation hp_isolation_probe(void);

/* The fences in words, for the record: "Landlock 3, uid 65534". */
void hp_isolation_text(hp_isolation isolation, char *text, size_t size);

/*
 * Puts both fences up around the calling process, for good: it may write below `directory`, below
 * `also` (NULL: nothing more) and to the harmless devices; files already open stay writable.
 * `directory` must belong to the case's user already. Sets limits for core dumps and file sizes
 * too. Returns 0, or -1 with the reason in `why`: the process must then not run the case.
 */
int hp_isolate(const char *directory, const char *also, char *why, size_t size);

#endif
