// Counts heap allocations of the calling thread, for tests. Linking this replaces malloc and its
// kin in the whole test program by ones that count and pass on to glibc's.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

// Counts from 0 on this thread from now on.
void ac_start(void);

// Ends the count; returns how many allocations there were. Up to four of their call stacks, one from
// each eighth call, go to standard error if `report` is not 0.
long ac_stop(int report);

#endif
