#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_text[1024];

int ref_fail(int error, const char *format, ...)
{
    va_list args;
    char text[sizeof error_text];

    /* The old text may be an argument of the new one. */
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (error > 0 && length >= 0 && (size_t)length < sizeof text) {
        snprintf(text + length, sizeof text - (size_t)length, ": %s", ref_strerror(error));
    }
    memcpy(error_text, text, sizeof text);
    return error;
}

const char *ref_error_text(void)
{
    return error_text;
}

void ref_error_clear(void)
{
    error_text[0] = '\0';
}

const char *ref_strerror(int error)
{
    switch (error) {
    case 0:
        return "success";
#define X(name, value, text) \
    case name:               \
        return text;
        REF_ERROR_MAP(X)
#undef X
    default:
        return strerror(error);
    }
}
