// SPDX-License-Identifier: Apache-2.0
// Loads the labelers' converted weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

#include "core/io/safetensors.h"

namespace remixer::labelcache {

// One file written by weights/convert.py.
class NetworkWeights {
 public:
  // Throws InputError if the file is missing (run ./setup), torn or without its source's hash.
  explicit NetworkWeights(const std::filesystem::path& path);

  // A float32 tensor of the given shape; -1 matches any size. Throws InputError naming the
  // tensor.
  at::Tensor tensor(const std::string& name, at::IntArrayRef shape) const;

  // SHA-256 of the published file that the weights were converted from.
  const std::string& source_sha256() const { return source_sha256_; }

 private:
  io::Safetensors file_;
  std::string source_sha256_;
};

}  // namespace remixer::labelcache
