// SPDX-License-Identifier: Apache-2.0
// Reads and writes named tensors in a safetensors file without LibTorch; core/io does the same with
// LibTorch tensors, using the same header code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/safetensors_header.h"

namespace remixer {

// A file open for reading: the header is in memory, a tensor is read from disk on request. Each
// object is used by one thread. All functions throw InputError naming file and tensor if the
// requested item is missing or has another type, and Error on disk failures.
class SafetensorsFile {
 public:
  // Throws InputError as parse_header does, and if there is no such regular file.
  explicit SafetensorsFile(std::filesystem::path path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorEntry>& entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  // Empty if there is no such member.
  std::string metadata(const std::string& key) const;

  bool has(const std::string& name) const;
  const TensorEntry& entry(const std::string& name) const;
  // Row-major order. floats() accepts F64, F32, F16 and BF16, rounded to float; integers() accepts
  // I64, I32, U8 and BOOL.
  std::vector<float> floats(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;

 private:
  std::string bytes(const TensorEntry& entry) const;

  std::filesystem::path path_;
  SafetensorsHeader header_;
  uint64_t data_begin_ = 0;
  int descriptor_ = -1;
};

// A tensor to be written; write_data writes its bytes to the file, row-major, as many as the shape
// requires.
struct TensorSource {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
  std::function<void(AtomicFile& file)> write_data;
};
// Made from values that must outlive the writing.
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<float>& values);
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<int32_t>& values);
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<uint8_t>& values);

// Writes atomically. The bytes depend only on names, tensors and metadata, not on the order given.
// Throws InputError as header_text does.
void write_tensor_file(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace remixer
