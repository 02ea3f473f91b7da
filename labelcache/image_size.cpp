#include "labelcache/image_size.h"

#include <cstdint>
#include <fstream>
#include <string>

#include "core/base/error.h"

namespace remixer::labelcache {
namespace {

// A file's bytes one after the other, big-endian numbers among them; 0 beyond the end.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& file) : stream_(file, std::ios::binary) {}
  uint32_t next(int count) {
    uint32_t number = 0;
    for (int i = 0; i < count; ++i) {
      const int byte = stream_.get();
      number = number << 8 | (byte < 0 ? 0u : static_cast<uint32_t>(byte));
    }
    return number;
  }
  void skip(uint32_t count) { stream_.ignore(count); }
  bool whole() const { return stream_.good(); }

 private:
  std::ifstream stream_;
};

// A JPEG's frame header is a segment after the first two bytes; every segment says its length.
std::pair<int, int> jpeg_size(Bytes& bytes) {
  while (bytes.whole()) {
    uint32_t marker = bytes.next(1);
    if (marker != 0xff) break;
    while (marker == 0xff) marker = bytes.next(1);
    const uint32_t length = bytes.next(2);
    // C0 to CF but for tables (C4), extensions (C8) and arithmetic conditioning (CC).
    const bool frame =
        marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) {
      bytes.skip(1);
      const auto height = static_cast<int>(bytes.next(2)), width = static_cast<int>(bytes.next(2));
      return {width, height};
    }
    if (length < 2) break;
    bytes.skip(length - 2);
  }
  return {0, 0};
}

}  // namespace

std::pair<int, int> image_size(const std::filesystem::path& file) {
  Bytes bytes(file);
  std::pair<int, int> size{0, 0};
  const uint32_t signature = bytes.next(2);
  if (signature == 0xffd8) size = jpeg_size(bytes);
  if (signature == 0x8950) {
    bytes.skip(14);  // the rest of the signature, and the first chunk's length and name
    const uint32_t width = bytes.next(4), height = bytes.next(4);
    size = {static_cast<int>(width), static_cast<int>(height)};
  }
  if (!bytes.whole() || size.first < 1 || size.second < 1) {
    fail_input("{}: missing, torn, or neither a JPEG nor a PNG", file.string());
  }
  return size;
}

}  // namespace remixer::labelcache
