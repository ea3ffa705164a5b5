/* Globs over paths. */
#include <string.h>

#include "rule.h"

/* Where to go on after a mismatch: the pattern behind the last star, the text from which it is to
 * be tried next. */
typedef struct retry {
    const char *glob, *text;
    bool components; /* the star takes whole components */
} retry;

/* Lets a double star take more. False when there is no more. */
static bool widen(retry *star)
{
    if (star->glob == NULL || *star->text == '\0') {
        return false;
    }
    if (star->components) {
        const char *slash = strchr(star->text, '/');
        if (slash == NULL) {
            return false;
        }
        star->text = slash;
    }
    star->text++;
    return true;
}

/* What most globs end in: a double star, which takes any or whole components, and plain characters.
 */
static bool ends_in(const char *text, const char *tail, bool components)
{
    size_t length = strlen(text), wanted = strlen(tail);
    if (length < wanted || memcmp(text + length - wanted, tail, wanted) != 0) {
        return false;
    }
    return !components || length == wanted || text[length - wanted - 1] == '/';
}

/* Only the last star of each kind needs another try: what an earlier one could take instead, the
 * last one can take as well. So the time is at most glob times path, not exponential. */
bool fault_glob_match(const char *glob, const char *text)
{
    const char *begin = glob;
    retry one = {0}, two = {0};

    for (;;) {
        if (glob[0] == '*' && glob[1] == '*') {
            bool components = (glob == begin || glob[-1] == '/') && glob[2] == '/';
            two = (retry){glob + (components ? 3 : 2), text, components};
            if (strpbrk(two.glob, "*?") == NULL) {
                return ends_in(text, two.glob, components);
            }
            one = (retry){0};
            glob = two.glob;
        } else if (glob[0] == '*') {
            one = (retry){glob + 1, text, false};
            glob++;
        } else if (*text == '\0' && *glob == '\0') {
            return true;
        } else if (*text != '\0' && (*glob == *text || (*glob == '?' && *text != '/'))) {
            glob++;
            text++;
        } else if (one.glob != NULL && *one.text != '\0' && *one.text != '/') {
            glob = one.glob;
            text = ++one.text;
        } else if (widen(&two)) {
            one = (retry){0};
            glob = two.glob;
            text = two.text;
        } else {
            return false;
        }
    }
}
