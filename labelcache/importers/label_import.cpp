#include "labelcache/importers/label_import.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/hash.h"
#include "base/parallel.h"
#include "core/image/image_files.h"
#include "labelcache/file/label_file_writer.h"
#include "labelcache/labelers/labelers.h"

namespace remixer::labelcache {
namespace {

namespace fs = std::filesystem;

struct Format {
  const char* name;
  const char* suffix;
  MapShape shape;
  int side;  // cells, of a square map; 0 for any size
};
constexpr Format kFormats[] = {{"tokenlabeling", ".pt", {1000, 5}, 18},
                               {"relabel", ".pt", {1000, 5}, 15},
                               {"png", ".png", {1, 0}, 0},
                               {"npy", ".npy", {1, 0}, 0}};

const Format& find_format(const std::string& name) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (format.name == name) return format;
    known.push_back(format.name);
  }
  fail_input("unknown format '{}' of maps; known are {}", name, fmt::join(known, ", "));
}

// The map's file of a sample: by its whole path, else by its last parts, from the most to the
// file's name alone. Published names end at the first dot.
std::optional<fs::path> file_of(const fs::path& maps, const std::string& id, const char* suffix) {
  fs::path path(id);
  const std::string file = path.filename().string();
  for (const std::string& stem : {path.stem().string(), file.substr(0, file.find('.'))}) {
    std::vector<std::string> parts;
    for (const fs::path& part : path.parent_path()) parts.push_back(part.string());
    for (size_t skipped = 0; skipped <= parts.size(); ++skipped) {
      fs::path candidate = maps;
      for (size_t i = skipped; i < parts.size(); ++i) candidate /= parts[i];
      candidate /= stem + suffix;
      std::error_code code;
      if (fs::is_regular_file(candidate, code)) return candidate;
    }
  }
  return std::nullopt;
}

class Importer {
 public:
  explicit Importer(const ImportJob& job)
      : job_(job),
        format_(find_format(job.format)),
        shape_(format_.shape),
        dataset_(data::Dataset::open(job.dataset, job.split)) {
    if (!fs::is_directory(job.maps)) fail_input("{} is not a folder of maps", job.maps.string());
    if (shape_.top_k > 0) shape_.channels = static_cast<int>(job.classes);
  }

  ImportOutcome run() {
    count_missing();
    CacheWriter writer(job_.output, provenance());
    const auto total = static_cast<int64_t>(dataset_.samples().size());
    constexpr int64_t kAtOnce = 256;
    for (int64_t done = writer.samples(); done < total;) {
      const int64_t end = std::min(done + kAtOnce, total);
      std::vector<std::string> records(static_cast<size_t>(end - done));
      data::parallel_for(end - done, 0, [&](int64_t i) {
        records[static_cast<size_t>(i)] =
            record_of(dataset_.samples()[static_cast<size_t>(done + i)]);
      });
      for (int64_t i = done; i < end; ++i) {
        writer.add(dataset_.samples()[static_cast<size_t>(i)].id,
                   records[static_cast<size_t>(i - done)]);
      }
      done = end;
      if (job_.on_progress) job_.on_progress(done, total);
    }
    return {total, missing_, writer.finish()};
  }

 private:
  void count_missing() {
    std::string first;
    Sha256 files;
    for (const data::Sample& sample : dataset_.samples()) {
      if (const auto file = file_of(job_.maps, sample.id, format_.suffix)) {
        files.update(fmt::format("{} {}\n", file->lexically_relative(job_.maps).string(),
                                 fs::file_size(*file)));
        continue;
      }
      if (missing_++ == 0) first = sample.id;
    }
    files_ = files.finish();
    const auto total = static_cast<int64_t>(dataset_.samples().size());
    if (missing_ == 0 || (job_.allow_missing && missing_ < total)) return;
    fail_input("{}: no {} map of {} of {} samples, the first of them {}{}", job_.maps.string(),
               format_.suffix, missing_, total, first,
               missing_ < total ? "; with --allow-missing they get an empty one" : "");
  }

  Provenance provenance() const {
    Provenance provenance;
    provenance.labeler = {{"name", "imported"},
                          {"version", 1},
                          {"format", format_.name},
                          {"as_released", job_.as_released},
                          {"files_sha256", files_}};
    provenance.dataset_sha256 = dataset_.content_hash();
    provenance.split = job_.split;
    provenance.images = static_cast<int64_t>(dataset_.samples().size());
    provenance.shape = shape_;
    return provenance;
  }

  std::string record_of(const data::Sample& sample) const {
    const auto file = file_of(job_.maps, sample.id, format_.suffix);
    if (!file) return encode_record(empty_map(shape_), shape_);
    data::LabelMap map;
    if (shape_.top_k == 0) {
      map = std::string_view(format_.suffix) == ".npy" ? read_numpy_mask(*file)
                                                       : mask_map(data::read_gray(*file));
    } else {
      map = read_pytorch_map(*file, job_.classes);
      if (map.top_k != shape_.top_k || map.height != format_.side || map.width != format_.side) {
        fail_input("{}: a map of [2, {}, {}, {}], {} maps are [2, {}, {}, {}]", file->string(),
                   map.top_k, map.height, map.width, format_.name, shape_.top_k, format_.side,
                   format_.side);
      }
      if (!job_.as_released) {
        const auto [width, height] = data::read_image_size(dataset_.image_path(sample));
        map.cover = centre_square(width, height);
      }
    }
    return encode_record(map, shape_);
  }

  const ImportJob& job_;
  const Format& format_;
  MapShape shape_;
  data::Dataset dataset_;
  int64_t missing_ = 0;
  // Of the maps' names and sizes, so that an import that was cut is not gone on with from others.
  std::string files_;
};

}  // namespace

data::Cover centre_square(int width, int height) {
  data::Cover cover;
  const auto edge = [](int shorter, int longer) {
    return static_cast<float>((1 - static_cast<double>(shorter) / longer) / 2);
  };
  if (width > height) {
    cover.left = edge(height, width);
    cover.right = 1 - cover.left;
  } else if (height > width) {
    cover.top = edge(width, height);
    cover.bottom = 1 - cover.top;
  }
  return cover;
}

ImportOutcome import_labels(const ImportJob& job) {
  return Importer(job).run();
}

}  // namespace remixer::labelcache
