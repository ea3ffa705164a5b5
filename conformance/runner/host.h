/* Where a run takes place: kernel, file system, revision of the kit. */
#ifndef HP_HOST_H
#define HP_HOST_H

#include <jansson.h>

/* A new object {"kernel", "machine", "host_user", "file_system": {"mount", "type", "device",
 * "options"}} for the directory in which the cases run. */
json_t *hp_host_json(const char *directory);

/* `git describe` of the tree that this program was built from, or "unknown". The caller frees it.
 */
char *hp_host_revision(void);

#endif
