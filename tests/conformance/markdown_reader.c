/* Markdown, read: see markdown_reader.h. */
#include "markdown_reader.h"

#include "fixture.h"
#include "testmain.h"

#include <stdlib.h>
#include <string.h>

/* Columns of a table's row: bars that are not escaped, less one. 0: no row. */
static size_t columns(const char *line)
{
    size_t bars = 0;
    if (line[0] != '|') {
        return 0;
    }
    for (; *line != '\0'; line++) {
        if (line[0] == '\\' && line[1] != '\0') {
            line++;
        } else {
            bars += *line == '|';
        }
    }
    return bars - 1;
}

/* Length of the fence that begins the line, or 0. */
static size_t fence(const char *line)
{
    size_t length = strspn(line, "`");
    return length >= 3 ? length : 0;
}

/* Outside fences and code no text is taken for HTML, but for the line breaks that the report puts
 * in. */
static void assert_no_html(const char *line)
{
    bool code = false;
    for (const char *at = line; *at != '\0'; at++) {
        if (*at == '\\' && !code && at[1] != '\0') {
            at++;
        } else if (*at == '`') {
            code = !code;
        } else if (*at == '<' && !code && strncmp(at, "<br>", 4) != 0) {
            fail_msg("HTML in: %s", line);
        }
    }
}

/* Reads the text as a whole. What stands in fences is appended to `fenced`, the rest to `plain`. */
static void read_markdown(const char *text, char *fenced, char *plain)
{
    size_t open = 0, width = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        assert_int_equal(text[length], '\n');
        char *line = hp_format("%.*s", (int)length, text);
        text += length + 1;
        if (open > 0 && fence(line) >= open && line[fence(line)] == '\0') {
            open = 0;
        } else if (open > 0) {
            strcat(strcat(fenced, line), "\n");
        } else if (fence(line) > 0) {
            open = fence(line);
        } else {
            size_t now = columns(line);
            assert_true(width == 0 || now == 0 || now == width);
            width = now;
            assert_no_html(line);
            strcat(strcat(plain, line), "\n");
        }
        free(line);
    }
    assert_int_equal(open, 0);
}

markdown_parts markdown_of(
    const char *record, int (*write)(const hp_model *model, FILE *out, hp_error *error))
{
    hp_model model = fixture_model(record);
    markdown_parts p = {.text = fixture_render(&model, write)};
    p.fenced = hp_allocate(strlen(p.text) + 2, 1);
    p.plain = hp_allocate(strlen(p.text) + 2, 1);
    read_markdown(p.text, p.fenced, p.plain);
    hp_model_free(&model);
    return p;
}

void markdown_free(markdown_parts *p)
{
    free(p->text);
    free(p->fenced);
    free(p->plain);
}
