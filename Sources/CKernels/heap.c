#include "ckernels.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void ck_trim_heap(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
