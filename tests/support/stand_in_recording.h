// SPDX-License-Identifier: Apache-2.0
// The operations that the stand-in device records, and the memory that they made or changed.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <vector>

namespace remixer::testing {

// Operations come from one thread at a time, whichever that is.
class Recording {
 public:
  // Before an operation changes `tensor`.
  void keep(const at::Tensor& tensor);
  // After an operation made it.
  void note_made(const at::Tensor& tensor);
  void add(std::function<void()> operation) { operations_.push_back(std::move(operation)); }

  // Puts back what was changed, and fills with NaN what was made.
  void undo();
  void repeat() const;

 private:
  struct Kept {
    at::Tensor holder;
    std::vector<char> bytes;
  };
  // By address; the tensors keep it from being used again.
  std::map<const void*, Kept> kept_;
  std::map<const void*, at::Tensor> made_;
  std::vector<std::function<void()>> operations_;
};

// Null if none is under way.
Recording* recording_under_way();

}  // namespace remixer::testing
