#include "core/io/safetensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <tuple>

#include "base/error.h"
#include "base/file.h"
#include "core/io/safetensors_header.h"

namespace remixer::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format's data are little-endian");

constexpr uint64_t kLengthBytes = 8;
// As the format's other readers: a longer header is an attack or a mistake.
constexpr uint64_t kLongestHeader = 100'000'000;

// A whole file in memory, copied page by page where it is written to.
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
  const auto options = at::TensorOptions().dtype(entry.type);
  const size_t bytes = entry.end - entry.begin;
  if (reinterpret_cast<uintptr_t>(data) % c10::elementSize(entry.type) == 0 && bytes > 0) {
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
  if (map->size() < kLengthBytes) {
    fail_input("{}: not a safetensors file, or torn: only {} bytes", file, map->size());
  }
  uint64_t length = 0;
  std::memcpy(&length, map->data(), kLengthBytes);
  if (length > kLongestHeader || length > map->size() - kLengthBytes) {
    fail_input("{}: not a safetensors file, or torn: its header claims {} bytes, the file has {}",
               file, length, map->size());
  }
  const std::string_view text(map->data() + kLengthBytes, length);
  char* data = map->data() + kLengthBytes + length;
  SafetensorsHeader header = parse_header(text, map->size() - kLengthBytes - length, file);

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
  // Wide elements first keeps every tensor aligned without padding; then by name.
  std::vector<const std::pair<std::string, at::Tensor>*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::make_tuple(-static_cast<int64_t>(a->second.element_size()), std::cref(a->first)) <
           std::make_tuple(-static_cast<int64_t>(b->second.element_size()), std::cref(b->first));
  });

  SafetensorsHeader header;
  header.metadata = metadata;
  uint64_t position = 0;
  for (const auto* item : order) {
    const at::Tensor& tensor = item->second;
    type_name(tensor.scalar_type(), item->first);
    const uint64_t end = position + tensor.numel() * tensor.element_size();
    header.entries.push_back(
        {item->first, tensor.scalar_type(), tensor.sizes().vec(), position, end});
    position = end;
  }

  const std::string text = header_text(header);
  const uint64_t length = text.size();
  AtomicFile file(path);
  file.write({reinterpret_cast<const char*>(&length), kLengthBytes});
  file.write(text);
  for (const auto* item : order) {
    const at::Tensor bytes = item->second.detach().cpu().contiguous();
    file.write({static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes()});
  }
  file.commit();
}

}  // namespace remixer::io
