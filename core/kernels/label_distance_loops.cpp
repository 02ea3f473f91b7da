// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/label_distance_loops.h"

#include <algorithm>
#include <cmath>

namespace remixer::kernels {
namespace {

// The value that most of a row has, if any has a majority among three of its entries.
bool common_value(const float* row, int64_t channels, float* value) {
  const float a = row[0], b = row[channels / 2], c = row[channels - 1];
  if (a != b && a != c && b != c) return false;
  *value = b == c ? b : a;
  return true;
}

// Calls f(k) for each channel whose value is not `common`; most groups of channels have none.
template <typename F>
REMIXER_BODY bool for_others(const float* row, int64_t channels, float common, const F& f) {
  constexpr int64_t kGroup = 32;
  for (int64_t from = 0; from < channels; from += kGroup) {
    const int64_t end = std::min(from + kGroup, channels);
    int other = 0;
#pragma omp simd reduction(| : other)
    for (int64_t k = from; k < end; ++k) other |= row[k] != common;
    if (other == 0) continue;
    for (int64_t k = from; k < end; ++k) {
      if (row[k] != common && !f(k)) return false;
    }
  }
  return true;
}

// row_j += Σ_k e_ik e_jk.
template <typename Entry>
REMIXER_BODY void add_products(const Entry* begin, const Entry* end, const float* by_class,
                               int64_t patches, float* row) {
  for (; begin != end; ++begin) {
    const float value = begin->value;
    const float* own = by_class + begin->channel * patches;
#pragma omp simd
    for (int64_t j = 0; j < patches; ++j) row[j] += value * own[j];
  }
}

}  // namespace

SparseCosine::SparseCosine(int64_t patches, int64_t channels)
    : patches_(patches),
      channels_(channels),
      ends_(patches),
      common_(patches),
      sums_(patches),
      inverse_(patches),
      by_class_(patches * channels) {}

bool SparseCosine::read(const float* labels, VectorLevel level) {
  const auto most = static_cast<size_t>(patches_ * channels_ / kFewest);
  bool few = true;
  entries_.clear();
  run_at(level, [&](auto) REMIXER_INLINED {
    for (int64_t i = 0; i < patches_ && few; ++i) {
      const float* row = labels + i * channels_;
      float common = 0;
      double sum = 0, squares = 0;
      few = common_value(row, channels_, &common) &&
            for_others(row, channels_, common, [&](int64_t k) REMIXER_INLINED {
              const float value = row[k] - common;
              if (entries_.size() == most) return false;
              entries_.push_back({static_cast<int32_t>(k), value});
              sum += value;
              squares += static_cast<double>(value) * value;
              return true;
            });
      ends_[i] = entries_.size();
      common_[i] = common;
      sums_[i] = static_cast<float>(sum);
      squares += common * (static_cast<double>(channels_) * common + 2 * sum);
      inverse_[i] = squares > 0 ? static_cast<float>(1 / std::sqrt(squares)) : 0;
      few = few && std::isfinite(squares);
    }
  });
  return few;
}

void SparseCosine::write(float* distance, VectorLevel level) {
  const auto channels = static_cast<float>(channels_);
  run_at(level, [&](auto) REMIXER_INLINED {
    size_t begin = 0;
    for (int64_t i = 0; i < patches_; ++i) {
      // y_i · y_j = Σ_k e_ik e_jk + o_i (K o_j + Σ_k e_jk) + o_j Σ_k e_ik
      float* row = distance + i * patches_;
      const float common = common_[i], sum = sums_[i], inverse = inverse_[i];
      const float *others = common_.data(), *sums = sums_.data(), *inverses = inverse_.data();
#pragma omp simd
      for (int64_t j = 0; j < patches_; ++j) {
        row[j] = common * (channels * others[j] + sums[j]) + others[j] * sum;
      }
      add_products(entries_.data() + begin, entries_.data() + ends_[i], by_class_.data(), patches_,
                   row);
      begin = ends_[i];
#pragma omp simd
      for (int64_t j = 0; j < patches_; ++j) {
        // Two zero rows are equal.
        const float similarity =
            inverse == 0 && inverses[j] == 0 ? 1 : row[j] * inverse * inverses[j];
        const float apart = 1 - similarity;
        row[j] = apart < 0 ? 0 : apart;
      }
    }
  });
}

bool SparseCosine::operator()(const float* labels, float* distance, VectorLevel level) {
  if (!read(labels, level)) return false;
  const auto fill = [&](bool zero) {
    size_t entry = 0;
    for (int64_t i = 0; i < patches_; ++i) {
      for (; entry < ends_[i]; ++entry) {
        by_class_[entries_[entry].channel * patches_ + i] = zero ? 0 : entries_[entry].value;
      }
    }
  };
  fill(false);
  write(distance, level);
  fill(true);
  return true;
}

}  // namespace remixer::kernels
