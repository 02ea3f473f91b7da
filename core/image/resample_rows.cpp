// SPDX-License-Identifier: Apache-2.0
#include "core/image/resample_rows.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace remixer::data {
namespace {

constexpr int32_t kHalf = 1 << (kCoefficientBits - 1);

uint8_t clip(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kCoefficientBits, 0, 255));
}

}  // namespace

void resample_row_plain(const uint8_t* row, const Taps& columns, uint8_t* out) {
  for (int i = 0; i < columns.size(); ++i, out += 3) {
    const int first = columns.first[static_cast<size_t>(i)] - columns.begin;
    const int32_t* coefficients = &columns.coefficients[static_cast<size_t>(i) * columns.length];
    // Padding coefficients are zero; only they may reach into the row's padding.
    const uint8_t* pixel = row + static_cast<size_t>(first) * 3;
    const int taps = std::min(columns.length, columns.span() - first);
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int k = 0; k < taps; ++k, pixel += 3) {
      red += coefficients[k] * pixel[0];
      green += coefficients[k] * pixel[1];
      blue += coefficients[k] * pixel[2];
    }
    out[0] = clip(red);
    out[1] = clip(green);
    out[2] = clip(blue);
  }
}

void resample_column_plain(const uint8_t* rows, size_t stride, const int32_t* coefficients,
                           int taps, size_t count, uint8_t* out) {
  constexpr size_t kTile = 256;
  int32_t sums[kTile];
  for (size_t begin = 0; begin < count; begin += kTile) {
    const size_t width = std::min(kTile, count - begin);
    std::fill_n(sums, width, kHalf);
    for (int k = 0; k < taps; ++k) {
      const uint8_t* row = rows + stride * static_cast<size_t>(k) + begin;
      for (size_t x = 0; x < width; ++x) sums[x] += coefficients[k] * row[x];
    }
    for (size_t x = 0; x < width; ++x) out[begin + x] = clip(sums[x]);
  }
}

#if defined(__x86_64__)

bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2");
  return have;
}

// A coefficient k is high · 2^11 + low with 0 ≤ low < 2^11; both fit the 16-bit products of `madd`,
// which adds two taps at once. The two sums together equal the 32-bit sum exactly.
namespace {

constexpr int kLowBits = 11;
constexpr int32_t kLowMask = (1 << kLowBits) - 1;

// Taps k and k + 1 as pairs of 16 bits.
inline uint32_t high_pair(const int32_t* k) {
  return (static_cast<uint32_t>(k[0] >> kLowBits) & 0xffffu) |
         (static_cast<uint32_t>(k[1] >> kLowBits) << 16);
}
inline uint32_t low_pair(const int32_t* k) {
  return static_cast<uint32_t>(k[0] & kLowMask) | (static_cast<uint32_t>(k[1] & kLowMask) << 16);
}

}  // namespace

__attribute__((target("avx2"))) void resample_row_avx2(const uint8_t* row, const Taps& columns,
                                                       uint8_t* out) {
  // Four pixels: the lower half takes the first two, the upper half the others, with each channel's
  // two values adjacent as 16-bit numbers.
  const __m256i spread =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                       6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m128i half = _mm_set1_epi32(kHalf);
  const int32_t* k = columns.coefficients.data();
  for (const int position : columns.first) {
    const uint8_t* pixel = row + static_cast<size_t>(position - columns.begin) * 3;
    __m256i high = _mm256_setzero_si256(), low = _mm256_setzero_si256();
    for (int tap = 0; tap < columns.length; tap += 4, k += 4, pixel += 12) {
      const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixel));
      const __m256i values = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(four), spread);
      const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(k));
      // Per 32-bit coefficient: its high part, and its low part, as 16 bits; then pairs.
      const __m128i highs = _mm_srai_epi32(all, kLowBits);
      const __m128i lows = _mm_and_si128(all, _mm_set1_epi32(kLowMask));
      const __m128i packed = _mm_packs_epi32(highs, lows);  // h0 h1 h2 h3 l0 l1 l2 l3
      const __m256i both = _mm256_broadcastsi128_si256(packed);
      const __m256i high_pairs =
          _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1));
      const __m256i low_pairs =
          _mm256_permutevar8x32_epi32(both, _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(values, high_pairs));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(values, low_pairs));
    }
    const __m256i sums = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
    __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    sum = _mm_srai_epi32(_mm_add_epi32(sum, half), kCoefficientBits);
    sum = _mm_packus_epi16(_mm_packs_epi32(sum, sum), sum);
    // Three result bytes, and one that the next pixel, or the padding, overwrites.
    const int32_t bytes = _mm_cvtsi128_si32(sum);
    std::memcpy(out, &bytes, 4);
    out += 3;
  }
}

__attribute__((target("avx2"))) void resample_column_avx2(const uint8_t* rows, size_t stride,
                                                          const int32_t* coefficients, int taps,
                                                          size_t count, uint8_t* out) {
  for (size_t begin = 0; begin < count; begin += 32) {
    const uint8_t* row = rows + begin;
    __m256i high[4], low[4];
    for (int i = 0; i < 4; ++i) high[i] = low[i] = _mm256_setzero_si256();
    for (int k = 0; k < taps; k += 2, row += 2 * stride) {
      const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
      const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + stride));
      const __m256i high_taps = _mm256_set1_epi32(static_cast<int>(high_pair(coefficients + k)));
      const __m256i low_taps = _mm256_set1_epi32(static_cast<int>(low_pair(coefficients + k)));
      const __m256i zero = _mm256_setzero_si256();
      const __m256i even = _mm256_unpacklo_epi8(first, second);
      const __m256i odd = _mm256_unpackhi_epi8(first, second);
      const __m256i values[4] = {_mm256_unpacklo_epi8(even, zero), _mm256_unpackhi_epi8(even, zero),
                                 _mm256_unpacklo_epi8(odd, zero), _mm256_unpackhi_epi8(odd, zero)};
      for (int i = 0; i < 4; ++i) {
        high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(values[i], high_taps));
        low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(values[i], low_taps));
      }
    }
    __m256i sums[4];
    for (int i = 0; i < 4; ++i) {
      const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high[i], kLowBits), low[i]);
      sums[i] =
          _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kCoefficientBits);
    }
    // Packing works within 128-bit lanes, like the unpacking, so the final order is right.
    const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                              _mm256_packs_epi32(sums[2], sums[3]));
    if (begin + 32 <= count) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + begin), bytes);
    } else {
      alignas(32) uint8_t rest[32];
      _mm256_store_si256(reinterpret_cast<__m256i*>(rest), bytes);
      std::memcpy(out + begin, rest, count - begin);
    }
  }
}

#else

bool have_avx2() {
  return false;
}
void resample_row_avx2(const uint8_t* row, const Taps& columns, uint8_t* out) {
  resample_row_plain(row, columns, out);
}
void resample_column_avx2(const uint8_t* rows, size_t stride, const int32_t* coefficients, int taps,
                          size_t count, uint8_t* out) {
  resample_column_plain(rows, stride, coefficients, taps, count, out);
}

#endif

}  // namespace remixer::data
