/*
 * Points in time. In a TIMEDATE, Innards[0] is hundredths of a second since midnight GMT and the
 * lower 24 bits of Innards[1] the Julian day; the upper 8, a time zone, are 0 here.
 */
#include "internal.h"

#define HUNDREDTHS_A_DAY 8640000u
#define JULIAN_1970 2440588u
#define DAY_MASK 0x00ffffffu
#define ANY 0xffffffffu

uint64_t ref_dom_now(void)
{
    ref_vfs *vfs = ref_default_vfs();
    return vfs->now(vfs) / 10000000;
}

TIMEDATE ref_dom_timedate(uint64_t hundredths)
{
    TIMEDATE time = {{(DWORD)(hundredths % HUNDREDTHS_A_DAY),
        (DWORD)(hundredths / HUNDREDTHS_A_DAY + JULIAN_1970) & DAY_MASK}};
    return time;
}

uint64_t ref_dom_hundredths(const TIMEDATE *time)
{
    uint32_t day = time->Innards[1] & DAY_MASK;

    return day < JULIAN_1970 ? 0
                             : (uint64_t)(day - JULIAN_1970) * HUNDREDTHS_A_DAY + time->Innards[0];
}

bool ref_dom_is_minimum(const TIMEDATE *time)
{
    return time->Innards[0] == 0 && time->Innards[1] == 0;
}

bool ref_dom_is_wildcard(const TIMEDATE *time)
{
    return time->Innards[0] == ANY && time->Innards[1] == ANY;
}

void LNPUBLIC TimeConstant(WORD TimeConstantType, TIMEDATE far *tdptr)
{
    if (tdptr == NULL) {
        return;
    }
    *tdptr = (TIMEDATE){{0, 0}};
    if (TimeConstantType == TIMEDATE_MAXIMUM) {
        *tdptr = (TIMEDATE){{HUNDREDTHS_A_DAY - 1, DAY_MASK}};
    } else if (TimeConstantType == TIMEDATE_WILDCARD) {
        *tdptr = (TIMEDATE){{ANY, ANY}};
    }
}

void LNPUBLIC OSCurrentTIMEDATE(TIMEDATE far *retTimeDate)
{
    if (retTimeDate != NULL) {
        *retTimeDate = ref_dom_timedate(ref_dom_now());
    }
}
