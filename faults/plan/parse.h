/* What the parts of the parser know of each other. */
#ifndef FAULT_PLAN_PARSE_H
#define FAULT_PLAN_PARSE_H

#include "lex.h"

/* Reads what stands behind `do`: the action with its values. 0, EINVAL or ENOMEM. */
int fault_parse_action(fault_lexer *lexer, fault_plan_rule *rule);

/* times= and until= may stand on either side of `do`. EINVAL with an error also when it is neither
 * or stands twice. */
int fault_parse_limit(
    fault_lexer *lexer, fault_plan_rule *rule, fault_token key, fault_token value);

/* Notes that the line has the key; EINVAL when it had it. */
int fault_parse_once(fault_lexer *lexer, fault_plan_rule *rule, fault_token key, unsigned bit);

/* Refuses what makes no sense together, narrows a group to the classes that the rule can be about
 * and fills in what is left to choose. `on` is where the classes stand. 0 or EINVAL. */
int fault_parse_sense(fault_lexer *lexer, fault_plan_rule *rule, const char *on);

#endif
