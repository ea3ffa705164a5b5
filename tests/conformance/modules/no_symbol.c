/* A shared object that is no engine module. */
int nothing_of_interest(void);

int nothing_of_interest(void)
{
    return 0;
}
