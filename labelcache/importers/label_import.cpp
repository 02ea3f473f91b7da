// SPDX-License-Identifier: Apache-2.0
#include "labelcache/importers/label_import.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/file.h"
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
  int side;            // cells per side of a square map; 0 for any size
  bool centre_square;  // the map is of the photograph's centre square; else of all of it
};
constexpr Format kFormats[] = {{"tokenlabeling", ".pt", {1000, 5}, 18, true},
                               {"relabel", ".pt", {1000, 5}, 15, false},
                               {"png", ".png", {1, 0}, 0, false},
                               {"npy", ".npy", {1, 0}, 0, false}};

const Format& find_format(const std::string& name) {
  std::vector<std::string> known;
  for (const Format& format : kFormats) {
    if (format.name == name) return format;
    known.push_back(format.name);
  }
  fail_input("unknown format '{}' of maps; known are {}", name, fmt::join(known, ", "));
}

// Finds a sample's map file: by its whole path, else by ever fewer of its last parts, down to the
// file name alone. Published names end at the first dot.
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
    if (shape_.top_k > 0) {
      shape_.channels = static_cast<int>(job.classes);
      crop_ = find_crop();
    }
  }

  ImportOutcome run() {
    count_missing();
    LabelFileWriter writer(job_.output, provenance());
    const auto total = static_cast<int64_t>(dataset_.samples().size());
    constexpr int64_t kAtOnce = 256;
    for (int64_t done = writer.samples(); done < total;) {
      const int64_t end = std::min(done + kAtOnce, total);
      std::vector<std::string> records(static_cast<size_t>(end - done));
      parallel_for(end - done, 0, [&](int64_t i) {
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
  // The central share of the photographs that images show; 0: all of them.
  double find_crop() const {
    if (job_.whole_images && job_.crop > 0) {
      fail_input("images are either whole photographs or a crop of them: give one of the two");
    }
    if (job_.crop > 0) return job_.crop;
    if (job_.whole_images || job_.as_released || dataset_.image_size() == 0) return 0;
    const auto manifest = Json::parse(read_file(job_.dataset / "manifest.json"));
    const auto spec = manifest.value("spec", Json::object());
    if (spec.value("builder", "") == "imagenet9") {
      return spec.at("image_size").get<double>() / spec.at("resize").get<double>();
    }
    fail_input(
        "{}: its images are all {} pixels a side, and nothing says how they were made of the "
        "photographs that the maps were made of, so maps cannot be placed: give --crop SHARE, the "
        "share of the photographs' shorter side that they show (ImageNet-9 as released: 0.875), or "
        "--whole-images",
        job_.dataset.string(), dataset_.image_size());
  }

  // The part of its image that a sample's map covers.
  data::Cover cover_of(const data::Sample& sample) const {
    if (job_.as_released) return {};
    if (crop_ > 0 && format_.centre_square) return square_around_crop(crop_);
    if (crop_ > 0) {
      const auto [width, height] = data::read_image_size(original_of(sample));
      return whole_around_crop(width, height, crop_);
    }
    if (!format_.centre_square) return {};
    const auto [width, height] = data::read_image_size(dataset_.image_path(sample));
    return centre_square(width, height);
  }

  fs::path original_of(const data::Sample& sample) const {
    if (job_.originals.empty()) {
      fail_input(
          "{}: its images are crops, and {} maps are of whole photographs, whose shapes place "
          "them: "
          "give --originals FOLDER, where the photographs are",
          job_.dataset.string(), format_.name);
    }
    for (const char* suffix : {".JPEG", ".jpg", ".jpeg", ".png"}) {
      if (const auto file = file_of(job_.originals, sample.id, suffix)) return *file;
    }
    fail_input("{}: holds no photograph of sample {}", job_.originals.string(), sample.id);
  }

  void count_missing() {
    std::string first;
    const auto& samples = dataset_.samples();
    const auto total = static_cast<int64_t>(samples.size());
    std::vector<std::string> files(samples.size());
    parallel_for(total, 0, [&](int64_t i) {
      const auto number = static_cast<size_t>(i);
      if (const auto file = file_of(job_.maps, samples[number].id, format_.suffix)) {
        files[number] = fmt::format("{} {}\n", file->lexically_relative(job_.maps).string(),
                                    sha256_file(*file));
      }
    });
    Sha256 all;
    for (size_t i = 0; i < files.size(); ++i) {
      all.update(files[i]);
      if (!files[i].empty()) continue;
      if (missing_++ == 0) first = samples[i].id;
    }
    files_ = all.finish();
    if (missing_ == 0 || (job_.allow_missing && missing_ < total)) return;
    fail_input("{}: no {} map of {} of {} samples, the first of them {}{}", job_.maps.string(),
               format_.suffix, missing_, total, first,
               missing_ < total ? "; with --allow-missing they get an empty one" : "");
  }

  Provenance provenance() const {
    Provenance provenance;
    provenance.labeler = {{"name", "imported"},     {"version", 2},
                          {"format", format_.name}, {"as_released", job_.as_released},
                          {"crop", crop_},          {"files_sha256", files_}};
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
      map.cover = cover_of(sample);
    }
    return encode_record(map, shape_);
  }

  const ImportJob& job_;
  const Format& format_;
  MapShape shape_;
  data::Dataset dataset_;
  double crop_ = 0;
  int64_t missing_ = 0;
  // Hash of the maps' names and contents, so that an interrupted import is not continued with other
  // maps.
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

data::Cover square_around_crop(double crop) {
  const auto margin = static_cast<float>((1 / crop - 1) / 2);
  return {-margin, -margin, 1 + margin, 1 + margin};
}

data::Cover whole_around_crop(int width, int height, double crop) {
  const double side = crop * std::min(width, height);
  const auto margin = [&](int length) { return static_cast<float>((length / side - 1) / 2); };
  return {-margin(width), -margin(height), 1 + margin(width), 1 + margin(height)};
}

ImportOutcome import_labels(const ImportJob& job) {
  return Importer(job).run();
}

}  // namespace remixer::labelcache
