/* Directories of the run: see directory.h. */
#include "directory.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int hp_directory_make(const char *path)
{
    char *copy = hp_format("%s", path);
    int status = 0;
    for (char *at = copy + 1; status == 0 && at[-1] != '\0'; at++) {
        if (*at == '/' || *at == '\0') {
            char end = *at;
            *at = '\0';
            status = mkdir(copy, 0755) == 0 || errno == EEXIST ? 0 : -1;
            *at = end;
        }
    }
    free(copy);
    return status;
}

static int remove_entry(int parent, const char *name);

static int remove_content(int fd)
{
    int error = 0;
    DIR *stream = fdopendir(fd);
    if (stream == NULL) {
        error = errno;
        close(fd);
        return error;
    }
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            int failed = remove_entry(dirfd(stream), entry->d_name);
            error = error != 0 ? error : failed;
        }
    }
    closedir(stream);
    return error;
}

/* Returns 0 or an errno value. */
static int remove_entry(int parent, const char *name)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    if (errno != EISDIR && errno != EPERM) {
        return errno;
    }
    (void)fchmodat(parent, name, 0700, 0);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int error = remove_content(fd);
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && error == 0) {
        error = errno;
    }
    return error;
}

int hp_directory_remove(const char *path)
{
    int error = remove_entry(AT_FDCWD, path);
    errno = error;
    return error == 0 ? 0 : -1;
}

char *hp_directory_temporary(const char *parent, hp_error *error)
{
    char *real = realpath(parent, NULL);
    if (real == NULL) {
        hp_fail(error, "%s: %s", parent, strerror(errno));
        return NULL;
    }
    char *path = hp_format("%s/hotproof.XXXXXX", real);
    free(real);
    if (mkdtemp(path) == NULL || chmod(path, 0755) != 0) {
        hp_fail(error, "%s: %s", path, strerror(errno));
        free(path);
        return NULL;
    }
    return path;
}

char *hp_directory_component(const char *name)
{
    char *component = hp_allocate(strlen(name) * 3 + 1, 1);
    char *to = component;
    for (const unsigned char *from = (const unsigned char *)name; *from != '\0'; from++) {
        int plain = isalnum(*from) || *from == '_' || *from == '-' ||
                    (*from == '.' && from != (const unsigned char *)name);
        to += sprintf(to, plain ? "%c" : "%%%02X", *from);
    }
    return component;
}
