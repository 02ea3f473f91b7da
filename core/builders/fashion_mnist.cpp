// SPDX-License-Identifier: Apache-2.0
#include "core/builders/fashion_mnist.h"

#include <zlib.h>

#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

namespace remixer::data {

const std::array<const char*, kGarmentClasses> kGarmentClassNames = {
    "00_t-shirt", "01_trouser", "02_pullover", "03_dress", "04_coat",
    "05_sandal",  "06_shirt",   "07_sneaker",  "08_bag",   "09_ankle-boot"};

namespace {

// A published file, identified by the SHA-256 of its uncompressed content.
struct Source {
  const char* part;
  const char* kind;
  const char* sha256;
};
constexpr Source kSources[] = {
    {"train", "images-idx3", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
    {"train", "labels-idx1", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
    {"t10k", "images-idx3", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
    {"t10k", "labels-idx1", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
};

std::string read_gzip(const fs::path& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) fail_input("cannot open {}; install dataset-fashion-mnist", path.string());
  std::string bytes;
  char piece[1 << 16];
  for (;;) {
    const int count = gzread(file.get(), piece, sizeof(piece));
    if (count < 0) {
      fail_input("{} is torn; install dataset-fashion-mnist again", path.string());
    }
    if (count == 0) return bytes;
    bytes.append(piece, static_cast<size_t>(count));
  }
}

// The file's content after its IDX header, which the hash already verifies.
std::string read_source(const fs::path& folder, const std::string& part, const std::string& kind) {
  for (const Source& source : kSources) {
    if (part != source.part || kind != source.kind) continue;
    const fs::path path = folder / fmt::format("{}-{}-ubyte.gz", part, kind);
    std::string bytes = read_gzip(path);
    if (sha256_hex(bytes) != source.sha256) {
      fail_input("{} is not Fashion-MNIST as published; install dataset-fashion-mnist again",
                 path.string());
    }
    return bytes.substr(kind == "images-idx3" ? 16 : 8);
  }
  fail("Fashion-MNIST has no part \"{}\"", part);
}

constexpr int kDarkest = 12;        // the background carries compression noise below this
constexpr int kLeastComponent = 6;  // pixels; smaller ones are specks

constexpr int kSide = kGarmentSide;
using Flags = std::array<bool, kSide * kSide>;

// The open pixels 4-connected to `start`; they are marked in `seen`.
std::vector<int> component(const Flags& open, int start, Flags& seen) {
  std::vector<int> members{start};
  seen[static_cast<size_t>(start)] = true;
  for (size_t next = 0; next < members.size(); ++next) {
    const int x = members[next] % kSide, y = members[next] / kSide;
    const int neighbours[4][2] = {{x - 1, y}, {x + 1, y}, {x, y - 1}, {x, y + 1}};
    for (const auto& [nx, ny] : neighbours) {
      if (nx < 0 || ny < 0 || nx >= kSide || ny >= kSide) continue;
      const auto index = static_cast<size_t>(ny * kSide + nx);
      if (!open[index] || seen[index]) continue;
      seen[index] = true;
      members.push_back(static_cast<int>(index));
    }
  }
  return members;
}

bool touches_border(const std::vector<int>& members) {
  for (const int member : members) {
    const int x = member % kSide, y = member / kSide;
    if (x == 0 || y == 0 || x == kSide - 1 || y == kSide - 1) return true;
  }
  return false;
}

}  // namespace

Garments read_garments(const fs::path& folder, const std::string& part) {
  const std::string images = read_source(folder, part, "images-idx3");
  const std::string labels = read_source(folder, part, "labels-idx1");
  Garments garments;
  garments.part = part;
  garments.labels.assign(labels.begin(), labels.end());
  constexpr size_t kBytes = size_t{kSide} * kSide;
  for (size_t i = 0; i < labels.size(); ++i) {
    GrayImage image(kSide, kSide);
    image.pixels.assign(images.begin() + static_cast<std::ptrdiff_t>(i * kBytes),
                        images.begin() + static_cast<std::ptrdiff_t>((i + 1) * kBytes));
    garments.images.push_back(std::move(image));
  }
  return garments;
}

GrayImage silhouette(const GrayImage& garment) {
  Flags bright{}, dark{}, seen{};
  for (size_t i = 0; i < bright.size(); ++i) {
    bright[i] = garment.pixels[i] > kDarkest;
    dark[i] = !bright[i];
  }
  GrayImage mask(kSide, kSide);
  for (int i = 0; i < kSide * kSide; ++i) {
    if (seen[static_cast<size_t>(i)]) continue;
    const bool garment_here = bright[static_cast<size_t>(i)];
    const std::vector<int> members = component(garment_here ? bright : dark, i, seen);
    // A dark area that does not reach the border is a dark part of the garment.
    const bool object = garment_here ? members.size() >= kLeastComponent : !touches_border(members);
    if (!object) continue;
    for (const int member : members) mask.pixels[static_cast<size_t>(member)] = 255;
  }
  return mask;
}

}  // namespace remixer::data
