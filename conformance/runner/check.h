/* The command `hotproof check`. */
#ifndef HP_CHECK_H
#define HP_CHECK_H

/* Statuses with which the program ends. */
typedef enum hp_exit {
    HP_EXIT_EXPECTED = 0, /* everything as expected */
    HP_EXIT_SURPRISE = 1,
    HP_EXIT_USAGE = 2,
    HP_EXIT_KIT_FAILED = 3,
    HP_EXIT_NOTHING_RAN = 4
} hp_exit;

/* Runs it; returns one of the above. argv[0] is "check". */
int hp_check_command(int argc, char **argv);

#endif
