/* Where words go: the program's callback, its stream, or stderr as long as it has chosen neither. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Appends text as by printf to a malloc'd string; frees it and gives NULL without memory. */
static char *append(char *text, const char *format, va_list args)
{
    size_t used = text == NULL ? 0 : strlen(text);
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *grown = length < 0 ? NULL : realloc(text, used + (size_t)length + 1);
    if (grown == NULL) {
        free(text);
        return NULL;
    }
    (void)vsnprintf(grown + used, (size_t)length + 1, format, args);
    return grown;
}

static char *appendf(char *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text = append(text, format, args);
    va_end(args);
    return text;
}

/* from_program: goes to stderr even when another way was chosen and then taken back. */
static void send_error(ref_bdb_env *env, bool from_program, const char *text)
{
    void (*call)(const DB_ENV *, const char *, const char *) = NULL;
    const char *prefix = NULL;
    FILE *stream = NULL;
    bool by_default = true;

    if (text == NULL) {
        text = "no memory for the message";
    }
    if (env != NULL) {
        (void)pthread_mutex_lock(&env->lock);
        call = env->errcall;
        stream = env->errfile;
        prefix = env->errpfx;
        by_default = call == NULL && (from_program || !env->output_chosen);
        (void)pthread_mutex_unlock(&env->lock);
    }
    if (call != NULL) {
        call(&env->handle, prefix, text);
    }
    if (stream == NULL && by_default) {
        stream = stderr;
    }
    if (stream != NULL) {
        (void)fprintf(
            stream, "%s%s%s\n", prefix == NULL ? "" : prefix, prefix == NULL ? "" : ": ", text);
        (void)fflush(stream);
    }
}

int ref_bdb_refuse(ref_bdb_env *env, int error, const char *method, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = appendf(NULL, "%s: ", method);
    if (text != NULL) {
        text = append(text, format, args);
    }
    va_end(args);
    send_error(env, false, text);
    free(text);
    return error;
}

static bool everyday(int value)
{
    return value == 0 || value == DB_NOTFOUND || value == DB_KEYEXIST || value == DB_KEYEMPTY ||
           value == DB_BUFFER_SMALL || value == DB_LOCK_DEADLOCK || value == DB_LOCK_NOTGRANTED;
}

int ref_bdb_result_as(ref_bdb_env *env, const char *method, int value)
{
    if (!everyday(value)) {
        const char *words = ref_error_text();

        (void)ref_bdb_refuse(
            env, value, method, "%s", words[0] == '\0' ? db_strerror(value) : words);
    }
    return value;
}

int ref_bdb_result(ref_bdb_env *env, const char *method, int result)
{
    return ref_bdb_result_as(env, method, ref_bdb_error(env, result));
}

void ref_bdb_message(ref_bdb_env *env, const char *line)
{
    (void)pthread_mutex_lock(&env->lock);
    void (*call)(const DB_ENV *, const char *) = env->msgcall;
    FILE *stream = env->msgfile;
    (void)pthread_mutex_unlock(&env->lock);
    if (call != NULL) {
        call(&env->handle, line);
    }
    if (stream != NULL) {
        (void)fprintf(stream, "%s\n", line);
        (void)fflush(stream);
    }
}

void ref_bdb_program_error(
    ref_bdb_env *env, bool with_error, int error, const char *format, va_list args)
{
    char *text = appendf(NULL, "%s", "");

    if (text != NULL && format != NULL) {
        text = append(text, format, args);
    }
    if (text != NULL && with_error) {
        text = appendf(text, "%s%s", format == NULL ? "" : ": ", db_strerror(error));
    }
    send_error(env, true, text);
    free(text);
}

void ref_bdb_set_errfile(ref_bdb_env *env, FILE *stream)
{
    (void)pthread_mutex_lock(&env->lock);
    env->errfile = stream;
    env->output_chosen = true;
    (void)pthread_mutex_unlock(&env->lock);
}

void ref_bdb_set_errpfx(ref_bdb_env *env, const char *prefix)
{
    (void)pthread_mutex_lock(&env->lock);
    env->errpfx = prefix;
    (void)pthread_mutex_unlock(&env->lock);
}

static void set_errcall(
    DB_ENV *handle, void (*function)(const DB_ENV *, const char *, const char *))
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    (void)pthread_mutex_lock(&env->lock);
    env->errcall = function;
    env->output_chosen = true;
    (void)pthread_mutex_unlock(&env->lock);
}

static void set_errfile(DB_ENV *handle, FILE *stream)
{
    ref_bdb_set_errfile(ref_bdb_env_of(handle), stream);
}

static void set_errpfx(DB_ENV *handle, const char *prefix)
{
    ref_bdb_set_errpfx(ref_bdb_env_of(handle), prefix);
}

static void set_msgcall(DB_ENV *handle, void (*function)(const DB_ENV *, const char *))
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    (void)pthread_mutex_lock(&env->lock);
    env->msgcall = function;
    (void)pthread_mutex_unlock(&env->lock);
}

static void set_msgfile(DB_ENV *handle, FILE *stream)
{
    ref_bdb_env *env = ref_bdb_env_of(handle);

    (void)pthread_mutex_lock(&env->lock);
    env->msgfile = stream;
    (void)pthread_mutex_unlock(&env->lock);
}

static void env_err(const DB_ENV *handle, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ref_bdb_program_error(ref_bdb_env_of(handle), true, error, format, args);
    va_end(args);
}

static void env_errx(const DB_ENV *handle, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ref_bdb_program_error(ref_bdb_env_of(handle), false, 0, format, args);
    va_end(args);
}

void ref_bdb_install_messages(DB_ENV *handle)
{
    handle->set_errcall = set_errcall;
    handle->set_errfile = set_errfile;
    handle->set_errpfx = set_errpfx;
    handle->set_msgcall = set_msgcall;
    handle->set_msgfile = set_msgfile;
    handle->err = env_err;
    handle->errx = env_errx;
}
