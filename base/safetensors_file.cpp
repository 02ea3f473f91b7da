// SPDX-License-Identifier: Apache-2.0
#include "base/safetensors_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/error.h"

namespace remixer {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's data are little-endian");

std::string read_at(int descriptor, uint64_t offset, uint64_t size, const fs::path& path) {
  std::string bytes(size, '\0');
  uint64_t filled = 0;
  while (filled < size) {
    const ssize_t count = ::pread(descriptor, bytes.data() + filled, size - filled,
                                  static_cast<off_t>(offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("cannot read {}: {}", path.string(), errno_text(errno));
    if (count == 0) fail_input("{}: torn: it ends while it is read; copy it again", path.string());
    filled += static_cast<uint64_t>(count);
  }
  return bytes;
}

template <typename From, typename To>
std::vector<To> converted(const std::string& bytes) {
  std::vector<To> values(bytes.size() / sizeof(From));
  for (size_t i = 0; i < values.size(); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
    values[i] = static_cast<To>(value);
  }
  return values;
}

float float_of_half(uint16_t bits) {
  const int exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  const float sign = bits >> 15 != 0 ? -1.0f : 1.0f;
  if (exponent == 0x1f) {
    return fraction != 0 ? std::nanf("") : sign * std::numeric_limits<float>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction | 0x400), exponent - 25);
}

float float_of_bfloat(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

template <typename T>
TensorSource source_of(std::string name, ElementType type, std::vector<int64_t> shape,
                       const std::vector<T>& values) {
  return {std::move(name), type, std::move(shape), [&values](AtomicFile& file) {
            file.write({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
          }};
}

}  // namespace

SafetensorsFile::SafetensorsFile(fs::path path) : path_(std::move(path)) {
  const std::string file = path_.string();
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) fail_input("{}: {}", file, errno_text(errno));
  try {
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
      fail_input("{}: not a regular file", file);
    }
    const auto size = static_cast<uint64_t>(status.st_size);
    const std::string first =
        read_at(descriptor_, 0, std::min(size, kSafetensorsLengthBytes), path_);
    const uint64_t length = header_length(first, size, file);
    data_begin_ = kSafetensorsLengthBytes + length;
    header_ = parse_header(read_at(descriptor_, kSafetensorsLengthBytes, length, path_),
                           size - data_begin_, file);
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() {
  ::close(descriptor_);
}

std::string SafetensorsFile::metadata(const std::string& key) const {
  const auto found = header_.metadata.find(key);
  return found == header_.metadata.end() ? std::string() : found->second;
}

bool SafetensorsFile::has(const std::string& name) const {
  return std::any_of(entries().begin(), entries().end(),
                     [&](const TensorEntry& entry) { return entry.name == name; });
}

const TensorEntry& SafetensorsFile::entry(const std::string& name) const {
  for (const TensorEntry& entry : entries()) {
    if (entry.name == name) return entry;
  }
  fail_input("{}: has no tensor '{}'", path_.string(), name);
}

std::string SafetensorsFile::bytes(const TensorEntry& entry) const {
  return read_at(descriptor_, data_begin_ + entry.begin, entry.end - entry.begin, path_);
}

std::vector<float> SafetensorsFile::floats(const std::string& name) const {
  const TensorEntry& tensor = entry(name);
  switch (tensor.type) {
    case ElementType::kF64:
      return converted<double, float>(bytes(tensor));
    case ElementType::kF32:
      return converted<float, float>(bytes(tensor));
    case ElementType::kF16:
    case ElementType::kBF16: {
      const auto halves = converted<uint16_t, uint16_t>(bytes(tensor));
      std::vector<float> values;
      for (const uint16_t half : halves) {
        values.push_back(tensor.type == ElementType::kF16 ? float_of_half(half)
                                                          : float_of_bfloat(half));
      }
      return values;
    }
    default:
      fail_input("{}: tensor '{}' is {}, not of a floating type", path_.string(), name,
                 to_string(tensor.type));
  }
}

std::vector<int64_t> SafetensorsFile::integers(const std::string& name) const {
  const TensorEntry& tensor = entry(name);
  switch (tensor.type) {
    case ElementType::kI64:
      return converted<int64_t, int64_t>(bytes(tensor));
    case ElementType::kI32:
      return converted<int32_t, int64_t>(bytes(tensor));
    case ElementType::kU8:
    case ElementType::kBool:
      return converted<uint8_t, int64_t>(bytes(tensor));
    default:
      fail_input("{}: tensor '{}' is {}, not of whole numbers", path_.string(), name,
                 to_string(tensor.type));
  }
}

TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<float>& values) {
  return source_of(std::move(name), ElementType::kF32, std::move(shape), values);
}
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<int32_t>& values) {
  return source_of(std::move(name), ElementType::kI32, std::move(shape), values);
}
TensorSource tensor_source(std::string name, std::vector<int64_t> shape,
                           const std::vector<uint8_t>& values) {
  return source_of(std::move(name), ElementType::kU8, std::move(shape), values);
}

void write_tensor_file(const fs::path& path, std::vector<TensorSource> tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Wide elements first, which keeps every tensor aligned without padding; then by name.
  const auto place = [](const TensorSource& tensor) {
    return std::make_tuple(-static_cast<int64_t>(element_size(tensor.type)),
                           std::cref(tensor.name));
  };
  std::stable_sort(tensors.begin(), tensors.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });

  SafetensorsHeader header;
  header.metadata = metadata;
  uint64_t position = 0;
  for (const TensorSource& tensor : tensors) {
    uint64_t bytes = element_size(tensor.type);
    for (const int64_t size : tensor.shape) bytes *= static_cast<uint64_t>(size);
    header.entries.push_back({tensor.name, tensor.type, tensor.shape, position, position + bytes});
    position += bytes;
  }

  const std::string text = header_text(header);
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), kSafetensorsLengthBytes});
  file.write(text);
  for (const TensorSource& tensor : tensors) tensor.write_data(file);
  assert(file.size() == kSafetensorsLengthBytes + length + position);
  file.commit();
}

}  // namespace remixer
