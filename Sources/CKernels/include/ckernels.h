// Kernels of the recogniser, one set per instruction set: matrix products with packed weights, and
// what happens row by row between them.
//
// Every set is compiled from the same C (kernels_body.h) for another target, chosen once at start
// by what the processor has, and each can be forced in tests. Matrices are row-major float32;
// a "stride" is the distance between rows in floats.
#ifndef STARLING_CKERNELS_H
#define STARLING_CKERNELS_H

#include <stdint.h>

typedef enum {
  CK_ISA_PORTABLE = 0,  // whatever the compiler's baseline offers
  CK_ISA_AVX2 = 1,      // AVX2, FMA, F16C
  CK_ISA_AVX512 = 2,    // AVX-512 F, BW, DQ, VL
  // The same with products of bytes:
  CK_ISA_AVX_VNNI = 3,
  CK_ISA_AVX512_VNNI = 4,
  CK_ISA_NEON_DOT = 5,  // the baseline of 64-bit Arm and its dot products
} ck_isa;

// What a matrix product does with y = a * w + bias.
typedef enum {
  CK_EPILOGUE_NONE = 0,   // c = y
  CK_EPILOGUE_RELU = 1,   // c = max(y, 0)
  CK_EPILOGUE_SWISH = 2,  // c = y * sigmoid(y)
  CK_EPILOGUE_ADD = 3,    // c += scale * y: the end of a residual branch
} ck_epilogue;

// The left operand of a matrix product, [groups * rows, segments * k], read where it lies:
// row r of group g is, for each segment s, the k floats at
// data + g * group_stride + r * stride + s * segment_stride. A plain matrix is one group of rows of
// one segment; the windows of a convolution are rows that overlap.
typedef struct {
  const float *data;
  long rows, stride;
  long groups, group_stride;
  long segments, segment_stride;
  long k;
} ck_operand;

// Attention of a block of queries over keys and values that are packed for it, in every head. The
// score of query i and key j is
//   scale * ((q_i + u) . k_j + (q_i + v) . p_(rows - 1 - i + j))
// with relative positions (Dai et al. 2019), or scale * q_i . k_j without.
typedef struct {
  const float *queries;  // [rows, heads * depth], rows query_stride apart
  long rows, query_stride;
  long heads, depth;
  const float *packed;  // the keys and values of `keys` frames, by pack_attention
  long keys;
  const float *bias_u, *bias_v;  // [heads * depth]; or NULL
  // Projected positions, transposed: [heads * depth, rows + keys - 1], rows position_stride apart;
  // or NULL. Up to CK_POSITION_PADDING floats after each row are read and do not matter.
  const float *positions;
  long position_stride;
  float scale;
  float *weights;  // if not NULL, where softmax(scores) go: [heads, rows, keys]
} ck_attention;

enum { CK_POSITION_PADDING = 64 };

typedef struct {
  // y[r, :] = gamma * (x[r, :] - mean) / sqrt(variance + epsilon) + beta, variance biased.
  // x and y may be the same.
  void (*layer_norm)(const float *x, long x_stride, long rows, long n, const float *gamma,
                     const float *beta, float epsilon, float *y, long y_stride);

  // y[r, j] = x[r, j] * sigmoid(x[r, n + j]); x: [rows, 2n], y: [rows, n].
  void (*glu)(const float *x, long x_stride, long rows, long n, float *y, long y_stride);

  // y[t, j] = bias[j] + sum_k x[t + k, j] * w[k, j]; x: [rows + taps - 1, n], w: [taps, n].
  void (*depthwise)(const float *x, long rows, long n, const float *w, const float *bias,
                    long taps, float *y);

  // y[-r, j] += scale[j] * sum_k x[-k, j] * w[r, k, j]; w: [rows, taps, n]. x and y point at the last
  // of their rows: [taps, n] and [rows, n].
  void (*edge)(const float *x, long taps, long n, const float *w, const float *scale, long rows,
               float *y);

  // `edge` with weights that are 16-bit floats.
  void (*edge_half)(const float *x, long taps, long n, const uint16_t *w, const float *scale,
                    long rows, float *y);

  // x[i] = x[i] * sigmoid(x[i]), in place.
  void (*swish)(float *x, long count);

  // Attention of one query over the keys and values in n rows named by `rows`, which lie anywhere:
  // y[h, :] = sum_j softmax_j(scale * q[h, :] . keys[rows[j], h, :]) * values[rows[j], h, :].
  // q, y: [heads, depth]; keys, values: [., heads * depth] of this stride; scores: n floats of
  // scratch.
  void (*gathered_attention)(const float *q, const float *keys, const float *values, long stride,
                             const int32_t *rows, long n, long heads, long depth, float scale,
                             float *scores, float *y);

  // x[r, :] -= log(sum(exp(x[r, :]))), in place.
  void (*log_softmax)(float *x, long stride, long rows, long n);

  // x[i] = log(x[i]), in place, for positive normal x.
  void (*logarithm)(float *x, long count);

  // y[i] = x[i] as float; returns the index of the first NaN or infinity, or -1.
  long (*half_to_float)(const uint16_t *x, float *y, long count);

  // Index of the first NaN or infinity in x, or -1.
  long (*first_not_finite)(const float *x, long count);

  // Numbers of the packed form of weights [n, k].
  long (*packed_count)(long n, long k);

  // Packs weights w: [n, k], as checkpoints store them, for `gemm` of the same table.
  void (*pack)(const float *w, long n, long k, float *packed);

  // c: [rows of a, n] from a, packed weights of [n, columns of a] and bias [n] (or NULL).
  void (*gemm)(const ck_operand *a, const float *packed, const float *bias, long n, float *c,
               long c_stride, ck_epilogue epilogue, float scale);

  // `pack` and `gemm` for weights that are 16-bit floats, in memory and packed; they are
  // exact in float32. gemm_half is NULL where the set has no conversion worth it.
  void (*pack_half)(const uint16_t *w, long n, long k, uint16_t *packed);
  void (*gemm_half)(const ck_operand *a, const uint16_t *packed, const float *bias, long n,
                    float *c, long c_stride, ck_epilogue epilogue, float scale);

  // Floats of the packed form of keys and values.
  long (*attention_packed_count)(long keys, long heads, long depth);

  // Packs `rows` of `keys` keys and values, from key `first` on; the last ones last.
  // k, v: [rows, heads * depth], rows `stride` apart.
  void (*pack_attention)(const float *k, const float *v, long stride, long first, long rows,
                         long keys, long heads, long depth, float *packed);

  // Floats of scratch of `attention`.
  long (*attention_scratch_count)(long keys, long depth);

  // y[i, :] = sum_j softmax_j(score_ij) v_j in every head. y: [rows, heads * depth].
  void (*attention)(const ck_attention *a, float *scratch, float *y, long y_stride);

  // 32-bit words of the packed form of int8 weights [n, k].
  long (*packed_int8_count)(long n, long k);

  // Packs weights w: [n, k] and the scale of each of their rows, [n], for `gemm_int8` of the same
  // table. k is at most CK_INT8_INPUTS.
  void (*pack_int8)(const int8_t *w, const float *scales, long n, long k, int32_t *packed);

  // `gemm` with packed int8 weights. Each row of `a` is quantised to 8 bits with a scale and a zero
  // point of its own; the sums are exact integers.
  void (*gemm_int8)(const ck_operand *a, const int32_t *packed, const float *bias, long n, float *c,
                    long c_stride, ck_epilogue epilogue, float scale);
} ck_table;

// Most inputs of a product with int8 weights: more could overflow its sums and its buffer.
enum { CK_INT8_INPUTS = 32768 };

// The kernels of one instruction set, or NULL when this processor or build lacks it.
const ck_table *ck_kernels(ck_isa isa);

// The best instruction set of this processor.
ck_isa ck_best_isa(void);

// Tells the processor that a thread waits for another one.
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Gives free heap memory back to the system, where the C library can.
void ck_trim_heap(void);

#endif
