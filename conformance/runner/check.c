/* The command `hotproof check`: select, run, record, report. */
#include "check.h"

#include "../report/html.h"
#include "../report/terminal.h"
#include "debug.h"
#include "directory.h"
#include "select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything that a run holds, for one exit. */
typedef struct run {
    hp_check_options options;
    hp_rerun rerun; /* if options.rerun */
    hp_engine_list engines;
    hp_expectations *expectations; /* one per engine */
    hp_task *tasks;
    size_t task_count, stale;
    char *work; /* temporary; NULL: not made */
    hp_record record;
    hp_schedule schedule;
} run;

/* Of one engine. That there is no file for it is said: it may be for another version. */
static int read_expectations(run *r, size_t engine, hp_error *error)
{
    const hp_engine_info *about = &r->engines.items[engine];
    if (about->expect[0] == '\0') {
        return 0;
    }
    char *file = hp_format("%s/%s.expect", r->options.expect, about->expect);
    if (access(file, F_OK) != 0 && !r->options.list) {
        fprintf(stderr, "hotproof check: %s %s: no %s: every departure is a surprise\n",
            about->name, about->version, file);
    }
    int status = hp_expectations_read(file, &r->expectations[engine], error);
    free(file);
    return status;
}

/* Returns 0, or the exit status with a message. */
static int prepare(run *r, hp_error *error)
{
    const hp_strings *engines = &r->options.engines;
    if (r->options.rerun != NULL) {
        if (hp_rerun_load(r->options.rerun, &r->rerun, error) != 0) {
            return HP_EXIT_KIT_FAILED;
        }
        if (r->rerun.engines.count == 0) {
            hp_fail(error, "%s: no case is a surprise", r->rerun.model.path);
            return HP_EXIT_NOTHING_RAN;
        }
        engines = engines->count > 0 ? engines : &r->rerun.engines;
        r->options.seed = r->options.seed_given ? r->options.seed : r->rerun.seed;
    }
    int loaded = hp_engine_list_load(engines, &r->engines, error);
    if (loaded != 0) {
        return loaded == HP_NO_SUCH_ENGINE ? HP_EXIT_USAGE : HP_EXIT_KIT_FAILED;
    }
    hp_select_engines(&r->options, r->options.rerun != NULL ? &r->rerun : NULL, &r->engines);
    r->expectations = hp_allocate(r->engines.count, sizeof *r->expectations);
    for (size_t i = 0; i < r->engines.count; i++) {
        if (read_expectations(r, i, error) != 0) {
            return HP_EXIT_KIT_FAILED;
        }
    }
    if (r->options.rerun != NULL) {
        hp_rerun_report_missing(&r->rerun, &r->engines);
    }
    r->tasks = hp_select(&r->options, &r->engines, r->expectations,
        r->options.rerun != NULL ? &r->rerun : NULL, &r->task_count);
    return 0;
}

static int exit_status(const run *r)
{
    size_t ran = 0, surprises = r->stale;
    for (int i = 0; i < HP_RESULT_COUNT; i++) {
        bool asserted = i != HP_RESULT_UNSUPPORTED && i != HP_RESULT_UNRESOLVED;
        ran += asserted ? r->schedule.counts[i] : 0;
        surprises += hp_result_is_surprise((hp_result)i) ? r->schedule.counts[i] : 0;
    }
    if (r->schedule.signal != 0 || r->schedule.counts[HP_RESULT_ERROR] > 0) {
        return HP_EXIT_KIT_FAILED;
    }
    if (surprises > 0) {
        return HP_EXIT_SURPRISE;
    }
    return ran > 0 ? HP_EXIT_EXPECTED : HP_EXIT_NOTHING_RAN;
}

static void write_footer(run *r, int status, const char *failure)
{
    json_t *counts = json_object();
    size_t results = 0;
    for (int i = 0; i < HP_RESULT_COUNT; i++) {
        results += r->schedule.counts[i];
        json_object_set_new(
            counts, hp_result_name((hp_result)i), json_integer((json_int_t)r->schedule.counts[i]));
    }
    json_t *footer = json_object();
    json_object_set_new(footer, "type", json_string("footer"));
    json_object_set_new(footer, "ended", hp_record_now());
    json_object_set_new(footer, "planned", json_integer((json_int_t)r->task_count));
    json_object_set_new(footer, "results", json_integer((json_int_t)results));
    json_object_set_new(footer, "counts", counts);
    json_object_set_new(footer, "stale", json_integer((json_int_t)r->stale));
    json_object_set_new(footer, "interrupted", json_boolean(r->schedule.signal != 0));
    json_object_set_new(footer, "signal", json_integer(r->schedule.signal));
    json_object_set_new(footer, "failure", hp_json_text(failure));
    json_object_set_new(footer, "exit_status", json_integer(status));
    hp_record_write(&r->record, footer);
}

static int make_work(run *r, hp_error *error)
{
    const char *parent = r->options.work;
    if (parent == NULL) {
        parent = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    }
    r->work = hp_directory_temporary(parent, error);
    return r->work != NULL ? 0 : -1;
}

static int open_run(run *r, hp_error *error)
{
    if (make_work(r, error) != 0 || hp_record_open(r->options.out, &r->record, error) != 0) {
        return -1;
    }
    hp_record_start start = {
        .options = &r->options,
        .engines = &r->engines,
        .expectations = r->expectations,
        .work = r->work,
        .planned = r->task_count,
    };
    hp_record_header(&r->record, &start);
    for (size_t i = 0; i < r->engines.count; i++) {
        r->stale += hp_record_stale(&r->record, &r->engines.items[i], &r->expectations[i]);
    }
    return 0;
}

static int write_html(const hp_model *model, const char *path, hp_error *error)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return hp_fail(error, "%s: %s", path, strerror(errno));
    }
    int status = hp_html_write(model, file, error);
    bool failed = ferror(file) != 0;
    if ((fclose(file) != 0 || failed) && status == 0) {
        status = hp_fail(error, "%s: cannot be written", path);
    }
    return status;
}

/* Both reports, from the record as it lies on disk. */
static int report(const run *r, hp_error *error)
{
    hp_model model;
    char *html = hp_format("%s/report.html", r->record.directory);
    int status = hp_model_load(r->record.path, &model, error);
    if (status == 0) {
        status = write_html(&model, html, error);
        hp_terminal_print(&model, stdout, html);
        hp_model_free(&model);
    }
    free(html);
    return status;
}

/* The one case under the debugger. Returns an exit status. */
static int debug(run *r)
{
    hp_error error;
    char *directory = NULL;
    if (r->task_count > 1) {
        fprintf(stderr, "hotproof check: several engines have this case: name one by --engine\n");
        return HP_EXIT_USAGE;
    }
    hp_spawn_request request = {
        .engine = r->tasks[0].engine,
        .one = r->tasks[0].one,
        .repetition = 1,
        .seed = r->options.seed,
        .timeout_scale = r->options.timeout_scale,
    };
    int status = make_work(r, &error);
    request.work = r->work;
    status = status == 0 ? hp_debug_case(&request, &directory, &error) : status;
    if (status != 0) {
        fprintf(stderr, "hotproof check: %s\n", error.text);
    } else {
        fprintf(stderr, "The case's directory: %s\n", directory);
        r->schedule.kept = 1;
    }
    free(directory);
    return status == 0 ? HP_EXIT_EXPECTED : HP_EXIT_KIT_FAILED;
}

static int execute(run *r)
{
    hp_error error = {{0}};
    int failed = open_run(r, &error);
    if (failed == 0) {
        r->schedule = (hp_schedule){
            .tasks = r->tasks,
            .task_count = r->task_count,
            .options = &r->options,
            .record = &r->record,
            .work = r->work,
        };
        failed = hp_schedule_run(&r->schedule, &error);
        int status = failed != 0 ? HP_EXIT_KIT_FAILED : exit_status(r);
        write_footer(r, status, failed != 0 ? error.text : "");
        if (failed == 0 && (failed = report(r, &error)) == 0) {
            return status;
        }
    }
    fprintf(stderr, "hotproof check: %s\n", error.text);
    return HP_EXIT_KIT_FAILED;
}

static int clean_up(run *r)
{
    hp_error error;
    int status = 0;
    if (r->work != NULL && r->schedule.kept == 0) {
        hp_directory_remove(r->work);
    }
    if (r->record.path != NULL && hp_record_close(&r->record, &error) != 0) {
        fprintf(stderr, "hotproof check: %s\n", error.text);
        status = -1;
    }
    for (size_t i = 0; r->expectations != NULL && i < r->engines.count; i++) {
        hp_expectations_free(&r->expectations[i]);
    }
    free(r->expectations);
    free(r->tasks);
    free(r->work);
    hp_engine_list_free(&r->engines);
    hp_rerun_free(&r->rerun);
    hp_check_options_free(&r->options);
    return status;
}

int hp_check_command(int argc, char **argv)
{
    run r = {0};
    hp_error error;
    hp_check_options_parse(argc, argv, &r.options);
    int status = prepare(&r, &error);
    if (status != 0) {
        fprintf(stderr, "hotproof check: %s\n", error.text);
    } else if (r.options.list) {
        hp_select_print(r.tasks, r.task_count);
        status = r.task_count > 0 ? HP_EXIT_EXPECTED : HP_EXIT_NOTHING_RAN;
    } else if (r.task_count == 0) {
        fprintf(stderr, "hotproof check: no case selected\n");
        status = HP_EXIT_NOTHING_RAN;
    } else if (r.options.gdb != NULL) {
        status = debug(&r);
    } else {
        status = execute(&r);
    }
    return clean_up(&r) != 0 ? HP_EXIT_KIT_FAILED : status;
}
