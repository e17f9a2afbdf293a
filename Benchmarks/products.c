// Rates of the packed products, float32, 16-bit and int8, of every instruction set of this processor.
//
//     clang -O2 -ISources/CKernels/include Benchmarks/products.c Sources/CKernels/*.c -lm \
//       -o /tmp/products && /tmp/products
//
// "near" repeats one product, its weights in the cache; "far" walks through as many weights as a
// model of 13 M has, as one step of a stream does.
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

enum { FLOAT32, FLOAT16, INT8, PRECISIONS };

// GFLOP/s (or GOP/s) of the three products of [m, k] and [n, k]: the best of five turns, each through
// `copies` sets of weights.
static void measure(const ck_table *kernels, long m, long k, long n, long copies, double *rates) {
  const long count = kernels->packed_count(n, k), count8 = kernels->packed_int8_count(n, k);
  float *a = memory(4 * m * k), *c = memory(4 * m * n), *scales = memory(4 * n);
  float *w = memory(4 * n * k), *packed = memory(4 * count * copies);
  uint16_t *w16 = memory(2 * n * k), *packed16 = memory(2 * count * copies);
  int8_t *w8 = memory(n * k);
  int32_t *packed8 = memory(4 * count8 * copies);
  for (long i = 0; i < m * k; i++) a[i] = rand() / (float)RAND_MAX - 0.5f;
  for (long i = 0; i < n * k; i++) {
    w[i] = w8[i] = rand() % 255 - 127;
    w16[i] = 0x3C00 + rand() % 1024;
  }
  for (long i = 0; i < n; i++) scales[i] = 1;
  for (long i = 0; i < copies; i++) {
    kernels->pack(w, n, k, packed + i * count);
    kernels->pack_half(w16, n, k, packed16 + i * count);
    kernels->pack_int8(w8, scales, n, k, packed8 + i * count8);
  }
  const ck_operand x = {a, m, k, 1, 0, 1, 0, k};
  const long calls = 1e8 / (m * k * n) / copies + 1;
  double best[PRECISIONS] = {1e9, 1e9, 1e9};
  for (int turn = 0; turn < 5; turn++) {
    for (int precision = 0; precision < PRECISIONS; precision++) {
      if (precision == FLOAT16 && !kernels->gemm_half) continue;
      const double start = seconds();
      for (long call = 0; call < calls; call++)
        for (long i = 0; i < copies; i++)
          if (precision == FLOAT32)
            kernels->gemm(&x, packed + i * count, NULL, n, c, n, CK_EPILOGUE_NONE, 1);
          else if (precision == FLOAT16)
            kernels->gemm_half(&x, packed16 + i * count, NULL, n, c, n, CK_EPILOGUE_NONE, 1);
          else
            kernels->gemm_int8(&x, packed8 + i * count8, NULL, n, c, n, CK_EPILOGUE_NONE, 1);
      const double taken = seconds() - start;
      if (taken < best[precision]) best[precision] = taken;
    }
  }
  for (int i = 0; i < PRECISIONS; i++) rates[i] = 2e-9 * m * k * n * calls * copies / best[i];
  void *all[] = {a, c, scales, w, packed, w16, packed16, w8, packed8};
  for (int i = 0; i < 9; i++) free(all[i]);
}

static void report(const char *set, const ck_table *kernels, long m, long k, long n) {
  double near[PRECISIONS], far[PRECISIONS];
  measure(kernels, m, k, n, 1, near);
  measure(kernels, m, k, n, 13000000 / (n * k), far);
  printf("%-12s %4ld rows, %4ld to %3ld: near %4.0f f32 %4.0f f16 %4.0f int8; far %4.0f %4.0f %4.0f\n",
         set, m, k, n, near[0], near[1], near[2], far[0], far[1], far[2]);
}

int main(int count, char **arguments) {
  const char *names[] = {"portable", "AVX2", "AVX-512", "AVX-VNNI", "AVX-512 VNNI", "NEON dot"};
  const long rows[] = {1, 4, 16, 32, 320};
  // An argument names the first set to measure.
  for (int isa = count > 1 ? atoi(arguments[1]) : 0; isa <= CK_ISA_NEON_DOT; isa++) {
    const ck_table *kernels = ck_kernels(isa);
    for (int i = 0; kernels && i < 5; i++) report(names[isa], kernels, rows[i], 176, 704);
    if (kernels) report(names[isa], kernels, 320, 1584, 176);
  }
}
