/* The record of a run: see record.h. */
#include "record.h"

#include "clauses.h"
#include "directory.h"
#include "host.h"
#include "isolate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, hp_json_text(text));
}

json_t *hp_record_now(void)
{
    char text[32];
    time_t now = time(NULL);
    struct tm parts;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    return json_string(text);
}

/* The link is for people who look for the last run; a file of that name in its place is left alone.
 */
static void point_latest(const char *out, const char *name)
{
    char *next = hp_format("%s/.latest.%ld", out, (long)getpid());
    char *latest = hp_format("%s/latest", out);
    if (symlink(name, next) == 0 && rename(next, latest) != 0) {
        unlink(next);
    }
    free(next);
    free(latest);
}

int hp_record_open(const char *out, hp_record *record, hp_error *error)
{
    char stamp[32];
    time_t now = time(NULL);
    struct tm parts;
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &parts));
    char *name = hp_format("%s-%ld", stamp, (long)getpid());
    *record = (hp_record){0};
    record->directory = hp_format("%s/%s", out, name);
    record->path = hp_format("%s/record.ndjson", record->directory);
    record->logs = hp_format("%s/log", record->directory);
    int status = 0;
    if (hp_directory_make(record->logs) != 0) {
        status = hp_fail(error, "%s: %s", record->logs, strerror(errno));
    } else if ((record->file = fopen(record->path, "axe")) == NULL) {
        status = hp_fail(error, "%s: %s", record->path, strerror(errno));
    } else {
        point_latest(out, name);
    }
    free(name);
    return status;
}

void hp_record_write(hp_record *record, json_t *object)
{
    if (json_dumpf(object, record->file, JSON_COMPACT) != 0 || putc('\n', record->file) == EOF ||
        fflush(record->file) != 0) {
        record->failed = record->failed != 0 ? record->failed : errno != 0 ? errno : EIO;
    }
    json_decref(object);
}

int hp_record_close(hp_record *record, hp_error *error)
{
    int status = 0;
    if (record->file != NULL && fclose(record->file) != 0 && record->failed == 0) {
        record->failed = errno;
    }
    if (record->failed != 0) {
        status = hp_fail(error, "%s: %s", record->path, strerror(record->failed));
    }
    free(record->directory);
    free(record->path);
    free(record->logs);
    *record = (hp_record){0};
    return status;
}

static json_t *engines_json(const hp_record_start *start)
{
    json_t *all = json_array();
    for (size_t i = 0; i < start->engines->count; i++) {
        json_t *about = json_deep_copy(start->engines->items[i].about);
        if (start->expectations[i].count > 0) {
            set_text(about, "expectations", start->expectations[i].file);
        }
        json_array_append_new(all, about);
    }
    return all;
}

static json_t *absent_json(const hp_engine_list *engines)
{
    json_t *all = json_array();
    for (size_t i = 0; i < engines->absent_count; i++) {
        json_t *about = json_object();
        set_text(about, "engine", engines->absent[i]->name);
        set_text(about, "profile", engines->absent[i]->profile);
        set_text(about, "package", engines->absent[i]->package);
        json_array_append_new(all, about);
    }
    return all;
}

void hp_record_header(hp_record *record, const hp_record_start *start)
{
    char isolation[128];
    hp_isolation_text(hp_isolation_probe(), isolation, sizeof isolation);
    char *revision = hp_host_revision();
    json_t *header = json_object();
    set_text(header, "type", "header");
    json_object_set_new(header, "format", json_integer(1));
    set_text(header, "hotproof", HOTPROOF_VERSION);
    set_text(header, "revision", revision);
    set_text(header, "build", HOTPROOF_BUILD);
    json_object_set_new(header, "started", hp_record_now());
    set_text(header, "command", start->options->command_line);
    json_object_set_new(header, "seed", json_integer((json_int_t)start->options->seed));
    json_object_set_new(header, "shuffle",
        start->options->shuffle ? json_integer((json_int_t)start->options->shuffle_seed)
                                : json_null());
    json_object_set_new(header, "strict", json_boolean(start->options->strict));
    json_object_set_new(header, "timeout_scale", json_real(start->options->timeout_scale));
    json_object_set_new(header, "jobs", json_integer(start->options->jobs));
    json_object_set_new(header, "planned", json_integer((json_int_t)start->planned));
    set_text(header, "isolation", isolation);
    set_text(header, "work", start->work);
    json_object_set_new(header, "host", hp_host_json(start->work));
    json_object_set_new(header, "engines", engines_json(start));
    json_object_set_new(header, "not_installed", absent_json(start->engines));
    json_object_set_new(header, "clauses", hp_clauses_json());
    free(revision);
    hp_record_write(record, header);
}

size_t hp_record_stale(
    hp_record *record, const hp_engine_info *engine, const hp_expectations *expectations)
{
    size_t stale = 0;
    for (size_t i = 0; i < expectations->count; i++) {
        const hp_departure *line = &expectations->items[i];
        if (hp_engine_find(engine, line->name) == NULL) {
            json_t *object = json_object();
            set_text(object, "type", "stale");
            set_text(object, "engine", engine->name);
            set_text(object, "case", line->name);
            set_text(object, "file", expectations->file);
            json_object_set_new(object, "line", json_integer(line->line));
            hp_record_write(record, object);
            stale++;
        }
    }
    return stale;
}

static char *reproducer(const hp_record_result *result)
{
    const char *program = getenv("HOTPROOF_COMMAND");
    const char *module = strrchr(result->engine->module, '/');
    char *own = hp_engine_module(result->engine->name);
    char *real = realpath(own, NULL);
    int shipped = module != NULL && real != NULL && strcmp(real, result->engine->module) == 0;
    char *engine = hp_shell_word(shipped ? result->engine->name : result->engine->module);
    char *name = hp_shell_word(result->one->name);
    char scale[48] = "";
    if (result->timeout_scale < 1.0 || result->timeout_scale > 1.0) {
        snprintf(scale, sizeof scale, " --timeout-scale %g", result->timeout_scale);
    }
    char *line = hp_format("%s --engine %s --case %s --seed %" PRIu64 "%s --keep",
        program != NULL ? program : "hotproof check", engine, name, result->seed, scale);
    free(own);
    free(real);
    free(engine);
    free(name);
    return line;
}

static void set_departure(json_t *object, const hp_departure *departure)
{
    if (departure == NULL) {
        return;
    }
    json_t *about = json_object();
    set_text(about, "since", departure->since);
    set_text(about, "reason", departure->reason);
    set_text(about, "reference", departure->reference);
    json_object_set_new(about, "line", json_integer(departure->line));
    json_object_set_new(about, "unstable", json_boolean(departure->unstable));
    json_object_set_new(object, "departure", about);
}

static json_t *strings_json(const char *const *strings, size_t count)
{
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(all, hp_json_text(strings[i]));
    }
    return all;
}

void hp_record_case(hp_record *record, const hp_record_result *result)
{
    const hp_judgement *judgement = result->judgement;
    char *line = reproducer(result);
    json_t *object = json_object();
    set_text(object, "type", "result");
    set_text(object, "engine", result->engine->name);
    set_text(object, "case", result->one->name);
    json_object_set_new(object, "repetition", json_integer(result->repetition));
    set_text(object, "result", hp_result_name(result->result));
    set_text(object, "raw", hp_result_name(judgement->raw));
    set_text(object, "message", judgement->message);
    set_text(object, "where", judgement->where);
    set_text(object, "source", result->one->file);
    json_object_set_new(object, "source_line", json_integer(result->one->line));
    json_object_set_new(
        object, "clauses", strings_json(result->one->clauses, result->one->clause_count));
    json_object_set_new(object, "asserted",
        strings_json((const char *const *)judgement->marks, judgement->mark_count));
    set_text(object, "blame", judgement->raw == HP_RESULT_PASS ? "" : judgement->blame);
    json_object_set_new(object, "signal", json_integer(judgement->signal));
    json_object_set_new(object, "duration_s", json_real(result->duration_s));
    json_object_set_new(object, "strays", json_integer(result->strays));
    set_departure(object, result->departure);
    set_text(object, "log", result->log);
    if (judgement->raw != HP_RESULT_PASS) {
        set_text(object, "log_tail", result->log_tail);
    }
    set_text(object, "directory", result->directory != NULL ? result->directory : "");
    set_text(object, "reproduce", line);
    free(line);
    hp_record_write(record, object);
}
