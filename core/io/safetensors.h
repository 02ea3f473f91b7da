// SPDX-License-Identifier: Apache-2.0
// Reads and writes named tensors in the safetensors format (8 bytes of header length, a JSON
// header, raw little-endian data).
//
// Types: F64, F32, F16, BF16, I64, I32, U8, BOOL. Functions are thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace remixer::io {

// A file's content. Tensors are on the CPU and contiguous, and share ownership of a private memory
// map: pages are read on demand, and writing to a tensor never changes the file.
class Safetensors {
 public:
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
  std::filesystem::path path;

  bool has(const std::string& name) const { return tensors.count(name) != 0; }
  // Throws InputError naming file and tensor if there is none of that name.
  const at::Tensor& at(const std::string& name) const;
};

// Throws InputError naming the file (and the tensor, if one is at fault): no such file, torn, an
// unknown type, sizes that contradict the data, ranges that overlap or leave gaps, a name twice.
Safetensors read_safetensors(const std::filesystem::path& path);

// Writes atomically. The bytes depend only on names, tensors and metadata, not on their order.
// Tensors may be on any device, require gradients and be non-contiguous. Throws InputError on a
// name that is given twice, is "__metadata__" or is not UTF-8, and on a type that the format lacks.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace remixer::io
