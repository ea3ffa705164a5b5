/* The command `hotproof report`: records in, a report of the chosen format out. */
#ifndef HP_REPORT_H
#define HP_REPORT_H

/* Runs it; returns an exit status. argv[0] is "report". */
int hp_report_command(int argc, char **argv);

#endif
