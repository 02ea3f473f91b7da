// SPDX-License-Identifier: Apache-2.0
#include "core/io/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/safetensors_file.h"

namespace remixer::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's data are little-endian");

constexpr std::array<std::pair<ElementType, at::ScalarType>, 8> kTypes{{
    {ElementType::kF64, at::kDouble},
    {ElementType::kF32, at::kFloat},
    {ElementType::kF16, at::kHalf},
    {ElementType::kBF16, at::kBFloat16},
    {ElementType::kI64, at::kLong},
    {ElementType::kI32, at::kInt},
    {ElementType::kU8, at::kByte},
    {ElementType::kBool, at::kBool},
}};

at::ScalarType scalar_type(ElementType type) {
  return std::find_if(kTypes.begin(), kTypes.end(),
                      [&](const auto& pair) { return pair.first == type; })
      ->second;
}

// Throws InputError naming `name` if the format has no such type.
ElementType element_type(at::ScalarType type, const std::string& name) {
  for (const auto& [element, known] : kTypes) {
    if (known == type) return element;
  }
  fail_input("tensor '{}': safetensors files hold no {}; convert it first", name,
             c10::toString(type));
}

// A file mapped into memory; a page is copied when it is written to.
class PrivateMap {
 public:
  explicit PrivateMap(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) fail_input("{}: {}", path.string(), errno_text(errno));
    struct stat status {};
    const bool regular = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (regular && status.st_size > 0) {
      size_ = static_cast<size_t>(status.st_size);
      data_ = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0);
    }
    const int code = errno;
    ::close(descriptor);
    if (!regular) fail_input("{}: not a regular file", path.string());
    if (data_ == MAP_FAILED) fail("{}: cannot map it: {}", path.string(), errno_text(code));
  }
  ~PrivateMap() {
    if (data_ != nullptr && data_ != MAP_FAILED) ::munmap(data_, size_);
  }
  PrivateMap(const PrivateMap&) = delete;
  PrivateMap& operator=(const PrivateMap&) = delete;

  char* data() const { return static_cast<char*>(data_); }
  uint64_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

at::Tensor tensor_of(const TensorEntry& entry, char* data, const std::shared_ptr<PrivateMap>& map) {
  const auto options = at::TensorOptions().dtype(scalar_type(entry.type));
  const size_t bytes = entry.end - entry.begin;
  if (reinterpret_cast<uintptr_t>(data) % element_size(entry.type) == 0 && bytes > 0) {
    return at::from_blob(
        data, entry.shape, [map](void*) {}, options);
  }
  at::Tensor copy = at::empty(entry.shape, options);
  if (bytes > 0) std::memcpy(copy.mutable_data_ptr(), data, bytes);
  return copy;
}

}  // namespace

const at::Tensor& Safetensors::at(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) fail_input("{}: has no tensor '{}'", path.string(), name);
  return found->second;
}

Safetensors read_safetensors(const fs::path& path) {
  const auto map = std::make_shared<PrivateMap>(path);
  const std::string file = path.string();
  const std::string_view bytes(map->data(), map->size());
  const uint64_t length = header_length(bytes, map->size(), file);
  const std::string_view text = bytes.substr(kSafetensorsLengthBytes, length);
  char* data = map->data() + kSafetensorsLengthBytes + length;
  SafetensorsHeader header =
      parse_header(text, map->size() - kSafetensorsLengthBytes - length, file);

  Safetensors result;
  result.path = path;
  result.metadata = std::move(header.metadata);
  for (const TensorEntry& entry : header.entries) {
    result.tensors.emplace(entry.name, tensor_of(entry, data + entry.begin, map));
  }
  return result;
}

void write_safetensors(const fs::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<TensorSource> sources;
  for (const auto& [name, tensor] : tensors) {
    const auto write_data = [&tensor = tensor](AtomicFile& file) {
      const at::Tensor bytes = tensor.detach().cpu().contiguous();
      file.write({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
    };
    sources.push_back(
        {name, element_type(tensor.scalar_type(), name), tensor.sizes().vec(), write_data});
  }
  write_tensor_file(path, std::move(sources), metadata);
}

}  // namespace remixer::io
