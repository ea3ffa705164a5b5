/* What nearly every method asks first: are the flags known, is the environment open. */
#include "internal.h"

#include <errno.h>

int ref_bdb_check_flags(ref_bdb_env *env, const char *method, u_int32_t flags, u_int32_t allowed,
    const ref_bdb_name *missing)
{
    u_int32_t wrong = flags & ~allowed;

    if (wrong == 0) {
        return 0;
    }
    for (; missing != NULL && missing->value != 0; missing++) {
        if ((wrong & missing->value) != 0) {
            return ref_bdb_refuse(env, EINVAL, method, "%s is not in this version", missing->name);
        }
    }
    return ref_bdb_refuse(env, EINVAL, method, "unknown flag 0x%x", (unsigned)wrong);
}

int ref_bdb_check_one_of(ref_bdb_env *env, const char *method, u_int32_t flags, u_int32_t bits)
{
    u_int32_t set = flags & bits;

    if ((set & (set - 1)) == 0) {
        return 0;
    }
    return ref_bdb_refuse(env, EINVAL, method, "flags 0x%x exclude one another", (unsigned)set);
}

int ref_bdb_check_open(ref_bdb_env *env, const char *method)
{
    if (env->engine != NULL) {
        return 0;
    }
    return ref_bdb_refuse(env, EINVAL, method, "only after DB_ENV->open");
}

int ref_bdb_check_not_open(ref_bdb_env *env, const char *method)
{
    if (env->engine == NULL) {
        return 0;
    }
    return ref_bdb_refuse(env, EINVAL, method, "not after DB_ENV->open");
}

int ref_bdb_check_file(ref_bdb_env *env, const char *method, const char *file, const char *database)
{
    if (file == NULL) {
        return ref_bdb_refuse(
            env, EINVAL, method, "a database in memory (file NULL) is not in this version");
    }
    if (file[0] == '\0') {
        return ref_bdb_refuse(env, EINVAL, method, "the file name is empty");
    }
    if (database != NULL) {
        return ref_bdb_refuse(env, EINVAL, method,
            "%s: several databases in one file (database \"%s\") are not in this version", file,
            database);
    }
    return 0;
}
