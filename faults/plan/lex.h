/*
 * The words of a plan: lines into tokens, values into numbers and strings, and errors with their
 * place.
 */
#ifndef FAULT_PLAN_LEX_H
#define FAULT_PLAN_LEX_H

#include "rule.h"

/* A piece of a line; not terminated. */
typedef struct fault_token {
    const char *at; /* NULL: the line is at its end */
    size_t length;
} fault_token;

typedef struct fault_lexer {
    const char *next, *end; /* of the text */
    const char *line;       /* where the line begins that is being read */
    const char *line_end;
    const char *at;
    unsigned number; /* of the line, from 1; 0: none has been read */
    fault_plan_error *error;
} fault_lexer;

/* False at the end of the text. */
bool fault_lex_line(fault_lexer *lexer);
/* The next token; blanks and a comment behind it are skipped. 0 or EINVAL. */
int fault_lex_token(fault_lexer *lexer, fault_token *out);
/* EINVAL, with the place and the words in the lexer's error. */
int fault_lex_fail(fault_lexer *lexer, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

bool fault_token_is(fault_token token, const char *word);
/* Cuts a token at the first `separator`; false when there is none. */
bool fault_token_split(fault_token token, char separator, fault_token *left, fault_token *right);
/* How much of it an error message shows: for "%.*s". */
#define FAULT_TOKEN_ARGS(token) (int)((token).length < 60 ? (token).length : 60), (token).at

/* Values. 0, EINVAL or ENOMEM. `what` names it in messages. Numbers are decimal, or hexadecimal
 * behind 0x. */
int fault_lex_number(fault_lexer *lexer, fault_token token, const char *what, uint64_t *out);
int fault_lex_range(fault_lexer *lexer, fault_token token, const char *what, fault_plan_range *out);
/* Between 0 and 1, 0 left out. */
int fault_lex_probability(fault_lexer *lexer, fault_token token, double *out);
/* A name of letters, digits, '.', '_' and '-', shorter than FAULT_PLAN_NAME. */
int fault_lex_name(fault_lexer *lexer, fault_token token, char out[static FAULT_PLAN_NAME]);
/* Plain, or in quotes with \" \\ and \xNN. malloc'd, never empty. */
int fault_lex_string(fault_lexer *lexer, fault_token token, char **out);

#endif
