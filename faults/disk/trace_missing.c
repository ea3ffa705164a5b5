#include "../trace/trace.h"
void fault_trace_add(fault_trace *trace, const fault_record *record)
{
    (void)trace;
    (void)record;
}
