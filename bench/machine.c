/* Where a measurement was made: see machine.h. */
#include "machine.h"

#include "../conformance/runner/host.h"
#include "../conformance/runner/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the first line "KEY : VALUE" of /proc/cpuinfo says; the caller frees it. */
static char *cpu_model(void)
{
    static const char key[] = "model name";
    char *line = NULL, *model = NULL;
    size_t room = 0;
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file != NULL && model == NULL && getline(&line, &room, file) >= 0) {
        char *value = strncmp(line, key, sizeof key - 1) == 0 ? strchr(line, ':') : NULL;
        if (value != NULL) {
            value += strspn(value, ": \t");
            model = hp_format("%.*s", (int)strcspn(value, "\n"), value);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    free(line);
    return model != NULL ? model : hp_format("unknown");
}

json_t *bench_machine_json(const char *directory)
{
    json_t *machine = hp_host_json(directory);
    char *cpu = cpu_model();
    uint64_t memory = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    json_object_set_new(machine, "cpu", hp_json_text(cpu));
    json_object_set_new(machine, "cores", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
    json_object_set_new(machine, "memory_mib", json_integer((json_int_t)(memory >> 20)));
    free(cpu);
    return machine;
}

char *bench_machine_line(const json_t *machine)
{
    const char *kernel = hp_json_get(machine, "kernel");
    const char *release = strchr(kernel, ' ');
    size_t length = release != NULL ? strcspn(release + 1, " ") + 1 : 0;
    return hp_format("%s, %lld cores, %lld MiB of memory, %.*s, %s", hp_json_get(machine, "cpu"),
        (long long)json_integer_value(json_object_get(machine, "cores")),
        (long long)json_integer_value(json_object_get(machine, "memory_mib")),
        (int)((size_t)(release != NULL ? release - kernel : 0) + length), kernel,
        hp_json_get(json_object_get(machine, "file_system"), "type"));
}
