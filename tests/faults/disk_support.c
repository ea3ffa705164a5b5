/* What tests of the disk in memory have in common: see disk_support.h. */
#include "disk_support.h"

#include <errno.h>

fault_disk *disk_with(const fault_disk_options *options)
{
    fault_disk *disk;
    assert_int_equal(fault_disk_new(options, &disk), 0);
    return disk;
}

fault_disk *disk_new(fault_profile profile)
{
    fault_disk_options options = {.profile = profile, .seed = 1};
    return disk_with(&options);
}

ref_file *disk_open(fault_disk *disk, const char *path, unsigned flags)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_file *file;
    assert_int_equal(vfs->open(vfs, path, flags, 0600, &file), 0);
    return file;
}

ref_file *disk_create(fault_disk *disk, const char *path)
{
    return disk_open(disk, path, REF_O_WRITE | REF_O_CREATE);
}

void disk_close(ref_file *file)
{
    assert_int_equal(file->vfs->close(file), 0);
}

void disk_write(ref_file *file, uint64_t offset, const char *text)
{
    assert_int_equal(ref_write_full(file, text, strlen(text), offset), 0);
}

void disk_sync(ref_file *file)
{
    assert_int_equal(file->vfs->fsync(file), 0);
}

void disk_file(fault_disk *disk, const char *path, const char *content)
{
    ref_file *file = disk_open(disk, path, REF_O_WRITE | REF_O_CREATE | REF_O_TRUNC);
    disk_write(file, 0, content);
    disk_close(file);
}

void disk_is(fault_disk *disk, const char *path, const char *content)
{
    size_t size = strlen(content), done;
    char *found = calloc(1, size + 2);
    ref_file *file = disk_open(disk, path, 0);
    assert_non_null(found);
    assert_int_equal(ref_read_full(file, found, size + 1, 0, &done), 0);
    assert_string_equal(found, content);
    assert_int_equal(done, size);
    disk_close(file);
    free(found);
}

bool disk_exists(fault_disk *disk, const char *path)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    ref_stat stat;
    int error = vfs->stat(vfs, path, &stat);
    assert_true(error == 0 || error == ENOENT);
    return error == 0;
}

void disk_mkdir(fault_disk *disk, const char *path)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(vfs->mkdir(vfs, path, 0700), 0);
}

void disk_sync_dir(fault_disk *disk, const char *path)
{
    ref_vfs *vfs = fault_disk_vfs(disk);
    assert_int_equal(vfs->fsync_dir(vfs, path), 0);
}

/* ---- plans ---- */

planned disk_plan(fault_disk *disk, const char *text)
{
    planned p = {.disk = disk};
    fault_plan_error error = {0};
    if (fault_plan_parse(text, strlen(text), &p.plan, &error) != 0) {
        print_error("%u:%u: %s\n", error.line, error.column, error.text);
        fail();
    }
    assert_int_equal(fault_run_new(p.plan, &p.run), 0);
    fault_disk_watch(disk, p.run, NULL);
    return p;
}

void disk_unplan(planned *p)
{
    for (size_t rule = 0; rule < fault_plan_rules(p->plan); rule++) {
        assert_true(fault_run_fired(p->run, rule) > 0);
    }
    fault_disk_watch(p->disk, NULL, NULL);
    fault_run_free(p->run);
    fault_plan_free(p->plan);
}

/* ---- crashes ---- */

uint32_t chooser_answer(void *context, const fault_question *question)
{
    chooser *c = context;
    assert_true(c->next < sizeof c->answer / sizeof c->answer[0]);
    assert_true(question->answers >= 2);
    if (c->next == c->count) {
        c->answer[c->count++] = 0;
    }
    c->answers[c->next] = question->answers;
    return c->answer[c->next++];
}

bool chooser_step(chooser *c)
{
    c->count = c->next;
    while (c->count > 0 && c->answer[c->count - 1] + 1 == c->answers[c->count - 1]) {
        c->count--;
    }
    c->next = 0;
    if (c->count == 0) {
        return false;
    }
    c->answer[c->count - 1]++;
    return true;
}

static uint32_t lose(void *context, const fault_question *question)
{
    (void)context;
    (void)question;
    return 0;
}

static uint32_t keep(void *context, const fault_question *question)
{
    (void)context;
    return question->answers - 1;
}

fault_disk *disk_crashed(fault_disk *disk, bool all)
{
    fault_disk *crashed;
    assert_int_equal(fault_disk_crash(disk, all ? keep : lose, NULL, &crashed), 0);
    return crashed;
}

fault_disk *disk_crashed_by(fault_disk *disk, chooser *c)
{
    fault_disk *crashed;
    assert_int_equal(fault_disk_crash(disk, chooser_answer, c, &crashed), 0);
    return crashed;
}
