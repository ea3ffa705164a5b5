/* Several threads on one disk, and clones of it in threads of their own: for the thread sanitizer. */
#include "disk_support.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 100 };

typedef struct worker {
    fault_disk *disk;
    int number;
    int failed; /* cmocka's assertions are for the main thread */
} worker;

static void *work(void *argument)
{
    worker *w = argument;
    ref_vfs *vfs = fault_disk_vfs(w->disk);
    char path[32], other[32], back[4];
    snprintf(path, sizeof path, "/f%d", w->number);
    snprintf(other, sizeof other, "/g%d", w->number);
    for (int i = 0; i < ROUNDS; i++) {
        ref_file *file;
        size_t done = 0;
        w->failed += vfs->open(vfs, path, REF_O_WRITE | REF_O_CREATE, 0600, &file) != 0;
        w->failed += vfs->pwrite(file, "abcd", 4, (uint64_t)i * 1000, &done) != 0 || done != 4;
        w->failed += vfs->pread(file, back, 4, (uint64_t)i * 1000, &done) != 0 || done != 4;
        w->failed += i % 10 == 0 && vfs->fsync(file) != 0;
        w->failed += vfs->close(file) != 0;
        w->failed += vfs->rename(vfs, path, other, false) != 0;
        w->failed += vfs->rename(vfs, other, path, true) != 0;
        w->failed += i % 10 == 5 && vfs->fsync_dir(vfs, "/") != 0;
        (void)vfs->now(vfs);
    }
    return NULL;
}

static uint32_t first_answer(void *context, const fault_question *question)
{
    (void)context;
    return question->answers - 1;
}

static void *look(void *argument)
{
    worker *w = argument;
    fault_disk *crashed;
    w->failed += fault_disk_crash(w->disk, first_answer, NULL, &crashed) != 0;
    worker on = {.disk = crashed, .number = w->number};
    work(&on);
    w->failed += on.failed;
    fault_disk_free(crashed);
    return NULL;
}

static void run(fault_disk *const *disks, void *(*body)(void *))
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.disk = disks[i], .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, body, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failed, 0);
    }
}

static void threads_share_a_disk(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    fault_disk *disks[THREADS] = {disk, disk, disk, disk};
    run(disks, work);
    for (int i = 0; i < THREADS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/f%d", i);
        assert_true(disk_exists(disk, path));
    }
    fault_disk_free(disk);
}

static void clones_live_in_threads_of_their_own(void **state)
{
    (void)state;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK), *disks[THREADS];
    uint64_t before;
    for (int i = 0; i < THREADS; i++) {
        char path[32];
        snprintf(path, sizeof path, "/f%d", i);
        disk_file(disk, path, "content");
    }
    before = fault_disk_hash(disk);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(fault_disk_clone(disk, &disks[i]), 0);
    }
    run(disks, look);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(fault_disk_hash(disks[i]), before);
        fault_disk_free(disks[i]);
    }
    fault_disk_free(disk);
}

static void threads_are_numbered_by_their_first_operations(void **state)
{
    (void)state;
    fault_trace *trace;
    fault_traced *traced;
    char why[FAULT_TRACE_WHY];
    size_t size;
    pthread_t thread;
    fault_disk *disk = disk_new(FAULT_POSIX_WEAK);
    worker w = {.disk = disk};
    assert_int_equal(fault_trace_new(NULL, 0, false, &trace), 0);
    fault_disk_watch(disk, NULL, trace);
    assert_false(disk_exists(disk, "/f"));
    assert_int_equal(pthread_create(&thread, NULL, work, &w), 0);
    pthread_join(thread, NULL);
    assert_true(disk_exists(disk, "/f0"));
    uint8_t *bytes = fault_trace_bytes(trace, &size);
    assert_int_equal(fault_traced_open(bytes, size, &traced, why), 0);
    uint64_t count = fault_traced_count(traced);
    for (uint64_t i = 0; i < count; i++) {
        fault_record record;
        fault_traced_get(traced, i, &record);
        assert_int_equal(record.op.thread, i != 0 && i != count - 1);
    }
    fault_traced_free(traced);
    free(bytes);
    fault_disk_free(disk);
    fault_trace_free(trace);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_are_numbered_by_their_first_operations),
    cmocka_unit_test(threads_share_a_disk),
    cmocka_unit_test(clones_live_in_threads_of_their_own),
};
TEST_MAIN(tests)
