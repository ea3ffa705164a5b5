/* Records written by hand: see fixture.h. */
#include "fixture.h"

#include "testmain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENGINE "e<&\\\">'#"
#define NAME "odd <&\\\">'# TODO \\\\ `*_|]]> "
#define MESSAGE "first <line> & \\\"more\\\" # SKIP \\\\\\n  ---\\n  ...\\nnot ok 1 - ```\\n]]> |"
#define DEPARTURE                                                                                \
    ",\"departure\":{\"since\":\"1.0 <&>\",\"reason\":\"known # since \\\\ <ever> | & `so`\",\"" \
    "reference\":\"https://example.org/?a=1&b=<2>\",\"line\":7}"
#define ODD(result, raw, more)                                                                 \
    "{\"type\":\"result\",\"engine\":\"" ENGINE "\",\"case\":\"" NAME result                   \
    "\",\"repetition\":1,\"result\":\"" result "\",\"raw\":\"" raw "\",\"message\":\"" MESSAGE \
    "\",\"where\":\"dir <&>/file.c:12\",\"source\":\"dir <&>/file.c\",\"source_line\":10,"     \
    "\"clauses\":[\"A\"],\"blame\":\"A\",\"duration_s\":0.25,\"log\":\"/log <&>\","            \
    "\"log_tail\":\"\\n  an indented line\\n\\u009b31m and \\u0001 ]]>\\n\\n```\\n\","         \
    "\"reproduce\":\"hotproof check --case 'x <&>'\"" more "}\n"

static const char *const odd_lines[] = {
    "{\"type\":\"header\",\"format\":1,\"hotproof\":\"0.1\",\"revision\":\"r<&>\",\"seed\":4711,"
    "\"started\":\"2024-01-02T03:04:05Z\",\"planned\":10,"
    "\"not_installed\":[{\"engine\":\"other\",\"package\":\"libother-dev\"}],"
    "\"clauses\":[{\"id\":\"A\",\"profile\":\"p\",\"level\":\"MUST\",\"source\":\"documented\","
    "\"page\":\"page | <one> *&*\",\"section\":\"section `#`\",\"sentence\":\"Holds.\"}],"
    "\"engines\":[{\"engine\":\"" ENGINE "\",\"profile\":\"p\",\"version\":\"1 <&>\","
    "\"expect\":\"file\",\"cases\":[{\"name\":\"" NAME "PASS\",\"clauses\":[\"A\"]}]}]}\n",
    ODD("PASS", "PASS", ""),
    ODD("FAIL", "FAIL", ""),
    ODD("XFAIL", "FAIL", DEPARTURE),
    ODD("XPASS", "PASS", DEPARTURE),
    ODD("UNSUPPORTED", "UNSUPPORTED", ""),
    ODD("UNRESOLVED", "UNRESOLVED", ""),
    ODD("CRASH", "CRASH", ""),
    ODD("TIMEOUT", "TIMEOUT", ""),
    ODD("VACUOUS", "VACUOUS", ""),
    ODD("ERROR", "ERROR", ""),
    "{\"type\":\"stale\",\"engine\":\"" ENGINE "\",\"case\":\"" NAME
    "gone\",\"file\":\"x <&>.expect\",\"line\":3}\n",
    FOOTER,
};

const char *fixture_odd_record(void)
{
    static char text[16384];
    size_t used = 0;
    for (size_t i = 0; i < sizeof odd_lines / sizeof odd_lines[0]; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", odd_lines[i]);
        assert_true(used < sizeof text);
    }
    return text;
}

char *fixture_file(const char *text)
{
    char *path = hp_format("/tmp/hotproof-record-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    return path;
}

int fixture_load(const char *text, hp_model *model, hp_error *error)
{
    char *path = fixture_file(text);
    int status = hp_model_load(path, model, error);
    unlink(path);
    free(path);
    return status;
}

hp_model fixture_model(const char *text)
{
    hp_model model;
    hp_error error;
    if (fixture_load(text, &model, &error) != 0) {
        fail_msg("%s", error.text);
    }
    return model;
}

char *fixture_render(
    const hp_model *model, int (*write)(const hp_model *model, FILE *out, hp_error *error))
{
    char *text = NULL;
    size_t size = 0;
    hp_error error;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_int_equal(write(model, out, &error), 0);
    assert_int_equal(fclose(out), 0);
    print_message("%s", text);
    return text;
}
