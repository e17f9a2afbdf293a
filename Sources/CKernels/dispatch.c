#include "ckernels.h"

#include <stddef.h>

extern const ck_table ck_table_portable;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2, ck_table_avx512;
#endif

const ck_table *ck_kernels(ck_isa isa) {
  switch (isa) {
    case CK_ISA_PORTABLE:
      return &ck_table_portable;
#if defined(__x86_64__)
    case CK_ISA_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                     __builtin_cpu_supports("f16c")
                 ? &ck_table_avx2
                 : NULL;
    case CK_ISA_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
                 ? &ck_table_avx512
                 : NULL;
#endif
    default:
      return NULL;
  }
}

ck_isa ck_best_isa(void) {
  if (ck_kernels(CK_ISA_AVX512)) return CK_ISA_AVX512;
  if (ck_kernels(CK_ISA_AVX2)) return CK_ISA_AVX2;
  return CK_ISA_PORTABLE;
}
