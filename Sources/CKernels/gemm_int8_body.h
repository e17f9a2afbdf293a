// Matrix product with int8 weights packed once at load, included by kernels_body.h for every target.
//
// A row of activations is quantised to unsigned bytes when it is multiplied, with a scale and a zero
// point of its own: x = scale * (q - zero), q and zero from 0 to 255. So
//   y = sum_i x_i w_i = scale * channel_scale * (sum_i q_i v_i - zero * sum_i v_i),
// v the int8 weights. Both sums are exact in 32 bits, so the result is the same with every
// instruction set up to the rounding of the last line, and no row depends on another.
//
// Vectors hold CK_WIDTH columns of 32 bits, each of them CK_DOT_GROUP successive weights of one
// column, as ck_dot takes them. A target with an instruction for products of bytes gives both, with
// groups of four, and CK_SIGNED_BYTES if it wants q - 128. For the others there are groups of two
// 16-bit numbers: products of bytes by AVX2 alone would saturate.

typedef int32_t ck_ints __attribute__((ext_vector_type(CK_WIDTH), aligned(4)));

#ifndef CK_DOT_GROUP
#define CK_DOT_GROUP 2
// sum + x0 * w0 + x1 * w1 of the 16-bit halves of each column.
static inline ck_ints ck_dot(ck_ints sum, ck_ints x, ck_ints w) {
  return sum + (x << 16 >> 16) * (w << 16 >> 16) + (x >> 16) * (w >> 16);
}
#endif

#if CK_DOT_GROUP == 2
typedef int16_t ck_packed_weight;
typedef int16_t __attribute__((may_alias)) ck_activation;
enum { ck_activation_offset = 0 };
#elif defined(CK_SIGNED_BYTES)
typedef int8_t ck_packed_weight, ck_activation;
enum { ck_activation_offset = 128 };
#else
typedef int8_t ck_packed_weight;
typedef uint8_t ck_activation;
enum { ck_activation_offset = 0 };
#endif

// Quantised rows are held in this many bytes of the stack, as many rows at a time as fit.
enum { ck_strip_bytes = 1 << 16, ck_strip_rows = 256 };

// Scale and zero point of a quantised row.
typedef struct {
  float scale;
  int32_t zero;
} ck_quantization;

static long dot_groups(long k) { return (k + CK_DOT_GROUP - 1) / CK_DOT_GROUP; }

// A panel: sums of the weights and scales of its columns, then the weights. All are 32 bits.
static long packed_int8_count(long n, long k) { return packed_columns(n) * (2 + dot_groups(k)); }

static void pack_int8(const int8_t *w, const float *scales, long n, long k, int32_t *packed) {
  const long groups = dot_groups(k);
  for (long j = 0; j < n; j += ck_panel) {
    long width = panel_width(n - j);
    memset(packed, 0, sizeof(int32_t) * width * (2 + groups));
    int32_t *sums = packed, *weights = packed + 2 * width;
    for (long c = 0; c < width && j + c < n; c++) {
      const int8_t *column = w + (j + c) * k;
      memcpy(packed + width + c, scales + j + c, sizeof(float));
      for (long i = 0; i < k; i++) {
        sums[c] += column[i];
        ck_packed_weight value = column[i];
        memcpy((char *)(weights + i / CK_DOT_GROUP * width + c) + i % CK_DOT_GROUP * sizeof value,
               &value, sizeof value);
      }
    }
    packed += width * (2 + groups);
  }
}

// Smallest and largest of n floats and of the lanes of `low` and `high`, which they start with.
static inline void extend_range(const float *x, long n, ck_vector *low, ck_vector *high) {
  ck_vector l = *low, h = *high;
  long i = 0;
  for (; i + CK_WIDTH <= n; i += CK_WIDTH) {
    ck_vector v = *(const ck_vector *)(x + i);
    l = v < l ? v : l;
    h = v > h ? v : h;
  }
  for (; i < n; i++) {
    ck_vector v = (ck_vector)(x[i]);
    l = v < l ? v : l;
    h = v > h ? v : h;
  }
  *low = l;
  *high = h;
}

// Quantises the row of `a` at `row` to whole groups. A row with an infinity has a scale that makes
// all of its products NaN; a NaN in it counts as the row's smallest number.
static ck_quantization quantize_row(const ck_operand *a, const float *row,
                                    ck_activation *restrict out) {
#pragma clang fp contract(off)
  const long k = a->k, segments = a->segments, segment_stride = a->segment_stride;
  // Zero is always in the range, so that the zero point is.
  ck_vector low = 0, high = 0;
  for (long s = 0; s < segments; s++) extend_range(row + s * segment_stride, k, &low, &high);
  const float bottom = ck_lowest(low), top = ck_highest(high);
  const float scale = (top - bottom) / 255.0f;
  // Below this a row is as good as zero, and the inverse would soon be infinite.
  const float inverse = scale > 1e-30f ? 1.0f / scale : 0;
  const float zero = inverse > 0 ? floorf(0.5f - bottom * inverse) : 0;
  for (long s = 0; s < segments; s++, row += segment_stride, out += k) {
    for (long i = 0; i < k; i++) {
      float q = row[i] * inverse + (zero + 0.5f);
      q = q > 0 ? q : 0;  // so a NaN becomes 0
      q = q < 255 ? q : 255;
      out[i] = (ck_activation)((int32_t)q - ck_activation_offset);
    }
  }
  // The weights of what fills the last group are 0.
  for (long i = segments * k; i % CK_DOT_GROUP != 0; i++) *out++ = 0;
  return (ck_quantization){scale, (int32_t)zero - ck_activation_offset};
}

// One tile: `rows` x `vectors` vectors of c from quantised rows of `groups` groups. `packed` is the
// tile's panel; the bounds are constants wherever this is inlined, as in gemm_tile.
static inline __attribute__((always_inline)) void gemm_int8_tile(
    const int rows, const int vectors, const int32_t *a, long groups,
    const ck_quantization *quantization, const int32_t *packed, const float *bias, long columns,
    float *c, long c_stride, ck_epilogue epilogue, float scale) {
  const int32_t *column_sums = packed, *w = packed + 2 * vectors * CK_WIDTH;
  const float *column_scales = (const float *)(packed + vectors * CK_WIDTH);
  ck_ints sum[CK_ROWS][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = 0;
  for (long i = 0; i < groups; i++, w += vectors * CK_WIDTH) {
    ck_ints weight[2];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      weight[v] = *(const ck_ints *)(w + v * CK_WIDTH);
      if (v * CK_WIDTH % 16 == 0)
        __builtin_prefetch((const char *)(w + v * CK_WIDTH) + ck_prefetch_distance);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      ck_ints x = (ck_ints)(a[r * groups + i]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = ck_dot(sum[r][v], x, weight[v]);
    }
  }
  float padded[ck_panel];
  bias = padded_bias(vectors, bias, columns, padded);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++) {
    ck_vector y[2];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      ck_ints shift = quantization[r].zero * *(const ck_ints *)(column_sums + v * CK_WIDTH);
      y[v] = __builtin_convertvector(sum[r][v] - shift, ck_vector) *
             (quantization[r].scale * *(const ck_vector *)(column_scales + v * CK_WIDTH));
    }
    store_row(vectors, y, bias, columns, c + r * c_stride, epilogue, scale);
  }
}

#define CK_INT8_TILE(rows)                                                                       \
  case rows:                                                                                     \
    if (vectors == 2)                                                                            \
      gemm_int8_tile(rows, 2, a, groups, quantization, packed, bias, columns, c, c_stride,       \
                     epilogue, scale);                                                           \
    else                                                                                         \
      gemm_int8_tile(rows, 1, a, groups, quantization, packed, bias, columns, c, c_stride,       \
                     epilogue, scale);                                                           \
    break;

static void gemm_int8_rows(long rows, int vectors, const int32_t *a, long groups,
                           const ck_quantization *quantization, const int32_t *packed,
                           const float *bias, long columns, float *c, long c_stride,
                           ck_epilogue epilogue, float scale) {
  switch (rows) {
    CK_INT8_TILE(1)
    CK_INT8_TILE(2)
    CK_INT8_TILE(3)
    CK_INT8_TILE(4)
#if CK_ROWS > 4
    CK_INT8_TILE(5)
    CK_INT8_TILE(6)
#endif
#if CK_ROWS > 6
    CK_INT8_TILE(7)
    CK_INT8_TILE(8)
    CK_INT8_TILE(9)
    CK_INT8_TILE(10)
    CK_INT8_TILE(11)
    CK_INT8_TILE(12)
#endif
  }
}

static void gemm_int8(const ck_operand *a, const int32_t *packed, const float *bias, long n,
                      float *c, long c_stride, ck_epilogue epilogue, float scale) {
  const long k = a->segments * a->k, groups = dot_groups(k), m = a->groups * a->rows;
  int32_t quantized[ck_strip_bytes / sizeof(int32_t)];
  ck_quantization quantization[ck_strip_rows];
  long strip = (long)(sizeof quantized / sizeof *quantized) / groups;
  if (strip > ck_strip_rows) strip = ck_strip_rows;
  for (long start = 0; start < m; start += strip) {
    const long rows = m - start < strip ? m - start : strip;
    for (long r = 0; r < rows; r++) {
      long group = (start + r) / a->rows, row = (start + r) % a->rows;
      quantization[r] = quantize_row(a, a->data + group * a->group_stride + row * a->stride,
                                     (ck_activation *)(quantized + r * groups));
    }
    const int32_t *panel = packed;
    const long tiles = (rows + CK_ROWS - 1) / CK_ROWS;
    for (long j = 0; j < n; j += ck_panel) {
      const long width = panel_width(n - j), columns = n - j < width ? n - j : width;
      for (long t = 0; t < tiles; t++) {
        long first = rows * t / tiles, last = rows * (t + 1) / tiles;
        gemm_int8_rows(last - first, (int)(width / CK_WIDTH), quantized + first * groups, groups,
                       quantization + first, panel, bias ? bias + j : NULL, columns,
                       c + (start + first) * c_stride + j, c_stride, epilogue, scale);
      }
      panel += width * (2 + groups);
    }
  }
}
