// SPDX-License-Identifier: Apache-2.0
// Named tensors in a file: the safetensors format (8 bytes of header length, a JSON header, raw
// little-endian data).
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

// A file's content. Tensors are on the CPU, contiguous, and look into a private memory map that
// they keep alive: pages are read when used, and writing into a tensor never reaches the file.
class Safetensors {
 public:
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> metadata;
  std::filesystem::path path;

  bool has(const std::string& name) const { return tensors.count(name) != 0; }
  // Throws InputError naming file and tensor where there is none of that name.
  const at::Tensor& at(const std::string& name) const;
};

// Throws InputError naming the file, and the tensor where one is to blame: no such file, torn, an
// unknown type, sizes that contradict the data, ranges that overlap or leave gaps, a name twice.
Safetensors read_safetensors(const std::filesystem::path& path);

// Writes atomically. The bytes depend on names, tensors and metadata alone, not on the order given.
// Tensors may be on any device, with gradients, and not contiguous. Throws InputError on a name
// that is given twice, is "__metadata__" or is not UTF-8, and on a type that the format lacks.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace remixer::io
