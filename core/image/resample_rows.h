// SPDX-License-Identifier: Apache-2.0
// The two loops of resample.h, plain and with AVX2; both give the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/image/resample.h"

namespace remixer::data {

// Resizes RGB pixels of `row` (starting at columns.begin) to columns.size() pixels at `out`.
void resample_row_plain(const uint8_t* row, const Taps& columns, uint8_t* out);
// Writes `count` bytes at `out` from `taps` rows that are `stride` apart.
void resample_column_plain(const uint8_t* rows, size_t stride, const int32_t* coefficients,
                           int taps, size_t count, uint8_t* out);

// Whether this processor can run the next two.
bool have_avx2();
// As above. May read columns.length pixels and kPadding bytes from any position, and write one byte
// past `out`.
void resample_row_avx2(const uint8_t* row, const Taps& columns, uint8_t* out);
// As above. `taps` must be even. May read kPadding bytes past `count`.
void resample_column_avx2(const uint8_t* rows, size_t stride, const int32_t* coefficients, int taps,
                          size_t count, uint8_t* out);

constexpr int kCoefficientBits = 22;
constexpr size_t kPadding = 32;

}  // namespace remixer::data
