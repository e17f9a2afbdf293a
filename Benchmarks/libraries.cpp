// The recogniser's matrix products against OpenBLAS and oneDNN on one thread, shape by shape.
//
//     apt-get install libdnnl-dev libopenblas-dev
//     clang -O2 -ISources/CKernels/include -c Sources/CKernels/*.c && \
//       clang++ -O2 -ISources/CKernels/include Benchmarks/libraries.cpp *.o -ldnnl -lopenblas -lm \
//       -o /tmp/libraries && OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 /tmp/libraries
//
// oneDNN has its weights reordered once, as it likes them best. Its int8 product gets rows that are
// bytes already and leaves sums of 32 bits; ours takes and gives float32.
#include <cblas.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <unordered_map>
#include <vector>

extern "C" {
#include "ckernels.h"
}

using dnnl::memory;

// A matmul of [m, k] by [k, n] with weights in the layout that it asks for.
class OneDNN {
 public:
  OneDNN(long m, long k, long n, memory::data_type source, memory::data_type weight,
         memory::data_type result)
      : engine(dnnl::engine::kind::cpu, 0), stream(engine) {
    const memory::desc a({m, k}, source, memory::format_tag::ab);
    const memory::desc b({k, n}, weight, memory::format_tag::any);
    const memory::desc c({m, n}, result, memory::format_tag::ab);
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(a, b, c), engine);
    product = dnnl::matmul(description);
    // Zeros: the time does not depend on the numbers.
    arguments = {{DNNL_ARG_SRC, memory(a, engine)},
                 {DNNL_ARG_WEIGHTS, memory(description.weights_desc(), engine)},
                 {DNNL_ARG_DST, memory(c, engine)}};
    for (auto &[name, operand] : arguments)
      memset(operand.get_data_handle(), 0, operand.get_desc().get_size());
  }

  void run() {
    product.execute(stream, arguments);
    stream.wait();
  }

 private:
  dnnl::engine engine;
  dnnl::stream stream;
  dnnl::matmul product;
  std::unordered_map<int, memory> arguments;
};

// 10^9 operations per second of each of `bodies`, in turns: the best of seven.
static std::vector<double> rates(double operations, std::vector<std::function<void()>> bodies) {
  const long calls = 2e8 / operations + 1;
  std::vector<double> best(bodies.size(), 0);
  for (int turn = 0; turn < 7; turn++)
    for (size_t i = 0; i < bodies.size(); i++) {
      const auto start = std::chrono::steady_clock::now();
      for (long call = 0; call < calls; call++) bodies[i]();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      best[i] = std::max(best[i], 1e-9 * operations * calls / taken.count());
    }
  return best;
}

static void report(const ck_table *kernels, long m, long k, long n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> a(m * k), w(n * k), c(m * n), scales(n, 1), packed(kernels->packed_count(n, k));
  std::vector<int8_t> w8(n * k, 3);
  std::vector<int32_t> packed8(kernels->packed_int8_count(n, k));
  for (float &x : a) x = uniform(random);
  for (float &x : w) x = uniform(random);
  kernels->pack(w.data(), n, k, packed.data());
  kernels->pack_int8(w8.data(), scales.data(), n, k, packed8.data());
  const ck_operand x = {a.data(), m, k, 1, 0, 1, 0, k};
  OneDNN dnnl32(m, k, n, memory::data_type::f32, memory::data_type::f32, memory::data_type::f32);
  OneDNN dnnl8(m, k, n, memory::data_type::u8, memory::data_type::s8, memory::data_type::s32);
  const auto found = rates(
      2.0 * m * k * n,
      {[&] { kernels->gemm(&x, packed.data(), nullptr, n, c.data(), n, CK_EPILOGUE_NONE, 1); },
       [&] {
         cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a.data(), k, w.data(), k,
                     0, c.data(), n);
       },
       [&] { dnnl32.run(); },
       [&] { kernels->gemm_int8(&x, packed8.data(), nullptr, n, c.data(), n, CK_EPILOGUE_NONE, 1); },
       [&] { dnnl8.run(); }});
  printf("| %ld | %ld to %ld | %.0f | %.0f | %.0f | %.0f | %.0f |\n", m, k, n, found[0], found[1],
         found[2], found[3], found[4]);
}

int main() {
  const ck_table *kernels = ck_kernels(ck_best_isa());
  puts("| rows | shape | Starling f32 | OpenBLAS | oneDNN f32 | Starling int8 | oneDNN int8 |");
  puts("|---|---|---|---|---|---|---|");
  const long shapes[][2] = {{176, 176}, {176, 352}, {176, 528}, {176, 704}, {704, 176}, {1584, 176}};
  for (long rows : {1, 4, 16, 64, 250})
    for (auto &shape : shapes) report(kernels, rows, shape[0], shape[1]);
}
