/* The words of a plan: see lex.h. */
#include "lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fault_lex_fail(fault_lexer *lexer, const char *at, const char *format, ...)
{
    va_list args;
    lexer->error->line = lexer->number;
    lexer->error->column = (unsigned)(at - lexer->line) + 1;
    va_start(args, format);
    vsnprintf(lexer->error->text, sizeof lexer->error->text, format, args);
    va_end(args);
    return EINVAL;
}

/* ---- tokens ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool fault_lex_line(fault_lexer *lexer)
{
    if (lexer->next == lexer->end) {
        return false;
    }
    size_t left = (size_t)(lexer->end - lexer->next);
    const char *newline = memchr(lexer->next, '\n', left);
    lexer->line = lexer->at = lexer->next;
    lexer->line_end = newline != NULL ? newline : lexer->end;
    lexer->next = newline != NULL ? newline + 1 : lexer->end;
    lexer->number++;
    return true;
}

/* The end of a token; inside quotes a blank does not end it. */
static int find_end(fault_lexer *lexer, const char **out)
{
    const char *quote = NULL;
    const char *at = lexer->at;
    for (; at < lexer->line_end && (quote != NULL || !is_blank(*at)); at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7f) {
            return fault_lex_fail(
                lexer, at, "a control character (byte 0x%02x)", (unsigned char)*at);
        }
        if (*at == '\\' && quote != NULL && at + 1 < lexer->line_end) {
            at++;
        } else if (*at == '"') {
            quote = quote == NULL ? at : NULL;
        }
    }
    if (quote != NULL) {
        return fault_lex_fail(lexer, quote, "the quote does not end on this line");
    }
    *out = at;
    return 0;
}

int fault_lex_token(fault_lexer *lexer, fault_token *out)
{
    *out = (fault_token){0};
    while (lexer->at < lexer->line_end && is_blank(*lexer->at)) {
        lexer->at++;
    }
    if (lexer->at == lexer->line_end || *lexer->at == '#') {
        return 0;
    }
    const char *end = NULL;
    int error = find_end(lexer, &end);
    if (error == 0) {
        *out = (fault_token){lexer->at, (size_t)(end - lexer->at)};
        lexer->at = end;
    }
    return error;
}

bool fault_token_is(fault_token token, const char *word)
{
    return token.at != NULL && strlen(word) == token.length &&
           memcmp(token.at, word, token.length) == 0;
}

bool fault_token_split(fault_token token, char separator, fault_token *left, fault_token *right)
{
    const char *at = memchr(token.at, separator, token.length);
    if (at == NULL) {
        return false;
    }
    size_t before = (size_t)(at - token.at);
    *left = (fault_token){token.at, before};
    *right = (fault_token){at + 1, token.length - before - 1};
    return true;
}

/* ---- values ---- */

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

int fault_lex_number(fault_lexer *lexer, fault_token token, const char *what, uint64_t *out)
{
    bool hex = token.length > 2 && token.at[0] == '0' && token.at[1] == 'x';
    uint64_t base = hex ? 16 : 10, value = 0;
    size_t i = hex ? 2 : 0;

    if (token.length == 0) {
        return fault_lex_fail(lexer, token.at, "%s: a number is missing", what);
    }
    for (; i < token.length; i++) {
        uint64_t digit = (uint64_t)digit_of(token.at[i]);
        if (digit >= base) {
            return fault_lex_fail(
                lexer, token.at, "%s: \"%.*s\" is no number", what, FAULT_TOKEN_ARGS(token));
        }
        if (value > (UINT64_MAX - digit) / base) {
            return fault_lex_fail(
                lexer, token.at, "%s: %.*s does not fit in 64 bits", what, FAULT_TOKEN_ARGS(token));
        }
        value = value * base + digit;
    }
    *out = value;
    return 0;
}

int fault_lex_range(fault_lexer *lexer, fault_token token, const char *what, fault_plan_range *out)
{
    const char *dots = memmem(token.at, token.length, "..", 2);
    fault_token first = token;
    int error;

    if (dots != NULL) {
        first.length = (size_t)(dots - token.at);
    }
    error = fault_lex_number(lexer, first, what, &out->first);
    out->last = out->first;
    out->plain = dots == NULL;
    if (error != 0 || dots == NULL) {
        return error;
    }
    fault_token last = {dots + 2, token.length - first.length - 2};
    out->last = UINT64_MAX;
    if (last.length > 0) {
        error = fault_lex_number(lexer, last, what, &out->last);
    }
    if (error == 0 && out->last < out->first) {
        error = fault_lex_fail(
            lexer, token.at, "%s: %.*s ends before it begins", what, FAULT_TOKEN_ARGS(token));
    }
    return error;
}

int fault_lex_probability(fault_lexer *lexer, fault_token token, double *out)
{
    char text[40], *end = text;
    if (token.length < sizeof text && token.length > 0 && strchr("0123456789.", token.at[0])) {
        memcpy(text, token.at, token.length);
        text[token.length] = '\0';
        *out = strtod(text, &end);
    }
    if (end == text || *end != '\0' || strpbrk(text, "xXpP") != NULL) {
        return fault_lex_fail(
            lexer, token.at, "prob: \"%.*s\" is no number", FAULT_TOKEN_ARGS(token));
    }
    if (!(*out > 0 && *out <= 1)) {
        return fault_lex_fail(lexer, token.at, "prob: %.*s is out of range; more than 0, at most 1",
            FAULT_TOKEN_ARGS(token));
    }
    return 0;
}

int fault_lex_name(fault_lexer *lexer, fault_token token, char out[static FAULT_PLAN_NAME])
{
    if (token.length == 0) {
        return fault_lex_fail(lexer, token.at != NULL ? token.at : lexer->at, "a name is missing");
    }
    if (token.length >= FAULT_PLAN_NAME) {
        return fault_lex_fail(
            lexer, token.at, "the name is longer than %d characters", FAULT_PLAN_NAME - 1);
    }
    for (size_t i = 0; i < token.length; i++) {
        unsigned char c = (unsigned char)token.at[i];
        if (c >= 0x80 || !(isalnum(c) || strchr("._-", c) != NULL)) {
            return fault_lex_fail(
                lexer, token.at + i, "a name is made of letters, digits, '.', '_' and '-'");
        }
    }
    memcpy(out, token.at, token.length);
    out[token.length] = '\0';
    return 0;
}

/* The character behind a backslash; *at is left on its last one. */
static int unescape(fault_lexer *lexer, const char **at, const char *end, char *out)
{
    const char *escape = *at - 1;
    if (**at == '"' || **at == '\\') {
        *out = **at;
        return 0;
    }
    if (**at == 'x' && end - *at > 2) {
        int high = digit_of((*at)[1]), low = digit_of((*at)[2]);
        if (high < 16 && low < 16 && high + low > 0) {
            *out = (char)(high * 16 + low);
            *at += 2;
            return 0;
        }
    }
    return fault_lex_fail(lexer, escape, "only \\\", \\\\ and \\xNN (not 00) are known in quotes");
}

static int decode(fault_lexer *lexer, fault_token token, char *out)
{
    const char *end = token.at + token.length - 1;
    const char *at = token.at + 1;
    for (; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            at++;
            int error = unescape(lexer, &at, end, out);
            if (error != 0) {
                return error;
            }
            out++;
        } else {
            *out++ = *at;
        }
    }
    *out = '\0';
    return at == end ? 0 : fault_lex_fail(lexer, at, "a quote encloses the whole value");
}

int fault_lex_string(fault_lexer *lexer, fault_token token, char **out)
{
    int error = 0;
    *out = NULL;
    if (token.length == 0) {
        return fault_lex_fail(lexer, token.at, "a value is missing");
    }
    char *text = malloc(token.length + 1);
    if (text == NULL) {
        return ENOMEM;
    }
    if (token.at[0] == '"') {
        error = decode(lexer, token, text);
    } else {
        const char *quote = memchr(token.at, '"', token.length);
        memcpy(text, token.at, token.length);
        text[token.length] = '\0';
        if (quote != NULL) {
            error = fault_lex_fail(lexer, quote, "a quote encloses the whole value");
        }
    }
    if (error == 0 && text[0] == '\0') {
        error = fault_lex_fail(lexer, token.at, "the value is empty");
    }
    if (error != 0) {
        free(text);
        return error;
    }
    *out = text;
    return 0;
}
