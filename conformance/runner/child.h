/*
 * The process of a case. The runner executes `PROGRAM --run-case MODULE CASE REPORT_FD SEED SCALE`
 * with the case's directory as current directory and its log as standard output and error.
 */
#ifndef HP_CHILD_H
#define HP_CHILD_H

#define HP_RUN_CASE "--run-case"

/* Environment: a directory to which a case may write its gcov counts (coverage builds). */
#define HP_COUNTS_VARIABLE "HOTPROOF_CASE_COUNTS"

/* Does all of it: opens the module with the rights of the user who started the run, puts up the
 * fences, runs the case. Returns the process's exit status, to be handed to exit(). */
int hp_child_main(int argc, char **argv);

#endif
