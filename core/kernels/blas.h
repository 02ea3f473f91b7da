// SPDX-License-Identifier: Apache-2.0
// Matrix products on one thread inside a parallel loop, by the BLAS that LibTorch brings.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace remixer::kernels {

// Whether LibTorch's libraries export a BLAS.
bool has_blas();

// c [m, n] = alpha · a [m, k] · b [k, n] + beta · c; all row-major, `ld` numbers from row to row.
// With ta, a is stored as [k, m]; with tb, b as [n, k]. float or double; has_blas() must be true.
// Uses the calling thread's number of threads: see OneThread.
template <typename T>
void product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
             const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// During its lifetime, this thread's products use one thread. MKL would not use more inside a
// parallel loop, but would partition its sums for more.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Memory aligned to cache lines: BLAS's sums depend on that.
template <typename T>
std::unique_ptr<T[], decltype(&std::free)> scratch(int64_t count) {
  constexpr size_t kLine = 64;
  const size_t bytes = (static_cast<size_t>(count) * sizeof(T) + kLine - 1) / kLine * kLine;
  auto* begin = static_cast<T*>(std::aligned_alloc(kLine, bytes));
  if (begin == nullptr) throw std::bad_alloc();
  return {begin, &std::free};
}

}  // namespace remixer::kernels
