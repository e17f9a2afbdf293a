#include "ckernels.h"

#if defined(__x86_64__)
// The system headers come first, so that the attribute below covers our own functions only.
#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push( \
    __attribute__((target("avx512vnni,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c,bmi2"))), \
    apply_to = function)
#define CK_TABLE ck_table_avx512_vnni
#define CK_WIDTH 16
#define CK_ROWS 12
#define CK_HALF
#define CK_DOT_GROUP 4
#define ck_dot(sum, x, w) \
  ((ck_ints)_mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(x), (__m512i)(w)))
#include "kernels_body.h"
#pragma clang attribute pop
#endif
