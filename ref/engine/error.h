/*
 * Results of the engine's functions, and the one place where a failure gets its words.
 *
 * Every function that can fail returns an int: 0 for success, a positive errno value for what the
 * operating system or the arguments refused, or one of the negative codes below for what only a
 * database can say. A function that fails leaves its out-parameters as documented (NULL or zero
 * unless it says otherwise) and has described the failure, naming file, offset and reason, by
 * ref_fail(). A caller adds words only where it knows more than the callee.
 *
 * The words belong to the calling thread: ref_error_text() is what the last failing call of this
 * thread said.
 */
#ifndef REF_ERROR_H
#define REF_ERROR_H

/* code, value, what strerror would say */
#define REF_ERROR_MAP(X)                                                            \
    X(REF_NOTFOUND, -1, "no such record")                                           \
    X(REF_KEYEXIST, -2, "the key exists already")                                   \
    X(REF_DEADLOCK, -3,                                                             \
        "the transaction would wait for itself or has read what has changed since") \
    X(REF_NOTGRANTED, -4, "the write lock was not granted")                         \
    X(REF_RUNRECOVERY, -5, "the environment has ended: close it, open it again")    \
    X(REF_CORRUPT, -6, "damaged page, log record or control file")                  \
    X(REF_VERSION, -7, "the file's format is unknown to this version")              \
    X(REF_INCOMPLETE, -8, "an unfinished backup")

enum ref_error {
#define X(name, value, text) name = value,
    REF_ERROR_MAP(X)
#undef X
};

/* Records the words for this thread and returns `error`, so that a failure is one line:
 *     return ref_fail(REF_CORRUPT, "%s: page %u: bad checksum", path, pgno);
 * For positive errors the text of errno is appended. */
int ref_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What the last failing call of this thread said; "" when nothing has failed since
 * ref_error_clear(). The text is valid until the thread's next engine call. */
const char *ref_error_text(void);
void ref_error_clear(void);

/* The sentence for any result: one of ours, an errno, or 0. Static storage for ours; never NULL. */
const char *ref_strerror(int error);

#endif
