/* The command `hotproof expect`: lines for an expectation file, from a record. */
#ifndef HP_DRAFT_H
#define HP_DRAFT_H

/*
 * With --draft RECORD: prints a line for every surprise that an expectation file can cover, with an
 * empty reason, and what happened as a comment before it. An empty reason is refused when the file
 * is read, so nothing becomes expected before somebody has said why. What no line can cover
 * (VACUOUS, ERROR, an odd name) and what asks for a line to be struck is a comment. Returns an exit
 * status; argv[0] is "expect".
 */
int hp_expect_command(int argc, char **argv);

#endif
