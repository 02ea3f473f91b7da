// SPDX-License-Identifier: Apache-2.0
// Named tensors in a file (safetensors), read and written without LibTorch; core/io does the same
// with LibTorch's tensors, over the same header.
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

// A file open for reading: its header is in memory, a tensor is read from the disk when asked for.
// One thread an object. All functions throw InputError naming file and tensor where what is asked
// for is not there or of another kind, and Error where the disk fails.
class SafetensorsFile {
 public:
  // Throws InputError as parse_header does, and where there is no such regular file.
  explicit SafetensorsFile(std::filesystem::path path);
  ~SafetensorsFile();
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::vector<TensorEntry>& entries() const { return header_.entries; }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  // Empty where there is no such member.
  std::string metadata(const std::string& key) const;

  bool has(const std::string& name) const;
  const TensorEntry& entry(const std::string& name) const;
  // In row-major order. floats() of F64, F32, F16 and BF16, rounded to float; integers() of I64,
  // I32, U8 and BOOL.
  std::vector<float> floats(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;

 private:
  std::string bytes(const TensorEntry& entry) const;

  std::filesystem::path path_;
  SafetensorsHeader header_;
  uint64_t data_begin_ = 0;
  int descriptor_ = -1;
};

// A tensor to be written; write_data gives the file its bytes, row-major, as many as the shape
// says.
struct TensorSource {
  std::string name;
  ElementType type;
  std::vector<int64_t> shape;
  std::function<void(AtomicFile& file)> write_data;
};
// Of values that outlive the writing.
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<float>& values);
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<int32_t>& values);
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<uint8_t>& values);

// Writes atomically. The bytes depend on names, tensors and metadata alone, not on the order given.
// Throws InputError as header_text does.
void write_tensor_file(const std::filesystem::path& path, std::vector<TensorSource> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace remixer
