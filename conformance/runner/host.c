/* Where a run takes place: see host.h. */
#include "host.h"

#include "capture.h"
#include "text.h"

#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static int lies_below(const char *path, const char *mount)
{
    size_t length = strlen(mount);
    if (strcmp(mount, "/") == 0) {
        return 1;
    }
    return strncmp(path, mount, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

static json_t *file_system(const char *directory)
{
    json_t *about = json_object();
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    char *real = realpath(directory, NULL);
    size_t longest = 0;
    if (mounts != NULL && real != NULL) {
        for (struct mntent *mount; (mount = getmntent(mounts)) != NULL;) {
            /* The later of two mounts on one directory hides the earlier. */
            if (lies_below(real, mount->mnt_dir) && strlen(mount->mnt_dir) >= longest) {
                longest = strlen(mount->mnt_dir);
                json_object_set_new(about, "mount", hp_json_text(mount->mnt_dir));
                json_object_set_new(about, "type", hp_json_text(mount->mnt_type));
                json_object_set_new(about, "device", hp_json_text(mount->mnt_fsname));
                json_object_set_new(about, "options", hp_json_text(mount->mnt_opts));
            }
        }
    }
    if (mounts != NULL) {
        endmntent(mounts);
    }
    free(real);
    return about;
}

json_t *hp_host_json(const char *directory)
{
    struct utsname name;
    json_t *about = json_object();
    if (uname(&name) == 0) {
        char *kernel = hp_format("%s %s %s", name.sysname, name.release, name.version);
        json_object_set_new(about, "kernel", hp_json_text(kernel));
        json_object_set_new(about, "machine", hp_json_text(name.machine));
        free(kernel);
    }
    json_object_set_new(about, "host_user", json_integer(geteuid()));
    json_object_set_new(about, "file_system", file_system(directory));
    return about;
}

char *hp_host_revision(void)
{
    static const char *const argv[] = {
        "git", "-C", HOTPROOF_SOURCE_DIR, "describe", "--always", "--dirty", "--abbrev=12", NULL};
    int status = 0;
    char *text = hp_capture(argv, 0, 10, &status);
    if (text == NULL || status != 0 || text[0] == '\0') {
        free(text);
        return hp_format("unknown");
    }
    text[strcspn(text, "\n")] = '\0';
    return text;
}
