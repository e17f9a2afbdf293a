// The kernels themselves, compiled once per instruction set by kernels_*.c, which define
// CK_TABLE (the name of the set's table), CK_WIDTH and CK_ROWS (see gemm_body.h), CK_HALF where the
// target converts 16-bit floats, CK_DOT_GROUP and
// ck_dot where they have better than gemm_int8_body.h and, where the target is not the compiler's
// baseline, push a target attribute around this file. Plain loops: the compiler vectorises them for the
// target. Reductions carry several partial sums only where `reassociate` allows it.

#include <math.h>
#include <stddef.h>
#include <string.h>

typedef float ck_vector __attribute__((ext_vector_type(CK_WIDTH), aligned(4)));

// Interleaves of two vectors: their first and their last halves.
#if CK_WIDTH == 16
#define ck_first(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ck_last(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif CK_WIDTH == 8
#define ck_first(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define ck_last(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define ck_first(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define ck_last(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#endif

// Smallest and largest lane: folding a vector log2(CK_WIDTH) times leaves one number in all lanes.
static inline float ck_lowest(ck_vector v) {
#pragma clang loop unroll(full)
  for (int step = 1; step < CK_WIDTH; step *= 2) {
    ck_vector a = ck_first(v, v), b = ck_last(v, v);
    v = a < b ? a : b;
  }
  return v[0];
}

static inline float ck_highest(ck_vector v) { return -ck_lowest(-v); }

// exp for finite x by 2^n * 2^f with a degree-6 polynomial: relative error below 3e-7.
static inline float ck_exp(float x) {
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  float shifted = x * 1.44269504088896341f + magic;
  float n = shifted - magic;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  int32_t exponent = (bits - 0x4B400000 + 127) << 23;
  float scale;
  memcpy(&scale, &exponent, sizeof scale);
  return p * scale;
}

static inline float ck_sigmoid(float x) { return 1.0f / (1.0f + ck_exp(-x)); }

static float ck_sum(const float *x, long n) {
#pragma clang fp reassociate(on)
  float s = 0;
  for (long i = 0; i < n; i++) s += x[i];
  return s;
}

static float ck_max(const float *x, long n) {
  ck_vector top = -INFINITY;
  long i = 0;
  for (; i + CK_WIDTH <= n; i += CK_WIDTH) {
    ck_vector v = *(const ck_vector *)(x + i);
    top = v > top ? v : top;
  }
  float m = ck_highest(top);
  for (; i < n; i++) m = x[i] > m ? x[i] : m;
  return m;
}

static void layer_norm(const float *x, long x_stride, long rows, long n, const float *gamma,
                       const float *beta, float epsilon, float *y, long y_stride) {
#pragma clang fp reassociate(on)
  for (long r = 0; r < rows; r++, x += x_stride, y += y_stride) {
    float mean = ck_sum(x, n) / (float)n;
    float variance = 0;
    for (long j = 0; j < n; j++) variance += (x[j] - mean) * (x[j] - mean);
    float scale = 1.0f / sqrtf(variance / (float)n + epsilon);
    for (long j = 0; j < n; j++) y[j] = (x[j] - mean) * scale * gamma[j] + beta[j];
  }
}

static void glu(const float *x, long x_stride, long rows, long n, float *restrict y,
                long y_stride) {
  for (long r = 0; r < rows; r++, x += x_stride, y += y_stride)
    for (long j = 0; j < n; j++) y[j] = x[j] * ck_sigmoid(x[n + j]);
}

// `rows` outputs of one vector of channels: weights of eight taps at a time in registers, and each
// input loaded once for all outputs that want it of those taps.
static inline __attribute__((always_inline)) void depthwise_tile(
    const int rows, const float *x, long n, const float *w, ck_vector bias, long taps, float *y) {
#pragma clang fp contract(fast)
  enum { group = 8 };
  ck_vector sum[8];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) sum[r] = bias;
  long k = 0;
  for (; k + group <= taps; k += group, x += group * n, w += group * n) {
    ck_vector tap[group];
#pragma clang loop unroll(full)
    for (int g = 0; g < group; g++) tap[g] = *(const ck_vector *)(w + g * n);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows + group - 1; i++) {
      ck_vector v = *(const ck_vector *)(x + i * n);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++)
        if (i - r >= 0 && i - r < group) sum[r] += v * tap[i - r];
    }
  }
  for (; k < taps; k++, x += n, w += n) {
    ck_vector tap = *(const ck_vector *)w;
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r] += *(const ck_vector *)(x + r * n) * tap;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) *(ck_vector *)(y + r * n) = sum[r];
}

static void depthwise(const float *x, long rows, long n, const float *w, const float *bias,
                      long taps, float *restrict y) {
#pragma clang fp contract(fast)
  const long whole = n - n % CK_WIDTH;
  for (long j = 0; j < whole; j += CK_WIDTH) {
    const ck_vector b = *(const ck_vector *)(bias + j);
    long t = 0;
    for (; t + 8 <= rows; t += 8) depthwise_tile(8, x + t * n + j, n, w + j, b, taps, y + t * n + j);
    for (; t + 4 <= rows; t += 4) depthwise_tile(4, x + t * n + j, n, w + j, b, taps, y + t * n + j);
    for (; t < rows; t++) depthwise_tile(1, x + t * n + j, n, w + j, b, taps, y + t * n + j);
  }
  for (long j = whole; j < n; j++) {
    for (long t = 0; t < rows; t++) {
      float sum = bias[j];
      for (long k = 0; k < taps; k++) sum += x[(t + k) * n + j] * w[k * n + j];
      y[t * n + j] = sum;
    }
  }
}

static void swish(float *x, long count) {
  for (long i = 0; i < count; i++) x[i] = x[i] * ck_sigmoid(x[i]);
}

// s = exp(scale * (s - max s)), scale > 0; returns the inverse of their sum.
static float exponentials(float *s, long n, float scale) {
#pragma clang fp reassociate(on)
  float top = ck_max(s, n);
  float sum = 0;
  for (long j = 0; j < n; j++) {
    s[j] = ck_exp((s[j] - top) * scale);
    sum += s[j];
  }
  return 1.0f / sum;
}

static void gathered_attention(const float *q, const float *keys, const float *values, long stride,
                               const int32_t *rows, long n, long heads, long depth, float scale,
                               float *scores, float *restrict y) {
#pragma clang fp reassociate(on)
  for (long h = 0; h < heads; h++, q += depth, keys += depth, values += depth, y += depth) {
    for (long j = 0; j < n; j++) {
      const float *key = keys + rows[j] * stride;
      float sum = 0;
      for (long c = 0; c < depth; c++) sum += q[c] * key[c];
      scores[j] = sum;
    }
    float inverse = exponentials(scores, n, scale);
    for (long c = 0; c < depth; c++) y[c] = 0;
    for (long j = 0; j < n; j++) {
      const float *value = values + rows[j] * stride;
      for (long c = 0; c < depth; c++) y[c] += scores[j] * value[c];
    }
    for (long c = 0; c < depth; c++) y[c] *= inverse;
  }
}

static void log_softmax(float *x, long stride, long rows, long n) {
#pragma clang fp reassociate(on)
  for (long r = 0; r < rows; r++, x += stride) {
    float top = ck_max(x, n);
    float sum = 0;
    for (long j = 0; j < n; j++) sum += ck_exp(x[j] - top);
    float offset = top + logf(sum);
    for (long j = 0; j < n; j++) x[j] -= offset;
  }
}

// log for positive normal x: x = 2^e * m with m around 1, and a degree-9 polynomial in m - 1
// (Cephes logf): relative error below 2e-7.
static inline float ck_log(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  // m from sqrt(1/2) to sqrt(2).
  int32_t e = (bits - 0x3F3504F3) >> 23;
  int32_t mantissa = bits - (e << 23);
  float m;
  memcpy(&m, &mantissa, sizeof m);
  m -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float square = m * m;
  p = p * m * square + (float)e * -2.12194440e-4f - 0.5f * square;
  return m + p + (float)e * 0.693359375f;
}

static void logarithm(float *x, long count) {
  for (long i = 0; i < count; i++) x[i] = ck_log(x[i]);
}

static long first_not_finite(const float *x, long count) {
  for (long start = 0; start < count; start += 4096) {
    long end = count - start < 4096 ? count : start + 4096;
    uint32_t bad = 0;
    for (long i = start; i < end; i++) {
      uint32_t bits;
      memcpy(&bits, x + i, sizeof bits);
      bad |= (bits & 0x7F800000u) == 0x7F800000u;
    }
    if (!bad) continue;
    for (long i = start; i < end; i++) {
      uint32_t bits;
      memcpy(&bits, x + i, sizeof bits);
      if ((bits & 0x7F800000u) == 0x7F800000u) return i;
    }
  }
  return -1;
}

static long half_to_float(const uint16_t *x, float *y, long count) {
  for (long i = 0; i < count; i++) {
    _Float16 h;
    memcpy(&h, x + i, sizeof h);
    y[i] = (float)h;
  }
  return first_not_finite(y, count);
}

#include "gemm_body.h"
#include "edge_body.h"
#include "attention_body.h"
#include "gemm_int8_body.h"

const ck_table CK_TABLE = {
    .layer_norm = layer_norm,
    .glu = glu,
    .depthwise = depthwise,
    .edge = edge,
    .edge_half = edge_half,
    .swish = swish,
    .gathered_attention = gathered_attention,
    .log_softmax = log_softmax,
    .logarithm = logarithm,
    .half_to_float = half_to_float,
    .first_not_finite = first_not_finite,
    .packed_count = packed_count,
    .pack = pack,
    .gemm = gemm,
    .pack_half = pack_half,
#ifdef CK_HALF
    .gemm_half = gemm_half,
#endif
    .attention_packed_count = attention_packed_count,
    .pack_attention = pack_attention,
    .attention_scratch_count = attention_scratch_count,
    .attention = attention,
    .packed_int8_count = packed_int8_count,
    .pack_int8 = pack_int8,
    .gemm_int8 = gemm_int8,
};
