#include "allocation_counter.h"

#if defined(__GLIBC__) || defined(__linux__)
#include <errno.h>
#include <execinfo.h>
#include <stddef.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { stacks = 4, depth = 24 };

static _Thread_local int counting;
static _Thread_local long count;
static _Thread_local int recorded;
static _Thread_local int depths[stacks];
static _Thread_local void *frames[stacks][depth];

static void note(void) {
  if (!counting) return;
  if (recorded < stacks && count % 8 == 0) {
    counting = 0;  // backtrace itself may allocate
    depths[recorded] = backtrace(frames[recorded], depth);
    recorded++;
    counting = 1;
  }
  count++;
}

void *malloc(size_t size) {
  note();
  return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
  note();
  return __libc_calloc(items, size);
}

void *realloc(void *old, size_t size) {
  note();
  return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void *memory = memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}

void ac_start(void) {
  void *warm[1];
  backtrace(warm, 1);  // loads what it needs
  count = 0;
  recorded = 0;
  counting = 1;
}

long ac_stop(int report) {
  counting = 0;
  for (int i = 0; report && i < recorded; i++) {
    backtrace_symbols_fd(frames[i], depths[i], STDERR_FILENO);
    (void)!write(STDERR_FILENO, "\n", 1);
  }
  return count;
}
#endif
