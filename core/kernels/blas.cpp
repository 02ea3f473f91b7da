// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/blas.h"

#include <type_traits>

// BLAS symbols as exported by LibTorch's libraries; null if they are not.
extern "C" {
[[gnu::weak]] void sgemm_(const char* transposed_a, const char* transposed_b, const int* m,
                          const int* n, const int* k, const float* alpha, const float* a,
                          const int* lda, const float* b, const int* ldb, const float* beta,
                          float* c, const int* ldc);
[[gnu::weak]] void dgemm_(const char* transposed_a, const char* transposed_b, const int* m,
                          const int* n, const int* k, const double* alpha, const double* a,
                          const int* lda, const double* b, const int* ldb, const double* beta,
                          double* c, const int* ldc);
// MKL only: sets the calling thread's number; returns the previous one, 0 if none was set.
[[gnu::weak]] int MKL_Set_Num_Threads_Local(int threads);
}

namespace remixer::kernels {

bool has_blas() {
  return sgemm_ != nullptr && dgemm_ != nullptr;
}

template <typename T>
void product(bool ta, bool tb, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
             const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  // BLAS is column-major: a row-major matrix here is transposed there, and cᵀ = bᵀ aᵀ.
  const int sizes[] = {static_cast<int>(n), static_cast<int>(m), static_cast<int>(k)};
  const int strides[] = {static_cast<int>(ldb), static_cast<int>(lda), static_cast<int>(ldc)};
  const auto run = [&](auto gemm) {
    gemm(tb ? "T" : "N", ta ? "T" : "N", &sizes[0], &sizes[1], &sizes[2], &alpha, b, &strides[0], a,
         &strides[1], &beta, c, &strides[2]);
  };
  if constexpr (std::is_same_v<T, float>) {
    run(&sgemm_);
  } else {
    run(&dgemm_);
  }
}

template void product(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                      const float*, int64_t, float, float*, int64_t);
template void product(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                      const double*, int64_t, double, double*, int64_t);

OneThread::OneThread() : before_(MKL_Set_Num_Threads_Local ? MKL_Set_Num_Threads_Local(1) : 0) {}

OneThread::~OneThread() {
  if (MKL_Set_Num_Threads_Local) MKL_Set_Num_Threads_Local(before_);
}

}  // namespace remixer::kernels
