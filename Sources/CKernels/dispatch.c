#include "ckernels.h"

#include <stddef.h>

extern const ck_table ck_table_portable;
#if defined(__x86_64__)
extern const ck_table ck_table_avx2, ck_table_avx512, ck_table_avx_vnni, ck_table_avx512_vnni;
#elif defined(__aarch64__)
#include <sys/auxv.h>
extern const ck_table ck_table_neon_dot;
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
    case CK_ISA_AVX_VNNI:
      return ck_kernels(CK_ISA_AVX2) && __builtin_cpu_supports("avxvnni") ? &ck_table_avx_vnni
                                                                          : NULL;
    case CK_ISA_AVX512_VNNI:
      return ck_kernels(CK_ISA_AVX512) && __builtin_cpu_supports("avx512vnni")
                 ? &ck_table_avx512_vnni
                 : NULL;
#elif defined(__aarch64__)
    case CK_ISA_NEON_DOT:
      return getauxval(AT_HWCAP) & HWCAP_ASIMDDP ? &ck_table_neon_dot : NULL;
#endif
    default:
      return NULL;
  }
}

ck_isa ck_best_isa(void) {
  const ck_isa best_first[] = {
      CK_ISA_AVX512_VNNI, CK_ISA_AVX512, CK_ISA_AVX_VNNI, CK_ISA_AVX2, CK_ISA_NEON_DOT,
  };
  for (size_t i = 0; i < sizeof best_first / sizeof *best_first; i++)
    if (ck_kernels(best_first[i])) return best_first[i];
  return CK_ISA_PORTABLE;
}
