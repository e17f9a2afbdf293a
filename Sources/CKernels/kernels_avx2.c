#include "ckernels.h"

#if defined(__x86_64__)
// The system headers come first, so that the attribute below covers our own functions only.
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi2"))), apply_to = function)
#define CK_TABLE ck_table_avx2
#define CK_WIDTH 8
#define CK_ROWS 6
#define CK_HALF
#define CK_DOT_GROUP 2
#define ck_dot(sum, x, w) \
  ((ck_ints)_mm256_add_epi32((__m256i)(sum), _mm256_madd_epi16((__m256i)(x), (__m256i)(w))))
#include "kernels_body.h"
#pragma clang attribute pop
#endif
