// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/label_bench.h"

#include <fmt/format.h>
#include <time.h>

#include <chrono>
#include <cmath>
#include <numbers>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/file/label_file_writer.h"
#include "labelcache/file/sparse_labels.h"

namespace remixer::labelcache {
namespace {

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// CPU time of this thread, which does not depend on the machine's other load.
double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The process's private memory in MiB, without the file's mapped pages.
double own_memory() {
  std::istringstream lines(read_file_if_exists("/proc/self/status").value_or(""));
  for (std::string word; lines >> word;) {
    if (word != "RssAnon:") continue;
    double kibibytes = 0;
    lines >> kibibytes;
    return kibibytes / 1024;
  }
  return 0;
}

// A map like a classifier's: logits that change slowly over the cells, a few strong classes, each
// in its own place, and many weak ones.
data::LabelMap made_up_map(uint64_t seed, const MapShape& shape, int side) {
  Random random(seed, RandomPurpose::kTest);
  struct Bump {
    double y, x, width, height;
    uint16_t label;
  };
  std::vector<Bump> bumps;
  for (int i = 0; i < 150; ++i) {
    bumps.push_back({random.uniform(0, side), random.uniform(0, side), random.uniform(1, 5),
                     i < 3 ? random.uniform(6, 12) : random.uniform(2, 6),
                     static_cast<uint16_t>(random.below(static_cast<uint64_t>(shape.channels)))});
  }
  data::LabelMap map;
  map.height = map.width = side;
  map.channels = shape.channels;
  map.top_k = shape.top_k;
  std::vector<std::pair<float, uint16_t>> logits(static_cast<size_t>(shape.channels));
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      for (size_t c = 0; c < logits.size(); ++c) logits[c] = {0.0f, static_cast<uint16_t>(c)};
      for (const Bump& bump : bumps) {
        const double square = (y - bump.y) * (y - bump.y) + (x - bump.x) * (x - bump.x);
        logits[bump.label].first +=
            static_cast<float>(bump.height * std::exp(-square / (2 * bump.width * bump.width)));
      }
      std::partial_sort(logits.begin(), logits.begin() + shape.top_k, logits.end(),
                        [](const auto& a, const auto& b) { return a > b; });
      for (int r = 0; r < shape.top_k; ++r) {
        map.values.push_back(logits[static_cast<size_t>(r)].first);
        map.indices.push_back(logits[static_cast<size_t>(r)].second);
      }
    }
  }
  return map;
}

struct Material {
  MapShape shape;
  std::vector<std::string> records;  // enough records that caching single maps does not help
};

Material material_from(const std::filesystem::path& source) {
  constexpr uint32_t kMost = 4096;
  Material material;
  if (source.empty()) {
    material.shape = {1000, 5};
    for (uint64_t i = 0; i < 256; ++i) {
      material.records.push_back(encode_record(made_up_map(i, material.shape, 18), material.shape));
    }
    return material;
  }
  const LabelFileReader reader(source);
  material.shape = reader.provenance().shape;
  if (material.shape.top_k == 0) {
    fail_input("{}: dense maps; the benchmark is of top-k maps", source.string());
  }
  for (uint32_t i = 0; i < std::min(reader.samples(), kMost); ++i) {
    material.records.push_back(encode_record(reader.map_of(i), material.shape));
  }
  if (material.records.empty()) fail_input("{}: no maps in it", source.string());
  return material;
}

// Named like ImageNet's files.
std::string id_of(int64_t image) {
  const int64_t folder = image / 1300;
  return fmt::format("train/n{:08}/n{:08}_{}.JPEG", 1440764 + folder * 9973,
                     1440764 + folder * 9973, image % 1300 * 13);
}

// Calls read(id) for random samples for some seconds; prints reads per second of CPU time.
template <typename Read>
double measure(const char* what, int64_t images, double seconds, Read&& read) {
  Random random(1, RandomPurpose::kTest);
  constexpr int kAtOnce = 1000;
  std::vector<std::string> ids(kAtOnce);
  int64_t reads = 0;
  double used = 0, passed = 0;
  while (passed < seconds) {
    for (std::string& id : ids)
      id = id_of(static_cast<int64_t>(random.below(static_cast<uint64_t>(images))));
    const double start = processor_seconds(), wall = wall_seconds();
    for (const std::string& id : ids) read(id);
    used += processor_seconds() - start;
    passed += wall_seconds() - wall;
    reads += kAtOnce;
  }
  const double rate = static_cast<double>(reads) / used;
  fmt::print("  {:<48} {:>9.0f} a second ({:.0f} by the clock)\n", what, rate,
             static_cast<double>(reads) / passed);
  return rate;
}

void measure_reads(const LabelFileReader& reader, const BenchOptions& options) {
  constexpr int kGrid = 14;
  const MapShape shape = reader.provenance().shape;
  UnpackedRecord unpacked;
  SparseLabels sparse;
  std::vector<float> dense(static_cast<size_t>(kGrid) * kGrid *
                           static_cast<size_t>(shape.channels));
  fmt::print("random reads by id, one core, of processor time:\n");
  // Read everything once, so that block checksums and page faults are not measured.
  const double start = processor_seconds();
  for (int64_t i = 0; i < options.images; i += 2) reader.unpack(id_of(i), unpacked);
  const double first = processor_seconds() - start;
  fmt::print("  {:<48} {:>9.0f} a second\n", "in order, first time, checksums compared",
             static_cast<double>(options.images / 2) / first);
  const auto& images = options.images;
  measure("unpacked", images, options.seconds,
          [&](const std::string& id) { reader.unpack(id, unpacked); });
  measure("as a LabelMap", images, options.seconds, [&](const std::string& id) { reader.map(id); });
  measure("patch labels, 14 × 14", images, options.seconds, [&](const std::string& id) {
    reader.unpack(id, unpacked);
    pool_labels(unpacked, shape, kGrid, sparse);
  });
  measure(fmt::format("patch labels written out, 14 × 14 × {}", shape.channels).c_str(), images,
          options.seconds, [&](const std::string& id) {
            reader.unpack(id, unpacked);
            pool_labels(unpacked, shape, kGrid, sparse);
            expand(sparse, shape.channels, dense.data());
          });
  fmt::print("as training reads them, of a crop:\n");
  const data::Region crop{0.1, 0.2, 0.8, 0.9, true};
  const double written =
      measure("written out", images, options.seconds, [&](const std::string& id) {
        data::patch_labels(reader.map(id), crop, kGrid, dense.data());
      });
  data::SparsePatchLabels compact;
  const double named =
      measure("compact, for a GPU", images, options.seconds, [&](const std::string& id) {
        compact.others.clear(), compact.ends.clear();
        compact.classes.clear(), compact.values.clear();
        data::patch_labels(reader.map(id), crop, kGrid, compact);
      });
  fmt::print("  compact over written out: {:.2f} times as many a second\n", named / written);
}

}  // namespace

void bench_labels(const BenchOptions& options) {
  const Material material = material_from(options.source);
  const std::filesystem::path file = options.folder / "bench.labels";
  Provenance provenance;
  provenance.labeler = {{"name", "bench"}, {"version", 1}};
  provenance.split = "train";
  provenance.images = options.images;
  provenance.shape = material.shape;
  double raw = 0;
  {
    const double start = wall_seconds();
    LabelFileWriter writer(file, provenance);
    for (int64_t i = writer.samples(); i < options.images; ++i) {
      const auto& record = material.records[static_cast<size_t>(i) % material.records.size()];
      writer.add(id_of(i), record);
    }
    for (int64_t i = 0; i < options.images; ++i) {
      const auto& record = material.records[static_cast<size_t>(i) % material.records.size()];
      raw += static_cast<double>(record.size() - read_record_header(record).bytes);
    }
    writer.finish();
    const double seconds = wall_seconds() - start;
    const auto bytes = static_cast<double>(std::filesystem::file_size(file));
    fmt::print("{} maps ({} different, {}) written in {:.0f} s\n", options.images,
               material.records.size(), options.source.empty() ? "made up" : "real", seconds);
    fmt::print("size: {:.3f} GB of {:.3f} GB, {:.1f} % of raw\n", bytes / 1e9, raw / 1e9,
               100 * bytes / raw);
  }
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = wall_seconds();
    const LabelFileReader reader(file);
    best = std::min(best, wall_seconds() - start);
  }
  fmt::print("opens in {:.1f} ms (the best of 5)\n", best * 1e3);
  const double before = own_memory();
  const LabelFileReader reader(file);
  measure_reads(reader, options);
  fmt::print("memory of its own: {:.1f} MiB more than before it was opened\n",
             own_memory() - before);
}

}  // namespace remixer::labelcache
