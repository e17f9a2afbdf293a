#include "ckernels.h"

#if defined(__aarch64__)
// The system headers come first, so that the attribute below covers our own functions only.
#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define CK_TABLE ck_table_neon_dot
#define CK_WIDTH 4
#define CK_ROWS 4
#define CK_HALF
#define CK_DOT_GROUP 4
#define CK_SIGNED_BYTES
#define ck_dot(sum, x, w) ((ck_ints)vdotq_s32((int32x4_t)(sum), (int8x16_t)(x), (int8x16_t)(w)))
#include "kernels_body.h"
#pragma clang attribute pop
#endif
