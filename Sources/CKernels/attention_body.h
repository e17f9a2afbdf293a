// Attention of a block of queries over keys and values packed for it, included by kernels_body.h for
// every target. A tile of CK_ROWS queries of one head goes from scores to context while its scores are
// near, and those of relative positions are added where they lie: no matrix of shifted scores is
// built.

static long round_up(long count, long unit) { return (count + unit - 1) / unit * unit; }

// Per head: keys in panels of ck_panel keys, [panels][depth, ck_panel]; values in panels of columns
// like those of packed weights, [panels][keys, width].
static long packed_head_count(long keys, long depth) {
  return round_up(keys, ck_panel) * depth + keys * packed_columns(depth);
}

static long attention_packed_count(long keys, long heads, long depth) {
  return heads * packed_head_count(keys, depth);
}

// y[i, r] = x[r, i] for a square of CK_WIDTH, by interleaving its halves log2(CK_WIDTH) times.
static void transpose_square(const float *x, long x_stride, float *y, long y_stride) {
  ck_vector rows[CK_WIDTH], mixed[CK_WIDTH];
#pragma clang loop unroll(full)
  for (int r = 0; r < CK_WIDTH; r++) rows[r] = *(const ck_vector *)(x + r * x_stride);
#pragma clang loop unroll(full)
  for (int step = 1; step < CK_WIDTH; step *= 2) {
#pragma clang loop unroll(full)
    for (int r = 0; r < CK_WIDTH / 2; r++) {
      mixed[2 * r] = ck_first(rows[r], rows[r + CK_WIDTH / 2]);
      mixed[2 * r + 1] = ck_last(rows[r], rows[r + CK_WIDTH / 2]);
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < CK_WIDTH; r++) rows[r] = mixed[r];
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < CK_WIDTH; i++) *(ck_vector *)(y + i * y_stride) = rows[i];
}

// `rows` keys of one head into as many columns of one panel. k: [rows, depth]; rows <= CK_WIDTH.
static void pack_keys(const float *k, long stride, long rows, long depth, float *columns) {
  if (rows == CK_WIDTH && depth >= CK_WIDTH) {
    // The last square ends where the keys do, and may overlap the one before.
    for (long i = 0; i < depth; i += CK_WIDTH) {
      long start = i + CK_WIDTH <= depth ? i : depth - CK_WIDTH;
      transpose_square(k + start, stride, columns + start * ck_panel, ck_panel);
    }
    return;
  }
  for (long r = 0; r < rows; r++)
    for (long i = 0; i < depth; i++) columns[i * ck_panel + r] = k[r * stride + i];
}

// Values of one head from row `first` of `keys` on. v: [rows, depth].
static void pack_values(const float *v, long stride, long first, long rows, long keys, long depth,
                        float *packed) {
  for (long j = 0; j < depth; j += ck_panel) {
    const long width = panel_width(depth - j), filled = depth - j < width ? depth - j : width;
    for (long r = 0; r < rows; r++) {
      float *row = packed + (first + r) * width;
      memcpy(row, v + r * stride + j, sizeof(float) * filled);
      memset(row + filled, 0, sizeof(float) * (width - filled));
    }
    packed += keys * width;
  }
}

static void pack_attention(const float *k, const float *v, long stride, long first, long rows,
                           long keys, long heads, long depth, float *packed) {
  const long head_count = packed_head_count(keys, depth);
  // All heads of a few rows at a time: memory is read in order.
  for (long r = 0, taken; r < rows; r += taken) {
    const long key = first + r;
    taken = CK_WIDTH - key % CK_WIDTH < rows - r ? CK_WIDTH - key % CK_WIDTH : rows - r;
    for (long h = 0; h < heads; h++) {
      float *head = packed + h * head_count;
      pack_keys(k + r * stride + h * depth, stride, taken, depth,
                head + key / ck_panel * ck_panel * depth + key % ck_panel);
      pack_values(v + r * stride + h * depth, stride, key, taken, keys, depth,
                  head + round_up(keys, ck_panel) * depth);
    }
  }
  // Columns beyond the last key are computed and never read; numbers there keep them fast.
  if (first + rows < keys || keys % ck_panel == 0) return;
  for (long h = 0; h < heads; h++) {
    float *last = packed + h * head_count + keys / ck_panel * ck_panel * depth;
    for (long i = 0; i < depth; i++)
      for (long c = keys % ck_panel; c < ck_panel; c++) last[i * ck_panel + c] = 0;
  }
}

// Rows of scores and of position scores in scratch, in floats. The odd vector keeps rows from
// falling on the same cache sets.
static long score_stride(long keys) { return round_up(keys + CK_ROWS, ck_panel) + CK_WIDTH; }

static long attention_scratch_count(long keys, long depth) {
  return CK_ROWS * (depth + 2 * score_stride(keys) + ck_panel);
}

// y[r, i] = (x[r, i] + bias[i]) * scale, the bias of one head or NULL.
static void prepare_queries(const float *x, long x_stride, long rows, long depth,
                            const float *bias, float scale, float *restrict y) {
  for (long r = 0; r < rows; r++, x += x_stride, y += depth) {
    if (bias) {
      for (long i = 0; i < depth; i++) y[i] = (x[i] + bias[i]) * scale;
    } else {
      for (long i = 0; i < depth; i++) y[i] = x[i] * scale;
    }
  }
}

// c = a * b for whole panels of b's columns, `step` floats between its rows and `next` between its
// panels. a: [rows, depth]; c: [rows, columns rounded up].
static void score_panels(const float *a, long rows, long depth, const float *b, long step,
                         long next, long columns, float *c, long c_stride) {
  const ck_operand left = {
      .data = a, .rows = rows, .stride = depth, .groups = 1, .segments = 1, .k = depth};
  for (long j = 0; j < columns; j += ck_panel, b += next)
    gemm_rows(rows, 2, &left, a, b, step, NULL, ck_panel, c + j, c_stride, CK_EPILOGUE_NONE, 1);
}

// Rows `first`... of the block's queries in one head, `rows` <= CK_ROWS of them. packed: the head's.
static void attention_tile(const ck_attention *a, long first, long rows, long head,
                           const float *packed, float *scratch, float *y, long y_stride) {
  const long keys = a->keys, depth = a->depth, stride = score_stride(keys), part = head * depth;
  float *queries = scratch, *scores = queries + CK_ROWS * depth;
  float *shifted = scores + CK_ROWS * stride, *context = shifted + CK_ROWS * stride;
  const float *input = a->queries + first * a->query_stride + part;

  prepare_queries(input, a->query_stride, rows, depth, a->bias_u ? a->bias_u + part : NULL,
                  a->scale, queries);
  score_panels(queries, rows, depth, packed, ck_panel, ck_panel * depth, keys, scores, stride);
  if (a->positions) {
    prepare_queries(input, a->query_stride, rows, depth, a->bias_v ? a->bias_v + part : NULL,
                    a->scale, queries);
    // Column rows - 1 - i + j of the tile's part belongs to its query i and key j.
    const float *positions = a->positions + part * a->position_stride + a->rows - (first + rows);
    score_panels(queries, rows, depth, positions, a->position_stride, ck_panel, keys + rows - 1,
                 shifted, stride);
  }

  float inverse[CK_ROWS];
  for (long i = 0; i < rows; i++) {
    float *row = scores + i * stride;
    if (a->positions) {
      const float *position = shifted + i * stride + rows - 1 - i;
      for (long j = 0; j < keys; j++) row[j] += position[j];
    }
    inverse[i] = exponentials(row, keys, 1);
    if (a->weights) {
      float *weights = a->weights + (head * a->rows + first + i) * keys;
      for (long j = 0; j < keys; j++) weights[j] = row[j] * inverse[i];
    }
  }

  const float *values = packed + round_up(keys, ck_panel) * depth;
  const ck_operand weights = {
      .data = scores, .rows = rows, .stride = stride, .groups = 1, .segments = 1, .k = keys};
  for (long j = 0; j < depth; j += ck_panel) {
    const long width = panel_width(depth - j), filled = depth - j < width ? depth - j : width;
    gemm_rows(rows, (int)(width / CK_WIDTH), &weights, scores, values, width, NULL, width, context,
              width, CK_EPILOGUE_NONE, 1);
    for (long i = 0; i < rows; i++) {
      float *out = y + (first + i) * y_stride + part + j;
      for (long c = 0; c < filled; c++) out[c] = context[i * width + c] * inverse[i];
    }
    values += keys * width;
  }
}

static void attention(const ck_attention *a, float *scratch, float *y, long y_stride) {
  const long tiles = (a->rows + CK_ROWS - 1) / CK_ROWS;
  const float *packed = a->packed;
  for (long head = 0; head < a->heads; head++) {
    for (long t = 0; t < tiles; t++) {
      long first = a->rows * t / tiles, last = a->rows * (t + 1) / tiles;
      attention_tile(a, first, last - first, head, packed, scratch, y, y_stride);
    }
    packed += packed_head_count(a->keys, a->depth);
  }
}
