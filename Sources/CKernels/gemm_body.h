// Matrix product with weights packed once at load, included by kernels_body.h for every target.
// Weights of 16 bits stay so in memory, which small products are bound by, and become float32 in
// registers.
//
// The target gives CK_WIDTH (floats per vector) and CK_ROWS (rows of a tile). Weights are packed in
// panels of two vectors of output columns; a last panel of at most one vector takes only that. A
// tile keeps CK_ROWS x 2 vectors of sums in registers over the whole inner dimension; its rows of
// `a` are read in place, so a convolution is a product over its unfolded input without unfolding.

enum { ck_panel = 2 * CK_WIDTH };

// Bytes from weights in use to those to fetch. A step of a stream reads every weight of the model
// once; with few rows there is too little to compute for the processor to look far enough ahead.
enum { ck_prefetch_distance = 8192 };

typedef _Float16 ck_half_vector __attribute__((ext_vector_type(CK_WIDTH), aligned(2)));

// Columns of the panel that begins `rest` columns before the end.
static long panel_width(long rest) { return rest <= CK_WIDTH ? CK_WIDTH : ck_panel; }

// Columns of all panels of n.
static long packed_columns(long n) {
  long tail = n % ck_panel;
  return n - tail + (tail == 0 ? 0 : panel_width(tail));
}

static long packed_count(long n, long k) { return packed_columns(n) * k; }

#define CK_PACK(name, type)                                                    \
  static void name(const type *w, long n, long k, type *packed) {              \
    for (long j = 0; j < n; j += ck_panel) {                                   \
      long width = panel_width(n - j), filled = n - j < width ? n - j : width; \
      memset(packed, 0, sizeof(type) * width * k);                             \
      for (long c = 0; c < filled; c++)                                        \
        for (long i = 0; i < k; i++) packed[i * width + c] = w[(j + c) * k + i]; \
      packed += width * k;                                                     \
    }                                                                          \
  }

CK_PACK(pack, float)
CK_PACK(pack_half, uint16_t)

// The bias of a tile, or a copy padded by zeros in `padded` where c has fewer columns.
static inline __attribute__((always_inline)) const float *padded_bias(
    const int vectors, const float *bias, long columns, float *padded) {
  if (!bias || columns == vectors * CK_WIDTH) return bias;
  memset(padded, 0, sizeof(float) * vectors * CK_WIDTH);
  memcpy(padded, bias, sizeof(float) * columns);
  return padded;
}

// Ends a row of a tile: the sums and the bias through the epilogue to `columns` floats at `row`.
static inline __attribute__((always_inline)) void store_row(
    const int vectors, const ck_vector *sum, const float *bias, long columns, float *row,
    ck_epilogue epilogue, float scale) {
#pragma clang fp contract(fast)
  // The sums leave the registers by memory: c itself, or a buffer where c has fewer columns.
  float edge[ck_panel];
  const int whole = columns == vectors * CK_WIDTH;
  float *out = whole ? row : edge;
  if (!whole && epilogue == CK_EPILOGUE_ADD) memcpy(edge, row, sizeof(float) * columns);
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    ck_vector y = sum[v];
    if (bias) y += *(const ck_vector *)(bias + v * CK_WIDTH);
    if (epilogue == CK_EPILOGUE_ADD) y = *(ck_vector *)(out + v * CK_WIDTH) + scale * y;
    if (epilogue == CK_EPILOGUE_RELU) y = __builtin_elementwise_max(y, (ck_vector)0);
    *(ck_vector *)(out + v * CK_WIDTH) = y;
  }
  if (epilogue == CK_EPILOGUE_SWISH)
    for (int j = 0; j < vectors * CK_WIDTH; j++) out[j] = out[j] * ck_sigmoid(out[j]);
  if (!whole) memcpy(row, edge, sizeof(float) * columns);
}

// One vector of weights, of 16 bits each if `half`.
static inline __attribute__((always_inline)) ck_vector load_weights(const int half,
                                                                    const char *weights) {
  if (half) return __builtin_convertvector(*(const ck_half_vector *)weights, ck_vector);
  return *(const ck_vector *)weights;
}

// One tile: `rows` x `vectors` vectors of c from all of k, the right operand in rows `step` numbers
// apart, of 16 bits if `half`. The bounds are constants wherever this is inlined, so the loops over
// them vanish. `columns` of the tile exist in c.
static inline __attribute__((always_inline)) void gemm_tile(
    const int rows, const int vectors, const int half, const ck_operand *operand, const float *a,
    const void *packed, long step, const float *bias, long columns, float *c, long c_stride,
    ck_epilogue epilogue, float scale) {
#pragma clang fp contract(fast)
  const long a_stride = operand->stride, k = operand->k, bytes = half ? 2 : 4;
  const char *weights = packed;
  ck_vector sum[CK_ROWS][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) sum[r][v] = 0;
  for (long s = 0; s < operand->segments; s++, a += operand->segment_stride) {
    for (long i = 0; i < k; i++, weights += step * bytes) {
      ck_vector w[2];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) {
        w[v] = load_weights(half, weights + v * CK_WIDTH * bytes);
        if (v * CK_WIDTH * bytes % 64 == 0)
          __builtin_prefetch(weights + v * CK_WIDTH * bytes + ck_prefetch_distance);
      }
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        ck_vector x = (ck_vector)(a[r * a_stride + i]);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[r][v] += x * w[v];
      }
    }
  }
  float padded[ck_panel];
  bias = padded_bias(vectors, bias, columns, padded);
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
    store_row(vectors, sum[r], bias, columns, c + r * c_stride, epilogue, scale);
}

#define CK_TILE(rows)                                                                          \
  case rows:                                                                                   \
    if (vectors == 2)                                                                          \
      gemm_tile(rows, 2, half, operand, a, packed, step, bias, columns, c, c_stride, epilogue, \
                scale);                                                                        \
    else                                                                                       \
      gemm_tile(rows, 1, half, operand, a, packed, step, bias, columns, c, c_stride, epilogue, \
                scale);                                                                        \
    break;

static inline __attribute__((always_inline)) void gemm_rows_of(
    long rows, int vectors, const int half, const ck_operand *operand, const float *a,
    const void *packed, long step, const float *bias, long columns, float *c, long c_stride,
    ck_epilogue epilogue, float scale) {
  switch (rows) {
    CK_TILE(1)
    CK_TILE(2)
    CK_TILE(3)
    CK_TILE(4)
#if CK_ROWS > 4
    CK_TILE(5)
    CK_TILE(6)
#endif
#if CK_ROWS > 6
    CK_TILE(7)
    CK_TILE(8)
    CK_TILE(9)
    CK_TILE(10)
    CK_TILE(11)
    CK_TILE(12)
#endif
  }
}

static void gemm_rows(long rows, int vectors, const ck_operand *operand, const float *a,
                      const void *packed, long step, const float *bias, long columns, float *c,
                      long c_stride, ck_epilogue epilogue, float scale) {
  gemm_rows_of(rows, vectors, 0, operand, a, packed, step, bias, columns, c, c_stride, epilogue,
               scale);
}

#ifdef CK_HALF
static void gemm_half_rows(long rows, int vectors, const ck_operand *operand, const float *a,
                           const void *packed, long step, const float *bias, long columns,
                           float *c, long c_stride, ck_epilogue epilogue, float scale) {
  gemm_rows_of(rows, vectors, 1, operand, a, packed, step, bias, columns, c, c_stride, epilogue,
               scale);
}
#endif

static inline __attribute__((always_inline)) void gemm_of(
    const int half, const ck_operand *a, const char *packed, const float *bias, long n, float *c,
    long c_stride, ck_epilogue epilogue, float scale) {
  // The rows in tiles of nearly equal height: 16 rows as 8 + 8, not 12 + 4.
  const long m = a->rows, tiles = (m + CK_ROWS - 1) / CK_ROWS, bytes = half ? 2 : 4;
  for (long j = 0; j < n; j += ck_panel) {
    const long width = panel_width(n - j), columns = n - j < width ? n - j : width;
    for (long g = 0; g < a->groups; g++) {
      for (long t = 0; t < tiles; t++) {
        long first = m * t / tiles, last = m * (t + 1) / tiles;
        const float *rows = a->data + g * a->group_stride + first * a->stride;
        float *out = c + (g * m + first) * c_stride + j;
        const float *b = bias ? bias + j : NULL;
#ifdef CK_HALF
        if (half) {
          gemm_half_rows(last - first, (int)(width / CK_WIDTH), a, rows, packed, width, b, columns,
                         out, c_stride, epilogue, scale);
          continue;
        }
#endif
        gemm_rows(last - first, (int)(width / CK_WIDTH), a, rows, packed, width, b, columns, out,
                  c_stride, epilogue, scale);
      }
    }
    packed += width * a->segments * a->k * bytes;
  }
}

static void gemm(const ck_operand *a, const float *packed, const float *bias, long n, float *c,
                 long c_stride, ck_epilogue epilogue, float scale) {
  gemm_of(0, a, (const char *)packed, bias, n, c, c_stride, epilogue, scale);
}

#ifdef CK_HALF
static void gemm_half(const ck_operand *a, const uint16_t *packed, const float *bias, long n,
                      float *c, long c_stride, ck_epilogue epilogue, float scale) {
  gemm_of(1, a, (const char *)packed, bias, n, c, c_stride, epilogue, scale);
}
#endif
