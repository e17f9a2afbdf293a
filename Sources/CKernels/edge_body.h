// Edge kernels of the depthwise convolution, included by kernels_body.h for every target. A stream's
// step reads each weight once and does one multiplication with it, so this is bound by memory: the
// weights are read in order, with 16 bits if their file has these, and fetched ahead like those of
// matrix products.

static inline __attribute__((always_inline)) void edge_of(
    const int half, const float *x, long taps, long n, const char *w, const float *scale,
    long rows, float *y) {
#pragma clang fp contract(fast)
  const long whole = n - n % CK_WIDTH, bytes = half ? 2 : 4;
  for (long r = 0; r < rows; r++, y -= n) {
    for (long k = 0; k < taps; k++, w += n * bytes) {
      const float *input = x - k * n;
      for (long j = 0; j < whole; j += CK_WIDTH) {
        const char *weights = w + j * bytes;
        __builtin_prefetch(weights + ck_prefetch_distance);
        *(ck_vector *)(y + j) += *(const ck_vector *)(input + j) * load_weights(half, weights) *
                                 *(const ck_vector *)(scale + j);
      }
      for (long j = whole; j < n; j++) {
        float weight;
        if (half) {
          _Float16 h;
          memcpy(&h, w + j * bytes, sizeof h);
          weight = (float)h;
        } else {
          memcpy(&weight, w + j * bytes, sizeof weight);
        }
        y[j] += input[j] * weight * scale[j];
      }
    }
  }
}

static void edge(const float *x, long taps, long n, const float *w, const float *scale, long rows,
                 float *y) {
  edge_of(0, x, taps, n, (const char *)w, scale, rows, y);
}

static void edge_half(const float *x, long taps, long n, const uint16_t *w, const float *scale,
                      long rows, float *y) {
  edge_of(1, x, taps, n, (const char *)w, scale, rows, y);
}
