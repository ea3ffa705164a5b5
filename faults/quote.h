/* Text of any kind on one line: as plans read it and traces show it. */
#ifndef FAULT_QUOTE_H
#define FAULT_QUOTE_H

#include <stdio.h>

/* Quotes, backslashes and control characters become \" \\ and \xNN. */
void fault_print_escaped(const char *text, FILE *to);
/* The same between quotes. */
void fault_print_quoted(const char *text, FILE *to);

#endif
