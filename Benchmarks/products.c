// Rates of the packed products, float32 and int8, of every instruction set of this processor.
//
//     clang -O2 -ISources/CKernels/include Benchmarks/products.c Sources/CKernels/*.c -lm \
//       -o /tmp/products && /tmp/products
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ckernels.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static void *memory(size_t bytes) { return aligned_alloc(64, (bytes + 63) / 64 * 64); }

// The best of five turns of both products of [m, k] and [n, k].
static void measure(const char *set, const ck_table *kernels, long m, long k, long n) {
  float *a = memory(4 * m * k), *c = memory(4 * m * n), *scales = memory(4 * n);
  float *w = memory(4 * n * k), *packed = memory(4 * kernels->packed_count(n, k));
  int8_t *w8 = memory(n * k);
  int32_t *packed8 = memory(4 * kernels->packed_int8_count(n, k));
  for (long i = 0; i < m * k; i++) a[i] = rand() / (float)RAND_MAX - 0.5f;
  for (long i = 0; i < n * k; i++) w[i] = w8[i] = rand() % 255 - 127;
  for (long i = 0; i < n; i++) scales[i] = 1;
  kernels->pack(w, n, k, packed);
  kernels->pack_int8(w8, scales, n, k, packed8);
  ck_operand operand = {a, m, k, 1, 0, 1, 0, k};
  const long calls = 1e8 / (m * k * n) + 1;
  double best = 1e9, best8 = 1e9;
  for (int turn = 0; turn < 5; turn++) {
    double start = seconds();
    for (long i = 0; i < calls; i++)
      kernels->gemm(&operand, packed, NULL, n, c, n, CK_EPILOGUE_NONE, 1);
    double middle = seconds();
    for (long i = 0; i < calls; i++)
      kernels->gemm_int8(&operand, packed8, NULL, n, c, n, CK_EPILOGUE_NONE, 1);
    double end = seconds();
    if (middle - start < best) best = middle - start;
    if (end - middle < best8) best8 = end - middle;
  }
  const double operations = 2e-9 * m * k * n * calls;
  printf("%-12s %4ld rows, %4ld to %3ld: %4.0f GFLOP/s, int8 %4.0f GOP/s, %.1f times\n", set, m, k,
         n, operations / best, operations / best8, best / best8);
  void *all[] = {a, c, scales, w, packed, w8, packed8};
  for (int i = 0; i < 7; i++) free(all[i]);
}

int main(void) {
  const char *names[] = {"portable", "AVX2", "AVX-512", "AVX-VNNI", "AVX-512 VNNI", "NEON dot"};
  const long rows[] = {1, 4, 16, 320};
  for (int isa = CK_ISA_PORTABLE; isa <= CK_ISA_NEON_DOT; isa++) {
    const ck_table *kernels = ck_kernels(isa);
    for (int i = 0; kernels && i < 4; i++) measure(names[isa], kernels, rows[i], 176, 704);
    if (kernels) measure(names[isa], kernels, 320, 1584, 176);
  }
}
